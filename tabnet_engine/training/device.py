"""Where training and prediction run: the graphics card when there is one and it is wanted, else the processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from tabnet_engine.errors import ConfigError

__all__ = ["mixed_precision", "resolve_device", "threads_for"]

# Below so many numbers a layer, waiting for a second thread costs more than it saves.
_ONE_THREAD_CELLS = 32_768

DEVICES = ("auto", "cuda", "cpu")


def resolve_device(name: str) -> torch.device:
    """The device that ``auto``, ``cuda`` or ``cpu`` means on this machine.

    Raises:
        ConfigError: a name that is none of the three, or ``cuda`` where there is no CUDA device.
    """
    if name not in DEVICES:
        raise ConfigError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    if name == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if name == "cuda":
        raise ConfigError("device is cuda, but this machine has no CUDA device that torch can use; choose auto or cpu")
    return torch.device("cpu")


@contextmanager
def threads_for(cells: int) -> Iterator[None]:
    """Train small batches on one thread, and large ones on as many as torch was given.

    A step of 256 rows at H = 32 takes 3.5 ms on one thread and 4.3 ms on two; on a machine that others use
    the difference is larger, since the threads wait for each other.

    Args:
        cells: rows of a batch times the width of a hidden layer.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if cells <= _ONE_THREAD_CELLS else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def mixed_precision(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Where ``bfloat16`` is asked for, a context in which products are computed in it; weights stay float32.

    A CUDA device without bfloat16 keeps computing in float32.

    Args:
        precision: ``float32`` or ``bfloat16``.
        device: where the network runs.
    """
    able = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "float32" or not able:
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
