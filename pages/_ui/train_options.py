"""Every setting of model, training, pretraining and explanation: what the forms call it and what it does."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig
from tabnet_engine.config.limits import EXPLAIN_METHODS
from tabnet_engine.texts.speaking import msg, say

__all__ = [
    "BASIC",
    "FROM_PRETRAINING",
    "GROUPS",
    "OF_TARGETS",
    "PRETRAINING",
    "PRETRAINING_OPTIMISATION",
    "Setting",
    "label_of",
]

_MOST_ROWS = 10_000_000


@dataclass(frozen=True)
class Setting:
    """One control: the setting's name, what the page calls it, what it does (both marked), the step of its arrows.

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
    msg("Epochs"),
    msg("How often training passes over the rows, at most. Early stopping may end sooner."),
    most=100_000,
)
_SEED = Setting(
    "seed",
    msg("Seed"),
    msg("Starts every random choice. The same seed on the same machine gives the same run."),
    1,
    0,
    2**32 - 1,
)
_DEVICE = Setting("device", msg("Device"), msg("auto takes the graphics card when there is one, else the processor."))
_SHAPE = (
    Setting(
        "n_steps",
        msg("Decision steps"),
        msg(
            "How many times the network looks at the row. Each step reads the columns its mask selects; "
            "three to five are usual."
        ),
        most=1024,
    ),
    Setting(
        "n_d",
        msg("Decision width"),
        msg("Numbers each step hands to the decision. Wider learns more and needs more rows."),
        most=1024,
    ),
    Setting(
        "n_a",
        msg("Attention width"),
        msg("Numbers each step hands to the next mask. Usually the decision width."),
        most=1024,
    ),
)
BASIC = (_EPOCHS, _SEED, _DEVICE, *_SHAPE)

