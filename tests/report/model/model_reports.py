"""What tests of model and comparison reports share: materials, identities, small runs of every task, all texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabnet_engine.config import ModelConfig, ReportConfig, TrainingConfig
from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.report.document import Document, Identity, Table
from tabnet_engine.report.identity import identity_of
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.model.content import model_document
from tabnet_engine.report.reason_codes import ReasonCodes
from tabnet_engine.report.regulation import load_profile
from tabnet_engine.runs.artefact import DatasetRef, Run, save_run
from tabnet_engine.texts.speaking import speaking

STATED = ModelFacts(**{name: f"stated {{{name}}} <b>" for name in ModelFacts().to_mapping()})
WHO = Organisation(**{name: f"the {name}" for name in Organisation().to_mapping()})
HOSTILE = "<b>{c}</b>\n\u202e" + "x" * 300
_TASKS = {"price": Task.REGRESSION, "bought": Task.BINARY, "kind": Task.MULTICLASS}
_CLASSES = {"price": (), "bought": ("no", "yes"), "kind": ("a", "b", "c{x}")}


def materials_of(profile: str, *, language: str = "en", is_stated: bool = False) -> Materials:
    return Materials(
        profile=load_profile(profile, language),
        organisation=WHO if is_stated else Organisation(),
        facts=STATED if is_stated else ModelFacts(),
        codes=ReasonCodes(codes=()),
    )


def identity_for(run: Run, kind: Any, materials: Materials, *, seed: int = 0) -> Identity:
    config = ReportConfig(kind=kind, language=materials.profile.language, seed=seed)
    time = "2026-11-21T20:00:00+00:00"
    return identity_of(run, config, profile=materials.profile, created=time, row=None, extra={})


def report(
    run: Run, frame: pd.DataFrame | None, profile: str = "internal_model_risk", *, language: str = "en", **stated: bool
) -> Document:
    materials = materials_of(profile, language=language, **stated)
    with speaking(language):
        return model_document(run, frame, identity_for(run, "model", materials), materials)


def people(n_rows: int = 120, n_columns: int = 3) -> pd.DataFrame:
    """Numbers with gaps, a category under a hostile name, and a target of every kind."""
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.normal(size=(n_rows, n_columns)).round(2)).add_prefix("x")
    frame[HOSTILE] = generator.choice(["y" * 300, "{b}", "<i>"], n_rows)
    frame["price"] = 2 * frame["x1"] + generator.normal(size=n_rows)
    frame["bought"] = np.where(frame["x1"] > 0, "yes", "no")
    frame["kind"] = generator.choice(["a", "b", "c{x}"], n_rows)
    frame.loc[::7, "x0"] = np.nan
    return frame


def small_run(folder: Path, frame: pd.DataFrame, targets: Sequence[str], **settings: Any) -> Run:
    """A run of one epoch that predicts some of the targets of :func:`people`."""
    from tabnet_engine.training.experiment import train_model

    columns = [
        Column(name=str(name), kind=Kind.NUMBER if str(name).startswith("x") else Kind.CATEGORY)
        for name in frame.columns
        if name not in _TASKS
    ]
    for name in targets:
        kind = Kind.NUMBER if _TASKS[name] is Task.REGRESSION else Kind.CATEGORY
        columns.append(Column(name=name, kind=kind, role=Role.TARGET))
    heads = tuple(Target(name=name, task=_TASKS[name], classes=_CLASSES[name]) for name in targets)
    if len(heads) == 1:
        schema = FeatureSchema(columns=tuple(columns), task=heads[0].task, classes=heads[0].classes)
    else:
        schema = FeatureSchema(columns=tuple(columns), task=Task.MULTITASK, heads=heads)
    model = train_model(
        frame,
        schema,
        ModelConfig(n_d=4, n_a=4, n_steps=2, n_bins=4),
        TrainingConfig(max_epochs=1, batch_size=32, device="cpu", **settings),
    )
    table = DatasetRef(sha256="ab" * 32, name="people.csv", n_rows=len(frame), n_columns=frame.shape[1])
    return save_run(model, folder, dataset=table, read_options={}, title=folder.name)


def texts(document: Document) -> str:
    """Every text of a report, one a line."""
    return "\n".join(_texts(document.to_mapping()))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def tables(document: Document, start: str) -> list[Table]:
    """Tables whose caption starts with some words."""
    blocks = (block for section in document.sections for block in section.blocks)
    return [block for block in blocks if isinstance(block, Table) and block.caption.startswith(start)]


def with_manifest(run: Run, **changes: Any) -> Run:
    """The run as it would be if its manifest said otherwise."""
    return Run(run.folder, dataclasses.replace(run.manifest, **changes))
