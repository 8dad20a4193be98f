"""Which training rows an epoch sees, and in which order.

Shape letters: N training rows, T targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.losses import balanced_weights

__all__ = ["RowSampler", "balanced_rows", "checked_weights"]


def checked_weights(weights: npt.ArrayLike, n_rows: int, name: str) -> npt.NDArray[np.float64]:
    """Weights of rows, (N,) float64.

    Args:
        weights: one for each row.
        n_rows: N.
        name: what they are called in a message.

    Raises:
        ConfigError: another shape, a weight that is negative or not finite, or no weight above zero.
    """
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n_rows,):
        raise ConfigError(f"{name} must be one number for each of the {n_rows} rows, got the shape {values.shape}")
    bad = ~np.isfinite(values) | (values < 0.0)
    if bad.any():
        row = int(np.argmax(bad))
        raise ConfigError(f"{name} must be finite and at least 0, got {values[row]} in row {row}")
    if n_rows and not (values > 0.0).any():
        raise ConfigError(f"{name} must be above 0 for at least one row")
    return values


def balanced_rows(targets: TargetCodecs, y: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Draw weights (N,) that let every class of a target come equally often; None without a class target.

    Several class targets cannot all be balanced at once: a row's weight is then the mean of what each asks for.

    Args:
        targets: tasks and classes.
        y: (N,) of one target or (N, T) of several.
    """
    wanted = []
    for place, codec in enumerate(targets.codecs):
        if codec.task is not Task.REGRESSION:
            codes = targets.column(y, place)
            wanted.append(balanced_weights(codes, len(codec.classes))[codes])
    return np.mean(wanted, axis=0) if wanted else None


class RowSampler:
    """Draws the rows of each epoch: all of them in a new order, or N by weight with replacement.

    Args:
        n_rows: N.
        weights: (N,) how often a row comes, relative to others; None shuffles.

    Raises:
        ConfigError: as :func:`checked_weights`.
    """

    def __init__(self, n_rows: int, weights: npt.NDArray[np.float64] | None = None) -> None:
        self.n_rows = n_rows
        # A running sum instead of torch.multinomial, which takes at most 2**24 rows.
        self.edges = (
            None if weights is None else torch.from_numpy(checked_weights(weights, n_rows, "sampling")).cumsum(0)
        )

    def draw(self, generator: torch.Generator) -> Tensor:
        """Row positions (N,) int64 on the CPU; they depend on the generator only."""
        if self.edges is None:
            return torch.randperm(self.n_rows, generator=generator)
        places = torch.rand(self.n_rows, dtype=torch.float64, generator=generator) * self.edges[-1]
        return torch.searchsorted(self.edges, places, right=True).clamp_(max=self.n_rows - 1)
