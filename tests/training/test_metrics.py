import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tabnet_engine.data.schema import SINGLE_TASKS, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.training.metrics import METRICS, area_under_curve, evaluate, evaluate_targets
from tabnet_engine.training.options import Metric
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
    assert scores["mse"] == pytest.approx(oracle.mean_squared_error(y, predicted), rel=1e-9)
    assert scores["rmsle"] == pytest.approx(oracle.root_mean_squared_log_error(y, predicted), rel=1e-9)


def test_the_log_error_counts_negative_predictions_as_zero_and_needs_targets_from_zero():
    scores = evaluate(Task.REGRESSION, [0.0, np.e - 1.0], np.array([[-5.0], [0.0]]), ())
    assert scores["rmsle"] == pytest.approx(np.sqrt(0.5))
    assert evaluate(Task.REGRESSION, [-1.0, 1.0], np.array([[0.0], [1.0]]), ())["rmsle"] is None


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


@pytest.mark.parametrize("task", SINGLE_TASKS)
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


ANSWER = TargetCodec(name="answer", task=Task.BINARY, classes=("no", "yes"))
LEVEL = TargetCodec(name="level", task=Task.MULTICLASS, classes=CLASSES)
AMOUNT = TargetCodec(name="amount", task=Task.REGRESSION)
MIXED = TargetCodecs((ANSWER, LEVEL, AMOUNT))


def mixed_case():
    (answer, one), (level, three) = binary_case(), multiclass_case()
    amount = np.linspace(0.0, 9.0, 200)
    return np.column_stack([answer, level, amount]), np.hstack([one, three, amount[:, None] + one])


def test_one_target_has_its_scores_by_name():
    y, logits = binary_case()
    assert evaluate_targets(TargetCodecs((ANSWER,)), y, logits) == evaluate(Task.BINARY, y, logits, ANSWER.classes)


def test_several_targets_have_theirs_by_target_and_name():
    y, logits = mixed_case()
    scores = evaluate_targets(MIXED, y, logits)
    expected = {}
    for place, (codec, own) in enumerate(zip(MIXED.codecs, MIXED.slices, strict=True)):
        for name, score in evaluate(codec.task, y[:, place], logits[:, own], codec.classes).items():
            expected[f"{codec.name}: {name}"] = score
    assert scores == expected
    assert list(scores)[:2] == ["answer: auc", "answer: accuracy"]


def test_a_metric_of_ones_own_gets_what_it_needs():
    y, logits = mixed_case()
    seen = {}

    def keep(name):
        def function(y_true, y_score):
            seen.setdefault(name, []).append((y_true, y_score))
            return 1.5

        return Metric(name, function, needs=name)

    needs = ("probabilities", "prediction", "logits")
    scores = evaluate_targets(MIXED, y, logits, [keep(name) for name in needs])
    assert "amount: probabilities" not in scores
    assert scores["level: probabilities"] == scores["amount: logits"] == scores["amount: prediction"] == 1.5
    shares = [given for _, given in seen["probabilities"]]
    np.testing.assert_allclose(shares[0], class_probabilities(Task.BINARY, logits[:, :1]))
    np.testing.assert_allclose(shares[1], class_probabilities(Task.MULTICLASS, logits[:, 1:4]))
    predictions = [given for _, given in seen["prediction"]]
    np.testing.assert_array_equal(predictions[0], logits[:, 0] > 0)
    np.testing.assert_array_equal(predictions[1], logits[:, 1:4].argmax(axis=1))
    np.testing.assert_array_equal(predictions[2], logits[:, 4])
    assert [given.shape for _, given in seen["logits"]] == [(200, 1), (200, 3), (200, 1)]
    for place, (true, _) in enumerate(seen["logits"]):
        np.testing.assert_array_equal(true, y[:, place])
    assert [true.dtype for true, _ in seen["logits"]] == [np.int64, np.int64, np.float64]


def test_a_metric_of_ones_own_replaces_a_built_in_one_and_is_none_where_undefined():
    y, logits = binary_case()
    targets = TargetCodecs((ANSWER,))
    assert evaluate_targets(targets, y, logits, [Metric("auc", lambda y, s: 7.0)])["auc"] == 7.0
    assert evaluate_targets(targets, y, logits, [Metric("own", lambda y, s: float("nan"))])["own"] is None
    assert evaluate_targets(targets, y[:0], logits[:0], [Metric("own", np.mean)])["own"] is None
