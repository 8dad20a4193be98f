"""A torch module that maps a matrix to its like, seen as an autoencoder of named columns.

Shapes: B rows, D columns of the matrix (one raw feature each), Z latents. torch is imported where the module runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.models import Bools, Cells, Floats
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MatrixAutoencoder"]

MAX_BATCH_ROWS = 8_192
MAX_BATCH_CELLS = 4_000_000  # of the matrix: hidden layers are usually a few times as wide


@dataclass(frozen=True, eq=False)
class MatrixAutoencoder:
    """A torch module that maps a matrix (B, D) to its reconstruction (B, D), one column being one feature.

    The module runs as it is, in its own precision and on its own device, in evaluation mode without gradients;
    its modes are restored afterwards.

    Attributes:
        module: x (B, D) -> x_hat (B, D).
        columns: the D column names.
        encoder: x (B, D) -> z (B, Z), a part of ``module`` or another module; None shows no latents.
        zeros: what a zeroed column is replaced by (D,); 0 everywhere when empty.

    Raises:
        ExplanationError: no column, a name that is there twice, or zeros that are not one number for each column.
    """

    module: nn.Module
    columns: tuple[str, ...]
    encoder: nn.Module | None = None
    zeros: Floats = field(default_factory=lambda: np.zeros(0))
    run_id: str = ""

    def __post_init__(self) -> None:
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ExplanationError(
                f"an autoencoder's columns must have different names, one or more, got {self.columns}"
            )
        if len(self.zeros) not in {0, len(self.columns)}:
            raise ExplanationError(
                f"zeros must hold one number for each of the {len(self.columns)} columns, got {len(self.zeros)}"
            )

    @property
    def layout(self) -> InputLayout:
        """One numeric slot for each column."""
        n = len(self.columns)
        return InputLayout(self.columns, tuple(range(n)), (), (), ((-1.0, 1.0),) * n)

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """Every value is its own column's (D,)."""
        return np.arange(len(self.columns), dtype=np.int64)

    @property
    def value_names(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    @property
    def latent_names(self) -> tuple[str, ...]:
        """Latents by their number, from 1."""
        if self.encoder is None:
            return ()
        width = self._run(self.encoder, np.zeros((1, len(self.columns)), dtype=np.float32)).shape[1]
        return tuple(say("latent {number}", number=place + 1) for place in range(width))

    @property
    def description(self) -> str:
        """What is reconstructed from what."""
        return say("Every column is reconstructed from all columns, its own among them.")

    @property
    def blank(self) -> str:
        """What a zeroed column is replaced by."""
        return "the number given for it" if len(self.zeros) else "0"

    @property
    def forwards_per_row(self) -> int:
        """One."""
        return 1

    def table(self, x: npt.ArrayLike) -> EncodedTable:
        """A matrix (B, D) as a table, in single precision.

        Raises:
            ExplanationError: another number of columns, or a cell that is no finite number.
        """
        matrix = np.asarray(x, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.columns):
            raise ExplanationError(
                f"the table must have {len(self.columns)} columns as the autoencoder, got the shape {matrix.shape}"
            )
        wrong = np.argwhere(~np.isfinite(matrix))
        if len(wrong):
            row, column = wrong[0].tolist()
            raise ExplanationError(
                f"column {self.columns[column]!r}, row {row}: the cell is no finite number; fill it in first"
            )
        return EncodedTable(matrix, np.zeros((len(matrix), 0), dtype=np.int64))

    def cells(self, table: EncodedTable) -> Cells:
        """The matrix itself."""
        return Cells(table.numeric.astype(np.float64), np.ones(table.numeric.shape, dtype=np.bool_))

    def reconstruct(self, table: EncodedTable, zeroed: Bools | None = None) -> Floats:
        """The reconstruction (B, D).

        Raises:
            ExplanationError: the module gives something else than one finite number for each cell.
        """
        matrix = table.numeric
        if zeroed is not None and zeroed.any():
            zeros = self.zeros if len(self.zeros) else np.zeros(len(self.columns))
            matrix = np.where(zeroed, zeros.astype(np.float32), matrix)
        values = self._run(self.module, matrix)
        if values.shape != matrix.shape:
            raise ExplanationError(
                f"the autoencoder must give one number for each cell, shape {matrix.shape}, got {values.shape}"
            )
        return values

    def encode(self, table: EncodedTable) -> Floats:
        """The latents (B, Z); none without an encoder."""
        return np.zeros((len(table), 0)) if self.encoder is None else self._run(self.encoder, table.numeric)

    def first_weights(self) -> Floats | None:
        """The weights of the first ``torch.nn.Linear`` that reads all D columns (units, D); None where none does."""
        from torch import nn

        for part in self.module.modules():
            if isinstance(part, nn.Linear) and part.in_features == len(self.columns):
                weights: Floats = part.weight.detach().cpu().double().numpy()
                return weights
        return None

    def _run(self, module: nn.Module, matrix: npt.NDArray[np.float32]) -> Floats:
        import torch

        place = next(module.parameters(), None)
        dtype = place.dtype if place is not None else torch.float32
        device = place.device if place is not None else torch.device("cpu")
        size = max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // len(self.columns)))
        parts = []
        with _evaluating(module), torch.no_grad():
            for start in range(0, max(1, len(matrix)), size):
                batch = torch.from_numpy(np.ascontiguousarray(matrix[start : start + size])).to(device, dtype)
                parts.append(_as_matrix(module(batch), len(batch)))
        return np.concatenate(parts)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while: dropout and batch norms must not change an explanation, nor it them."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _as_matrix(given: Any, n_rows: int) -> Floats:
    import torch

    if not isinstance(given, torch.Tensor) or given.ndim != 2 or len(given) != n_rows:
        shape = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
        raise ExplanationError(
            f"the autoencoder must give one matrix with a row for each row it reads, got {shape}; wrap it in a "
            "module that gives the reconstruction alone"
        )
    values: Floats = given.detach().cpu().double().numpy()
    if not np.isfinite(values).all():
        raise ExplanationError("the autoencoder gives numbers that are not finite; look at its weights and its input")
    return values
