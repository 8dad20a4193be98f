"""Running a trained network over rows, in batches that fit in memory.

Shape letters: B rows, F raw features, S steps, K outputs, n_d width of a step's output.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.embedding import PlainNumbers
from tabnet_engine.model.tabnet import TabNet, TabNetOutput
from tabnet_engine.training.loop import TensorTable
from tabnet_engine.training.losses import as_targets
from tabnet_engine.training.probabilities import class_probabilities, predicted_labels

if TYPE_CHECKING:
    from tabnet_engine.training.experiment import TrainedModel

__all__ = [
    "ForwardChunk",
    "encode_latents",
    "forward_batches",
    "predict_frame",
    "predict_logits",
    "prediction_table",
    "require_readable",
    "rows_per_batch",
]

MAX_BATCH_ROWS = 8_192
MAX_BATCH_CELLS = 32_000_000
# On the CPU a batch whose buffers stay in its caches, and with the allocator, takes two thirds of the time of one at
# the bound above: measured with 11, 54 and 300 columns, one thread, double precision.
QUICK_BATCH_CELLS = 2_000_000


@dataclass(frozen=True)
class ForwardChunk:
    """What the network gave for the rows from ``start`` on.

    Shape: logits (B, K), masks (S, B, F), step_contributions (S, B, K), step_sizes (S, B): eta of the
    paper, the sum of a step's output after its ReLU. Logits are float64, the rest float32.
    """

    start: int
    logits: npt.NDArray[np.float64]
    masks: npt.NDArray[np.float32]
    step_contributions: npt.NDArray[np.float32]
    step_sizes: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.logits)


def rows_per_batch(network: TabNet, wanted: int = MAX_BATCH_ROWS) -> int:
    """At most ``wanted`` rows, fewer when a row is wide, so that a batch stays within a few hundred megabytes."""
    return max(1, min(wanted, MAX_BATCH_CELLS // _cells_per_row(network)))


def _cells_per_row(network: TabNet) -> int:
    """Bins, embedding and norms of a row; its masks and priors; the widest hidden layer."""
    encoder = network.encoder
    n_features = int(network.embedding.column_feature.max()) + 1
    return 24 * network.embedding.width + 3 * encoder.n_steps * n_features + 8 * (encoder.n_d + encoder.n_a)


def forward_batches(
    network: TabNet,
    encoded: EncodedTable,
    *,
    batch_size: int = MAX_BATCH_ROWS,
    device: str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Iterator[ForwardChunk]:
    """Run the network over a table and hand on each batch's outputs, without keeping them.

    A copy of the network computes in double precision: in single precision a row's logit changes in the last
    digits with the rows that share its batch, and values that must add up to it would miss it by as much.

    Args:
        network: trained.
        encoded: B rows.
        batch_size: the most rows of one batch; wide rows make batches smaller.
        device: where to run, a name that torch knows.
        progress: told the share of rows done after each batch; what it raises ends the run.

    Yields:
        The batches in row order; none for a table without rows.

    Raises:
        SchemaError: a number is missing, and the network has no state for missing cells.
    """
    for start, output in _outputs(network, encoded, batch_size, device):
        yield _chunk(start, output)
        if progress is not None:
            progress(min(1.0, (start + len(output.logits)) / len(encoded)))


def _outputs(
    network: TabNet, encoded: EncodedTable, batch_size: int, device: str
) -> Iterator[tuple[int, TabNetOutput]]:
    require_readable(network, encoded)
    place = torch.device(device)
    precise = copy.deepcopy(network).to(place, torch.float64).eval()
    table = TensorTable.build(encoded, None, torch.device("cpu"))
    size = rows_per_batch(network, batch_size)
    if place.type == "cpu":
        size = max(1, min(size, QUICK_BATCH_CELLS // _cells_per_row(network)))
    for start in range(0, len(table), size):
        rows = table.slice(start, min(start + size, len(table)))
        with torch.inference_mode():
            output = precise(rows.numeric.to(place, torch.float64), rows.categorical.to(place))
        yield start, output


def require_readable(network: TabNet, encoded: EncodedTable) -> None:
    """Refuse a missing number where it would turn every output of its row into NaN.

    Raises:
        SchemaError: names the first such row and its column.
    """
    numbers = network.embedding.numeric
    has_states = numbers.missing is not None if isinstance(numbers, PlainNumbers) else (
        numbers is None or bool(numbers.missing_states)
    )  # fmt: skip
    if has_states:
        return
    missing = np.isnan(encoded.numeric)
    if missing.any():
        row, slot = (int(place) for place in np.argwhere(missing)[0])
        raise SchemaError(
            f"{_slot_name(network, slot)}, row {row}: the number is missing, and this model was trained without a "
            "state for missing cells; fill it in or remove the row"
        )


def _slot_name(network: TabNet, slot: int) -> str:
    layout: InputLayout | None = getattr(network.embedding, "layout", None)
    if layout is None:
        return f"the numeric column {slot} (counted from 0)"
    return f"column {layout.feature_names[layout.numeric_feature[slot]]!r}"


def _chunk(start: int, output: TabNetOutput) -> ForwardChunk:
    parts = (output.masks, output.step_contributions, output.latents.sum(dim=-1))
    return ForwardChunk(start, output.logits.cpu().numpy(), *(part.float().cpu().numpy() for part in parts))


def predict_logits(network: TabNet, encoded: EncodedTable, *, device: str = "cpu") -> npt.NDArray[np.float64]:
    """The logits of every row, (B, K)."""
    chunks = [chunk.logits for chunk in forward_batches(network, encoded, device=device)]
    if not chunks:
        return np.empty((0, len(network.output_offset)))
    return np.concatenate(chunks)


def encode_latents(network: TabNet, encoded: EncodedTable, *, device: str = "cpu") -> npt.NDArray[np.float32]:
    """What each step hands to the head, ReLU(d) of the paper, for every row: (B, S, n_d).

    Raises:
        SchemaError: as :func:`forward_batches`.
    """
    parts = [
        output.latents.transpose(0, 1).float().cpu().numpy()
        for _, output in _outputs(network, encoded, MAX_BATCH_ROWS, device)
    ]
    if not parts:
        return np.empty((0, network.encoder.n_steps, network.encoder.n_d), dtype=np.float32)
    return np.concatenate(parts)


def prediction_table(targets: TargetCodecs | TargetCodec, logits: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Logits in the words of the targets.

    Args:
        targets: name the outputs and classes.
        logits: (B, K).

    Returns:
        B rows. For classes ``prediction`` (the most probable class), a ``logit_`` of each output and a
        ``probability_`` of each class; for a regression ``prediction`` alone. With several targets the columns of
        one after those of the other: ``prediction_<target>``, ``logit_<target> = <class>`` and
        ``probability_<target> = <class>``.
    """
    chosen = as_targets(targets)
    if len(chosen.codecs) == 1:
        return _one_target(chosen.only, logits)
    parts = []
    for codec, outputs in zip(chosen.codecs, chosen.slices, strict=True):
        table = _one_target(codec, logits[:, outputs])
        parts.append(table.set_axis([_name_among_several(str(name), codec) for name in table.columns], axis=1))
    return pd.concat(parts, axis=1)


def _name_among_several(name: str, codec: TargetCodec) -> str:
    kind, _, of_what = name.partition("_")
    return f"{kind}_{codec.name} = {of_what}" if of_what else f"{kind}_{codec.name}"


def _one_target(codec: TargetCodec, logits: npt.NDArray[np.float64]) -> pd.DataFrame:
    if codec.task is Task.REGRESSION:
        return pd.DataFrame({"prediction": logits[:, 0]})
    labels = pd.Series(predicted_labels(codec.task, logits, codec.classes), dtype="str")
    shares = class_probabilities(codec.task, logits)
    columns = {f"logit_{name}": logits[:, index] for index, name in enumerate(codec.outputs)}
    columns |= {f"probability_{name}": shares[:, index] for index, name in enumerate(codec.classes)}
    return pd.DataFrame({"prediction": labels, **columns})


def predict_frame(model: TrainedModel, frame: pd.DataFrame, *, device: str = "cpu") -> pd.DataFrame:
    """Predict every row of a raw table; see :func:`prediction_table` for the columns.

    Raises:
        SchemaError: a column that the model reads is missing or holds values of another kind.
    """
    encoded = model.encoder.transform(frame)
    return prediction_table(model.targets, predict_logits(model.network, encoded, device=device))
