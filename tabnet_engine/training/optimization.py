"""The optimizer and the learning rate of every step, as a pure function of the step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tabnet_engine.config import TrainingConfig

__all__ = ["Optimization", "learning_rate"]

WARM_UP_SHARE = 0.3
START_DIVISOR = 25.0
END_DIVISOR = 1e4


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


class Optimization:
    """One optimizer with its schedule and its gradient clipping.

    Args:
        network: its parameters are trained.
        config: optimizer, schedule and clipping.
        steps_per_epoch: batches of one epoch.
    """

    def __init__(self, network: nn.Module, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self.n_steps = steps_per_epoch * config.max_epochs
        self.step_index = 0
        self.learning_rate = config.learning_rate
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = _optimizer(self.parameters, config)

    def step(self, loss: Tensor) -> None:
        """Lower ``loss``, a scalar, by one step."""
        self.learning_rate = learning_rate(self.config, self.step_index, self.n_steps, self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if self.config.clip_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self.optimizer.step()
        self.step_index += 1


def _optimizer(parameters: list[nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    if config.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=config.learning_rate, fused=True)
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
