"""Every setting of model, training, pretraining and explanation as a control with its help."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tabnet_engine.config import ExplainConfig, ModelConfig, PretrainingConfig, TrainingConfig
from tabnet_engine.config.limits import EXPLAIN_METHODS

__all__ = [
    "BASIC",
    "FROM_PRETRAINING",
    "GROUPS",
    "OF_TARGETS",
    "PRETRAINING",
    "PRETRAINING_OPTIMISATION",
    "Setting",
    "label_of",
    "setting_controls",
]

Config = ModelConfig | TrainingConfig | PretrainingConfig | ExplainConfig
_MOST_ROWS = 10_000_000


@dataclass(frozen=True)
class Setting:
    """One control: the setting's name, what the page calls it, what it does, and the step of its arrows.

    ``least`` and ``most`` are where its arrows and its keys end; ``choices`` are what a list may hold.
    """

    name: str
    label: str
    help_text: str
    step: float = 1
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


_EPOCHS = Setting(
    "max_epochs",
    "Epochs",
    "How often training passes over the rows, at most. Early stopping may end sooner.",
    most=100_000,
)
_SEED = Setting(
    "seed",
    "Seed",
    "Starts every random choice. The same seed on the same machine gives the same run.",
    1,
    0,
    2**32 - 1,
)
_DEVICE = Setting("device", "Device", "auto takes the graphics card when there is one, else the processor.")
_SHAPE = (
    Setting(
        "n_steps",
        "Decision steps",
        "How many times the network looks at the row. Each step reads the columns its mask selects; "
        "three to five are usual.",
        most=1024,
    ),
    Setting(
        "n_d",
        "Decision width",
        "Numbers each step hands to the decision. Wider learns more and needs more rows.",
        most=1024,
    ),
    Setting(
        "n_a", "Attention width", "Numbers each step hands to the next mask. Usually the decision width.", most=1024
    ),
)
BASIC = (_EPOCHS, _SEED, _DEVICE, *_SHAPE)

_ARCHITECTURE = (
    Setting(
        "gamma",
        "Relaxation gamma",
        "At 1 a column that was read is damped in later steps; larger values let it be read again freely.",
        0.1,
        1.0,
    ),
    Setting("n_shared", "Shared layers", "Layers of the feature transformer that all steps share.", 1, 0, 16),
    Setting("n_independent", "Layers of each step", "Layers that belong to one step alone.", 1, 0, 16),
    Setting(
        "mask_function",
        "Mask function",
        "sparsemax is the paper's: most columns get exactly zero. entmax15 is softer and spreads more.",
    ),
    Setting("virtual_batch_size", "Ghost batch", "Rows that share one batch normalisation.", 32, 2, _MOST_ROWS),
    Setting("momentum", "Normalisation momentum", "How fast the running mean and variance follow the batches.", 0.01),
    Setting(
        "numeric_embedding",
        "Numbers enter as",
        "piecewise gives each number learned bins behind one mask entry; none is the paper's plain input.",
    ),
    Setting("n_bins", "Bins of a number", "Quantile bins of each number, when they enter piecewise.", 1, 2, 256),
    Setting("d_numeric", "Width of a number", "Learned dimensions of each number, when they enter piecewise.", most=64),
    Setting(
        "d_categorical",
        "Width of a category",
        "Learned dimensions of each category; empty follows its size. Several numbers with commas give each "
        "categorical column, in the table's order, its own.",
    ),
    Setting(
        "mask_scaling",
        "Mask scaling",
        "width divides what a mask lets through by the encoded width of its column, as pytorch-tabnet does.",
    ),
    Setting(
        "entropy_epsilon",
        "Entropy epsilon",
        "Added inside the logarithm of the masks' entropy, as in the paper; 0 computes the entropy exactly.",
        1e-5,
        0.0,
    ),
    Setting("missing_states", "Learn missing cells", "Gives a missing cell a learned state of its own."),
    Setting(
        "two_logits", "Two scores for two classes", "Two classes get a score each, as in the paper, not one log-odds."
    ),
)
_BATCH = Setting("batch_size", "Batch size", "Rows of one update.", 32, 2, 1_000_000)
_RATE = Setting("learning_rate", "Learning rate", "Size of one update at the top of the schedule.", 0.001, 0.0)
_DECAY = Setting(
    "weight_decay", "Weight decay", "Pulls the weights towards zero; larger generalises harder.", 0.001, 0.0
)
_CLIP = Setting("clip_norm", "Gradient limit", "Longest gradient allowed; 0 turns the limit off.", 0.1, 0.0)
_SPARSITY = Setting(
    "sparsity_lambda",
    "Sparsity lambda",
    "Weight of the masks' entropy in the loss. Larger makes each step read fewer columns.",
    1e-4,
    0.0,
)
_PRECISION = Setting(
    "precision", "Precision", "bfloat16 computes products in half the digits: faster where the device can, less exact."
)
_PATIENCE = Setting(
    "patience", "Patience", "Epochs without a new best before training stops; 0 never stops early.", 1, 0, 100_000
)
_VALIDATION = Setting(
    "validation_fraction", "Validation share", "Share of the rows that chooses the epoch to keep.", 0.05, 0.01
)
_OPTIMISATION = (
    _BATCH,
    _RATE,
    Setting("schedule", "Schedule", "How the learning rate moves through the epochs."),
    Setting("decay_rate", "Decay per epoch", "Factor of the exponential schedule; others ignore it.", 0.01),
    Setting("optimizer", "Optimizer", "AdamW separates the weight decay from the update; Adam does not."),
    _DECAY,
    _CLIP,
    _SPARSITY,
    Setting("class_weights", "Class weights", "balanced lets rare classes count as much as frequent ones in the loss."),
    Setting("sampler", "Drawing of rows", "balanced draws every class equally often; shuffle takes each row once."),
    _PRECISION,
    Setting("monitor", "Watch", "The score on the validation rows that decides which epoch is kept; auto is the loss."),
    _PATIENCE,
    _VALIDATION,
)
_EXPLANATION = (
    Setting(
        "methods",
        "Methods",
        "What is computed beside the masks, which are always there. Each takes its time.",
        choices=tuple(name for name in EXPLAIN_METHODS if name != "masks"),
    ),
    Setting(
        "n_shap_rows",
        "Rows explained",
        "Rows that get signed values, such as SHAP, after training; 0 leaves them out.",
        50,
        0,
        5_000_000,
    ),
    Setting(
        "n_evaluations",
        "Evaluations per row",
        "Model evaluations SHAP may use for each row. More is more precise and slower; empty takes ten permutations.",
        most=_MOST_ROWS,
    ),
    Setting(
        "target_error",
        "Wanted standard error",
        "Sampling of a row stops once all its standard errors are at most this, in the unit of the score; empty uses "
        "all evaluations.",
        0.01,
        1e-9,
    ),
    Setting(
        "n_points",
        "Points of a path",
        "The most points that gradients may take on a path; empty has no limit.",
        most=10**6,
    ),
    Setting(
        "path_error",
        "Error of a path",
        "How far the values by gradients may miss the score together; smaller is slower.",
        0.001,
        1e-9,
    ),
    Setting("n_background", "Background rows", "Training rows that stand for 'column unknown'.", 10, 1, 10_000),
    Setting("background", "Background", "Which training rows these are: any, of a class, described, near the cutoff."),
    Setting(
        "background_class", "Class of the background", "For the background 'class', and for 'cutoff': which class."
    ),
    Setting("background_where", "Rows of the background", "For the background 'where': a condition such as age >= 30."),
    Setting(
        "background_side", "Side of the cutoff", "For the background 'cutoff': rows above, below, or on both sides."
    ),
    Setting("cutoff", "Cutoff", "For the background 'cutoff': the probability that decides.", 0.05, 0.0, 1.0),
    Setting(
        "n_importance_rows",
        "Held-out rows measured",
        "The most held-out rows for permutation importance, effects and the certificate.",
        100,
        1,
        1_000_000,
    ),
    Setting(
        "n_effect_columns",
        "Columns with effects",
        "How many of the leading columns get effect curves and interactions; 0 leaves them out.",
        1,
        0,
        100,
    ),
    Setting("max_mask_rows", "Mask rows", "Most rows whose masks are stored.", 1000, 1, _MOST_ROWS),
)
GROUPS: dict[str, tuple[type[ModelConfig | TrainingConfig | ExplainConfig], tuple[Setting, ...]]] = {
    "Architecture": (ModelConfig, _ARCHITECTURE),
    "Optimisation": (TrainingConfig, _OPTIMISATION),
    "Explanations": (ExplainConfig, _EXPLANATION),
}
# Shown where they mean something: one control for each target, and a start from a pretraining.
OF_TARGETS = Setting("task_weights", "Weights of the targets", "How much each target counts in the loss.", 0.5, 0.0)
FROM_PRETRAINING = (
    Setting(
        "freeze_epochs",
        "Frozen epochs",
        "For so many epochs the pretrained encoder stays as it is and only the new output learns.",
        1,
        0,
        100_000,
    ),
)
PRETRAINING = (
    _EPOCHS,
    _SEED,
    _DEVICE,
    Setting("mask_rate", "Share of hidden cells", "Each cell is hidden with this chance, and filled in.", 0.05, 0.01),
    Setting("n_shared_decoder", "Shared decoder layers", "Layers of the decoder that all steps share.", 1, 0, 16),
    Setting("n_independent_decoder", "Decoder layers of each step", "Decoder layers of one step alone.", 1, 0, 16),
)
PRETRAINING_OPTIMISATION = (_BATCH, _RATE, _DECAY, _CLIP, _SPARSITY, _PRECISION, _PATIENCE, _VALIDATION)


def label_of(name: str) -> str:
    """What the forms call a setting; its own name when no form has it."""
    groups = (group for _, group in GROUPS.values())
    every = (*BASIC, *PRETRAINING, *FROM_PRETRAINING, OF_TARGETS, *(item for group in groups for item in group))
    return next((item.label for item in every if item.name == name), name)


def setting_controls(settings: Sequence[Setting], config: Config, *, scope: str, n_columns: int = 3) -> dict[str, Any]:
    """Draw one control per setting and return the values chosen, by name.

    Args:
        settings: what to draw, in order.
        config: gives the values to start from and the type of each.
        scope: part of the widget keys; another table or preset starts from its own suggestions.
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
    if hint is bool:
        return st.toggle(setting.label, value, key=key, help=setting.help_text)
    if setting.choices:
        return st.multiselect(setting.label, setting.choices, value, key=key, help=setting.help_text)
    parts = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    if any(typing.get_origin(part) is tuple for part in parts):
        return _list_control(setting, value, key)
    if str in parts:
        text = st.text_input(setting.label, value or "", placeholder="none", key=key, help=setting.help_text)
        return text.strip() or None
    return _number(setting, value, key, whole=float not in parts)


def _list_control(setting: Setting, value: Any, key: str) -> str | None:
    """One number or several with commas; nothing typed means automatic."""
    given = value if isinstance(value, tuple) else () if value is None else (value,)
    text = st.text_input(
        setting.label, ", ".join(map(str, given)), placeholder="automatic", key=key, help=setting.help_text
    )
    return text.strip() or None


def _number(setting: Setting, value: float | None, key: str, *, whole: bool) -> Any:
    cast = int if whole else float
    least = setting.least if setting.least is not None else (1 if whole else None)
    return st.number_input(
        setting.label,
        value=None if value is None else cast(value),
        min_value=None if least is None else cast(least),
        max_value=None if setting.most is None else cast(setting.most),
        step=cast(setting.step),
        format=None if whole else "%g",
        placeholder="automatic",
        key=key,
        help=setting.help_text,
    )
