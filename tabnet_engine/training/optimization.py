"""The optimizer on one flat vector of all weights, and the learning rate of every step; or one of torch's own.

A small network spends its time on starting operations, not on arithmetic: with all weights, gradients and
moments in one vector each, a step takes a dozen operations instead of a dozen for every weight. (The first
optimizer of ``torch.optim`` in a process also imports the whole compiler, which takes seconds.)

Shape letters: P trainable values of the network.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from tabnet_engine.config import TrainingConfig
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from tabnet_engine.training.options import FitOptions

__all__ = ["FlatParameters", "Optimization", "Stepper", "TorchOptimization", "learning_rate", "make_stepper"]

WARM_UP_SHARE = 0.3
START_DIVISOR = 25.0
END_DIVISOR = 1e4
MEAN_DECAY = 0.9
SQUARE_DECAY = 0.999
EPSILON = 1e-8

# What ``freeze_epochs`` keeps as pretraining left it.
FROZEN = ("embedding.", "encoder.")

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
SchedulerFactory = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]


class Stepper(Protocol):
    """What lowers the loss, batch by batch."""

    learning_rate: float

    def step(self, loss: Tensor) -> None:
        """Lower ``loss``, a scalar, by one step."""
        ...

    def end_epoch(self, monitored: float) -> None:
        """An epoch has ended; ``monitored`` is the score that is watched."""
        ...

    def release(self) -> None:
        """Give every weight memory of its own again, without a gradient, as savers expect."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        ...


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
        names: of the weights, in their order in the vectors.
    """

    def __init__(self, network: nn.Module) -> None:
        trainable = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
        self.names = [name for name, _ in trainable]
        self.parameters = [parameter for _, parameter in trainable]
        self.values = torch.cat([parameter.detach().flatten() for parameter in self.parameters])
        self.gradients = torch.zeros_like(self.values)
        sizes = [parameter.numel() for parameter in self.parameters]
        parts = zip(self.parameters, torch.split(self.values, sizes), torch.split(self.gradients, sizes), strict=True)
        for parameter, values, gradients in parts:
            parameter.data = values.view_as(parameter)
            parameter.grad = gradients.view_as(parameter)

    def runs(self, prefixes: tuple[str, ...]) -> list[tuple[slice, bool]]:
        """Consecutive parts of the vectors, and whether the names of each start with one of the prefixes."""
        edges = (0, *itertools.accumulate(parameter.numel() for parameter in self.parameters))
        chosen = [name.startswith(prefixes) for name in self.names]
        parts = zip(chosen, itertools.pairwise(edges), strict=True)
        runs = [(key, [bounds for _, bounds in run]) for key, run in itertools.groupby(parts, key=lambda part: part[0])]
        return [(slice(bounds[0][0], bounds[-1][1]), key) for key, bounds in runs]

    def release(self) -> None:
        """Give every weight memory of its own again, without a gradient, as savers expect."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None


