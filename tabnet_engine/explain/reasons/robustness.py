"""How often each principal reason stays one when the row, or the reference, is slightly another.

Shapes: M reference rows, P players, n players that vary, K outputs, R repetitions.

Shapley values against a background are the mean of those against each of its rows. So what each reference row adds is
computed once, and the reference drawn again with replacement (Efron 1979) costs a mean of these and no forward. Copies
of the row are explained anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.reasons.measuring import Measured, principal_places
from tabnet_engine.explain.reasons.records import Kept
from tabnet_engine.explain.signed.game import RowGame
from tabnet_engine.explain.signed.mixtures import Mixtures, mixtures_of
from tabnet_engine.explain.trust.stability import moved_copies, perturbed_rows
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.explain.subject import ChosenRows

__all__ = ["MOVED", "REDRAWN", "kept_outcome_of", "kept_reasons_of", "robustness_words"]

Floats = npt.NDArray[np.float64]

MOVED = msg("numbers moved by up to 0.05 standard deviations")
REDRAWN = msg("reference rows drawn again")

_FRACTION = 0.05  # of a column's standard deviation, as in the certificate
_N_COPIES = 100  # of the row, to see how often its outcome stays
_MOST_STEPS = 200_000  # of walks over all copies of a row: wide rows are explained against fewer reference rows
_FEWEST_ROWS, _MOST_ROWS = 15, 50  # of the reference, for copies
_STEPS_AT_ONCE = 500_000


def kept_reasons_of(measured: Measured, *, n_repetitions: int, seed: int) -> tuple[tuple[Kept, ...], ...]:
    """For each principal reason, by cause, the share of repetitions in which it is one again.

    Copies of the row that are decided otherwise do not count, so a row at the edge may have fewer repetitions than
    were asked for, and one without numbers has none by that cause.

    Args:
        measured: the row as it is.
        n_repetitions: for each cause; none gives nothing.
        seed: of the moves and draws; a row's depend on it and on its number alone.

    Raises:
        ExplanationError: the model contradicts itself.
    """
    places = measured.principal[0]
    if not n_repetitions or not places:
        return tuple(() for _ in places)
    found = {
        MOVED: _of_copies(measured, n_repetitions, seed),
        REDRAWN: _of_draws(measured, n_repetitions, seed),
    }
    return tuple(
        tuple(
            Kept(
                cause=say(cause),
                share=float(np.mean([place in again for again in repeated])),
                n_repetitions=len(repeated),
            )
            for cause, repeated in found.items()
            if repeated
        )
        for place in places
    )


def kept_outcome_of(measured: Measured, *, n_repetitions: int, seed: int) -> Kept | None:
    """How many copies of the row, its numbers moved a little, are decided as the row is: all copies count.

    Args:
        measured: the row as it is.
        n_repetitions: as for :func:`kept_reasons_of`; none asks for nothing.
        seed: of the moves; a row's depend on it and on its number alone.

    Returns:
        The share; None where nothing was asked for, or no column holds numbers that vary.
    """
    if not n_repetitions:
        return None
    model = measured.model
    try:
        copies = moved_copies(
            model.subject.layout,
            measured.chosen,
            measured.reference.background.encoded,
            fraction=_FRACTION,
            n_copies=_N_COPIES,
            seed=seed,
        )
    except ExplanationError:
        return None
    same = measured.score.selected(model.subject.logits(copies)) == measured.told.is_favourable
    return Kept(cause=say(MOVED), share=float(same.mean()), n_repetitions=_N_COPIES)


def robustness_words(measured: Measured, n_repetitions: int) -> str:
    """How it was measured, in one sentence."""
    if not n_repetitions:
        return say("Whether the reasons stay under slightly other conditions was not measured.")
    return say(
        "Repetitions are coarser than the reasons themselves: one order of the columns there and back for each of "
        "{n_rows:,} reference rows where these are drawn again, and for each of {n_copied:,} where numbers are moved, "
        "instead of {n_evaluations:,} evaluations. A reason that stays holds in spite of that.",
        n_rows=len(measured.reference.background.encoded),
        n_copied=_n_used(measured, n_repetitions),
        n_evaluations=measured.attribution.n_evaluations,
    )


def _of_copies(measured: Measured, n_repetitions: int, seed: int) -> list[list[int]]:
    """The principal reasons of copies whose numbers are moved a little and that are decided as the row is."""
    model, sample = measured.model, measured.reference.background
    try:
        copies = perturbed_rows(
            model.subject,
            model.targets,
            measured.chosen,
            sample.encoded,
            fraction=_FRACTION,
            n_repetitions=n_repetitions,
            seed=seed,
        )
    except ExplanationError:
        return []  # no column holds numbers that vary
    copies = _decided_alike(measured, copies)
    if not copies:
        return []
    players = Players.columns(model.subject.layout.feature_names)
    used = sample.encoded.take(_spread_out(len(sample.encoded), _n_used(measured, n_repetitions)))
    mixtures = mixtures_of(model.subject, players, used)
    generator = np.random.default_rng([seed, int(measured.chosen.rows[0]), 7])
    return [
        _principal(measured, _by_reference_row(measured, copy.table, used, mixtures, generator).mean(axis=0))
        for copy in copies
    ]


def _of_draws(measured: Measured, n_repetitions: int, seed: int) -> list[list[int]]:
    """The principal reasons against references drawn with replacement from the one there is."""
    encoded = measured.reference.background.encoded
    players = Players.columns(measured.model.subject.layout.feature_names)
    mixtures = mixtures_of(measured.model.subject, players, encoded)
    generator = np.random.default_rng([seed, int(measured.chosen.rows[0]), 8])
    values = _by_reference_row(measured, measured.chosen.table, encoded, mixtures, generator)
    draws = generator.integers(0, len(values), (n_repetitions, len(values)))
    return [_principal(measured, values[drawn].mean(axis=0)) for drawn in draws]


def _principal(measured: Measured, values: Floats) -> list[int]:
    most, is_favourable = measured.model.config.max_reasons, measured.told.is_favourable
    return principal_places(values, None, is_favourable=is_favourable, most=most)[0]


def _decided_alike(measured: Measured, copies: Sequence[ChosenRows]) -> list[ChosenRows]:
    if not copies:
        return []
    table = EncodedTable(
        np.concatenate([copy.table.numeric for copy in copies]),
        np.concatenate([copy.table.categorical for copy in copies]),
    )
    selected = measured.score.selected(measured.model.subject.logits(table))
    return [copy for copy, own in zip(copies, selected.tolist(), strict=True) if own == measured.told.is_favourable]


def _n_used(measured: Measured, n_repetitions: int) -> int:
    """Reference rows that copies are explained against: fewer for many columns and repetitions."""
    n_rows, n_players = len(measured.reference.background.encoded), len(measured.attribution.features)
    affordable = _MOST_STEPS // (2 * n_players * max(1, min(n_repetitions, _FEWEST_ROWS)))
    return min(n_rows, max(_FEWEST_ROWS, min(_MOST_ROWS, affordable)))


def _spread_out(n_rows: int, n_used: int) -> npt.NDArray[np.int64]:
    """So many of the rows, at equal distances."""
    return np.arange(n_used, dtype=np.int64) * n_rows // n_used


def _by_reference_row(
    measured: Measured,
    row: EncodedTable,
    background: EncodedTable,
    mixtures: Mixtures,
    generator: np.random.Generator,
) -> Floats:
    """What each column adds to the score from each reference row to the row: (M, P), Shapley values by sampled orders.

    Every reference row is walked to the row in an order of its own, forwards and backwards.
    """
    subject, n_rows = measured.model.subject, len(background)
    players = Players.columns(subject.layout.feature_names)
    game = RowGame(subject, players, row, background, mixtures=mixtures, is_single=True)
    values, n_varying = np.zeros((n_rows, len(players))), len(game.varying)
    if not n_varying:
        return values
    size = max(1, _STEPS_AT_ONCE // (2 * n_varying))
    for first in range(0, n_rows, size):
        starts = np.arange(first, min(first + size, n_rows))
        values[np.ix_(starts, game.varying)] = _walked(measured, game, starts, generator)
    return values


def _walked(measured: Measured, game: RowGame, starts: npt.NDArray[np.int64], generator: np.random.Generator) -> Floats:
    """What each varying player adds from each of some reference rows (B, n), the mean of both walks."""
    forwards = generator.random((len(starts), len(game.varying))).argsort(axis=1)
    walked = game.walks(np.concatenate([forwards, forwards[:, ::-1]]), np.concatenate([starts, starts]))
    there, back = np.split(np.diff(measured.score.values(walked), axis=1), 2)
    gains = np.empty_like(there)
    np.put_along_axis(gains, forwards, (there + back[:, ::-1]) / 2, axis=1)
    return gains
