"""Expected and integrated gradients on embedded inputs, folded back to raw columns.

Shapes: B explained rows, M background rows, D encoded width, P players, K outputs, L points of paths.

A category has no gradient, its embedding has: paths run through the embedded inputs, after the embedding and before
the input norm, and what the dimensions of one raw column add belongs to that column. The outputs at both ends of a
path are known, so the sum of the integrals is checked exactly; the points go where that sum is not yet met.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import check_target_error
from tabnet_engine.explain.signed.embedded_paths import EmbeddedPaths
from tabnet_engine.explain.signed.path import PathIntegral, integrate_paths
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.texts.speaking import msg, say

__all__ = ["DEFAULT_TARGET_ERROR", "LEAST_POINTS", "MOST_POINTS", "expected_gradients", "integrated_gradients"]

_ALGORITHMS = {
    "gradients": msg(
        "expected gradients: paths from every background row to the explained row, on the embedded inputs; {reached}"
    ),
    "integrated_gradients": msg(
        "integrated gradients: one path from the mean of the embedded background rows, so the base is the score at "
        "that point, on the embedded inputs; {reached}"
    ),
}

DEFAULT_TARGET_ERROR = 1e-5
MOST_POINTS = 2_000  # of each path, where the user names no number
LEAST_POINTS = 8
POINTS_OF_A_PATH = 200  # which most paths do not exceed
MAX_CELLS = 4_000_000  # slopes that are kept while so many points are refined: 32 MB, at worst ten times as much

Floats = npt.NDArray[np.float64]


def expected_gradients(  # noqa: PLR0913 - each is a choice of its own that the caller makes
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    n_points: int | None = None,
    target_error: float | None = None,
    path_error: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    steering: Steering | None = None,
) -> Attribution:
    """Integrated gradients from every background row, averaged (Erion et al. 2021, equation 4).

    DIFF(Erion 2021): every background row counts and the points of a path are chosen by how well its pieces add up,
    where the paper draws both at random; so nothing is sampled and there is no standard error.

    Args:
        subject: the network.
        chosen: the rows to explain (B).
        background: where the paths begin (M).
        players: raw columns, or groups of them.
        n_points: the most gradients for each path, on average over the background.
        target_error: it stops when values and base miss the logit by no more, in the unit of the logits.
        path_error: the same on the scale of each output: 1 of a class, a standard deviation of a target that is a
            number, whatever its unit; ``target_error`` goes before it.
        seed: only written down.
        device: where the network computes, ``cpu`` unless named: CUDA adds up gradients in varying order, so that
            the last digits of a repeated request would differ.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: no row to explain, or fewer than LEAST_POINTS points.
        SchemaError: a number is missing, and the network has no state for missing cells.
        JobCancelledError: the steering asked to stop.
    """
    request = _Request.checked(subject, chosen, players, n_points, target_error, path_error)
    base = subject.logits(background.encoded).mean(axis=0)
    paths = EmbeddedPaths.build(subject, request.players, device)
    results = _each_row(paths, chosen, paths.embed(background.encoded), request, steering or Steering())
    return _attribution("gradients", subject, chosen, background, base, results, request, seed)


def integrated_gradients(  # noqa: PLR0913 - as above
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    players: Players | None = None,
    n_points: int | None = None,
    target_error: float | None = None,
    path_error: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    steering: Steering | None = None,
) -> Attribution:
    """Integrated gradients from one baseline: the mean embedding of the background (Sundararajan et al. 2017).

    That point is no real row: its base value is the logit there, not the mean logit of the background.
    Arguments and errors as :func:`expected_gradients`.
    """
    request = _Request.checked(subject, chosen, players, n_points, target_error, path_error)
    paths = EmbeddedPaths.build(subject, request.players, device)
    baseline = paths.embed(background.encoded).mean(dim=0, keepdim=True)
    base = paths.offset + paths.scale * paths.outputs(baseline)[0]
    results = _each_row(paths, chosen, baseline, request, steering or Steering())
    return _attribution("integrated_gradients", subject, chosen, background, base, results, request, seed)


@dataclass(frozen=True)
class _Request:
    players: Players
    n_points: int
    target_error: float | None
    path_error: float | None

    @classmethod
    def checked(
        cls,
        subject: Subject,
        chosen: ChosenRows,
        players: Players | None,
        n_points: int | None,
        target_error: float | None,
        path_error: float | None,
    ) -> _Request:
        if len(chosen) == 0:
            raise ExplanationError("there is no row to explain; choose at least one row")
        wanted = MOST_POINTS if n_points is None else n_points
        if wanted < LEAST_POINTS:
            raise ExplanationError(
                f"{wanted:,} points are too few to follow a path: at least {LEAST_POINTS} are needed; "
                "raise n_evaluations"
            )
        check_target_error(target_error)
        return cls(players or Players.columns(subject.features), wanted, target_error, path_error)

    def tolerance(self, scale: Floats) -> Floats:
        """How much values and base may miss each output by (K,), in the units of the head."""
        if self.target_error is None:
            return np.full(len(scale), self.path_error or DEFAULT_TARGET_ERROR)
        return self.target_error / np.maximum(np.abs(scale), np.finfo(np.float64).tiny)

    def goal(self, scale: Floats) -> str:
        """The target in words."""
        if self.target_error is None and self.path_error is not None:
            if (scale == 1).all():
                return say("{error:g} of the score", error=self.path_error)
            return say("{error:g} of the score, of a number in standard deviations", error=self.path_error)
        if self.target_error is None:
            return say("{error:g} of the score's unit", error=DEFAULT_TARGET_ERROR)
        return say("{error:g} of the score", error=self.target_error)


@dataclass(frozen=True)
class _RowResult:
    """One row's values (P, K), the gradients a path that it took, and whether it met the target."""

    values: Floats
    n_points: int
    is_converged: bool


