"""What the questions about one row need beside the row: the network, the training rows' values, their distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access
from tabnet_engine.texts.speaking import ENGLISH, msg, say, speaking

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.counterfactual.neighbours import Candidates
    from tabnet_engine.explain.counterfactual.reference import Reference
    from tabnet_engine.explain.counterfactual.scoring import RowScorer
    from tabnet_engine.explain.training_values import TrainingValues
    from tabnet_engine.explain.what_if import WhatIf
    from tabnet_engine.runs.run import Run

__all__ = ["LOADING", "candidates", "columns", "loading", "one_line", "reference", "scorer", "what_if"]

LOADING = msg("Loading the model and the values of the training rows")


def one_line(run: Run, row: int) -> pd.DataFrame:
    """The raw cells of one row.

    Raises:
        LookupError: the table is gone; pages look for it first.
    """
    table = explain_access.frame(run)
    if table is None:
        raise LookupError(f"the table of run {run.run_id} is gone")
    return table.iloc[[row]]


def scorer(run: Run) -> RowScorer:
    """The loaded network with its encoder."""
    return _scorer(run.run_id, run)


@st.cache_resource(show_spinner=False, max_entries=4)
def _scorer(run_id: str, _run: Run) -> RowScorer:  # noqa: ARG001 - the id is the cache's key
    import torch

    from tabnet_engine.explain.counterfactual.scoring import RowScorer

    torch.set_num_threads(1)  # a row is little work, and visitors and trainings share the cores
    return RowScorer.of_run(_run)


def reference(run: Run) -> Reference:
    """How far apart rows are, and which rows are usual; of a large table measured on a sample that it names."""
    return _measured(run.run_id, run)[0]


def columns(run: Run) -> tuple[TrainingValues, ...]:
    """What all training rows show of each column that the model reads."""
    return _measured(run.run_id, run)[1]


@st.cache_resource(show_spinner=False, max_entries=4)
def _measured(run_id: str, _run: Run) -> tuple[Reference, tuple[TrainingValues, ...]]:
    from tabnet_engine.explain.counterfactual.reference import Reference
    from tabnet_engine.explain.training_values import training_values

    table = explain_access.frame(_run)
    if table is None:
        raise LookupError(f"the table of run {run_id} is gone")
    with speaking(ENGLISH):
        found = Reference.of_training_rows(scorer(_run), table, _run.splits.train)
        return found, training_values(_run.encoder.schema, table.iloc[_run.splits.train], found.observed)


def candidates(run: Run) -> Candidates:
    """The rows among which similar ones are looked for; of a large table a sample that it names."""
    return _candidates(run.run_id, run)


@st.cache_resource(show_spinner=False, max_entries=2)
def _candidates(run_id: str, _run: Run) -> Candidates:
    from tabnet_engine.explain.counterfactual.neighbours import Candidates

    table = explain_access.frame(_run)
    if table is None:
        raise LookupError(f"the table of run {run_id} is gone")
    return Candidates.drawn(scorer(_run), reference(_run), table)


def what_if(run: Run, row: int) -> WhatIf:
    """One row, ready to be asked about with other values."""
    return _what_if(run.run_id, row, run)


@st.cache_resource(show_spinner=False, max_entries=256)
def _what_if(run_id: str, row: int, _run: Run) -> WhatIf:  # noqa: ARG001 - as above
    from tabnet_engine.explain.what_if import WhatIf

    model = scorer(_run).model
    return WhatIf.of(model, _run.encoder, one_line(_run, row), row)  # type: ignore[arg-type]


def loading() -> str:
    """What a spinner says while the above is made for the first time."""
    return say(LOADING)
