"""The form that starts a pretraining: a table without a target, the columns to leave out, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import job_submit, run_jobs, state, train_start, widgets
from pages._ui.train_form import chosen_words, device_hint
from pages._ui.train_settings import BASIC, GROUPS, PRETRAINING, PRETRAINING_OPTIMISATION, setting_controls
from tabnet_engine.config import choose_pretraining_settings
from tabnet_engine.jobs.pretraining import pretraining_schema
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.workspace import DatasetInfo

__all__ = ["pretrain_form"]

_TITLE = msg("{run}: pretraining")


def pretrain_form(info: DatasetInfo, schema: FeatureSchema) -> None:
    """Draw the form; starting puts the job into the address."""
    st.caption(
        say(
            "Some cells of each row are hidden, and the network learns to fill them in from the others. No target is "
            "needed; a training can start from what was learned, which helps most where few rows have a target."
        )
    )
    if not train_start.enough_rows(info):
        return
    scope = info.dataset_id
    proposed = run_jobs.title(_TITLE, info.name)
    title = st.text_input(say("Title"), proposed, max_chars=200, key=f"pretrain_title_{scope}")
    ignore = _left_out(schema, scope)
    preset = train_start.preset_choice(f"pretrain_{scope}")
    settings = _settings(info, pretraining_schema(schema, ignore), preset)
    st.caption(chosen_words(settings))
    if st.button(say("Pretrain"), type="primary", icon=":material/play_arrow:", key=f"pretrain_{scope}"):
        job_id = job_submit.pretraining(scope, settings, title=title, ignore=ignore)
        state.choose("job", job_id)
        st.rerun()


def _left_out(schema: FeatureSchema, scope: str) -> tuple[str, ...]:
    chosen = st.multiselect(
        say("Columns to leave out"),
        schema.feature_names,
        key=f"pretrain_ignore_{scope}",
        placeholder=say("none"),
        help=say(
            "These are neither hidden nor read. A training that starts from this pretraining reads the same columns."
        ),
    )
    if schema.targets:
        names = ", ".join(target.name for target in schema.targets)
        told = say("Not read either, since it is to be predicted: {columns}", columns=names)
        st.caption(widgets.as_sentence(told))
    else:
        st.caption(say("Leave out what you want to predict later: a column that was read here can be no target then."))
    return tuple(chosen)


def _settings(info: DatasetInfo, read: FeatureSchema, preset: str) -> dict[str, Any]:
    model, pretraining = choose_pretraining_settings(
        {"preset": preset}, n_rows=info.n_rows, n_features=len(read.features), n_categorical=read.n_categorical
    )
    scope = f"pretrain_{info.dataset_id}_{preset}"
    values = setting_controls(PRETRAINING, pretraining, scope=scope)
    st.caption(device_hint())
    values |= setting_controls([item for item in BASIC if hasattr(model, item.name)], model, scope=scope)
    with st.expander(say("All settings"), icon=":material/tune:"):
        st.markdown(f"**{say('Architecture')}**")
        values |= setting_controls(GROUPS["Architecture"][1], model, scope=scope)
        st.markdown(f"**{say('Optimisation')}**")
        values |= setting_controls(PRETRAINING_OPTIMISATION, pretraining, scope=scope)
    return values
