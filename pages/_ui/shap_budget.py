"""Computing signed values anew: method, background, rows and precision, with the time that they will take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages._ui import data_access, explain_access, explain_jobs, guard, row_filter, shap_source, widgets
from pages._ui.job_panel import time_text
from tabnet_engine.config import ExplainConfig
from tabnet_engine.errors import UserError
from tabnet_engine.explain import store
from tabnet_engine.explain.cost import (
    FULL_PATHS,
    evaluations_asked,
    evaluations_for_target,
    seconds_per_row,
    shap_seconds,
    usual_error,
)
from tabnet_engine.explain.signed.budget import DEFAULT_PERMUTATIONS, MAX_COALITIONS
from tabnet_engine.explain.signed.methods import METHODS
from tabnet_engine.texts.speaking import ENGLISH, msg, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.runs.run import Run

__all__ = ["budget_form"]

_BACKGROUNDS = {
    "training": msg("all training rows"),
    "class": msg("training rows of one class"),
    "where": msg("training rows that meet a condition"),
    "cutoff": msg("training rows near the cutoff"),
}
_SIDES = {"both": msg("on both sides of it"), "above": msg("above it"), "below": msg("below it")}
_SAMPLED = ("shap", "sampling")
_BY_ORDERS = (*_SAMPLED, "shap_permutation", "shap_kernel")
_EXACT = ("exact", "shap_exact")


def budget_form(run: Run, method: str) -> None:
    """A dialog: another method, background, number of rows or precision, with the time it will take.

    Args:
        run: the run.
        method: the signed method to start from.
    """
    # Made anew each time: a title is fixed when the dialog is made, and the language may change.
    st.dialog(say("Compute the values again"), icon=":material/tune:", width="medium")(_form)(run, method)


def _form(run: Run, method: str) -> None:
    with guard.sentences():
        stored = shap_source.stored_values(run, method) if method in store.stored_methods(run) else None
        name = _method(run, method)
        settings: dict[str, Any] = {"methods": (name,), "n_effect_columns": 0, "max_mask_rows": _mask_rows(run)}
        settings |= _rows(stored) | _background(run, stored) | _precision(run, name, stored)
        _cost(run, settings, stored)


def _method(run: Run, method: str) -> str:
    n_features = len(run.schema.features)
    names = [name for name in METHODS if name not in _EXACT or 2**n_features <= MAX_COALITIONS]
    name = st.selectbox(
        say("Method"),
        names,
        index=names.index(method) if method in names else 0,
        format_func=lambda key: say(METHODS[key].title),
        key="shap_method",
    )
    st.caption(widgets.md(say(METHODS[name].what)))
    return str(name)


def _rows(stored: Attribution | None) -> dict[str, Any]:
    default = ExplainConfig()
    n_rows = st.number_input(
        say("Rows to explain"),
        1,
        100_000,
        stored.n_rows if stored else default.n_shap_rows,
        50,
        key="shap_rows",
        help=say("Drawn from the test rows, every class by its share."),
    )
    return {"n_shap_rows": int(n_rows)}


def _background(run: Run, stored: Attribution | None) -> dict[str, Any]:
    """Which rows stand for not knowing a column, and how many."""
    kinds = [kind for kind in _BACKGROUNDS if kind in {"training", "where"} or _classes(run)]
    kind = st.selectbox(
        say("Background"),
        kinds,
        index=kinds.index(stored.background.kind) if stored and stored.background.kind in kinds else 0,
        format_func=lambda key: say(_BACKGROUNDS[key]),
        key="shap_background_kind",
        help=say(
            "The rows whose values stand for “not knowing a column”. A value says what moved the score away from the "
            "mean over these rows: against the other class it answers another question than against everybody."
        ),
    )
    settings: dict[str, Any] = {} if kind == "training" else {"background": str(kind)}
    if kind in {"class", "cutoff"}:
        settings["background_class"] = _class(run)
    if kind == "where":
        settings["background_where"] = _where(run)
    if kind == "cutoff":
        cutoff = st.number_input(say("Cutoff"), 0.0, 1.0, 0.5, 0.05, key="shap_cutoff")
        side = st.selectbox(say("Side"), list(_SIDES), format_func=lambda key: say(_SIDES[key]), key="shap_side")
        settings |= {"cutoff": float(cutoff), "background_side": str(side)}
    n_background = st.number_input(
        say("Background rows"),
        1,
        10_000,
        stored.background.n_rows if stored else ExplainConfig().n_background,
        10,
        key="shap_background",
        help=say("More make the base value steadier and take longer."),
    )
    return {**settings, "n_background": int(n_background)}


def _classes(run: Run) -> dict[str, str]:
    """The classes as the settings name them, by what the user calls them."""
    several = len(run.targets.names) > 1
    return {
        f"{codec.name}={label}" if several else label: f"{codec.name}: {label}" if several else label
        for codec in run.targets.codecs
        for label in codec.classes
    }


def _class(run: Run) -> str:
    names = _classes(run)
    return str(st.selectbox(say("Class"), list(names), format_func=names.__getitem__, key="shap_background_class"))


def _where(run: Run) -> str:
    text = st.text_input(
        say("Condition"),
        key="shap_background_where",
        placeholder=say("such as {example}", example=f"{run.schema.features[0].name} is not missing"),
    )
    try:
        found = row_filter.filter_of(run, text)
    except UserError as error:
        widgets.error(str(error))
        return ""
    if found is not None:
        n_met = int(np.isin(run.splits.train, found.positions).sum())
        st.caption(say("{n_met:,} of {n_rows:,} training rows meet it.", n_met=n_met, n_rows=len(run.splits.train)))
        return found.words if n_met else ""
    return ""


def _precision(run: Run, name: str, stored: Attribution | None) -> dict[str, Any]:
    """A fixed budget, or the error to be reached; nothing to choose where a method is exact."""
    if name in FULL_PATHS:
        error = st.number_input(
            say("Largest miss of the sum"),
            0.00001,
            1.0,
            0.001,
            format="%.5f",
            key="shap_path_error",
            help=say(
                "Values and base may miss the score by at most this, for a target that is a number in its standard "
                "deviations; paths are refined until they do not."
            ),
        )
        return {"path_error": float(error)}
    if name not in _BY_ORDERS:
        return {}
    per_order = 2 * len(run.schema.features) + 1
    if name in _SAMPLED and _wants_target():
        error = st.number_input(
            say("Largest standard error"),
            0.0001,
            100.0,
            usual_error(stored),
            format="%.4f",
            key="shap_target_error",
            help=say("In the unit of the score. Each row stops once every value is that precise."),
        )
        return {"target_error": float(error)}
    orders = st.number_input(
        say("Column orders"),
        1,
        1_000,
        (stored.n_permutations if stored else 0) or DEFAULT_PERMUTATIONS,  # exact values know no orders
        5,
        key="shap_orders",
        help=say("Each order of the columns is walked forwards and backwards. More make the values more precise."),
    )
    return {"n_evaluations": int(orders * per_order)}


def _wants_target() -> bool:
    ways = {"budget": say("a fixed number of orders"), "target": say("until an error is reached")}
    way = st.radio(say("Precision"), list(ways), format_func=ways.__getitem__, horizontal=True, key="shap_precision")
    return way == "target"


def _mask_rows(run: Run) -> int:
    """As many as are stored, so that no masks are lost; they are not computed again."""
    n_rows = len(store.stored_rows(run, store.MASKS)) if store.has_explanations(run, store.MASKS) else 0
    return max(n_rows, ExplainConfig().max_mask_rows)


def _cost(run: Run, settings: dict[str, Any], stored: Attribution | None) -> None:
    """What it costs, and the button; a budget that cannot be met is refused here already."""
    from tabnet_engine.jobs.explaining import check_budgets

    incomplete = settings.get("background") == "where" and not settings["background_where"]
    if incomplete:
        st.caption(say("Write a condition that some training row meets."))
        st.button(say("Compute"), type="primary", icon=":material/play_arrow:", key="explain_again", disabled=True)
        return
    config = ExplainConfig.from_mapping(settings)
    check_budgets(config.methods, config, len(run.schema.features), 1, config.n_background)
    st.caption(_time_sentence(run, config, stored))
    if st.button(say("Compute"), type="primary", icon=":material/play_arrow:", key="explain_again"):
        explain_jobs.submit(run, settings)


def _time_sentence(run: Run, config: ExplainConfig, stored: Attribution | None) -> str:
    name, n_features = config.methods[0], len(run.schema.features)
    unknown = say("How long it takes is known once the run has been explained for the first time.")
    if name in FULL_PATHS:
        return _path_sentence(run, config, name) or unknown
    unit = explain_access.seconds_per_evaluation(run)
    if unit is None:
        return unknown

    def seconds(evaluations: int) -> str:
        taken = shap_seconds(
            unit,
            n_features=n_features,
            n_rows=config.n_shap_rows,
            n_background=config.n_background,
            n_evaluations=evaluations,
        )
        return time_text(max(taken, 1.0))

    if config.target_error is not None and stored is not None:
        usual, most = evaluations_for_target(stored, config.target_error)
        return say(
            "About {time}, at most {most}: {evaluations:,} evaluations a row are expected for this error, judging by "
            "the values that are stored and one row explained on this machine just now.",
            time=seconds(usual),
            most=seconds(most),
            evaluations=usual,
        )
    evaluations = evaluations_asked(name, n_features, config.n_evaluations)
    return say(
        "{evaluations:,} evaluations a row. About {time}, judging by one row explained on this machine just now.",
        evaluations=evaluations,
        time=seconds(evaluations),
    )


def _path_sentence(run: Run, config: ExplainConfig, name: str) -> str | None:
    loaded, table = explain_access.explainer(run), explain_access.frame(run)
    if loaded is None or table is None or not len(table):
        return None
    with st.spinner(say("Measuring on one row")):
        one = _path_seconds(f"{data_access.root()}:{run.run_id}", name, run)
    shares = 1.0 if name == "integrated_gradients" else config.n_background / loaded.background.background.n_rows
    taken = time_text(max(one * shares * config.n_shap_rows, 1.0))
    return say("About {time}, judging by one row explained on this machine just now.", time=taken)


@st.cache_resource(show_spinner=False, max_entries=8)
def _path_seconds(key: str, name: str, _run: Run) -> float:  # noqa: ARG001 - the cache's key
    loaded, table = explain_access.explainer(_run), explain_access.frame(_run)
    if loaded is None or table is None:
        raise RuntimeError("the table was deleted meanwhile")
    with speaking(ENGLISH):
        return seconds_per_row(loaded, table.iloc[[0]], name)
