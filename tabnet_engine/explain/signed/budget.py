"""What a request for Shapley values may cost, checked before anything is computed.

Shapes: B explained rows, M background rows, P players. No bound changes a request: it is refused, with what to do.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError

__all__ = [
    "DEFAULT_PERMUTATIONS",
    "MAX_COALITIONS",
    "MAX_FEATURES",
    "MAX_FORWARDS",
    "MAX_FORWARDS_PER_ROW",
    "PERMUTATIONS_FOR_TARGET",
    "check_budget",
    "check_exact",
    "check_target_error",
    "default_evaluations",
]

DEFAULT_PERMUTATIONS = 10
# The most orders of a row when the request is for a standard error: a tenth of the error of one pair of orders.
PERMUTATIONS_FOR_TARGET = 100
# Players of one game. The memory is the same for any number; a row of 2,000 columns takes minutes.
MAX_FEATURES = 2_000
MAX_FORWARDS_PER_ROW = 10_000_000
MAX_FORWARDS = 5_000_000_000
# All coalitions of 16 varying columns.
MAX_COALITIONS = 2**16


def default_evaluations(n_players: int, *, target_error: float | None = None) -> int:
    """Coalitions for each explained row: ten orders of the columns, ``10 * (2P + 1)``.

    With a target for the standard error it is the bound of a search that stops when the target is reached, and
    ten times as much.
    """
    orders = DEFAULT_PERMUTATIONS if target_error is None else PERMUTATIONS_FOR_TARGET
    return orders * (2 * n_players + 1)


def check_target_error(target_error: float | None) -> None:
    """Refuse a standard error that nothing can have.

    Raises:
        ExplanationError: not a positive, finite number.
    """
    if target_error is not None and not (math.isfinite(target_error) and target_error > 0):
        raise ExplanationError(
            f"target_error must be a positive number, in the unit of the score, got {target_error}; leave it out to "
            "use the whole budget"
        )


def check_budget(
    n_players: int,
    n_rows: int,
    n_background: int,
    n_evaluations: int | None,
    target_error: float | None = None,
) -> int:
    """The number of orders that the budget pays for.

    Args:
        n_players: P, raw columns or groups of them.
        n_rows: B, rows to explain.
        n_background: M, background rows.
        n_evaluations: coalitions per explained row; by default those of :func:`default_evaluations`.
        target_error: the standard error at which a row stops, if any.

    Raises:
        ExplanationError: too few evaluations, or too much work; the text says what to change.
    """
    check_target_error(target_error)
    _check_counts(n_players, n_rows, n_background)
    least = 2 * n_players + 1
    wanted = default_evaluations(n_players, target_error=target_error) if n_evaluations is None else n_evaluations
    if wanted < least:
        raise ExplanationError(
            f"{wanted:,} evaluations are too few for {n_players:,} columns: at least {least:,} are needed, two for "
            "each column and one more; raise n_evaluations"
        )
    _check_forwards(wanted * n_background, n_rows, f"{wanted:,} evaluations", n_background)
    return wanted // least


def check_exact(n_varying: npt.ArrayLike, n_background: int) -> None:
    """Refuse an exact computation that would take too long.

    Args:
        n_varying: for each explained row (B,) the players whose cells differ from the background's: only these
            form coalitions.
        n_background: M, background rows.

    Raises:
        ExplanationError: too many coalitions, or no row or background row at all.
    """
    counts = np.asarray(n_varying, dtype=np.int64)
    _check_counts(1, len(counts), n_background)
    most = int(counts.max())
    if 2**most > MAX_COALITIONS:
        bound = MAX_COALITIONS.bit_length() - 1
        raise ExplanationError(
            f"exact Shapley values are computed for at most {bound} columns that differ from the background and a row "
            f"has {most:,}; sample instead, or put columns into groups"
        )
    coalitions = 2**counts
    total = int(coalitions.sum()) * n_background
    _check_forwards(int(coalitions.max()) * n_background, 1, f"{2**most:,} combinations of columns", n_background)
    if total > MAX_FORWARDS:
        raise ExplanationError(
            f"all combinations of columns of {len(counts):,} rows are {total:,} predictions, at most "
            f"{MAX_FORWARDS:,} are allowed in one request; sample instead, or lower n_shap_rows or n_background"
        )


def _check_counts(n_players: int, n_rows: int, n_background: int) -> None:
    if n_rows == 0:
        raise ExplanationError("there is no row to explain; choose at least one row")
    if n_background == 0:
        raise ExplanationError("the background has no rows; give at least one row that stands for not knowing a column")
    if n_players > MAX_FEATURES:
        raise ExplanationError(
            f"Shapley values are computed for at most {MAX_FEATURES:,} columns and this request has {n_players:,}; put "
            "columns into groups, use the masks, or train with fewer columns"
        )


def _check_forwards(per_row: int, n_rows: int, what: str, n_background: int) -> None:
    if per_row > MAX_FORWARDS_PER_ROW:
        raise ExplanationError(
            f"{what} over {n_background:,} background rows are {per_row:,} predictions for each explained row, at "
            f"most {MAX_FORWARDS_PER_ROW:,} are allowed; lower n_evaluations or n_background"
        )
    if per_row * n_rows > MAX_FORWARDS:
        raise ExplanationError(
            f"{n_rows:,} rows at {per_row:,} predictions each exceed the {MAX_FORWARDS:,} predictions of one request; "
            "lower n_shap_rows, n_evaluations or n_background"
        )
