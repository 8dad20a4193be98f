"""The optimizer on one flat vector of all weights, and the learning rate of every step.

A small network spends its time on starting operations, not on arithmetic: with all weights, gradients and
moments in one vector each, a step takes a dozen operations instead of a dozen for every weight. (The first
optimizer of ``torch.optim`` in a process also imports the whole compiler, which takes seconds.)

Shape letters: P trainable values of the network.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tabnet_engine.config import TrainingConfig

__all__ = ["FlatParameters", "Optimization", "learning_rate"]

WARM_UP_SHARE = 0.3
START_DIVISOR = 25.0
END_DIVISOR = 1e4
MEAN_DECAY = 0.9
SQUARE_DECAY = 0.999
EPSILON = 1e-8


def learning_rate(config: TrainingConfig, step: int, n_steps: int, steps_per_epoch: int) -> float:
    """The learning rate of one step.

    ``one_cycle`` rises along a cosine from a 25th of the rate over the first 30 % of all steps and falls along
    a cosine to nearly nothing (Smith & Topin 2019, in the form of ``torch.optim.lr_scheduler.OneCycleLR``);
    ``cosine`` only falls; ``exponential`` multiplies by ``decay_rate`` after each epoch.

    Args:
        config: names the schedule and its peak.
        step: counts from 0.
        n_steps: steps of the whole training.
        steps_per_epoch: batches of one epoch.
    """
    peak = config.learning_rate
    if config.schedule == "constant":
        return peak
    if config.schedule == "exponential":
        return peak * config.decay_rate ** (step // steps_per_epoch)
    if config.schedule == "cosine":
        return _cosine(peak, 0.0, step / n_steps)
    return _one_cycle(peak, step, n_steps)


def _one_cycle(peak: float, step: int, n_steps: int) -> float:
    summit = max(0.0, WARM_UP_SHARE * n_steps - 1.0)
    if step < summit:
        return _cosine(peak / START_DIVISOR, peak, step / summit)
    fall = max(1.0, n_steps - 1.0 - summit)
    return _cosine(peak, peak / START_DIVISOR / END_DIVISOR, (step - summit) / fall)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0


class FlatParameters:
    """All trainable weights of a network as views of one vector, and their gradients as views of another.

    Args:
        network: its weights and gradients become the views; its forward and backward do not notice.

    Attributes:
        values: (P,), the weights.
        gradients: (P,), what backward adds to.
    """

    def __init__(self, network: nn.Module) -> None:
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.values = torch.cat([parameter.detach().flatten() for parameter in self.parameters])
        self.gradients = torch.zeros_like(self.values)
        sizes = [parameter.numel() for parameter in self.parameters]
        parts = zip(self.parameters, torch.split(self.values, sizes), torch.split(self.gradients, sizes), strict=True)
        for parameter, values, gradients in parts:
            parameter.data = values.view_as(parameter)
            parameter.grad = gradients.view_as(parameter)

    def release(self) -> None:
        """Give every weight memory of its own again, without a gradient, as savers expect."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None


class Optimization:
    """Adam or AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019) with a schedule and a bound on the gradient.

    Args:
        weights: trained in place.
        config: optimizer, schedule and clipping.
        steps_per_epoch: batches of one epoch.
    """

    def __init__(self, weights: FlatParameters, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.weights = weights
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self.n_steps = steps_per_epoch * config.max_epochs
        self.step_index = 0
        self.learning_rate = 0.0
        self.decay = config.weight_decay if config.optimizer == "adamw" else 0.0
        self.mean = torch.zeros_like(weights.values)
        self.square = torch.zeros_like(weights.values)

    def step(self, loss: Tensor) -> None:
        """Lower ``loss``, a scalar, by one step."""
        self.learning_rate = learning_rate(self.config, self.step_index, self.n_steps, self.steps_per_epoch)
        self.step_index += 1
        self.weights.gradients.zero_()
        torch.autograd.backward(loss)
        if self.config.clip_norm:
            _clip(self.weights.gradients, self.config.clip_norm)
        self._adam(self.weights.values, self.weights.gradients)

    @torch.no_grad()
    def _adam(self, values: Tensor, gradients: Tensor) -> None:
        values.mul_(1.0 - self.learning_rate * self.decay)
        self.mean.lerp_(gradients, 1.0 - MEAN_DECAY)
        self.square.mul_(SQUARE_DECAY).addcmul_(gradients, gradients, value=1.0 - SQUARE_DECAY)
        mean_share = 1.0 - MEAN_DECAY**self.step_index
        square_share = 1.0 - SQUARE_DECAY**self.step_index
        spread = self.square.sqrt().div_(math.sqrt(square_share)).add_(EPSILON)
        values.addcdiv_(self.mean, spread, value=-self.learning_rate / mean_share)


def _clip(gradients: Tensor, bound: float) -> None:
    """Scale (P,) down to the norm ``bound`` where it is longer, without waiting for the device."""
    gradients.mul_((bound / (gradients.norm() + 1e-6)).clamp_(max=1.0))
