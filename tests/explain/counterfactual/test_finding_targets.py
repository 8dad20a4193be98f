"""Every kind of target, a trained network, what is refused, and stopping."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError, JobCancelledError, SchemaError
from tabnet_engine.explain.counterfactual.constraints import Constraint
from tabnet_engine.explain.counterfactual.finding import find_counterfactuals
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import SearchSettings
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.wanted import wanted_class, wanted_other_class, wanted_range
from tabnet_engine.explain.subject import Steering

ANY_LIKENESS = SearchSettings(min_usual=0.0)


def test_several_classes_a_wanted_one_or_any_other(cells):
    classes = ("low", "middle", "high")
    targets = cells.codecs(Task.MULTICLASS, classes)

    def bands(raw):
        income = raw["income"].fillna(0).to_numpy()
        return -np.abs(income[:, None] - np.array([20_000, 45_050, 75_050])) / 1_000

    world = cells.World.of(bands, targets=targets)
    row = world.row(income=20_000.0)
    high = world.ask(row, wanted=wanted_class(targets, "high")).counterfactuals[0]
    assert high.changes[0].after == 60_100
    other = world.ask(row, wanted=wanted_other_class(targets, world.scorer.logits(row)[0]))
    assert other.wanted.words == "granted other than low"
    assert other.counterfactuals[0].changes[0].after == 32_600


def test_a_number_in_a_wanted_range(cells):
    targets = TargetCodecs((TargetCodec(name="price", task=Task.REGRESSION),))
    world = cells.World.of(lambda raw: raw["income"].fillna(0) / 1_000, targets=targets)
    result = world.ask(world.row(), wanted=wanted_range(targets, low=50.04, high=51))
    assert result.counterfactuals[0].changes[0].after == 50_100
    assert "price from 50.04 to 51" in result.sentences[0]
    below = world.ask(world.row(), wanted=wanted_range(targets, high=20))
    assert below.counterfactuals[0].changes[0].after == 20_000


def test_one_of_several_targets_is_looked_at(cells):
    price = TargetCodec(name="price", task=Task.REGRESSION)
    granted = TargetCodec(name="granted", task=Task.BINARY, classes=("no", "yes"))
    targets = TargetCodecs((price, granted))

    def both(raw):
        return np.stack([raw["age"].fillna(0), (raw["income"].fillna(0) - 41_250) / 1e4], axis=1)

    world = cells.World.of(both, targets=targets)
    found = world.ask(world.row(), wanted=wanted_class(targets, "yes", target="granted")).counterfactuals[0]
    assert found.changes[0].after == 41_300
    age = world.ask(world.row(), wanted=wanted_range(targets, low=60, target="price")).counterfactuals[0]
    assert [(change.column, change.after) for change in age.changes] == [("age", 60)]
    with pytest.raises(ExplanationError, match="choose one of price, granted"):
        wanted_class(targets, "yes")


def test_another_cutoff_moves_the_boundary(by_income):
    strict = wanted_class(by_income.scorer.targets, "yes", cutoff=0.8)
    change = by_income.ask(by_income.row(), wanted=strict).counterfactuals[0].changes[0]
    assert change.after == 55_200  # 41,250 + 10,000 ln 4, the next hundred above


def test_a_trained_network_with_missing_cells(trained):
    run, frame = trained
    scorer = RowScorer.of_run(run)
    reference = Reference.build(scorer, frame.iloc[run.splits.train])
    logits = scorer.logits(frame)
    n_found = 0
    for place in range(12):
        row = frame.iloc[[place]]
        wanted = wanted_other_class(run.targets, logits[place])
        result = find_counterfactuals(scorer, reference, row, wanted, settings=ANY_LIKENESS, row_number=place)
        result.verify(scorer, row)
        assert result.run_id == run.run_id
        n_found += len(result.counterfactuals)
    assert n_found >= 12


def test_requests_that_cannot_be_met_are_refused(by_income):
    with pytest.raises(ExplanationError, match=r"row 3 is given yes \(.*\) already; ask for another outcome"):
        by_income.ask(by_income.row(income=70_000.0), row_number=3)
    with pytest.raises(ExplanationError, match="one row is explained at a time, got 2"):
        by_income.ask(pd.concat([by_income.row()] * 2))
    with pytest.raises(SchemaError, match="age"):
        by_income.ask(by_income.row().drop(columns="age"))
    with pytest.raises(SchemaError, match="there is no column 'colour'"):
        by_income.ask(by_income.row(), [Constraint(column="colour", fixed=True)])
    with pytest.raises(ExplanationError, match="there is no training row"):
        Reference.build(by_income.scorer, by_income.frame.iloc[:0])


@pytest.mark.parametrize(
    ("values", "text"),
    [({"n": 0}, "at least one"), ({"max_changes": 0}, "at least one change"), ({"min_usual": 1.0}, "min_usual")],
)
def test_impossible_settings_are_refused(values, text):
    with pytest.raises(ExplanationError, match=text):
        SearchSettings(**values)


def test_the_search_stops_when_asked_to(additive):
    asked = []

    def cancel():
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(JobCancelledError):
        additive.ask(additive.row(income=20_000.0), steering=Steering(should_cancel=cancel))


def test_a_table_of_one_training_row_or_one_column(cells, by_income):
    alone = Reference.build(by_income.scorer, by_income.frame.iloc[:1].assign(income=50_000.0))
    wanted = wanted_class(by_income.scorer.targets, "yes")
    result = find_counterfactuals(by_income.scorer, alone, by_income.row(), wanted)
    assert result.counterfactuals[0].changes[0].after == 50_000  # the only income that training holds
    assert result.counterfactuals[0].likeness.share.value is None


def test_rows_that_stand_for_training_rows_are_called_what_they_are(by_income, monkeypatch):
    monkeypatch.setattr("tabnet_engine.explain.counterfactual.reference.MAX_REFERENCE_ROWS", 50)
    stand_in = Reference.build(by_income.scorer, by_income.frame, name="rows of the explained table")
    assert stand_in.note == "50 of 200 rows of the explained table, drawn at random"
    wanted = wanted_class(by_income.scorer.targets, "yes")
    result = find_counterfactuals(by_income.scorer, stand_in, by_income.row(), wanted)
    assert "50 of 200 rows of the explained table" in result.note
