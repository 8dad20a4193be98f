"""The table that a run is made from, and how its training outlives the process that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.runs.artefact import DatasetRef

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.training.options import FitOptions

__all__ = ["Source", "fit_options"]


@dataclass(frozen=True)
class Source:
    """The table that a run is trained on, and where it came from."""

    frame: pd.DataFrame
    schema: FeatureSchema
    dataset: DatasetRef
    read_options: Mapping[str, Any] = field(default_factory=dict)
    test_frame: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def fit_options(checkpoint: Path | None) -> FitOptions:
    """Options of a training that keeps its state in a folder and goes on from what is there."""
    from tabnet_engine.training.options import FitOptions

    return FitOptions() if checkpoint is None else FitOptions(checkpoint=checkpoint, resume=True)
