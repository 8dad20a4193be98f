"""Encoded cells to the vector that TabNet reads, each dimension belonging to one raw column.

The parts work features first, (D, B), as the encoder does; the whole embedding is (B, D) again.
Shapes: B rows, N numeric slots, C categorical slots, T bins, D encoded width.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.config import ModelConfig
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from tabnet_engine.data.encoding import InputLayout

__all__ = [
    "CategoricalEmbedding",
    "FeatureEmbedding",
    "PiecewiseEmbedding",
    "PlainNumbers",
    "categorical_width",
    "categorical_widths",
]

# Codes below this one are the states "missing" and "unseen", not categories.
_N_STATES = 2


def categorical_width(n_categories: int) -> int:
    """Embedding width for so many categories; few distinct widths, so that columns share a lookup.

    >>> [categorical_width(n) for n in (2, 4, 16, 42)]
    [1, 2, 4, 8]
    """
    return 1 if n_categories <= 2 else 2 if n_categories <= 4 else 4 if n_categories <= 16 else 8


def categorical_widths(layout: InputLayout, config: ModelConfig) -> tuple[int, ...]:
    """Embedding width of each categorical slot (C).

    Raises:
        ConfigError: ``d_categorical`` lists more or fewer widths than there are categorical columns.
    """
    sizes, chosen = layout.categorical_sizes, config.d_categorical
    if chosen is None:
        return tuple(categorical_width(size - _N_STATES) for size in sizes)
    if isinstance(chosen, int):
        return (chosen,) * len(sizes)
    if len(chosen) != len(sizes):
        names = ", ".join(layout.feature_names[feature] for feature in layout.categorical_feature)
        raise ConfigError(
            f"d_categorical lists {len(chosen)} widths, but the table has {len(sizes)} categorical columns"
            f"{f' ({names})' if names else ''}; give one width for each, or a single number for all"
        )
    return chosen


class PlainNumbers(nn.Module):
    """Numbers as they are, the paper's input. A missing number counts as the mean plus a learned shift.

    Shape: (B, N) with NaN for missing -> (N, B).

    >>> PlainNumbers(2, missing_states=True)(torch.tensor([[1.0, float("nan")]])).tolist()
    [[1.0], [0.0]]
    """

    def __init__(self, n_slots: int, *, missing_states: bool) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.zeros(n_slots, 1)) if missing_states else None

    def forward(self, numeric: Tensor) -> Tensor:
        """Numbers (N, B) in standardised units, complete."""
        if self.missing is None:
            return _require_complete(numeric).t()
        values, missing = _split_missing(numeric)
        return values + missing * self.missing


class PiecewiseEmbedding(nn.Module):
    """Piecewise-linear encoding over quantile bins, then a linear map of each slot to ``width`` dimensions.

    The encoding holds, for each bin, the share of it that lies below the number (Gorishniy, Rubachev &
    Babenko 2022, section 3.2). A missing number counts as the mean plus a learned shift.
    # DIFF(Gorishniy 3.2): beyond the outermost edges a number counts as that edge; going on linearly, a
    # narrow outer bin would turn a moderate outlier into an enormous one.

    Shape: (B, N) with NaN for missing -> (N * width, B).

    >>> PiecewiseEmbedding([(-1.0, 0.0, 1.0), (0.0, 1.0)], 4, missing_states=True)(torch.zeros(5, 2)).shape
    torch.Size([8, 5])
    """

    low: Tensor
    slope: Tensor

    def __init__(self, bins: Sequence[tuple[float, ...]], width: int, *, missing_states: bool) -> None:
        super().__init__()
        n_bins = max(len(edges) - 1 for edges in bins)
        low = [[*edges[:-1], *[0.0] * (n_bins + 1 - len(edges))] for edges in bins]
        slope = [[*_slopes(edges), *[0.0] * (n_bins + 1 - len(edges))] for edges in bins]
        self.register_buffer("low", torch.tensor(low).unsqueeze(2))
        self.register_buffer("slope", torch.tensor(slope).unsqueeze(2))
        bound = n_bins**-0.5
        weight = torch.empty(len(bins), width, n_bins).uniform_(-bound, bound)
        # The missing state is one more "bin". Zero is the training mean of a column, so one that was never
        # missing in training still gives a sane answer: its shift stays at its start, 0.
        self.missing_states = missing_states
        self.weight = nn.Parameter(torch.cat([weight, weight.new_zeros(len(bins), width, int(missing_states))], dim=2))

    def forward(self, numeric: Tensor) -> Tensor:
        """Embed numbers (B, N) in standardised units to (N * width, B)."""
        if self.missing_states:
            values, missing = _split_missing(numeric)
            encoded = torch.cat([self._shares(values), missing.unsqueeze(1)], dim=1)
        else:
            encoded = self._shares(_require_complete(numeric).t())
        return torch.bmm(self.weight, encoded).flatten(0, 1)

    def _shares(self, values: Tensor) -> Tensor:
        """The piecewise-linear encoding (N, T, B) of values (N, B)."""
        return (values.unsqueeze(1) - self.low).mul_(self.slope).clamp_(0, 1)


def _slopes(edges: tuple[float, ...]) -> list[float]:
    return [1 / (high - low) for low, high in itertools.pairwise(edges)]


def _split_missing(numeric: Tensor) -> tuple[Tensor, Tensor]:
    """Values with 0, the mean, where missing, and the indicator of missing, both (N, B)."""
    values = numeric.t().contiguous()
    missing = values.isnan()
    return values.masked_fill(missing, 0), missing.to(values.dtype)


def _require_complete(numeric: Tensor) -> Tensor:
    """``numeric`` itself; refuses NaN, which would turn every output of the row into NaN."""
    if bool(numeric.isnan().any()):
        raise ValueError("a number is missing, but the network was built without missing states")
    return numeric


class CategoricalEmbedding(nn.Module):
    """Learned vectors for the codes of columns of one width, in one table.

    The states "missing" and "unseen" start at zero, the middle of the categories' vectors, and stay
    there for a column that never shows them in training.

    Shape: codes (B, C) -> (C * width, B).

    >>> CategoricalEmbedding([0, 1], [4, 6], 2)(torch.tensor([[1, 5], [3, 0]])).shape
    torch.Size([4, 2])
    """

    slots: Tensor
    offset: Tensor

    def __init__(self, slots: Sequence[int], sizes: Sequence[int], width: int) -> None:
        super().__init__()
        starts = [sum(sizes[:index]) for index in range(len(sizes))]
        self.register_buffer("slots", torch.tensor(slots))
        self.register_buffer("offset", torch.tensor(starts))
        self.weight = nn.Parameter(torch.randn(sum(sizes), width))
        with torch.no_grad():
            for start in starts:
                self.weight[start : start + _N_STATES] = 0

    def forward(self, categorical: Tensor) -> Tensor:
        """Look up this table's slots in the codes of all (B, C), each below its column's size."""
        rows = categorical.index_select(1, self.slots) + self.offset
        return nnf.embedding(rows, self.weight).flatten(1).t()


class FeatureEmbedding(nn.Module):
    """Numbers and categories to one vector; ``column_feature`` says whose raw column each dimension is.

    Shape: numeric (B, N) with NaN for missing, categorical (B, C) -> (B, D), its memory features first;
    ``column_feature`` (D,).

    Raises:
        ConfigError: as :func:`categorical_widths`.
    """

    column_feature: Tensor

    def __init__(self, layout: InputLayout, config: ModelConfig) -> None:
        super().__init__()
        missing_states = config.missing_states
        self.layout = layout
        piecewise = config.numeric_embedding == "piecewise"
        d_numeric = config.d_numeric if piecewise else 1
        owners = [feature for feature in layout.numeric_feature for _ in range(d_numeric)]
        self.numeric: nn.Module | None = None
        if layout.numeric_feature and piecewise:
            self.numeric = PiecewiseEmbedding(layout.bins, d_numeric, missing_states=missing_states)
        elif layout.numeric_feature:
            self.numeric = PlainNumbers(len(layout.numeric_feature), missing_states=missing_states)
        self.categorical = nn.ModuleList()
        for width, slots in _slots_by_width(layout, config).items():
            sizes = [layout.categorical_sizes[slot] for slot in slots]
            self.categorical.append(CategoricalEmbedding(slots, sizes, width))
            owners += [layout.categorical_feature[slot] for slot in slots for _ in range(width)]
        self.register_buffer("column_feature", torch.tensor(owners))

    @property
    def width(self) -> int:
        """D, the number of encoded dimensions."""
        return len(self.column_feature)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Embed a batch; see the class for shapes."""
        parts = [] if self.numeric is None else [self.numeric(numeric)]
        parts += [table(categorical) for table in self.categorical]
        return torch.cat(parts).t()


def _slots_by_width(layout: InputLayout, config: ModelConfig) -> dict[int, list[int]]:
    """Categorical slots gathered by the width of their embedding, narrow ones first."""
    groups: dict[int, list[int]] = {}
    for slot, width in enumerate(categorical_widths(layout, config)):
        groups.setdefault(width, []).append(slot)
    return dict(sorted(groups.items()))
