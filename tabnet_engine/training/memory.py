"""What a training will need, reckoned before it starts, so that an absurd setting is refused and not tried.

Shape letters: B rows of a batch, F raw features, G groups of them, D encoded width, H = n_d + n_a, S steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.embedding import categorical_widths

__all__ = ["MemoryEstimate", "available_memory", "estimate_memory", "require_memory"]

# Weights, gradients, the optimizer's two moments, and the best weights so far.
COPIES_OF_WEIGHTS = 5
# The table itself, its order of this epoch, and that of the epoch before while it is replaced.
COPIES_OF_TABLE = 3
# Backward holds gradients beside what forward saved.
BACKWARD_SHARE = 1.5
FLOAT_BYTES = 4
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by what they are spent on."""

    weights: int
    batch: int
    table: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.batch + self.table

    @classmethod
    def of(cls, model: ModelConfig, training: TrainingConfig, layout: InputLayout, n_outputs: int, n_rows: int) -> Self:
        """Reckon for a table of ``n_rows``; 0 leaves the table out."""
        batch_rows = min(training.batch_size, n_rows or training.batch_size)
        width, n_embedding = _embedding_size(model, layout)
        n_weights = n_embedding + _encoder_weights(model, layout.n_groups, width) + model.n_d * n_outputs
        table_row = 4 * len(layout.numeric_feature) + 8 * len(layout.categorical_feature) + 8
        return cls(
            weights=COPIES_OF_WEIGHTS * FLOAT_BYTES * n_weights,
            batch=int(BACKWARD_SHARE * FLOAT_BYTES * batch_rows * _floats_per_row(model, layout, width)),
            table=COPIES_OF_TABLE * table_row * n_rows,
        )


def estimate_memory(
    model_config: ModelConfig,
    training_config: TrainingConfig,
    layout: InputLayout,
    *,
    n_outputs: int = 1,
    n_rows: int = 0,
) -> int:
    """Bytes that a training will need at its peak, beside the program itself.

    Args:
        model_config: shape of the network.
        training_config: its batch size matters.
        layout: what the network reads.
        n_outputs: K.
        n_rows: rows of the table; 0 leaves the table out.
    """
    return MemoryEstimate.of(model_config, training_config, layout, n_outputs, n_rows).total


def require_memory(estimate: MemoryEstimate, available: int, model: ModelConfig, training: TrainingConfig) -> None:
    """Refuse a training that cannot fit.

    Raises:
        ConfigError: the estimate is above what is free; the text says which setting to lower.
    """
    if estimate.total <= available:
        return
    advice = {
        estimate.weights: f"n_d ({model.n_d}), n_a ({model.n_a}) or n_steps ({model.n_steps})",
        estimate.batch: f"batch_size ({training.batch_size}), n_d ({model.n_d}) or n_steps ({model.n_steps})",
        estimate.table: "the number of rows",
    }
    largest = max(advice)
    raise ConfigError(
        f"training would need about {_gigabytes(estimate.total)} of memory, but {_gigabytes(available)} are free; "
        f"lower {advice[largest]}"
    )


def available_memory(device: torch.device) -> int:
    """Bytes that are free on the device, within the limit that a container sets."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return min(int(psutil.virtual_memory().available), _container_room())


def _container_room() -> int:
    """What is left of a control group's limit (cgroup v2); a huge number where there is none."""
    try:
        limit = int((CGROUP / "memory.max").read_text())
        return limit - int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no control group, or the word "max"
        return 2**62


def _floats_per_row(model: ModelConfig, layout: InputLayout, width: int) -> int:
    """How many values of each row forward keeps for backward, somewhat more rather than less.

    Args:
        model: shape of the network.
        layout: what it reads.
        width: D.
    """
    hidden, n_layers = model.n_d + model.n_a, model.n_shared + model.n_independent
    embedding = 3 * len(layout.numeric_feature) * model.n_bins + 3 * width
    transformers = (model.n_steps + 1) * n_layers * 7 * hidden
    masks = model.n_steps * (6 * layout.n_features + 2 * width)
    return embedding + transformers + masks


def _embedding_size(model: ModelConfig, layout: InputLayout) -> tuple[int, int]:
    """D, and how many values the embedding learns."""
    piecewise = model.numeric_embedding == "piecewise"
    per_number = model.d_numeric if piecewise else 1
    n_bins = max((len(edges) - 1 for edges in layout.bins), default=0) if piecewise else 0
    widths = categorical_widths(layout, model)
    tables = sum(size * width for size, width in zip(layout.categorical_sizes, widths, strict=True))
    n_numbers = len(layout.numeric_feature)
    n_states = n_bins + int(model.missing_states)
    return n_numbers * per_number + sum(widths), n_numbers * n_states * per_number + tables


def _encoder_weights(model: ModelConfig, n_groups: int, width: int) -> int:
    """How many values the encoder learns: FC weights without bias, and two for each channel of a norm."""
    hidden, n_shared, n_own = model.n_d + model.n_a, model.n_shared, model.n_independent
    first, later = 2 * hidden * width, 2 * hidden * hidden
    shared = first + (n_shared - 1) * later if n_shared else 0
    own = n_own * later if n_shared else first + (n_own - 1) * later
    norms = (n_shared + n_own) * 4 * hidden
    attention = n_groups * model.n_a + 2 * n_groups
    return shared + (model.n_steps + 1) * (own + norms) + model.n_steps * attention + 2 * width


def _gigabytes(count: int) -> str:
    return f"{count / 1024**3:,.1f} GB"
