import numpy as np
import pytest
import torch

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.sampling import RowSampler, balanced_rows, checked_weights

BINARY = TargetCodec(name="a", task=Task.BINARY, classes=("no", "yes"))
THREE = TargetCodec(name="b", task=Task.MULTICLASS, classes=("x", "y", "z"))
AMOUNT = TargetCodec(name="c", task=Task.REGRESSION)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_without_weights_every_row_comes_once_in_a_new_order():
    sampler, random = RowSampler(100), generator()
    first, second = sampler.draw(random), sampler.draw(random)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100))
    assert not torch.equal(first, second)
    assert torch.equal(sampler.draw(generator()), first)


def test_with_weights_rows_come_as_often_as_their_weight_says():
    weights = np.array([0.0, 1.0, 3.0, 0.0, 4.0] * 4000)
    rows = RowSampler(len(weights), weights).draw(generator())
    assert len(rows) == len(weights)
    counts = np.bincount(rows.numpy(), minlength=len(weights)).reshape(-1, 5).sum(axis=0)
    np.testing.assert_allclose(counts / counts.sum(), [0, 1 / 8, 3 / 8, 0, 4 / 8], atol=0.01)
    assert counts[0] == counts[3] == 0


def test_a_zero_weight_at_either_end_is_never_drawn():
    weights = np.array([0.0, 1.0, 0.0])
    for seed in range(20):
        assert RowSampler(3, weights).draw(generator(seed)).tolist() == [1, 1, 1]


def test_the_least_random_number_skips_rows_without_weight(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda count, **kwargs: torch.zeros(count, dtype=torch.float64))
    assert RowSampler(3, np.array([0.0, 1.0, 1.0])).draw(generator()).tolist() == [1, 1, 1]


def test_balanced_rows_bring_every_class_equally_often():
    y = np.array([0] * 90 + [1] * 9 + [2])
    weights = balanced_rows(TargetCodecs((THREE,)), y)
    assert [weights[y == code].sum() for code in range(3)] == pytest.approx([100 / 3] * 3)


def test_several_targets_are_balanced_on_average():
    y = np.column_stack([[0, 0, 0, 1], [0, 1, 1, 1], [5.0, 6.0, 7.0, 8.0]])
    weights = balanced_rows(TargetCodecs((BINARY, THREE, AMOUNT)), y)
    single = [
        balanced_rows(TargetCodecs((codec,)), y[:, place].astype(int)) for place, codec in ((0, BINARY), (1, THREE))
    ]
    np.testing.assert_allclose(weights, (single[0] + single[1]) / 2)


def test_a_regression_has_nothing_to_balance():
    assert balanced_rows(TargetCodecs((AMOUNT,)), np.arange(3.0)) is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], r"sampling must be one number for each of the 3 rows, got the shape \(2,\)"),
        ([[1.0], [1.0], [1.0]], r"got the shape \(3, 1\)"),
        ([1.0, -2.0, 1.0], "sampling must be finite and at least 0, got -2.0 in row 1"),
        ([1.0, 1.0, float("nan")], "got nan in row 2"),
        ([float("inf"), 1.0, 1.0], "got inf in row 0"),
        ([0.0, 0.0, 0.0], "above 0 for at least one row"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    with pytest.raises(ConfigError, match=message):
        checked_weights(weights, 3, "sampling")
    with pytest.raises(ConfigError, match=message):
        RowSampler(3, np.array(weights))
