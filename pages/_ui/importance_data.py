"""What the importance page reads of a run: importances of one output by every method, and the rows behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, explain_widgets, shap_source
from tabnet_engine.explain import store
from tabnet_engine.explain.by_output import one_output
from tabnet_engine.explain.effects.stored import has_permutation, load_permutation
from tabnet_engine.explain.importance import GlobalImportance, from_attribution
from tabnet_engine.explain.importance_comparison import ImportanceComparison, compare_importances
from tabnet_engine.texts.speaking import ENGLISH, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.explain.effects.permutation_result import PermutationImportance
    from tabnet_engine.runs.run import Run

__all__ = ["comparison", "digest", "permutation", "ranked_columns", "row_methods", "values_of"]


def digest(run: Run) -> str:
    """The version of what the run stores: every part has its hash in the manifest."""
    parts = run.manifest.parts
    return f"{run.run_id}:{hash(tuple(sorted((name, str(part)) for name, part in parts.items())))}"


def comparison(run: Run, output: int) -> ImportanceComparison:
    """Every method's importance for one output, the masks first; texts in English."""
    return _comparison(digest(run), output, run)


@st.cache_resource(show_spinner=False, max_entries=16)
def _comparison(version: str, output: int, _run: Run) -> ImportanceComparison:  # noqa: ARG001 - the cache's key
    with speaking(ENGLISH):
        there = {"masks", "permutation", *store.stored_methods(_run)}
        found = [_of_output(_run, item, output) for item in explain_access.importances(_run).values()
                 if item.method in there]  # fmt: skip
        return compare_importances(found)


def _of_output(run: Run, found: GlobalImportance, output: int) -> GlobalImportance:
    """One output's importance; masks are of all outputs, permutation is of a whole target."""
    if len(run.targets.outputs) == 1 or found.method == "masks":
        return found
    if found.method == "permutation":
        measured = permutation(run)
        target = explain_widgets.target_of(run, output)[0].name
        return found if measured is None else measured.importance(target)
    return from_attribution(one_output(shap_source.stored_values(run, found.method), output))


def permutation(run: Run) -> PermutationImportance | None:
    """The permutation importance with its parts; None when it was not measured."""
    return _permutation(digest(run), run) if has_permutation(run) else None


@st.cache_resource(show_spinner=False, max_entries=8)
def _permutation(version: str, _run: Run) -> PermutationImportance:  # noqa: ARG001 - as above
    return load_permutation(_run)


def row_methods(run: Run) -> tuple[str, ...]:
    """Methods that know each row, so that a part of the rows has its own importance; the signed ones first."""
    stored = tuple(method for method in explain_access.importances(run) if method in store.stored_methods(run))
    return (*stored, "masks") if store.has_explanations(run, store.MASKS) else stored


def values_of(run: Run, method: str, output: int) -> Attribution:
    """The stored signed values of one output."""
    return one_output(shap_source.stored_values(run, method), output)


def ranked_columns(run: Run, output: int) -> tuple[str, ...]:
    """The columns in the order of their mean rank over all methods."""
    compared = comparison(run, output)
    return tuple(compared.features[place] for place in compared.order("mean"))
