"""The form that starts a training: title, settings, weights to start from, test rows, explanation budget."""

from __future__ import annotations

import importlib.metadata
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import data_access, dataset_profile, job_panel, job_submit, state, train_start, widgets
from pages._ui.train_settings import BASIC, FROM_PRETRAINING, GROUPS, OF_TARGETS, setting_controls
from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig, choose_settings
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.run import Run
    from tabnet_engine.runs.workspace import DatasetInfo

__all__ = ["chosen_words", "device_hint", "train_form"]

_SOURCES = _HELD_OUT, _OTHER_TABLE = msg("Hold rows of this table back"), msg("Use another table")
_TEST_HELP = msg("Rows that training never sees; the scores of the run are taken on them.")


@dataclass(frozen=True)
class _Start:
    """What the controls start from. ``scope`` is part of their keys: another start begins with its own values."""

    model: ModelConfig
    training: TrainingConfig
    explanation: ExplainConfig
    pretrained: Run | None
    schema: FeatureSchema
    scope: str


def train_form(info: DatasetInfo, schema: FeatureSchema) -> None:
    """Draw the form for a table with a target; starting puts the job into the address."""
    if not train_start.enough_rows(info):
        return
    if not schema.features:
        widgets.info(say(train_start.NO_FEATURE))
        return
    dataset_profile.serious_warnings(data_access.profile(info.dataset_id, schema), info.dataset_id)
    scope = info.dataset_id
    targets = ", ".join(target.name for target in schema.targets)
    title = st.text_input(say("Title"), f"{info.name}: {targets}"[:200], max_chars=200, key=f"title_{scope}_{targets}")
    start = _start(info, schema)
    settings = _basic(start)
    test_id = _test_rows(info, settings, scope)
    with st.expander(say("All settings"), icon=":material/tune:"):
        settings |= _others(start)
    st.caption(chosen_words(settings))
    _estimate(info, settings)
    if st.button(say("Train"), type="primary", icon=":material/play_arrow:", key=f"start_{scope}"):
        pretrained_id = None if start.pretrained is None else start.pretrained.run_id
        job_id = job_submit.training(
            scope, settings, title=title, test_dataset_id=test_id, pretrained_run_id=pretrained_id
        )
        state.choose("job", job_id)
        st.rerun()


def _start(info: DatasetInfo, schema: FeatureSchema) -> _Start:
    scope = info.dataset_id
    left, right = st.columns(2)
    with left:
        preset = train_start.preset_choice(scope)
    with right:
        pretrained = train_start.pretraining_choice(schema, scope)
    model, training, explanation = choose_settings(
        {"preset": preset},
        n_rows=data_access.labelled_rows(info.dataset_id, schema),
        n_features=len(schema.features),
        n_categorical=schema.n_categorical,
    )
    pretrained_id = ""
    if pretrained is not None:
        training, pretrained_id = training.for_fine_tuning(), pretrained.manifest.run_id
    return _Start(model, training, explanation, pretrained, schema, f"{scope}_{preset}_{pretrained_id}")


def _basic(start: _Start) -> dict[str, Any]:
    training = [setting for setting in BASIC if hasattr(start.training, setting.name)]
    model = [setting for setting in BASIC if setting not in training]
    values = setting_controls(training, start.training, scope=start.scope)
    st.caption(device_hint())
    if start.pretrained is None:
        return values | setting_controls(model, start.model, scope=start.scope)
    shape = start.pretrained.model_config
    st.caption(
        say(
            "The network is the pretrained one: {n_steps} decision steps, decision width {n_d}, "
            "attention width {n_a}. Its shape cannot be changed here.",
            n_steps=shape.n_steps,
            n_d=shape.n_d,
            n_a=shape.n_a,
        )
    )
    return values | setting_controls(FROM_PRETRAINING, start.training, scope=start.scope)


