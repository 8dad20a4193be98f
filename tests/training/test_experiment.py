import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ConfigError, JobCancelledError, SchemaError
from tabnet_engine.training.callbacks import Cancellation
from tabnet_engine.training.experiment import build_network, train_model
from tabnet_engine.training.metrics import METRICS, evaluate
from tabnet_engine.training.prediction import predict_frame, predict_logits


@pytest.mark.parametrize("task", list(Task))
def test_a_table_becomes_a_scored_model(make_table, tiny_model, brief, task):
    frame, schema = make_table(task)
    model = train_model(frame, schema, tiny_model, brief)
    assert set(model.metrics) == {"validation", "test"}
    assert all(set(scores) == set(METRICS[task]) for scores in model.metrics.values())
    assert (model.model_config, model.training_config) == (tiny_model, brief)
    assert model.notes == ()
    assert model.seconds > 0
    rows = np.concatenate([model.splits.train, model.splits.validation, model.splits.test])
    assert sorted(rows.tolist()) == list(range(len(frame)))


def test_the_test_scores_belong_to_the_test_rows(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    model = train_model(frame, schema, tiny_model, brief)
    part = frame.iloc[model.splits.test]
    logits = predict_logits(model.network, model.encoder.transform(part))
    expected = evaluate(Task.BINARY, model.codec.encode(part), logits, model.codec.classes)
    assert model.metrics["test"] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_model(make_table, tiny_model, brief):
    frame, schema = make_table(Task.MULTICLASS)
    one, two = (train_model(frame, schema, tiny_model, brief) for _ in range(2))
    other = train_model(frame, schema, tiny_model, brief.replace(seed=1))
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(tensor, two.network.state_dict()[name])
    assert one.metrics == two.metrics
    assert [r.train_loss for r in one.history] == [r.train_loss for r in two.history]
    assert [r.train_loss for r in one.history] != [r.train_loss for r in other.history]
    assert one.splits.test.tolist() != other.splits.test.tolist()


def test_the_global_random_state_is_untouched(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    before = torch.get_rng_state()
    train_model(frame, schema, tiny_model, brief)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_first_weights_follow_the_seed(make_table, tiny_model, brief):
    frame, schema = make_table(Task.REGRESSION)
    model = train_model(frame, schema, tiny_model, brief)
    one, same, other = (
        build_network(model.encoder, model.codec, tiny_model, brief.replace(seed=seed)) for seed in (5, 5, 6)
    )
    assert torch.equal(one.head, same.head)
    assert not torch.equal(one.head, other.head)
    assert one.output_offset.item() == pytest.approx(model.codec.mean)
    assert one.output_scale.item() == pytest.approx(model.codec.scale)


def test_the_scale_of_a_regression_comes_from_the_training_rows(make_table, tiny_model, brief):
    frame, schema = make_table(Task.REGRESSION)
    model = train_model(frame, schema, tiny_model, brief)
    assert model.codec.mean == pytest.approx(frame["target"].iloc[model.splits.train].mean(), rel=1e-12)


def test_nothing_is_learned_from_validation_and_test_rows(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    plain = train_model(frame, schema, tiny_model, brief)
    changed = frame.copy()
    held_out = np.concatenate([plain.splits.validation, plain.splits.test])
    changed.loc[held_out, "size"] = 1e6
    changed.loc[held_out, "colour"] = "violet"
    again = train_model(changed, schema, tiny_model, brief)
    assert again.encoder == plain.encoder
    assert [r.train_loss for r in again.history] == [r.train_loss for r in plain.history]


def test_rows_without_a_target_are_left_out_and_named(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    frame.loc[[3, 4], "target"] = None
    model = train_model(frame, schema, tiny_model, brief)
    rows = np.concatenate([model.splits.train, model.splits.validation, model.splits.test])
    assert sorted(rows.tolist()) == [row for row in range(len(frame)) if row not in {3, 4}]
    assert model.notes == ("2 of 120 rows (1.7%) have no 'target' and were left out",)


def test_no_test_rows_give_no_test_scores(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    model = train_model(frame, schema, tiny_model, brief.replace(test_fraction=0.0))
    assert set(model.metrics) == {"validation"}
    assert len(model.splits.test) == 0


def test_a_test_table_replaces_the_test_split(make_table, tiny_model, brief):
    frame, schema = make_table(Task.REGRESSION)
    test_frame, _ = make_table(Task.REGRESSION, n_rows=40, seed=1)
    model = train_model(frame, schema, tiny_model, brief, test_frame=test_frame)
    assert len(model.splits.test) == 0
    assert len(model.splits.train) + len(model.splits.validation) == len(frame)
    expected = evaluate(Task.REGRESSION, test_frame["target"], predict_frame(model, test_frame).to_numpy(), ())
    assert model.metrics["test"] == pytest.approx(expected, rel=1e-5)


def test_final_dots_in_the_test_table_s_labels_are_read_and_noted(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    clean, _ = make_table(Task.BINARY, n_rows=40, seed=1)
    dotted = clean.assign(target=clean["target"] + ".")
    dotted.loc[0, "target"] = None
    expected = train_model(frame, schema, tiny_model, brief, test_frame=clean.iloc[1:])
    model = train_model(frame, schema, tiny_model, brief, test_frame=dotted)
    assert model.metrics["test"] == expected.metrics["test"]
    assert len(model.notes) == 2
    assert model.notes[0].startswith("test table: 1 of 40 rows")
    assert model.notes[1].startswith("test table: ")
    assert "final dot" in model.notes[1]
    assert dotted["target"].str.endswith(".").sum() == 39


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="target"), "test table: .*'target'"),
        (lambda frame: frame.drop(columns="size"), "test table: .*'size'"),
        (lambda frame: frame.assign(target="perhaps"), "test table: .*perhaps"),
        (lambda frame: frame.assign(target=None), "test table: .*missing in every row"),
    ],
)
def test_a_test_table_that_does_not_fit_is_refused_before_training(make_table, tiny_model, brief, change, message):
    frame, schema = make_table(Task.BINARY)
    test_frame, _ = make_table(Task.BINARY, n_rows=40, seed=1)
    trained = Cancellation(lambda: True)
    with pytest.raises(SchemaError, match=message):
        train_model(frame, schema, tiny_model, brief, test_frame=change(test_frame), callbacks=[trained])


def test_a_rare_class_without_validation_rows_is_no_obstacle(make_table, tiny_model, brief):
    frame, schema = make_table(Task.MULTICLASS)
    frame.loc[frame["target"] == "top", "target"] = "middle"
    frame.loc[7, "target"] = "top"
    model = train_model(frame, schema, tiny_model, brief)
    assert 7 in model.splits.train
    assert model.metrics["test"]["auc"] is not None
    assert "probability_top" in predict_frame(model, frame)


def test_a_monitor_of_another_task_is_refused_before_training(make_table, tiny_model, brief):
    frame, schema = make_table(Task.REGRESSION)
    with pytest.raises(ConfigError, match="monitor must be one of"):
        train_model(frame, schema, tiny_model, brief.replace(monitor="auc"), callbacks=[Cancellation(lambda: True)])


def test_settings_beyond_the_memory_are_refused_before_training(make_table, brief):
    frame, schema = make_table(Task.BINARY)
    absurd = ModelConfig(n_d=1024, n_a=1024, n_steps=1024)
    with pytest.raises(ConfigError, match="GB are free; lower n_d"):
        train_model(frame, schema, absurd, brief, callbacks=[Cancellation(lambda: True)])


def test_callbacks_are_heard(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    with pytest.raises(JobCancelledError, match="epoch 1 of 2"):
        train_model(frame, schema, tiny_model, brief, callbacks=[Cancellation(lambda: True)])


def test_a_table_without_a_chosen_task_is_refused(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    with pytest.raises(SchemaError, match="no task"):
        train_model(frame, dataclasses.replace(schema, task=None), tiny_model, brief)


def test_truth_values_are_a_target_too(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    frame["target"] = frame["target"] == "yes"
    truth = dataclasses.replace(schema, classes=("False", "True"))
    table = predict_frame(train_model(frame, truth, tiny_model, brief), frame)
    assert set(table["prediction"]) <= {"False", "True"}
    assert isinstance(table, pd.DataFrame)
