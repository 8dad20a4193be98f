"""Free settings of a job, sorted and checked before the job waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tabnet_engine.config import PRESETS, ModelConfig, PretrainingConfig, TrainingConfig, choose_settings
from tabnet_engine.errors import ConfigError

__all__ = [
    "check_pretraining_settings",
    "check_training_settings",
    "choose_fine_tuning_settings",
    "choose_pretraining_settings",
    "with_frozen_start",
]

# Ranges do not depend on the table: any size will do to check what a user wrote.
_ANY_SIZE = {"n_rows": 10_000, "n_features": 10}


def check_training_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of a training that do not exist or are outside their range.

    Raises:
        ConfigError: the first that is wrong, by name.
    """
    choose_settings(settings, **_ANY_SIZE)


def check_pretraining_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of a pretraining that do not exist or are outside their range.

    Raises:
        ConfigError: the first that is wrong, by name.
    """
    choose_pretraining_settings(settings, **_ANY_SIZE)


def choose_pretraining_settings(
    settings: Mapping[str, Any], *, n_rows: int, n_features: int, n_categorical: int = 0
) -> tuple[ModelConfig, PretrainingConfig]:
    """Settings of a pretraining that fit the table, with the user's own on top.

    Args:
        settings: any of the settings of model and pretraining, by name, and ``preset``, which decides the model.
        n_rows: rows of the table.
        n_features: raw columns that take part.
        n_categorical: how many of them are categories or truth values.

    Raises:
        ConfigError: an unknown preset or setting, or a value outside its range.
    """
    chosen = dict(settings)
    preset = chosen.pop("preset", "best")
    if preset not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    model, pretraining = _names(ModelConfig), _names(PretrainingConfig)
    unknown = sorted(set(chosen) - model - pretraining)
    if unknown:
        known = ", ".join(sorted(model | pretraining))
        raise ConfigError(f"unknown setting {unknown[0]!r}; the settings of a pretraining are {known}")
    shape = ModelConfig.paper()
    if preset == "best":
        shape = ModelConfig.suggest(n_rows=n_rows, n_features=n_features, n_categorical=n_categorical).for_pretraining()
    return (
        shape.replace(**{key: value for key, value in chosen.items() if key in model}),
        PretrainingConfig.suggest(n_rows=n_rows).replace(**{k: v for k, v in chosen.items() if k in pretraining}),
    )


def choose_fine_tuning_settings(
    settings: Mapping[str, Any], *, n_rows: int, n_features: int, pretrained: ModelConfig, n_categorical: int = 0
) -> tuple[ModelConfig, TrainingConfig]:
    """Settings of a training that starts from a pretraining: the network is the one that was pretrained.

    Args:
        settings: as for a training; settings of the model may be named only as they were pretrained.
        n_rows: rows of the table.
        n_features: raw columns that take part.
        pretrained: the network of the pretraining.
        n_categorical: how many columns are categories or truth values.

    Raises:
        ConfigError: a setting that does not exist, is outside its range, or would change the network.
    """
    shape, training, _ = choose_settings(settings, n_rows=n_rows, n_features=n_features, n_categorical=n_categorical)
    # The head is new in any case, so how many logits it gives is free.
    two_logits = shape.two_logits if {"two_logits", "preset"} & set(settings) else pretrained.two_logits
    for name in sorted(_names(ModelConfig) & set(settings) - {"two_logits"}):
        wanted, given = getattr(shape, name), getattr(pretrained, name)
        if wanted != given:
            raise ConfigError(
                f"{name} is {given} in the pretraining and cannot be {wanted} in a training that starts from it; "
                "leave it out, or pretrain again"
            )
    return pretrained.replace(two_logits=two_logits), with_frozen_start(training, settings)


def with_frozen_start(training: TrainingConfig, settings: Mapping[str, Any]) -> TrainingConfig:
    """The settings of a fine-tuning: the encoder is frozen at first, unless the user chose for how long."""
    return training if "freeze_epochs" in settings else training.for_fine_tuning()


def _names(settings: type[ModelConfig | TrainingConfig | PretrainingConfig]) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}
