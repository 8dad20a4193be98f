from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ModelConfig, PretrainingConfig, TrainingConfig
from tabnet_engine.data.reading.dispatch import Table
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.data.several_targets import set_targets
from tabnet_engine.data.tasks import without_targets
from tabnet_engine.errors import StorageError
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run, save_pretraining, save_run
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import EpochRecord, History

REF = DatasetRef(sha256="ab" * 32, name="/home/anna/secret/people.csv", n_rows=40, n_columns=4)


def people(n_rows: int = 40) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    age = generator.integers(18, 80, n_rows).astype(float)
    age[3] = np.nan
    city = pd.Series(generator.choice(["Köln", "北京", "a.b"], n_rows))
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, n_rows), unit="D")
    bought = pd.Series(np.where(np.nan_to_num(age) > 50, "yes", "no"))
    return pd.DataFrame(
        {"age": age, "city": city, "since": pd.Series(since).astype("datetime64[us]"), "bought": bought}
    )


def people_schema(target: str = "bought") -> FeatureSchema:
    classes = ("no", "yes") if target == "bought" else ()
    kinds = {"age": Kind.NUMBER, "city": Kind.CATEGORY, "since": Kind.DATETIME, "bought": Kind.CATEGORY}
    columns = tuple(
        Column(name=name, kind=kind, role=Role.TARGET if name == target else Role.FEATURE)
        for name, kind in kinds.items()
    )
    return FeatureSchema(columns=columns, task=Task.BINARY if classes else Task.REGRESSION, classes=classes)


def as_table(frame: pd.DataFrame, **changes: Any) -> Table:
    told = {
        "options": ReadOptions(format="csv", delimiter=","),
        "notes": ("one line was skipped",),
        "sha256": "cd" * 32,
        "name": "people.csv",
    }
    return Table(frame=frame, **{**told, **changes})


TINY = ModelConfig(n_d=4, n_a=4, n_steps=2, n_bins=4)


def tiny_history() -> History:
    records = tuple(
        EpochRecord(
            epoch=number,
            seconds=0.5,
            train_loss=1 / number,
            validation_loss=1.1 / number,
            learning_rate=0.01,
            sparsity=0.2,
            validation={"auc": None, "accuracy": 0.5},
        )
        for number in (1, 2)
    )
    return History(records, 2)


def tiny_model(target: str = "bought", **changes: Any) -> Any:
    """A model of one target, or of several with commas between them."""
    from tabnet_engine.data.encoding import TableEncoder
    from tabnet_engine.data.splits import make_splits
    from tabnet_engine.data.target_set import TargetCodecs
    from tabnet_engine.data.targets import usable_rows
    from tabnet_engine.training.experiment import TrainedModel, build_network

    frame, schema = people(), people_schema()
    schema = set_targets(schema, frame, target.split(",")) if "," in target else people_schema(target)
    rows, _ = usable_rows(frame, schema)
    y = TargetCodecs.fit(frame, schema, rows).encode(frame, rows=rows)
    assert schema.task is not None
    splits = make_splits(y, schema.task, validation_fraction=0.2, test_fraction=0.2, seed=1).of(rows)
    encoder = TableEncoder.fit(frame, schema, rows=splits.train, n_bins=4)
    targets = TargetCodecs.fit(frame, schema, splits.train)
    training_config = TrainingConfig(max_epochs=2, seed=3)
    parts = {
        "network": build_network(encoder, targets, TINY, training_config).eval(),
        "encoder": encoder,
        "targets": targets,
        "splits": splits,
        "history": tiny_history(),
        "metrics": {"validation": {"auc": None, "accuracy": 0.5}, "test": {"accuracy": 0.75}},
        "model_config": TINY,
        "training_config": training_config,
        "notes": ("one row has no target and was left out",),
        "device": "cpu",
        "seconds": 1.5,
    }
    return TrainedModel(**{**parts, **changes})


