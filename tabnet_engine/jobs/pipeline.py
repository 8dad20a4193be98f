"""From a table to a trained, explained run folder: the one path of browser, worker and command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.config import ExplainConfig, choose_settings
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain import importance, long_table, store
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample, choose_rows, draw_background
from tabnet_engine.explain.masks import MaskExplanation, iterate_masks, most_rows
from tabnet_engine.explain.shapley import MAX_FEATURES, check_budget, shap_values
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.runs.artefact import DatasetRef, Run, save_run

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.training.callbacks import Callback, ProgressReport
    from tabnet_engine.training.history import EpochRecord

__all__ = ["Monitor", "Source", "explain_run", "explain_table", "train_run"]

# Where each phase starts and ends on the bar of the whole job; training is by far the longest.
_PHASES = {"Training": (0.0, 0.7), "Masks": (0.7, 0.75), "SHAP": (0.75, 1.0)}
_TRAINED = 0.7


def _ignore(*_: Any) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Monitor:
    """How long work tells where it is, and learns that it should stop.

    ``report`` gets every progress, ``epoch`` each finished epoch; ``should_cancel`` is asked at every
    batch and between explained rows. Where ``trains`` is false, explaining is the whole of the work.
    """

    report: Callable[[JobProgress], None] = _ignore
    epoch: Callable[[EpochRecord], None] = _ignore
    should_cancel: Callable[[], bool] = _never
    trains: bool = True

    def callbacks(self) -> tuple[Callback, ...]:
        """The callbacks of a training that this monitor follows."""
        from tabnet_engine.training.callbacks import Cancellation, Progress

        return Cancellation(self.should_cancel), Progress(self._training)

    def steering(self, phase: str) -> Steering:
        """How explaining rows is followed in ``phase``."""
        started = time.monotonic()

        def progress(done: int, total: int) -> None:
            share = done / max(total, 1)
            elapsed = time.monotonic() - started
            left = elapsed / share * (1 - share) if share > 0 else None
            message = f"{done:,} of {total:,} rows"
            self.report(
                JobProgress(phase=phase, fraction=self._overall(phase, share), message=message, seconds_left=left)
            )

        return Steering(progress, self.should_cancel)

    def _training(self, state: ProgressReport) -> None:
        self.report(
            JobProgress(
                phase="Training",
                fraction=self._overall("Training", state.fraction),
                message=f"epoch {state.epoch} of at most {state.max_epochs}",
                epoch=state.epoch,
                max_epochs=state.max_epochs,
                seconds_left=state.seconds_left,
            )
        )
        if state.record is not None:
            self.epoch(state.record)

    def _overall(self, phase: str, share: float) -> float:
        start, stop = _PHASES[phase]
        done = start + share * (stop - start)
        return done if self.trains else (done - _TRAINED) / (1 - _TRAINED)


@dataclass(frozen=True)
class Source:
    """The table that a run is trained on, and where it came from."""

    frame: pd.DataFrame
    schema: FeatureSchema
    dataset: DatasetRef
    read_options: Mapping[str, Any] = field(default_factory=dict)
    test_frame: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def train_run(
    source: Source, folder: Path, settings: Mapping[str, Any], *, title: str, monitor: Monitor | None = None
) -> Run:
    """Train on the source, save the run folder, and store its explanations in it.

    The run is saved before it is explained: a cancel or a failure during the explanations keeps the run.

    Raises:
        UserError: settings, columns or a target that do not fit the table.
        StorageError: the folder cannot be written.
        JobCancelledError: the monitor asked to stop.
    """
    from tabnet_engine.training.experiment import train_model

    monitor = monitor or Monitor()
    if not source.schema.features:
        raise SchemaError("no column is left to learn from; give at least one column the role 'feature'")
    n_rows, n_features = len(source.frame), len(source.schema.features)
    model_config, training_config, explain_config = choose_settings(settings, n_rows=n_rows, n_features=n_features)
    explain_config, refusal = _affordable(explain_config, n_features)
    monitor.report(JobProgress(phase="Training", message="preparing the table"))
    model = train_model(
        source.frame,
        source.schema,
        model_config,
        training_config,
        test_frame=source.test_frame,
        callbacks=monitor.callbacks(),
    )
    notes = (*source.notes, *refusal)
    run = save_run(model, folder, dataset=source.dataset, read_options=source.read_options, title=title, notes=notes)
    return explain_run(run, source.frame, explain_config, monitor=monitor)


def _affordable(config: ExplainConfig, n_features: int) -> tuple[ExplainConfig, tuple[str, ...]]:
    """The settings with SHAP left out where the table is too wide for it, and the sentence that says so.

    Raises:
        ExplanationError: a budget that the user chose and that cannot be met; better now than after training.
    """
    if config.n_shap_rows == 0:
        return config, ()
    if n_features > MAX_FEATURES:
        sentence = (
            f"no SHAP values: they are computed for at most {MAX_FEATURES:,} columns, the model reads {n_features:,}"
        )
        return config.replace(n_shap_rows=0), (sentence,)
    check_budget(n_features, config.n_shap_rows, config.n_background, config.n_evaluations)
    return config, ()


def explain_run(run: Run, frame: pd.DataFrame, config: ExplainConfig, *, monitor: Monitor | None = None) -> Run:
    """Compute and store background, masks, SHAP values and importances of the run's own table.

    Masks cover every row up to ``config.max_mask_rows``; SHAP values a stratified sample of the test rows
    (of the validation rows where no test rows were held out). Each stored part says what it covers.

    Raises:
        ExplanationError: a budget that cannot be met.
        SchemaError: ``frame`` is not the run's table.
        StorageError: the run folder cannot be written.
        JobCancelledError: the monitor asked to stop; what was stored by then stays.
    """
    monitor = monitor or Monitor()
    subject = Subject.of_run(run)
    encoded = run.encoder.transform(frame)
    background = _background(run, frame, encoded, config)
    run = store.save_background(run, background)
    chosen = _mask_rows(run, encoded, config)
    run = store.save_masks(run, iterate_masks(subject, chosen, steering=monitor.steering("Masks")))
    importances = [importance.from_masks(store.load_masks(run))]
    run = store.save_importances(run, importances)
    if config.n_shap_rows == 0:
        return run
    rows = _shap_rows(run, frame, encoded, config)
    attribution = _shap(subject, rows, background, config, monitor)
    run = store.save_attribution(run, attribution)
    return store.save_importances(run, [*importances, importance.from_attribution(attribution)])


def explain_table(
    run: Run, frame: pd.DataFrame, methods: Sequence[str], config: ExplainConfig, *, monitor: Monitor | None = None
) -> tuple[Iterator[pd.DataFrame], Callable[[], dict[str, Any]]]:
    """Explain any table with a run, as the long table of the command line.

    Args:
        run: the run; its stored background is used for SHAP.
        frame: the raw table, with the columns the run reads.
        methods: ``masks``, ``shap`` or both.
        config: how many rows SHAP explains, and its number of evaluations.
        monitor: follows the work.

    Returns:
        The long table in pieces, and the facts to write beside it, which are complete once every piece
        was taken.

    Raises:
        ExplanationError: a budget that cannot be met, or a table without a row.
        SchemaError: columns that the run reads are missing or of another type.
    """
    monitor = monitor or Monitor()
    encoded = run.encoder.transform(frame)
    if len(encoded) == 0:
        raise ExplanationError("the table has no rows to explain")
    subject = Subject.of_run(run)
    mask_parts: list[MaskExplanation] = []
    attributions: list[Attribution] = []
    left_out: list[str] = []
    mask_rows = _mask_rows(run, encoded, config)
    shap_rows = _spread_rows(encoded, config.n_shap_rows)

    def pieces() -> Iterator[pd.DataFrame]:
        if "masks" in methods:
            left_out.extend(_left_out("masks", len(mask_rows), len(encoded), "max_mask_rows"))
            for part in iterate_masks(subject, mask_rows, steering=monitor.steering("Masks")):
                mask_parts[:] = [part]
                yield long_table.mask_table(part)
        if "shap" in methods:
            left_out.extend(_left_out("shap", len(shap_rows), len(encoded), "n_shap_rows"))
            attribution = _shap(subject, shap_rows, store.load_background(run), config, monitor)
            attributions.append(attribution)
            yield long_table.attribution_table(attribution)

    def facts() -> dict[str, Any]:
        masks = mask_parts[0] if mask_parts else None
        return long_table.sidecar(masks=masks, attributions=attributions, n_mask_rows=len(mask_rows), left_out=left_out)

    return pieces(), facts


def _left_out(method: str, n_explained: int, n_rows: int, setting: str) -> list[str]:
    if n_explained == n_rows:
        return []
    return [
        f"{method}: {n_rows - n_explained:,} of {n_rows:,} rows, since {setting} is {n_explained:,} (spread evenly)"
    ]


def _shap(
    subject: Subject, rows: ChosenRows, background: BackgroundSample, config: ExplainConfig, monitor: Monitor
) -> Attribution:
    return shap_values(
        subject,
        rows,
        background,
        n_evaluations=config.n_evaluations,
        seed=config.seed,
        steering=monitor.steering("SHAP"),
    )


def _background(run: Run, frame: pd.DataFrame, encoded: EncodedTable, config: ExplainConfig) -> BackgroundSample:
    rows = run.splits.train
    y = run.codec.encode(frame, rows=rows)
    return draw_background(encoded, rows, y, task=run.codec.task, n_rows=config.n_background, seed=config.seed)


def _shap_rows(run: Run, frame: pd.DataFrame, encoded: EncodedTable, config: ExplainConfig) -> ChosenRows:
    test = run.splits.test
    rows, name = (test, "test rows") if len(test) else (run.splits.validation, "validation rows")
    y = run.codec.encode(frame, rows=rows)
    return choose_rows(encoded, rows, y, task=run.codec.task, n_rows=config.n_shap_rows, seed=config.seed, name=name)


def _mask_rows(run: Run, encoded: EncodedTable, config: ExplainConfig) -> ChosenRows:
    """All rows up to the cap; fewer of a very wide table, whose masks would not fit in memory."""
    most = most_rows(run.model_config.n_steps, run.encoder.layout.n_features, config.max_mask_rows)
    return _spread_rows(encoded, most)


def _spread_rows(encoded: EncodedTable, most: int) -> ChosenRows:
    """At most so many rows, evenly spread over the table."""
    n_rows = len(encoded)
    if n_rows <= most:
        return ChosenRows(encoded, np.arange(n_rows, dtype=np.int64), f"all {n_rows:,} rows")
    rows: npt.NDArray[np.int64] = np.linspace(0, n_rows - 1, most).astype(np.int64)
    return ChosenRows.from_table(encoded, rows, f"{most:,} of {n_rows:,} rows, spread evenly over the table")
