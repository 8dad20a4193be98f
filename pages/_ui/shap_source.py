"""What the page of signed values looks at: one method's values, of some rows, for one output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import explain_access, explain_jobs, explain_widgets, kept, row_filter, widgets
from tabnet_engine.explain import store
from tabnet_engine.explain.signed.methods import METHODS
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.explain.masks import MaskExplanation
    from tabnet_engine.explain.row_outcomes import RowOutcomes
    from tabnet_engine.runs.run import Run

__all__ = ["Source", "chosen_source", "stale_methods", "stored_values"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Values of one method, those of the rows that pass the filter.

    ``all_values`` are those of every explained row, ``places`` where ``values`` stand among them.
    """

    run: Run
    output: int
    all_values: Attribution
    places: np.ndarray

    @property
    def values(self) -> Attribution:
        """The values of the rows that are shown."""
        whole = len(self.places) == self.all_values.n_rows
        return self.all_values if whole else self.all_values.take(self.places)

    @property
    def name(self) -> str:
        """The output, as the values call it."""
        return self.all_values.outputs[self.output]

    @property
    def unit(self) -> str:
        """What the output is called on an axis."""
        return explain_widgets.unit(self.run, self.output)

    @property
    def key(self) -> str:
        """Changes with the values, for caches."""
        return f"{self.all_values.method}:{_version(self.run, self.all_values.method)}"

    @property
    def subtitle(self) -> str:
        """Rows and background, for beside a figure."""
        rows = say_plural("{count} row", "{count:,} rows", len(self.places))
        background = say_plural(
            "{count} background row", "{count:,} background rows", self.all_values.background.n_rows
        )
        return f"{rows}; {background}"

    def cells(self) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """The raw cells of the rows that are shown, and the same as texts; None without the table."""
        if explain_access.frame(self.run) is None:
            return None
        raw, texts = _cells(self.key, self.run, self.all_values)
        if len(self.places) == self.all_values.n_rows:
            return raw, texts
        return raw.iloc[self.places].reset_index(drop=True), texts.iloc[self.places].reset_index(drop=True)

    def masks(self) -> MaskExplanation | None:
        """The masks of the rows that are shown; None when none are stored."""
        if not store.has_explanations(self.run, store.MASKS):
            return None
        found = _masks(f"{self.key}:{self.run.manifest.parts[f'{store.MASKS}.parquet']}", self.run, self.all_values)
        if len(self.places) == self.all_values.n_rows:
            return found
        return found.take(np.flatnonzero(np.isin(found.rows, self.values.rows)))

    def outcomes(self) -> RowOutcomes | None:
        """Prediction and outcome of the rows that are shown; None without the table."""
        if explain_access.frame(self.run) is None:
            return None
        target = explain_widgets.target_of(self.run, self.output)[0].name
        return _outcomes(self.key, target, self.run, self.all_values).take(self.places)


def stored_values(run: Run, method: str) -> Attribution:
    """The stored values of a method."""
    return _stored(_version(run, method), method, run)


def chosen_source(run: Run) -> Source | None:
    """Let the user choose class, method and rows; None, with what to do, when no row is left."""
    methods = store.stored_methods(run)
    if "shap" not in methods:
        widgets.info(explain_jobs.no_shap(run) or say("This run has no SHAP values; they can be computed below"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        output = explain_widgets.output_choice(
            run, help_text=say("Whose score the values are for; masks know no class.")
        )
        method = methods[0]
        if len(methods) > 1:
            names = {name: say(METHODS[name].title) if name in METHODS else name for name in methods}
            method = kept.choice("method", say("Method"), names, help_text=_method_help())
    values = stored_values(run, method)
    if method in stale_methods(run):
        widgets.info(
            say(
                "These values were computed against another background than the run's newest values; compute them "
                "again before comparing the two"
            )
        )
    only = row_filter.filter_box(run)
    places = np.arange(values.n_rows) if only is None else np.flatnonzero(only.mask[values.rows])
    if not len(places):
        widgets.info(
            say(
                "None of the {n_rows:,} explained rows meets the condition; loosen it, or explain more rows below",
                n_rows=values.n_rows,
            )
        )
        return None
    return Source(run=run, output=output, all_values=values, places=places)


def _method_help() -> str:
    return say("Signed values by different methods answer slightly different questions; SHAP is the usual one.")


def stale_methods(run: Run) -> tuple[str, ...]:
    """Stored methods whose background is not the one that the run holds now."""
    if not store.has_explanations(run, store.BACKGROUND):
        return ()
    rows = _background_rows(explain_access.version(run, f"{store.BACKGROUND}.parquet"), run)
    return tuple(
        method
        for method in store.stored_methods(run)
        if not np.array_equal(stored_values(run, method).background.rows, rows)
    )


@st.cache_resource(show_spinner=False, max_entries=16)
def _background_rows(digest: str, _run: Run) -> np.ndarray:  # noqa: ARG001 - the digest is the cache's key
    return store.load_background(_run).background.rows


def _version(run: Run, method: str) -> str:
    return explain_access.version(run, f"{store.attribution_part(run, method)}.parquet")


@st.cache_resource(show_spinner=False, max_entries=8)
def _stored(digest: str, method: str, _run: Run) -> Attribution:  # noqa: ARG001 - as above
    return store.load_attribution(_run, method=method)


@st.cache_resource(show_spinner=False, max_entries=8)
def _masks(digest: str, _run: Run, _values: Attribution) -> MaskExplanation:  # noqa: ARG001 - as above
    return store.load_masks(_run, np.sort(_values.rows))


@st.cache_resource(show_spinner=False, max_entries=8)
def _cells(digest: str, _run: Run, _values: Attribution) -> tuple[pd.DataFrame, pd.DataFrame]:  # noqa: ARG001
    table = explain_access.frame(_run)
    if table is None:
        raise RuntimeError("the table was deleted meanwhile")
    raw = table.iloc[_values.rows].reset_index(drop=True)
    return raw, _run.encoder.display_values(raw).reset_index(drop=True)


@st.cache_resource(show_spinner=False, max_entries=16)
def _outcomes(digest: str, target: str, _run: Run, _values: Attribution) -> RowOutcomes:  # noqa: ARG001 - as above
    from tabnet_engine.explain.row_outcomes import row_outcomes

    table = explain_access.frame(_run)
    if table is None:
        raise RuntimeError("the table was deleted meanwhile")
    codec, place = _run.targets.of(target)
    return row_outcomes(codec, _run.splits, table, _values.rows, _values.logits, place=place)
