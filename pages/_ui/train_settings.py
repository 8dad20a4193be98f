"""Every setting of model, training, pretraining and explanation as a control with its help."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._ui.train_options import (
    BASIC,
    FROM_PRETRAINING,
    GROUPS,
    OF_TARGETS,
    PRETRAINING,
    PRETRAINING_OPTIMISATION,
    Setting,
    label_of,
)
from tabnet_engine.config import ExplainConfig, ModelConfig, PretrainingConfig, TrainingConfig
from tabnet_engine.texts.speaking import say

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
        return st.selectbox(
            say(setting.label), choices, index=choices.index(value), key=key, help=say(setting.help_text)
        )
    if hint is bool:
        return st.toggle(say(setting.label), value, key=key, help=say(setting.help_text))
    if setting.choices:
        return st.multiselect(
            say(setting.label),
            setting.choices,
            value,
            placeholder=say("Choose"),
            key=key,
            help=say(setting.help_text),
        )
    parts = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    if any(typing.get_origin(part) is tuple for part in parts):
        return _list_control(setting, value, key)
    if str in parts:
        text = st.text_input(
            say(setting.label), value or "", placeholder=say("none"), key=key, help=say(setting.help_text)
        )
        return text.strip() or None
    return _number(setting, value, key, whole=float not in parts)


def _list_control(setting: Setting, value: Any, key: str) -> str | None:
    """One number or several with commas; nothing typed means automatic."""
    given = value if isinstance(value, tuple) else () if value is None else (value,)
    text = st.text_input(
        say(setting.label),
        ", ".join(map(str, given)),
        placeholder=say("automatic"),
        key=key,
        help=say(setting.help_text),
    )
    return text.strip() or None


def _number(setting: Setting, value: float | None, key: str, *, whole: bool) -> Any:
    cast = int if whole else float
    least = setting.least if setting.least is not None else (1 if whole else None)
    return st.number_input(
        say(setting.label),
        value=None if value is None else cast(value),
        min_value=None if least is None else cast(least),
        max_value=None if setting.most is None else cast(setting.most),
        step=cast(setting.step),
        format=None if whole else "%g",
        placeholder=say("automatic"),
        key=key,
        help=say(setting.help_text),
    )
