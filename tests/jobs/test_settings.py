from __future__ import annotations

import pytest

from tabnet_engine.config import ModelConfig, PretrainingConfig, TrainingConfig, choose_pretraining_settings
from tabnet_engine.errors import ConfigError
from tabnet_engine.jobs.settings import choose_fine_tuning_settings

SIZE = {"n_rows": 5_000, "n_features": 8}


def test_a_pretraining_fits_the_table_unless_the_user_says_otherwise() -> None:
    model, pretraining = choose_pretraining_settings({}, **SIZE)
    assert model == ModelConfig.suggest(**SIZE).replace(n_d=32, n_a=32), "to rebuild every column takes more"
    assert pretraining == PretrainingConfig.suggest(n_rows=5_000)
    model, pretraining = choose_pretraining_settings({"n_d": "24", "mask_rate": "0.5"}, **SIZE)
    assert (model.n_d, pretraining.mask_rate) == (24, 0.5)
    assert (model.n_a, model.n_steps) == (32, ModelConfig.suggest(**SIZE).n_steps)
    assert choose_pretraining_settings({"preset": "paper"}, **SIZE)[0] == ModelConfig.paper()


PRETRAINED = ModelConfig(n_d=24, n_a=8, n_steps=4)


def test_the_network_is_the_pretrained_one_whatever_its_size_suggests() -> None:
    model, training = choose_fine_tuning_settings({"freeze_epochs": 2}, pretrained=PRETRAINED, **SIZE)
    assert model == PRETRAINED
    assert training == TrainingConfig.suggest(n_rows=5_000).replace(freeze_epochs=2)
    _, training = choose_fine_tuning_settings({}, pretrained=PRETRAINED, **SIZE)
    assert training == TrainingConfig.suggest(n_rows=5_000).for_fine_tuning()
    same = {"n_d": "24", "n_steps": 4}
    assert choose_fine_tuning_settings(same, pretrained=PRETRAINED, **SIZE)[0] == PRETRAINED


def test_a_setting_that_would_change_the_pretrained_network_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="n_steps is 4 in the pretraining and cannot be 3"):
        choose_fine_tuning_settings({"n_d": 24, "n_steps": 3}, pretrained=PRETRAINED, **SIZE)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, False), ({"two_logits": "true"}, True), ({"preset": "paper"}, True), ({"preset": "best"}, False)],
)
def test_the_head_is_new_so_its_logits_may_be_chosen(settings: dict[str, str], expected: bool) -> None:
    model, _ = choose_fine_tuning_settings(settings, pretrained=PRETRAINED, **SIZE)
    assert model == PRETRAINED.replace(two_logits=expected)
