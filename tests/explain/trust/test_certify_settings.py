"""Settings of a certificate: round trip, refusal by name, and defaults that a wide table can afford."""

from __future__ import annotations

import pytest

from tabnet_engine.config import CertifyConfig
from tabnet_engine.errors import ConfigError


def test_settings_survive_json_and_text():
    config = CertifyConfig(methods=("shap", "masks"), n_retrainings=2, perturbation=0.1)
    assert CertifyConfig.from_mapping(config.to_mapping()) == config
    as_text = {**{key: str(value) for key, value in config.to_mapping().items()}, "methods": "shap,masks"}
    assert CertifyConfig.from_mapping(as_text) == config


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"n_rowz": 3}, "unknown setting 'n_rowz'"),
        ({"n_rows": 1}, "n_rows must be between 2"),
        ({"methods": "tea"}, "methods must be any of masks, shap"),
        ({"methods": "permutation"}, "got 'permutation'"),
        ({"methods": "shap,shap"}, "once each"),
        ({"n_random_orders": 5}, "must be even"),
        ({"perturbation": 2}, "perturbation must be between 1e-06 and 1.0"),
        ({"perturbation": 0}, "perturbation must be between 1e-06 and 1.0"),
        ({"n_retrainings": 101}, "n_retrainings must be between 0 and 100"),
    ],
)
def test_mistakes_are_told_in_one_sentence(settings, text):
    with pytest.raises(ConfigError, match=text):
        CertifyConfig.from_mapping(settings)


def test_wide_tables_get_fewer_rows_but_never_too_few():
    narrow, wide = CertifyConfig.suggest(n_features=10), CertifyConfig.suggest(n_features=2_000)
    assert narrow == CertifyConfig()
    assert (wide.n_rows, wide.n_stability_rows, wide.n_repetitions) == (20, 10, 3)
