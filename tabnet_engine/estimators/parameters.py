"""The constructor that all estimators share, and what its parameters mean to the engine.

The names are pytorch-tabnet's where it has one, so that its scripts run unchanged. ``None`` means: what fits the
size of the table (:meth:`ModelConfig.suggest`, :meth:`TrainingConfig.suggest`), not that library's default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from tabnet_engine.config import (
    ModelConfig,
    PretrainingConfig,
    TrainingConfig,
    choose_pretraining_settings,
    choose_settings,
)
from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.estimators.errors import ParameterError, as_value_errors
from tabnet_engine.estimators.input_table import ColumnRef

__all__ = ["FitSettings", "TabNetParameters"]

# Ours by pytorch-tabnet's name; a parameter that is not None replaces what the table's size suggests.
_SETTINGS = {
    "n_d": "n_d",
    "n_a": "n_a",
    "n_steps": "n_steps",
    "gamma": "gamma",
    "n_independent": "n_independent",
    "n_shared": "n_shared",
    "epsilon": "entropy_epsilon",
    "momentum": "momentum",
    "lambda_sparse": "sparsity_lambda",
    "seed": "seed",
    "device_name": "device",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "schedule": "schedule",
    "numeric_embedding": "numeric_embedding",
    "freeze_epochs": "freeze_epochs",
    "precision": "precision",
}
_MASKS = {"sparsemax": "sparsemax", "entmax": "entmax15", "entmax15": "entmax15"}
_PRETRAINING = frozenset(PretrainingConfig.__dataclass_fields__)
# What pytorch-tabnet trains with when it is told nothing: where a script sets one part of its optimizer, the
# others are the ones that the script was written for.
_PEER_OPTIMIZER = {"lr": 2e-2}


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Settings of one fit, as ``fit`` was given them; None leaves the constructor's."""

    max_epochs: int | None = None
    patience: int | None = None
    batch_size: int | None = None
    virtual_batch_size: int | None = None


class TabNetParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters of every estimator here.

    Args:
        n_d: width of what a step decides with; None follows the table's size.
        n_a: width of what a step attends with; None is ``n_d``.
        n_steps: number of decision steps.
        gamma: how freely a feature may be used again in later steps, from 1.
        cat_idxs: columns (positions, or names of a data frame's) whose values are codes; columns of text, of
            truth values and of pandas' category type are found without it.
        cat_dims: how many codes, from 0, each of them has. Only checked: the categories are learned, and one
            that training never saw is a state of its own, as is a missing one.
        cat_emb_dim: width of their embeddings, one number or one for each of ``cat_idxs``; None follows the
            number of categories.
        n_independent: GLU layers of each step alone.
        n_shared: GLU layers shared by the steps.
        epsilon: added inside the logarithm of the masks' entropy; None computes it exactly.
        momentum: of the batch norms, in torch's sense.
        lambda_sparse: weight of the masks' entropy in the loss.
        seed: of weights, order of rows and augmentation.
        clip_value: bound on the gradient's norm; 0 sets none.
        verbose: write a line about every so many epochs; 0 is silent.
        optimizer_fn: a class of ``torch.optim``; None is the engine's own AdamW.
        optimizer_params: its arguments.
        scheduler_fn: a class of ``torch.optim.lr_scheduler``; None is the engine's own schedule, or a constant
            rate with an ``optimizer_fn``.
        scheduler_params: its arguments, and ``is_batch_level`` to step after every batch.
        mask_type: "sparsemax" or "entmax".
        device_name: "auto", "cpu" or "cuda".
        n_shared_decoder: shared GLU layers of the decoder; only :class:`TabNetPretrainer` has one.
        n_indep_decoder: independent GLU layers of the decoder.
        grouped_features: lists of columns that share one entry of every mask.
        max_epochs: and the next five: used when ``fit`` is not given them, so that a search can vary them.
        patience: epochs without a new best before stopping; 0 keeps the last weights instead of the best.
        batch_size: rows of a batch.
        virtual_batch_size: rows of a ghost batch.
        class_weight: None, "balanced" or a mapping from class to weight, in the loss.
        task_weights: weight of each target in the loss where there are several.
        preset: "best" or "paper" (Arik & Pfister 2021 to the letter).
        learning_rate: peak rate of the engine's own optimizer.
        weight_decay: of the engine's own AdamW.
        schedule: "one_cycle", "cosine", "exponential" or "constant".
        numeric_embedding: "piecewise" or "none".
        freeze_epochs: epochs for which a pretrained encoder stays as it is.
        precision: "float32" or "bfloat16".
        settings: any other setting of :class:`ModelConfig` and :class:`TrainingConfig` by its name there.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parameters of the library whose scripts must run
        self,
        n_d: int | None = None,
        n_a: int | None = None,
        n_steps: int | None = None,
        gamma: float | None = None,
        cat_idxs: Sequence[ColumnRef] = (),
        cat_dims: Sequence[int] = (),
        cat_emb_dim: int | Sequence[int] | None = None,
        n_independent: int | None = None,
        n_shared: int | None = None,
        epsilon: float | None = None,
        momentum: float | None = None,
        lambda_sparse: float | None = None,
        seed: int = 0,
        clip_value: float | None = None,
        verbose: int = 0,
        optimizer_fn: Callable[..., Any] | None = None,
        optimizer_params: Mapping[str, Any] | None = None,
        scheduler_fn: Callable[..., Any] | None = None,
        scheduler_params: Mapping[str, Any] | None = None,
        mask_type: str = "sparsemax",
        device_name: str = "auto",
        n_shared_decoder: int = 1,
        n_indep_decoder: int = 1,
        grouped_features: Sequence[Sequence[ColumnRef]] = (),
        *,
        max_epochs: int | None = None,
        patience: int | None = None,
        batch_size: int | None = None,
        virtual_batch_size: int | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        task_weights: Sequence[float] | None = None,
        preset: str = "best",
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        schedule: str | None = None,
        numeric_embedding: str | None = None,
        freeze_epochs: int | None = None,
        precision: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.n_d = n_d
        self.n_a = n_a
        self.n_steps = n_steps
        self.gamma = gamma
        self.cat_idxs = cat_idxs
        self.cat_dims = cat_dims
        self.cat_emb_dim = cat_emb_dim
        self.n_independent = n_independent
        self.n_shared = n_shared
        self.epsilon = epsilon
        self.momentum = momentum
        self.lambda_sparse = lambda_sparse
        self.seed = seed
        self.clip_value = clip_value
        self.verbose = verbose
        self.optimizer_fn = optimizer_fn
        self.optimizer_params = optimizer_params
        self.scheduler_fn = scheduler_fn
        self.scheduler_params = scheduler_params
        self.mask_type = mask_type
        self.device_name = device_name
        self.n_shared_decoder = n_shared_decoder
        self.n_indep_decoder = n_indep_decoder
        self.grouped_features = grouped_features
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.virtual_batch_size = virtual_batch_size
        self.class_weight = class_weight
        self.task_weights = task_weights
        self.preset = preset
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.numeric_embedding = numeric_embedding
        self.freeze_epochs = freeze_epochs
        self.precision = precision
        self.settings = settings

    def _configurations(
        self, fit: FitSettings, columns: Sequence[Column], n_rows: int
    ) -> tuple[ModelConfig, TrainingConfig]:
        """The engine's settings for a table of ``n_rows`` rows.

        Raises:
            ParameterError: a parameter outside its range.
        """
        chosen = self._chosen(fit, columns)
        with as_value_errors():
            model, training, _ = choose_settings(chosen, n_rows=n_rows, **_counts(columns))
        return model, training

    def _pretraining_configurations(
        self, fit: FitSettings, columns: Sequence[Column], n_rows: int, mask_rate: float | None
    ) -> tuple[ModelConfig, PretrainingConfig]:
        """The same for a pretraining.

        Raises:
            ParameterError: a parameter outside its range, or one that a pretraining does not have.
        """
        chosen = self._chosen(fit, columns)
        fields = frozenset(ModelConfig.__dataclass_fields__) | {"preset"}
        shape = {key: value for key, value in chosen.items() if key in fields}
        course = {key: value for key, value in chosen.items() if key not in fields}
        without = {"freeze_epochs", "schedule", "task_weights", "class_weights"}
        further = sorted(set(course) - _PRETRAINING - without)
        if further:
            raise ParameterError(
                f"a pretraining has no setting {further[0]!r}; it has {', '.join(sorted(_PRETRAINING))}"
            )
        own: dict[str, Any] = {
            "n_shared_decoder": self.n_shared_decoder,
            "n_independent_decoder": self.n_indep_decoder,
        }
        if mask_rate is not None:
            own["mask_rate"] = mask_rate
        kept = {key: value for key, value in course.items() if key in _PRETRAINING}
        with as_value_errors():
            return choose_pretraining_settings({**shape, **kept, **own}, n_rows=n_rows, **_counts(columns))

    def _chosen(self, fit: FitSettings, columns: Sequence[Column]) -> dict[str, Any]:
        """Every setting that the caller chose, by its name in the engine."""
        chosen: dict[str, Any] = {"preset": self.preset}
        for parameter, setting in _SETTINGS.items():
            value = getattr(self, parameter)
            if value is not None:
                chosen[setting] = value
        if self.mask_type not in _MASKS:
            raise ParameterError(f"mask_type must be sparsemax or entmax, got {self.mask_type!r}")
        chosen["mask_function"] = _MASKS[self.mask_type]
        if self.n_a is None and self.n_d is not None:
            chosen["n_a"] = self.n_d
        if self.clip_value is not None:
            chosen["clip_norm"] = self.clip_value
        for parameter in ("max_epochs", "patience", "batch_size", "virtual_batch_size"):
            given = getattr(fit, parameter)
            value = getattr(self, parameter) if given is None else given
            if value is not None:
                chosen[parameter] = value
        if self.task_weights is not None:
            chosen["task_weights"] = tuple(self.task_weights)
        widths = self._embedding_widths(columns)
        if widths is not None:
            chosen["d_categorical"] = widths
        return {**chosen, **(self.settings or {})}

    def _embedding_widths(self, columns: Sequence[Column]) -> int | tuple[int, ...] | None:
        """``cat_emb_dim`` in table order, whatever the order of ``cat_idxs``.

        Raises:
            ParameterError: the list has not one width for each categorical column.
        """
        if self.cat_emb_dim is None or isinstance(self.cat_emb_dim, int):
            return self.cat_emb_dim
        found = [index for index, column in enumerate(columns) if column.kind in {Kind.CATEGORY, Kind.BOOLEAN}]
        if not found:
            return None
        names = [column.name for column in columns]
        order = [names.index(ref) if isinstance(ref, str) else ref % len(names) for ref in self.cat_idxs] or found
        if len(self.cat_emb_dim) != len(order) or len(order) != len(found):
            raise ParameterError(
                f"cat_emb_dim must be one number or have one for each categorical column, got {len(self.cat_emb_dim)} "
                f"for {len(found)} columns"
            )
        return tuple(width for _, width in sorted(zip(order, self.cat_emb_dim, strict=True)))

    def _optimizer_factory(self) -> Callable[[Iterable[Any]], Any] | None:
        """Builds the caller's torch optimizer; None where the engine's own is wanted."""
        if self.optimizer_fn is None and self.optimizer_params is None and self.scheduler_fn is None:
            return None
        import torch

        optimizer_fn = torch.optim.Adam if self.optimizer_fn is None else self.optimizer_fn
        # A copy: nothing that the caller handed in may change.
        arguments = dict(_PEER_OPTIMIZER if self.optimizer_params is None else self.optimizer_params)
        return lambda parameters: optimizer_fn(parameters, **arguments)

    def _scheduler_factory(self) -> tuple[Callable[[Any], Any] | None, bool]:
        """Builds the caller's scheduler, and whether it steps after every batch."""
        if self.scheduler_fn is None:
            return None, False
        scheduler_fn = self.scheduler_fn
        arguments = dict(self.scheduler_params or {})
        per_batch = bool(arguments.pop("is_batch_level", False))
        return (lambda optimizer: scheduler_fn(optimizer, **arguments)), per_batch


def _counts(columns: Sequence[Column]) -> dict[str, int]:
    """How many columns take part, and how many of them are categories."""
    categorical = sum(column.kind in {Kind.CATEGORY, Kind.BOOLEAN} for column in columns)
    return {"n_features": len(columns), "n_categorical": categorical}
