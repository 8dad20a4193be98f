"""One output alone, or all of them side by side."""

import numpy as np
import pytest

from tabnet_engine.explain.by_output import mean_absolute, one_output


@pytest.fixture
def attribution(cases):
    return cases.attribution(np.random.default_rng(0).normal(size=(4, 3, 2)))


def test_one_output_keeps_its_own_values_and_stays_additive(attribution):
    second = one_output(attribution, 1)
    assert second.outputs == ("o1",)
    np.testing.assert_array_equal(second.values[..., 0], attribution.for_output("o1"))
    np.testing.assert_array_equal(second.standard_error[..., 0], attribution.standard_error[..., 1])
    np.testing.assert_allclose(second.values.sum(axis=1) + second.base, second.logits)


def test_an_attribution_without_errors_stays_without(cases):
    plain = cases.attribution(np.ones((2, 3, 2)), standard_error=None)
    assert one_output(plain, 0).standard_error is None


def test_mean_absolute_by_hand(attribution, cases):
    np.testing.assert_allclose(mean_absolute(attribution), np.abs(attribution.values).mean(axis=0))
    assert mean_absolute(cases.attribution(np.zeros((0, 3, 2)))).tolist() == [[0, 0]] * 3
