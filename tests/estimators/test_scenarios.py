"""Seven ways of working that users of pytorch-tabnet know, on our estimators."""

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, roc_auc_score

from tabnet_engine.estimators import (
    ClassificationSMOTE,
    Metric,
    RegressionSMOTE,
    TabNetClassifier,
    TabNetMultiTaskClassifier,
    TabNetPretrainer,
    TabNetRegressor,
)


def test_census(census, small, tmp_path):
    """Codes, groups, entmax, a schedule, balanced drawing, augmentation, sparse rows, best weights, save and load."""
    model = TabNetClassifier(
        **small,
        cat_idxs=census.cat_idxs,
        cat_dims=census.cat_dims,
        cat_emb_dim=2,
        grouped_features=[[0, 1]],
        optimizer_fn=torch.optim.Adam,
        optimizer_params={"lr": 5e-2},
        scheduler_params={"step_size": 6, "gamma": 0.9},
        scheduler_fn=torch.optim.lr_scheduler.StepLR,
        mask_type="entmax",
    )
    fitting = {
        "eval_name": ["train", "valid"],
        "eval_metric": ["auc"],
        "max_epochs": 15,
        "patience": 20,
        "batch_size": 64,
        "virtual_batch_size": 32,
        "num_workers": 0,
        "weights": 1,
        "drop_last": False,
        "augmentations": ClassificationSMOTE(p=0.2),
    }
    histories = []
    for wrap in (scipy.sparse.csr_matrix, np.asarray):
        train, valid = wrap(census.X_train), wrap(census.X_valid)
        sets = [(train, census.y_train), (valid, census.y_valid)]
        model.fit(X_train=train, y_train=census.y_train, eval_set=sets, **fitting)
        histories.append(model.history["valid_auc"])
    assert histories[0] == histories[1], "a fresh start gives the same again, whatever holds the rows"
    assert model.history["lr"] == pytest.approx([0.05] * 6 + [0.045] * 6 + [0.0405] * 3)

    valid_auc = roc_auc_score(census.y_valid, model.predict_proba(census.X_valid)[:, 1])
    assert valid_auc == pytest.approx(max(model.history["valid_auc"]), abs=1e-6), "the best weights are used"
    assert model.best_cost == pytest.approx(valid_auc, abs=1e-6)
    assert model.best_epoch == int(np.argmax(model.history["valid_auc"]))
    shares = model.predict_proba(census.X_test)
    test_auc = roc_auc_score(census.y_test, shares[:, 1])
    assert test_auc > 0.75

    loaded = TabNetClassifier()
    loaded.load_model(model.save_model(tmp_path / "census"))
    assert np.array_equal(loaded.predict_proba(census.X_test), shares)
    assert loaded.predict(census.X_test).tolist() == model.predict(census.X_test).tolist()
    assert model.feature_importances_.sum() == pytest.approx(1)
    weighed, masks = model.explain(census.X_test)
    assert weighed.shape == census.X_test.shape
    assert [mask.shape for mask in masks.values()] == [census.X_test.shape] * 2


def test_customizing(census, small):
    """A loss and a metric of one's own, a rate that changes after every batch, the last weights instead of the best."""

    def own_loss(y_pred, y_true):
        shares = torch.nn.Softmax(dim=-1)(y_pred)
        return -torch.mean((1 - y_true) * torch.log(shares[:, 0]) + y_true * torch.log(shares[:, 1]))

    class Doubled(Metric):
        """2xAUC."""

        def __init__(self):
            self._name = "custom"
            self._maximize = True

        def __call__(self, y_true, y_score):
            return 2 * roc_auc_score(y_true, y_score[:, 1])

    scheduler_params = {"is_batch_level": True, "max_lr": 5e-2, "steps_per_epoch": 4, "epochs": 4}
    model = TabNetClassifier(
        **small,
        cat_idxs=census.cat_idxs,
        cat_dims=census.cat_dims,
        cat_emb_dim=1,
        optimizer_fn=torch.optim.Adam,
        optimizer_params={"lr": 2e-2},
        scheduler_fn=torch.optim.lr_scheduler.OneCycleLR,
        scheduler_params=scheduler_params,
        mask_type="entmax",
    )
    sets = [(census.X_train, census.y_train), (census.X_valid, census.y_valid)]
    model.fit(
        X_train=census.X_train,
        y_train=census.y_train,
        eval_set=sets,
        eval_name=["train", "val"],
        eval_metric=["auc", Doubled],
        max_epochs=4,
        patience=0,
        batch_size=64,
        virtual_batch_size=32,
        weights=1,
        loss_fn=own_loss,
    )
    assert scheduler_params["is_batch_level"] is True, "what the caller handed in is not changed"
    assert model.history["val_custom"] == pytest.approx([2 * auc for auc in model.history["val_auc"]])
    auc = roc_auc_score(census.y_valid, model.predict_proba(census.X_valid)[:, 1])
    assert auc == pytest.approx(model.history["val_auc"][-1], abs=1e-6), "patience=0 keeps the last weights"
    same = TabNetClassifier(**model.get_params()).fit(
        census.X_train, census.y_train, max_epochs=4, batch_size=64, virtual_batch_size=32, weights=1
    )
    assert same.history["loss"] == pytest.approx(model.history["loss"], rel=1e-4), "it is the default loss, rewritten"


