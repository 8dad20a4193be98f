"""Labels keep their type, quantities their units; drawing rows and weighing them are two things."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from tabnet_engine.estimators import (
    InputError,
    Metric,
    ParameterError,
    TabNetClassifier,
    TabNetMixedEstimator,
    TabNetMultiTaskClassifier,
    TabNetRegressor,
)
from tabnet_engine.estimators.losses import read_loss
from tabnet_engine.estimators.row_weights import sampling_weights
from tabnet_engine.estimators.target_columns import ClassLabels, TargetColumns


@pytest.fixture(scope="module")
def brief(small):
    return {**small, "max_epochs": 2, "batch_size": 64}


@pytest.mark.parametrize(
    "labels",
    [
        np.array([7, 3]),
        np.array([0.0, 1.0]),
        np.array([True, False]),
        np.array(["no", "yes"]),
        np.array(["no", "yes"], dtype=object),
        np.array([2, 5, 9]),
        pd.Series(["a", "b", "c"], dtype="category"),
        pd.Series(["a", "b"], dtype="string"),
    ],
    ids=str,
)
def test_labels_come_back_in_their_own_type(census, brief, labels):
    y = labels[np.arange(240) % len(labels)]
    model = TabNetClassifier(**brief).fit(census.X_train, y)
    values = np.unique(np.asarray(labels))
    assert model.classes_.tolist() == values.tolist()
    predicted = model.predict(census.X_test)
    assert predicted.dtype == model.classes_.dtype
    assert set(predicted.tolist()) <= set(values.tolist())
    assert model.predict_proba(census.X_test).sum(axis=1) == pytest.approx(np.ones(60))


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.lists(st.integers(-(10**9), 10**9), min_size=2, unique=True),
        st.lists(st.text(max_size=4), min_size=2, unique=True),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, unique=True),
    ),
    st.randoms(use_true_random=False),
)
def test_encoding_labels_has_an_inverse(values, random):
    labels = np.array([random.choice(values) for _ in range(20)] + values)
    try:
        learned = ClassLabels.learn(labels, "target")
    except InputError:  # -0.0 and 0.0 are one number, but two texts
        return
    codes = learned.encode(labels, "target")
    assert learned.values[codes].tolist() == labels.tolist()
    assert sorted(set(codes.tolist())) == list(range(len(learned.values)))


@pytest.mark.parametrize(
    ("estimator", "y", "message"),
    [
        (TabNetClassifier, np.array([*["a"] * 239, None], dtype=object), "row 239 has no label"),
        (TabNetClassifier, np.array([*[1.0] * 239, np.nan]), "Input y contains NaN"),
        (TabNetClassifier, np.array(["a"] * 240), "two classes or more, but 'target' has one class only"),
        (TabNetClassifier, np.linspace(0, 1, 240), "Unknown label type: continuous"),
        (TabNetClassifier, np.array([1, "a"] * 120, dtype=object), "mix numbers and text"),
        (TabNetClassifier, np.array([0, 1] * 100), "inconsistent numbers of samples"),
        (TabNetRegressor, np.array([*[1.0] * 239, np.inf]), "Input y contains infinity"),
        (TabNetRegressor, np.array(["a", "b"] * 120), "could not convert string to float"),
        (TabNetRegressor, None, "requires y to be passed"),
        (TabNetMultiTaskClassifier, pd.DataFrame({"a": ["x", None] * 120}), "Input y contains NaN"),
        (TabNetMixedEstimator, np.column_stack([np.ones(240), np.arange(240)]), "has one value only|one class only"),
    ],
)
def test_targets_that_do_not_fit_are_refused(census, brief, estimator, y, message):
    with pytest.raises(ValueError, match=message):
        estimator(**brief).fit(census.X_train, y)


def test_a_label_that_training_never_saw_is_named_with_its_evaluation_set(census, brief):
    labels = census.y_valid.copy()
    labels[4] = "destitute"
    with pytest.raises(InputError, match="evaluation set 'late': row 4: 'destitute' is no class of 'target'"):
        TabNetClassifier(**brief).fit(
            census.X_train, census.y_train, eval_set=[(census.X_valid, labels)], eval_name=["late"]
        )


def test_a_regression_keeps_the_shape_it_was_given(census, brief):
    score = census.score[:240]
    for y, shape in ((score, (60,)), (score[:, None], (60, 1)), (np.column_stack([score, score]), (60, 2))):
        assert TabNetRegressor(**brief).fit(census.X_train, y).predict(census.X_test).shape == shape


def test_mixed_targets_are_read_by_the_rule_of_the_table(census, brief):
    y = pd.DataFrame({"label": census.labels, "score": census.score, "stars": np.arange(360) % 3})
    model = TabNetMixedEstimator(**brief, task_weights=[1, 2, 1])
    model.fit(census.frame, y, eval_set=[(census.frame, y)], eval_metric=["accuracy", "rmse"])
    assert model.tasks_ == ("classification", "regression", "classification")
    assert model.target_names_ == ("label", "score", "stars")
    label, score, stars = model.predict(census.frame)
    assert set(label) <= {"wealthy", "not_wealthy"}
    assert score.dtype == np.float64
    assert set(stars.tolist()) <= {0, 1, 2}
    shares = model.predict_proba(census.frame)
    assert shares[1] is None
    assert shares[2].shape == (360, 3)
    assert model.history["val_0_rmse"] == model.history["val_0_rmse of score"]
    expected = np.mean([np.mean(label == census.labels), np.mean(stars == y["stars"])])
    assert model.history["val_0_accuracy"][model.best_epoch] == pytest.approx(expected)
    asked = TabNetMixedEstimator(tasks={"stars": "regression"}, **brief).fit(census.frame, y)
    assert asked.tasks_ == ("classification", "regression", "regression")
    with pytest.raises(ParameterError, match="tasks names 'moon'"):
        TabNetMixedEstimator(tasks={"moon": "regression"}, **brief).fit(census.frame, y)
    with pytest.raises(ParameterError, match="one for each of 3 targets"):
        TabNetMixedEstimator(tasks=["auto"], **brief).fit(census.frame, y)
    with pytest.raises(ParameterError, match="task_weights"):
        TabNetMixedEstimator(**brief, task_weights=[1, 2]).fit(census.frame, y)


def test_a_task_weight_decides_what_is_learned(census, small):
    opposed = pd.DataFrame({"score": census.score, "noise": np.random.default_rng(0).normal(size=360)})
    errors = []
    for weights in ([1, 0], [0, 1]):
        model = TabNetMixedEstimator(tasks="regression", **small, max_epochs=15, batch_size=32, task_weights=weights)
        predicted = model.fit(census.frame, opposed).predict(census.frame)[0]
        errors.append(np.mean((predicted - census.score) ** 2) / census.score.var())
    assert errors[0] < 0.7
    assert errors[1] > 0.9


def test_a_class_weight_is_in_the_loss_and_moves_the_probabilities(census, small):
    means = {}
    for name, weight in {"none": None, "heavy": {"wealthy": 20}, "same": {"wealthy": 3, "not_wealthy": 3}}.items():
        model = TabNetClassifier(**small, max_epochs=5, batch_size=32, class_weight=weight)
        means[name] = model.fit(census.X_train, census.y_train).predict_proba(census.X_test)[:, 1].mean()
    assert means["heavy"] > means["none"] + 0.1
    assert means["same"] == pytest.approx(means["none"], abs=1e-4), "only the ratio counts"
    balanced = TabNetClassifier(**small, max_epochs=1, class_weight="balanced").fit(census.X_train, census.y_train)
    assert np.isfinite(balanced.history["loss"]).all()


def test_sample_weights_weigh_the_loss(census, small):
    share = {}
    for favourite in ("wealthy", "not_wealthy"):
        weight = np.where(census.y_train == favourite, 10.0, 1.0)
        model = TabNetClassifier(**small, max_epochs=5, batch_size=32)
        model.fit(census.X_train, census.y_train, sample_weight=weight)
        share[favourite] = model.predict_proba(census.X_test)[:, 1].mean()
    assert share["wealthy"] > share["not_wealthy"] + 0.2


def test_rows_without_weight_are_left_out_altogether(census, brief):
    weight = (np.arange(240) % 3 > 0).astype(float)
    kept = weight > 0
    one = TabNetClassifier(**brief).fit(census.X_train, census.y_train, sample_weight=weight)
    spoiled = census.X_train.copy()
    spoiled[~kept] = 1e6
    two = TabNetClassifier(**brief).fit(spoiled, census.y_train, sample_weight=weight)
    assert np.array_equal(one.predict_proba(census.X_test), two.predict_proba(census.X_test))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(240), "at least one non-zero number"),
        (np.r_[-1.0, np.ones(239)], "at least 0, got -1 in row 0"),
        (np.ones(3), "sample_weight.shape"),
        (np.r_[np.nan, np.ones(239)], "sample_weight contains NaN"),
    ],
)
def test_weights_that_mean_nothing_are_refused(census, brief, weight, message):
    with pytest.raises(ValueError, match=message):
        TabNetClassifier(**brief).fit(census.X_train, census.y_train, sample_weight=weight)


def test_weights_draw_rows_as_scripts_expect():
    codes = np.array([0, 0, 0, 1])
    targets = TargetColumns.learn(np.array(["a", "a", "a", "b"])[:, None], ["target"], ["classification"])
    assert sampling_weights(0, targets, codes) is None
    balanced = sampling_weights(1, targets, codes)
    assert balanced[:3].sum() == pytest.approx(balanced[3:].sum())
    assert sampling_weights({"b": 5, "a": 2}, targets, codes).tolist() == [2, 2, 2, 5]
    assert sampling_weights([1, 2, 3, 4], targets, codes).tolist() == [1, 2, 3, 4]
    for wrong in (2, {"c": 1}, [1, 2], "balanced"):
        with pytest.raises((ParameterError, ValueError)):
            sampling_weights(wrong, targets, codes)
    numbers = TargetColumns.learn(np.arange(4.0)[:, None], ["target"], ["regression"])
    with pytest.raises(ParameterError, match="needs a single target of classes"):
        sampling_weights(1, numbers, codes)


def test_a_loss_of_ones_own_sees_torchs_shapes():
    targets = TargetColumns.learn(
        np.array([["a", "x"], ["b", "y"], ["a", "z"]]), ["two", "three"], ["classification"] * 2
    )
    seen = []

    def loss(logits, codes):
        seen.append((tuple(logits.shape), codes.dtype))
        return torch.nn.functional.cross_entropy(logits, codes)

    logits = torch.randn(3, 4)
    found = read_loss([loss, loss], targets.codecs)(logits, torch.tensor([[0.0, 0], [1, 1], [0, 2]]))
    assert seen == [((3, 2), torch.int64), ((3, 3), torch.int64)]
    binary = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], torch.tensor([0.0, 1, 0]))
    several = torch.nn.functional.cross_entropy(logits[:, 1:], torch.tensor([0, 1, 2]))
    assert found == pytest.approx(((binary + several) / 2).item())
    with pytest.raises(ParameterError, match="one function or 2"):
        read_loss([loss] * 3, targets.codecs)
    with pytest.raises(ParameterError, match="must be a function"):
        read_loss("mse", targets.codecs)


def test_metrics_of_ones_own_and_unknown_ones(census, brief):
    class Bias(Metric):
        def __init__(self):
            self._name = "bias"
            self._maximize = False

        def __call__(self, y_true, y_score):
            assert y_true.shape == y_score.shape == (60, 1)
            return float(np.abs((y_score - y_true).mean()))

    model = TabNetRegressor(**{**brief, "max_epochs": 4})
    valid = (census.X_valid, census.score[240:300])
    for given_metric in (Bias, Bias()):
        model.fit(census.X_train, census.score[:240], eval_set=[valid], eval_metric=["rmse", given_metric], patience=9)
        assert model.best_cost == min(model.history["val_0_bias"])
        bias = abs(float((model.predict(census.X_valid) - valid[1]).mean()))
        assert bias == pytest.approx(model.best_cost, abs=1e-5)
    with pytest.raises(ParameterError, match="no score 'auc' here; there are loss, rmse, mae"):
        model.fit(census.X_train, census.score[:240], eval_metric=["auc"])
    with pytest.raises(ParameterError, match="names of scores or Metric classes, got 3"):
        model.fit(census.X_train, census.score[:240], eval_metric=[3])
    with pytest.raises(ParameterError, match="a name of its own"):
        model.fit(census.X_train, census.score[:240], eval_set=[valid, valid], eval_name=["a", "a"])
    with pytest.raises(ParameterError, match="pairs"):
        model.fit(census.X_train, census.score[:240], eval_set=[census.X_valid])


def test_rows_that_weigh_nothing_are_left_out_whatever_holds_the_labels(census, brief):
    weight = np.where(np.arange(240) < 30, 0.0, 1.0)
    draws = 1.0 + np.arange(240) % 3
    expected = TabNetClassifier(**brief).fit(census.X_train[30:], census.y_train[30:], weights=draws[30:])
    for wrap in (list, pd.Series, np.asarray):
        y = wrap(census.y_train.tolist())
        model = TabNetClassifier(**brief).fit(census.X_train, y, sample_weight=weight, weights=draws)
        assert model.predict_proba(census.X_test) == pytest.approx(expected.predict_proba(census.X_test), abs=1e-5)


def test_a_fit_that_fails_halfway_predicts_nothing(census, brief):
    bad = [(census.X_valid, np.full(60, "unheard of", dtype=object))]
    fresh, used = TabNetClassifier(**brief), TabNetClassifier(**brief).fit(census.X_train, census.y_train)
    for model in (fresh, used):
        with pytest.raises(InputError, match="unheard of"):
            model.fit(census.X_train, census.y_train, eval_set=bad)
        with pytest.raises(NotFittedError):
            model.predict(census.X_test)


def test_a_fresh_encoder_is_not_frozen(census, brief):
    with pytest.raises(ParameterError, match="freeze_epochs keeps a pretrained encoder as it is"):
        TabNetClassifier(**brief, freeze_epochs=1).fit(census.X_train, census.y_train)
