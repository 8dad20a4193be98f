"""Changing training batches so that the network never sees the same rows twice.

Shape letters: B rows, T targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from tabnet_engine.errors import ConfigError
from tabnet_engine.training.loop import TensorTable

__all__ = ["Augmentation", "ConvexMixing"]


class Augmentation(Protocol):
    """Turns one training batch into another of the same size."""

    def __call__(self, batch: TensorTable, class_targets: tuple[bool, ...], generator: torch.Generator) -> TensorTable:
        """Change a batch.

        Args:
            batch: B rows; not to be changed in place.
            class_targets: (T,) whether each target holds class codes, which cannot be mixed.
            generator: the training's own, on the CPU; all randomness must come from it.
        """
        ...


@dataclass(frozen=True)
class ConvexMixing:
    """Puts rows on the line between two rows of the batch (Chawla et al. 2002, SMOTE; Zhang et al. 2018, mixup).

    A row i that is chosen becomes ``lam * x_i + (1 - lam) * x_j``, ``lam`` from Beta(alpha, beta). Its partner j has
    the same class in every class target, so that its classes stay exact; numbers to predict and sample weights mix
    with the same ``lam``. What has no middle is taken whole, from i with probability ``lam`` and else from j:
    category codes, and a number that is missing in either row.

    Attributes:
        alpha: first shape of the Beta distribution, above 0.
        probability: with which a row is mixed.
        beta: second shape; ``alpha`` when absent.

    Raises:
        ConfigError: a value outside its range.
    """

    alpha: float = 0.5
    probability: float = 0.8
    beta: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("alpha", self.alpha), ("beta", self._beta)):
            if not 0.0 < value < float("inf"):
                raise ConfigError(f"{name} must be above 0, got {value}")
        if not 0.0 <= self.probability <= 1.0:
            raise ConfigError(f"probability must be between 0 and 1, got {self.probability}")

    @property
    def _beta(self) -> float:
        return self.alpha if self.beta is None else self.beta

    def __call__(self, batch: TensorTable, class_targets: tuple[bool, ...], generator: torch.Generator) -> TensorTable:
        """Mix a batch."""
        # numpy draws from a Beta with a generator of its own; torch does not.
        draw = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        n_rows, device = len(batch), batch.target.device
        share = np.where(draw.random(n_rows) < self.probability, draw.beta(self.alpha, self._beta, n_rows), 1.0)
        lam = torch.from_numpy(share.astype(np.float32)).to(device)
        order = torch.from_numpy(draw.permutation(n_rows)).to(device)
        partner = batch.take(_partners(_codes(batch.target, class_targets), order))
        own_cell = [torch.from_numpy(draw.random(shape)).to(device) < lam.unsqueeze(1).double()
                    for shape in (batch.numeric.shape, batch.categorical.shape)]  # fmt: skip
        return TensorTable(
            _mix_numbers(batch.numeric, partner.numeric, lam.unsqueeze(1), own_cell[0]),
            torch.where(own_cell[1], batch.categorical, partner.categorical),
            _mix_target(batch.target, partner.target, lam, class_targets),
            None if batch.weight is None or partner.weight is None else _between(batch.weight, partner.weight, lam),
        )


def _codes(target: Tensor, class_targets: tuple[bool, ...]) -> Tensor:
    """One number (B,) for each combination of classes among the class targets."""
    columns = target.unsqueeze(1) if target.ndim == 1 else target
    classes = columns[:, torch.tensor(class_targets, device=target.device)]
    if not classes.shape[1]:
        return torch.zeros(len(target), dtype=torch.int64, device=target.device)
    codes: Tensor = torch.unique(classes, dim=0, return_inverse=True)[1]
    return codes


def _partners(codes: Tensor, order: Tensor) -> Tensor:
    """For each row another one (B,) of the same code, itself only where it is alone.

    Args:
        codes: (B,) int64.
        order: (B,) a random order of the rows.
    """
    by_code = order[torch.argsort(codes[order], stable=True)]
    sizes = torch.bincount(codes)
    first = (sizes.cumsum(0) - sizes)[codes[by_code]]
    place = torch.arange(len(codes), device=codes.device)
    following = first + (place - first + 1) % sizes[codes[by_code]]
    partners = torch.empty_like(by_code)
    partners[by_code] = by_code[following]
    return partners


def _between(own: Tensor, other: Tensor, lam: Tensor) -> Tensor:
    """``lam * own + (1 - lam) * other``, never beyond either by rounding."""
    mixed = lam * own + (1.0 - lam) * other
    return torch.minimum(torch.maximum(mixed, torch.minimum(own, other)), torch.maximum(own, other))


def _mix_numbers(own: Tensor, other: Tensor, lam: Tensor, own_cell: Tensor) -> Tensor:
    missing = own.isnan() | other.isnan()
    return torch.where(missing, torch.where(own_cell, own, other), _between(own, other, lam))


def _mix_target(own: Tensor, other: Tensor, lam: Tensor, class_targets: tuple[bool, ...]) -> Tensor:
    if all(class_targets):
        return own
    if own.ndim == 1:
        return _between(own, other, lam)
    keep = torch.tensor(class_targets, device=own.device)
    return torch.where(keep, own, _between(own, other, lam.unsqueeze(1)))
