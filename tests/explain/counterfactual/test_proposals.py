"""Proposals side by side, a search whose time is over, bounds as they are typed, and large tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual import neighbours, reference
from tabnet_engine.explain.counterfactual.constraints import Constraint, typed_bound
from tabnet_engine.explain.counterfactual.neighbours import Candidates, nearest_rows
from tabnet_engine.explain.counterfactual.probe import Probe
from tabnet_engine.explain.counterfactual.proposals import (
    check_table,
    neighbour_cells,
    neighbour_table,
    proposal_table,
)
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.wanted import typed_range, wanted_class


@pytest.fixture(scope="module")
def found(additive):
    row = additive.row(income=20_000.0)
    return additive.ask(row, [Constraint(column="job", fixed=True)])


def test_each_proposal_is_a_column_of_cells(found):
    table = proposal_table(found)
    assert list(table.columns) == ["column", "now", *(f"proposal {n + 1}" for n in range(len(found.counterfactuals)))]
    for place, item in enumerate(found.counterfactuals):
        cells = dict(zip(table["column"], table[f"proposal {place + 1}"], strict=True))
        assert {name: text for name, text in cells.items() if text != "–"} == {
            change.column: change.after_text for change in item.changes
        }
    assert "job" not in set(table["column"])


def test_the_checks_are_those_of_the_proposals(found):
    table = check_table(found).set_index("check")
    first = found.counterfactuals[0]
    assert table.loc["the model, asked again", "proposal 1"] == found.wanted.outcome_words(first.logits)
    assert table.loc["columns changed", "proposal 1"] == str(len(first.changes))


def test_neighbours_are_drawn_with_what_differs(by_income):
    wanted = wanted_class(by_income.scorer.targets, "yes")
    near = nearest_rows(by_income.scorer, by_income.reference, by_income.row(), by_income.frame, wanted, n=3)
    assert neighbour_table(near)["row"].tolist() == [str(item.row) for item in near.rows]
    cells = neighbour_cells(near)
    for item in near.rows:
        marked = cells.loc[cells[f"row {item.row}"].str.startswith("◆"), "column"]
        assert set(marked) == {change.column for change in item.differences}


def test_a_search_that_runs_out_of_time_gives_what_it_has(additive, monkeypatch):
    row = additive.row(income=20_000.0)
    kept = Probe._keep

    def stop_after(probe: Probe, rows) -> None:
        kept(probe, rows)
        if len(probe.hits):
            probe.deadline = 0.0

    monkeypatch.setattr(Probe, "_keep", stop_after)
    found = additive.ask(row, settings=SearchSettings(n=6, min_usual=0.0, seconds=60))
    assert found.is_stopped
    assert found.counterfactuals
    for item in found.counterfactuals:
        assert additive.scorer.logits(item.apply(row))[0, 0] > 0
    assert "ended after 60 s" in found.note
    assert "before the time was over" in found.reason
    again = CounterfactualResult.from_mapping(json.loads(json.dumps(found.to_mapping())))
    assert again.note == found.note


def test_without_any_time_none_is_found_and_none_is_denied(additive):
    found = additive.ask(additive.row(income=20_000.0), settings=SearchSettings(seconds=1e-9))
    assert not found.counterfactuals
    assert "no proof that there is none" in found.reason
    with pytest.raises(ExplanationError, match="above 0 seconds"):
        SearchSettings(seconds=0)


def test_the_same_search_with_time_to_spare_is_the_same(additive):
    row = additive.row(income=20_000.0)
    free, limited = (additive.ask(row, settings=SearchSettings(min_usual=0.0, seconds=s)) for s in (None, 600))
    assert [item.changes for item in free.counterfactuals] == [item.changes for item in limited.counterfactuals]
    assert not limited.is_stopped


def test_bounds_are_read_as_they_are_typed(cells):
    columns = {column.name: column for column in cells.applicant_encoder(cells.applicants()).schema.features}
    assert typed_bound(columns["income"], " 12,500 ") == 12_500
    assert typed_bound(columns["income"], "  ") is None
    assert typed_bound(columns["joined"], "2021-02-03") == "2021-02-03"
    for name, text in (("income", "much"), ("income", "inf"), ("joined", "tomorrow")):
        with pytest.raises(ExplanationError, match=r"is no (number|date)"):
            typed_bound(columns[name], text)


def test_a_wanted_range_is_read_as_it_is_typed():
    targets = TargetCodecs((TargetCodec(name="price", task=Task.REGRESSION),))
    wanted = typed_range(targets, "10", "")
    assert wanted is not None
    assert (wanted.low, wanted.high) == (10.0, None)
    assert typed_range(targets, " ", "") is None
    with pytest.raises(ExplanationError, match="no number"):
        typed_range(targets, "ten", "")


def test_of_a_large_table_a_sample_is_measured_and_said(by_income, monkeypatch):
    monkeypatch.setattr(reference, "MAX_SCALE_ROWS", 50)
    monkeypatch.setattr(neighbours, "MAX_CANDIDATES", 40)
    rows = np.arange(150)
    sampled = Reference.of_training_rows(by_income.scorer, by_income.frame, rows)
    assert "50 of the 150 training rows" in sampled.scale_note
    assert sampled.note == "50 of 150 training rows, drawn at random"
    among = Candidates.drawn(by_income.scorer, sampled, by_income.frame)
    found = among.nearest(by_income.row(), wanted_class(by_income.scorer.targets, "yes"), n=2, row_number=-1)
    assert (found.n_compared, found.n_rows) == (40, 200)
    assert "drawn at random from 200 rows" in found.note
    for item in found.rows:
        cells = by_income.frame.iloc[item.row]
        for change in item.differences:
            if change.column == "income":
                assert change.after == cells["income"]
    few = Reference.of_training_rows(by_income.scorer, by_income.frame, rows[:40])
    assert few.scale_note == ""
    assert few.note == "all 40 training rows"
