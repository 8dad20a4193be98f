import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tabnet_engine.data.schema import Task
from tabnet_engine.training.metrics import METRICS, area_under_curve, evaluate
from tabnet_engine.training.probabilities import class_probabilities

CLASSES = ("a", "b", "c")


def binary_case(seed=0, n_rows=200):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n_rows)
    logits = np.round(y + generator.normal(size=n_rows), 1)[:, None]
    return y, logits


def multiclass_case(seed=0, n_rows=200):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, n_rows)
    return y, generator.normal(size=(n_rows, 3)) + np.eye(3)[y]


def test_binary_scores_equal_scikit_learn():
    y, logits = binary_case()
    shares = class_probabilities(Task.BINARY, logits)[:, 1]
    scores = evaluate(Task.BINARY, y, logits, ("no", "yes"))
    assert scores["auc"] == pytest.approx(oracle.roc_auc_score(y, logits[:, 0]), abs=1e-12)
    assert scores["accuracy"] == pytest.approx(oracle.accuracy_score(y, shares > 0.5), abs=1e-12)
    assert scores["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, shares > 0.5), abs=1e-12)
    assert scores["log_loss"] == pytest.approx(oracle.log_loss(y, shares), abs=1e-12)


def test_multiclass_scores_equal_scikit_learn():
    y, logits = multiclass_case()
    shares = class_probabilities(Task.MULTICLASS, logits)
    scores = evaluate(Task.MULTICLASS, y, logits, CLASSES)
    assert scores["auc"] == pytest.approx(oracle.roc_auc_score(y, shares, multi_class="ovr"), abs=1e-12)
    assert scores["accuracy"] == pytest.approx(oracle.accuracy_score(y, shares.argmax(1)), abs=1e-12)
    assert scores["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, shares.argmax(1)), abs=1e-12)
    assert scores["log_loss"] == pytest.approx(oracle.log_loss(y, shares), abs=1e-12)


def test_regression_scores_equal_scikit_learn():
    generator = np.random.default_rng(0)
    y = generator.normal(1e6, 3.0, 50)
    predicted = y + generator.normal(size=50)
    scores = evaluate(Task.REGRESSION, y, predicted[:, None], ())
    assert scores["rmse"] == pytest.approx(oracle.root_mean_squared_error(y, predicted), rel=1e-9)
    assert scores["mae"] == pytest.approx(oracle.mean_absolute_error(y, predicted), rel=1e-9)
    assert scores["r2"] == pytest.approx(oracle.r2_score(y, predicted), rel=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.5, 2.0])), min_size=2, max_size=40))
def test_area_counts_pairs_in_the_right_order(rows):
    positive = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows])
    pairs = [1.0 if high > low else 0.5 if high == low else 0.0 for high in score[positive] for low in score[~positive]]
    area = area_under_curve(positive, score)
    if pairs:
        assert area == pytest.approx(sum(pairs) / len(pairs))
    else:
        assert area is None


def test_a_class_that_is_absent_is_left_out_of_the_mean():
    y, logits = multiclass_case()
    kept = y != 2
    scores = evaluate(Task.MULTICLASS, y[kept], logits[kept], CLASSES)
    shares = class_probabilities(Task.MULTICLASS, logits[kept])
    expected = np.mean([oracle.roc_auc_score(y[kept] == code, shares[:, code]) for code in (0, 1)])
    assert scores["auc"] == pytest.approx(expected)


@pytest.mark.parametrize("task", list(Task))
def test_what_is_undefined_is_none_without_a_warning(task):
    classes = () if task is Task.REGRESSION else CLASSES[: 2 if task is Task.BINARY else 3]
    width = 3 if task is Task.MULTICLASS else 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        none = evaluate(task, np.zeros(0), np.zeros((0, width)), classes)
        one_kind = evaluate(task, np.zeros(4), np.ones((4, width)), classes)
    assert none == dict.fromkeys(METRICS[task])
    assert one_kind["r2" if task is Task.REGRESSION else "auc"] is None
    assert sum(value is None for value in one_kind.values()) == 1


def test_huge_logits_give_finite_scores():
    scores = evaluate(Task.BINARY, [0, 1], np.array([[-1e4], [1e4]]), ("no", "yes"))
    assert scores == {"auc": 1.0, "accuracy": 1.0, "balanced_accuracy": 1.0, "log_loss": 0.0}
    wrong = evaluate(Task.MULTICLASS, [1], np.array([[1e4, -1e4, 0.0]]), CLASSES)
    assert wrong["log_loss"] == pytest.approx(2e4)


def test_a_score_that_is_not_finite_is_none():
    assert evaluate(Task.REGRESSION, [0.0, 1.0], np.array([[np.inf], [1.0]]), ())["rmse"] is None
    assert evaluate(Task.REGRESSION, [np.inf, 1.0], np.array([[1.0], [1.0]]), ())["r2"] is None


@pytest.mark.parametrize("shape", [(4,), (4, 2), (3, 1)])
def test_shapes_that_do_not_belong_together_are_refused(shape):
    with pytest.raises(ValueError, match=r"logits must be \(4, 1\)"):
        evaluate(Task.BINARY, np.zeros(4), np.zeros(shape), ("no", "yes"))
