"""What a training starts from: which settings, and which weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, state, widgets
from tabnet_engine.config import PRESETS
from tabnet_engine.data.splits import MIN_ROWS
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.run import Run
    from tabnet_engine.runs.workspace import DatasetInfo

__all__ = [
    "MODES",
    "NO_FEATURE",
    "PREDICT",
    "PRETRAIN",
    "enough_rows",
    "mode_choice",
    "preset_choice",
    "pretraining_choice",
]

PREDICT, PRETRAIN = "predict", "pretrain"
MODES = {PREDICT: msg("Predict a column"), PRETRAIN: msg("Pretrain without a target")}
NO_FEATURE = msg(
    "No column is left to predict from: take one back from the columns to predict, or give one the role 'feature' in "
    "the Columns view of the tables page"
)
_PRESET_NAMES = {
    "best": msg("best: what the size of the table suggests"),
    "paper": msg("paper: Arik & Pfister 2021"),
}
_NOTHING = ""


def mode_choice() -> str:
    """Whether to train or to pretrain; kept in the address."""
    current = state.current("mode")
    chosen = str(
        st.segmented_control(
            say("What to do"),
            list(MODES),
            format_func=lambda mode: say(MODES[mode]),
            default=current if current in MODES else PREDICT,
            required=True,
            key=state.choice_key("mode", current),
            label_visibility="collapsed",
        )
    )
    state.keep_chosen("mode", chosen)
    if chosen != current:
        state.choose("mode", chosen)
    return chosen


def enough_rows(info: DatasetInfo) -> bool:
    """Whether anything can be learned from so few rows; says so when it cannot."""
    if info.n_rows >= MIN_ROWS:
        return True
    with st.container(border=True, gap="small"):
        st.subheader(say("Too few rows"), anchor=False)
        st.write(
            say_plural(
                "The table has {count} row; at least {least} are needed to set training, validation and test rows "
                "apart, and some hundred to learn anything. Add rows, or choose another table.",
                "The table has {count:,} rows; at least {least} are needed to set training, validation and test rows "
                "apart, and some hundred to learn anything. Add rows, or choose another table.",
                info.n_rows,
                least=MIN_ROWS,
            )
        )
    return False


def preset_choice(scope: str) -> str:
    """Which settings the controls start from."""
    return str(
        st.selectbox(
            say("Settings"),
            PRESETS,
            format_func=lambda preset: say(_PRESET_NAMES[preset]),
            key=f"preset_{scope}",
            help=say(
                "Where the controls below start; each can be changed. paper is the published network and training "
                "to the letter, for comparison."
            ),
        )
    )


def pretraining_choice(schema: FeatureSchema, scope: str) -> Run | None:
    """The pretraining to start from; None starts from random weights.

    Offered are those that read columns of this table only, and none of the columns to predict.
    """
    columns = {column.name for column in schema.columns}
    targets = {target.name for target in schema.targets}
    names = {
        run_id: name
        for run_id, name in data_access.pretraining_names().items()
        if data_access.columns_read(run_id) <= columns
    }
    knowing = [run_id for run_id in names if data_access.columns_read(run_id) & targets]
    fitting = {run_id: name for run_id, name in names.items() if run_id not in knowing}
    asked_for = state.current("pretrained")
    if fitting:
        options = {_NOTHING: say("random weights"), **fitting}
        current = asked_for if asked_for in fitting else _NOTHING
        help_text = say("A pretrained encoder has learned from the cells of a table without a target.")
        chosen = widgets.choice(say("Start from"), options, current, key=f"pretrained_{scope}", help_text=help_text)
        if chosen:
            state.choose("pretrained", chosen)
            return data_access.run(chosen)
        state.clear("pretrained")
    if asked_for in knowing:
        widgets.info(
            say(
                "The pretraining that was asked for has read a column that is now to be predicted, so a training "
                "cannot start from it; pretrain again with that column left out"
            )
        )
    return None
