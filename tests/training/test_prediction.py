import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.data.schema import SINGLE_TASKS, Task
from tabnet_engine.errors import SchemaError
from tabnet_engine.training import prediction
from tabnet_engine.training.experiment import train_model
from tabnet_engine.training.prediction import (
    encode_latents,
    forward_batches,
    predict_frame,
    predict_logits,
    prediction_table,
    rows_per_batch,
)

TASKS = [*SINGLE_TASKS, Task.MULTITASK]


@pytest.fixture
def train(make_table, tiny_model, brief):
    def make(task):
        frame, schema = make_table(task)
        return train_model(frame, schema, tiny_model, brief), frame

    return make


@pytest.mark.parametrize("task", TASKS)
def test_chunks_hold_one_forward(train, task):
    model, frame = train(task)
    encoded = model.encoder.transform(frame)
    chunks = list(forward_batches(model.network, encoded, batch_size=50))
    assert [(chunk.start, len(chunk)) for chunk in chunks] == [(0, 50), (50, 50), (100, 20)]
    n_outputs = len(model.targets.outputs)
    for chunk in chunks:
        rows = len(chunk)
        assert chunk.masks.shape == (2, rows, 2)
        assert chunk.step_contributions.shape == (2, rows, n_outputs)
        assert chunk.step_sizes.shape == (2, rows)
        np.testing.assert_allclose(chunk.masks.sum(axis=2), 1.0, atol=1e-6)
        base = model.network.output_offset.numpy()
        np.testing.assert_allclose(base + chunk.step_contributions.sum(axis=0), chunk.logits, rtol=1e-5, atol=1e-5)
        assert (chunk.step_sizes >= 0).all()
    with torch.no_grad():
        output = model.network(torch.from_numpy(encoded.numeric), torch.from_numpy(encoded.categorical))
    sizes = np.concatenate([chunk.step_sizes for chunk in chunks], axis=1)
    np.testing.assert_allclose(sizes, output.latents.sum(dim=2).numpy(), rtol=1e-4, atol=1e-5)
    logits = np.concatenate([chunk.logits for chunk in chunks])
    np.testing.assert_allclose(predict_logits(model.network, encoded), logits, rtol=1e-5, atol=1e-4)


def test_progress_may_end_the_run(train):
    model, frame = train(Task.BINARY)
    shares = []

    def progress(share):
        shares.append(share)
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(forward_batches(model.network, model.encoder.transform(frame), batch_size=40, progress=progress))
    assert shares == [40 / 120, 80 / 120]


def test_wide_rows_make_small_batches(train, monkeypatch):
    model, _ = train(Task.BINARY)
    assert rows_per_batch(model.network) == prediction.MAX_BATCH_ROWS
    assert rows_per_batch(model.network, 7) == 7
    monkeypatch.setattr(prediction, "MAX_BATCH_CELLS", 1000)
    assert 1 <= rows_per_batch(model.network) < 20
    monkeypatch.setattr(prediction, "MAX_BATCH_CELLS", 1)
    assert rows_per_batch(model.network) == 1


