"""What each decision step adds to each logit over many rows: exact per row, added up chunk by chunk. numpy only.

Shapes: B rows, S steps, K outputs, G parts of the rows. A row's contributions and the base sum to its logits
exactly (Arik & Pfister 2021, section 3.5; the head is linear in the sum of the steps).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.estimates import Estimate, student_point
from tabnet_engine.explain.mask_stream import chunk_parts
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.wording import amount, percent, signed
from tabnet_engine.texts.speaking import say

__all__ = ["StepEffects", "effect_table", "step_effects", "step_effects_by_part"]

Floats = npt.NDArray[np.float64]


class _Moments:
    """Mean and squared deviations of rows that come in chunks (Chan, Golub & LeVeque 1983)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.n, self.mean, self.squares = 0, np.zeros(shape), np.zeros(shape)

    def add(self, values: Floats) -> None:
        """Count values (B, ...) in."""
        n_new = len(values)
        if n_new == 0:
            return
        mean = values.mean(axis=0)
        shift, total = mean - self.mean, self.n + n_new
        self.squares += np.square(values - mean).sum(axis=0) + np.square(shift) * self.n * n_new / total
        self.mean += shift * n_new / total
        self.n = total

    @property
    def standard_error(self) -> Floats:
        """Of the mean; NaN for fewer than two rows."""
        if self.n < 2:
            return np.full_like(self.mean, np.nan)
        error: Floats = np.sqrt(self.squares / (self.n - 1) / self.n)
        return error


@dataclass(frozen=True, kw_only=True, eq=False)
class StepEffects:
    """What the steps add, over ``n_rows`` rows.

    ``mean`` (S, K) is the mean contribution with its sign, ``size`` (S, K) the mean of its absolute value, each with
    the standard error of that mean (NaN for one row). ``base`` (K) is what the logits are without any step.
    """

    outputs: tuple[str, ...]
    base: Floats
    n_rows: int
    mean: Floats
    mean_error: Floats
    size: Floats
    size_error: Floats

    def __post_init__(self) -> None:
        shape = (self.n_steps, len(self.outputs))
        for name in ("mean", "mean_error", "size", "size_error"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {getattr(self, name).shape}")

    @property
    def n_steps(self) -> int:
        """S, the number of decision steps."""
        return len(self.mean)

    @property
    def shares(self) -> Floats:
        """Each step's share (S, K) of all the steps' sizes; zeros for an output that no step moves."""
        total = self.size.sum(axis=0)
        shares: Floats = np.divide(self.size, total, out=np.zeros_like(self.size), where=total > 0)
        return shares

    def mean_estimate(self, step: int, output: int) -> Estimate:
        """Mean contribution of a step (from 0) to an output, over rows."""
        return self._estimate(self.mean, self.mean_error, step, output)

    def size_estimate(self, step: int, output: int) -> Estimate:
        """Mean absolute contribution of a step (from 0) to an output, over rows."""
        return self._estimate(self.size, self.size_error, step, output)

    def sentences(self, output: int, score: str | None = None) -> tuple[str, ...]:
        """One plain sentence for each step: what it did to an output, which ``score`` calls in a sentence."""
        name, shares = score or self.outputs[output], self.shares[:, output]
        return tuple(
            say(
                "Step {step} moves {output} by {size} in a row on average, {share} of what all steps move; its mean "
                "with sign is {mean}.",
                step=step + 1,
                output=name,
                size=amount(float(self.size[step, output])),
                share=percent(float(shares[step])),
                mean=signed(float(self.mean[step, output])),
            )
            for step in range(self.n_steps)
        )

    def _estimate(self, values: Floats, errors: Floats, step: int, output: int) -> Estimate:
        if self.n_rows == 0:
            return Estimate(value=None, n=0, how=say("no row"))
        value, error = float(values[step, output]), float(errors[step, output])
        if not math.isfinite(error):
            return Estimate(value=value, n=self.n_rows, how=say("one row has no interval"))
        margin = float(student_point(self.n_rows - 1)) * error
        return Estimate(
            value=value, low=value - margin, high=value + margin, n=self.n_rows, how=say("Student's t over the rows")
        )


def step_effects(parts: Iterable[MaskExplanation]) -> StepEffects:
    """Mean contributions over explanations of consecutive rows.

    Raises:
        ExplanationError: there is no explanation.
    """
    totals: _Totals | None = None
    for part in parts:
        totals = totals or _Totals(part)
        totals.add(part.contributions)
    if totals is None:
        raise ExplanationError("there is no explained row to summarise; explain at least one row")
    return totals.effects()


def step_effects_by_part(parts: Iterable[MaskExplanation], divided: RowParts) -> tuple[StepEffects, ...]:
    """The same for each part of the rows (G), such as each class or each slice; a part may have no row.

    Raises:
        ExplanationError: there is no explanation.
        ValueError: the rows are not as many as ``divided`` has.
    """
    totals: list[_Totals] = []
    for part, codes in chunk_parts(parts, divided):
        totals = totals or [_Totals(part) for _ in divided.names]
        for number, total in enumerate(totals):
            total.add(part.contributions[:, codes == number])
    if not totals:
        raise ExplanationError("there is no explained row to summarise; explain at least one row")
    return tuple(total.effects() for total in totals)


def effect_table(effects: Mapping[str, StepEffects]) -> pd.DataFrame:
    """Every number of some effects, by the name of their part of the rows: one line a part, output and step."""
    lines = []
    for name, effect in effects.items():
        for output, output_name in enumerate(effect.outputs):
            for step in range(effect.n_steps):
                mean, size = effect.mean_estimate(step, output), effect.size_estimate(step, output)
                line = {"rows in": name, "rows": effect.n_rows, "output": output_name, "step": step + 1}
                line |= {"mean": mean.value, "mean low": mean.low, "mean high": mean.high}
                line |= {"mean size": size.value, "mean size low": size.low, "mean size high": size.high}
                lines.append({**line, "share of size": float(effect.shares[step, output])})
    return pd.DataFrame(lines)


class _Totals:
    def __init__(self, part: MaskExplanation) -> None:
        shape = (part.n_steps, len(part.outputs))
        self.outputs, self.base = part.outputs, part.base
        self.mean, self.size = _Moments(shape), _Moments(shape)

    def add(self, contributions: npt.NDArray[np.float32]) -> None:
        by_row = contributions.transpose(1, 0, 2).astype(np.float64)
        self.mean.add(by_row)
        self.size.add(np.abs(by_row))

    def effects(self) -> StepEffects:
        return StepEffects(
            outputs=self.outputs,
            base=self.base,
            n_rows=self.mean.n,
            mean=self.mean.mean,
            mean_error=self.mean.standard_error,
            size=self.size.mean,
            size_error=self.size.standard_error,
        )
