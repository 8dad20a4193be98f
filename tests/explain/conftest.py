"""Stand-ins that the explanation tests share: small tables, models written in numpy, brute force."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.explain.attribution import Attribution, Background
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run, save_run


@dataclass
class NumpyModel:
    """A model written in numpy; counts the rows that it was asked for."""

    layout: InputLayout
    function: Callable[[EncodedTable], np.ndarray]
    outputs: tuple[str, ...] = ("yes",)
    run_id: str = "run-1"
    calls: list[int] = field(default_factory=list)

    def logits(self, table: EncodedTable) -> np.ndarray:
        self.calls.append(len(table))
        return np.asarray(self.function(table), dtype=np.float64).reshape(len(table), len(self.outputs))


def plain_layout(n_features: int) -> InputLayout:
    """One numeric slot for each feature."""
    names = tuple(f"x{index}" for index in range(n_features))
    return InputLayout(names, tuple(range(n_features)), (), (), ((-1.0, 1.0),) * n_features)


def mixed_layout() -> InputLayout:
    """age (number), joined (a date of three slots), job and sex (categories)."""
    return InputLayout(("age", "joined", "job", "sex"), (0, 1, 1, 1), (2, 3), (6, 4), ((-1.0, 1.0),) * 4)


def mixed_table(n_rows: int, seed: int = 0) -> EncodedTable:
    """Random rows of :func:`mixed_layout`, with missing numbers and all states of the categories."""
    generator = np.random.default_rng(seed)
    numeric = generator.normal(size=(n_rows, 4)).round(1).astype(np.float32)
    numeric[generator.random((n_rows, 4)) < 0.15] = np.nan
    categorical = np.stack([generator.integers(0, 6, n_rows), generator.integers(0, 4, n_rows)], axis=1)
    return EncodedTable(numeric, categorical.astype(np.int64))


def plain_table(values: np.ndarray) -> EncodedTable:
    """Numbers only."""
    return EncodedTable(np.asarray(values, dtype=np.float32), np.zeros((len(values), 0), dtype=np.int64))


def with_columns(layout: InputLayout, base: EncodedTable, row: EncodedTable, known: frozenset[int]) -> EncodedTable:
    """``base`` with the slots of the ``known`` raw features taken from the single ``row``."""
    numeric, categorical = base.numeric.copy(), base.categorical.copy()
    for slot, feature in enumerate(layout.numeric_feature):
        if feature in known:
            numeric[:, slot] = row.numeric[0, slot]
    for slot, feature in enumerate(layout.categorical_feature):
        if feature in known:
            categorical[:, slot] = row.categorical[0, slot]
    return EncodedTable(numeric, categorical)


def brute_force(model: NumpyModel, row: EncodedTable, background: EncodedTable) -> np.ndarray:
    """Interventional Shapley values (F, K) of one row by their definition, over all coalitions."""
    n = model.layout.n_features
    players = range(n)
    worth = {
        frozenset(known): model.logits(with_columns(model.layout, background, row, frozenset(known))).mean(axis=0)
        for size in range(n + 1)
        for known in combinations(players, size)
    }
    values = np.zeros((n, len(model.outputs)))
    for player in players:
        for known, before in worth.items():
            if player not in known:
                weight = factorial(len(known)) * factorial(n - len(known) - 1) / factorial(n)
                values[player] += weight * (worth[known | {player}] - before)
    return values


def make_masks(n_rows: int = 6, n_steps: int = 2, n_features: int = 3, n_outputs: int = 1, seed: int = 0):
    """A valid explanation with sparse masks, rows numbered from 10."""
    generator = np.random.default_rng(seed)
    raw = generator.random((n_steps, n_rows, n_features)) ** 3
    raw[raw < 0.05] = 0
    raw[..., 0] += 1e-3
    contributions = generator.normal(size=(n_steps, n_rows, n_outputs)).astype(np.float32)
    base = generator.normal(size=n_outputs)
    return MaskExplanation(
        features=tuple(f"f{index}" for index in range(n_features)),
        outputs=tuple(f"o{index}" for index in range(n_outputs)),
        rows=np.arange(10, 10 + n_rows),
        masks=(raw / raw.sum(axis=2, keepdims=True)).astype(np.float32),
        step_sizes=(generator.random((n_steps, n_rows)) + 0.1).astype(np.float32),
        contributions=contributions,
        logits=contributions.sum(axis=0, dtype=np.float64) + base,
        base=base,
        selection="all rows",
        run_id="run-1",
    )


def make_background(n_rows: int = 3) -> Background:
    """Background of the first training rows."""
    return Background(description="training rows", rows=np.arange(n_rows), n_population=100)


def make_attribution(values: np.ndarray, *, rows: np.ndarray | None = None, **changes: object) -> Attribution:
    """An additive attribution of ``values`` (B, F, K), rows numbered from 10."""
    n_rows, n_features, n_outputs = values.shape
    base = np.linspace(-0.5, 0.5, n_outputs)
    facts: dict[str, object] = {
        "method": "shap",
        "features": tuple(f"f{index}" for index in range(n_features)),
        "outputs": tuple(f"o{index}" for index in range(n_outputs)),
        "rows": np.arange(10, 10 + n_rows) if rows is None else rows,
        "values": values,
        "base": base,
        "logits": values.sum(axis=1) + base,
        "background": make_background(),
        "n_evaluations": 70,
        "n_permutations": 10,
        "seed": 0,
        "additivity_error": 1e-9,
        "standard_error": np.full(values.shape, 0.01),
        "selection": "all rows",
        "run_id": "run-1",
    }
    return Attribution(**{**facts, **changes})


@dataclass(frozen=True)
class Cases:
    """The builders above, handed to tests as one fixture."""

    NumpyModel = NumpyModel
    plain_layout = staticmethod(plain_layout)
    plain_table = staticmethod(plain_table)
    mixed_layout = staticmethod(mixed_layout)
    mixed_table = staticmethod(mixed_table)
    brute_force = staticmethod(brute_force)
    with_columns = staticmethod(with_columns)
    masks = staticmethod(make_masks)
    background = staticmethod(make_background)
    attribution = staticmethod(make_attribution)


@pytest.fixture(scope="session")
def cases() -> Cases:
    return Cases()


def people(n_rows: int = 60) -> pd.DataFrame:
    """Four features of four kinds, missing cells among them, and a target."""
    generator = np.random.default_rng(3)
    age = generator.integers(18, 80, n_rows).astype(float)
    age[::9] = np.nan
    joined = pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, n_rows), unit="D")
    return pd.DataFrame(
        {
            "age": age,
            "job": generator.choice(["clerk", "nurse", "<b>cook</b>"], n_rows),
            "member": generator.random(n_rows) < 0.5,
            "joined": pd.Series(joined).astype("datetime64[us]"),
            "bought": np.where(np.nan_to_num(age, nan=60) > 50, "yes", "no"),
        }
    )


def people_schema() -> FeatureSchema:
    kinds = {"age": Kind.NUMBER, "job": Kind.CATEGORY, "member": Kind.BOOLEAN, "joined": Kind.DATETIME}
    features = tuple(Column(name=name, kind=kind) for name, kind in kinds.items())
    target = Column(name="bought", kind=Kind.CATEGORY, role=Role.TARGET)
    return FeatureSchema(columns=(*features, target), task=Task.BINARY, classes=("no", "yes"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, pd.DataFrame]:
    """A small trained run, not to be written into, and its table."""
    from tabnet_engine.training.experiment import train_model

    frame = people()
    model = train_model(
        frame,
        people_schema(),
        ModelConfig(n_d=4, n_a=4, n_steps=2, n_bins=4),
        TrainingConfig(max_epochs=2, batch_size=16, device="cpu"),
    )
    folder = tmp_path_factory.mktemp("runs") / "people"
    reference = DatasetRef(sha256="ab" * 32, name="people.csv", n_rows=len(frame), n_columns=5)
    return save_run(model, folder, dataset=reference, read_options={}, title="people"), frame


@pytest.fixture
def run(trained: tuple[Run, pd.DataFrame], tmp_path: Path) -> Run:
    """A copy of the trained run that a test may write into."""
    return load_run(Path(shutil.copytree(trained[0].folder, tmp_path / "run")))


@pytest.fixture
def frame(trained: tuple[Run, pd.DataFrame]) -> pd.DataFrame:
    return trained[1].copy()
