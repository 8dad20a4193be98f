"""From a table to a trained, explained run folder: the one path of browser, worker and command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig, choose_settings
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import usable_rows
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain import importance, long_table, store
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import (
    BackgroundSample,
    choose_rows,
    draw_background,
    strata,
    substitute_background,
)
from tabnet_engine.explain.masks import MaskExplanation, iterate_masks, most_rows
from tabnet_engine.explain.shapley import MAX_FEATURES, check_budget, shap_values
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.jobs.checkpoints import remove_checkpoint
from tabnet_engine.jobs.monitor import EXPLAINING, Monitor
from tabnet_engine.jobs.pretraining import fine_tuning_schema, require_pretraining
from tabnet_engine.jobs.settings import choose_fine_tuning_settings
from tabnet_engine.jobs.source import Source, fit_options
from tabnet_engine.runs.artefact import Run, save_run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Monitor", "Source", "explain_run", "explain_table", "explanation_settings", "train_run"]


def train_run(
    source: Source,
    folder: Path,
    settings: Mapping[str, Any],
    *,
    title: str,
    monitor: Monitor | None = None,
    pretrained: Run | None = None,
    checkpoint: Path | None = None,
) -> Run:
    """Train on the source, save the run folder, and store its explanations in it.

    The run is saved before it is explained: a cancel or a failure during the explanations keeps the run.

    Args:
        source: the table and what is predicted.
        folder: the run folder to make.
        settings: any of model, training and explanation, by name, and ``preset``.
        title: the run's name for people.
        monitor: follows the work.
        pretrained: a pretraining whose encoder the training starts from.
        checkpoint: a folder for going on after the process died; removed once the run is saved.

    Raises:
        UserError: settings, columns or a target that do not fit the table.
        StorageError: the folder cannot be written.
        JobCancelledError: the monitor asked to stop.
    """
    from tabnet_engine.training.experiment import train_model

    monitor = monitor or Monitor()
    if pretrained is not None:
        require_pretraining(pretrained)
    model_config, training_config, explain_config, refusal = _settings(source, settings, pretrained)
    monitor.begin("Training", "preparing the table")
    model = train_model(
        source.frame,
        source.schema if pretrained is None else fine_tuning_schema(source.schema, pretrained.schema),
        model_config,
        training_config,
        test_frame=source.test_frame,
        callbacks=monitor.callbacks(),
        options=fit_options(checkpoint),
        pretrained=None if pretrained is None else pretrained.pretrained(),
    )
    notes = (*source.notes, *_origin(source, pretrained), *refusal)
    run = save_run(model, folder, dataset=source.dataset, read_options=source.read_options, title=title, notes=notes)
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return explain_run(run, source.frame, explain_config, monitor=monitor)


def _origin(source: Source, pretrained: Run | None) -> tuple[str, ...]:
    """Where the first weights came from, and what that means for the scores."""
    if pretrained is None:
        return ()
    told = (f"trained from the pretraining {pretrained.manifest.title!r}",)
    if source.test_frame is not None or pretrained.manifest.dataset.sha256 != source.dataset.sha256:
        return told
    return (
        *told,
        "the pretraining read this table too, without its target: test rows are new in their labels only",
    )


def _settings(
    source: Source, settings: Mapping[str, Any], pretrained: Run | None
) -> tuple[ModelConfig, TrainingConfig, ExplainConfig, tuple[str, ...]]:
    """All settings of a training and its explanations, and a sentence where SHAP must be left out."""
    schema = source.schema if pretrained is None else pretrained.schema
    features = schema.features
    if not features:
        raise SchemaError("no column is left to learn from; give at least one column the role 'feature'")
    # After a pretraining on everything only a few rows may be labelled: those decide.
    n_rows = len(usable_rows(source.frame, source.schema)[0])
    size = {"n_rows": n_rows, "n_features": len(features), "n_categorical": schema.n_categorical}
    model, training, explanation = choose_settings(settings, **size)
    if pretrained is not None:
        model, training = choose_fine_tuning_settings(settings, pretrained=pretrained.model_config, **size)
    return model, training, *_affordable(explanation, len(features))


def explanation_settings(run: Run, settings: Mapping[str, Any]) -> ExplainConfig:
    """The settings with which a training that asked for ``settings`` is explained, for a run that was only saved.

    Raises:
        ExplanationError: a budget that cannot be met.
    """
    n_features = run.encoder.layout.n_features
    _, _, chosen = choose_settings(settings, n_rows=run.manifest.dataset.n_rows, n_features=n_features)
    return _affordable(chosen, n_features)[0]


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
        ExplanationError: a budget that cannot be met, or a run that cannot be explained: a pretraining, or one
            that knows no training rows.
        SchemaError: ``frame`` is not the run's table.
        StorageError: the run folder cannot be written.
        JobCancelledError: the monitor asked to stop; what was stored by then stays.
    """
    monitor = monitor or Monitor(phases=EXPLAINING)
    subject = Subject.of_run(run)
    if not len(run.splits.train):
        raise ExplanationError(
            f"the run {run.manifest.title!r} was imported without the rows it was trained on, so there are none to "
            "explain; explain any table with `python -m tabnet_engine explain`"
        )
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
    return store.save_importances(run, [*importances, importance.from_attribution(attribution, run.targets)])


def explain_table(
    run: Run, frame: pd.DataFrame, methods: Sequence[str], config: ExplainConfig, *, monitor: Monitor | None = None
) -> tuple[Iterator[pd.DataFrame], Callable[[], dict[str, Any]]]:
    """Explain any table with a run, as the long table of the command line.

    Args:
        run: the run; its stored background is used for SHAP. An imported run, which knows no training rows, takes
            a background from the table.
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
    monitor = monitor or Monitor(phases=EXPLAINING)
    subject = Subject.of_run(run)
    encoded = run.encoder.transform(frame)
    if len(encoded) == 0:
        raise ExplanationError("the table has no rows to explain")
    background = _stored_background(run, encoded, config) if "shap" in methods else None
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
        if background is not None:
            left_out.extend(_left_out("shap", len(shap_rows), len(encoded), "n_shap_rows"))
            attribution = _shap(subject, shap_rows, background, config, monitor)
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


def _stored_background(run: Run, encoded: EncodedTable, config: ExplainConfig) -> BackgroundSample:
    """The run's own background; for a run without training rows, one from the explained table."""
    if store.has_explanations(run, store.BACKGROUND) or len(run.splits.train):
        return store.load_background(run)
    return substitute_background(encoded, n_rows=config.n_background, seed=config.seed)


def _background(run: Run, frame: pd.DataFrame, encoded: EncodedTable, config: ExplainConfig) -> BackgroundSample:
    rows = run.splits.train
    y, task, target = _strata(run, frame, rows)
    return draw_background(encoded, rows, y, task=task, n_rows=config.n_background, seed=config.seed, target=target)


def _shap_rows(run: Run, frame: pd.DataFrame, encoded: EncodedTable, config: ExplainConfig) -> ChosenRows:
    test = run.splits.test
    rows, name = (test, "test rows") if len(test) else (run.splits.validation, "validation rows")
    y, task, target = _strata(run, frame, rows)
    return choose_rows(
        encoded, rows, y, task=task, n_rows=config.n_shap_rows, seed=config.seed, name=name, target=target
    )


def _strata(run: Run, frame: pd.DataFrame, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.generic], Task, str]:
    return strata(run.targets, run.targets.encode(frame, rows=rows))


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