def _others(start: _Start) -> dict[str, Any]:
    values: dict[str, Any] = {}
    several = len(start.schema.targets) > 1
    if several:
        st.markdown(f"**{say(OF_TARGETS.label)}**")
        values[OF_TARGETS.name] = _target_weights(start)
    configs: dict[type, ModelConfig | TrainingConfig | ExplainConfig] = {
        ModelConfig: start.model,
        TrainingConfig: start.training,
        ExplainConfig: start.explanation,
    }
    for name, (kind, settings) in GROUPS.items():
        if kind is ModelConfig and start.pretrained is not None:
            continue
        st.markdown(f"**{say(name)}**")
        # The scores to watch belong to a single target; several are watched by their common loss.
        shown = [setting for setting in settings if not (several and setting.name == "monitor")]
        values |= setting_controls(shown, configs[kind], scope=start.scope)
    return values


def _target_weights(start: _Start) -> tuple[float, ...]:
    """How much each target counts, in their order."""
    targets = start.schema.targets
    weights = []
    for place, target in zip(st.columns(min(len(targets), 3)) * len(targets), targets, strict=False):
        with place:
            weights.append(
                st.number_input(
                    say("Weight of {name}", name=widgets.md(target.name)),
                    min_value=OF_TARGETS.least,
                    value=1.0,
                    step=OF_TARGETS.step,
                    format="%g",
                    key=f"weight_{target.name}_{start.scope}",
                    help=say(OF_TARGETS.help_text),
                )
            )
    return tuple(weights)


def _test_rows(info: DatasetInfo, settings: dict[str, Any], scope: str) -> str | None:
    """Where the test rows come from; sets ``test_fraction`` and returns the other table, if one is used."""
    others = {
        item.dataset_id: f"{item.name} · {data_access.rows_text(item.n_rows)}"
        for item in data_access.datasets()
        if item.dataset_id != info.dataset_id and item.n_columns == info.n_columns
    }
    left, right = st.columns([1, 2])
    with left:
        source = (
            _HELD_OUT
            if not others
            else st.radio(say("Test rows"), _SOURCES, format_func=say, key=f"test_source_{scope}", help=say(_TEST_HELP))
        )
    with right if others else left:
        if source == _OTHER_TABLE:
            settings["test_fraction"] = 0.0
            return widgets.choice(say("Test table"), others, None, key=f"test_table_{scope}")
        share = st.slider(say("Test rows held back, %"), 5, 50, 20, 5, key=f"test_share_{scope}", help=say(_TEST_HELP))
        settings["test_fraction"] = share / 100
    return None


def _estimate(info: DatasetInfo, settings: dict[str, Any]) -> None:
    """How long it may take, judged by what the last run of this workspace took."""
    names = data_access.run_names()
    last = next((item.manifest for item in data_access.runs() if item.manifest and item.run_id in names), None)
    if last is None or not last.seconds or not last.rows.get("train") or not settings["max_epochs"]:
        return
    n_epochs = len(data_access.run(last.run_id).history)
    if not n_epochs:
        return
    seconds = last.seconds / (last.rows["train"] * n_epochs) * info.n_rows * settings["max_epochs"]
    st.caption(
        say(
            "Training takes about {duration} at most, judging by the last run here.",
            duration=job_panel.time_text(max(seconds, 1.0)),
        )
    )


def chosen_words(settings: dict[str, Any]) -> str:
    """What will really run: a field that shows a red number, outside its range, has kept the one before."""
    return say(
        "At most {n_epochs:,} epochs, seed {seed}.", n_epochs=settings["max_epochs"] or 0, seed=settings["seed"] or 0
    )


def device_hint() -> str:
    """Which devices a training can use here, found without importing torch."""
    processor_only = importlib.metadata.version("torch").endswith("+cpu")
    if processor_only:
        return say("On this machine: the processor (this installation of torch has no graphics card support).")
    if shutil.which("nvidia-smi"):
        return say("On this machine: the processor and an NVIDIA graphics card.")
    return say("On this machine: the processor; no NVIDIA graphics card was found.")
