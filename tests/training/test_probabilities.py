import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from tabnet_engine.data.schema import Task
from tabnet_engine.training.probabilities import class_probabilities, predicted_codes, predicted_labels

LOGITS = st.floats(-50, 50)


@given(arrays(np.float64, (7, 1), elements=LOGITS))
def test_one_logit_is_the_log_odds_of_the_second_class(logits):
    shares = class_probabilities(Task.BINARY, logits)
    np.testing.assert_allclose(shares[:, 1], expit(logits[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


@given(arrays(np.float64, (5, 4), elements=LOGITS))
def test_several_logits_are_a_softmax(logits):
    shares = class_probabilities(Task.MULTICLASS, logits)
    np.testing.assert_allclose(shares, softmax(logits, axis=1), rtol=1e-12)


def test_logits_that_overflow_exp_are_fine():
    np.testing.assert_array_equal(class_probabilities(Task.BINARY, [[2000.0], [-2000.0]]), [[0, 1], [1, 0]])


def test_the_label_is_the_most_probable_class_and_a_tie_goes_to_the_first():
    logits = np.array([[-0.1], [0.0], [0.1]])
    assert predicted_codes(Task.BINARY, logits).tolist() == [0, 0, 1]
    assert predicted_labels(Task.BINARY, logits, ("no", "yes")).tolist() == ["no", "no", "yes"]
    assert predicted_labels(Task.MULTICLASS, [[0.0, 2.0, 1.0]], ("a", "b", "c")).tolist() == ["b"]


def test_no_rows_give_no_rows():
    assert class_probabilities(Task.BINARY, np.zeros((0, 1))).shape == (0, 2)
    assert predicted_labels(Task.MULTICLASS, np.zeros((0, 3)), ("a", "b", "c")).shape == (0,)


def test_a_regression_has_no_classes():
    with pytest.raises(ValueError, match="no class probabilities"):
        class_probabilities(Task.REGRESSION, [[1.0]])