def tiny_pretrained(**changes: Any) -> Any:
    from tabnet_engine.data.encoding import TableEncoder
    from tabnet_engine.data.splits import Splits
    from tabnet_engine.model.decoder import TabNetAutoencoder
    from tabnet_engine.training.pretrain import PretrainedModel
    from tabnet_engine.training.reconstruction import ColumnReconstruction, Reconstruction

    frame = people()
    schema = without_targets(people_schema(), frame)
    splits = Splits(np.arange(30), np.arange(30, 40), np.arange(0))
    encoder = TableEncoder.fit(frame, schema, rows=splits.train, n_bins=4)
    config = PretrainingConfig(max_epochs=2, mask_rate=0.4)
    columns = (
        ColumnReconstruction(name="age", error=0.5, standard_error=0.1, n_masked=4),
        ColumnReconstruction(name="city", error=None, standard_error=None, n_masked=0, skipped="constant"),
    )
    parts = {
        "network": TabNetAutoencoder(encoder.layout, TINY, config).eval(),
        "encoder": encoder,
        "splits": splits,
        "history": tiny_history(),
        "reconstruction": Reconstruction(columns=columns, overall=0.5, mask_rate=0.4, n_rows=10, seed=0),
        "model_config": TINY,
        "config": config,
        "notes": ("one column is constant and was left out",),
        "device": "cpu",
        "seconds": 2.5,
    }
    return PretrainedModel(**{**parts, **changes})


@pytest.fixture(scope="session")
def model() -> Any:
    return tiny_model()


@pytest.fixture
def save(model: Any, tmp_path: Path) -> Callable[..., Run]:
    def _save(folder: Path | None = None, **changes: Any) -> Run:
        told = {"dataset": REF, "read_options": {"delimiter": ","}, "title": "People"}
        return save_run(model, folder or tmp_path / "run", **{**told, **changes})

    return _save


@pytest.fixture(scope="session")
def saved_once(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "run"
    save_run(model, folder, dataset=REF, read_options={"delimiter": ","}, title="People")
    return folder


@pytest.fixture
def run(saved_once: Path, tmp_path: Path) -> Run:
    """A saved run to do anything to; copied, which is quicker than saving."""
    shutil.copytree(saved_once, tmp_path / "run")
    return load_run(tmp_path / "run")


@pytest.fixture(scope="session")
def pretrained() -> Any:
    return tiny_pretrained()


@pytest.fixture(scope="session")
def pretraining_saved_once(pretrained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretraining") / "run"
    save_pretraining(pretrained, folder, dataset=REF, read_options={"delimiter": ","}, title="All people")
    return folder


@pytest.fixture
def pretraining(pretraining_saved_once: Path, tmp_path: Path) -> Run:
    """A saved pretraining to do anything to."""
    shutil.copytree(pretraining_saved_once, tmp_path / "pretraining")
    return load_run(tmp_path / "pretraining")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path / "workspace")
    yield opened
    opened.close()


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its content; the database's own files apart."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("workspace.db"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@dataclass
class FaultyDisk:
    """Counts the operations that need the disk, and refuses from the chosen one on."""

    refuse_from: int
    code: int = errno.ENOSPC
    operations: int = 0
    refused: list[str] = field(default_factory=list)

    def ask(self, what: str) -> None:
        self.operations += 1
        if self.operations >= self.refuse_from:
            self.refused.append(what)
            raise OSError(self.code, os.strerror(self.code))


@pytest.fixture
def faulty_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FaultyDisk]:
    """Makes every write, rename, new folder and flush fail from the n-th on, as a full disk does."""

    def install(refuse_from: int, code: int = errno.ENOSPC) -> FaultyDisk:
        disk = FaultyDisk(refuse_from, code)

        def guard(owner: Any, name: str, *, when: Callable[..., bool] = lambda *_, **__: True) -> None:
            real = getattr(owner, name)

            def guarded(*args: Any, **kwargs: Any) -> Any:
                if when(*args, **kwargs):
                    disk.ask(name)
                return real(*args, **kwargs)

            monkeypatch.setattr(owner, name, guarded)

        for name in ("rename", "replace", "mkdir"):
            guard(Path, name)
        guard(Path, "open", when=lambda _path, mode="r", *_, **__: mode != "r" and "r" not in mode)
        guard(os, "fsync")
        return disk

    return install


@pytest.fixture
def refusals(
    faulty_disk: Callable[..., FaultyDisk], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Iterator[StorageError]]:
    """Does something with a disk that refuses from its first operation on, then from its second, and so on.

    Gives the error of each try, and ends when the disk was asked for all that was needed.
    """

    def tries(action: Callable[[], Any], code: int = errno.ENOSPC) -> Iterator[StorageError]:
        for refuse_from in range(1, 200):
            faulty_disk(refuse_from, code)
            try:
                action()
            except StorageError as error:
                caught = error
            else:
                return
            finally:
                monkeypatch.undo()
            yield caught

    return tries
