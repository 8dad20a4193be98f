"""Masks, steps, latents and importances of a fitted estimator: they add up, and agree with the prediction."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from tabnet_engine.estimators import (
    Callback,
    Metric,
    TabNetClassifier,
    TabNetMultiTaskClassifier,
    TabNetPretrainer,
    TabNetRegressor,
)


@pytest.fixture(scope="module")
def model(census, small):
    return TabNetClassifier(**small, max_epochs=5, batch_size=64).fit(census.X_train, census.y_train)


@pytest.fixture(scope="module")
def regressor(census, small):
    y = np.column_stack([census.score, 50 + 9 * census.score])
    return TabNetRegressor(**small, max_epochs=5, batch_size=64).fit(census.frame.to_numpy(), y)


def test_masks_sum_to_one_and_their_weighted_sum_to_the_size_of_the_steps(model, census):
    weighed, masks = model.explain(census.X_test)
    latents = model.encode(census.X_test)
    assert sorted(masks) == [0, 1]
    for mask in masks.values():
        assert mask.min() >= 0
        assert mask.sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    sizes = latents.sum(axis=2)
    assert weighed == pytest.approx(sum(sizes[:, [step]] * mask for step, mask in masks.items()), abs=1e-5)
    shares, _ = model.explain(census.X_test, normalize=True)
    assert shares.sum(axis=1) == pytest.approx(np.where(sizes.sum(axis=1) > 0, 1, 0), abs=1e-5)


def test_a_silent_row_is_zero_and_not_nan(model, census):
    muted = TabNetClassifier(**model.get_params()).fit(census.X_train, census.y_train)
    with torch.no_grad():
        muted.network_.encoder.transformer.norm.weight.zero_()
        muted.network_.encoder.transformer.norm.bias.zero_()
    shares, _ = muted.explain(census.X_test, normalize=True)
    assert not shares.any()
    assert not muted.feature_importances_.any()


def test_steps_add_up_to_the_prediction(model, regressor, census):
    steps = model.step_logits(census.X_test)
    assert steps.shape == (2, 60, 1)
    assert steps.sum(axis=0)[:, 0] == pytest.approx(model.decision_function(census.X_test), abs=1e-5)
    rows = census.frame.to_numpy()
    offset = regressor.network_.output_offset.numpy()
    assert regressor.step_logits(rows).sum(axis=0) + offset == pytest.approx(
        regressor.predict(rows), rel=1e-5, abs=1e-4
    )


def test_latents_are_what_the_head_reads(model, regressor, census):
    latents = regressor.encode(census.frame.to_numpy())
    assert latents.shape == (360, 2, 4)
    assert latents.min() >= 0
    head = regressor.network_.head.detach().numpy()
    scale, offset = regressor.network_.output_scale.numpy(), regressor.network_.output_offset.numpy()
    by_hand = latents.sum(axis=1) @ head.T * scale + offset
    assert by_hand == pytest.approx(regressor.predict(census.frame.to_numpy()), rel=1e-4, abs=1e-3)
    assert (model.predict_proba(census.X_test)[:, 1] > 0.5).tolist() == (
        model.decision_function(census.X_test) > 0
    ).tolist()


def test_importances_are_computed_when_asked_for_and_in_batches(model, census, monkeypatch):
    fresh = TabNetClassifier(**model.get_params()).fit(census.X_train, census.y_train)
    assert fresh._importances is None, "not at the end of fit"
    monkeypatch.setattr("tabnet_engine.training.prediction.MAX_BATCH_CELLS", 20_000)
    sizes = []
    chunks = fresh._chunks
    monkeypatch.setattr(fresh, "_chunks", lambda table: (sizes.append(len(c)) or c for c in chunks(table)))
    weighed, _ = model.explain(census.X_train)
    expected = weighed.sum(axis=0) / weighed.sum()
    assert fresh.feature_importances_ == pytest.approx(expected, abs=1e-5)
    assert len(sizes) > 2, "the rows were never all in memory at once"
    assert fresh._training_table is None, "the training rows are let go"
    assert fresh.feature_importances_ is fresh.feature_importances_


def test_without_importances_nothing_of_the_training_rows_is_kept(model, census):
    lean = TabNetClassifier(**model.get_params()).fit(census.X_train, census.y_train, compute_importance=False)
    assert lean._training_table is None
    with pytest.raises(AttributeError, match="compute_importance=False"):
        _ = lean.feature_importances_


def test_the_irrelevant_column_matters_least(census, small):
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(400, 3))
    model = TabNetRegressor(**small, max_epochs=25, batch_size=32, learning_rate=0.05, lambda_sparse=1e-2)
    model.fit(rows, rows[:, 0] * 3)
    assert model.feature_importances_.argmax() == 0


def test_before_the_fit_there_is_nothing_to_read(census):
    for name in ("history", "best_epoch", "best_cost", "feature_importances_", "schema_", "target_mapper"):
        assert not hasattr(TabNetClassifier(), name)
    for name in ("predict", "predict_proba", "explain", "encode", "step_logits"):
        with pytest.raises(ValueError, match="is not fitted yet"):
            getattr(TabNetClassifier(), name)(census.X_test)
    with pytest.raises(ValueError, match="must be a fitted TabNetPretrainer"):
        TabNetClassifier().fit(census.X_train, census.y_train, from_unsupervised=TabNetPretrainer())
    with pytest.raises(ValueError, match="must be a fitted TabNetPretrainer"):
        TabNetClassifier().fit(census.X_train, census.y_train, from_unsupervised="run-1")


def test_one_row_or_many_give_the_same_answer(model, census):
    whole = model.predict_proba(census.X_test)
    single = np.vstack([model.predict_proba(row[None]) for row in census.X_test[:5]])
    assert single == pytest.approx(whole[:5], abs=1e-9)


def test_the_history_says_what_happened(census, small, capsys):
    sets = [(census.X_train, census.y_train), (census.X_valid, census.y_valid)]
    model = TabNetClassifier(**small, max_epochs=4, batch_size=64, verbose=2)
    model.fit(census.X_train, census.y_train, eval_set=sets, eval_metric=["logloss", "balanced_accuracy"])
    assert set(model.history) == {
        "loss", "lr", "val_0_logloss", "val_0_balanced_accuracy", "val_1_logloss", "val_1_balanced_accuracy",
    }  # fmt: skip
    assert {len(values) for values in model.history.values()} == {4}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["0", "2"]
    assert f"val_1_logloss: {model.history['val_1_logloss'][2]:.5f}" in lines[1]
    assert len(model.history_) == 4
    quiet = TabNetClassifier(**small, max_epochs=1).fit(census.X_train, census.y_train)
    assert capsys.readouterr().out == ""
    assert quiet.best_epoch == 0
    assert np.isnan(quiet.best_cost), "nothing was watched"


@pytest.mark.parametrize(("patience", "best"), [(0, 3), (9, 0)])
def test_patience_0_keeps_the_last_weights_and_any_other_the_best(census, small, patience, best):
    class Falling(Metric):
        """Best in the first epoch, whatever the network does."""

        _name = "falling"
        calls = 0

        def __call__(self, y_true, y_score):
            type(self).calls += 1
            return -float(self.calls)

    model = TabNetClassifier(**small, max_epochs=4, batch_size=64)
    sets = [(census.X_valid, census.y_valid)]
    model.fit(census.X_train, census.y_train, eval_set=sets, eval_metric=["logloss", Falling], patience=patience)
    assert model.best_epoch == best
    loss = log_loss(census.y_valid, model.predict_proba(census.X_valid))
    assert loss == pytest.approx(model.history["val_0_logloss"][best], rel=1e-4)
    assert np.isnan(model.best_cost) == (patience == 0)


def test_callbacks_hear_every_hook_and_may_stop(census, small):
    heard = []

    class Listener(Callback):
        def on_train_begin(self, state):
            heard.append("train begin")

        def on_epoch_begin(self, state):
            heard.append("epoch begin")

        def on_batch_begin(self, state):
            heard.append("batch begin")

        def on_batch_end(self, state):
            heard.append("batch end")

        def on_epoch_end(self, state):
            heard.append("epoch end")
            state.stop = state.epoch == 2

        def on_train_end(self, state):
            heard.append("train end")

    model = TabNetClassifier(**small, max_epochs=9, batch_size=120)
    model.fit(census.X_train, census.y_train, callbacks=[Listener()])
    epoch = ["epoch begin", *["batch begin", "batch end"] * 2, "epoch end"]
    assert heard == ["train begin", *epoch * 2, "train end"]
    assert len(model.history["loss"]) == 2


def test_an_interrupted_fit_resumes_bit_for_bit(census, small, tmp_path):
    class PowerCut(Callback):
        def on_epoch_begin(self, state):
            if state.epoch == 4:
                raise KeyboardInterrupt

    valid = [(census.X_valid, census.y_valid)]
    fitting = {"eval_set": valid, "eval_metric": ["auc"], "weights": 1, "checkpoint_seconds": 0}
    model = TabNetClassifier(**small, max_epochs=6, batch_size=64)
    whole = TabNetClassifier(**model.get_params()).fit(census.X_train, census.y_train, **fitting)
    with pytest.raises(KeyboardInterrupt):
        model.fit(census.X_train, census.y_train, **fitting, callbacks=[PowerCut()], checkpoint=tmp_path / "kept")
    went_on = []

    class Witness(Callback):
        def on_train_begin(self, state):
            went_on.append(state.resumed_from)

    model.fit(
        census.X_train, census.y_train, **fitting, callbacks=[Witness()], checkpoint=tmp_path / "kept", resume=True
    )
    assert went_on[0] >= 1, "it did not start anew"
    assert model.history == whole.history
    assert np.array_equal(model.predict_proba(census.X_test), whole.predict_proba(census.X_test))


def test_a_multi_task_score_is_the_mean_accuracy(census, small):
    y = np.column_stack([census.y_train, census.X_train[:, 2] > 0])
    model = TabNetMultiTaskClassifier(**small, max_epochs=2).fit(census.X_train, y)
    predicted = model.predict(census.X_train)
    assert model.score(census.X_train, y) == pytest.approx(np.mean([y[:, i] == p for i, p in enumerate(predicted)]))
