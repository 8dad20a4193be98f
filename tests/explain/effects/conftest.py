"""Sources with known effects: numpy models over tables that a real encoder reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.effects.source import EffectSource

BINARY = TargetCodecs((TargetCodec("bought", Task.BINARY, ("no", "yes")),))
PRICE = TargetCodecs((TargetCodec("price", Task.REGRESSION),))


@dataclass
class RawModel:
    """Scores as a function of the raw numbers (B, F) that the encoded cells stand for."""

    encoder: TableEncoder
    function: Callable[[np.ndarray], np.ndarray]
    outputs: tuple[str, ...] = ("price",)
    run_id: str = "run-1"

    @property
    def layout(self):
        return self.encoder.layout

    def logits(self, table: EncodedTable) -> np.ndarray:
        raw = table.numeric.astype(float) * self.encoder.numeric_scale + self.encoder.numeric_mean
        return np.asarray(self.function(raw), dtype=np.float64).reshape(len(table), len(self.outputs))


def numbers_source(values: np.ndarray, function, *, outputs=("price",), targets=PRICE, scale="logit") -> EffectSource:
    """Numbers x0, x1, ... and a model that is a function of them."""
    frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(values.shape[1])])
    schema = FeatureSchema(columns=tuple(Column(name=name, kind=Kind.NUMBER) for name in frame))
    encoder = TableEncoder.fit(frame, schema)
    return EffectSource(
        model=RawModel(encoder, function, outputs),
        encoder=encoder,
        targets=targets,
        frame=frame,
        rows=np.arange(100, 100 + len(frame)),
        selection="test rows",
        scale=scale,
    )


def mixed_frame(n_rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """age with missing cells, job of four categories that go with age, joined (a date), member (true or false)."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, n_rows).astype(float)
    jobs = np.array(["apprentice", "clerk", "manager", "retired"], dtype=object)
    job = jobs[np.clip(((age - 18) // 16 + generator.integers(-1, 2, n_rows)).astype(int), 0, 3)]
    job[::17] = None
    age[::9] = np.nan
    joined = pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, n_rows), unit="D")
    return pd.DataFrame(
        {
            "age": age,
            "job": pd.Series(job, dtype="str"),
            "joined": pd.Series(joined).astype("datetime64[us]"),
            "member": generator.random(n_rows) < 0.5,
        }
    )


def mixed_schema() -> FeatureSchema:
    kinds = {"age": Kind.NUMBER, "job": Kind.CATEGORY, "joined": Kind.DATETIME, "member": Kind.BOOLEAN}
    target = Column(name="bought", kind=Kind.CATEGORY, role=Role.TARGET)
    columns = (*(Column(name=name, kind=kind) for name, kind in kinds.items()), target)
    return FeatureSchema(columns=columns, task=Task.BINARY, classes=("no", "yes"))


@pytest.fixture(scope="session")
def numbers():
    return numbers_source


@pytest.fixture(scope="session")
def mixed(cases):
    """A function of the encoded table over the mixed columns."""

    def build(function, frame=None, outputs=("yes",), targets=BINARY, scale="logit"):
        frame = mixed_frame() if frame is None else frame
        encoder = TableEncoder.fit(frame, mixed_schema())
        model = cases.NumpyModel(encoder.layout, function, outputs)
        rows = np.arange(len(frame))
        return EffectSource(model=model, encoder=encoder, targets=targets, frame=frame, rows=rows, scale=scale)

    build.frame = mixed_frame
    return build
