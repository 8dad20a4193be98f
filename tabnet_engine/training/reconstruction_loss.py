"""What pretraining lowers: the error on hidden cells, in units of each column's spread (paper section 3.5).

Shape letters: B rows, F raw features, R reconstructed values of a row.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["by_feature", "reconstruction_loss"]

# Below this share of its mean square, a column's spread in float32 is rounding.
_ROUNDING = 1e-10


def by_feature(squares: Tensor, owner: Tensor, n_features: int) -> Tensor:
    """Add up the values of each feature: (B, R) -> (B, F), ``owner`` (R,) saying whose each value is."""
    return squares.new_zeros(len(squares), n_features).index_add_(1, owner, squares)


def reconstruction_loss(
    values: Tensor,
    targets: Tensor,
    hidden: Tensor,
    owner: Tensor,
    *,
    observed: Tensor | None = None,
    least_spread: Tensor | None = None,
) -> Tensor:
    """The paper's loss: sum_b sum_j |(f_hat - f) S / sqrt(sum_b (f - mean_b f)^2)|^2.

    A feature of several values counts as one vector. A feature without spread counts nothing.

    Args:
        values: (B, R), f_hat.
        targets: (B, R), f.
        hidden: (B, F) of 0 and 1, S.
        owner: (R,), the feature of each value.
        observed: (B, F) of 0 and 1; what is 0 has no target. All 1 when absent.
        least_spread: (F,), the least mean squared distance from the mean that a feature is divided by; 0 leaves
            a feature out. None divides by the batch's own, whatever it is.

    Returns:
        A scalar.
    """
    present = torch.ones_like(hidden) if observed is None else observed
    n_present = present.sum(dim=0).clamp(min=1)
    weight = present.index_select(1, owner)
    mean = (targets * weight).sum(dim=0) / n_present.index_select(0, owner)
    distances = by_feature((targets - mean).square() * weight, owner, hidden.shape[1]).sum(dim=0)
    if least_spread is None:
        rounding = by_feature(targets.square() * weight, owner, hidden.shape[1]).sum(dim=0) * _ROUNDING
        spread, counts = distances, distances > rounding
    else:
        # DIFF(paper 3.5): a batch may by chance hold hardly any spread of a column of rare values; dividing by
        # that alone, one batch would outweigh all others.
        spread, counts = torch.maximum(distances, least_spread * n_present), least_spread > 0
    errors = by_feature((values - targets).square(), owner, hidden.shape[1]) * (hidden * present)
    return torch.where(counts, errors.sum(dim=0) / spread.where(counts, torch.ones_like(spread)), 0.0).sum()
