"""How networks are trained and pretrained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from tabnet_engine.config.settings import Settings, require

__all__ = ["PretrainingConfig", "TrainingConfig"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
    """How one network is trained. ``sparsity_lambda`` weighs the entropy of the masks (paper eq. 3.2).

    ``monitor="auto"`` means the loss on the validation rows; ``patience`` counts epochs without a new
    best; 0 turns early stopping off. ``weight_decay`` is AdamW's. ``clip_norm=0`` turns clipping off.
    ``class_weights`` weigh rows in the loss; ``sampler="balanced"`` instead draws rows so that every class
    comes equally often. ``task_weights`` weigh the targets of a multi-task training in their order (all 1 when
    empty). ``freeze_epochs`` keeps a pretrained encoder as it is for so many epochs. ``precision="bfloat16"``
    computes the network's products in bfloat16 where the device can.
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
    sampler: Literal["shuffle", "balanced"] = "shuffle"
    task_weights: tuple[float, ...] = ()
    freeze_epochs: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    monitor: Literal[
        "auto", "loss", "auc", "accuracy", "balanced_accuracy", "log_loss", "rmse", "mae", "mse", "rmsle", "r2"
    ] = "auto"
    patience: int = 8
    validation_fraction: float = 0.1
    test_fraction: float = 0.2
    seed: int = 0
    device: Literal["auto", "cuda", "cpu"] = "auto"

    def __post_init__(self) -> None:
        require("max_epochs", self.max_epochs, 1, 100_000)
        require("batch_size", self.batch_size, 2, 1_000_000)
        require("learning_rate", self.learning_rate, 1e-7, 10.0)
        require("weight_decay", self.weight_decay, 0.0, 10.0)
        require("decay_rate", self.decay_rate, 1e-3, 1.0)
        require("sparsity_lambda", self.sparsity_lambda, 0.0, 100.0)
        require("clip_norm", self.clip_norm, 0.0, 1e6)
        require("patience", self.patience, 0)
        require("validation_fraction", self.validation_fraction, 0.01, 0.5)
        require("test_fraction", self.test_fraction, 0.0, 0.5)
        require("seed", self.seed, 0, 2**32 - 1)
        require("freeze_epochs", self.freeze_epochs, 0)
        for weight in self.task_weights:
            require("task_weights", weight, 0.0, 1e6)

    @classmethod
    def suggest(cls, *, n_rows: int, n_features: int = 0, n_categorical: int = 0) -> Self:
        """Epochs, batch and weight decay that fit the table.

        Small tables need more passes and a stronger decay. The one-cycle schedule gains most in its last
        epochs, so early stopping waits for half of them or more. A table that holds nothing but categories is learned
        late: its rules join several codes, and none of them shows before all are found.

        Args:
            n_rows: rows that training will see.
            n_features: raw columns that take part.
            n_categorical: how many of them are categories or truth values.
        """
        if n_rows < 2_000:
            return cls(max_epochs=100, batch_size=32, weight_decay=1.0, patience=75)
        if n_rows < 50_000 and 0 < n_features <= n_categorical:
            return cls(max_epochs=34, batch_size=64 if n_rows < 12_000 else 256, weight_decay=0.1, patience=17)
        if n_rows < 12_000:
            return cls(max_epochs=30, batch_size=64, weight_decay=0.5, patience=15)
        if n_rows < 50_000:
            return cls(max_epochs=26, batch_size=256, weight_decay=0.3, patience=13)
        if n_rows < 200_000:
            return cls(max_epochs=15, batch_size=256, weight_decay=0.1, patience=8)
        return cls(max_epochs=10, batch_size=1024, weight_decay=0.1, patience=5)

    @classmethod
    def paper(cls, *, n_rows: int) -> Self:
        """Adam with the paper's exponential decay, no clipping and no weight decay; sizes of its Adult experiment.

        Args:
            n_rows: rows that training will see; the paper's batch of 4,096 needs a table that fills some.
        """
        return cls(
            max_epochs=30,
            batch_size=min(4096, max(256, 2 ** int(n_rows / 16).bit_length() // 2)),
            learning_rate=0.02,
            weight_decay=0.0,
            optimizer="adam",
            schedule="exponential",
            decay_rate=0.95,
            sparsity_lambda=1e-4,
            clip_norm=0.0,
            patience=0,
        )

    def for_fine_tuning(self) -> Self:
        """The same for a start from a pretrained network: four epochs of five train the head alone.

        A fresh head at first pulls the encoder away from what it knows, the more so the fewer the labels.
        """
        return self.replace(freeze_epochs=round(0.8 * self.max_epochs))


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig(Settings):
    """How an encoder is pretrained by masked reconstruction (Arik & Pfister 2021, section 3.5).

    ``mask_rate`` is the share of cells that are hidden (the paper's p_s, which it does not give);
    ``n_shared_decoder`` and ``n_independent_decoder`` count the GLU layers of the decoder's feature
    transformers. Validation rows are masked at the same rate with a fixed seed. The other settings are those
    of :class:`TrainingConfig`. The decay is strong for what comes after: on Adult with 500 labels, 0.3 instead of
    0.01 raises the fine-tuned test AUC from .863 to .895 (five seeds, ``benchmarks/pretraining.py``).
    """

    mask_rate: float = 0.3
    n_shared_decoder: int = 1
    n_independent_decoder: int = 1
    max_epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 0.01
    weight_decay: float = 0.3
    sparsity_lambda: float = 0.0
    clip_norm: float = 1.0
    patience: int = 10
    validation_fraction: float = 0.1
    seed: int = 0
    device: Literal["auto", "cuda", "cpu"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        require("mask_rate", self.mask_rate, 0.01, 0.99)
        for name in ("n_shared_decoder", "n_independent_decoder"):
            require(name, getattr(self, name), 0, 16)
        require("n_shared_decoder + n_independent_decoder", self.n_shared_decoder + self.n_independent_decoder, 1)
        self.training()

    def training(self) -> TrainingConfig:
        """The same as settings of a training, for its optimizer and loop.

        Raises:
            ConfigError: a setting outside its range.
        """
        own = {"mask_rate", "n_shared_decoder", "n_independent_decoder"}
        return TrainingConfig.from_mapping({key: value for key, value in self.to_mapping().items() if key not in own})

    @classmethod
    def suggest(cls, *, n_rows: int) -> Self:
        """Epochs and batch that fit the number of rows."""
        if n_rows < 10_000:
            return cls(max_epochs=100, batch_size=128, patience=20)
        if n_rows < 100_000:
            return cls()
        return cls(max_epochs=10, batch_size=1024, patience=5)
