"""Integrals along straight paths of functions with kinks, refined where they do not yet add up.

Shapes: M paths, P players, K outputs, L points asked for at once, I pieces of paths. Along a path the sum of all
players' slopes is the derivative of the output, so the integral over any piece of it must be what the output gained
there. That is an exact check of every piece by itself, and says where the work is needed: sparsemax and ReLU bend the
path in a few places, and between them the midpoint rule is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

__all__ = ["PathFunction", "PathIntegral", "integrate_paths"]

FIRST_PIECES = 16

# Of the squared misses that are allowed, the share that stays in pieces that are good enough.
_SETTLED_SHARE = 0.25
# Where the misses are small one by one but add up, this share of the pieces is cut, the worst first.
_CUT_SHARE = 0.25

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class PathFunction(Protocol):
    """Outputs and slopes at points of M paths, each from 0 to 1."""

    def values(self, paths: Ints, at: Floats) -> Floats:
        """Outputs (L, K) at the points ``at`` (L,) of the paths (L,)."""
        ...

    def slopes(self, paths: Ints, at: Floats) -> Floats:
        """What each player adds to each output per unit of the path, (L, P, K)."""
        ...


@dataclass(frozen=True, eq=False)
class PathIntegral:
    """``parts`` (P, K) summed over the paths; how much the output's gain is missed by, (K,), and the points used."""

    parts: Floats
    missed: Floats
    n_points: int
    is_converged: bool


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of paths (I): where they begin and how long they are, the output at both ends, the midpoint's slopes."""

    path: Ints
    start: Floats
    width: Floats
    before: Floats
    after: Floats
    slope: Floats

    @property
    def missed(self) -> Floats:
        """Gain of the output minus the integral, (I, K)."""
        missed: Floats = self.after - self.before - self.width[:, None] * self.slope.sum(axis=1)
        return missed

    @property
    def parts(self) -> Floats:
        """Integrals of all players summed over the pieces, (P, K)."""
        parts: Floats = np.tensordot(self.width, self.slope, axes=1)
        return parts

    def take(self, chosen: npt.NDArray[np.generic]) -> Self:
        """Some of the pieces."""
        return type(self)(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def join(self, *others: Self) -> Self:
        """These pieces and others."""
        names = self.__dataclass_fields__
        return type(self)(*(np.concatenate([getattr(one, name) for one in (self, *others)]) for name in names))


def integrate_paths(
    function: PathFunction, n_paths: int, *, tolerance: Floats, max_points: int, first_pieces: int = FIRST_PIECES
) -> PathIntegral:
    """The sum over ``n_paths`` paths of each player's integral of its slope.

    Every path is cut into equal pieces, then those pieces that miss most are cut into three, of which the middle one
    keeps its point.

    Args:
        function: outputs and slopes.
        n_paths: M.
        tolerance: for each output (K,), it stops when the sum over the paths misses the output's gain by no more,
            both as measured and as the root of the summed squares of the pieces' misses: misses that cancel by
            chance do not stop it.
        max_points: the most slopes asked for, over all paths.
        first_pieces: pieces of each path at the start, fewer where ``max_points`` does not pay for them.
    """
    pieces = _first_pieces(function, n_paths, min(first_pieces, max(1, max_points // n_paths)))
    n_points = len(pieces.path)
    while True:
        missed = pieces.missed / tolerance
        worst = _pieces_to_cut(missed)[: max(0, max_points - n_points) // 2]
        if len(worst) == 0:
            return PathIntegral(pieces.parts, pieces.missed.sum(axis=0), n_points, _is_settled(missed))
        rest = np.ones(len(missed), dtype=bool)
        rest[worst] = False
        pieces = pieces.take(rest).join(*_in_three(function, pieces.take(worst)))
        n_points += 2 * len(worst)


def _first_pieces(function: PathFunction, n_paths: int, n_pieces: int) -> _Pieces:
    edges = np.linspace(0, 1, n_pieces + 1)
    values = function.values(np.repeat(np.arange(n_paths), n_pieces + 1), np.tile(edges, n_paths))
    values = values.reshape(n_paths, n_pieces + 1, -1)
    path, start = np.repeat(np.arange(n_paths), n_pieces), np.tile(edges[:-1], n_paths)
    width = np.tile(np.diff(edges), n_paths)
    before, after = (part.reshape(len(path), -1) for part in (values[:, :-1], values[:, 1:]))
    return _Pieces(path, start, width, before, after, function.slopes(path, start + width / 2))


def _is_settled(missed: Floats) -> bool:
    """Whether what is missed (I, K), in units of the tolerance, is within it."""
    return bool((np.abs(missed.sum(axis=0)) <= 1).all() and ((missed**2).sum(axis=0) <= 1).all())


def _pieces_to_cut(missed: Floats) -> Ints:
    """The worst pieces, worst first; none when what is missed (I, K), in units of the tolerance, is within it."""
    if _is_settled(missed):
        return np.empty(0, dtype=np.int64)
    size = np.abs(missed).max(axis=1)
    order = np.argsort(-size, kind="stable")
    left = np.cumsum((size[order] ** 2)[::-1])[::-1]  # in this piece and all better ones
    n_unsettled = int((left > _SETTLED_SHARE).sum())
    return order[: n_unsettled or max(1, round(_CUT_SHARE * len(order)))].astype(np.int64)


def _in_three(function: PathFunction, pieces: _Pieces) -> list[_Pieces]:
    third = pieces.width / 3
    inner, outer = pieces.start + third, pieces.start + 2 * third
    n = len(third)
    values = function.values(np.tile(pieces.path, 2), np.concatenate([inner, outer]))
    slopes = function.slopes(np.tile(pieces.path, 2), np.concatenate([pieces.start + third / 2, outer + third / 2]))
    first = _Pieces(pieces.path, pieces.start, third, pieces.before, values[:n], slopes[:n])
    middle = _Pieces(pieces.path, inner, third, values[:n], values[n:], pieces.slope)
    last = _Pieces(pieces.path, outer, third, values[n:], pieces.after, slopes[n:])
    return [first, middle, last]
