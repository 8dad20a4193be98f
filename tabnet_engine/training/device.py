"""Where training and prediction run: the graphics card when there is one and it is wanted, else the processor."""

from __future__ import annotations

import torch

from tabnet_engine.errors import ConfigError

__all__ = ["resolve_device"]

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