def test_forest(small):
    """Many classes, every setting of the network given, labels that are not 0, 1, 2."""
    rows, codes = load_wine(return_X_y=True)
    labels = np.array(["oak", "pine", "yew"])[codes]
    order = np.random.default_rng(0).permutation(len(rows))
    rows, labels = rows[order], labels[order]
    model = TabNetClassifier(
        **{**small, "n_steps": 3},
        gamma=1.5,
        cat_idxs=[],
        cat_dims=[],
        cat_emb_dim=1,
        lambda_sparse=1e-4,
        momentum=0.3,
        clip_value=2.0,
        optimizer_fn=torch.optim.Adam,
        optimizer_params={"lr": 2e-2},
        scheduler_params={"gamma": 0.95, "step_size": 20},
        scheduler_fn=torch.optim.lr_scheduler.StepLR,
        epsilon=1e-15,
    )
    model.fit(
        X_train=rows[:120],
        y_train=labels[:120],
        eval_set=[(rows[:120], labels[:120]), (rows[120:150], labels[120:150])],
        eval_name=["train", "valid"],
        max_epochs=15,
        patience=100,
        batch_size=16384,
        virtual_batch_size=256,
        augmentations=ClassificationSMOTE(p=0.2),
    )
    assert set(model.history) >= {"loss", "lr", "train_accuracy", "valid_accuracy"}
    mapper = dict(enumerate(model.classes_))
    predicted = np.vectorize(mapper.get)(np.argmax(model.predict_proba(rows[150:]), axis=1))
    assert predicted.tolist() == model.predict(rows[150:]).tolist()
    assert accuracy_score(labels[150:], predicted) > 0.6
    assert sorted(model.explain(rows[150:])[1]) == [0, 1, 2]


def test_regression(small, tmp_path):
    """One quantity as a column, an embedding size for each code, four metrics of which the last decides."""
    data = load_diabetes()
    rows = np.column_stack([(data.data[:, 0] > 0).astype(int), data.data[:, 1:5], (data.data[:, 5] > 0).astype(int)])
    target = data.target.reshape(-1, 1)
    model = TabNetRegressor(**small, cat_idxs=[5, 0], cat_dims=[2, 2], cat_emb_dim=[3, 1])
    model.fit(
        X_train=rows[:300],
        y_train=target[:300],
        eval_set=[(rows[:300], target[:300]), (rows[300:370], target[300:370])],
        eval_name=["train", "valid"],
        eval_metric=["rmsle", "mae", "rmse", "mse"],
        max_epochs=8,
        patience=50,
        batch_size=64,
        virtual_batch_size=32,
        augmentations=RegressionSMOTE(p=0.2),
    )
    assert [table.weight.shape[1] for table in model.network_.embedding.categorical] == [1, 3]
    predicted = model.predict(rows[370:])
    assert predicted.shape == (len(rows) - 370, 1)
    valid = mean_squared_error(target[300:370], model.predict(rows[300:370]))
    assert valid == pytest.approx(model.best_cost, rel=1e-4)
    assert valid == pytest.approx(min(model.history["valid_mse"]), rel=1e-4)
    assert model.history["valid_rmse"] == pytest.approx(np.sqrt(model.history["valid_mse"]))
    assert valid < target.var()
    loaded = TabNetRegressor()
    loaded.load_model(model.save_model(str(tmp_path / "regression")))
    assert np.array_equal(loaded.predict(rows[370:]), predicted)


def test_multi_regression(census, small):
    """Several quantities at once."""
    target = np.column_stack([census.score, 1000 * census.score, -census.score])
    rows = census.frame.to_numpy()
    model = TabNetRegressor(
        **small, cat_idxs=census.cat_idxs, cat_dims=census.cat_dims, cat_emb_dim=[2, 1], learning_rate=0.05
    )
    model.fit(
        X_train=rows[:240],
        y_train=target[:240],
        eval_set=[(rows[:240], target[:240]), (rows[240:300], target[240:300])],
        eval_name=["train", "valid"],
        eval_metric=["mae", "mse"],
        max_epochs=25,
        patience=50,
        batch_size=32,
        virtual_batch_size=32,
    )
    predicted = model.predict(rows[300:])
    assert predicted.shape == (60, 3)
    valid = mean_squared_error(target[240:300], model.predict(rows[240:300]))
    assert valid == pytest.approx(model.best_cost, rel=1e-4)
    for index in range(3):
        error = mean_squared_error(target[300:, index], predicted[:, index])
        assert error < 0.8 * target[300:, index].var(), "no target drowns another, whatever its unit"


