"""The end of an epoch on disk, from which another process goes on as if nothing had happened.

One safetensors file holds every tensor, and as JSON in its header everything else; it is replaced at once, so that
a crash leaves the old one or the new one. No pickle: nothing in the file is executed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from tabnet_engine.errors import ConfigError, StorageError
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.loop import LoopState
from tabnet_engine.training.optimization import Stepper, TorchOptimization

if TYPE_CHECKING:
    from tabnet_engine.model.decoder import TabNetAutoencoder
    from tabnet_engine.model.tabnet import TabNet

__all__ = [
    "Checkpoint",
    "GeneratorState",
    "Resumable",
    "fingerprint",
    "pack_state",
    "state_checksum",
    "training_identity",
    "unpack_state",
]

FILE_NAME = "checkpoint.safetensors"
FORMAT_VERSION = 1


class Resumable(Protocol):
    """A part of a training that has a state: networks and optimizers of torch, and our own."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, nested as they like."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Take over what :meth:`state_dict` gave."""
        ...


class GeneratorState:
    """A random generator as a part with a state."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def state_dict(self) -> dict[str, Any]:
        """Where the generator is."""
        return {"state": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Bring the generator there."""
        self.generator.set_state(state["state"])


class Checkpoint:
    """Keeps the parts of one training in a folder.

    Args:
        folder: made when absent; holds this training's checkpoint only.
        parts: everything that has a state, by name.
        identity: what training this is (:func:`training_identity`); a checkpoint of another one is not used.
        resume: whether :meth:`restore` looks for an earlier checkpoint.
        seconds: the least time between two checkpoints; 0 keeps every epoch.
        clock: tells the time, in seconds.

    Attributes:
        note: a sentence for the user when a checkpoint could not be used.
    """

    def __init__(
        self,
        folder: Path,
        parts: Mapping[str, Resumable],
        identity: str,
        *,
        resume: bool = False,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = folder / FILE_NAME
        self.parts = parts
        self.identity = identity
        self.resume = resume
        self.seconds = seconds
        self.clock = clock
        self.note: str | None = None
        self._written = clock()

    def save(self, state: LoopState) -> None:
        """Keep the end of an epoch, unless the last one kept is too recent.

        Raises:
            StorageError: the file cannot be written, for instance because the disk is full.
            ConfigError: a scheduler or optimizer with a state that no file can hold.
        """
        if self.clock() - self._written < self.seconds:
            return
        loop = {**dataclasses.asdict(state), "records": [record.to_mapping() for record in state.records]}
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        _write(self.path, pack_state({"identity": self.identity, "loop": loop, "parts": parts}))
        self._written = self.clock()

    def restore(self) -> LoopState | None:
        """Bring the parts back to where the folder's checkpoint was made; None when there is none to use."""
        if not self.resume or not self.path.exists():
            return None
        try:
            state = unpack_state(self.path.read_bytes())
        except (ValueError, OSError) as error:
            self.note = f"the checkpoint could not be read ({error}), so training started anew"
            return None
        if state.get("identity") != self.identity:
            self.note = "the checkpoint belongs to other settings or another table, so training started anew"
            return None
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        loop = state["loop"]
        records = tuple(EpochRecord.from_mapping(item) for item in loop["records"])
        return LoopState(records=records, best_epoch=loop["best_epoch"], stop=loop["stop"])


def training_identity(
    network: TabNet | TabNetAutoencoder,
    stepper: Stepper,
    plain: Mapping[str, Any],
    data: Iterable[np.ndarray[Any, Any] | Tensor],
) -> str:
    """What tells one training from every other: network, first weights and moments, settings and all of its data.

    Args:
        network: before its first step; its settings count too, since not all of them show in its weights.
        stepper: before its first step.
        plain: settings of the training as plain JSON values.
        data: every table and weight that it reads.
    """
    parts = (stepper.optimizer, stepper.scheduler) if isinstance(stepper, TorchOptimization) else ()
    described = {
        "network": network.config.to_mapping(),
        "layout": network.embedding.layout.to_mapping(),
        "optimizer": [type(part).__qualname__ for part in parts],
        "stepper": state_checksum(stepper.state_dict()),
    }
    return fingerprint({**described, **plain}, [*network.state_dict().values(), *data])


def fingerprint(plain: Mapping[str, Any], data: Iterable[np.ndarray[Any, Any] | Tensor]) -> str:
    """What tells one training from every other: its settings, the versions of what computes, and all of its data.

    Args:
        plain: settings as plain JSON values.
        data: arrays and tensors, first weights included.
    """
    header = {"format": FORMAT_VERSION, "torch": str(torch.__version__), **plain}
    digest = hashlib.sha256(json.dumps(header, sort_keys=True, default=str).encode())
    for values in data:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def state_checksum(state: Mapping[str, Any]) -> str:
    """What tells one state from every other, settings of an optimizer and its moments included.

    Raises:
        ConfigError: as :func:`pack_state`.
    """
    tensors: dict[str, Tensor] = {}
    return _checksum(json.dumps(_plain(state, tensors)), tensors)


def pack_state(state: Mapping[str, Any]) -> bytes:
    """Nested plain values and tensors as the bytes of a safetensors file, with a checksum.

    Functions inside are left out: who reads the state has them.

    Raises:
        ConfigError: a value that is neither.
    """
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_plain(state, tensors))
    return safetensors.torch.save(tensors, {"state": text, "checksum": _checksum(text, tensors)})


def unpack_state(content: bytes) -> dict[str, Any]:
    """Read what :func:`pack_state` wrote.

    Raises:
        ValueError: the bytes are not that, or were changed.
    """
    try:
        tensors = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        text = header["state"]
        if header["checksum"] != _checksum(text, tensors):
            raise ValueError("its content has changed")
        return cast("dict[str, Any]", _rebuilt(json.loads(text), tensors))
    except (SafetensorError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no checkpoint: {error}") from error


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name}{tensors[name].dtype}{tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _plain(value: Any, tensors: dict[str, Tensor]) -> Any:
    """JSON that names the type of every container; tensors go to ``tensors``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A copy: the weights are views of one vector, which safetensors does not store.
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        # MultiStepLR counts its milestones with a Counter and uses its methods.
        kind = "counter" if isinstance(value, Counter) else "mapping"
        kept = [(key, item) for key, item in value.items() if not callable(item)]
        return {kind: [[_plain(key, tensors), _plain(item, tensors)] for key, item in kept]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_plain(item, tensors) for item in value]}
    raise ConfigError(f"a checkpoint cannot hold the {type(value).__name__} in the state of the optimizer or scheduler")


def _rebuilt(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind in {"mapping", "counter"}:
        pairs = {_rebuilt(key, tensors): _rebuilt(item, tensors) for key, item in content}
        return Counter(pairs) if kind == "counter" else pairs
    items = [_rebuilt(item, tensors) for item in content]
    return items if kind == "list" else tuple(items)


def _write(path: Path, content: bytes) -> None:
    """Replace the file at once; a crash in between leaves the old one, and a part that the next write replaces."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise StorageError(f"the checkpoint {path} cannot be written: {error.strerror or error}") from error
