"""The form that starts a training: table, title, settings, test rows, explanation budget."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import data_access, dataset_profile, job_panel, state, widgets
from pages._ui.train_settings import BASIC, GROUPS, setting_controls
from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig
from tabnet_engine.errors import ConfigError, UserError
from tabnet_engine.jobs.spec import TrainPayload

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.workspace import DatasetInfo

__all__ = ["device_hint", "submit", "train_form"]

_SOURCES = _HELD_OUT, _OTHER_TABLE = "Hold rows of this table back", "Use another table"
_TEST_HELP = "Rows that training never sees; the scores of the run are taken on them."


@dataclass(frozen=True)
class _Suggested:
    """Settings that fit the table, which the controls start from."""

    model: ModelConfig
    training: TrainingConfig
    explanation: ExplainConfig


def train_form(info: DatasetInfo, schema: FeatureSchema) -> None:
    """Draw the form for a table with a target; starting puts the job into the address."""
    dataset_profile.serious_warnings(data_access.profile(info.dataset_id, schema), info.dataset_id)
    suggested = _suggest(info.n_rows, len(schema.features))
    scope = info.dataset_id
    target = schema.target.name if schema.target else ""
    title = st.text_input("Title", f"{info.name}: {target}", max_chars=200, key=f"title_{scope}_{target}")
    settings = _basic(suggested, scope)
    test_id = _test_rows(info, settings, scope)
    with st.expander("All settings", icon=":material/tune:"):
        settings |= _others(suggested, scope)
    _estimate(info, settings)
    if st.button("Train", type="primary", icon=":material/play_arrow:", key=f"start_{scope}"):
        try:
            job_id = submit(scope, settings, title=title, test_dataset_id=test_id)
        except ConfigError as error:
            raise UserError(_with_labels(str(error))) from error
        state.choose("job", job_id)
        st.rerun()


def _with_labels(text: str) -> str:
    """A sentence about settings with the names that the form gives them."""
    labels = {item.name: item.label for item in (*BASIC, *(item for _, group in GROUPS.values() for item in group))}
    return re.sub(r"\w+", lambda word: labels.get(word.group(), word.group()), text)


def submit(dataset_id: str, settings: dict[str, Any], *, title: str, test_dataset_id: str | None = None) -> str:
    """Queue a training and return its job id; a double click queues one job, not two.

    Raises:
        ConfigError: a setting outside its range.
    """
    payload = TrainPayload(
        dataset_id=dataset_id,
        settings=settings,
        test_dataset_id=test_dataset_id,
        title=title.strip() or "Untitled",
        schema=data_access.schema(dataset_id),
    )
    job_id = _queue_once(payload)
    if data_access.queue().job(job_id).ended:  # no second click: the same training is wanted once more
        state.fresh_token("train")
        job_id = _queue_once(payload)
    return job_id


def _queue_once(payload: TrainPayload) -> str:
    """Queue a training unless this visit queued the very same one already; other settings are another training."""
    run_id, _ = data_access.workspace().new_run_folder()
    digest = hashlib.sha256(repr(payload).encode()).hexdigest()
    return data_access.queue().submit(payload.to_spec(run_id), idempotency_key=f"{state.token('train')}-{digest}")


def _suggest(n_rows: int, n_features: int) -> _Suggested:
    return _Suggested(
        ModelConfig.suggest(n_rows=n_rows, n_features=n_features),
        TrainingConfig.suggest(n_rows=n_rows),
        ExplainConfig(),
    )


def _basic(suggested: _Suggested, scope: str) -> dict[str, Any]:
    training = [setting for setting in BASIC if hasattr(suggested.training, setting.name)]
    model = [setting for setting in BASIC if setting not in training]
    values = setting_controls(training, suggested.training, scope=scope)
    st.caption(device_hint())
    return values | setting_controls(model, suggested.model, scope=scope)


def _others(suggested: _Suggested, scope: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    configs: dict[type, ModelConfig | TrainingConfig | ExplainConfig] = {
        ModelConfig: suggested.model,
        TrainingConfig: suggested.training,
        ExplainConfig: suggested.explanation,
    }
    for name, (kind, settings) in GROUPS.items():
        st.markdown(f"**{name}**")
        values |= setting_controls(settings, configs[kind], scope=scope)
    return values


def _test_rows(info: DatasetInfo, settings: dict[str, Any], scope: str) -> str | None:
    """Where the test rows come from; sets ``test_fraction`` and returns the other table, if one is used."""
    others = {
        item.dataset_id: f"{item.name} · {item.n_rows:,} rows"
        for item in data_access.datasets()
        if item.dataset_id != info.dataset_id and item.n_columns == info.n_columns
    }
    left, right = st.columns([1, 2])
    with left:
        source = (
            _HELD_OUT if not others else st.radio("Test rows", _SOURCES, key=f"test_source_{scope}", help=_TEST_HELP)
        )
    with right if others else left:
        if source == _OTHER_TABLE:
            settings["test_fraction"] = 0.0
            return widgets.choice("Test table", others, None, key=f"test_table_{scope}")
        share = st.slider("Test rows held back, %", 5, 50, 20, 5, key=f"test_share_{scope}", help=_TEST_HELP)
        settings["test_fraction"] = share / 100
    return None


def _estimate(info: DatasetInfo, settings: dict[str, Any]) -> None:
    """How long it may take, judged by what the last run of this workspace took."""
    last = next((item.manifest for item in data_access.runs() if item.manifest), None)
    if last is None or not last.seconds or not last.rows.get("train"):
        return
    n_epochs = len(data_access.run(last.run_id).history)
    seconds = last.seconds / (last.rows["train"] * n_epochs) * info.n_rows * settings["max_epochs"]
    st.caption(f"Training takes about {job_panel.time_text(max(seconds, 1.0))} at most, judging by the last run here.")


def device_hint() -> str:
    """Which devices a training can use here, found without importing torch."""
    processor_only = importlib.metadata.version("torch").endswith("+cpu")
    if processor_only:
        return "On this machine: the processor (this installation of torch has no graphics card support)."
    if shutil.which("nvidia-smi"):
        return "On this machine: the processor and an NVIDIA graphics card."
    return "On this machine: the processor; no NVIDIA graphics card was found."
