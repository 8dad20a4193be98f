"""Finding rows that reach the wanted outcome within the limits.

Where all open combinations are few, each is tried. Otherwise two searches look for them: one changes the row column by
column and keeps the most promising partial changes (a beam), the other starts from the nearest training rows that the
model gives the wanted outcome, and takes back what is not needed (nearest unlike neighbours, Keane & Smyth 2020). Both
results are made sparse and brought as near as the data's resolution allows.

Shapes: n candidate rows, F raw features, R reference rows. torch is imported only where a network really runs.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.counterfactual.probe import OutOfTimeError, Probe
from tabnet_engine.explain.counterfactual.refining import placed, prune, shrink
from tabnet_engine.explain.counterfactual.selection import nearest_of_each_kind
from tabnet_engine.explain.counterfactual.variables import Choice, Variable
from tabnet_engine.texts.speaking import say

__all__ = ["Found", "search"]

EXHAUSTIVE = 20_000  # combinations that are all tried
FIRST_LEVELS, LATER_LEVELS = 48, 12  # values of a column tried alone, and with others; categories alone: all
FIRST_ROWS = 6_000  # tried alone altogether where columns are many; then each has fewer values, the later ones at least
BEAM, EXPLORERS, EXPLORED = 8, 4, 60  # partial changes kept: the best, and some drawn from those after them
SAME_COLUMNS = 2  # of the beam that change the same columns
N_STRONG = 40  # columns tried beyond the first change: those that came closest alone
MAX_DEPTH = 8
DISTANCE_WEIGHT = 0.2  # of distance against the share of the way still to go, in the order of the beam
POOL, N_NEIGHBOURS = 30, 24

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """Rows (n, F) that reach the outcome within all limits; whether every open combination was tried.

    ``shortened`` says in words what a search that tried only some of them left aside altogether; ``is_stopped``
    whether its time was over before it was done.
    """

    rows: Floats
    is_exhaustive: bool
    shortened: tuple[str, ...] = ()
    is_stopped: bool = False


def search(probe: Probe, reference: Floats, *, start: float, generator: np.random.Generator) -> Found:
    """Find rows that reach the outcome.

    Args:
        probe: the row and its question.
        reference: training rows that have the wanted outcome already (R, F), nearest first.
        start: the shortfall of the row as it is.
        generator: of the exploration.

    Raises:
        JobCancelledError: the user asked to cancel.
    """
    try:
        return _searched(probe, reference, start, generator)
    except OutOfTimeError:
        # What was found until then does reach the outcome; nearer rows may have been next.
        return Found(probe.hits, is_exhaustive=False, shortened=_shortened(probe), is_stopped=True)
    finally:
        probe.deadline = None


def _searched(probe: Probe, reference: Floats, start: float, generator: np.random.Generator) -> Found:
    variables = probe.moves.variables
    if not variables:
        return Found(np.empty((0, len(probe.moves.own))), is_exhaustive=True)
    # A Python product does not overflow; the empty cell and the row's own value count as values.
    if math.prod(item.n_values + 1 for item in variables) <= EXHAUSTIVE:
        rows = _all_combinations(probe)
        return Found(rows[probe.reached(rows)], is_exhaustive=True)
    flips = nearest_of_each_kind(probe, _beam(probe, start, generator), POOL)
    seeds = _neighbours(probe, reference[:N_NEIGHBOURS])
    pool = np.vstack([flips, prune(probe, seeds)])
    pool = shrink(probe, prune(probe, pool))
    return Found(pool[probe.within(pool)], is_exhaustive=False, shortened=_shortened(probe))


def _shortened(probe: Probe) -> tuple[str, ...]:
    """What the search leaves aside, however promising it is."""
    told = []
    n_open = len(probe.moves.variables)
    if n_open > N_STRONG:
        told.append(
            say(
                "Of {n_open:,} columns that may change, the {n_strong} that came closest alone were also changed "
                "together.",
                n_open=n_open,
                n_strong=N_STRONG,
            )
        )
    if _deepest(probe) > MAX_DEPTH:
        told.append(say("More than {n} changes were only taken from training rows.", n=MAX_DEPTH))
    return tuple(told)


def _all_combinations(probe: Probe) -> Floats:
    """Every open combination (n, F) within the limits, the row itself aside."""
    variables = probe.moves.variables
    levels = [item.levels(item.n_values) for item in variables]
    places = np.array(list(itertools.product(*(range(len(values) + 1) for values in levels))), dtype=np.int64)
    rows = np.repeat(probe.moves.own[None], len(places), axis=0)
    for index, (item, values) in enumerate(zip(variables, levels, strict=True)):
        own = probe.moves.own[list(item.places)]
        rows[:, list(item.places)] = np.vstack([own[None], values])[places[:, index]]
    rows = rows[probe.within(rows)]
    return rows[probe.moves.changed(rows).any(axis=1)]


def _beam(probe: Probe, start: float, generator: np.random.Generator) -> Floats:
    """Rows (n, F) that reach the outcome by changing one column after the other."""
    variables = probe.moves.variables
    n_levels = max(LATER_LEVELS, min(FIRST_LEVELS, FIRST_ROWS // len(variables)))
    first = [item.levels(item.n_values if isinstance(item, Choice) else n_levels) for item in variables]
    rows = np.vstack([placed(probe.moves.own, item, values) for item, values in zip(variables, first, strict=True)])
    short = probe.shortfall(rows)
    later = _later(variables, first, short)
    found, last_depth = [], min(MAX_DEPTH, _deepest(probe))
    for depth in range(1, last_depth + 1):
        # A row that reaches with half a bond only is not done: it goes on.
        done = (short <= 0) & probe.within(rows)
        found.append(rows[done])
        if depth == last_depth:
            break
        if len(found[-1]):
            # One further round: more columns that each move less are another kind of answer.
            last_depth = min(last_depth, depth + 1)
        states = _promising(probe, rows[~done], short[~done] / start, generator)
        if not len(states):
            break
        rows = np.vstack([_expanded(probe, state, later) for state in states])
        rows = rows[probe.moves.aligned_rows(rows) & (probe.moves.n_moves(rows) <= probe.max_changes)]
        rows = np.unique(rows, axis=0)
        short = probe.shortfall(rows)
    return np.vstack(found)


def _deepest(probe: Probe) -> int:
    """Rounds that the limits allow: each of the changes, and one for every further column of a bond."""
    return probe.max_changes + sum(len(group) - 1 for group in probe.moves.whole)


def _later(variables: tuple[Variable, ...], first: list[Floats], short: Floats) -> list[tuple[Variable, Floats]]:
    """The strongest variables with the values that they are tried with beside other changes."""
    parts = np.split(short, np.cumsum([len(values) for values in first])[:-1])
    strength = np.array([part.min(initial=np.inf) for part in parts])
    chosen = []
    for index in np.argsort(strength, kind="stable")[:N_STRONG]:
        item, values = variables[index], first[index]
        if isinstance(item, Choice):
            values = values[np.argsort(parts[index], kind="stable")[:LATER_LEVELS]]
        else:
            values = item.levels(LATER_LEVELS)
        chosen.append((item, values))
    return chosen


def _expanded(probe: Probe, state: Floats, later: list[tuple[Variable, Floats]]) -> Floats:
    """Every next change (n, F) of a partial one; a half-done bond is done first."""
    due = probe.moves.due(state)
    changed = probe.moves.changed(state[None])[0]
    steps = later if due is None else [(item, item.levels(LATER_LEVELS)) for item in due]
    parts = [placed(state, item, values) for item, values in steps if not changed[list(item.places)].any()]
    return np.vstack([np.empty((0, len(state))), *parts])


def _promising(probe: Probe, rows: Floats, left: Floats, generator: np.random.Generator) -> Floats:
    """The partial changes (n, F) to go on from; ``left`` (n) is the share of the way that is still to go."""
    order = np.argsort(left + DISTANCE_WEIGHT * probe.by_column(rows).sum(axis=1), kind="stable")
    changed = np.packbits(probe.moves.changed(rows), axis=1)
    kept: list[int] = []
    others: list[int] = []
    seen: dict[bytes, int] = {}
    for index in order:
        key = changed[index].tobytes()
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > SAME_COLUMNS:
            continue
        (kept if len(kept) < BEAM else others).append(int(index))
        if len(others) == EXPLORED:
            break
    explorers = generator.permutation(others)[:EXPLORERS].astype(np.int64).tolist()
    chosen: Floats = rows[kept + explorers]
    return chosen


def _neighbours(probe: Probe, reference: Floats) -> Floats:
    """Training rows (n, F) brought within the limits of single columns and bonds, those that still reach."""
    rows = np.repeat(probe.moves.own[None], len(reference), axis=0)
    for item in probe.moves.variables:
        rows[:, list(item.places)] = item.nearest(reference[:, list(item.places)])
    moved = rows - probe.moves.own
    for group in probe.moves.aligned:
        columns = np.array(group)
        mixed = (moved[:, columns] > 0).any(axis=1) & (moved[:, columns] < 0).any(axis=1)
        rows[np.ix_(np.flatnonzero(mixed), columns)] = probe.moves.own[columns]
    for group in probe.moves.whole:
        columns = np.array(group)
        partly = ~probe.moves.changed(rows)[:, columns].all(axis=1)
        rows[np.ix_(np.flatnonzero(partly), columns)] = probe.moves.own[columns]
    rows = np.unique(rows, axis=0)
    return rows[probe.reached(rows)]