def test_predicting_is_repeatable_and_needs_no_gradient(train):
    model, frame = train(Task.BINARY)
    model.network.train()
    encoded = model.encoder.transform(frame)
    one, two = predict_logits(model.network, encoded), predict_logits(model.network, encoded)
    np.testing.assert_array_equal(one, two)
    assert model.network.training, "the network is left as it was"
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
    assert all(
        parameter.grad is None or torch.isfinite(parameter.grad).all() for parameter in model.network.parameters()
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_row_gets_the_same_answer_alone_and_among_others(train, task):
    model, frame = train(task)
    together = predict_logits(model.network, model.encoder.transform(frame))
    alone = [predict_logits(model.network, model.encoder.transform(frame.iloc[[row]])) for row in range(5)]
    np.testing.assert_allclose(np.concatenate(alone), together[:5], rtol=1e-12)


def test_a_target_far_from_zero_keeps_its_digits(make_table, tiny_model, brief):
    frame, schema = make_table(Task.REGRESSION)
    moved = frame.assign(target=frame["target"] + 1e9)
    near, far = (train_model(table, schema, tiny_model, brief) for table in (frame, moved))
    answers = [predict_logits(model.network, model.encoder.transform(frame))[:, 0] for model in (near, far)]
    np.testing.assert_allclose(answers[1] - 1e9, answers[0], atol=1e-3)


def test_a_binary_target_has_one_logit_and_two_probabilities(train):
    model, frame = train(Task.BINARY)
    table = predict_frame(model, frame)
    assert list(table.columns) == ["prediction", "logit_yes", "probability_no", "probability_yes"]
    np.testing.assert_allclose(table["probability_yes"], 1 / (1 + np.exp(-table["logit_yes"])))
    np.testing.assert_allclose(table["probability_yes"] + table["probability_no"], 1.0)
    assert (table["prediction"] == np.where(table["logit_yes"] > 0, "yes", "no")).all()


def test_several_classes_have_a_logit_and_a_probability_each(train):
    model, frame = train(Task.MULTICLASS)
    table = predict_frame(model, frame)
    logits, shares = table.filter(like="logit_"), table.filter(like="probability_")
    assert list(logits.columns) == ["logit_low", "logit_middle", "logit_top"]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert ("probability_" + table["prediction"] == shares.idxmax(axis=1)).all()


def test_a_regression_has_a_prediction_in_the_target_s_units(train):
    model, frame = train(Task.REGRESSION)
    table = predict_frame(model, frame)
    assert list(table.columns) == ["prediction"]
    assert 800.0 < table["prediction"].mean() < 1200.0


@pytest.mark.parametrize("task", TASKS)
def test_no_rows_give_an_empty_table_with_the_same_columns(train, task):
    model, frame = train(task)
    table = predict_frame(model, frame.iloc[:0])
    assert len(table) == 0
    assert list(table.columns) == list(predict_frame(model, frame).columns)


def test_one_row_new_values_and_another_column_order_are_fine(train):
    model, frame = train(Task.BINARY)
    odd = pd.DataFrame({"more": [1], "colour": ["violet"], "size": [np.nan]})
    table = predict_frame(model, odd)
    assert np.isfinite(table["logit_yes"]).all()
    whole = predict_frame(model, frame)
    np.testing.assert_allclose(predict_frame(model, frame.iloc[[5]])["logit_yes"], whole["logit_yes"][[5]], rtol=1e-4)


def test_a_missing_column_is_named(train):
    model, frame = train(Task.BINARY)
    with pytest.raises(SchemaError, match="'size'"):
        predict_frame(model, frame.drop(columns="size"))


def test_several_targets_have_their_columns_side_by_side(train):
    model, frame = train(Task.MULTITASK)
    table = predict_frame(model, frame)
    assert list(table.columns) == [
        "prediction_answer", "logit_answer = yes", "probability_answer = no", "probability_answer = yes",
        "prediction_level", "logit_level = low", "logit_level = middle", "logit_level = top",
        "probability_level = low", "probability_level = middle", "probability_level = top",
        "prediction_amount",
    ]  # fmt: skip
    logits = predict_logits(model.network, model.encoder.transform(frame))
    for codec, own in zip(model.targets.codecs, model.targets.slices, strict=True):
        alone = prediction_table(codec, logits[:, own])
        ours = table[[name for name in table.columns if f"_{codec.name}" in name]]
        pd.testing.assert_frame_equal(ours.set_axis(alone.columns, axis=1), alone)
    for output in model.targets.outputs[:-1]:
        assert f"logit_{output}" in table.columns


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.MULTITASK])
def test_latents_are_what_the_head_reads(train, task):
    model, frame = train(task)
    encoded = model.encoder.transform(frame)
    latents = encode_latents(model.network, encoded)
    assert latents.shape == (120, 2, 4)
    assert (latents >= 0).all()
    head = model.network.head.detach().numpy()
    logits = np.einsum("bsd,kd->bk", latents, head) * model.targets.output_scale + model.targets.output_offset
    np.testing.assert_allclose(logits, predict_logits(model.network, encoded), rtol=1e-5, atol=1e-4)
    assert encode_latents(model.network, encoded.take(np.zeros(0, np.int64))).shape == (0, 2, 4)


@pytest.mark.parametrize("numeric_embedding", ["piecewise", "none"])
def test_a_missing_number_is_refused_by_a_network_without_missing_states(
    make_table, tiny_model, brief, numeric_embedding
):
    frame, schema = make_table(Task.BINARY)
    complete = frame.assign(size=frame["size"].fillna(0.0))
    config = tiny_model.replace(missing_states=False, numeric_embedding=numeric_embedding)
    model = train_model(complete, schema, config, brief)
    assert np.isfinite(predict_logits(model.network, model.encoder.transform(complete))).all()
    encoded = model.encoder.transform(complete.assign(size=complete["size"].where(complete.index != 7)))
    for refused in (predict_logits, encode_latents, lambda *parts: list(forward_batches(*parts))):
        with pytest.raises(SchemaError, match="row 7: the number is missing, and this model was trained without"):
            refused(model.network, encoded)
    model.network.embedding.layout = model.encoder.layout
    with pytest.raises(SchemaError, match="column 'size', row 7"):
        predict_logits(model.network, encoded)
