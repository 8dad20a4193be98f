import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config import PretrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.errors import ConfigError, JobCancelledError, SchemaError
from tabnet_engine.training.pretrain import pretrain_model
from tabnet_engine.training.pretraining_worth import (
    PretrainingWorth,
    WorthRecord,
    labelled_sample,
    pretraining_worth,
)

RECORDS = tuple(
    WorthRecord(budget=budget, seed=seed, with_pretraining=high, without=low)
    for budget, seed, high, low in [(50, 0, 0.8, 0.7), (50, 1, 0.9, 0.7), (50, 2, 0.7, 0.7), (20, 0, 0.6, 0.5)]
)
WORTH = PretrainingWorth(
    target="bought",
    metric="auc",
    greater_is_better=True,
    n_test=100,
    test_rows_unseen=True,
    records=RECORDS,
    notes=("a sentence",),
)


def table(n_rows=600, seed=0):
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n_rows)
    frame = pd.DataFrame({"size": size, "weight": size + generator.normal(scale=0.3, size=n_rows)})
    frame["bought"] = np.where(size + generator.normal(scale=0.5, size=n_rows) > 0, "yes", "no")
    frame["price"] = 100 * size
    return frame


def columns(target=None):
    kinds = {"size": Kind.NUMBER, "weight": Kind.NUMBER, "bought": Kind.BOOLEAN, "price": Kind.NUMBER}
    roles = {"bought": Role.IGNORED, "price": Role.IGNORED, target: Role.TARGET}
    return tuple(Column(name=name, kind=kind, role=roles.get(name, Role.FEATURE)) for name, kind in kinds.items())


BINARY = FeatureSchema(columns=columns("bought"), task=Task.BINARY, classes=("no", "yes"))
REGRESSION = FeatureSchema(columns=columns("price"), task=Task.REGRESSION)


@pytest.fixture(scope="module")
def pretrained():
    from tabnet_engine.config import ModelConfig

    shape = ModelConfig(n_d=4, n_a=4, n_steps=2, n_shared=1, n_independent=1, n_bins=4, d_numeric=2, momentum=0.1)
    config = PretrainingConfig(max_epochs=2, batch_size=64, validation_fraction=0.2, device="cpu")
    return pretrain_model(table(), FeatureSchema(columns=columns()), shape, config)


def test_the_summary_is_that_of_the_pairs():
    few, many = WORTH.summary()
    assert (few.budget, few.n_seeds, few.with_deviation, few.difference_low) == (20, 1, None, None)
    assert (many.budget, many.n_seeds) == (50, 3)
    assert many.with_mean == pytest.approx(0.8)
    assert many.without_deviation == pytest.approx(0.0, abs=1e-12)
    assert many.difference == pytest.approx(0.1)
    # Student's t for two degrees of freedom.
    reach = 4.303 * 0.1 / math.sqrt(3)
    assert (many.difference_low, many.difference_high) == pytest.approx((0.1 - reach, 0.1 + reach))
    assert (WORTH.budgets, WORTH.seeds) == ((20, 50), (0, 1, 2))


def test_the_interval_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        records = tuple(
            WorthRecord(budget=10, seed=seed, with_pretraining=0.5 + noise, without=0.5)
            for seed, noise in enumerate(generator.normal(0.02, 0.05, 5))
        )
        (summary,) = dataclasses.replace(WORTH, records=records).summary()
        hits += summary.difference_low <= 0.02 <= summary.difference_high
    assert hits / 400 == pytest.approx(0.95, abs=0.03)


def test_with_many_seeds_the_interval_is_still_students():
    records = [WorthRecord(budget=50, seed=s, with_pretraining=0.7 + s % 2 / 10, without=0.7) for s in range(26)]
    (summary,) = dataclasses.replace(WORTH, records=tuple(records)).summary()
    reach = (summary.difference_high - summary.difference_low) / 2
    assert reach * math.sqrt(26) / summary.difference_deviation == pytest.approx(2.0595, abs=1e-3)


def test_it_survives_json():
    assert PretrainingWorth.from_mapping(json.loads(json.dumps(WORTH.to_mapping(), allow_nan=False))) == WORTH


@pytest.mark.parametrize("change", [{"records": [{}]}, {"records": 1}, {"n_test": "many"}, {"notes": None}])
def test_a_damaged_mapping_is_refused(change):
    with pytest.raises(ValueError, match="cannot be read"):
        PretrainingWorth.from_mapping({**WORTH.to_mapping(), **change})
    infinite = {**RECORDS[0].__dict__, "without": float("inf")}
    with pytest.raises(ValueError, match="must be finite"):
        PretrainingWorth.from_mapping({**WORTH.to_mapping(), "records": [infinite]})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(0, 1000), st.data())
def test_a_sample_keeps_the_shares_of_the_classes(counts, seed, data):
    y = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    budget = data.draw(st.integers(len(counts), len(y)))
    rows = labelled_sample(y, Task.MULTICLASS, budget, seed)
    assert len(rows) == len(set(rows.tolist())) == budget
    drawn = np.bincount(y[rows], minlength=len(counts))
    assert drawn.min() >= 1
    assert np.abs(drawn - budget * np.array(counts) / len(y)).max() <= len(counts)


def test_a_smaller_budget_is_part_of_a_larger_one():
    y = np.random.default_rng(0).integers(0, 3, 200)
    for task in (Task.MULTICLASS, Task.REGRESSION):
        small, large = (set(labelled_sample(y, task, budget, 5).tolist()) for budget in (30, 90))
        assert small < large
        assert set(labelled_sample(y, task, 30, 6).tolist()) != small


