"""A table of five kinds of columns, models of it whose boundary is known, and a checker of limits of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.finding import find_counterfactuals
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import SearchSettings
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.wanted import wanted_class

KINDS = {
    "age": Kind.NUMBER,
    "income": Kind.NUMBER,
    "ratio": Kind.NUMBER,
    "job": Kind.CATEGORY,
    "member": Kind.BOOLEAN,
    "joined": Kind.DATETIME,
}
JOBS = ("clerk", "cook", "nurse", "pilot")


def applicants(n_rows: int = 200, seed: int = 0, *, missing: float = 0.05) -> pd.DataFrame:
    """Whole years, incomes in hundreds, ratios of two decimals, jobs, truth values, days."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": generator.integers(18, 80, n_rows).astype(float),
            "income": generator.integers(100, 900, n_rows) * 100.0,
            "ratio": generator.integers(0, 101, n_rows) / 100,
            "job": generator.choice(JOBS, n_rows, p=(0.4, 0.3, 0.25, 0.05)),
            "member": generator.random(n_rows) < 0.5,
            "joined": np.datetime64("2020-01-01", "us") + generator.integers(0, 900, n_rows).astype("timedelta64[D]"),
        }
    )
    for name in ("age", "income", "job"):
        frame.loc[generator.random(n_rows) < missing, name] = None
    return frame


def applicant_encoder(frame: pd.DataFrame) -> TableEncoder:
    columns = tuple(
        Column(name=name, kind=kind, integer=name in {"age", "income"}, unit="EUR" if name == "income" else None)
        for name, kind in KINDS.items()
    )
    target = Column(name="granted", kind=Kind.CATEGORY, role=Role.TARGET)
    return TableEncoder.fit(frame, FeatureSchema(columns=(*columns, target), task=Task.BINARY, classes=("no", "yes")))


@dataclass(frozen=True)
class RawModel:
    """A model written on the raw numbers; ``function`` gets a table of them and gives logits (B, K)."""

    encoder: TableEncoder
    function: Callable[[pd.DataFrame], np.ndarray]
    outputs: tuple[str, ...] = ("yes",)
    run_id: str = "run-1"

    @property
    def layout(self):
        return self.encoder.layout

    def logits(self, table: EncodedTable) -> np.ndarray:
        numeric = table.numeric.astype(np.float64) * self.encoder.numeric_scale + np.array(self.encoder.numeric_mean)
        features = self.encoder.schema.features
        raw: dict[str, np.ndarray] = {}
        for slot, feature in enumerate(self.layout.numeric_feature):
            column = features[feature]
            part = column.datetime_parts.index("elapsed_days") if column.kind is Kind.DATETIME else 0
            first = self.layout.numeric_feature.index(feature)
            if slot == first + part:
                raw[column.name] = numeric[:, slot].round(3)
        for slot, feature in enumerate(self.layout.categorical_feature):
            names = np.array(["missing", "unseen", *features[feature].categories], dtype=object)
            raw[features[feature].name] = names[table.categorical[:, slot]]
        values = np.asarray(self.function(pd.DataFrame(raw)), dtype=np.float64)
        return values.reshape(len(table), len(self.outputs))


def codecs(task: Task = Task.BINARY, classes: tuple[str, ...] = ("no", "yes")) -> TargetCodecs:
    return TargetCodecs((TargetCodec(name="granted", task=task, classes=classes),))


@dataclass(frozen=True, repr=False)
class World:
    """A table, a model of it, and what is known of its rows."""

    frame: pd.DataFrame
    scorer: RowScorer
    reference: Reference

    def _repr_pretty_(self, printer, _cycle) -> None:
        printer.text("World()")  # a failing property prints its arguments

    @classmethod
    def of(cls, function, *, targets: TargetCodecs | None = None, frame: pd.DataFrame | None = None) -> World:
        table = applicants() if frame is None else frame
        encoder = applicant_encoder(table)
        known = targets or codecs()
        scorer = RowScorer(RawModel(encoder, function, known.outputs), encoder, known)
        return cls(table, scorer, Reference.build(scorer, table))

    def ask(self, row, constraints=(), *, together=(), settings=None, wanted=None, **further):
        """Counterfactuals of a row, however unusual, for the wish "yes" unless another is named."""
        return find_counterfactuals(
            self.scorer,
            self.reference,
            row,
            wanted or wanted_class(self.scorer.targets, "yes"),
            constraints=Constraints(columns=tuple(constraints), together=tuple(together)),
            settings=settings or SearchSettings(min_usual=0.0),
            **further,
        )

    def row(self, **cells) -> pd.DataFrame:
        """One line: a plain applicant with some cells set."""
        plain = {
            "age": 40.0, "income": 30_000.0, "ratio": 0.5, "job": "clerk", "member": False,
            "joined": pd.Timestamp("2021-01-01"),
        }  # fmt: skip
        return pd.DataFrame([{**plain, **cells}]).astype({"joined": "datetime64[us]"})


