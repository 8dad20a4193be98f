"""What is explained, which rows, and how long work reports and stops.

Shapes: B rows, K outputs. torch is imported only where a network really runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError, JobCancelledError

if TYPE_CHECKING:
    from tabnet_engine.model.tabnet import TabNet
    from tabnet_engine.runs.artefact import Run

__all__ = ["ChosenRows", "LogitModel", "Steering", "Subject"]


class LogitModel(Protocol):
    """Anything that turns encoded rows into logits: all that a model-agnostic method needs."""

    @property
    def layout(self) -> InputLayout:
        """Which slot belongs to which raw feature."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the K outputs."""
        ...

    @property
    def run_id(self) -> str:
        """The run it came from; empty when there is none."""
        ...

    def logits(self, table: EncodedTable) -> npt.NDArray[np.float64]:
        """Logits (B, K) of the encoded rows."""
        ...


@dataclass(frozen=True)
class Subject:
    """A trained network together with what its inputs and outputs are called."""

    network: TabNet
    layout: InputLayout
    outputs: tuple[str, ...]
    run_id: str = ""

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """The network of a stored run; its weights are loaded here.

        Raises:
            ExplanationError: the run is a pretraining, which predicts nothing, or its weights are no numbers.
            DamagedRunError: the weights cannot be read.
        """
        if run.manifest.task is Task.PRETRAINING:
            raise ExplanationError(
                f"the run {run.manifest.title!r} is a pretraining and predicts nothing that could be explained; "
                "train from it first, then explain that run"
            )
        network = run.network()
        if not all(bool(weights.isfinite().all()) for weights in network.state_dict().values()):
            raise ExplanationError(
                f"the run {run.manifest.title!r} has weights that are infinite or no numbers (NaN), so it predicts "
                "nothing that could be explained; train it again, or import the model again"
            )
        return cls(network, run.encoder.layout, run.targets.outputs, run.manifest.run_id)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the F raw features."""
        return self.layout.feature_names

    def logits(self, table: EncodedTable) -> npt.NDArray[np.float64]:
        """Logits (B, K) of the encoded rows."""
        from tabnet_engine.training.prediction import predict_logits

        return predict_logits(self.network, table)


@dataclass(frozen=True)
class ChosenRows:
    """The rows to explain: their encoded cells, their row numbers in the table, how they were chosen."""

    table: EncodedTable
    rows: npt.NDArray[np.int64]
    selection: str = ""

    def __post_init__(self) -> None:
        if len(self.table) != len(self.rows):
            raise ValueError(f"{len(self.table)} encoded rows cannot carry {len(self.rows)} row numbers")

    @classmethod
    def from_table(cls, table: EncodedTable, rows: npt.NDArray[np.int64], selection: str = "") -> Self:
        """Pick ``rows`` by position from a whole encoded table."""
        return cls(table.take(rows), np.asarray(rows, dtype=np.int64), selection)

    def __len__(self) -> int:
        return len(self.rows)


def _ignore(*_: Any) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Steering:
    """``progress(done, total)`` counts rows; ``should_cancel`` is asked between chunks of rows."""

    progress: Callable[[int, int], None] = _ignore
    should_cancel: Callable[[], bool] = _never

    def step(self, done: int, total: int) -> None:
        """Report, and stop when asked to.

        Raises:
            JobCancelledError: the user asked to cancel.
        """
        if self.should_cancel():
            raise JobCancelledError(f"cancelled after {done:,} of {total:,} rows")
        self.progress(done, total)
