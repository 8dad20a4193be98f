"""A trained network behind its embedding: for methods that mix embedded rows many times over.

Shapes: B rows, D encoded width, K outputs. Mixing rows column by column and then embedding them gives the same as
embedding first and mixing then, since every encoded dimension belongs to one raw column.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.prediction import require_readable, rows_per_batch

__all__ = ["EmbeddedNetwork"]

# Batches are filled up to full blocks with at least so many rows that nobody reads. Seen to be enough for the matrix
# products of MKL in both precisions, at one thread and at two.
BLOCK_ROWS, SPARE_ROWS = 64, 16
# Embedded cells of one forward on a processor. Measured with 520 dimensions and one thread: about 500 rows take two
# thirds of the time that batches of 2,000 take, in both precisions.
CELLS_IN_CACHE = 300_000


class EmbeddedNetwork:
    """One network for one long computation: its own copies in double and in single precision, on one device.

    Both are the network's one forward pass; only the embedding and the input norm, which :meth:`embed` runs once,
    are left out of it. Outputs are those of the head: :meth:`in_units` turns them into logits, in double precision,
    so that a target far from zero keeps its digits.

    ``offset`` and ``scale`` (K,) are the units.

    Args:
        network: trained; left as it is.
        device: where to compute, a name that torch knows.
    """

    def __init__(self, network: TabNet, device: str) -> None:
        self._network = network
        self._place = torch.device(device)
        whole = copy.deepcopy(network).to(self._place, torch.float64).eval().requires_grad_(requires_grad=False)
        self._embedding, self._norm = whole.embedding, whole.encoder.input_norm
        self.offset: npt.NDArray[np.float64] = whole.output_offset.cpu().numpy().copy()
        self.scale: npt.NDArray[np.float64] = whole.output_scale.cpu().numpy().copy()
        # What follows the embedding is left as it is, but for the input norm, which embed() runs, and the units.
        whole.encoder.input_norm = nn.Identity()  # type: ignore[assignment]
        whole.output_offset.zero_()
        whole.output_scale.fill_(1)
        self._copies = {torch.float64: whole}

    @property
    def column_feature(self) -> npt.NDArray[np.int64]:
        """The raw feature of each encoded dimension (D,)."""
        owners: npt.NDArray[np.int64] = self._network.embedding.column_feature.cpu().numpy()
        return owners

    @property
    def n_rows_at_once(self) -> int:
        """The most rows that one forward should take."""
        return rows_per_batch(self._network)

    @property
    def n_rows_in_cache(self) -> int:
        """Rows whose cells stay in a processor's cache from one operation of the masks to the next, in full blocks."""
        n_blocks = max(1, CELLS_IN_CACHE // self._network.embedding.width // BLOCK_ROWS)
        return n_blocks * BLOCK_ROWS - SPARE_ROWS

    def embed(self, encoded: EncodedTable) -> Tensor:
        """What the steps read of each row: (D, B), double precision.

        Raises:
            SchemaError: a number is missing, and the network has no state for missing cells.
        """
        require_readable(self._network, encoded)
        numeric = torch.tensor(encoded.numeric, device=self._place, dtype=torch.float64)
        categorical = torch.tensor(encoded.categorical, device=self._place)
        with torch.inference_mode():
            normed: Tensor = self._norm(self._embedding(numeric, categorical).t())
            return normed.contiguous()

    def tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        """An array on the network's device."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._place)

    def head(self, rows: Tensor) -> npt.NDArray[np.float64]:
        """The head's outputs (B, K) of embedded rows (D, B), computed in the precision of ``rows``.

        A row gets the same digits wherever it stands in a batch of any size: matrix products compute the rows of full
        blocks alike and the last few in another way, so there are always some more rows than asked for.
        """
        n_rows = rows.shape[1]
        rows = nnf.pad(rows, (0, SPARE_ROWS + -(n_rows + SPARE_ROWS) % BLOCK_ROWS))
        if rows.dtype not in self._copies:
            self._copies[rows.dtype] = copy.deepcopy(self._copies[torch.float64]).to(rows.dtype)
        with torch.inference_mode():
            outputs: Tensor = self._copies[rows.dtype].logits_of_embedded(rows.t())[:n_rows]
        answer: npt.NDArray[np.float64] = outputs.double().cpu().numpy()
        return answer

    def in_units(self, head: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Logits of the head's outputs (..., K)."""
        logits: npt.NDArray[np.float64] = self.offset + self.scale * head
        return logits
