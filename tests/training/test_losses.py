import numpy as np
import pytest
import torch
from torch.nn import functional

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError
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
    weighted = TaskLoss(codec, (weights,)).to(torch.device("cpu"))
    repeated = torch.tensor([0, 1, 1, 1, 2, 2, 2, 3, 4])
    plain = TaskLoss(codec)
    expected = plain(output_of(contributions[:, repeated]), plain.target(y[repeated.numpy()]))
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


BINARY = TargetCodec(name="answer", task=Task.BINARY, classes=("no", "yes"))
THREE = TargetCodec(name="level", task=Task.MULTICLASS, classes=("a", "b", "c"))
AMOUNT = TargetCodec(name="amount", task=Task.REGRESSION, mean=1000.0, scale=50.0)
MIXED = TargetCodecs((BINARY, THREE, AMOUNT))
MIXED_Y = np.column_stack([[0, 1, 1, 0], [2, 1, 0, 0], [1000.0, 1100.0, 900.0, 950.0]])


def mixed_output(seed=0):
    return output_of(
        torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(seed)), torch.tensor([0, 0, 0, 0, 1e3])
    )


def single_losses(output, weight=None):
    """The loss of each target by itself, on its own columns of the output."""
    values = []
    for place, (codec, own) in enumerate(zip(MIXED.codecs, MIXED.slices, strict=True)):
        loss = TaskLoss(codec)
        part = output_of(output.step_contributions[:, :, own], codec.mean)
        values.append(loss(part, loss.target(MIXED.column(MIXED_Y, place)), weight).item())
    return np.array(values)


@pytest.mark.parametrize("weights", [(), (1.0, 1.0, 1.0), (2.0, 1.0, 0.0), (0.2, 0.1, 0.0)])
def test_several_targets_add_up_by_their_weights(weights):
    loss = TaskLoss(MIXED, task_weights=weights)
    output = mixed_output()
    shares = np.array(weights or (1.0, 1.0, 1.0))
    expected = (single_losses(output) * shares * 3 / shares.sum()).sum()
    assert loss(output, loss.target(MIXED_Y)).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_a_sample_weight_counts_like_repeated_rows(task):
    codec = next(codec for codec in MIXED.codecs if codec.task is task)
    loss = TaskLoss(codec)
    contributions = torch.randn(2, 4, len(codec.outputs))
    y = np.array([0, 1, 1, 0]) if task is not Task.REGRESSION else np.array([990.0, 1030.0, 800.0, 1000.0])
    weighted = loss(output_of(contributions, codec.mean), loss.target(y), torch.tensor([1.0, 0.0, 3.0, 1.0]))
    rows = [0, 2, 2, 2, 3]
    repeated = loss(output_of(contributions[:, rows], codec.mean), loss.target(y[rows]))
    assert weighted.item() == pytest.approx(repeated.item(), rel=1e-5)


def test_sample_weights_reach_every_target():
    output, weight = mixed_output(), torch.tensor([1.0, 0.5, 2.0, 0.0])
    loss = TaskLoss(MIXED)
    assert loss(output, loss.target(MIXED_Y), weight).item() == pytest.approx(
        single_losses(output, weight).sum(), rel=1e-6
    )


def test_class_and_sample_weights_multiply():
    contributions = torch.randn(1, 4, 1)
    y = np.array([0, 1, 1, 0])
    both = TaskLoss(BINARY, (np.array([1.0, 3.0]),))
    plain = TaskLoss(BINARY)
    sample = torch.tensor([1.0, 2.0, 0.5, 1.0])
    expected = plain(output_of(contributions), plain.target(y), sample * torch.tensor([1.0, 3.0, 3.0, 1.0]))
    assert both(output_of(contributions), both.target(y), sample).item() == pytest.approx(expected.item(), rel=1e-6)


def test_class_weights_of_one_target_leave_the_others_alone():
    output = mixed_output()
    weights = np.array([1.0, 4.0, 2.0])
    loss = TaskLoss(MIXED, (None, weights, None))
    own = TaskLoss(THREE, (weights,))
    alone = own(output_of(output.step_contributions[:, :, 1:4]), own.target(MIXED_Y[:, 1].astype(int))).item()
    singles = single_losses(output)
    expected = singles[0] + alone + singles[2]
    assert loss(output, loss.target(MIXED_Y)).item() == pytest.approx(expected, rel=1e-6)


