"""The run's own training again with other seeds: what of the explanations was the seed's doing?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.artefact import Run
    from tabnet_engine.training.callbacks import Callback

__all__ = ["Retrained", "retrain", "why_not_retrained"]

_SEEDS = 2**32


@dataclass(frozen=True)
class Retrained:
    """One network trained anew, with the rows and the background as its own encoder reads them."""

    subject: Subject
    chosen: ChosenRows
    background: BackgroundSample


def why_not_retrained(run: Run) -> str | None:
    """Why a run cannot be trained again as it was; None where it can."""
    if not len(run.splits.train):
        return say("the run was imported without the rows it was trained on, so it cannot be trained again")
    if any(note.startswith("trained from the pretraining") for note in run.manifest.notes):
        return say(
            "the run started from a pretraining, which it does not hold, so it cannot be trained again as it was"
        )
    return None


def retrain(
    run: Run,
    frame: pd.DataFrame,
    chosen: ChosenRows,
    background: Background,
    *,
    seed_step: int,
    callbacks: Iterable[Callback] = (),
) -> Retrained:
    """Train with the run's settings and another seed, which splits the table, draws weights and orders batches anew.

    Args:
        run: gives settings and schema.
        frame: the table that it was trained on.
        chosen: the rows that will be explained, by their row numbers in that table.
        background: the background rows, by their row numbers in that table.
        seed_step: added to the run's seed, 1 or more.
        callbacks: told about every epoch and batch.

    Raises:
        SchemaError: ``frame`` is not the run's table.
        JobCancelledError: a callback asked to stop.
    """
    from tabnet_engine.training.experiment import train_model

    config = run.training_config
    model = train_model(
        frame,
        run.schema,
        run.model_config,
        config.replace(
            seed=(config.seed + seed_step) % _SEEDS,
            test_fraction=config.test_fraction if len(run.splits.test) else 0.0,
        ),
        callbacks=callbacks,
    )
    subject = Subject(model.network, model.encoder.layout, model.targets.outputs, run.run_id)
    encode = model.encoder.transform
    return Retrained(
        subject=subject,
        chosen=ChosenRows(encode(frame.iloc[chosen.rows]), chosen.rows, chosen.selection),
        background=BackgroundSample(background, encode(frame.iloc[background.rows])),
    )
