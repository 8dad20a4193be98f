"""Starting a training from a pretrained network: its reading of the columns, its weights, its own statistics anew.

Shape letters: B rows, F raw features.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Role
from tabnet_engine.data.wording import counted, listed
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.loop import TensorTable, batch_bounds

if TYPE_CHECKING:
    from tabnet_engine.training.pretrain import PretrainedModel

__all__ = ["Adopted", "adopt", "estimate_norms", "require_states", "start_from"]


@dataclass(frozen=True)
class Adopted:
    """The pretrained encoder with the roles and targets of the table to train on, and notes for the user."""

    encoder: TableEncoder
    notes: tuple[str, ...]


def adopt(pretrained: PretrainedModel, frame: pd.DataFrame, schema: FeatureSchema) -> Adopted:
    """Read a labelled table's columns as the pretraining did.

    Columns that the pretraining did not read are ignored, which a note says.

    Args:
        pretrained: its encoder knows columns, categories, scales and bins.
        frame: the labelled table.
        schema: its columns and targets.

    Raises:
        SchemaError: a pretrained column is absent, is a target, or is not to be read; the text names it.
    """
    encoder = pretrained.encoder
    known = {column.name: column for column in encoder.schema.features}
    _refuse_unfit(known, frame, schema)
    further = [name for name in schema.feature_names if name not in known]
    unlike = [c.name for c in schema.features if c.name in known and c.kind is not known[c.name].kind]
    notes = []
    if further:
        notes.append(f"{counted(len(further), 'column')} that the pretraining did not read: {listed(further)}; ignored")
    if unlike:
        notes.append(f"read as in the pretraining, not as this table suggests: {listed(unlike)}")
    merged = dataclasses.replace(schema, columns=_merged(schema, known))
    return Adopted(dataclasses.replace(encoder, schema=merged), tuple(notes))


def _refuse_unfit(known: dict[str, Column], frame: pd.DataFrame, schema: FeatureSchema) -> None:
    roles = {column.name: column.role for column in schema.columns}
    for name in known:
        if name not in frame.columns or name not in roles:
            raise SchemaError(f"the table has no column {name!r}, which the pretraining read; add it or pretrain again")
        if roles[name] is Role.TARGET:
            raise SchemaError(
                f"the target {name!r} is among the columns that the pretraining read, so the network has seen the "
                f"answers; pretrain again with {name!r} ignored"
            )
        if roles[name] is not Role.FEATURE:
            raise SchemaError(
                f"the column {name!r} is not to be read, but the pretraining read it; give it the role feature, or "
                f"pretrain again with {name!r} ignored"
            )


def _merged(schema: FeatureSchema, known: dict[str, Column]) -> tuple[Column, ...]:
    """The table's columns with the pretrained ones, in the pretraining's order, in the places of features."""
    pretrained = iter(known.values())
    merged = []
    for column in schema.columns:
        if column.name in known:
            merged.append(next(pretrained))
        else:
            merged.append(dataclasses.replace(column, role=Role.IGNORED) if column.is_feature else column)
    return tuple(merged)


def require_states(
    config: ModelConfig, numbers: Sequence[npt.NDArray[np.float32]], *, pretrained: bool
) -> tuple[ModelConfig, str | None]:
    """Give missing numbers a state of their own where there are any, whatever the settings say.

    Args:
        config: shape of the network.
        numbers: encoded numbers (B, slots) of all rows that the network will read; NaN where missing.
        pretrained: whether the weights exist already, so that nothing can be added.

    Returns:
        The settings to use, and a sentence when they were changed.

    Raises:
        SchemaError: numbers are missing and a pretrained network has no state for them.
    """
    if config.missing_states or not any(np.isnan(part).any() for part in numbers):
        return config, None
    if pretrained:
        raise SchemaError(
            "numbers are missing in this table, and the pretrained network has no state for missing cells; "
            "pretrain again with missing_states=true, or fill the cells in"
        )
    return config.replace(missing_states=True), "numbers are missing, so missing_states was switched on"


def start_from(network: TabNet, pretrained: PretrainedModel, encoded: EncodedTable, *, seed: int) -> None:
    """Give a fresh network the pretrained embedding and encoder; its head stays as it is.

    The running statistics of all norms are those of the masked rows; they are measured again on the rows to
    train on, unmasked.

    Args:
        network: built from the pretrained encoder's layout and settings.
        pretrained: where the weights come from.
        encoded: the training rows.
        seed: of the rows' order.
    """
    for name in ("embedding", "encoder"):
        getattr(network, name).load_state_dict(getattr(pretrained.network, name).state_dict())
    estimate_norms(network, encoded, virtual_batch_size=pretrained.model_config.virtual_batch_size, seed=seed)


@torch.no_grad()
def estimate_norms(network: TabNet, encoded: EncodedTable, *, virtual_batch_size: int, seed: int) -> None:
    """Set the running statistics of every norm to their mean over ghost batches of the given rows.

    Args:
        network: its weights stay as they are.
        encoded: at least two rows.
        virtual_batch_size: rows of a ghost batch.
        seed: of the order in which rows are dealt to ghost batches.
    """
    table = TensorTable.build(encoded, None, torch.device("cpu")).shuffled(torch.Generator().manual_seed(seed))
    norms = [module for module in network.modules() if isinstance(module, GhostBatchNorm)]
    momenta = [norm.momentum for norm in norms]
    training = network.training
    network.train()
    try:
        for index, batch in enumerate(table.batches(batch_bounds(len(table), virtual_batch_size))):
            for norm in norms:
                # The n-th part of the difference each time makes the mean of all.
                norm.momentum = 1.0 / (index + 1)
            network(batch.numeric, batch.categorical)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        network.train(training)
