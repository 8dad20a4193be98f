"""A fitted estimator as a run folder with two parts of its own: what it was told, and its optimizer's moments.

The folder is one that every other part of the house opens; nothing in it can run.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import safetensors.torch
import torch
from safetensors import SafetensorError

from tabnet_engine.errors import DamagedRunError
from tabnet_engine.estimators.archive import pack, unpack
from tabnet_engine.estimators.errors import InputError, as_value_errors
from tabnet_engine.estimators.plain_values import plain, unplain, unsaved
from tabnet_engine.runs.artefact import DatasetRef, Run, add_parts, load_run
from tabnet_engine.runs.parts import json_bytes, parse_json, write_bytes

if TYPE_CHECKING:
    from tabnet_engine.estimators.trained import TrainedEstimator

__all__ = ["dataset_of", "digest_of", "load_estimator", "save_estimator"]

ESTIMATOR, OPTIMIZER = "estimator.json", "optimizer.safetensors"
FORMAT_VERSION = 1


def save_estimator(estimator: TrainedEstimator, path: str | Path, *, overwrite: bool) -> str:
    """Write the estimator to ``path`` with ``.zip`` added; returns the file's name.

    Raises:
        UserError: the file exists and may not be replaced.
        StorageError: the disk refuses, or labels of a type that cannot be saved.
    """
    target = Path(path) if str(path).endswith(".zip") else Path(f"{path}.zip")
    moments, numbers = _moments(estimator.optimizer_state())
    parameters = {key: plain(value) for key, value in estimator.get_params(deep=False).items()}
    told = {
        "format_version": FORMAT_VERSION,
        "estimator": type(estimator).__name__,
        "parameters": parameters,
        "state": plain(estimator.state_to_save()),
        "optimizer": numbers,
    }
    with tempfile.TemporaryDirectory() as temporary:
        run = estimator.write_run(Path(temporary) / (target.stem or "estimator"))
        parts = {ESTIMATOR: lambda file: write_bytes(file, json_bytes(told, indent=1))}
        if moments:
            parts[OPTIMIZER] = lambda file: write_bytes(file, safetensors.torch.save(moments))
        add_parts(run, parts)
        pack(run.folder, target, overwrite=overwrite)
    return str(target)


def load_estimator(estimator: TrainedEstimator, path: str | Path) -> None:
    """Make ``estimator`` what was saved: parameters, network, classes, history, importances, moments.

    Raises:
        InputError: no saved estimator, or one of another class.
        DamagedRunError: a part is damaged.
        StorageError: written by a newer version, or the disk refuses.
    """
    with tempfile.TemporaryDirectory() as temporary, as_value_errors():
        folder = Path(temporary) / "model"
        folder.mkdir()
        unpack(Path(path), folder)
        run = load_run(folder)
        if ESTIMATOR not in run:
            raise InputError(f"{str(path)!r} holds a run but no estimator; open it with tabnet_engine.runs")
        try:
            told = parse_json(run.read(ESTIMATOR))
            _restore(estimator, run, told)
        except (KeyError, TypeError, AttributeError, IndexError, SafetensorError) as error:
            raise DamagedRunError(f"{str(path)!r} is damaged: {ESTIMATOR!r} does not hold what it should") from error


def _restore(estimator: TrainedEstimator, run: Run, told: Mapping[str, Any]) -> None:
    name = type(estimator).__name__
    if told["estimator"] != name:
        raise InputError(f"the file holds a {told['estimator']}; load it with that class instead of {name}")
    device = estimator.device_name
    parameters = {key: unplain(value) for key, value in told["parameters"].items()}
    # The machine that loads decides where it runs.
    estimator.set_params(**{**parameters, "device_name": device})
    estimator.read_run(run, unplain(told["state"]))
    stored = safetensors.torch.load(run.read(OPTIMIZER)) if OPTIMIZER in run else {}
    estimator.take_optimizer_state(_state(stored, told["optimizer"]))
    lost = unsaved(list(told["parameters"].values()))
    if lost:
        warnings.warn(
            f"{', '.join(lost)} cannot be stored in a file; set it again before fitting further", stacklevel=4
        )


def digest_of(frame: pd.DataFrame) -> str:
    """The SHA-256 of the values of some rows, whatever kind of table they came in."""
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()


def dataset_of(fitted_on: tuple[int, str], n_columns: int) -> DatasetRef:
    """A reference to the training rows: how many they were, and the digest of their values."""
    n_rows, digest = fitted_on
    return DatasetRef(digest, "rows given to fit", n_rows, n_columns)


def _moments(state: Mapping[str, Any] | None) -> tuple[dict[str, torch.Tensor], list[list[Any]]]:
    """Tensors by the name "parameter/moment", and all other numbers of an optimizer's state."""
    tensors: dict[str, torch.Tensor] = {}
    numbers: list[list[Any]] = []
    for index, values in ({} if state is None else state["state"]).items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{index}/{key}"] = value.detach().cpu().contiguous()
            elif value is None or isinstance(value, bool | int | float):
                numbers.append([int(index), str(key), value])
    return tensors, numbers


def _state(tensors: Mapping[str, torch.Tensor], numbers: list[list[Any]]) -> dict[str, Any] | None:
    if not tensors and not numbers:
        return None
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = tensor
    for index, key, value in numbers:
        state.setdefault(int(index), {})[str(key)] = value
    return {"state": state}
