"""Free settings of a job, sorted and checked before the job waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabnet_engine.config import (
    ModelConfig,
    TrainingConfig,
    choose_pretraining_settings,
    choose_settings,
    setting_names,
)
from tabnet_engine.errors import ConfigError

__all__ = [
    "check_pretraining_settings",
    "check_training_settings",
    "choose_fine_tuning_settings",
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
    for name in sorted(setting_names(ModelConfig) & set(settings) - {"two_logits"}):
        wanted, given = getattr(shape, name), getattr(pretrained, name)
        if wanted != given:
            raise ConfigError(
                f"{name} is {given} in the pretraining and cannot be {wanted} in a training that starts from it; "
                "leave it out, or pretrain again"
            )
    # The encoder is frozen at first, unless the user chose for how long.
    return pretrained.replace(
        two_logits=two_logits
    ), training if "freeze_epochs" in settings else training.for_fine_tuning()
