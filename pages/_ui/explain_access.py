"""What the explaining pages read from a run, cached by the hash of the part that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import streamlit as st

from pages._ui import asked, data_access, state, widgets
from tabnet_engine.errors import ExplanationError, UserError
from tabnet_engine.explain import store
from tabnet_engine.texts.speaking import ENGLISH, msg, say, speaking

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from tabnet_engine.explain.archetypes import Archetypes
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.explain.importance import GlobalImportance
    from tabnet_engine.explain.masks import MaskExplanation
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.explain.single_row import RowExplainer, RowExplanation
    from tabnet_engine.explain.trust.certificate import Certificate
    from tabnet_engine.figures.identity import ColorScheme
    from tabnet_engine.runs.run import Run

Rows = TypeVar("Rows", "MaskExplanation", "Attribution")

__all__ = [
    "NO_TABLE",
    "ShownRow",
    "archetypes",
    "attribution",
    "certificate",
    "chosen_run",
    "colors",
    "distinct_shares",
    "explainer",
    "frame",
    "importances",
    "imported",
    "masks",
    "outcomes",
    "row_explanation",
    "row_masks",
    "seconds_per_evaluation",
    "shown_row",
    "texts",
    "version",
]


NO_TABLE = msg(
    "This model was imported without a table, so there is no row of its own to explain here; the command "
    "“python -m tabnet_engine explain” explains any table that has its columns"
)


def chosen_run() -> Run | None:
    """Let the user choose a run; without any, show where runs come from and return None."""
    names, pretrained = data_access.run_names(), data_access.pretraining_names()
    if not names:
        _nothing_to_explain(pretrained)
        return None
    if state.current("run") in pretrained:
        widgets.info(say("A pretraining predicts nothing, so there is nothing to explain yet; a trained run is shown"))
        state.clear("run", "row", "class")
    current = asked.item("run", names, "run")
    run_id = widgets.choice(say("Run"), names, current, key="explained_run")
    if run_id != current:
        state.clear("row", "class")  # neither means anything in another run
    state.choose("run", run_id)
    run = data_access.run(run_id)
    state.keep_own(words=_own_words(run_id, run), names=frozenset())
    return run


@st.cache_resource(show_spinner=False, max_entries=8)
def _own_words(run_id: str, _run: Run) -> frozenset[str]:  # noqa: ARG001 - the id is the cache's key
    return _run.schema.own_words


def _nothing_to_explain(pretrained: dict[str, str]) -> None:
    """Why there is no run to explain, and the way to one."""
    if pretrained:
        widgets.empty_state(
            say("Only pretrainings here"),
            say("This page explains a trained model. A pretraining predicts nothing by itself: train from it first."),
            page="train",
            label=say("Train from it"),
            pretrained=next(iter(pretrained)),
        )
        return
    widgets.empty_state(
        say("No run yet"),
        say("This page explains a trained model. The walkthrough trains one on a sample table in a minute."),
        page="walkthrough",
        label=say("Start the walkthrough"),
    )


def imported(run: Run) -> bool:
    """Whether the run came without a table, from a model that was trained elsewhere."""
    return run.manifest.dataset.dataset_id is None


def masks(run: Run) -> MaskExplanation | None:
    """Stored masks of all rows; None when the run has none."""
    if not store.has_explanations(run, store.MASKS):
        return None
    with st.spinner(say("Reading the masks")):
        return _masks(version(run, f"{store.MASKS}.parquet"), run)


@st.cache_resource(show_spinner=False, max_entries=2)  # a million rows of 11 columns and 3 steps take 170 MB
def _masks(digest: str, _run: Run) -> MaskExplanation:  # noqa: ARG001 - the digest is the cache's key
    return store.load_masks(_run)


def attribution(run: Run) -> Attribution | None:
    """Stored SHAP values; None when the run has none."""
    part = store.attribution_part(run)
    if part is None:
        return None
    with st.spinner(say("Reading the SHAP values")):
        return _attribution(version(run, f"{part}.parquet"), run)


@st.cache_resource(show_spinner=False, max_entries=4)
def _attribution(digest: str, _run: Run) -> Attribution:  # noqa: ARG001 - the digest is the cache's key
    return store.load_attribution(_run)


def importances(run: Run) -> dict[str, GlobalImportance]:
    """Stored global importances by method; empty when the run has none."""
    if not store.has_explanations(run, store.IMPORTANCE):
        return {}
    return {importance.method: importance for importance in _importances(version(run, store.IMPORTANCE), run)}


@st.cache_resource(show_spinner=False, max_entries=16)
def _importances(digest: str, _run: Run) -> tuple[GlobalImportance, ...]:  # noqa: ARG001 - as above
    return store.load_importances(_run)


def colors(run: Run, target: str | None = None) -> ColorScheme:
    """The colours of the run's features and of the classes of a target (the first when absent), on every page alike."""
    from tabnet_engine.figures.identity import ColorScheme

    read = importances(run).get("masks")
    names = run.encoder.layout.feature_names if read is None else [read.features[index] for index in read.order]
    codec = run.targets.of(target or run.targets.names[0])[0]
    return ColorScheme.of(names, codec.classes)


