"""Settings as frozen dataclasses: they validate themselves and reject unknown keys by name."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from tabnet_engine.errors import ConfigError

__all__ = ["ExplainConfig", "ModelConfig", "TableLimits", "TrainingConfig", "split_settings"]


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """Shared behaviour: JSON in, JSON out, unknown keys and wrong types refused by name."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build the settings from plain values (JSON, or text from ``--set key=value``).

        Raises:
            ConfigError: an unknown key, a value of the wrong type, or one outside its range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            message = f"unknown setting {unknown[0]!r}; the settings here are {', '.join(sorted(known))}"
            raise ConfigError(message)
        hints = typing.get_type_hints(cls)
        return cls(**{key: _coerce(key, value, hints[key]) for key, value in values.items()})

    def to_mapping(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)

    def replace(self, **changes: Any) -> Self:
        """The same settings with some changed, validated again."""
        return type(self).from_mapping({**self.to_mapping(), **changes})


def _coerce(key: str, value: Any, hint: Any) -> Any:
    """Turn ``value`` into the type that the field declares; text is parsed, nothing is truncated."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            return None
        return _coerce(key, value, next(arg for arg in typing.get_args(hint) if arg is not type(None)))
    if origin is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise ConfigError(f"{key} must be one of {', '.join(map(str, choices))}, got {value!r}")
        return value
    if hint is bool:
        return _coerce_bool(key, value)
    return _coerce_number(key, value, hint)


def _coerce_bool(key: str, value: Any) -> bool:
    text = str(value).lower()
    if text in {"true", "1", "yes"}:
        return True
    if text in {"false", "0", "no"}:
        return False
    raise ConfigError(f"{key} must be true or false, got {value!r}")


def _coerce_number(key: str, value: Any, hint: type) -> Any:
    if isinstance(value, bool):
        raise ConfigError(f"{key} must be a number, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{key} must be a number, got {value!r}") from None
    if hint is float:
        return number
    if not number.is_integer():
        raise ConfigError(f"{key} must be a whole number, got {value!r}")
    return int(number)


def _require(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raise unless ``low <= value <= high``; NaN fails both comparisons and is refused too."""
    if not low <= value <= high:
        bound = f"at least {low}" if high == float("inf") else f"between {low} and {high}"
        raise ConfigError(f"{name} must be {bound}, got {value}")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(_Settings):
    """Shape of one TabNet (Arik & Pfister 2021, section 3); names are the paper's own.

    ``virtual_batch_size`` is the ghost batch V; ``momentum`` is in the torch sense, that is one minus
    the paper's m_B. ``numeric_embedding="none"`` is the paper's plain input; ``"piecewise"`` gives each
    number ``n_bins`` quantile bins and ``d_numeric`` learned dimensions that share one mask.
    ``d_categorical=None`` lets the embedding width follow the number of categories.
    """

    n_d: int = 16
    n_a: int = 16
    n_steps: int = 3
    n_shared: int = 2
    n_independent: int = 2
    gamma: float = 1.5
    virtual_batch_size: int = 256
    momentum: float = 0.02
    mask_function: Literal["sparsemax", "entmax15"] = "sparsemax"
    numeric_embedding: Literal["piecewise", "none"] = "piecewise"
    n_bins: int = 24
    d_numeric: int = 4
    d_categorical: int | None = None

    def __post_init__(self) -> None:
        for name in ("n_d", "n_a", "n_steps"):
            _require(name, getattr(self, name), 1, 1024)
        for name in ("n_shared", "n_independent"):
            _require(name, getattr(self, name), 0, 16)
        _require("n_shared + n_independent", self.n_shared + self.n_independent, 1)
        _require("gamma", self.gamma, 1.0, 10.0)
        _require("virtual_batch_size", self.virtual_batch_size, 2)
        _require("momentum", self.momentum, 1e-4, 1.0)
        _require("n_bins", self.n_bins, 2, 256)
        _require("d_numeric", self.d_numeric, 1, 64)
        if self.d_categorical is not None:
            _require("d_categorical", self.d_categorical, 1, 256)

    @classmethod
    def suggest(cls, *, n_rows: int, n_features: int) -> Self:
        """Settings that fit the size of a table; constructors themselves never guess.

        Args:
            n_rows: rows that training will see.
            n_features: raw columns that take part.
        """
        few, many = n_rows < 2_000, n_rows >= 50_000
        width = 8 if few or n_features <= 4 else 32 if many else 16
        return cls(
            n_d=width,
            n_a=width,
            # A few hundred rows cannot fill the bins of many columns; a straight line errs less there.
            numeric_embedding="none" if n_rows < 1_000 else "piecewise",
            n_bins=12 if few else 24,
            # With few batches an epoch the running statistics must follow faster.
            momentum=0.1 if n_rows < 10_000 else 0.02,
        )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(_Settings):
    """How one network is trained. ``sparsity_lambda`` weighs the entropy of the masks (paper eq. 3.2).

    ``monitor="auto"`` means the loss on the validation rows; ``patience`` counts epochs without a new
    best; 0 turns early stopping off. ``weight_decay`` is AdamW's. ``clip_norm=0`` turns clipping off.
    """

    max_epochs: int = 15
    batch_size: int = 256
    learning_rate: float = 0.01
    weight_decay: float = 0.3
    optimizer: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["one_cycle", "cosine", "exponential", "constant"] = "one_cycle"
    decay_rate: float = 0.95
    sparsity_lambda: float = 1e-4
    clip_norm: float = 1.0
    class_weights: Literal["none", "balanced"] = "none"
    monitor: Literal["auto", "loss", "auc", "accuracy", "log_loss", "rmse", "mae", "r2"] = "auto"
    patience: int = 8
    validation_fraction: float = 0.1
    test_fraction: float = 0.2
    seed: int = 0
    device: Literal["auto", "cuda", "cpu"] = "auto"

    def __post_init__(self) -> None:
        _require("max_epochs", self.max_epochs, 1, 100_000)
        _require("batch_size", self.batch_size, 2, 1_000_000)
        _require("learning_rate", self.learning_rate, 1e-7, 10.0)
        _require("weight_decay", self.weight_decay, 0.0, 10.0)
        _require("decay_rate", self.decay_rate, 1e-3, 1.0)
        _require("sparsity_lambda", self.sparsity_lambda, 0.0, 100.0)
        _require("clip_norm", self.clip_norm, 0.0, 1e6)
        _require("patience", self.patience, 0)
        _require("validation_fraction", self.validation_fraction, 0.01, 0.5)
        _require("test_fraction", self.test_fraction, 0.0, 0.5)
        _require("seed", self.seed, 0, 2**32 - 1)

    @classmethod
    def suggest(cls, *, n_rows: int) -> Self:
        """Epochs, batch and weight decay that fit the number of rows.

        Small tables need more passes and a stronger decay. The one-cycle schedule gains most in its last
        epochs, so early stopping waits for half of them.
        """
        if n_rows < 2_000:
            return cls(max_epochs=100, batch_size=32, weight_decay=1.0, patience=50)
        if n_rows < 10_000:
            return cls(max_epochs=30, batch_size=64, weight_decay=0.5, patience=15)
        if n_rows < 50_000:
            return cls(max_epochs=15, batch_size=256, weight_decay=0.3, patience=8)
        if n_rows < 200_000:
            return cls(max_epochs=15, batch_size=256, weight_decay=0.1, patience=8)
        return cls(max_epochs=10, batch_size=1024, weight_decay=0.1, patience=5)


