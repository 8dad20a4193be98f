"""How the signed values were made, and the way to make them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, shap_budget, shap_source, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain import store
from tabnet_engine.explain.signed.methods import METHODS
from tabnet_engine.explain.wording import amount
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from pages._ui.shap_source import Source
    from tabnet_engine.runs.run import Run

__all__ = ["section"]


def section(run: Run, source: Source | None, *, busy: bool) -> None:
    """Rows, background, evaluations and error of the values, and the button that computes others.

    Args:
        run: the run.
        source: the values that are shown; None where no row is left to show.
        busy: whether a job works on this run now.
    """
    method = store.stored_methods(run)[0] if source is None else source.all_values.method
    values = shap_source.stored_values(run, method)
    title = say("How the values were measured: {method}", method=widgets.said(METHODS[method].name))
    st.subheader(widgets.md(title), anchor=False, help=help_text(_measure(method)))
    error = amount(values.additivity_error) if values.additivity_error else "0"
    shown = {
        say("Rows"): (f"{values.n_rows:,}", say("Held-out rows that were explained.")),
        say("Background rows"): (
            f"{values.background.n_rows:,}",
            say("Training rows whose values stand for 'not knowing a column'."),
        ),
        say("Evaluations a row"): (
            f"{values.n_evaluations:,}",
            say("Model evaluations for one row, each averaged over the background."),
        ),
    }
    if values.is_complete:
        help_sum = say("Values and base add up to the score; this is the largest difference found.")
        shown[say("Largest sum error")] = (error, help_sum)
    widgets.metrics(
        {name: text for name, (text, _) in shown.items()},
        help_texts={name: told for name, (_, told) in shown.items()},
    )
    st.caption(widgets.md(widgets.said(values.provenance)))
    if explain_access.imported(run):
        return
    label = say("Other background, method or budget")
    if st.button(label, icon=":material/tune:", key="open_budget", disabled=busy):
        shap_budget.budget_form(run, method)


def _measure(method: str) -> str:
    return method if method in {"gradients", "integrated_gradients", "ablation"} else "shap"
