"""Parameters and labels as JSON and back, types included; nothing read back can run.

Classes of ``torch.optim`` are written by name and looked up there alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tabnet_engine.errors import StorageError

__all__ = ["labels_from_plain", "labels_to_plain", "plain", "unplain", "unsaved"]

_TORCH = {"optimizer": torch.optim, "scheduler": torch.optim.lr_scheduler}
_BASES = {"optimizer": torch.optim.Optimizer, "scheduler": torch.optim.lr_scheduler.LRScheduler}
_SIMPLE = (str, int, float, bool)


def plain(value: Any) -> Any:
    """A value as JSON holds it; what JSON has no word for is wrapped in an object that names its type."""
    if value is None or type(value) in _SIMPLE:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, Mapping):
        return {"mapping": [[plain(key), plain(item)] for key, item in value.items()]}
    return _plain_function(value)


def _plain_function(value: Any) -> dict[str, str]:
    for kind, module in _TORCH.items():
        name = getattr(value, "__name__", "")
        if inspect.isclass(value) and getattr(module, name, None) is value:
            return {kind: name}
    return {"unsaved": getattr(value, "__name__", type(value).__name__)}


def unplain(value: Any) -> Any:
    """Read what :func:`plain` wrote; what it could not write is None.

    Raises:
        ValueError: anything else.
    """
    if value is None or type(value) in _SIMPLE:
        return value
    if isinstance(value, list):
        return [unplain(item) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a stored value is none that an estimator writes")
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(unplain(item) for item in content)
    if kind == "mapping":
        return {unplain(key): unplain(item) for key, item in content}
    if kind == "unsaved":
        return None
    if kind not in _TORCH:
        raise ValueError(f"a stored value is of the unknown kind {kind!r}")
    found = getattr(_TORCH[kind], str(content), None)
    if not (inspect.isclass(found) and issubclass(found, _BASES[kind])):
        raise ValueError(f"torch.optim has no {kind} {content!r}")
    return found


def unsaved(value: Any) -> list[str]:
    """Names of the functions in a stored value that could not be written."""
    if isinstance(value, dict) and "unsaved" in value:
        return [str(value["unsaved"])]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for part in parts for name in unsaved(part)]


def labels_to_plain(labels: npt.NDArray[Any] | None) -> Any:
    """The classes of a target with their type, or None.

    Raises:
        StorageError: classes of a type that JSON cannot hold.
    """
    if labels is None:
        return None
    values = labels.tolist()
    if labels.dtype.kind not in "biufUO" or not all(type(value) in _SIMPLE for value in values):
        raise StorageError(f"classes of the type {labels.dtype} cannot be saved; use text or numbers as labels")
    return {"dtype": labels.dtype.str, "values": values}


def labels_from_plain(stored: Any) -> npt.NDArray[Any] | None:
    """Read what :func:`labels_to_plain` wrote.

    Raises:
        ValueError: it is none of it.
    """
    if stored is None:
        return None
    dtype = np.dtype(str(stored["dtype"]))
    values = list(stored["values"])
    if dtype.kind not in "biufUO" or not all(type(value) in _SIMPLE for value in values):
        raise ValueError("the classes are neither text nor numbers")
    return np.array(values, dtype=dtype)