@dataclass(frozen=True, kw_only=True)
class ExplainConfig(_Settings):
    """What the explanations after training may cost, always stated beside their figures.

    ``n_evaluations=None`` means ten antithetic permutations of the columns, ``10 * (2F + 1)`` model
    evaluations per explained row, each averaged over ``n_background`` rows. ``max_mask_rows`` caps the
    rows whose masks are stored.
    """

    n_shap_rows: int = 200
    n_background: int = 50
    n_evaluations: int | None = None
    max_mask_rows: int = 200_000
    seed: int = 0

    def __post_init__(self) -> None:
        _require("n_shap_rows", self.n_shap_rows, 0, 1_000_000)
        _require("n_background", self.n_background, 1, 10_000)
        if self.n_evaluations is not None:
            _require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        _require("max_mask_rows", self.max_mask_rows, 1)
        _require("seed", self.seed, 0, 2**32 - 1)

    @classmethod
    def suggest(cls, *, n_features: int) -> Self:
        """Fewer rows for SHAP where each costs more: about ten million predictions in all."""
        per_row = 10 * (2 * n_features + 1) * cls.n_background
        return cls(n_shap_rows=min(cls.n_shap_rows, max(20, 10_000_000 // per_row)))


@dataclass(frozen=True, kw_only=True)
class TableLimits(_Settings):
    """Bounds on a table and on the process that parses it."""

    max_rows: int = 5_000_000
    max_columns: int = 10_000
    max_cells: int = 200_000_000
    max_file_bytes: int = 2 * 1024**3
    max_parse_bytes: int = 8 * 1024**3
    max_parse_seconds: int = 600


def split_settings(pairs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Sort free settings into those of the model, of training and of explanation.

    Raises:
        ConfigError: a key that none of the three knows.
    """
    parts: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {})
    owners = [{f.name for f in dataclasses.fields(cls)} for cls in (ModelConfig, TrainingConfig, ExplainConfig)]
    for key, value in pairs.items():
        homes = [index for index, names in enumerate(owners) if key in names]
        if not homes:
            known = ", ".join(sorted(set().union(*owners)))
            raise ConfigError(f"unknown setting {key!r}; the settings are {known}")
        for index in homes:
            parts[index][key] = value
    return parts
