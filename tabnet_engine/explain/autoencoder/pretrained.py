"""The network of a pretraining, seen as an autoencoder of the table's own columns.

Shapes: B rows, F raw features in G groups, R reconstructed values of a row, S decision steps, n_d width of a step's
output, H = n_d + n_a. torch is imported where the network runs.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.models import Bools, Cells, Floats
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from torch import Tensor

    from tabnet_engine.model.decoder import TabNetAutoencoder
    from tabnet_engine.runs.artefact import Run

__all__ = ["PretrainedAutoencoder"]

MAX_BATCH_ROWS = 8_192
MAX_BATCH_CELLS = 32_000_000


_OWN_CELL = msg("Every column is reconstructed from all columns, its own among them; the pretraining never asked that.")


@dataclass(frozen=True, eq=False)
class PretrainedAutoencoder:
    """A copy of a pretraining's network in double precision, in evaluation mode.

    ``own_cell`` says whether a column is reconstructed with its own cell in sight ("visible") or, as in the
    pretraining itself, with its own cell hidden ("hidden"): then G forwards, one for each group of columns, give
    one reconstruction, and a column tells nothing of itself.
    """

    network: TabNetAutoencoder
    layout: InputLayout
    categories: tuple[tuple[str, ...], ...]
    own_cell: Literal["visible", "hidden"] = "hidden"
    run_id: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", copy.deepcopy(self.network).double().eval())

    @classmethod
    def of_run(cls, run: Run, own_cell: Literal["visible", "hidden"] = "hidden") -> Self:
        """The network of a stored pretraining; its weights are loaded here.

        Raises:
            ExplanationError: the run is a trained model, which reconstructs nothing.
            DamagedRunError: the weights cannot be read.
        """
        if not run.is_pretraining:
            raise ExplanationError(
                f"the run {run.manifest.title!r} predicts a target and reconstructs nothing; choose a pretraining"
            )
        encoder = run.encoder
        features = encoder.schema.features
        categories = tuple(tuple(features[place].categories) for place in encoder.layout.categorical_feature)
        return cls(run.pretrained().network, encoder.layout, categories, own_cell, run.manifest.run_id)

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """The raw feature of each reconstructed value (R,)."""
        owner: npt.NDArray[np.int64] = self.network.targets.owner.cpu().numpy()
        return owner

    @property
    def value_names(self) -> tuple[str, ...]:
        """A number by its column, the parts of a date by their number, a category by its column and name."""
        layout = self.layout
        parts = [layout.numeric_feature[:slot].count(own) for slot, own in enumerate(layout.numeric_feature)]
        numbers = [
            name
            if layout.numeric_feature.count(own) == 1
            else say("{column}, part {number}", column=name, number=part + 1)
            for own, part in zip(layout.numeric_feature, parts, strict=True)
            for name in (layout.feature_names[own],)
        ]
        categories = [
            f"{layout.feature_names[own]} = {text}"
            for own, texts in zip(layout.categorical_feature, self.categories, strict=True)
            for text in texts
        ]
        return (*numbers, *categories)

    @property
    def latent_names(self) -> tuple[str, ...]:
        """What each step hands to the decoder."""
        config = self.network.config
        places = ((s + 1, d + 1) for s in range(config.n_steps) for d in range(config.n_d))
        return tuple(say("step {step}, unit {unit}", step=step, unit=unit) for step, unit in places)

    @property
    def description(self) -> str:
        """What is reconstructed from what."""
        if self.own_cell == "hidden":
            return say("Every column is filled in from the others, its own cell hidden, as in the pretraining.")
        return say(_OWN_CELL)

    @property
    def blank(self) -> str:
        """What a zeroed column is replaced by."""
        return say("the network's own state for a hidden cell")

    @property
    def forwards_per_row(self) -> int:
        """One for each group of columns whose own cells are hidden; else one."""
        return self.layout.n_groups if self.own_cell == "hidden" else 1

    def cells(self, table: EncodedTable) -> Cells:
        """Numbers in standardised units, categories as one indicator each."""
        import torch

        with torch.inference_mode():
            values, observed = self.network.targets(*_tensors(table))
        return Cells(values.cpu().numpy(), observed.cpu().numpy() > 0)

    def reconstruct(self, table: EncodedTable, zeroed: Bools | None = None) -> Floats:
        """Values (B, R); hiding one column of a group hides the group, as in the pretraining."""
        groups = np.asarray(self.layout.feature_group)
        gone = np.zeros(self.layout.n_groups, dtype=np.bool_)
        if zeroed is not None:
            gone[groups[zeroed]] = True
        if self.own_cell == "visible":
            return self._forward(table, gone)[0]
        values = np.empty((len(table), len(self.owner)))
        for group in range(self.layout.n_groups):
            hidden = gone.copy()
            hidden[group] = True
            own = groups[self.owner] == group
            values[:, own] = self._forward(table, hidden)[0][:, own]
        return values

    def encode(self, table: EncodedTable) -> Floats:
        """ReLU(d) of every step with nothing hidden (B, S n_d): what a training from this pretraining starts with."""
        return self._forward(table, np.zeros(self.layout.n_groups, dtype=np.bool_))[1]

    def first_weights(self) -> Floats:
        """The entry of the feature transformer, behind the input norm, on each raw feature (2 H, F)."""
        import torch

        encoder = self.network.encoder
        scale, _ = encoder.input_norm.affine(slice(0, 1))
        weight = (encoder.transformer.entry[0] * scale[0]).detach().cpu()
        squares = torch.zeros(len(weight), self.layout.n_features, dtype=weight.dtype)
        squares.index_add_(1, encoder.column_feature.cpu(), weight.square())
        return squares.sqrt().double().numpy()

    def _forward(self, table: EncodedTable, hidden: Bools) -> tuple[Floats, Floats]:
        """Values (B, R) and latents (B, S n_d), ``hidden`` (G,) being hidden in every row."""
        import torch

        network = self.network
        size = max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // (24 * network.embedding.width + 8 * len(self.owner))))
        place = network.feature_group.device
        prior = torch.from_numpy(1.0 - hidden).to(place)
        parts: list[tuple[Floats, Floats]] = []
        with torch.inference_mode():
            for start in range(0, max(1, len(table)), size):
                numeric, categorical = _tensors(table.take(np.arange(start, min(start + size, len(table)))), place)
                rows = prior.expand(len(numeric), -1)
                embedded = network.embedding(numeric, categorical)
                latents, _ = network.encoder(embedded, rows, rows.index_select(1, network.feature_group))
                values = network.decoder(latents).cpu().numpy()
                parts.append((values, latents.transpose(0, 1).flatten(1).cpu().numpy()))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _tensors(table: EncodedTable, place: Any = "cpu") -> tuple[Tensor, Tensor]:
    import torch

    numeric = torch.from_numpy(np.ascontiguousarray(table.numeric)).to(place, torch.float64)
    return numeric, torch.from_numpy(np.ascontiguousarray(table.categorical)).to(place)
