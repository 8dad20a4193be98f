"""Whose effects are drawn, over which rows, on which scale; and rows with some of their columns replaced.

Shapes: B rows, C cells that replace their own, K outputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.swaps import swaps_of
from tabnet_engine.explain.subject import LogitModel, Subject
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import class_probabilities

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["EffectSource", "Scale", "ScoredRows"]

Scale = Literal["logit", "probability"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectSource:
    """A model and the raw rows (B) that its effects are averaged over.

    ``rows`` are their numbers in the table, ``selection`` says how they were chosen ("300 of 1,000 test rows").
    On the scale ``probability`` an output of a class is its probability; a regression stays in its own unit.
    """

    model: LogitModel
    encoder: TableEncoder
    targets: TargetCodecs
    frame: pd.DataFrame
    rows: Integers
    selection: str = ""
    scale: Scale = "logit"

    def __post_init__(self) -> None:
        if len(self.frame) != len(self.rows):
            raise ValueError(f"{len(self.frame)} raw rows cannot carry {len(self.rows)} row numbers")
        if not len(self.rows):
            raise ExplanationError(f"there is no row to average over ({self.selection}); widen the choice of rows")
        classes = [codec for codec in self.targets.codecs if codec.task is not Task.REGRESSION]
        if self.scale == "probability" and not classes:
            raise ExplanationError("a regression has no probabilities; ask for its effects on the prediction")

    @classmethod
    def of_run(
        cls,
        run: Run,
        frame: pd.DataFrame,
        rows: npt.NDArray[np.int64],
        *,
        selection: str = "",
        scale: Scale = "logit",
    ) -> Self:
        """A stored run over some rows of a raw table, by position; the network is loaded here.

        Raises:
            ExplanationError: no row, a pretraining, or probabilities of a regression.
            DamagedRunError: the weights cannot be read.
        """
        return cls(
            model=Subject.of_run(run),
            encoder=run.encoder,
            targets=run.targets,
            frame=frame.iloc[rows],
            rows=np.asarray(rows, dtype=np.int64),
            selection=selection,
            scale=scale,
        )

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that the model reads."""
        return self.encoder.layout.feature_names

    def position(self, feature: str) -> int:
        """Where a column stands among the features.

        Raises:
            ExplanationError: the model does not read it.
        """
        if feature not in self.features:
            raise ExplanationError(f"{feature!r} is no column that this run reads; choose one of its columns")
        return self.features.index(feature)

    def take(self, positions: npt.ArrayLike, selection: str) -> Self:
        """Some of the rows, such as those of a class or a slice.

        Raises:
            ExplanationError: there are none.
        """
        chosen = np.asarray(positions, dtype=np.int64)
        frame = self.frame.iloc[chosen]
        return dataclasses.replace(self, frame=frame, rows=self.rows[chosen], selection=selection)

    def sample(self, n_rows: int, seed: int) -> Self:
        """At most so many rows, drawn at random, which the selection then says.

        Raises:
            ExplanationError: no row is wanted.
        """
        if n_rows < 1:
            raise ExplanationError(f"an effect must be averaged over at least one row, got {n_rows}")
        if n_rows >= len(self.rows):
            return self
        drawn = np.sort(np.random.default_rng(seed).choice(len(self.rows), n_rows, replace=False))
        of_what = recalled(self.selection) or say("the rows")
        text = msg("{n_drawn:,} drawn at random from {n_rows:,}: {which}")
        return self.take(drawn, say(text, n_drawn=n_rows, n_rows=len(self.rows), which=of_what))

    def encoded(self) -> EncodedTable:
        """The rows as the model reads them."""
        return self.encoder.transform(self.frame)

    def on_scale(self, logits: Floats) -> Floats:
        """Logits (..., K) on the chosen scale."""
        if self.scale == "logit":
            return logits
        scores = logits.copy()
        for codec, place in zip(self.targets.codecs, self.targets.slices, strict=True):
            if codec.task is not Task.REGRESSION:
                own = logits[..., place]
                shares = class_probabilities(codec.task, own.reshape(-1, own.shape[-1]))
                scores[..., place] = shares[:, -own.shape[-1] :].reshape(own.shape)
        return scores


class ScoredRows:
    """The rows of a source (B), encoded, with the model's scores of them and of combinations with other cells."""

    def __init__(self, source: EffectSource) -> None:
        self.table = source.encoded()
        self._source, self._swaps = source, swaps_of(source.model, self.table)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def scores(self) -> Floats:
        """Scores (B, K) of the rows as they are."""
        return self._source.on_scale(self._swaps.before)

    def with_each(self, members: Sequence[int], cells: EncodedTable) -> Floats:
        """Scores (C, B, K) of every row with the members' cells replaced by each of the given ones (C)."""
        rows = np.tile(np.arange(len(self)), len(cells))
        places = np.repeat(np.arange(len(cells)), len(self))
        return self.with_own(members, cells, rows, places).reshape(len(cells), len(self), -1)

    def with_own(self, members: Sequence[int], cells: EncodedTable, rows: Integers, places: Integers) -> Floats:
        """Scores (N, K) of some rows (N), each with the members' cells at its own place (N) among the cells."""
        return self._source.on_scale(self._swaps.logits(members, cells, rows, places))