def archetypes(run: Run) -> Archetypes | None:
    """In which ways the rows are read; None when that was not found out."""
    from tabnet_engine.explain.archetype_store import ARCHETYPES, has_archetypes

    if not has_archetypes(run):
        return None
    found = _archetypes(version(run, f"{ARCHETYPES}.json"), run)
    state.keep_own(names=frozenset(archetype.own_name for archetype in found.archetypes) - {""})
    return found


@st.cache_resource(show_spinner=False, max_entries=4)  # of a million rows 16 MB each
def _archetypes(digest: str, _run: Run) -> Archetypes:  # noqa: ARG001 - as above
    from tabnet_engine.explain.archetype_store import load_archetypes

    return load_archetypes(_run)


def distinct_shares(run: Run) -> dict[str, float]:
    """How many different values the columns hold that could name rows; empty without the table."""
    return {} if frame(run) is None else _distinct_shares(run.run_id, run)


@st.cache_resource(show_spinner=False, max_entries=8)
def _distinct_shares(run_id: str, _run: Run) -> dict[str, float]:  # noqa: ARG001 - as above
    from tabnet_engine.explain.mask_health import distinct_shares as measure

    table = frame(_run)
    return {} if table is None else measure(table, _run.schema)


def certificate(run: Run) -> Certificate | None:
    """What was measured about the trust in the run's explanations; None when nothing was."""
    from tabnet_engine.explain.trust.certificate import CERTIFICATE, has_certificate

    return _certificate(version(run, CERTIFICATE), run) if has_certificate(run) else None


@st.cache_resource(show_spinner=False, max_entries=8)
def _certificate(digest: str, _run: Run) -> Certificate:  # noqa: ARG001 - as above
    from tabnet_engine.explain.trust.certificate import load_certificate

    return load_certificate(_run)


def frame(run: Run) -> pd.DataFrame | None:
    """The table that the run was trained on; None when it is no longer in this workspace."""
    dataset_id = run.manifest.dataset.dataset_id
    if dataset_id is None:
        return None
    try:
        return data_access.frame(dataset_id)
    except UserError:
        return None


def outcomes(run: Run, target: str | None = None) -> RowOutcomes | None:
    """Prediction and outcome of the rows that have masks; None without masks or without the table.

    Args:
        run: the run.
        target: which of its targets; the first when absent.
    """
    if frame(run) is None or not store.has_explanations(run, store.MASKS):
        return None
    return _outcomes(version(run, f"{store.MASKS}.parquet"), target or run.targets.names[0], run)


@st.cache_resource(show_spinner=False, max_entries=4)  # of a million rows 48 MB each
def _outcomes(digest: str, target: str, _run: Run) -> RowOutcomes | None:  # noqa: ARG001 - as above
    from tabnet_engine.explain.stored_outcomes import stored_outcomes

    table = frame(_run)
    return None if table is None else stored_outcomes(_run, table, target)  # masks of a million rows are not read


def texts(run: Run, rows: npt.NDArray[np.int64]) -> pd.DataFrame | None:
    """The cells of some rows as a reader wants to see them; None without the table."""
    table = frame(run)
    return None if table is None else run.encoder.display_values(table.iloc[rows]).reset_index(drop=True)


def explainer(run: Run) -> RowExplainer | None:
    """The loaded network that explains rows at once; None when the run has no background yet."""
    if not store.has_explanations(run, store.BACKGROUND):
        return None
    with st.spinner(say("Loading the model")):
        return _explainer(version(run, f"{store.BACKGROUND}.parquet"), run)


@st.cache_resource(show_spinner=False, max_entries=4)
def _explainer(digest: str, _run: Run) -> RowExplainer:  # noqa: ARG001 - as above
    import torch

    from tabnet_engine.explain.single_row import RowExplainer

    torch.set_num_threads(1)  # a row is little work, and visitors and trainings share the cores
    # The budget of the stored values, so that a row says the same here as in the comparison of all rows.
    return RowExplainer.of_run(_run, like=attribution(_run))


