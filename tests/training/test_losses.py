import numpy as np
import pytest
import torch
from torch.nn import functional

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.model.tabnet import TabNetOutput
from tabnet_engine.training.losses import TaskLoss, balanced_weights


def output_of(contributions, offset=0.0):
    nothing = torch.zeros(0)
    return TabNetOutput(contributions.sum(dim=0) + offset, nothing, contributions, nothing, nothing)


@pytest.fixture
def binary():
    return TargetCodec(name="t", task=Task.BINARY, classes=("no", "yes"))


@pytest.fixture
def multiclass():
    return TargetCodec(name="t", task=Task.MULTICLASS, classes=("a", "b", "c"))


def test_binary_is_the_log_loss_of_one_logit(binary):
    loss = TaskLoss(binary)
    contributions = torch.randn(3, 8, 1)
    y = np.array([0, 1] * 4)
    target = loss.target(y)
    expected = functional.binary_cross_entropy_with_logits(contributions.sum(0)[:, 0], target.float())
    assert loss(output_of(contributions), target).item() == pytest.approx(expected.item())


def test_multiclass_is_the_cross_entropy(multiclass):
    loss = TaskLoss(multiclass)
    contributions = torch.randn(3, 6, 3)
    target = loss.target(np.array([0, 1, 2, 0, 1, 2]))
    expected = functional.cross_entropy(contributions.sum(0), target)
    assert loss(output_of(contributions), target).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_a_class_weight_counts_like_repeated_rows(task, binary, multiclass):
    codec = binary if task is Task.BINARY else multiclass
    width = len(codec.outputs)
    contributions = torch.randn(2, 5, width)
    y = np.array([0, 1, 1, 0, 0])
    weights = np.array([1.0, 3.0, 1.0])[: len(codec.classes)]
    weighted = TaskLoss(codec, weights).to(torch.device("cpu"))
    repeated = torch.tensor([0, 1, 1, 1, 2, 2, 2, 3, 4])
    plain = TaskLoss(codec)
    expected = plain(output_of(contributions[:, repeated]), plain.target(y[repeated.numpy()])) * 9 / 5
    assert weighted(output_of(contributions), weighted.target(y)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_regression_is_the_squared_error_in_standard_deviations():
    codec = TargetCodec(name="t", task=Task.REGRESSION, mean=100.0, scale=20.0)
    loss = TaskLoss(codec)
    contributions = torch.tensor([[[10.0], [-10.0]], [[10.0], [0.0]]])
    target = loss.target(np.array([100.0, 110.0]))
    assert target.tolist() == [0.0, 0.5]
    assert loss(output_of(contributions, offset=100.0), target).item() == pytest.approx((1.0 + 1.0) / 2)


def test_a_target_far_from_zero_keeps_its_digits():
    codec = TargetCodec(name="t", task=Task.REGRESSION, mean=1e9, scale=1.0)
    loss = TaskLoss(codec)
    target = loss.target(np.array([1e9 + 1.0, 1e9 - 1.0]))
    exact = output_of(torch.tensor([[[1.0], [-1.0]]]), offset=1e9)
    assert loss(exact, target).item() == 0.0


def test_balanced_weights_give_each_class_the_same_say():
    y = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    weights = balanced_weights(y, 3)
    assert weights.tolist() == pytest.approx([8 / 12, 2.0, 0.0])
    assert weights[y].mean() == pytest.approx(1.0)