_ARCHITECTURE = (
    Setting(
        "gamma",
        msg("Relaxation gamma"),
        msg("At 1 a column that was read is damped in later steps; larger values let it be read again freely."),
        0.1,
        1.0,
    ),
    Setting("n_shared", msg("Shared layers"), msg("Layers of the feature transformer that all steps share."), 1, 0, 16),
    Setting("n_independent", msg("Layers of each step"), msg("Layers that belong to one step alone."), 1, 0, 16),
    Setting(
        "mask_function",
        msg("Mask function"),
        msg("sparsemax is the paper's: most columns get exactly zero. entmax15 is softer and spreads more."),
    ),
    Setting(
        "virtual_batch_size", msg("Ghost batch"), msg("Rows that share one batch normalisation."), 32, 2, _MOST_ROWS
    ),
    Setting(
        "momentum",
        msg("Normalisation momentum"),
        msg("How fast the running mean and variance follow the batches."),
        0.01,
    ),
    Setting(
        "numeric_embedding",
        msg("Numbers enter as"),
        msg("piecewise gives each number learned bins behind one mask entry; none is the paper's plain input."),
    ),
    Setting(
        "n_bins", msg("Bins of a number"), msg("Quantile bins of each number, when they enter piecewise."), 1, 2, 256
    ),
    Setting(
        "d_numeric",
        msg("Width of a number"),
        msg("Learned dimensions of each number, when they enter piecewise."),
        most=64,
    ),
    Setting(
        "d_categorical",
        msg("Width of a category"),
        msg(
            "Learned dimensions of each category; empty follows its size. Several numbers with commas give each "
            "categorical column, in the table's order, its own."
        ),
    ),
    Setting(
        "mask_scaling",
        msg("Mask scaling"),
        msg("width divides what a mask lets through by the encoded width of its column, as pytorch-tabnet does."),
    ),
    Setting(
        "entropy_epsilon",
        msg("Entropy epsilon"),
        msg("Added inside the logarithm of the masks' entropy, as in the paper; 0 computes the entropy exactly."),
        1e-5,
        0.0,
    ),
    Setting("missing_states", msg("Learn missing cells"), msg("Gives a missing cell a learned state of its own.")),
    Setting(
        "two_logits",
        msg("Two scores for two classes"),
        msg("Two classes get a score each, as in the paper, not one log-odds."),
    ),
)
_BATCH = Setting("batch_size", msg("Batch size"), msg("Rows of one update."), 32, 2, 1_000_000)
_RATE = Setting(
    "learning_rate", msg("Learning rate"), msg("Size of one update at the top of the schedule."), 0.001, 0.0
)
_DECAY = Setting(
    "weight_decay", msg("Weight decay"), msg("Pulls the weights towards zero; larger generalises harder."), 0.001, 0.0
)
_CLIP = Setting("clip_norm", msg("Gradient limit"), msg("Longest gradient allowed; 0 turns the limit off."), 0.1, 0.0)
_SPARSITY = Setting(
    "sparsity_lambda",
    msg("Sparsity lambda"),
    msg("Weight of the masks' entropy in the loss. Larger makes each step read fewer columns."),
    1e-4,
    0.0,
)
_PRECISION = Setting(
    "precision",
    msg("Precision"),
    msg("bfloat16 computes products in half the digits: faster where the device can, less exact."),
)
_PATIENCE = Setting(
    "patience",
    msg("Patience"),
    msg("Epochs without a new best before training stops; 0 never stops early."),
    1,
    0,
    100_000,
)
_VALIDATION = Setting(
    "validation_fraction", msg("Validation share"), msg("Share of the rows that chooses the epoch to keep."), 0.05, 0.01
)
_OPTIMISATION = (
    _BATCH,
    _RATE,
    Setting("schedule", msg("Schedule"), msg("How the learning rate moves through the epochs.")),
    Setting("decay_rate", msg("Decay per epoch"), msg("Factor of the exponential schedule; others ignore it."), 0.01),
    Setting("optimizer", msg("Optimizer"), msg("AdamW separates the weight decay from the update; Adam does not.")),
    _DECAY,
    _CLIP,
    _SPARSITY,
    Setting(
        "class_weights",
        msg("Class weights"),
        msg("balanced lets rare classes count as much as frequent ones in the loss."),
    ),
    Setting(
        "sampler", msg("Drawing of rows"), msg("balanced draws every class equally often; shuffle takes each row once.")
    ),
    _PRECISION,
    Setting(
        "monitor",
        msg("Watch"),
        msg("The score on the validation rows that decides which epoch is kept; auto is the loss."),
    ),
    _PATIENCE,
    _VALIDATION,
)
_EXPLANATION = (
    Setting(
        "methods",
        msg("Methods"),
        msg("What is computed beside the masks, which are always there. Each takes its time."),
        choices=tuple(name for name in EXPLAIN_METHODS if name != "masks"),
    ),
    Setting(
        "n_shap_rows",
        msg("Rows explained"),
        msg("Rows that get signed values, such as SHAP, after training; 0 leaves them out."),
        50,
        0,
        5_000_000,
    ),
    Setting(
        "n_evaluations",
        msg("Evaluations per row"),
        msg(
            "Model evaluations SHAP may use for each row. More is more precise and slower; empty takes ten "
            "permutations."
        ),
        most=_MOST_ROWS,
    ),
    Setting(
        "target_error",
        msg("Wanted standard error"),
        msg(
            "Sampling of a row stops once all its standard errors are at most this, in the unit of the score; empty "
            "uses all evaluations."
        ),
        0.01,
        1e-9,
    ),
    Setting(
        "n_points",
        msg("Points of a path"),
        msg("The most points that gradients may take on a path; empty has no limit."),
        most=10**6,
    ),
    Setting(
        "path_error",
        msg("Error of a path"),
        msg("How far the values by gradients may miss the score together; smaller is slower."),
        0.001,
        1e-9,
    ),
    Setting(
        "n_background", msg("Background rows"), msg("Training rows that stand for 'column unknown'."), 10, 1, 10_000
    ),
    Setting(
        "background",
        msg("Background"),
        msg("Which training rows these are: any, of a class, described, near the cutoff."),
    ),
    Setting(
        "background_class",
        msg("Class of the background"),
        msg("For the background 'class', and for 'cutoff': which class."),
    ),
    Setting(
        "background_where",
        msg("Rows of the background"),
        msg("For the background 'where': a condition such as age >= 30."),
    ),
    Setting(
        "background_side",
        msg("Side of the cutoff"),
        msg("For the background 'cutoff': rows above, below, or on both sides."),
    ),
    Setting("cutoff", msg("Cutoff"), msg("For the background 'cutoff': the probability that decides."), 0.05, 0.0, 1.0),
    Setting(
        "n_importance_rows",
        msg("Held-out rows measured"),
        msg("The most held-out rows for permutation importance, effects and the certificate."),
        100,
        1,
        1_000_000,
    ),
    Setting(
        "n_effect_columns",
        msg("Columns with effects"),
        msg("How many of the leading columns get effect curves and interactions; 0 leaves them out."),
        1,
        0,
        100,
    ),
    Setting("max_mask_rows", msg("Mask rows"), msg("Most rows whose masks are stored."), 1000, 1, _MOST_ROWS),
)
GROUPS: dict[str, tuple[type[ModelConfig | TrainingConfig | ExplainConfig], tuple[Setting, ...]]] = {
    msg("Architecture"): (ModelConfig, _ARCHITECTURE),
    msg("Optimisation"): (TrainingConfig, _OPTIMISATION),
    msg("Explanations"): (ExplainConfig, _EXPLANATION),
}
# Shown where they mean something: one control for each target, and a start from a pretraining.
OF_TARGETS = Setting(
    "task_weights", msg("Weights of the targets"), msg("How much each target counts in the loss."), 0.5, 0.0
)
FROM_PRETRAINING = (
    Setting(
        "freeze_epochs",
        msg("Frozen epochs"),
        msg("For so many epochs the pretrained encoder stays as it is and only the new output learns."),
        1,
        0,
        100_000,
    ),
)
PRETRAINING = (
    _EPOCHS,
    _SEED,
    _DEVICE,
    Setting(
        "mask_rate",
        msg("Share of hidden cells"),
        msg("Each cell is hidden with this chance, and filled in."),
        0.05,
        0.01,
    ),
    Setting(
        "n_shared_decoder", msg("Shared decoder layers"), msg("Layers of the decoder that all steps share."), 1, 0, 16
    ),
    Setting(
        "n_independent_decoder", msg("Decoder layers of each step"), msg("Decoder layers of one step alone."), 1, 0, 16
    ),
)
PRETRAINING_OPTIMISATION = (_BATCH, _RATE, _DECAY, _CLIP, _SPARSITY, _PRECISION, _PATIENCE, _VALIDATION)


def label_of(name: str) -> str:
    """What the forms call a setting; its own name when no form has it."""
    groups = (group for _, group in GROUPS.values())
    every = (*BASIC, *PRETRAINING, *FROM_PRETRAINING, OF_TARGETS, *(item for group in groups for item in group))
    return next((say(item.label) for item in every if item.name == name), name)
