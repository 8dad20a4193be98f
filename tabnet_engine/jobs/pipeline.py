"""From a table to a trained, explained run folder: the one path of browser, worker and command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig, split_settings
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.artefact import DatasetRef, Run
    from tabnet_engine.training.callbacks import Callback

__all__ = ["Monitor", "Source", "choose_configs", "explain_run", "train_run"]


@dataclass(frozen=True)
class Monitor:
    """How long work tells where it is and learns that it should stop.

    ``phase`` gets a name ("Masks"), the fraction done in [0, 1] and a sentence; ``callbacks`` follow
    the epochs; ``should_cancel`` is asked at every batch.
    """

    phase: Callable[[str, float, str], None] = lambda *_: None
    callbacks: Sequence[Callback] = ()
    should_cancel: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Source:
    """The table that a run is trained on, and where it came from."""

    frame: pd.DataFrame
    schema: FeatureSchema
    dataset: DatasetRef
    read_options: Mapping[str, Any] = field(default_factory=dict)
    test_frame: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def choose_configs(
    settings: Mapping[str, Any], *, n_rows: int, n_features: int
) -> tuple[ModelConfig, TrainingConfig, ExplainConfig]:
    """Settings that fit the table, with the user's own on top.

    Args:
        settings: any of the settings of model, training and explanation, by name.
        n_rows: rows of the table.
        n_features: raw columns that take part.

    Raises:
        ConfigError: an unknown setting or a value outside its range.
    """
    model, training, explanation = split_settings(settings)
    return (
        ModelConfig.suggest(n_rows=n_rows, n_features=n_features).replace(**model),
        TrainingConfig.suggest(n_rows=n_rows).replace(**training),
        ExplainConfig.from_mapping(explanation),
    )


def train_run(
    source: Source, folder: Path, settings: Mapping[str, Any], *, title: str, monitor: Monitor | None = None
) -> Run:
    """Train on the source, save the run folder, and store its explanations in it.

    The run is saved before it is explained: cancelling during the explanations keeps the run.

    Raises:
        UserError: settings, columns or a target that do not fit the table.
        StorageError: the folder cannot be written.
        JobCancelledError: the monitor asked to stop.
    """
    from tabnet_engine.runs.artefact import save_run
    from tabnet_engine.training.callbacks import Cancellation
    from tabnet_engine.training.experiment import train_model

    monitor = monitor or Monitor()
    if not source.schema.features:
        raise SchemaError("no column is left to learn from; give at least one column the role 'feature'")
    configs = choose_configs(settings, n_rows=len(source.frame), n_features=len(source.schema.features))
    monitor.phase("Training", 0.0, "Preparing the table")
    model = train_model(
        source.frame,
        source.schema,
        configs[0],
        configs[1],
        test_frame=source.test_frame,
        callbacks=(Cancellation(monitor.should_cancel), *monitor.callbacks),
    )
    run = save_run(
        model, folder, dataset=source.dataset, read_options=source.read_options, title=title, notes=source.notes
    )
    explain_run(run, source.frame, configs[2], monitor=monitor)
    return run