class Optimization:
    """Adam or AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019) with a schedule and a bound on the gradient.

    For the first ``freeze_epochs`` the weights of :data:`FROZEN` get neither gradient nor decay; their moments
    then start as those of a first step.

    Args:
        weights: trained in place.
        config: optimizer, schedule, clipping and freezing.
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
        frozen_steps = steps_per_epoch * config.freeze_epochs
        runs = weights.runs(FROZEN) if frozen_steps else [(slice(None), False)]
        # Parts of the vectors, and after how many steps each begins to learn.
        self.parts = [(part, frozen_steps if freezable else 0) for part, freezable in runs]

    def step(self, loss: Tensor) -> None:
        """Lower ``loss``, a scalar, by one step."""
        self.learning_rate = learning_rate(self.config, self.step_index, self.n_steps, self.steps_per_epoch)
        self.step_index += 1
        self.weights.gradients.zero_()
        torch.autograd.backward(loss)
        for part, frozen_steps in self.parts:
            if self.step_index <= frozen_steps:
                self.weights.gradients[part].zero_()
        if self.config.clip_norm:
            _clip(self.weights.gradients, self.config.clip_norm)
        for part, frozen_steps in self.parts:
            if self.step_index > frozen_steps:
                self._adam(part, self.step_index - frozen_steps)

    def end_epoch(self, monitored: float) -> None:
        """Nothing: the schedule counts steps."""

    def release(self) -> None:
        """Give every weight memory of its own again, without a gradient, as savers expect."""
        self.weights.release()

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        return {"step_index": self.step_index, "mean": self.mean, "square": self.square}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self.step_index = state["step_index"]
        self.mean.copy_(state["mean"])
        self.square.copy_(state["square"])

    @torch.no_grad()
    def _adam(self, part: slice, count: int) -> None:
        """Step number ``count``, from 1, of one part of the weights."""
        values, gradients = self.weights.values[part], self.weights.gradients[part]
        mean, square = self.mean[part], self.square[part]
        values.mul_(1.0 - self.learning_rate * self.decay)
        mean.lerp_(gradients, 1.0 - MEAN_DECAY)
        square.mul_(SQUARE_DECAY).addcmul_(gradients, gradients, value=1.0 - SQUARE_DECAY)
        mean_share = 1.0 - MEAN_DECAY**count
        square_share = 1.0 - SQUARE_DECAY**count
        spread = square.sqrt().div_(math.sqrt(square_share)).add_(EPSILON)
        values.addcdiv_(mean, spread, value=-self.learning_rate / mean_share)


class TorchOptimization:
    """An optimizer and a scheduler of ``torch.optim`` in the place of :class:`Optimization`.

    Args:
        network: trained in place.
        config: its clipping and freezing count; optimizer and rate only where ``optimizer`` is absent.
        steps_per_epoch: batches of one epoch.
        optimizer: builds the optimizer.
        scheduler: builds the scheduler; the rate stays as the optimizer has it when absent.
        per_batch: step the scheduler after every batch.

    Raises:
        ConfigError: an optimizer that computes the loss several times a step.
    """

    def __init__(
        self,
        network: nn.Module,
        config: TrainingConfig,
        steps_per_epoch: int,
        *,
        optimizer: OptimizerFactory | None,
        scheduler: SchedulerFactory | None,
        per_batch: bool = False,
    ) -> None:
        named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
        self.parameters = [parameter for _, parameter in named]
        self.frozen = [parameter for name, parameter in named if name.startswith(FROZEN)]
        self.frozen_steps = steps_per_epoch * config.freeze_epochs
        self.clip_norm = config.clip_norm
        self.optimizer = (optimizer or _configured(config))(self.parameters)
        self.scheduler = None if scheduler is None else scheduler(self.optimizer)
        plateau = isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
        self.reads_score, self.per_batch = plateau, per_batch and not plateau
        self.step_index = 0
        self.learning_rate = 0.0
        _require_plain_step(self.optimizer)

    def step(self, loss: Tensor) -> None:
        """Lower ``loss``, a scalar, by one step.

        Raises:
            ConfigError: the scheduler was made for fewer steps.
        """
        self.learning_rate = float(self.optimizer.param_groups[0]["lr"])
        self.step_index += 1
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if self.step_index <= self.frozen_steps:
            for parameter in self.frozen:
                parameter.grad = None
        if self.clip_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        if self.per_batch:
            self._schedule()

    def end_epoch(self, monitored: float) -> None:
        """Step a scheduler that counts epochs.

        Raises:
            ConfigError: the scheduler was made for fewer steps.
        """
        if self.reads_score:
            self._schedule(monitored)
        elif not self.per_batch:
            self._schedule()

    def release(self) -> None:
        """Drop the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        scheduler = None if self.scheduler is None else self.scheduler.state_dict()
        return {"step_index": self.step_index, "optimizer": self.optimizer.state_dict(), "scheduler": scheduler}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; functions, which no file holds, stay those of the fresh ones."""
        self.step_index = state["step_index"]
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict({**self.scheduler.state_dict(), **state["scheduler"]})

    def _schedule(self, *value: float) -> None:
        if self.scheduler is None:
            return
        try:
            self.scheduler.step(*value)  # type: ignore[arg-type]
        except ValueError as error:
            raise ConfigError(f"the learning-rate scheduler cannot go on: {error}") from error


def make_stepper(network: nn.Module, config: TrainingConfig, options: FitOptions, steps_per_epoch: int) -> Stepper:
    """The optimizer of a training: our own, or one of torch's where the options bring an optimizer or a scheduler.

    Raises:
        ConfigError: as :class:`TorchOptimization`.
    """
    if options.optimizer is None and options.scheduler is None:
        return Optimization(FlatParameters(network), config, steps_per_epoch)
    return TorchOptimization(
        network,
        config,
        steps_per_epoch,
        optimizer=options.optimizer,
        scheduler=options.scheduler,
        per_batch=options.scheduler_per_batch,
    )


def _configured(config: TrainingConfig) -> OptimizerFactory:
    def build(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        if config.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=config.learning_rate)
        return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)

    return build


def _require_plain_step(optimizer: torch.optim.Optimizer) -> None:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        name = type(optimizer).__name__
        raise ConfigError(
            f"the optimizer {name} computes the loss several times a step; choose one such as Adam or SGD"
        )


def _clip(gradients: Tensor, bound: float) -> None:
    """Scale (P,) down to the norm ``bound`` where it is longer, without waiting for the device."""
    gradients.mul_((bound / (gradients.norm() + 1e-6)).clamp_(max=1.0))
