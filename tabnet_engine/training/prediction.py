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

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.model.tabnet import TabNet, TabNetOutput
from tabnet_engine.training.loop import TensorTable
from tabnet_engine.training.probabilities import class_probabilities, predicted_labels

if TYPE_CHECKING:
    from tabnet_engine.training.experiment import TrainedModel

__all__ = [
    "ForwardChunk",
    "forward_batches",
    "predict_frame",
    "predict_logits",
    "prediction_table",
    "rows_per_batch",
]

MAX_BATCH_ROWS = 8_192
MAX_BATCH_CELLS = 32_000_000


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
    encoder = network.encoder
    n_features = int(network.embedding.column_feature.max()) + 1
    # Bins, embedding and norms of a row; its masks and priors; the widest hidden layer.
    cells = 24 * network.embedding.width + 3 * encoder.n_steps * n_features + 8 * (encoder.n_d + encoder.n_a)
    return max(1, min(wanted, MAX_BATCH_CELLS // cells))


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
    """
    place = torch.device(device)
    precise = copy.deepcopy(network).to(place, torch.float64).eval()
    table = TensorTable.build(encoded, None, torch.device("cpu"))
    size = rows_per_batch(network, batch_size)
    for start in range(0, len(table), size):
        rows = table.slice(start, min(start + size, len(table)))
        with torch.inference_mode():
            output = precise(rows.numeric.to(place, torch.float64), rows.categorical.to(place))
        yield _chunk(start, output)
        if progress is not None:
            progress(min(1.0, (start + size) / len(table)))


def _chunk(start: int, output: TabNetOutput) -> ForwardChunk:
    parts = (output.masks, output.step_contributions, output.latents.sum(dim=-1))
    return ForwardChunk(start, output.logits.cpu().numpy(), *(part.float().cpu().numpy() for part in parts))


def predict_logits(network: TabNet, encoded: EncodedTable, *, device: str = "cpu") -> npt.NDArray[np.float64]:
    """The logits of every row, (B, K)."""
    chunks = [chunk.logits for chunk in forward_batches(network, encoded, device=device)]
    if not chunks:
        return np.empty((0, len(network.output_offset)))
    return np.concatenate(chunks)


def prediction_table(codec: TargetCodec, logits: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Logits in the words of the target.

    Args:
        codec: names the outputs and classes.
        logits: (B, K).

    Returns:
        B rows. For classes ``prediction`` (the most probable class), a ``logit_`` of each output and a
        ``probability_`` of each class; for a regression ``prediction`` alone.
    """
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
    return prediction_table(model.codec, predict_logits(model.network, encoded, device=device))
