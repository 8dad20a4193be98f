"""Encoded cells to the vector that TabNet reads, each dimension belonging to one raw column.

Shapes: B rows, N numeric slots, C categorical slots, T bins, D encoded width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.config import ModelConfig

if TYPE_CHECKING:
    from tabnet_engine.data.encoding import InputLayout

__all__ = ["CategoricalEmbedding", "FeatureEmbedding", "PiecewiseEmbedding", "PlainNumbers", "categorical_width"]

# Codes below this one are the states "missing" and "unseen", not categories.
_N_STATES = 2


def categorical_width(n_categories: int) -> int:
    """Embedding width for so many categories; few distinct widths, so that columns share a lookup.

    >>> [categorical_width(n) for n in (2, 4, 16, 42)]
    [1, 2, 4, 8]
    """
    return 1 if n_categories <= 2 else 2 if n_categories <= 4 else 4 if n_categories <= 16 else 8


class PlainNumbers(nn.Module):
    """Numbers as they are, the paper's input. A missing number counts as the mean plus a learned shift.

    Shape: (B, N) with NaN for missing -> (B, N).

    >>> PlainNumbers(2, missing_states=True)(torch.tensor([[1.0, float("nan")]]))
    tensor([[1., 0.]], grad_fn=<AddBackward0>)
    """

    def __init__(self, n_slots: int, *, missing_states: bool) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.zeros(n_slots)) if missing_states else None

    def forward(self, numeric: Tensor) -> Tensor:
        """Numbers (B, N) in standardised units, complete."""
        if self.missing is None:
            return _require_complete(numeric)
        missing = numeric.isnan()
        # Zero is the column's training mean, so a column that was never missing in training still
        # gives a sane answer: its shift stays at its start, 0.
        return numeric.masked_fill(missing, 0) + missing * self.missing


class PiecewiseEmbedding(nn.Module):
    """Piecewise-linear encoding over quantile bins, then a linear map of each slot to ``width`` dimensions.

    Bin t of a slot holds the share of the bin that lies below the number; the first and last bins go on
    linearly (Gorishniy, Rubachev & Babenko 2022, section 3.2). A missing number counts as the mean plus a
    learned shift.

    Shape: (B, N) with NaN for missing -> (B, N * width).

    >>> PiecewiseEmbedding([(-1.0, 0.0, 1.0), (0.0, 1.0)], 4, missing_states=True)(torch.zeros(5, 2)).shape
    torch.Size([5, 8])
    """

    low: Tensor
    slope: Tensor
    least: Tensor
    most: Tensor

    def __init__(self, bins: Sequence[tuple[float, ...]], width: int, *, missing_states: bool) -> None:
        super().__init__()
        n_bins = max(len(edges) - 1 for edges in bins)
        for name, rows in zip(
            ("low", "slope", "least", "most"), zip(*(_bin_rows(e, n_bins) for e in bins)), strict=True
        ):
            self.register_buffer(name, torch.tensor(rows, dtype=torch.float32).unsqueeze(1))
        bound = n_bins**-0.5
        self.weight = nn.Parameter(torch.empty(len(bins), n_bins, width).uniform_(-bound, bound))
        self.missing = nn.Parameter(torch.zeros(len(bins), 1, width)) if missing_states else None

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed numbers (B, N) in standardised units to (B, N * width)."""
        if self.missing is None:
            embedded = torch.bmm(self._encode(_require_complete(numeric)), self.weight)
        else:
            missing = numeric.isnan()
            encoded = self._encode(numeric.masked_fill(missing, 0))
            embedded = torch.bmm(encoded, self.weight) + missing.t().unsqueeze(-1) * self.missing
        return embedded.transpose(0, 1).flatten(1)

    def _encode(self, numeric: Tensor) -> Tensor:
        """Shares of the bins, (N, B, T)."""
        shares = (numeric.t().unsqueeze(-1) - self.low) * self.slope
        return torch.minimum(torch.maximum(shares, self.least), self.most)


