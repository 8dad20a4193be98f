"""Tables whose deciding columns are known, trained once and kept: what the measurements of explanations start from.

Shapes: B explained rows, M background rows, F columns.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config import choose_settings
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.data.synthetic import TARGET, credit_applications
from tabnet_engine.data.synthetic_selection import SELECTION_TARGET, SELECTION_TASKS, selection_table
from tabnet_engine.explain.background import BackgroundSample, draw_background
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run, save_run

TABLES = (*SELECTION_TASKS, "credit")
WIDE, N_NOISE = "wide", 29  # Syn4 with more columns, for the speed of many
NEW_ROWS_SEED = 1_000_000  # rows to explain are none of those that were learned from


@dataclass(frozen=True)
class Scale:
    """How much is measured: the whole benchmark, or a test that it works."""

    n_train: int
    n_rows: int
    n_background: int
    max_epochs: int | None
    n_speed_rows: int
    n_million: int
    rounds: int


FULL = Scale(
    n_train=10_000,
    n_rows=200,
    n_background=50,
    max_epochs=None,
    n_speed_rows=50_000,
    n_million=1_000_000,
    rounds=5,
)
QUICK = Scale(
    n_train=300,
    n_rows=4,
    n_background=4,
    max_epochs=1,
    n_speed_rows=500,
    n_million=2_000,
    rounds=2,
)


@dataclass(frozen=True, eq=False)
class Known:
    """A trained run, new rows to explain, and which columns decide each of them, ``relevant`` (B, F)."""

    name: str
    run: Run
    train: pd.DataFrame
    new: pd.DataFrame
    relevant: npt.NDArray[np.bool_]
    n_background: int

    @cached_property
    def subject(self) -> Subject:
        """The network."""
        return Subject.of_run(self.run)

    @cached_property
    def chosen(self) -> ChosenRows:
        """The new rows, encoded."""
        rows = np.arange(len(self.new), dtype=np.int64)
        return ChosenRows.from_table(self.run.encoder.transform(self.new), rows, "new rows")

    @cached_property
    def background(self) -> BackgroundSample:
        """Training rows, in the shares of the classes."""
        rows, codec = self.run.splits.train, self.run.codec
        y = codec.encode(self.train, rows=rows)
        encoded = self.run.encoder.transform(self.train)
        return draw_background(encoded, rows, y, task=codec.task, n_rows=self.n_background, seed=0)

    @cached_property
    def y(self) -> npt.NDArray[np.generic]:
        """The new rows' classes."""
        return self.run.targets.encode(self.new, rows=np.arange(len(self.new)))


def known_table(name: str, scale: Scale, folder: Path) -> Known:
    """One table with its run; trained when ``folder`` does not hold it yet, with the settings any user gets."""
    train, _, target = _draw(name, scale.n_train, seed=0)
    new, relevant, _ = _draw(name, scale.n_rows, seed=NEW_ROWS_SEED)
    schema = set_target(propose_schema(train), train, target)
    path = folder / f"{name}-{scale.n_train}-{scale.max_epochs or 'default'}"
    run = load_run(path) if path.exists() else _train(train, schema, scale, path)
    places = [list(new.columns).index(feature) for feature in run.encoder.layout.feature_names]
    return Known(name, run, train, new, relevant[:, places], scale.n_background)


def _draw(name: str, n_rows: int, *, seed: int) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], str]:
    """A table, which of its columns decide each row (B, all columns), and its target."""
    if name in {*SELECTION_TASKS, WIDE}:
        frame, truth = selection_table("syn4" if name == WIDE else name, n_rows=n_rows, seed=seed)
        if name == WIDE:
            frame = _with_noise(frame, seed)
        padding = np.zeros((n_rows, frame.shape[1] - truth.relevant.shape[1]), dtype=np.bool_)
        return frame, np.concatenate([truth.relevant, padding], axis=1), SELECTION_TARGET
    frame, credit = credit_applications(n_rows=n_rows, seed=seed)
    deciding = np.isin(frame.columns, credit.deciding)
    return frame, np.tile(deciding, (n_rows, 1)), TARGET


def _with_noise(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same rows with more columns that decide nothing."""
    noise = np.random.default_rng(seed + 1).normal(size=(len(frame), N_NOISE))
    return pd.concat([frame, pd.DataFrame(noise, columns=[f"noise{place}" for place in range(N_NOISE)])], axis=1)


def _train(frame: pd.DataFrame, schema: FeatureSchema, scale: Scale, path: Path) -> Run:
    from tabnet_engine.training.experiment import train_model

    changes: dict[str, Any] = {} if scale.max_epochs is None else {"max_epochs": scale.max_epochs}
    model_config, training_config, _ = choose_settings(
        {"seed": 0, "device": "cpu", **changes},
        n_rows=len(frame),
        n_features=len(schema.features),
        n_categorical=schema.n_categorical,
    )
    print(f"training {path.name} ...", file=sys.stderr, flush=True)
    model = train_model(frame, schema, model_config, training_config)
    digest = hashlib.sha256(pd.util.hash_pandas_object(frame).to_numpy().tobytes()).hexdigest()
    reference = DatasetRef(sha256=digest, name=path.name, n_rows=len(frame), n_columns=frame.shape[1])
    return save_run(model, path, dataset=reference, read_options={}, title=path.name)
