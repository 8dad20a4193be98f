"""Where each weight of a saved pytorch-tabnet model goes in a network of ours.

Shapes: D encoded width, G groups, H = n_d + n_a, S steps, K outputs, L layers of a feature transformer.
"""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tabnet_engine.data.encoding import FIRST_CATEGORY, InputLayout
from tabnet_engine.interop.pytorch_tabnet_archive import SavedModel, blocks, heads, layers
from tabnet_engine.model.embedding import CategoricalEmbedding
from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.model.tabnet import TabNet

__all__ = ["NUMBER_UNIT", "copy_weights", "input_norm"]

# Encoders clip a number 10,000 standard deviations from the mean, pytorch-tabnet does not. Its input norm follows
# slowly, so that a date in seconds can lie farther than that. Numbers therefore arrive in so many standard
# deviations (a power of two: nothing is rounded), and the input norm multiplies them again.
NUMBER_UNIT = 2.0**13

# That of torch's batch norm, which pytorch-tabnet never changes.
_EPS = 1e-5
_INPUT_NORM = "tabnet.encoder.initial_bn"


def input_norm(saved: SavedModel) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and scale by which the saved model standardises each encoded dimension (D), in its own order."""
    mean = saved.tensors[f"{_INPUT_NORM}.running_mean"].astype(np.float64)
    return mean, np.sqrt(saved.tensors[f"{_INPUT_NORM}.running_var"].astype(np.float64) + _EPS)


@torch.no_grad()
def copy_weights(network: TabNet, saved: SavedModel, layout: InputLayout) -> None:
    """Fill a fresh network, whose input is standardised by :func:`input_norm` before it arrives.

    Numbers arrive in units of :data:`NUMBER_UNIT` standard deviations.
    """
    # Our encoded dimensions stand in another order: numbers first, then embeddings by width.
    order = _saved_dimension(network, saved)
    _copy_embeddings(network, saved, layout)
    _copy_input_norm(network.encoder.input_norm, saved, order, len(layout.numeric_feature))
    _copy_transformers(network, saved, order)
    _copy_attention(network, saved)
    parts = []
    for name in heads(saved.shape, multi_task=saved.multi_task):
        weight = _tensor(saved, name)
        # Two classes have one logit here, the log-odds of the second: the difference of the two there.
        binary = not saved.is_regression and len(weight) == 2
        parts.append(weight[1:] - weight[:1] if binary else weight)
    network.head.copy_(torch.cat(parts))


def _tensor(saved: SavedModel, name: str) -> Tensor:
    return torch.tensor(saved.tensors[name].astype(np.float32))


def _saved_dimension(network: TabNet, saved: SavedModel) -> Tensor:
    """For each of our encoded dimensions (D) its place in the saved model, where columns follow one another."""
    starts = [0, *itertools.accumulate(saved.shape.widths)]
    used = [0] * len(saved.shape.widths)
    places = []
    for feature in network.embedding.column_feature.tolist():
        places.append(starts[feature] + used[feature])
        used[feature] += 1
    return torch.tensor(places)


def _copy_embeddings(network: TabNet, saved: SavedModel, layout: InputLayout) -> None:
    """Category vectors, standardised; the states "missing" and "unseen" are zero, which is the average."""
    mean, scale = input_norm(saved)
    starts = [0, *itertools.accumulate(saved.shape.widths)]
    for module in network.embedding.categorical:
        table = cast("CategoricalEmbedding", module)
        table.weight.zero_()
        for slot, offset in zip(table.slots.tolist(), table.offset.tolist(), strict=True):
            vectors = saved.tensors[f"embedder.embeddings.{slot}.weight"].astype(np.float64)
            start = starts[layout.categorical_feature[slot]]
            own = slice(start, start + vectors.shape[1])
            first = offset + FIRST_CATEGORY
            table.weight[first : first + len(vectors)] = torch.tensor((vectors - mean[own]) / scale[own])


def _copy_input_norm(norm: GhostBatchNorm, saved: SavedModel, order: Tensor, n_numbers: int) -> None:
    norm.weight[0] = _tensor(saved, f"{_INPUT_NORM}.weight")[order]
    norm.weight[0, :n_numbers] *= NUMBER_UNIT
    norm.bias[0] = _tensor(saved, f"{_INPUT_NORM}.bias")[order]
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def _copy_transformers(network: TabNet, saved: SavedModel, order: Tensor) -> None:
    transformer, shape = network.encoder.transformer, saved.shape
    names = [layers(shape, block) for block in blocks(shape)]
    # The first layer is one for all steps where layers are shared; further shared ones follow it.
    entries = names[:1] if shape.n_shared else names
    transformer.entry.copy_(_stacked(saved, [step[0] for step in entries], "fc.weight")[..., order])
    shared = names[0][1 : shape.n_shared]
    own = [name for step in names for name in step[max(1, shape.n_shared) :]]
    for target, sources in ((transformer.shared, shared), (transformer.independent, own)):
        if sources:
            target.copy_(_stacked(saved, sources, "fc.weight"))
    _copy_norm(transformer.norm, saved, [name for step in names for name in step])


def _copy_attention(network: TabNet, saved: SavedModel) -> None:
    attention, steps = network.encoder.attention, range(saved.shape.n_steps)
    # Our groups are numbered as they first appear among the columns.
    order = torch.tensor(list(dict.fromkeys(saved.shape.groups)))
    names = [f"tabnet.encoder.att_transformers.{step}" for step in steps]
    attention.weight.copy_(_stacked(saved, names, "fc.weight")[:, order])
    _copy_norm(attention.norm, saved, names, order)


def _copy_norm(norm: GhostBatchNorm, saved: SavedModel, names: list[str], order: Tensor | None = None) -> None:
    for part in ("weight", "bias", "running_mean", "running_var"):
        values = _stacked(saved, names, f"bn.bn.{part}")
        getattr(norm, part).copy_(values if order is None else values[:, order])


def _stacked(saved: SavedModel, names: list[str], part: str) -> Tensor:
    return torch.stack([_tensor(saved, f"{name}.{part}") for name in names])
