"""Settings: round trip, refusal by name, and sentences that say the rule and the value."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.config import (
    ExplainConfig,
    ModelConfig,
    PretrainingConfig,
    TableLimits,
    TrainingConfig,
    choose_settings,
    split_settings,
)
from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.errors import ConfigError

SETTINGS = (ModelConfig, TrainingConfig, PretrainingConfig, ExplainConfig, TableLimits)


@given(
    n_d=st.integers(1, 1024),
    gamma=st.floats(1, 10),
    width=st.none() | st.integers(1, 256),
    mask=st.sampled_from(["sparsemax", "entmax15"]),
)
def test_settings_survive_json_and_text(n_d, gamma, width, mask):
    config = ModelConfig(n_d=n_d, gamma=gamma, d_categorical=width, mask_function=mask)
    assert ModelConfig.from_mapping(config.to_mapping()) == config
    as_text = {key: str(value) for key, value in config.to_mapping().items()}
    assert ModelConfig.from_mapping(as_text) == config


@pytest.mark.parametrize("cls", SETTINGS)
def test_an_unknown_key_is_refused_by_name(cls):
    with pytest.raises(ConfigError, match="'n_stepz'"):
        cls.from_mapping({"n_stepz": 3})


@pytest.mark.parametrize(
    ("cls", "key", "value", "text"),
    [
        (ModelConfig, "n_steps", 0, "n_steps must be between 1 and 1024, got 0"),
        (ModelConfig, "n_steps", "three", "n_steps must be a number, got 'three'"),
        (ModelConfig, "n_steps", 2.5, "n_steps must be a whole number, got 2.5"),
        (ModelConfig, "n_steps", True, "n_steps must be a number, got True"),
        (ModelConfig, "gamma", math.nan, "gamma must be between 1.0 and 10.0, got nan"),
        (ModelConfig, "gamma", "inf", "gamma must be between 1.0 and 10.0, got inf"),
        (ModelConfig, "n_steps", "inf", "n_steps must be a whole number, got 'inf'"),
        (ModelConfig, "mask_function", "softmax", "mask_function must be one of sparsemax, entmax15, got 'softmax'"),
        (TrainingConfig, "batch_size", 1, "batch_size must be between 2 and 1000000, got 1"),
        (TrainingConfig, "learning_rate", 0, "learning_rate must be between 1e-07 and 10.0, got 0.0"),
        (TrainingConfig, "seed", -1, "seed must be between 0 and 4294967295, got -1"),
        (ModelConfig, "gamma", 10**400, "gamma must be a number of at most 300 digits"),
        (ConsumerScore, "use", "yes", "use must be one of none, column, got 'yes'"),
        (ExplainConfig, "n_background", 0, "n_background must be between 1 and 10000, got 0"),
        (ExplainConfig, "n_evaluations", 0, "n_evaluations must be between 1 and 10000000, got 0"),
    ],
)
def test_a_wrong_value_is_refused_with_rule_and_value(cls, key, value, text):
    with pytest.raises(ConfigError) as caught:
        cls.from_mapping({key: value})
    assert str(caught.value) == text


def test_two_zeros_of_layers_are_refused():
    with pytest.raises(ConfigError, match=r"n_shared \+ n_independent must be at least 1, got 0"):
        ModelConfig(n_shared=0, n_independent=0)


@given(n_rows=st.integers(2, 10**7), n_features=st.integers(1, 10_000))
def test_suggestions_are_valid_settings_for_any_table(n_rows, n_features):
    for config in (ModelConfig.suggest(n_rows=n_rows, n_features=n_features), TrainingConfig.suggest(n_rows=n_rows)):
        assert type(config).from_mapping(config.to_mapping()) == config


def test_replace_validates_again():
    assert ModelConfig().replace(n_d="32").n_d == 32
    with pytest.raises(ConfigError):
        ModelConfig().replace(n_d=0)


def test_free_settings_go_to_the_part_that_knows_them():
    model, training, explanation = split_settings({"n_d": 8, "max_epochs": 3, "n_shap_rows": 10, "seed": 7})
    assert model == {"n_d": 8}
    assert training == {"max_epochs": 3, "seed": 7}
    assert explanation == {"n_shap_rows": 10, "seed": 7}  # one seed for everything
    with pytest.raises(ConfigError, match="unknown setting 'epochs'"):
        split_settings({"epochs": 3})


@pytest.mark.parametrize("cls", SETTINGS)
def test_settings_cannot_be_changed_in_place(cls):
    with pytest.raises(dataclasses.FrozenInstanceError):
        cls().seed = 1


def test_lists_of_settings_are_read_from_text_json_and_single_values():
    assert ModelConfig.from_mapping({"d_categorical": "2, 4,8"}).d_categorical == (2, 4, 8)
    assert ModelConfig.from_mapping({"d_categorical": [2, 4]}).d_categorical == (2, 4)
    assert ModelConfig.from_mapping({"d_categorical": "4"}).d_categorical == 4
    assert ModelConfig.from_mapping({"d_categorical": "none"}).d_categorical is None
    assert TrainingConfig.from_mapping({"task_weights": 2}).task_weights == (2.0,)
    again = ModelConfig.from_mapping(json.loads(json.dumps(ModelConfig(d_categorical=(3, 5)).to_mapping())))
    assert again.d_categorical == (3, 5)
    with pytest.raises(ConfigError, match="d_categorical must be a whole number"):
        ModelConfig.from_mapping({"d_categorical": "2,1.5"})


def test_the_papers_preset_is_chosen_by_name_and_can_be_changed():
    model, training, _ = choose_settings({"preset": "paper", "n_steps": 4}, n_rows=30_000, n_features=14)
    assert model == ModelConfig.paper().replace(n_steps=4)
    assert (training.optimizer, training.schedule, training.clip_norm) == ("adam", "exponential", 0.0)
    with pytest.raises(ConfigError, match="preset must be one of best, paper"):
        choose_settings({"preset": "papers"}, n_rows=100, n_features=2)


def test_pretraining_settings_are_a_training_of_their_own():
    assert PretrainingConfig(max_epochs=7).training().max_epochs == 7
    with pytest.raises(ConfigError, match="mask_rate must be between"):
        PretrainingConfig(mask_rate=1.0)
    with pytest.raises(ConfigError, match="unknown setting 'gamma'"):
        PretrainingConfig.from_mapping({"gamma": 1.5})
