"""What users of pytorch-tabnet reported, and what happens here instead."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import PretrainingConfig
from tabnet_engine.estimators import (
    ClassificationSMOTE,
    ParameterError,
    RegressionSMOTE,
    TabNetClassifier,
    TabNetPretrainer,
    TabNetRegressor,
)
from tabnet_engine.estimators.pretrainer import arranged


def test_a_plateau_scheduler_reads_the_watched_score(census, small):
    model = TabNetClassifier(
        **small,
        optimizer_params={"lr": 0.5},
        scheduler_fn=torch.optim.lr_scheduler.ReduceLROnPlateau,
        scheduler_params={"factor": 0.1, "patience": 0, "mode": "max"},
        max_epochs=8,
    )
    model.fit(
        census.X_train, census.y_train, eval_set=[(census.X_valid, census.y_valid)], eval_metric=["auc"], patience=8
    )
    best, rates = -1.0, [0.5]
    for auc in model.history["val_0_auc"][:-1]:
        rates.append(rates[-1] if auc > best * (1 + 1e-4) else rates[-1] * 0.1)
        best = max(best, auc)
    assert model.history["lr"] == pytest.approx(rates)


def test_a_scheduler_steps_without_an_evaluation_set(census, small):
    model = TabNetClassifier(
        **small,
        optimizer_fn=torch.optim.SGD,
        optimizer_params={"lr": 0.1},
        scheduler_fn=torch.optim.lr_scheduler.ExponentialLR,
        scheduler_params={"gamma": 0.5},
        max_epochs=3,
    )
    model.fit(census.X_train, census.y_train)
    assert model.history["lr"] == pytest.approx([0.1, 0.05, 0.025])


def test_a_batch_larger_than_the_table_still_trains(census, small):
    model = TabNetClassifier(**small, max_epochs=4, learning_rate=0.05)
    model.fit(census.X_train, census.y_train, batch_size=10_000, drop_last=True)
    losses = model.history["loss"]
    assert losses[-1] < losses[0]
    assert min(losses) > 0


@pytest.mark.parametrize("n_rows", [2, 3, 33, 65, 129])
def test_no_ghost_batch_of_one_row(census, small, n_rows):
    model = TabNetRegressor(**small, max_epochs=2)
    model.fit(census.X_train[:n_rows], census.score[:n_rows], batch_size=64, virtual_batch_size=32)
    assert np.isfinite(model.predict(census.X_test)).all()


def test_unsorted_codes_survive_saving(census, small, tmp_path):
    model = TabNetClassifier(**small, max_epochs=2, cat_idxs=[2, 1], cat_dims=[3, 6], cat_emb_dim=[2, 5])
    model.fit(census.X_train, census.y_train)
    loaded = TabNetClassifier().load_model(model.save_model(tmp_path / "model"))
    assert np.array_equal(loaded.predict_proba(census.X_test), model.predict_proba(census.X_test))


def test_pretraining_with_a_constant_column(small):
    rows = np.random.default_rng(0).normal(size=(200, 4))
    rows[:, 2] = 3.0
    model = TabNetPretrainer(**small, max_epochs=4).fit(rows)
    assert min(model.history["loss"]) >= 0
    assert [column.name for column in model.reconstruction_.skipped] == ["x2"]
    assert any("x2" in note for note in model.notes_)


def test_pretraining_hides_cells_of_the_evaluation_rows_too(small):
    """Independent columns cannot be guessed, so an error far below that of the mean would mean that they were seen."""
    generator = np.random.default_rng(0)
    rows, held_out = generator.normal(size=(300, 4)), generator.normal(size=(100, 4))
    model = TabNetPretrainer(**small, max_epochs=6, learning_rate=0.02).fit(rows, eval_set=[held_out])
    assert min(model.history["val_0_unsup_loss_numpy"]) > 0.8
    assert model.reconstruction_.n_rows == 100


def test_an_evaluation_set_of_a_pretraining_is_held_out_and_nothing_else(small):
    generator = np.random.default_rng(1)
    rows, held_out = generator.normal(size=(90, 3)), 1e4 + generator.normal(size=(10, 3))
    model = TabNetPretrainer(**small, max_epochs=1).fit(rows, eval_set=[rows[:20], held_out], eval_name=["own", "late"])
    numbers = np.asarray(model._encoder.numeric_mean)
    assert np.abs(numbers - rows.mean(axis=0)).max() < 1e-6, "scales come from the rows to learn from alone"
    assert set(model.history) == {"loss", "lr", "late_unsup_loss_numpy"}
    together, _ = arranged(pd.DataFrame(rows), pd.DataFrame(held_out), PretrainingConfig())
    splits = model.pretrained_model().splits
    assert np.array_equal(together.iloc[splits.train], rows)
    assert np.array_equal(together.iloc[splits.validation], held_out), "exactly these choose the epoch"
    with pytest.raises(ParameterError, match="validation_fraction"):
        TabNetPretrainer(**small, max_epochs=1).fit(rows[:15], eval_set=[rows])
    with pytest.raises(ParameterError, match="warm_start must be False"):
        model.fit(rows, warm_start=True)
    with pytest.raises(ParameterError, match="loss_fn must be left out"):
        model.fit(rows, loss_fn=torch.nn.functional.mse_loss)
    with pytest.raises(ParameterError, match="weights must be 0"):
        model.fit(rows, weights=np.ones(90))


def test_what_the_caller_hands_in_stays_as_it_was(census, small):
    handed = {
        "X_train": census.X_train.copy(),
        "y_train": census.y_train.copy(),
        "eval_set": [(census.X_valid.copy(), census.y_valid.copy())],
        "eval_name": ["valid"],
        "eval_metric": ["auc"],
        "weights": {"wealthy": 2, "not_wealthy": 1},
    }
    parameters = {
        "optimizer_params": {"lr": 0.01},
        "scheduler_params": {"is_batch_level": True, "max_lr": 0.05, "total_steps": 100},
        "cat_idxs": [2, 1],
        "cat_dims": [3, 6],
        "cat_emb_dim": [2, 1],
        "grouped_features": [[0, 3]],
    }
    model = TabNetClassifier(**small, **parameters, scheduler_fn=torch.optim.lr_scheduler.OneCycleLR, max_epochs=2)
    before = copy.deepcopy((handed, parameters))
    for _ in range(2):
        model.fit(**handed, augmentations=ClassificationSMOTE(p=1.0))
    for now, then in zip((handed, parameters), before, strict=True):
        assert str(now) == str(then)
    assert np.array_equal(handed["X_train"], before[0]["X_train"])
    assert type(handed["eval_set"][0]) is tuple


def test_a_missing_device_is_said(census, small, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match="this machine has no CUDA device"):
        TabNetClassifier(**{**small, "device_name": "cuda"}).fit(census.X_train, census.y_train)


def test_augmentation_is_refused_outside_its_range():
    for wrong in ({"p": 1.5}, {"p": -0.1}, {"alpha": 0}, {"beta": -1}):
        with pytest.raises(ParameterError):
            RegressionSMOTE(**wrong)


def test_mixed_rows_stay_between_their_parents():
    from tabnet_engine.training.loop import TensorTable

    generator = torch.Generator().manual_seed(0)
    numeric = torch.tensor([[0.0], [1.0], [100.0], [101.0]])
    batch = TensorTable(numeric, torch.zeros(4, 0, dtype=torch.int64), torch.tensor([0, 0, 1, 1]))
    for _ in range(20):
        mixed = ClassificationSMOTE(p=1.0)(batch, (True,), generator)
        assert mixed.target.tolist() == [0, 0, 1, 1]
        assert mixed.numeric[:2].max() <= 1
        assert mixed.numeric[2:].min() >= 100
    assert numeric.flatten().tolist() == [0.0, 1.0, 100.0, 101.0]


def test_prediction_builds_no_graph(census, small):
    model = TabNetClassifier(**small, max_epochs=1).fit(census.X_train, census.y_train)
    model.predict_proba(census.X_test)
    model.explain(census.X_test)
    assert all(parameter.grad is None for parameter in model.network_.parameters())
    assert not model.network_.training


def test_the_paper_preset_gives_each_class_a_logit(census, small):
    model = TabNetClassifier(preset="paper", **{**small, "n_steps": 2}, max_epochs=2, cat_idxs=[1, 2])
    model.fit(census.X_train, census.y_train)
    assert model.step_logits(census.X_test).shape == (2, 60, 2)
    logits = model.decision_function(census.X_test)
    assert logits.shape == (60,)
    assert ((model.predict_proba(census.X_test)[:, 1] > 0.5) == (logits > 0)).all()
    assert {table.weight.shape[1] for table in model.network_.embedding.categorical} == {1}
    holes = census.X_train.copy()
    holes[3, 3] = np.nan
    model.fit(holes, census.y_train)
    assert any("missing_states" in note for note in model.notes_)
