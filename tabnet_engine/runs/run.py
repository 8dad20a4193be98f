"""One run folder, open for reading: every part is compared with its SHA-256 before it is believed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tabnet_engine.config import ModelConfig, PretrainingConfig, TrainingConfig
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import DamagedRunError, EngineError, StorageError, UserError
from tabnet_engine.runs.manifest import MANIFEST, RunManifest
from tabnet_engine.runs.parts import is_regular_file, parse_json, sha256_bytes, sha256_file, storage_errors
from tabnet_engine.training.history import History

if TYPE_CHECKING:
    from tabnet_engine.model.tabnet import TabNet
    from tabnet_engine.training.experiment import TrainedModel
    from tabnet_engine.training.pretrain import PretrainedModel
    from tabnet_engine.training.reconstruction import Reconstruction

__all__ = [
    "CONFIG",
    "CORE_PARTS",
    "HISTORY",
    "READ_OPTIONS",
    "RECONSTRUCTION",
    "SCHEMA",
    "SPLITS",
    "SPLIT_NAMES",
    "WEIGHTS",
    "Run",
    "pack_splits",
]

CONFIG, SCHEMA, WEIGHTS, HISTORY = "config.json", "schema.json", "weights.safetensors", "history.jsonl"
SPLITS, READ_OPTIONS, RECONSTRUCTION = "splits.parquet", "read_options.json", "reconstruction.json"
CORE_PARTS = (CONFIG, SCHEMA, WEIGHTS, HISTORY, SPLITS, READ_OPTIONS)
SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Run:
    """A run folder whose parts were verified when it was loaded, and each again when it is read.

    It is either a trained model or a pretraining (:attr:`is_pretraining`), which has no target: asking one for
    what only the other has raises :class:`UserError`. Reading anything but :meth:`network`, :meth:`model` and
    :meth:`pretrained` does not import torch.
    """

    folder: Path
    manifest: RunManifest

    @property
    def run_id(self) -> str:
        """The run's name for itself; explanations carry it."""
        return self.manifest.run_id

    @property
    def is_pretraining(self) -> bool:
        """Whether this is a pretrained encoder, to train from, and no model that predicts."""
        return self.manifest.task is Task.PRETRAINING

    def __contains__(self, name: str) -> bool:
        """Whether the run has a part of that name."""
        return name in self.manifest.parts

    def path(self, name: str) -> Path:
        """Where a part lies, for readers that take a slice of it.

        Raises:
            DamagedRunError: the run lists no such part.
        """
        if name not in self.manifest.parts:
            raise self._damaged(name, "is not listed in its manifest")
        return self.folder / name

    def read(self, name: str) -> bytes:
        """The bytes of a part, compared with the manifest.

        Raises:
            DamagedRunError: the part is not listed, missing or changed.
            StorageError: the run was deleted, or the part written anew, since this run was opened.
        """
        path = self.path(name)
        if not is_regular_file(path):
            raise self._differs(name, "is missing")
        with storage_errors(f"read {name!r} of the run {self.manifest.title!r}"):
            content = path.read_bytes()
        if sha256_bytes(content) != self.manifest.parts[name]:
            raise self._differs(name, "was changed after the run was saved")
        return content

    def verify(self) -> None:
        """Compare every part with the manifest.

        Raises:
            DamagedRunError: a part is missing or changed; the text names it.
        """
        own = (RECONSTRUCTION,) if self.is_pretraining else ()
        for name in (*CORE_PARTS, *own, *self.manifest.parts):
            path = self.path(name)
            if not is_regular_file(path):
                raise self._differs(name, "is missing")
            with storage_errors(f"read {name!r} of the run {self.manifest.title!r}"):
                digest = sha256_file(path)
            if digest != self.manifest.parts[name]:
                raise self._differs(name, "was changed after the run was saved")

    def reopened(self) -> Run:
        """The run as its folder has it now: another tab, or a job, may have changed it since it was opened.

        Raises:
            UserError: it was deleted.
            StorageError: its manifest cannot be read.
        """
        if not self.folder.exists():
            raise UserError(f"the run {self.manifest.title!r} was deleted meanwhile; choose another one")
        return Run(self.folder, RunManifest.read(self.folder))

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Files in the folder that the manifest does not list: named here, read by nothing."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir())
        return tuple(sorted(name for name in found if name not in {MANIFEST, *self.manifest.parts}))

    @cached_property
    def model_config(self) -> ModelConfig:
        """Settings of the network."""
        with self._parsing(CONFIG):
            return ModelConfig.from_mapping(self._json(CONFIG)["model"])

    @cached_property
    def training_config(self) -> TrainingConfig:
        """Settings of the training.

        Raises:
            UserError: the run is a pretraining.
        """
        self._require_training()
        with self._parsing(CONFIG):
            return TrainingConfig.from_mapping(self._json(CONFIG)["training"])

    @cached_property
    def pretraining_config(self) -> PretrainingConfig:
        """Settings of the pretraining.

        Raises:
            UserError: the run is no pretraining.
        """
        self._require_pretraining()
        with self._parsing(CONFIG):
            return PretrainingConfig.from_mapping(self._json(CONFIG)["pretraining"])

    @cached_property
    def encoder(self) -> TableEncoder:
        """From the user's columns to what the network reads."""
        with self._parsing(SCHEMA):
            return TableEncoder.from_mapping(self._json(SCHEMA)["encoder"])

    @cached_property
    def schema(self) -> FeatureSchema:
        """The columns, with the categories seen in training."""
        return self.encoder.schema

    @cached_property
    def targets(self) -> TargetCodecs:
        """From each target column to numbers and back.

        Raises:
            UserError: the run is a pretraining, which has no target.
        """
        self._require_training()
        with self._parsing(SCHEMA):
            targets = TargetCodecs.from_mapping(self._json(SCHEMA)["target"])
            self._check_agreement(targets)
            return targets

    @property
    def codec(self) -> TargetCodec:
        """The codec of a single target; with several, :attr:`targets` has one for each.

        Raises:
            UserError: the run is a pretraining, which has no target.
        """
        return self.targets.only

    @cached_property
    def reconstruction(self) -> Reconstruction:
        """How well a pretraining fills in hidden cells.

        Raises:
            UserError: the run is no pretraining.
        """
        from tabnet_engine.training.reconstruction import Reconstruction

        self._require_pretraining()
        with self._parsing(RECONSTRUCTION):
            return Reconstruction.from_mapping(self._json(RECONSTRUCTION))

    @cached_property
    def history(self) -> History:
        """What happened in each epoch; no epoch at all in a run that was imported."""
        with self._parsing(HISTORY):
            history = History.from_json_lines(self.read(HISTORY).decode())
            if history.best_epoch != self.manifest.best_epoch:
                raise ValueError(f"its best epoch is {history.best_epoch}, not {self.manifest.best_epoch}")
            return history

    @cached_property
    def splits(self) -> Splits:
        """Row positions of the training, validation and test rows in the dataset."""
        with self._parsing(SPLITS):
            return _unpack_splits(self.read(SPLITS))

    @cached_property
    def read_options(self) -> dict[str, Any]:
        """How the table's file was read, for reading another like it."""
        with self._parsing(READ_OPTIONS):
            return dict(self._json(READ_OPTIONS))

    def network(self) -> TabNet:
        """The trained network in evaluation mode, on the CPU; imports torch.

        Raises:
            UserError: the run is a pretraining.
            DamagedRunError: the weights are not those of the configured network.
        """
        self._require_training()
        from tabnet_engine.model.tabnet import TabNet
        from tabnet_engine.runs.weights import unpack_weights

        network = TabNet(self.encoder.layout, len(self.targets.outputs), self.model_config)
        with self._parsing(WEIGHTS):
            unpack_weights(network, self.read(WEIGHTS))
        return network.eval()

    def model(self) -> TrainedModel:
        """The run as training handed it over; imports torch.

        Raises:
            UserError: the run is a pretraining.
            DamagedRunError: a part is damaged.
        """
        from tabnet_engine.training.experiment import TrainedModel

        return TrainedModel(
            network=self.network(),
            encoder=self.encoder,
            targets=self.targets,
            splits=self.splits,
            history=self.history,
            metrics=self.manifest.metrics,
            model_config=self.model_config,
            training_config=self.training_config,
            notes=self.manifest.notes,
            device=self.manifest.device,
            seconds=self.manifest.seconds,
        )

    def pretrained(self) -> PretrainedModel:
        """The run as pretraining handed it over, on the CPU; imports torch.

        Raises:
            UserError: the run is no pretraining.
            DamagedRunError: a part is damaged, or the weights are not those of the configured network.
        """
        from tabnet_engine.model.decoder import TabNetAutoencoder
        from tabnet_engine.runs.weights import unpack_weights
        from tabnet_engine.training.pretrain import PretrainedModel

        network = TabNetAutoencoder(self.encoder.layout, self.model_config, self.pretraining_config)
        with self._parsing(WEIGHTS):
            unpack_weights(network, self.read(WEIGHTS))
        return PretrainedModel(
            network=network.eval(),
            encoder=self.encoder,
            splits=self.splits,
            history=self.history,
            reconstruction=self.reconstruction,
            model_config=self.model_config,
            config=self.pretraining_config,
            notes=self.manifest.notes,
            device=self.manifest.device,
            seconds=self.manifest.seconds,
        )

    def _require_training(self) -> None:
        if self.is_pretraining:
            raise UserError(
                f"the run {self.manifest.title!r} is a pretraining, which predicts nothing; train from it first"
            )

    def _require_pretraining(self) -> None:
        if not self.is_pretraining:
            raise UserError(f"the run {self.manifest.title!r} is no pretraining; choose one, or pretrain first")

    def _check_agreement(self, targets: TargetCodecs) -> None:
        """Raise ``ValueError`` where the stored targets are not those that the manifest announces."""
        announced = self.manifest
        if targets.task is not announced.task:
            raise ValueError(f"its task is {targets.task}, the manifest says {announced.task}")
        if ", ".join(targets.names) != announced.target:
            raise ValueError(f"its targets are {', '.join(targets.names)}, the manifest says {announced.target}")
        if targets.outputs != announced.outputs:
            raise ValueError("its outputs are not those of the manifest")

    def _json(self, name: str) -> Any:
        return parse_json(self.read(name))

    def _damaged(self, name: str, what: str) -> DamagedRunError:
        return DamagedRunError(
            f"the run {self.manifest.title!r} is damaged: its part {name!r} {what}; "
            "restore the folder from a copy or train again"
        )

    def _differs(self, name: str, what: str) -> StorageError:
        """A part that is not as listed: damaged, unless the run itself was changed since it was opened."""
        try:
            now = self.reopened().manifest.parts.get(name)
        except UserError as error:
            return StorageError(str(error))
        except EngineError:
            return self._damaged(name, what)
        if now == self.manifest.parts[name]:
            return self._damaged(name, what)
        return StorageError(f"the run {self.manifest.title!r} was changed meanwhile; reload the page to see it anew")

    @contextmanager
    def _parsing(self, name: str) -> Iterator[None]:
        """A part whose bytes are as saved, yet not what we write, was forged or written by a defect."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OSError, UserError) as error:
            raise self._damaged(name, f"does not hold what it should ({error})") from error


def pack_splits(splits: Splits) -> bytes:
    """One line for each row that was used: which split it fell into."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [getattr(splits, name) for name in SPLIT_NAMES]
    codes = np.repeat(np.arange(len(SPLIT_NAMES), dtype=np.int8), [len(part) for part in parts])
    names = pa.DictionaryArray.from_arrays(codes, list(SPLIT_NAMES))
    buffer = io.BytesIO()
    pq.write_table(pa.table({"row": np.concatenate(parts), "split": names}), buffer, compression="zstd")
    return buffer.getvalue()


def _unpack_splits(content: bytes) -> Splits:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content))
    rows = table["row"].to_numpy().astype(np.int64, copy=False)
    train, validation, test = (rows[pc.equal(table["split"], name).to_numpy()] for name in SPLIT_NAMES)
    return Splits(train=train, validation=validation, test=test)
