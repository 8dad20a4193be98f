"""Autoencoders whose truth is known: linear maps, and a small pretraining."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from tabnet_engine.config import ModelConfig, PretrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.autoencoder.matrix import MatrixAutoencoder
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.runs.artefact import DatasetRef, load_run, save_pretraining


def linear_module(weight: np.ndarray, bias: np.ndarray | None = None) -> nn.Module:
    """x -> W x + b in double precision."""
    module = nn.Linear(weight.shape[1], weight.shape[0]).double()
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(np.asarray(weight, dtype=np.float64)))
        module.bias.copy_(torch.from_numpy(np.zeros(len(weight)) if bias is None else bias))
    return module


@pytest.fixture(scope="session")
def linear():
    """Builds the autoencoder x_hat = A x, its latents z = E x."""

    def build(weight, encoder=None, **changes):
        names = tuple(f"x{place}" for place in range(len(weight)))
        latents = None if encoder is None else linear_module(np.asarray(encoder))
        return MatrixAutoencoder(linear_module(np.asarray(weight)), names, encoder=latents, **changes)

    return build


@pytest.fixture(scope="session")
def rows_of():
    """The explained rows and the background as the engine hands them over."""

    def build(table, n_rows, n_background):
        chosen = ChosenRows.from_table(table, np.arange(n_rows), "the first rows")
        drawn = np.arange(len(table) - n_background, len(table))
        background = Background(description="the last rows", rows=drawn, n_population=len(table))
        return chosen, BackgroundSample(background, table.take(drawn))

    return build


def related_columns(n_rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """A number and its double, a category that follows from it, a date, noise, a constant; some cells missing."""
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n_rows)
    frame = pd.DataFrame({"size": size, "weight": 2 * size + generator.normal(scale=0.1, size=n_rows)})
    frame["colour"] = np.where(size > 0.5, "red", np.where(size > -0.5, "green", "blue"))
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, n_rows), unit="D")
    frame["noise"] = generator.normal(size=n_rows)
    frame["always"] = "same"
    frame.loc[::7, "noise"] = np.nan
    frame.loc[3::11, "colour"] = None
    return frame


def related_schema() -> FeatureSchema:
    kinds = {"size": Kind.NUMBER, "weight": Kind.NUMBER, "colour": Kind.CATEGORY, "day": Kind.DATETIME}
    kinds |= {"noise": Kind.NUMBER, "always": Kind.CATEGORY}
    return FeatureSchema(columns=tuple(Column(name=name, kind=kind) for name, kind in kinds.items()))


@pytest.fixture(scope="session")
def pretraining(tmp_path_factory: pytest.TempPathFactory):
    """A stored pretraining that learned that size, weight and colour tell of each other, and its table."""
    from tabnet_engine.training.pretrain import pretrain_model

    frame = related_columns()
    model = pretrain_model(
        frame,
        related_schema(),
        ModelConfig(n_d=8, n_a=8, n_steps=2, n_shared=1, n_independent=1, n_bins=8, d_numeric=2, momentum=0.1),
        PretrainingConfig(max_epochs=25, batch_size=64, patience=0, device="cpu"),
    )
    reference = DatasetRef(sha256="ab" * 32, name="related.csv", n_rows=len(frame), n_columns=6)
    folder = tmp_path_factory.mktemp("runs") / "related"
    save_pretraining(model, folder, dataset=reference, read_options={}, title="related")
    return load_run(Path(folder)), frame
