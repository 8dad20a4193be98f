"""Models whose reasons are known by arithmetic, behind the encoder and the records that reports use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ReportConfig
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.reasons.measuring import CaseModel, Measured
from tabnet_engine.explain.reasons.reference import ApprovedRows, CandidateRows, ReferenceSample
from tabnet_engine.explain.reasons.scoring import FavourableScore, decision_for

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h", "i")


def numbers(n_rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """Nine columns of numbers: enough for a report to sample, where it asks for few evaluations."""
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n_rows, len(NAMES))).round(2), columns=list(NAMES))


@dataclass(frozen=True, repr=False)
class RawModel:
    """A model written on the raw numbers (B, 9), which gives logits (B, K)."""

    encoder: TableEncoder
    function: Callable[[np.ndarray], np.ndarray]
    outputs: tuple[str, ...]
    run_id: str = "run-1"

    @property
    def layout(self):
        return self.encoder.layout

    def logits(self, table: EncodedTable) -> np.ndarray:
        raw = table.numeric.astype(np.float64) * self.encoder.numeric_scale + np.array(self.encoder.numeric_mean)
        return np.asarray(self.function(raw.round(4)), dtype=np.float64).reshape(len(table), -1)


@dataclass(frozen=True, repr=False)
class World:
    """A table and a model of it; explains rows as a report does."""

    frame: pd.DataFrame
    model: CaseModel
    approved: ApprovedRows

    @classmethod
    def of(cls, function, *, codec: TargetCodec | None = None, frame: pd.DataFrame | None = None, **asked) -> World:
        table = numbers() if frame is None else frame
        codec = codec or TargetCodec(name="granted", task=Task.BINARY, classes=("no", "yes"))
        columns = tuple(Column(name=name, kind=Kind.NUMBER) for name in NAMES)
        target = Column(name=codec.name, kind=Kind.CATEGORY, role=Role.TARGET)
        schema = FeatureSchema(columns=(*columns, target), task=codec.task, classes=codec.classes)
        encoder, targets = TableEncoder.fit(table, schema), TargetCodecs((codec,))
        config = ReportConfig(**{"n_reference": 8, "n_repetitions": 0, **asked})
        decision, assumed = decision_for(
            codec, config.favourable, config.cutoff, is_high_favourable=config.is_high_favourable
        )
        model = CaseModel(
            subject=RawModel(encoder, function, targets.outputs),
            encoder=encoder,
            targets=targets,
            score=FavourableScore.of(targets, codec.name, decision),
            is_assumed=assumed,
            config=config,
        )
        candidates = CandidateRows(frame=table, rows=np.arange(len(table)), name="training rows")
        approved = ApprovedRows.find(model.subject, encoder, model.score, candidates, n_wanted=config.n_reference)
        return cls(table, model, approved)

    def reference(self, row: int | None = None) -> ReferenceSample:
        return self.approved.without(row)

    def cells(self, row: int) -> pd.DataFrame:
        return self.frame.iloc[[row]].reset_index(drop=True)

    def explain(self, row: int) -> Measured:
        return self.model.measure(self.cells(row), row, self.reference(row))

    @property
    def selected(self) -> np.ndarray:
        return self.model.score.selected(self.model.subject.logits(self.model.encoder.transform(self.frame)))


@dataclass(frozen=True)
class Reports:
    """The builders above, handed to tests as one fixture."""

    NAMES = NAMES
    World = World
    numbers = staticmethod(numbers)


@pytest.fixture(scope="session")
def reports() -> Reports:
    return Reports()


WEIGHTS = np.array([3.0, -2.0, 1.0, 0.5, -0.25, 0.1, 0.0, 0.0, 0.0])


@pytest.fixture(scope="session")
def weights() -> np.ndarray:
    return WEIGHTS


@pytest.fixture(scope="session")
def linear(reports) -> World:
    """Log-odds of "yes" that are a weighted sum of the columns; three of them count for nothing."""
    return reports.World.of(lambda raw: raw @ WEIGHTS)
