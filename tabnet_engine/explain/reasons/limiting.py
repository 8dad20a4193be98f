"""What the proposals of a report may change: the limits that a request sets, and whether a stored proposal keeps them.

A search is given these limits, and the check of evidence makes them anew from the request. No torch.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from tabnet_engine.data.schema import CATEGORICAL, Column, FeatureSchema, Kind
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.constraints import Constraint, Constraints, Direction
from tabnet_engine.explain.counterfactual.result import Change, CounterfactualResult
from tabnet_engine.explain.counterfactual.settings import SearchSettings
from tabnet_engine.explain.counterfactual.space import RowSpace, with_values
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig

__all__ = ["broken_limits", "needless_directions", "proposal_limits", "search_settings", "told_limits"]


def proposal_limits(
    schema: FeatureSchema, config: ReportConfig, protected: Sequence[str], *, known: Collection[str] = ()
) -> Constraints:
    """The limits of every proposal of a report.

    Args:
        schema: the run's.
        config: names the columns that stay, and those that move one way.
        protected: declared columns: no proposal changes them, whatever else is asked of them.
        known: columns of the table beside those of the schema.

    Returns:
        Columns that stay, then those that move one way; those that the model does not read cannot change anything, so
        they need no limit.

    Raises:
        ExplanationError: a column that is not there; one that is to move one way and is not read, or has no order.
    """
    names = {*known, *(column.name for column in schema.columns)}
    for name in config.fixed:
        if name not in names:
            raise ExplanationError(f"there is no column {name!r} to keep fixed; check the names of the fixed columns")
    read = schema.feature_names
    stays = [name for name in dict.fromkeys((*protected, *config.fixed)) if name in read]
    made = [Constraint(column=name, fixed=True) for name in stays]
    for words, direction, asked in _directions(config):
        for name in dict.fromkeys(asked):
            if name not in stays and name not in protected:
                _check_direction(schema, name, words, names)
                made.append(Constraint(column=name, direction=direction))
    return Constraints(columns=tuple(made))


def _directions(config: ReportConfig) -> tuple[tuple[str, Direction, tuple[str, ...]], ...]:
    return (msg("rising"), Direction.UP, config.rising), (msg("falling"), Direction.DOWN, config.falling)


def _check_direction(schema: FeatureSchema, name: str, words: str, known: Collection[str]) -> None:
    if name not in known:
        raise ExplanationError(f"there is no column {name!r}; check the names of the {words} columns")
    if name not in schema.feature_names:
        raise ExplanationError(
            f"the model does not read column {name!r}, so no proposal changes it; leave it out of the {words} columns"
        )
    if schema.column(name).kind is Kind.CATEGORY:
        raise ExplanationError(
            f"column {name!r} holds categories, which have no up and down; leave it out of the {words} columns, or "
            "name it among the fixed ones"
        )


def needless_directions(config: ReportConfig, protected: Collection[str]) -> tuple[str, ...]:
    """Columns of a direction that no proposal changes anyway, since they are protected."""
    return tuple(name for name in dict.fromkeys((*config.rising, *config.falling)) if name in protected)


def search_settings(config: ReportConfig) -> SearchSettings:
    """How many proposals a report asks for, of how many changes, with which seed."""
    return SearchSettings(n=config.n_counterfactuals, max_changes=config.max_changes, seed=config.seed)


def told_limits(schema: FeatureSchema, config: ReportConfig, protected: Sequence[str]) -> dict[str, Any]:
    """The same as names and numbers, for the settings of a case."""
    if not config.n_counterfactuals:
        return {"n_proposals": 0}
    limits = proposal_limits(schema, config, protected, known=(*config.fixed, *config.rising, *config.falling)).columns
    return {
        "n_proposals": config.n_counterfactuals,
        "max_changes": config.max_changes,
        "fixed": [item.column for item in limits if item.fixed],
        "rising": [item.column for item in limits if item.direction is Direction.UP],
        "falling": [item.column for item in limits if item.direction is Direction.DOWN],
    }


def broken_limits(
    schema: FeatureSchema,
    config: ReportConfig,
    protected: Sequence[str],
    cells: pd.DataFrame,
    stored: CounterfactualResult,
) -> Iterator[str]:
    """A sentence for each thing by which a stored answer is not one to the request; none where it is.

    What was proposed is compared with the row itself, not with what the answer says that the row was.

    Args:
        schema: the run's.
        config: the request.
        protected: declared columns.
        cells: the raw line.
        stored: the answer of the evidence.

    Raises:
        ExplanationError: the request does not fit the run.
        KeyError: the line lacks a column that the answer changes.
    """
    limits = proposal_limits(schema, config, protected, known=set(map(str, cells.columns)))
    if stored.constraints != limits:
        yield say("The limits that the changes are said to keep are not those of the request.")
    if stored.settings != search_settings(config):
        yield say("The changes were not sought with the settings of the request.")
    found = [
        (say("Proposal {number}", number=at), one.changes) for at, one in enumerate(stored.counterfactuals, start=1)
    ]
    if stored.nearest_miss is not None:
        found.append((say("What came closest"), stored.nearest_miss.changes))
    for what, changes in found:
        yield from _broken(what, changes, schema, limits, cells)
        if len(changes) > config.max_changes or len({change.column for change in changes}) < len(changes):
            yield say("{what} changes more columns than the request allows, or one of them twice.", what=what)


def _broken(
    what: str, changes: Sequence[Change], schema: FeatureSchema, limits: Constraints, cells: pd.DataFrame
) -> Iterator[str]:
    """What some changes of a row break, in sentences about ``what``."""
    space = RowSpace.of(schema)
    read = [change for change in changes if change.column in space.names]
    for name in dict.fromkeys(change.column for change in changes if change.column not in space.names):
        yield say("{what} changes '{column}', which the model does not read.", what=what, column=name)
    after = with_values(cells, {change.column: change.after for change in read})
    space = space.extended(cells).extended(after)
    own, proposed = space.matrix(cells)[0], space.matrix(after)[0]
    for change in read:
        place, words = space.names.index(change.column), {"what": what, "column": change.column}
        if space.plain(place, float(own[place])) != change.before:
            yield say("{what} gives '{column}' another present value than the row has.", **words)
        if not _keeps(limits.of(change.column), space.columns[place], float(own[place]), float(proposed[place])):
            yield say("{what} changes '{column}' in a way that the request does not allow.", **words)


def _keeps(limit: Constraint, column: Column, own: float, proposed: float) -> bool:
    """Whether a cell may go from one number to another, both as :class:`RowSpace` reads them.

    A cell that is missing, or that holds a category which training never saw, has no up or down.
    """
    if limit.fixed or math.isnan(proposed):
        return False
    if limit.direction is Direction.ANY:
        return True
    if math.isnan(own) or (column.kind in CATEGORICAL and own >= len(column.categories)):
        return False
    return proposed > own if limit.direction is Direction.UP else proposed < own