def test_multi_task(census, small, tmp_path):
    """Several targets of classes, one of them noise, a loss for each, predictions as lists."""
    n_tasks = 3
    noise = np.random.default_rng(1).integers(10, 14, (len(census.labels), 1)).astype(str)
    labels = np.hstack([np.column_stack([census.labels] * (n_tasks - 1)), noise])
    rows = census.frame.to_numpy()
    model = TabNetMultiTaskClassifier(
        **small, cat_idxs=census.cat_idxs, cat_dims=census.cat_dims, mask_type="entmax", learning_rate=0.05
    )
    model.fit(
        X_train=rows[:240],
        y_train=labels[:240],
        eval_set=[(rows[:240], labels[:240]), (rows[240:300], labels[240:300])],
        eval_name=["train", "valid"],
        max_epochs=15,
        patience=20,
        batch_size=32,
        virtual_batch_size=32,
        loss_fn=[torch.nn.functional.cross_entropy] * n_tasks,
    )
    shares = model.predict_proba(rows[240:300])
    assert [part.shape for part in shares] == [(60, 2), (60, 2), (60, 4)]
    aucs = [roc_auc_score(labels[240:300, index], part[:, 1]) for index, part in enumerate(shares[:-1])]
    assert min(aucs) > 0.7
    losses = [log_loss(labels[240:300, index], part, labels=model.classes_[index]) for index, part in enumerate(shares)]
    assert np.mean(losses) == pytest.approx(model.best_cost, rel=1e-4), "the mean of the tasks chooses the epoch"
    assert model.best_cost == pytest.approx(min(model.history["valid_logloss"]))
    assert [part.tolist() for part in model.classes_] == [["not_wealthy", "wealthy"]] * 2 + [["10", "11", "12", "13"]]
    assert model.target_mapper[2] == {"10": 0, "11": 1, "12": 2, "13": 3}
    loaded = TabNetMultiTaskClassifier()
    loaded.load_model(model.save_model(tmp_path / "several"))
    for ours, theirs in zip(loaded.predict_proba(rows), model.predict_proba(rows), strict=True):
        assert np.array_equal(ours, theirs)
    assert [part.tolist() for part in loaded.predict(rows)] == [part.tolist() for part in model.predict(rows)]


def test_pretraining(census, small, tmp_path):
    """Pretrain without labels, save, load, reconstruct, explain, and train from it."""
    pretrainer = TabNetPretrainer(
        **small,
        cat_idxs=census.cat_idxs,
        cat_dims=census.cat_dims,
        cat_emb_dim=3,
        optimizer_fn=torch.optim.Adam,
        optimizer_params={"lr": 2e-2},
        mask_type="entmax",
        n_shared_decoder=1,
        n_indep_decoder=1,
    )
    pretrainer.fit(
        X_train=census.X_train,
        eval_set=[census.X_valid],
        max_epochs=5,
        patience=5,
        batch_size=2048,
        virtual_batch_size=128,
        num_workers=0,
        drop_last=False,
        pretraining_ratio=0.5,
    )
    assert pretrainer.reconstruction_.n_rows == len(census.X_valid)
    assert pretrainer.reconstruction_.mask_rate == 0.5
    assert pretrainer.best_cost == min(pretrainer.history["val_0_unsup_loss_numpy"])
    reconstructed, embedded = pretrainer.predict(census.X_valid)
    assert reconstructed.shape == embedded.shape
    assert pretrainer.explain(census.X_valid)[1][0].sum(axis=1) == pytest.approx(np.ones(60), abs=1e-6)

    loaded = TabNetPretrainer()
    loaded.load_model(pretrainer.save_model(tmp_path / "pretrained"))
    model = TabNetClassifier(
        optimizer_fn=torch.optim.Adam,
        optimizer_params={"lr": 2e-3},
        scheduler_params={"step_size": 10, "gamma": 0.9},
        scheduler_fn=torch.optim.lr_scheduler.StepLR,
        mask_type="sparsemax",
    )
    fitting = {
        "eval_set": [(census.X_valid, census.y_valid)],
        "eval_name": ["valid"],
        "eval_metric": ["auc"],
        "max_epochs": 3,
        "patience": 20,
        "weights": 1,
    }
    model.fit(X_train=census.X_train, y_train=census.y_train, from_unsupervised=loaded, **fitting)
    assert model.network_.encoder.n_d == 4, "the pretraining decides the network's shape"
    frozen = TabNetClassifier(freeze_epochs=3).fit(
        census.X_train, census.y_train, from_unsupervised=pretrainer, **fitting
    )
    before = pretrainer.network_.encoder.transformer.entry
    assert torch.equal(frozen.network_.encoder.transformer.entry, before), "a frozen encoder keeps its weights"
    assert not torch.equal(model.network_.encoder.transformer.entry, before)