def _bin_rows(edges: tuple[float, ...], n_bins: int) -> tuple[list[float], list[float], list[float], list[float]]:
    """Left edge, 1 / width, lower and upper bound of each bin; bins beyond the slot's own stay at 0."""
    n_own, spare = len(edges) - 1, n_bins - len(edges) + 1
    low = [*edges[:-1], *[0.0] * spare]
    slope = [*[1 / (b - a) for a, b in zip(edges[:-1], edges[1:], strict=True)], *[0.0] * spare]
    least = [-torch.inf, *[0.0] * (n_bins - 1)]
    most = [*[1.0] * (n_own - 1), torch.inf, *[0.0] * spare]
    return low, slope, least, most


def _require_complete(numeric: Tensor) -> Tensor:
    """``numeric`` itself; refuses NaN, which would turn every output of the row into NaN."""
    if bool(numeric.isnan().any()):
        raise ValueError("a number is missing, but the network was built without missing states")
    return numeric


class CategoricalEmbedding(nn.Module):
    """Learned vectors for the codes of columns of one width, in one table.

    The states "missing" and "unseen" start at zero, the middle of the categories' vectors, and stay
    there for a column that never shows them in training.

    Shape: codes (B, C) -> (B, C * width).

    >>> CategoricalEmbedding([4, 6], 2)(torch.tensor([[1, 5], [3, 0]])).shape
    torch.Size([2, 4])
    """

    offset: Tensor

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        starts = [sum(sizes[:index]) for index in range(len(sizes))]
        self.register_buffer("offset", torch.tensor(starts))
        self.weight = nn.Parameter(torch.randn(sum(sizes), width))
        with torch.no_grad():
            for start in starts:
                self.weight[start : start + _N_STATES] = 0

    def forward(self, codes: Tensor) -> Tensor:
        """Look up codes (B, C), each below its column's table size."""
        return nnf.embedding(codes + self.offset, self.weight).flatten(1)


class FeatureEmbedding(nn.Module):
    """Numbers and categories to one vector; ``column_feature`` says whose raw column each dimension is.

    Shape: numeric (B, N) with NaN for missing, categorical (B, C) -> (B, D). ``column_feature`` (D,).
    """

    column_feature: Tensor

    def __init__(self, layout: InputLayout, config: ModelConfig, *, missing_states: bool = True) -> None:
        super().__init__()
        piecewise = config.numeric_embedding == "piecewise"
        d_numeric = config.d_numeric if piecewise else 1
        owners = [feature for feature in layout.numeric_feature for _ in range(d_numeric)]
        self.numeric: nn.Module | None = None
        if layout.numeric_feature and piecewise:
            self.numeric = PiecewiseEmbedding(layout.bins, d_numeric, missing_states=missing_states)
        elif layout.numeric_feature:
            self.numeric = PlainNumbers(len(layout.numeric_feature), missing_states=missing_states)
        self.categorical = nn.ModuleList()
        self._slots: list[list[int]] = []
        for width, slots in _slots_by_width(layout, config).items():
            self.categorical.append(CategoricalEmbedding([layout.categorical_sizes[slot] for slot in slots], width))
            self._slots.append(slots)
            owners += [layout.categorical_feature[slot] for slot in slots for _ in range(width)]
        self.register_buffer("column_feature", torch.tensor(owners))

    @property
    def width(self) -> int:
        """D, the number of encoded dimensions."""
        return len(self.column_feature)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Embed a batch; see the class for shapes."""
        parts = [] if self.numeric is None else [self.numeric(numeric)]
        for table, slots in zip(self.categorical, self._slots, strict=True):
            parts.append(table(categorical[:, slots]))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _slots_by_width(layout: InputLayout, config: ModelConfig) -> dict[int, list[int]]:
    """Categorical slots gathered by the width of their embedding, narrow ones first."""
    groups: dict[int, list[int]] = {}
    for slot, size in enumerate(layout.categorical_sizes):
        width = config.d_categorical or categorical_width(size - _N_STATES)
        groups.setdefault(width, []).append(slot)
    return dict(sorted(groups.items()))
