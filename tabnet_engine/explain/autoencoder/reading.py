"""What was measured of an autoencoder in plain sentences. numpy only."""

from __future__ import annotations

import numpy as np

from tabnet_engine.explain.autoencoder.explanation import AutoencoderExplanation
from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance
from tabnet_engine.explain.autoencoder.information import LatentInformation
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley, ReconstructionTable
from tabnet_engine.explain.wording import amount, column_name, joined
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["explanation_sentences"]

_MOST_NAMED = 5
_NEEDED = msg(
    "The other columns need {column} most: without it their error grows by {size} on average ({low} to {high}); 1 is "
    "the error of always saying the mean."
)
_STAND_ALONE = msg("No column is needed by the others by more than chance makes of it: each could be left out.")
_ALONE = msg("Nothing else was shown to suffer without {columns}.")
_MOVES = msg("{column} moves the reconstruction of {other} most: by {size} of its standard deviations on average.")
_HELPS = msg("Knowing {column} lowers a row's error most, by {size} of its variance on average.")
_NO_HELP = msg("Knowing a column lowers no row's error on average.")


def explanation_sentences(found: AutoencoderExplanation) -> tuple[str, ...]:
    """What a reader must know first: what the columns need of each other, and what the latents know."""
    said = [*_needs(found.permutation)]
    if found.reconstruction is not None and found.reconstruction.values.size:
        said.extend(_strongest(found.reconstruction))
    if found.error is not None:
        said.append(_helps(found.error))
    if found.information is not None:
        said.append(_latents(found.information))
    return tuple(said)


def _needs(permuted: ReconstructionImportance) -> list[str]:
    """The player that the others need most, and those that nothing is shown to need."""
    sure = [place for place in permuted.order.tolist() if (permuted.cross[place].low or 0.0) > 0]
    if not sure:
        return [say(_STAND_ALONE)]
    first = permuted.cross[sure[0]]
    value, low, high = first.value or 0.0, first.low or 0.0, first.high or 0.0
    told = [
        say(
            _NEEDED,
            column=column_name(permuted.players[sure[0]]),
            size=amount(value),
            low=amount(low),
            high=amount(high),
        )
    ]
    alone = [column_name(name) for place, name in enumerate(permuted.players) if place not in sure]
    if alone:
        more = len(alone) - _MOST_NAMED
        if more > 1:
            alone = [*alone[:_MOST_NAMED], say_plural("{count} more column", "{count:,} more columns", more)]
        told.append(say(_ALONE, columns=joined(alone)))
    return told


def _strongest(table: ReconstructionTable) -> list[str]:
    """The pair of different columns of which one moves the other's reconstruction most."""
    same = np.array([[player == column for column in table.columns] for player in table.players])
    sizes = np.where(same, -1.0, table.values)
    player, column = np.unravel_index(int(sizes.argmax()), sizes.shape)
    if sizes[player, column] <= 0:
        return []
    return [
        say(
            _MOVES,
            column=column_name(table.players[player], start=True),
            other=column_name(table.columns[column]),
            size=amount(float(sizes[player, column])),
        )
    ]


def _helps(error: ErrorShapley) -> str:
    mean = error.values.mean(axis=0)
    best = int(mean.argmin())
    if mean[best] >= 0:
        return say(_NO_HELP)
    return say(_HELPS, column=column_name(error.players[best]), size=amount(float(mean[best])))


def _latents(found: LatentInformation) -> str:
    telling = int((found.is_told_apart.any(axis=0) & ~found.dead).sum())
    told = say_plural(
        "{count} of {n_latents} latents knows of a column by more than chance.",
        "{count:,} of {n_latents:,} latents know of a column by more than chance.",
        telling,
        n_latents=len(found.latents),
    )
    unknown = [
        column_name(name) for name, row in zip(found.features, found.is_told_apart, strict=True) if not row.any()
    ]
    if not unknown:
        return told
    more = len(unknown) - _MOST_NAMED
    if more > 1:
        unknown = [*unknown[:_MOST_NAMED], say_plural("{count} more column", "{count:,} more columns", more)]
    return one_text([told, say("None was shown to know of {columns}.", columns=joined(unknown))])
