"""Settings as frozen dataclasses, and which of them a free setting belongs to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tabnet_engine.config.audit import AuditConfig
from tabnet_engine.config.certify import CertifyConfig
from tabnet_engine.config.compare import CompareConfig
from tabnet_engine.config.limits import ExplainConfig, TableLimits
from tabnet_engine.config.model import ModelConfig
from tabnet_engine.config.report import REPORT_KINDS, ReportConfig, ReportKind
from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.config.training import PretrainingConfig, TrainingConfig
from tabnet_engine.errors import ConfigError

__all__ = [
    "PRESETS",
    "REPORT_KINDS",
    "AuditConfig",
    "CertifyConfig",
    "CompareConfig",
    "ConsumerScore",
    "ExplainConfig",
    "ModelConfig",
    "ModelFacts",
    "Organisation",
    "PretrainingConfig",
    "ReportConfig",
    "ReportKind",
    "TableLimits",
    "TrainingConfig",
    "choose_pretraining_settings",
    "choose_settings",
    "setting_names",
    "split_settings",
]


PRESETS = ("best", "paper")


def split_settings(pairs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Sort free settings into those of the model, of training and of explanation.

    Raises:
        ConfigError: a key that none of the three knows.
    """
    parts: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {})
    owners = [setting_names(cls) for cls in (ModelConfig, TrainingConfig, ExplainConfig)]
    for key, value in pairs.items():
        homes = [index for index, names in enumerate(owners) if key in names]
        if not homes:
            known = ", ".join(sorted(set().union(*owners)))
            raise ConfigError(f"unknown setting {key!r}; the settings are {known}")
        for index in homes:
            parts[index][key] = value
    return parts


def choose_settings(
    settings: Mapping[str, Any], *, n_rows: int, n_features: int, n_categorical: int = 0
) -> tuple[ModelConfig, TrainingConfig, ExplainConfig]:
    """Settings that fit the table, with the user's own on top.

    Args:
        settings: any of the settings of model, training and explanation, by name, and ``preset``: ``best``
            (the default: what the size of the table suggests) or ``paper`` (Arik & Pfister 2021 to the letter).
        n_rows: rows of the table.
        n_features: raw columns that take part.
        n_categorical: how many of them are categories or truth values.

    Raises:
        ConfigError: an unknown preset or setting, or a value outside its range.
    """
    preset, chosen = _without_preset(settings)
    model, training, explanation = split_settings(chosen)
    if preset == "paper":
        base = (ModelConfig.paper(), TrainingConfig.paper(n_rows=n_rows))
    else:
        base = (
            ModelConfig.suggest(n_rows=n_rows, n_features=n_features, n_categorical=n_categorical),
            TrainingConfig.suggest(n_rows=n_rows, n_features=n_features, n_categorical=n_categorical),
        )
    return (
        base[0].replace(**model),
        base[1].replace(**training),
        ExplainConfig.suggest(n_features=n_features).replace(**explanation),
    )


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
    preset, chosen = _without_preset(settings)
    model, pretraining = setting_names(ModelConfig), setting_names(PretrainingConfig)
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


def setting_names(settings: type[ModelConfig | TrainingConfig | PretrainingConfig | ExplainConfig]) -> set[str]:
    """What the settings of one kind are called."""
    return {field.name for field in dataclasses.fields(settings)}


def _without_preset(settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    chosen = dict(settings)
    preset = chosen.pop("preset", "best")
    if preset not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    return preset, chosen