def breaches(row: pd.DataFrame, after: pd.DataFrame, constraints, frame: pd.DataFrame) -> list[str]:
    """Every limit that a changed row breaks, worked out from the raw cells alone."""
    found = []
    for name in KINDS:
        before, now = row[name].iloc[0], after[name].iloc[0]
        limit = constraints.of(name)
        if (pd.isna(before) and pd.isna(now)) or before == now:
            continue
        if limit.fixed:
            found.append(f"{name} is fixed")
        broken = _broken(name, before, now, limit, frame)
        found += [f"{name} {what}" for what, is_so in broken.items() if is_so]
    for group in constraints.together:
        found += _bond_breaches(group, row, after)
    return found


def _broken(name: str, before, now, limit, frame: pd.DataFrame) -> dict[str, bool]:
    if pd.isna(now):
        return {"was emptied": not limit.missing_allowed}
    ordered = pd.Timestamp if name == "joined" else float
    inside = now in set(frame[name].dropna()) or frame[name].min() <= now <= frame[name].max()
    off = False
    if limit.step is not None and not pd.isna(before):
        steps = ((now - before).days if name == "joined" else now - before) / limit.step
        off = abs(steps - round(steps)) > 1e-6
    return {
        "leaves the range of training": not inside,
        "is not among the allowed": bool(limit.categories) and now not in limit.categories,
        "does not go up": limit.direction == "up" and not now > before,
        "does not go down": limit.direction == "down" and not now < before,
        "is too low": limit.low is not None and now < ordered(limit.low),
        "is too high": limit.high is not None and now > ordered(limit.high),
        "is off its steps": off,
    }


def _bond_breaches(group, row: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    changed = [
        not ((pd.isna(row[name].iloc[0]) and pd.isna(after[name].iloc[0])) or row[name].iloc[0] == after[name].iloc[0])
        for name in group.columns
    ]
    if group.bond != "same direction" and any(changed) and not all(changed):
        return [f"{group.columns} are half changed"]
    moved = [after[name].iloc[0] - row[name].iloc[0] for name in group.columns if group.bond != "all or none"]
    if group.bond == "same amount" and np.ptp(moved) > 1e-6:
        return [f"{group.columns} move by different amounts"]
    if group.bond == "same direction" and np.nanmin([*moved, 0]) < 0 < np.nanmax([*moved, 0]):
        return [f"{group.columns} move apart"]
    return []


@dataclass(frozen=True)
class Cells:
    """The builders above, handed to tests as one fixture."""

    World = World
    RawModel = RawModel
    Target = Target
    applicants = staticmethod(applicants)
    applicant_encoder = staticmethod(applicant_encoder)
    codecs = staticmethod(codecs)
    breaches = staticmethod(breaches)


@pytest.fixture(scope="session")
def cells() -> Cells:
    return Cells()


@pytest.fixture(scope="session")
def by_income(cells) -> World:
    """Granted from an income above 41,250 on, and by nothing else; a missing income counts as 0."""
    return cells.World.of(lambda raw: (raw["income"].fillna(0) - 41_250) / 10_000)


@pytest.fixture(scope="session")
def additive(cells) -> World:
    """A sum of terms of every column."""

    def logits(raw: pd.DataFrame) -> np.ndarray:
        jobs = raw["job"].map({"clerk": 0.0, "cook": -1.0, "nurse": 1.0, "pilot": 2.0}).fillna(-0.5).astype(float)
        return (
            0.03 * (raw["age"].fillna(30) - 45)
            + (raw["income"].fillna(20_000) - 45_000) / 15_000
            - 3 * (raw["ratio"] - 0.5)
            + jobs
            + 0.6 * (raw["member"] == "True")
            - (raw["joined"] - 18_700) / 500
        )

    return cells.World.of(logits)
