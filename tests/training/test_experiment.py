import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.schema import SINGLE_TASKS, Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ConfigError, JobCancelledError, SchemaError
from tabnet_engine.training.callbacks import Cancellation
from tabnet_engine.training.experiment import build_network, train_model
from tabnet_engine.training.metrics import METRICS, evaluate
from tabnet_engine.training.prediction import predict_frame, predict_logits


@pytest.mark.parametrize("task", SINGLE_TASKS)
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
        build_network(model.encoder, model.targets, tiny_model, brief.replace(seed=seed)) for seed in (5, 5, 6)
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
    assert model.notes == ("2 of 120 rows (1.7 %) have no 'target' and were left out",)


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


SEVERAL = (
    Target(name="bought", task=Task.BINARY, classes=("no", "yes")),
    Target(name="grade", task=Task.MULTICLASS, classes=("high", "low", "middle")),
    Target(name="price", task=Task.REGRESSION),
)


@pytest.fixture
def several():
    """A table with a target of each kind, and its schema."""
    generator = np.random.default_rng(0)
    size, colour = generator.normal(size=150), generator.choice(["red", "green"], 150)
    frame = pd.DataFrame({"size": size, "colour": colour})
    frame["bought"] = np.where(size + (colour == "red") > 0, "yes", "no")
    frame["grade"] = np.array(["low", "middle", "high"])[np.digitize(size, [-0.5, 0.5])]
    frame["price"] = 1000.0 + 50.0 * size
    columns = [Column(name="size", kind=Kind.NUMBER), Column(name="colour", kind=Kind.CATEGORY)]
    kinds = {"bought": Kind.BOOLEAN, "grade": Kind.CATEGORY, "price": Kind.NUMBER}
    columns += [Column(name=name, kind=kind, role=Role.TARGET) for name, kind in kinds.items()]
    return frame, FeatureSchema(columns=tuple(columns), task=Task.MULTITASK, heads=SEVERAL)


def test_several_targets_are_learned_by_one_network(several, tiny_model, brief):
    frame, schema = several
    model = train_model(frame, schema, tiny_model, brief)
    assert model.targets.names == ("bought", "grade", "price")
    assert len(model.network.output_offset) == 5
    codec, place = model.targets.of("price")
    assert model.network.output_offset[place].tolist() == [codec.mean]
    assert model.network.output_scale.tolist() == [1, 1, 1, 1, codec.scale]
    assert {name.partition(": ")[0] for name in model.metrics["test"]} == {"bought", "grade", "price"}


def test_the_test_scores_of_several_targets_are_those_of_each(several, tiny_model, brief):
    frame, schema = several
    model = train_model(frame, schema, tiny_model, brief)
    part = frame.iloc[model.splits.test]
    logits = predict_logits(model.network, model.encoder.transform(part))
    for codec, place in zip(model.targets.codecs, model.targets.slices, strict=True):
        expected = evaluate(codec.task, codec.encode(part), logits[:, place], codec.classes)
        found = {name: model.metrics["test"][f"{codec.name}: {name}"] for name in expected}
        assert found == pytest.approx(expected)


def test_final_dots_are_read_in_each_of_several_targets(several, tiny_model, brief):
    frame, schema = several
    dotted = frame.assign(bought=frame["bought"] + ".", grade=frame["grade"] + ".")
    model = train_model(frame, schema, tiny_model, brief, test_frame=dotted)
    assert model.metrics["test"] == train_model(frame, schema, tiny_model, brief, test_frame=frame).metrics["test"]
    assert [note.count("'bought'") + 2 * note.count("'grade'") for note in model.notes] == [1, 2]


def test_the_codec_of_several_targets_is_refused(several, tiny_model, brief):
    model = train_model(*several, tiny_model, brief)
    with pytest.raises(ValueError, match="3 targets"):
        _ = model.codec


@pytest.mark.parametrize("many", [False, True])
def test_two_logits_give_each_of_two_classes_its_own(make_table, several, tiny_model, brief, many):
    frame, schema = several if many else make_table(Task.BINARY)
    model = train_model(frame, schema, tiny_model.replace(two_logits=True), brief)
    codec = model.targets.codecs[0]
    assert (codec.task, codec.outputs) == (Task.MULTICLASS, ("no", "yes"))
    assert model.encoder.schema.targets[0].task is Task.MULTICLASS
    assert len(model.network.output_offset) == len(model.targets.outputs) == (6 if many else 2)
    assert [note for note in model.notes if "two_logits" in note] == [
        f"{codec.name!r} has one logit for each of its two classes (two_logits)"
    ]
    assert TargetCodecs.fit(frame, model.encoder.schema, model.splits.train) == model.targets


def test_missing_numbers_get_a_state_even_where_none_was_asked_for(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    paper = tiny_model.replace(missing_states=False)
    model = train_model(frame, schema, paper, brief)
    assert model.model_config.missing_states
    assert model.notes == ("numbers are missing, so missing_states was switched on",)
    complete = train_model(frame.fillna({"size": 0.0}), schema, paper, brief)
    assert not complete.model_config.missing_states
    assert complete.notes == ()


def test_a_number_missing_in_the_test_table_alone_gets_a_state(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    paper, complete = tiny_model.replace(missing_states=False), frame.fillna({"size": 0.0})
    assert train_model(complete, schema, paper, brief, test_frame=frame).model_config.missing_states


def test_small_whole_numbers_of_a_regression_are_no_classes_of_the_split(several, tiny_model, brief):
    frame, schema = several
    # One row in five has a number of its own, which a class would have to keep in training.
    frame = frame.assign(price=np.where(np.arange(150) % 5 == 0, np.arange(150) // 5, 99))
    counted = train_model(frame, schema, tiny_model, brief)
    shifted = train_model(frame.assign(price=frame["price"] + 0.5), schema, tiny_model, brief)
    for name in ("train", "validation", "test"):
        assert getattr(counted.splits, name).tolist() == getattr(shifted.splits, name).tolist()


def test_a_fresh_encoder_is_not_frozen(make_table, tiny_model, brief):
    frame, schema = make_table(Task.BINARY)
    with pytest.raises(ConfigError, match="freeze_epochs keeps a pretrained encoder as it is"):
        train_model(frame, schema, tiny_model, brief.replace(freeze_epochs=1))


@pytest.mark.parametrize("setting", ["class_weights", "sampler"])
def test_balanced_classes_without_a_class_are_said_to_have_no_effect(make_table, tiny_model, brief, setting):
    balanced = brief.replace(**{setting: "balanced"})
    numbers = train_model(*make_table(Task.REGRESSION), tiny_model, balanced)
    assert numbers.notes == (f"{setting}=balanced has no effect: no target has classes",)
    assert train_model(*make_table(Task.BINARY), tiny_model, balanced).notes == ()
