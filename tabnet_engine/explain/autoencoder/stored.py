"""The explanation of a stored pretraining: which rows it rests on, and how the run keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.autoencoder.explanation import (
    AutoencoderExplanation,
    AutoencoderSettings,
    explain_autoencoder,
)
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.stored_arrays import FOLDER, load_json, reading, save_json
from tabnet_engine.explain.subject import ChosenRows, Steering
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["PART", "explain_autoencoder_run", "load_autoencoder_explanation"]

_NAME, _WORDS = "autoencoder", "explanation of its reconstruction"
PART = f"{FOLDER}/{_NAME}.json"
_DRAWN = msg("{n_drawn:,} of {n_rows:,} rows of this table, drawn at random")
_DRAWN_VALIDATION = msg("{n_drawn:,} of {n_rows:,} validation rows, drawn at random")
_DRAWN_TRAINING = msg("{n_drawn:,} of {n_rows:,} training rows, drawn at random")


def explain_autoencoder_run(
    run: Run,
    frame: pd.DataFrame,
    settings: AutoencoderSettings | None = None,
    *,
    is_own_table: bool = True,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    steering: Steering | None = None,
) -> tuple[Run, AutoencoderExplanation]:
    """Explain a stored pretraining and keep the result in its folder.

    Args:
        run: a pretraining.
        frame: the table that it was pretrained on, or another one with its columns.
        settings: how much is measured.
        is_own_table: rows are then drawn from those that the pretraining did not learn from, the background from
            those that it did; of another table both are drawn from all its rows.
        groups: columns that move together, by the group's name.
        steering: told about progress; may cancel.

    Returns:
        The run with the explanation listed among its parts, and the explanation.

    Raises:
        ExplanationError: the run is no pretraining, or the table is not the one it was pretrained on.
        SchemaError: a column that the run reads is missing.
    """
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    settings = settings or AutoencoderSettings()
    model = PretrainedAutoencoder.of_run(run, settings.own_cell)
    chosen, background = _drawn(run, frame, settings, is_own_table=is_own_table)
    explanation = explain_autoencoder(model, chosen, background, settings, groups=groups, steering=steering)
    return save_json(run, _NAME, explanation.to_mapping()), explanation


def _drawn(
    run: Run, frame: pd.DataFrame, settings: AutoencoderSettings, *, is_own_table: bool
) -> tuple[ChosenRows, BackgroundSample]:
    encoded = run.encoder.transform(frame)
    everything = np.arange(len(frame), dtype=np.int64)
    held_out, learned = everything, everything
    words = (_DRAWN, _DRAWN)
    if is_own_table:
        held_out, learned = run.splits.validation, run.splits.train
        words = (_DRAWN_VALIDATION, _DRAWN_TRAINING)
        if max(held_out.max(initial=-1), learned.max(initial=-1)) >= len(frame):
            raise ExplanationError(
                f"the table has {len(frame):,} rows and is not the one that this run was pretrained on; give that one"
            )
    generator = np.random.default_rng(settings.seed)
    if len(held_out) == 0 or len(learned) == 0:
        raise ExplanationError("there is no row to explain, or none for the background; give a table with rows")
    rows = _draw(generator, held_out, settings.n_rows)
    drawn = np.sort(_draw(generator, learned, settings.n_background))
    chosen = ChosenRows.from_table(encoded, rows, say(words[0], n_drawn=len(rows), n_rows=len(held_out)))
    described = Background(
        description=say(words[1], n_drawn=len(drawn), n_rows=len(learned)),
        rows=drawn,
        n_population=len(learned),
    )
    return chosen, BackgroundSample(described, encoded.take(drawn))


def _draw(generator: np.random.Generator, rows: npt.NDArray[np.int64], n_rows: int) -> npt.NDArray[np.int64]:
    """Some of the rows in random order, so that the first few of them are a draw too."""
    return generator.permutation(rows)[:n_rows].astype(np.int64)


def load_autoencoder_explanation(run: Run) -> AutoencoderExplanation:
    """What :func:`explain_autoencoder_run` kept.

    Raises:
        ExplanationError: the run was not explained yet.
        DamagedRunError: the part cannot be read.
    """
    content = load_json(run, _NAME, _WORDS)
    with reading(run, _WORDS):
        return AutoencoderExplanation.from_mapping(content)
