"""Which pairs of columns act together, and how: results as stored and drawn. numpy only: pages import this.

Shapes: N pairs, K outputs, G and H points of the first and the second column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.points import THIN_ROWS, GridPoints
from tabnet_engine.explain.wording import amount, column_name, listed, percent
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EffectSurface", "Interactions"]

_TOGETHER = msg("{first} and {second} act together on '{output}' by {size} (95 % interval {low} to {high}).")
_HOW = msg(
    "Friedman's H: how far the joint partial dependence of two columns strays from the sum of both, over {n_rows:,} "
    "rows ({which}); intervals by bootstrap over the rows, {n_resamples:,} resamples. Every pair of {columns}. It "
    "combines values of one row with all other rows, so that correlated columns are also tried where no row is."
)
_HOW_WITH = msg(
    "Friedman's H: how far the joint partial dependence of two columns strays from the sum of both, over {n_rows:,} "
    "rows ({which}); intervals by bootstrap over the rows, {n_resamples:,} resamples. {column} with each of {columns}. "
    "It combines values of one row with all other rows, so that correlated columns are also tried where no row is."
)
_TOGETHER_WITH_SHARE = msg(
    "{first} and {second} act together on '{output}' by {size} (95 % interval {low} to {high}), {share} of what both "
    "do together."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Interactions:
    """Every pair of some leading columns.

    ``size`` (N, K) is how far the joint effect of a pair strays from the sum of both effects, as a standard
    deviation in the unit of the score: 0 for columns that only add up. ``share`` (N, K) is Friedman's H squared: the
    share of the joint effect's variance that this makes; NaN where the pair has no effect at all. Pairs with little
    effect may have a high share of it, so pairs are ranked by size. With 95 % intervals.
    """

    columns: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    scale: str
    size: Band
    share: Band
    rows: npt.NDArray[np.int64]
    selection: str
    n_resamples: int
    seed: int
    run_id: str

    def __post_init__(self) -> None:
        shape = (len(self.pairs), len(self.outputs))
        if self.size.values.shape != shape or self.share.values.shape != shape:
            raise ValueError(f"interactions of {shape[0]} pairs and {shape[1]} outputs got {self.size.values.shape}")
        if not np.isfinite(self.size.values).all() or (self.size.values < 0).any():
            raise ValueError("the size of an interaction must be finite and not negative")

    def ranked(self, output: str | None = None) -> npt.NDArray[np.int64]:
        """Positions of the pairs (N), the strongest first; over all outputs by their mean size."""
        sizes = self.size.values
        of = sizes.mean(axis=1) if output is None else sizes[:, self.outputs.index(output)]
        return np.argsort(-of, kind="stable").astype(np.int64)

    def with_column(self, column: str) -> npt.NDArray[np.int64]:
        """Positions of the pairs that hold a column."""
        return np.array([place for place, pair in enumerate(self.pairs) if column in pair], dtype=np.int64)

    def table(self, output: str) -> pd.DataFrame:
        """One line for each pair, the strongest first, with its size and share and their intervals."""
        import pandas as pd

        place, order = self.outputs.index(output), self.ranked(output)
        return pd.DataFrame(
            {
                say("first column"): [self.pairs[pair][0] for pair in order],
                say("second column"): [self.pairs[pair][1] for pair in order],
                say("act together by"): self.size.values[order, place],
                say("from"): self.size.low[order, place],
                say("to"): self.size.high[order, place],
                say("share of the joint effect"): self.share.values[order, place],
                say("share from"): self.share.low[order, place],
                say("share to"): self.share.high[order, place],
            }
        )

    def sentence(self, pair: int, output: str | None = None) -> str:
        """One pair in words."""
        place = 0 if output is None else self.outputs.index(output)
        first, second = self.pairs[pair]
        size, low, high = (float(array[pair, place]) for array in (self.size.values, self.size.low, self.size.high))
        share = float(self.share.values[pair, place])
        return say(
            _TOGETHER_WITH_SHARE if np.isfinite(share) else _TOGETHER,
            first=column_name(first, start=True),
            second=column_name(second),
            output=self.outputs[place],
            size=amount(size),
            low=amount(low),
            high=amount(high),
            share=percent(share) if np.isfinite(share) else "",
        )

    @property
    def note(self) -> str:
        """How it was measured, for beside the figure."""
        common = set.intersection(*map(set, self.pairs)) if len(self.pairs) > 1 else set()
        return say(
            _HOW_WITH if common else _HOW,
            n_rows=len(self.rows),
            which=recalled(self.selection) or say("chosen by the caller"),
            n_resamples=self.n_resamples,
            column=listed(sorted(common)),
            columns=listed([column for column in self.columns if column not in common]),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in ("scale", "selection", "n_resamples", "seed", "run_id")},
            "columns": list(self.columns),
            "pairs": [list(pair) for pair in self.pairs],
            "outputs": list(self.outputs),
            "size": self.size.to_mapping(),
            "share": self.share.to_mapping(),
            "rows": self.rows.tolist(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            **{name: values[name] for name in ("scale", "selection", "n_resamples", "seed", "run_id")},
            columns=tuple(values["columns"]),
            pairs=tuple((str(first), str(second)) for first, second in values["pairs"]),
            outputs=tuple(values["outputs"]),
            size=Band.from_mapping(values["size"]),
            share=Band.from_mapping(values["share"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectSurface:
    """The joint effect of two columns, and what of it is not the sum of both.

    ``joint`` (G, H, K) is the deviation from the mean, as in an effect curve; ``interaction`` (G, H, K) is what the
    joint effect adds to the sum of both columns' own effects, zero everywhere for columns that only add up.
    ``counts`` (G, H) are the rows nearest to each pair of points: where there are few, the model was asked about rows
    that hardly occur.
    """

    first: GridPoints
    second: GridPoints
    outputs: tuple[str, ...]
    scale: str
    joint: Band
    interaction: Band
    counts: npt.NDArray[np.int64]
    n_rows: int
    selection: str
    seed: int
    run_id: str

    def __post_init__(self) -> None:
        shape = (len(self.first), len(self.second), len(self.outputs))
        if self.joint.values.shape != shape or self.interaction.values.shape != shape:
            raise ValueError(f"a surface must have the shape {shape}, got {self.joint.values.shape}")
        if self.counts.shape != shape[:2]:
            raise ValueError(f"counts must have the shape {shape[:2]}, got {self.counts.shape}")

    @property
    def thin(self) -> npt.NDArray[np.bool_]:
        """Cells (G, H) with fewer than :data:`THIN_ROWS` rows of their own."""
        return np.asarray(self.counts < THIN_ROWS)

    def table(self, output: str) -> pd.DataFrame:
        """One line for each cell: both values, the joint effect, what is more than the sum of both, and its rows."""
        import pandas as pd

        place = self.outputs.index(output)
        first, second = np.meshgrid(np.arange(len(self.first)), np.arange(len(self.second)), indexing="ij")
        return pd.DataFrame(
            {
                self.first.feature: [self.first.shown_labels[point] for point in first.ravel()],
                self.second.feature: [self.second.shown_labels[point] for point in second.ravel()],
                say("joint effect"): self.joint.values[:, :, place].ravel(),
                say("joint effect, from"): self.joint.low[:, :, place].ravel(),
                say("joint effect, to"): self.joint.high[:, :, place].ravel(),
                say("more than the sum of both"): self.interaction.values[:, :, place].ravel(),
                say("rows"): self.counts.ravel(),
            }
        )

    @property
    def note(self) -> str:
        """How it was measured and where it is thin, for beside the figure."""
        return say(
            "Joint partial dependence of '{first}' and '{second}' over {n_rows:,} rows ({which}), as the deviation "
            "from its mean, intervals by Student's t over the rows. {thin} of the cells have fewer than {least} rows "
            "of their own, {empty} have none.",
            first=self.first.feature,
            second=self.second.feature,
            n_rows=self.n_rows,
            which=recalled(self.selection) or say("chosen by the caller"),
            thin=percent(float(self.thin.mean())),
            least=THIN_ROWS,
            empty=percent(float((self.counts == 0).mean())),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The surface as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in ("scale", "n_rows", "selection", "seed", "run_id")},
            "first": self.first.to_mapping(),
            "second": self.second.to_mapping(),
            "outputs": list(self.outputs),
            "joint": self.joint.to_mapping(),
            "interaction": self.interaction.to_mapping(),
            "counts": self.counts.tolist(),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            **{name: values[name] for name in ("scale", "n_rows", "selection", "seed", "run_id")},
            first=GridPoints.from_mapping(values["first"]),
            second=GridPoints.from_mapping(values["second"]),
            outputs=tuple(values["outputs"]),
            joint=Band.from_mapping(values["joint"]),
            interaction=Band.from_mapping(values["interaction"]),
            counts=np.asarray(values["counts"], dtype=np.int64),
        )