@pytest.fixture
def trainings(monkeypatch):
    """Every training that was asked for, none of them done."""
    from tabnet_engine.training import experiment

    calls = []

    def remember(frame, schema, model_config, training_config, **others):
        calls.append({"frame": frame, "config": training_config, **others})
        scores = {"auc": 0.5 + 0.1 * len(calls), "rmse": 3.0}
        return type("Model", (), {"metrics": {"test": scores}})()

    monkeypatch.setattr(experiment, "train_model", remember)
    return calls


def test_a_pair_differs_in_its_first_weights_alone(pretrained, brief, trainings):
    frozen = brief.replace(freeze_epochs=1)
    pretraining_worth(table(), BINARY, pretrained, frozen, budgets=[40, 80], seeds=[0, 1])
    assert len(trainings) == 8
    for first, second in zip(trainings[::2], trainings[1::2], strict=True):
        pd.testing.assert_frame_equal(first["frame"], second["frame"])
        pd.testing.assert_frame_equal(first["test_frame"], second["test_frame"])
        assert first["config"].freeze_epochs == 1
        assert second["config"] == first["config"].replace(freeze_epochs=0)
        assert first["pretrained"] is pretrained
        assert second["pretrained"].encoder == pretrained.encoder
        assert second["pretrained"].model_config == pretrained.model_config
        fresh, old = (p.network.encoder.attention.weight for p in (second["pretrained"], pretrained))
        assert fresh.shape == old.shape
        assert (fresh != old).all()
    assert [call["config"].seed for call in trainings] == [0, 0, 1, 1, 0, 0, 1, 1]
    assert [len(call["frame"]) for call in trainings] == [40] * 4 + [80] * 4


def test_no_test_row_is_learned_from(pretrained, brief, trainings):
    worth = pretraining_worth(table(), BINARY, pretrained, brief, budgets=[300], seeds=[0])
    (first, _) = trainings
    assert sorted(first["test_frame"].index) == pretrained.splits.validation.tolist()
    assert not set(first["frame"].index) & set(first["test_frame"].index)
    assert worth.test_rows_unseen
    assert worth.n_test == len(pretrained.splits.validation) == 120


def test_another_table_gives_up_a_fifth_of_its_rows(pretrained, brief, trainings):
    worth = pretraining_worth(table(400, 1), BINARY, pretrained, brief, budgets=[50], seeds=[0])
    assert (worth.n_test, worth.test_rows_unseen) == (80, False)
    assert not set(trainings[0]["frame"].index) & set(trainings[0]["test_frame"].index)


def test_the_same_rows_in_another_order_are_not_taken_for_unseen_ones(pretrained, brief, trainings):
    shuffled = table().sample(frac=1, random_state=5).reset_index(drop=True)
    worth = pretraining_worth(shuffled, BINARY, pretrained, brief, budgets=[50], seeds=[0])
    assert (worth.n_test, worth.test_rows_unseen) == (120, False)


def test_rows_without_a_label_are_left_out(pretrained, brief, trainings):
    frame = table()
    frame.loc[:399, "bought"] = None
    worth = pretraining_worth(frame, BINARY, pretrained, brief, budgets=[50], seeds=[0])
    assert trainings[0]["frame"]["bought"].notna().all()
    assert trainings[0]["test_frame"]["bought"].notna().all()
    assert worth.notes == ("400 of 600 rows (66.7 %) have no 'bought' and were left out",)


def test_settings_may_follow_the_budget(pretrained, brief, trainings):
    pretraining_worth(
        table(), BINARY, pretrained, lambda budget: brief.replace(batch_size=budget), budgets=[40, 20], seeds=[3]
    )
    assert [call["config"].batch_size for call in trainings] == [20, 20, 40, 40]


def test_a_small_target_of_numbers_is_measured_end_to_end(pretrained, brief):
    told = []
    worth = pretraining_worth(
        table(),
        REGRESSION,
        pretrained,
        brief,
        budgets=[40],
        seeds=[0, 1],
        progress=lambda done, total: told.append((done, total)),
    )
    assert (worth.target, worth.metric, worth.greater_is_better) == ("price", "rmse", False)
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(record.with_pretraining != record.without for record in worth.records)
    assert PretrainingWorth.from_mapping(worth.to_mapping()) == worth


@pytest.mark.parametrize(
    ("budgets", "seeds", "message"),
    [
        ([481], [0], "481 labelled rows is more than the table has beside its test rows; choose at most 480"),
        ([9], [0], "at least 10 labelled rows, got 9"),
        ([], [0], "at least one budget"),
        ([50], [], "one seed"),
    ],
)
def test_budgets_that_cannot_be_met_are_refused_before_training(pretrained, brief, trainings, budgets, seeds, message):
    with pytest.raises(ConfigError, match=message):
        pretraining_worth(table(), BINARY, pretrained, brief, budgets=budgets, seeds=seeds)
    assert not trainings


def test_one_target_is_needed(pretrained, brief):
    heads = (Target(name="bought", task=Task.BINARY, classes=("no", "yes")), Target(name="price", task=Task.REGRESSION))
    several = FeatureSchema(
        columns=tuple(
            dataclasses.replace(column, role=Role.TARGET) if column.name in {"bought", "price"} else column
            for column in columns()
        ),
        task=Task.MULTITASK,
        heads=heads,
    )
    for schema, names in ((several, "bought, price"), (FeatureSchema(columns=columns()), "none")):
        with pytest.raises(SchemaError, match=f"measured on one target; chosen are: {names}"):
            pretraining_worth(table(), schema, pretrained, brief, budgets=[50], seeds=[0])


def test_it_can_be_cancelled(pretrained, brief):
    with pytest.raises(JobCancelledError):
        pretraining_worth(table(), BINARY, pretrained, brief, budgets=[50], seeds=[0], should_cancel=lambda: True)
