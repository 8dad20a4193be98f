"""A network along straight paths between embedded rows, in double precision.

Shapes: B rows, M paths, D encoded width, P players, K outputs, L points asked for at once. torch is imported here.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import Subject
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.device import resolve_device
from tabnet_engine.training.prediction import require_readable, rows_per_batch

__all__ = ["EmbeddedPaths"]

# Points of one forward and backward pass; its hidden layers stay in the processor's cache.
BATCH_POINTS = 1_024

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class EmbeddedPaths:
    """Straight lines from embedded starts to an embedded end, and the network along them in double precision.

    Outputs are the head's; ``offset + scale * output`` is the logit, (K,) both.
    """

    def __init__(self, network: TabNet, owner: torch.Tensor, n_players: int, offset: Floats, scale: Floats) -> None:
        self._network = network
        self._owner = owner
        self.n_players = n_players
        self.offset = offset
        self.scale = scale
        self._batch = rows_per_batch(network, BATCH_POINTS)
        self._start = self._step = torch.empty(0)

    @classmethod
    def build(cls, subject: Subject, players: Players, device: str) -> EmbeddedPaths:
        """A copy of the subject's network, to compute on ``device``."""
        place = resolve_device(device)
        network = copy.deepcopy(subject.network).to(place, torch.float64).eval().requires_grad_(requires_grad=False)
        offset, scale = (part.cpu().numpy().copy() for part in (network.output_offset, network.output_scale))
        # In the units of the head: a target far from zero would leave its differences too few digits.
        network.set_output_scale(torch.zeros_like(network.output_offset), torch.ones_like(network.output_scale))
        owner = torch.as_tensor(players.of_feature, device=place)[network.embedding.column_feature]
        return cls(network, owner, len(players), offset, scale)

    def embed(self, table: EncodedTable) -> torch.Tensor:
        """The embedded rows (B, D).

        Raises:
            SchemaError: a number is missing, and the network has no state for missing cells.
        """
        require_readable(self._network, table)
        numeric = torch.as_tensor(table.numeric, dtype=torch.float64, device=self._owner.device)
        embedded: torch.Tensor = self._network.embedding(
            numeric, torch.as_tensor(table.categorical, device=self._owner.device)
        )
        return embedded

    def outputs(self, x: torch.Tensor) -> Floats:
        """Outputs (B, K) of embedded rows."""
        outputs: Floats = self._network.read_embedded(x).logits.cpu().numpy()
        return outputs

    def lead(self, start: torch.Tensor, end: torch.Tensor) -> None:
        """From now on the paths lead from each of ``start`` (M, D) to ``end`` (1, D)."""
        self._start, self._step = start, end - start

    def values(self, paths: Ints, at: Floats) -> Floats:
        """Outputs (L, K) at the points ``at`` (L,) of the paths (L,)."""
        return np.concatenate([self.outputs(self._points(*part)) for part in self._batches(paths, at)])

    def slopes(self, paths: Ints, at: Floats) -> Floats:
        """What each player adds to each output per unit of the path, (L, P, K)."""
        return np.concatenate([self._slopes(*part) for part in self._batches(paths, at)])

    def _batches(self, paths: Ints, at: Floats) -> list[tuple[torch.Tensor, torch.Tensor]]:
        place = self._start.device
        whole = torch.as_tensor(paths, device=place), torch.as_tensor(at, device=place)
        return list(zip(*(torch.split(part, self._batch) for part in whole), strict=True))

    def _points(self, paths: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return self._start[paths] + at[:, None] * self._step[paths]

    def _slopes(self, paths: torch.Tensor, at: torch.Tensor) -> Floats:
        x = self._points(paths, at).requires_grad_()
        logits = self._network.read_embedded(x).logits
        n_outputs = logits.shape[1]
        slopes = logits.new_zeros(len(at), n_outputs, self.n_players)
        step = self._step[paths]
        for output in range(n_outputs):
            (gradient,) = torch.autograd.grad(logits[:, output].sum(), x, retain_graph=output + 1 < n_outputs)
            slopes[:, output].index_add_(1, self._owner, gradient * step)
        return np.ascontiguousarray(slopes.cpu().numpy().transpose(0, 2, 1))
