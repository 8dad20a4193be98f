"""What each decision step read, and what it added to each logit: exact, straight from the forward pass.

Shapes: B rows, F raw features, S steps, K outputs. Masks are non-negative and know no class: they say
what a step read, not which way it pushed. The step contributions do carry a sign, and with the base they
sum to the logits exactly (Arik & Pfister 2021, section 3.5 for the aggregate; the head is linear in the
sum of the steps, so its share per step is exact).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject

__all__ = [
    "CHUNK_ROWS",
    "MAX_STORED_CELLS",
    "MaskExplanation",
    "aggregate_masks",
    "concatenate",
    "explain_masks",
    "iterate_masks",
    "most_rows",
]

CHUNK_ROWS = 8_192
MAX_STORED_CELLS = 60_000_000  # float32: what a page still holds in memory, 240 MB
_TOLERANCE = 1e-4

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskExplanation:
    """Masks per step and aggregated, and the exact contribution of each step to each logit.

    ``masks`` (S, B, F) sum to one over F. ``step_sizes`` (S, B) are the paper's eta, the sum of ReLU(d)
    of a step. ``contributions`` (S, B, K) plus ``base`` (K) sum to ``logits`` (B, K).
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    masks: Floats32
    step_sizes: Floats32
    contributions: Floats32
    logits: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    selection: str = ""
    run_id: str = ""

    def __post_init__(self) -> None:
        n_steps, n_rows, n_outputs = self.n_steps, len(self.rows), len(self.outputs)
        expected = {
            "masks": (n_steps, n_rows, len(self.features)),
            "step_sizes": (n_steps, n_rows),
            "contributions": (n_steps, n_rows, n_outputs),
            "logits": (n_rows, n_outputs),
            "base": (n_outputs,),
        }
        for name, shape in expected.items():
            _check_array(name, getattr(self, name), shape)
        _check_masks(self.masks)
        _check_sum(self.contributions, self.base, self.logits)

    @property
    def n_steps(self) -> int:
        """S, the number of decision steps."""
        return len(self.masks)

    @property
    def n_rows(self) -> int:
        """B, how many rows are explained."""
        return len(self.rows)

    @property
    def aggregate(self) -> Floats32:
        """The paper's M_agg (B, F): masks weighed by the size of their step, each row summing to one.

        A row in which no step was active has no aggregate: zeros, see :attr:`silent`.
        """
        return aggregate_masks(self.masks, self.step_sizes)

    @property
    def step_shares(self) -> Floats32:
        """How much of the decision's size each step made (S, B); zeros where no step was active."""
        total = self.step_sizes.sum(axis=0)
        shares: Floats32 = np.divide(self.step_sizes, total, out=np.zeros_like(self.step_sizes), where=total > 0)
        return shares

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Rows (B) in which no step was active: their logits are the base alone."""
        silent: npt.NDArray[np.bool_] = self.step_sizes.sum(axis=0) <= 0
        return silent

    def take(self, positions: npt.ArrayLike | slice) -> Self:
        """The explanation of some of its rows, by position within this explanation; a slice copies nothing."""
        chosen = positions if isinstance(positions, slice) else np.asarray(positions)
        part = copy.copy(self)  # what was checked as a whole need not be checked again for a part
        changed = {
            "rows": self.rows[chosen],
            "masks": self.masks[:, chosen],
            "step_sizes": self.step_sizes[:, chosen],
            "contributions": self.contributions[:, chosen],
            "logits": self.logits[chosen],
        }
        for name, values in changed.items():
            object.__setattr__(part, name, values)
        return part

    def chunks(self, positions: npt.NDArray[np.int64] | None = None) -> Iterator[Self]:
        """All rows, or those at some positions, :data:`CHUNK_ROWS` at a time, without a copy of all of them."""
        n_rows = self.n_rows if positions is None else len(positions)
        for start in range(0, max(n_rows, 1), CHUNK_ROWS):
            stop = min(start + CHUNK_ROWS, n_rows)
            yield self.take(slice(start, stop) if positions is None else positions[start:stop])


def aggregate_masks(masks: Floats32, step_sizes: Floats32) -> Floats32:
    """M_agg = sum_i eta_i M_i, each row divided by its sum (paper section 3.5).

    Args:
        masks: (S, B, F).
        step_sizes: eta (S, B).

    Returns:
        (B, F); a row whose steps are all inactive stays zero instead of dividing by zero.
    """
    weighed: Floats32 = np.einsum("sb,sbf->bf", step_sizes, masks)
    total = weighed.sum(axis=1, keepdims=True)
    aggregate: Floats32 = np.divide(weighed, total, out=np.zeros_like(weighed), where=total > 0)
    return aggregate


def most_rows(n_steps: int, n_features: int, wanted: int) -> int:
    """How many of the ``wanted`` rows can have their masks stored: fewer when rows are wide."""
    return min(wanted, max(1, MAX_STORED_CELLS // ((n_steps + 1) * n_features)))


def concatenate(parts: Sequence[MaskExplanation]) -> MaskExplanation:
    """Join explanations of consecutive rows of one network."""
    return dataclasses.replace(
        parts[0],
        rows=np.concatenate([part.rows for part in parts]),
        masks=np.concatenate([part.masks for part in parts], axis=1),
        step_sizes=np.concatenate([part.step_sizes for part in parts], axis=1),
        contributions=np.concatenate([part.contributions for part in parts], axis=1),
        logits=np.concatenate([part.logits for part in parts]),
    )


def iterate_masks(
    subject: Subject, chosen: ChosenRows, *, steering: Steering | None = None
) -> Iterator[MaskExplanation]:
    """Explain chunk by chunk, in bounded memory: at most :data:`CHUNK_ROWS` rows each.

    Raises:
        JobCancelledError: the steering asked to stop.
    """
    from tabnet_engine.training.prediction import forward_batches

    steering = steering or Steering()
    base = subject.network.output_offset.detach().cpu().numpy().astype(np.float64)
    steering.step(0, len(chosen))
    for chunk in forward_batches(subject.network, chosen.table, batch_size=CHUNK_ROWS):
        stop = chunk.start + len(chunk.logits)
        yield MaskExplanation(
            features=subject.features,
            outputs=subject.outputs,
            rows=chosen.rows[chunk.start : stop],
            masks=chunk.masks,
            step_sizes=chunk.step_sizes,
            contributions=chunk.step_contributions,
            logits=chunk.logits.astype(np.float64),
            base=base,
            selection=chosen.selection,
            run_id=subject.run_id,
        )
        steering.step(stop, len(chosen))


def explain_masks(subject: Subject, chosen: ChosenRows, *, steering: Steering | None = None) -> MaskExplanation:
    """Masks and step contributions of the chosen rows, all in memory.

    Raises:
        ExplanationError: there is no row to explain.
        JobCancelledError: the steering asked to stop.
    """
    if len(chosen) == 0:
        raise ExplanationError("there is no row to explain; choose at least one row")
    return concatenate(list(iterate_masks(subject, chosen, steering=steering)))


def _check_array(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")


def _check_masks(masks: Floats32) -> None:
    if masks.size == 0:
        return
    if masks.min() < 0:
        raise ValueError(f"masks must not be negative, got {masks.min():g}")
    error = float(np.abs(masks.sum(axis=2, dtype=np.float64) - 1).max())
    if error > _TOLERANCE:
        raise ValueError(f"every mask must sum to one, one misses it by {error:.3g}")


def _check_sum(contributions: Floats32, base: npt.NDArray[np.float64], logits: npt.NDArray[np.float64]) -> None:
    if logits.size == 0:
        return
    error = float(np.abs(contributions.sum(axis=0, dtype=np.float64) + base - logits).max())
    # Single precision rounds each contribution by its own size, which may be far above that of their sum.
    scale = max(1.0, float(np.abs(logits).max()), float(np.abs(contributions).sum(axis=0, dtype=np.float64).max()))
    if error > _TOLERANCE * scale:
        raise ValueError(f"the steps' contributions must sum to the logits, they miss them by {error:.3g}")
