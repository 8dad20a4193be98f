"""Every setting of model, training and explanation as a control with its help."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig

__all__ = ["BASIC", "GROUPS", "Setting", "setting_controls"]

Config = ModelConfig | TrainingConfig | ExplainConfig


@dataclass(frozen=True)
class Setting:
    """One control: the setting's name, what the page calls it, what it does, and the step of its arrows."""

    name: str
    label: str
    help_text: str
    step: float = 1
    least: float | None = None


BASIC = (
    Setting("max_epochs", "Epochs", "How often training passes over the rows, at most. Early stopping may end sooner."),
    Setting("seed", "Seed", "Starts every random choice. The same seed on the same machine gives the same run.", 1, 0),
    Setting("device", "Device", "auto takes the graphics card when there is one, else the processor."),
    Setting(
        "n_steps",
        "Decision steps",
        "How many times the network looks at the row. Each step reads the columns its mask selects; "
        "three to five are usual.",
    ),
    Setting("n_d", "Decision width", "Numbers each step hands to the decision. Wider learns more and needs more rows."),
    Setting("n_a", "Attention width", "Numbers each step hands to the next mask. Usually the decision width."),
)

_ARCHITECTURE = (
    Setting(
        "gamma",
        "Relaxation gamma",
        "At 1 a column that was read is damped in later steps; larger values let it be read again freely.",
        0.1,
        1.0,
    ),
    Setting("n_shared", "Shared layers", "Layers of the feature transformer that all steps share.", 1, 0),
    Setting("n_independent", "Layers of each step", "Layers that belong to one step alone.", 1, 0),
    Setting(
        "mask_function",
        "Mask function",
        "sparsemax is the paper's: most columns get exactly zero. entmax15 is softer and spreads more.",
    ),
    Setting("virtual_batch_size", "Ghost batch", "Rows that share one batch normalisation.", 32, 2),
    Setting("momentum", "Normalisation momentum", "How fast the running mean and variance follow the batches.", 0.01),
    Setting(
        "numeric_embedding",
        "Numbers enter as",
        "piecewise gives each number learned bins behind one mask entry; none is the paper's plain input.",
    ),
    Setting("n_bins", "Bins of a number", "Quantile bins of each number, when they enter piecewise.", 1, 2),
    Setting("d_numeric", "Width of a number", "Learned dimensions of each number, when they enter piecewise."),
    Setting("d_categorical", "Width of a category", "Learned dimensions of each category; empty follows its size."),
)
_OPTIMISATION = (
    Setting("batch_size", "Batch size", "Rows of one update.", 32, 2),
    Setting("learning_rate", "Learning rate", "Size of one update at the top of the schedule.", 0.001, 0.0),
    Setting("schedule", "Schedule", "How the learning rate moves through the epochs."),
    Setting("decay_rate", "Decay per epoch", "Factor of the exponential schedule; others ignore it.", 0.01),
    Setting("optimizer", "Optimizer", "AdamW separates the weight decay from the update; Adam does not."),
    Setting("weight_decay", "Weight decay", "Pulls the weights towards zero; larger generalises harder.", 0.001, 0.0),
    Setting("clip_norm", "Gradient limit", "Longest gradient allowed; 0 turns the limit off.", 0.1, 0.0),
    Setting(
        "sparsity_lambda",
        "Sparsity lambda",
        "Weight of the masks' entropy in the loss. Larger makes each step read fewer columns.",
        1e-4,
        0.0,
    ),
    Setting("class_weights", "Class weights", "balanced lets rare classes count as much as frequent ones."),
    Setting("monitor", "Watch", "The score on the validation rows that decides which epoch is kept; auto is the loss."),
    Setting("patience", "Patience", "Epochs without a new best before training stops; 0 never stops early.", 1, 0),
    Setting("validation_fraction", "Validation share", "Share of the rows that chooses the epoch to keep.", 0.05, 0.01),
)
_EXPLANATION = (
    Setting("n_shap_rows", "SHAP rows", "Rows that get SHAP values after training; 0 leaves SHAP out.", 50, 0),
    Setting("n_background", "Background rows", "Training rows that stand for 'column unknown' in SHAP.", 10, 1),
    Setting(
        "n_evaluations",
        "Evaluations per row",
        "Model evaluations SHAP may use for each row. More is more precise and slower; empty takes ten permutations.",
    ),
    Setting("max_mask_rows", "Mask rows", "Most rows whose masks are stored.", 1000, 1),
)
GROUPS = {
    "Architecture": (ModelConfig, _ARCHITECTURE),
    "Optimisation": (TrainingConfig, _OPTIMISATION),
    "Explanation budget": (ExplainConfig, _EXPLANATION),
}


def setting_controls(settings: Sequence[Setting], config: Config, *, scope: str, n_columns: int = 3) -> dict[str, Any]:
    """Draw one control per setting and return the values chosen, by name.

    Args:
        settings: what to draw, in order.
        config: gives the values to start from and the type of each.
        scope: part of the widget keys; another table starts from its own suggestions.
        n_columns: controls side by side.
    """
    values = {}
    for start in range(0, len(settings), n_columns):
        for place, setting in zip(st.columns(n_columns), settings[start : start + n_columns], strict=False):
            with place:
                values[setting.name] = _control(setting, config, f"setting_{setting.name}_{scope}")
    return values


def _control(setting: Setting, config: Config, key: str) -> Any:
    value = getattr(config, setting.name)
    hint = typing.get_type_hints(type(config))[setting.name]
    if typing.get_origin(hint) is typing.Literal:
        choices = list(typing.get_args(hint))
        return st.selectbox(setting.label, choices, index=choices.index(value), key=key, help=setting.help_text)
    whole = hint is not float
    cast = int if whole else float
    least = setting.least if setting.least is not None else (1 if whole else None)
    return st.number_input(
        setting.label,
        value=None if value is None else cast(value),
        min_value=None if least is None else cast(least),
        step=cast(setting.step),
        format=None if whole else "%g",
        placeholder="automatic",
        key=key,
        help=setting.help_text,
    )