@dataclass(frozen=True, kw_only=True, eq=False)
class ShownRow:
    """What can be said about one row. Without SHAP values, ``why_not`` says why there are none.

    ``texts`` are the row's cells as the user knows them; ``missing`` and ``unseen`` name columns.
    """

    row: int
    texts: dict[str, str]
    missing: tuple[str, ...]
    unseen: tuple[str, ...]
    masks: MaskExplanation
    attribution: Attribution | None
    why_not: str = ""


def shown_row(run: Run, row: int) -> ShownRow | None:
    """What can be said about one row; without SHAP values where they cannot be computed.

    None when the table is gone, or when the run has neither this row's masks nor a background.

    Raises:
        UserError: the row cannot be explained at all.
    """
    table, why_not = frame(run), ""
    try:
        whole = row_explanation(run, row)
    except ExplanationError as error:
        if row_masks(run, row) is None:
            raise
        whole, why_not = None, str(error)
    read = whole.masks if whole is not None else row_masks(run, row)
    if table is None or read is None:
        return None
    from tabnet_engine.explain.single_row import cell_texts

    texts, missing, unseen = cell_texts(run.encoder, table.iloc[[row]])
    moved = None if whole is None else whole.attribution
    return ShownRow(
        row=row, texts=texts, missing=missing, unseen=unseen, masks=read, attribution=moved, why_not=why_not
    )


def row_explanation(run: Run, row: int) -> RowExplanation | None:
    """Masks, step contributions and SHAP values of one row: stored, else computed now.

    None when the table is gone, or the run has no background to compute against.

    Raises:
        UserError: the row cannot be explained.
    """
    return _stored_row(run, row) or _computed_row(run, row)


def _stored_row(run: Run, row: int) -> RowExplanation | None:
    """The row from what is stored, without loading the network; None when a part is not stored."""
    from tabnet_engine.explain.single_row import RowExplanation, cell_texts

    stored_values, table = attribution(run), frame(run)
    moved = None if stored_values is None else _taken(stored_values, row)
    read = None if moved is None else row_masks(run, row)
    if read is None or moved is None or table is None:
        return None
    texts, missing, unseen = cell_texts(run.encoder, table.iloc[[row]])
    return RowExplanation(row=row, texts=texts, missing=missing, unseen=unseen, masks=read, attribution=moved)


def row_masks(run: Run, row: int) -> MaskExplanation | None:
    """Stored masks of one row, without reading those of a million others; None when there are none."""
    if not store.has_explanations(run, store.MASKS):
        return None
    return _row_masks(version(run, f"{store.MASKS}.parquet"), row, run)


@st.cache_resource(show_spinner=False, max_entries=256)
def _row_masks(digest: str, row: int, _run: Run) -> MaskExplanation | None:  # noqa: ARG001 - as above
    try:
        return store.load_masks(_run, [row])
    except ExplanationError:  # this row was not among those whose masks were stored
        return None


def _taken(stored: Rows, row: int) -> Rows | None:
    """The one row of what is stored; None when it is not there."""
    from tabnet_engine.explain.attribution import position_of

    position = position_of(stored.rows, row)
    return None if position is None else stored.take([position])


def _computed_row(run: Run, row: int) -> RowExplanation | None:
    if frame(run) is None or explainer(run) is None:
        return None
    parts = (f"{store.BACKGROUND}.parquet", f"{store.attribution_part(run)}.parquet")
    with st.spinner(say("Computing the SHAP values of this row")):
        return _explained_now(version(run, *parts), row, run)


@st.cache_resource(show_spinner=False, max_entries=256)
def _explained_now(digest: str, row: int, _run: Run) -> RowExplanation | None:  # noqa: ARG001 - as above
    table, loaded = frame(_run), explainer(_run)
    if table is None or loaded is None:
        return None
    with speaking(ENGLISH):  # what is cached is shown in any language
        return loaded.explain(table.iloc[[row]], row=row)


def seconds_per_evaluation(run: Run) -> float | None:
    """How long one evaluation of one background row takes here, measured once; None when nothing can be measured."""
    loaded, table = explainer(run), frame(run)
    if loaded is None or table is None or not len(table):
        return None
    with st.spinner(say("Measuring on one row")):
        return _seconds_per_evaluation(version(run, f"{store.BACKGROUND}.parquet"), run)


@st.cache_resource(show_spinner=False, max_entries=8)
def _seconds_per_evaluation(digest: str, _run: Run) -> float | None:  # noqa: ARG001 - as above
    from tabnet_engine.explain.cost import seconds_per_evaluation as measure

    loaded, table = explainer(_run), frame(_run)
    return None if loaded is None or table is None else measure(loaded, table.iloc[[0]])


def version(run: Run, *parts: str) -> str:
    """What names stored parts of a run in a cache: it changes with any of them, also when one is stored or dropped."""
    return ":".join((run.run_id, *(run.manifest.parts.get(part, "") for part in parts)))
