"""One row by every method, and how firm its leading reasons are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import decision_reasons, explain_access, explain_widgets, kept, measures, widgets
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain import store
from tabnet_engine.explain.row_methods import RowMethods, compare_methods, method_sentences
from tabnet_engine.explain.signed.methods import METHODS
from tabnet_engine.figures.row_methods import method_map
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    import pandas as pd

    from pages._ui.explain_access import ShownRow
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_QUICK = ("gradients", "integrated_gradients", "ablation")
_PACKAGE = ("shap_permutation", "shap_kernel")


def section(run: Run, shown: ShownRow, output: int) -> None:
    """The row by every method, in a picture, words and tables; then the robustness of its leading reasons."""
    st.subheader(say("The same row by every method"), anchor=False, help=measures.help_text("spearman"))
    if shown.attribution is None:
        none = say("This run has no SHAP values and no background to compute them against")
        widgets.info(shown.why_not or none)
        return
    package = kept.toggle(
        "package",
        say("Also by the shap package"),
        help_text=say("Shapley values by the PermutationExplainer and KernelExplainer of the shap package; a moment."),
    )
    methods = _every_method(run, shown, output, _QUICK + (_PACKAGE if package else ()))
    sentences = method_sentences(methods)
    left, right = st.columns([3, 2])
    with left:
        widgets.chart(method_map(methods), key="methods", alt=" ".join(sentences), data=methods.table)
    with right:
        explain_widgets.bullets(sentences)
        _sources(methods)
    _pairs(methods)
    decision_reasons.section(run, shown, output)


def _every_method(run: Run, shown: ShownRow, output: int, names: tuple[str, ...]) -> RowMethods:
    """The masks, the values that the page shows, and the other methods: stored where they are, else computed now."""
    main = shown.attribution
    if main is None:
        raise ExplanationError(shown.why_not)
    found, stored = [main], {main.method: _has_row(run, main.method, shown.row)}
    for name in dict.fromkeys((*store.stored_methods(run), *names)):
        if name == main.method:
            continue
        values = _stored_values(run, name, shown.row)
        stored[name] = values is not None
        values = _computed_values(run, name, shown.row) if values is None else values
        if values is not None and values.features == main.features:
            found.append(values)
    return compare_methods(shown.masks, found, shown.row, output=output, stored=stored)


def _has_row(run: Run, method: str, row: int) -> bool:
    values = explain_access.attribution(run)
    return values is not None and values.method == method and row in values.rows


def _stored_values(run: Run, name: str, row: int) -> Attribution | None:
    part = store.attribution_part(run, name)
    if part is None:
        return None
    return _stored_row(f"{run.run_id}:{run.manifest.parts[f'{part}.parquet']}", name, row, run)


@st.cache_resource(show_spinner=False, max_entries=256)
def _stored_row(digest: str, name: str, row: int, _run: Run) -> Attribution | None:  # noqa: ARG001 - the cache's key
    try:
        return store.load_attribution(_run, [row], method=name)
    except ExplanationError:  # this row was not among those whose values were stored
        return None


def _computed_values(run: Run, name: str, row: int) -> Attribution | None:
    """The row by one method, computed now; None where the method cannot explain it."""
    if explain_access.explainer(run) is None:
        return None
    digest = f"{run.run_id}:{run.manifest.parts[f'{store.BACKGROUND}.parquet']}"
    with st.spinner(say("Explaining the row by {method}", method=say(METHODS[name].title))):
        return _computed_row(digest, name, row, run)


@st.cache_resource(show_spinner=False, max_entries=256)
def _computed_row(digest: str, name: str, row: int, _run: Run) -> Attribution | None:  # noqa: ARG001 - as above
    loaded, table = explain_access.explainer(_run), explain_access.frame(_run)
    if loaded is None or table is None:
        return None
    with speaking(ENGLISH):
        try:
            return loaded.by_method(table.iloc[[row]], name, row=row)
        except ExplanationError:
            return None


def _sources(methods: RowMethods) -> None:
    """How each method's values were made, and what it is not."""
    with st.expander(say("What each method is"), icon=":material/info:"):
        for reading in methods.readings:
            facts = METHODS.get(reading.method)
            made = say("stored with the run") if reading.is_stored else say("computed now for this row")
            st.markdown(f"**{widgets.md(reading.name)}** · {widgets.md(made)}")
            if facts is None:
                st.caption(measures.help_text("aggregate_mask"))
            else:
                st.caption(widgets.md(f"{say(facts.what)} {say(facts.what_not)}"))


def _pairs(methods: RowMethods) -> None:
    """How alike the methods' orders of the columns are, two by two, and the ranks themselves."""
    left, right = st.columns(2)
    with left, st.expander(say("Ranks by every method"), icon=":material/format_list_numbered:"):
        ranks = methods.rank_table()
        config = {"column": st.column_config.TextColumn(say("column"))}
        st.dataframe(ranks, hide_index=True, column_config=config, key="method_ranks")
    with right, st.expander(say("Agreement, two by two"), icon=":material/compare_arrows:"):
        st.dataframe(
            _rounded(methods.pairs()), hide_index=True, column_config=_pair_columns(methods), key="pairs_table"
        )


def _rounded(pairs: pd.DataFrame) -> object:
    numbers = ["spearman", "overlap", "rank_biased"]
    return pairs.style.format("{:.2f}", subset=numbers, na_rep=say("undefined"))


def _pair_columns(methods: RowMethods) -> dict[str, object]:
    overlap = say("The leading {n} columns that both name, as a share of those that either names.", n=methods.top_k)
    biased = say("Rank-biased overlap: 1 for the same order, 0 for none in common; the first places count most.")
    return {
        "first": st.column_config.TextColumn(say("method")),
        "second": st.column_config.TextColumn(say("other method")),
        "spearman": st.column_config.NumberColumn(say("Spearman"), help=measures.help_text("spearman")),
        "overlap": st.column_config.NumberColumn(say("overlap"), help=overlap),
        "rank_biased": st.column_config.NumberColumn(say("rank-biased overlap"), help=biased),
    }