def test_a_batch_without_any_weight_has_no_loss_and_no_gradient():
    contributions = torch.randn(1, 4, 1, requires_grad=True)
    loss = TaskLoss(BINARY)
    value = loss(output_of(contributions), loss.target(np.array([0, 1, 1, 0])), torch.zeros(4))
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(contributions.grad, torch.zeros_like(contributions))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"task_weights": (1.0, 2.0)}, r"one weight for each of the 3 targets \(answer, level, amount\), got 2"),
        ({"task_weights": (0.0, 0.0, 0.0)}, "at least one of task_weights must be above 0"),
        ({"class_weights": (None,)}, "one array for each of the 3 targets"),
        ({"class_weights": (np.ones(3), None, None)}, r"'answer' must be one number for each of its 2 classes"),
        ({"class_weights": (None, None, np.ones(2))}, "'amount' has no classes to weigh; give None for it"),
        ({"class_weights": (np.array([1.0, -1.0]), None, None)}, "must be finite and at least 0"),
        ({"class_weights": (np.array([1.0, 2.0]), None, None), "custom": torch.sub}, "weigh the classes inside it"),
    ],
)
def test_weights_that_do_not_fit_the_targets_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        TaskLoss(MIXED, **given)


def test_a_custom_loss_gets_logits_and_codes_of_a_class_target():
    seen = []

    def own(logits, target):
        seen.append((logits, target))
        return functional.cross_entropy(logits, target)

    loss, plain = TaskLoss(THREE, custom=own), TaskLoss(THREE)
    output, y = output_of(torch.randn(2, 4, 3)), np.array([2, 1, 0, 0])
    assert loss(output, loss.target(y)).item() == pytest.approx(plain(output, plain.target(y)).item())
    assert torch.equal(seen[0][0], output.logits)
    assert (seen[0][1].dtype, seen[0][1].tolist()) == (torch.int64, [2, 1, 0, 0])


def test_a_custom_loss_gets_numbers_in_their_own_units_side_by_side():
    seen = []

    def own(logits, target):
        seen.append((logits, target))
        return (logits - target).abs().mean(dim=1)

    for targets, y, shape in ((AMOUNT, MIXED_Y[:, 2], (4, 1)), (MIXED, MIXED_Y, (4, 3))):
        seen.clear()
        loss = TaskLoss(targets, custom=own if targets is AMOUNT else lambda z, t: seen.append((z, t)) or z[:, 0])
        output = mixed_output() if targets is MIXED else output_of(torch.zeros(2, 4, 1), 1000.0)
        loss(output, loss.target(y))
        assert seen[0][1].shape == shape
        np.testing.assert_allclose(seen[0][1].numpy().reshape(y.shape), y)
        assert torch.equal(seen[0][0], output.logits)


def test_a_custom_loss_of_each_row_can_be_weighed():
    loss = TaskLoss(BINARY, (np.array([1.0, 2.0]),), custom=lambda logits, target: target * 10.0)
    output, target = output_of(torch.zeros(1, 4, 1)), loss.target(np.array([0, 1, 1, 0]))
    assert loss(output, target).item() == pytest.approx(40 / 6)
    assert loss(output, target, torch.tensor([1.0, 0.0, 1.0, 1.0])).item() == pytest.approx(20 / 4)
    assert TaskLoss(BINARY, custom=lambda logits, target: target * 10.0)(output, target).item() == 5.0


def test_a_custom_loss_of_the_whole_batch_cannot_be_weighed():
    output = output_of(torch.zeros(1, 4, 1))
    for loss, weight in (
        (TaskLoss(BINARY, custom=lambda logits, target: logits.sum()), torch.ones(4)),
        (TaskLoss(BINARY, (np.ones(2),), custom=lambda logits, target: logits.sum()), None),
    ):
        with pytest.raises(ConfigError, match="need the loss of each row"):
            loss(output, loss.target(np.array([0, 1, 1, 0])), weight)


def test_a_custom_loss_of_another_shape_is_refused():
    loss = TaskLoss(BINARY, custom=lambda logits, target: logits - target)
    with pytest.raises(ConfigError, match=r"each of the 4 rows, got the shape \(4, 4\)"):
        loss(output_of(torch.zeros(1, 4, 1)), loss.target(np.array([0, 1, 1, 0])))