def _each_row(
    paths: EmbeddedPaths, chosen: ChosenRows, start: torch.Tensor, request: _Request, steering: Steering
) -> list[_RowResult]:
    """Rows one after the other: what one gets must not depend on the rows beside it, to the last bit."""
    results = []
    steering.step(0, len(chosen))
    for index in range(len(chosen)):
        end = paths.embed(chosen.table.take(np.array([index])))
        results.append(_one_row(paths, start, end, request))
        steering.step(index + 1, len(chosen))
    return results


def _one_row(paths: EmbeddedPaths, start: torch.Tensor, end: torch.Tensor, request: _Request) -> _RowResult:
    """Background rows in parts whose slopes fit in memory; each part answers for its share of the error."""
    size = max(1, MAX_CELLS // (POINTS_OF_A_PATH * paths.n_players * len(paths.scale)))
    tolerance = request.tolerance(paths.scale)
    done: list[PathIntegral] = []
    for part in torch.split(start, size):
        paths.lead(part, end)
        done.append(
            integrate_paths(paths, len(part), tolerance=tolerance * len(part), max_points=request.n_points * len(part))
        )
    values = np.sum([integral.parts for integral in done], axis=0) * (paths.scale / len(start))
    n_points = math.ceil(sum(integral.n_points for integral in done) / len(start))
    return _RowResult(values, n_points, all(integral.is_converged for integral in done))


def _attribution(
    method: str,
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    base: Floats,
    results: list[_RowResult],
    request: _Request,
    seed: int,
) -> Attribution:
    logits = subject.logits(chosen.table)
    values = np.stack([result.values for result in results])
    evaluations = np.array([result.n_points for result in results], dtype=np.int64)
    goal = request.goal(subject.network.output_scale.cpu().numpy())
    n_missed = sum(not result.is_converged for result in results)
    reached = (
        say("stopped within {goal}", goal=goal)
        if n_missed == 0
        else say(
            "{n_missed:,} of {n_rows:,} rows did not come within {goal} by {n_points:,} points a path",
            n_missed=n_missed,
            n_rows=len(results),
            goal=goal,
            n_points=request.n_points,
        )
    )
    return Attribution(
        method=method,
        features=request.players.names,
        outputs=subject.outputs,
        rows=chosen.rows,
        values=values,
        base=base,
        logits=logits,
        background=background.background,
        n_evaluations=int(evaluations.max()),
        n_permutations=0,
        seed=seed,
        additivity_error=float(np.abs(values.sum(axis=1) + base - logits).max()),
        selection=chosen.selection,
        run_id=subject.run_id,
        algorithm=say(_ALGORITHMS[method], reached=reached),
        target_error=request.target_error,
        evaluations=evaluations,
        groups=request.players.groups(subject.features),
    )
