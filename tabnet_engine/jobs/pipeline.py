"""From a table to a trained, explained run folder: the one path of browser, worker and command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig, choose_settings
from tabnet_engine.config.limits import WIDE
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.data.targets import usable_rows
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.row_filter import parse_filter
from tabnet_engine.jobs.checkpoints import remove_checkpoint
from tabnet_engine.jobs.explaining import check_budgets, explain_run
from tabnet_engine.jobs.explaining_table import explain_table
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.pretraining import fine_tuning_schema, require_pretraining
from tabnet_engine.jobs.settings import choose_fine_tuning_settings
from tabnet_engine.jobs.source import Source, fit_options
from tabnet_engine.runs.artefact import Run, save_run

__all__ = ["EXPLANATIONS", "Monitor", "Source", "explain_run", "explain_table", "explanation_settings", "train_run"]

EXPLANATIONS = "explanations"  # within the checkpoint of a job: what was explained before the process died


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
    explained = None if checkpoint is None else checkpoint / EXPLANATIONS
    run = explain_run(run, source.frame, explain_config, monitor=monitor, checkpoint=explained)
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return run


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
    _check_background(explanation, source.schema)
    return model, training, *_affordable(explanation, len(features), chose_methods="methods" in settings)


def _check_background(config: ExplainConfig, schema: FeatureSchema) -> None:
    """Refuse a background that cannot be, before training and not after it.

    Raises:
        ExplanationError: a class or condition that does not fit the table.
        SchemaError: a column that does not exist.
    """
    if config.background_where is not None:
        parse_filter(config.background_where, schema)
    if config.background_class is None:
        return
    known = [(target.name, label) for target in schema.targets for label in target.classes]
    if not any(config.background_class in {label, f"{name}={label}"} for name, label in known):
        names = ", ".join(repr(label) for _, label in known)
        what = f"the classes are {names}" if names else "a target that is a number has none"
        raise ExplanationError(f"there is no class {config.background_class!r}; {what}")


def explanation_settings(run: Run, settings: Mapping[str, Any]) -> ExplainConfig:
    """The settings with which a training that asked for ``settings`` is explained, for a run that was only saved.

    Raises:
        ExplanationError: a budget that cannot be met.
    """
    n_features = run.encoder.layout.n_features
    _, _, chosen = choose_settings(settings, n_rows=run.manifest.dataset.n_rows, n_features=n_features)
    return _affordable(chosen, n_features, chose_methods="methods" in settings)[0]


def _affordable(
    config: ExplainConfig, n_features: int, *, chose_methods: bool
) -> tuple[ExplainConfig, tuple[str, ...]]:
    """The settings with SHAP left out where the table is too wide for it, and the sentence that says so.

    Raises:
        ExplanationError: a budget that the user chose and that cannot be met; better now than after training.
    """
    if config.n_shap_rows == 0:
        return config, ()
    if n_features > WIDE and not chose_methods:
        sentence = (
            f"no SHAP values: by default they are computed for at most {WIDE:,} columns, the model reads "
            f"{n_features:,}; ask for them with methods=shap"
        )
        return config, (sentence,)
    check_budgets(config.methods, config, n_features, config.n_shap_rows)
    return config, ()
