"""Masks that say little or too much, as records and in plain sentences. numpy only: pages import this.

Shapes: S steps, F raw features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, distinct_values
from tabnet_engine.explain.mask_stream import MaskSummary
from tabnet_engine.explain.wording import column_name, percent
from tabnet_engine.texts.speaking import say

__all__ = ["MaskProblem", "ProblemKind", "distinct_shares", "mask_health", "mask_problems"]

ProblemKind = Literal["dead_step", "one_column", "collapsed", "dense", "identifier"]

_NO_WEIGHT = 0.02  # a step below this share of the decision hardly takes part
_ONE_COLUMN = 0.95  # a column above this share of a step's mask is all that the step reads
_SAME_MASK = 0.03  # below this spread between rows every row has nearly the same mask
_ALL_COLUMNS = 0.8  # above this share of the columns a step hardly selects
_FEW_COLUMNS = 5  # with fewer columns than this, reading all of them means nothing
_NEARLY_UNIQUE = 0.9  # above this share of different values among its cells a column names rows
_READ_MUCH = 0.1  # a column above this share of the aggregated masks takes part in most decisions
_FEW_ROWS = 20  # with fewer rows than this, different values in each of them mean nothing


@dataclass(frozen=True, kw_only=True)
class MaskProblem:
    """One thing about the masks that deserves a second look.

    ``step`` counts from 1 and is None where the problem is a column's over all steps. ``measured`` went beyond
    ``threshold``; both are in the unit that ``sentence`` names.
    """

    kind: ProblemKind
    step: int | None
    column: str | None
    measured: float
    threshold: float
    sentence: str


def mask_health(summary: MaskSummary, distinct: Mapping[str, float] | None = None) -> tuple[str, ...]:
    """One plain sentence for each step whose mask deserves a second look, then for each column that does.

    Args:
        summary: averages over rows.
        distinct: share of different values of columns that could name rows, from :func:`distinct_shares`.
    """
    said: dict[int | str | None, str] = {}
    for problem in mask_problems(summary, distinct):
        said.setdefault(problem.step or problem.column, problem.sentence)
    return tuple(said.values())


def mask_problems(summary: MaskSummary, distinct: Mapping[str, float] | None = None) -> tuple[MaskProblem, ...]:
    """Every problem found, by step, the gravest of a step first; none when there is no row.

    Arguments are those of :func:`mask_health`.
    """
    if not summary.n_rows:
        return ()
    by_step = [problem for step in range(summary.n_steps) for problem in _step_problems(summary, step)]
    return (*by_step, *_identifier_problems(summary, distinct or {}))


def distinct_shares(frame: pd.DataFrame, schema: FeatureSchema) -> dict[str, float]:
    """Share of different values among the present cells, of the columns the run reads that could name rows.

    Those are texts, categories and whole numbers: a measured quantity or a date differs in every row without
    naming it. Columns that the table does not hold, and tables of very few rows, are left out.
    """
    shares = {}
    for column in schema.features:
        if column.name not in frame or not _could_name_rows(frame[column.name], column):
            continue
        codes, _ = distinct_values(frame[column.name])
        n_present = int((codes >= 0).sum())
        if n_present >= _FEW_ROWS:
            shares[column.name] = (int(codes.max()) + 1) / n_present
    return shares


def _could_name_rows(cells: pd.Series, column: Column) -> bool:
    if column.kind in {Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT}:
        return True
    if column.kind is not Kind.NUMBER:
        return False
    numbers = as_numbers(cells)
    known = numbers[np.isfinite(numbers)]
    return bool((known == np.floor(known)).all())


def _step_problems(summary: MaskSummary, step: int) -> list[MaskProblem]:
    share = float(summary.mean_step_shares[step])
    if share < _NO_WEIGHT:
        text = say(
            "Step {step} makes only {share} of the decision: what it reads hardly matters, fewer steps may do.",
            step=step + 1,
            share=percent(share),
        )
        # What a step without weight reads is not worth a further word.
        return [_problem("dead_step", step, None, share, _NO_WEIGHT, text)]
    return [*_same_everywhere(summary, step), *_dense(summary, step)]


def _same_everywhere(summary: MaskSummary, step: int) -> list[MaskProblem]:
    n_features, found = len(summary.features), []
    if n_features == 1:
        return []
    leading = int(np.argmax(summary.mean_masks[step]))
    held, spread = float(summary.mean_masks[step, leading]), float(summary.spread[step])
    name = column_name(summary.features[leading])
    if held > _ONE_COLUMN:
        text = say(
            "Step {step} reads {column} in nearly every row ({share} of its mask): its mask does not tell rows apart.",
            step=step + 1,
            column=name,
            share=percent(held),
        )
        found.append(_problem("one_column", step, summary.features[leading], held, _ONE_COLUMN, text))
    if spread < _SAME_MASK and summary.n_rows > 1:
        text = say(
            "Step {step} has nearly the same mask in every row (spread {spread:.3f}; most of it on {column}): it "
            "selects columns once for all and does not tell rows apart.",
            step=step + 1,
            spread=spread,
            column=name,
        )
        found.append(_problem("collapsed", step, None, spread, _SAME_MASK, text))
    return found


def _dense(summary: MaskSummary, step: int) -> list[MaskProblem]:
    n_features, read = len(summary.features), float(summary.columns_read[step])
    limit = _ALL_COLUMNS * n_features
    if n_features < _FEW_COLUMNS or read <= limit:
        return []
    text = say(
        "Step {step} reads {read:.1f} of {n_features} columns in a row: it hardly selects; a larger sparsity lambda "
        "makes it choose.",
        step=step + 1,
        read=read,
        n_features=n_features,
    )
    return [_problem("dense", step, None, read, limit, text)]


def _problem(
    kind: ProblemKind, step: int, column: str | None, measured: float, threshold: float, text: str
) -> MaskProblem:
    return MaskProblem(kind=kind, step=step + 1, column=column, measured=measured, threshold=threshold, sentence=text)


def _identifier_problems(summary: MaskSummary, distinct: Mapping[str, float]) -> list[MaskProblem]:
    found = []
    for feature in summary.order.tolist():
        name, read = summary.features[feature], float(summary.mean_aggregate[feature])
        unique = distinct.get(name, 0.0)
        if read < _READ_MUCH or unique < _NEARLY_UNIQUE:
            continue
        sentence = say(
            "{column} holds {read} of all reading, and {unique} of its cells differ from each other: it may name "
            "rows, and what was learned from it would not carry over to new ones; consider leaving it out.",
            column=column_name(name, start=True),
            read=percent(read),
            unique=percent(unique),
        )
        found.append(
            MaskProblem(
                kind="identifier", step=None, column=name, measured=unique, threshold=_NEARLY_UNIQUE, sentence=sentence
            )
        )
    return found
