"""A network's tensors as safetensors bytes and back. The only module of this room that imports torch."""

from __future__ import annotations

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

__all__ = ["pack_weights", "unpack_weights"]


def pack_weights(network: nn.Module) -> bytes:
    """Every parameter and persistent buffer of a network."""
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def unpack_weights(network: nn.Module, content: bytes) -> None:
    """Copy what :func:`pack_weights` wrote into a network of the same shape.

    Raises:
        ValueError: the bytes are no safetensors, or their names, shapes or types are not the network's.
    """
    try:
        stored = safetensors.torch.load(content)
    except SafetensorError as error:
        raise ValueError(f"it is no safetensors file: {error}") from error
    wanted: dict[str, Tensor] = network.state_dict()
    if stored.keys() != wanted.keys():
        name = min(stored.keys() ^ wanted.keys())
        raise ValueError(f"the file and the network do not both have {name!r}")
    for name, tensor in wanted.items():
        found = stored[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise ValueError(f"{name!r} is {_describe(found)}, the network has {_describe(tensor)}")
    network.load_state_dict(stored)


def _describe(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"
