"""Mutual information between columns and latents, against what is known of it and against chance."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tabnet_engine.errors import ConfigError, ExplanationError, JobCancelledError
from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
from tabnet_engine.explain.autoencoder.information import LatentInformation, latent_information
from tabnet_engine.explain.subject import Steering


def matrix(n_rows, n_columns, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def test_a_latent_that_copies_a_column_knows_most_of_it(linear):
    model = linear(np.eye(3), encoder=[[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    found = latent_information(model, model.table(matrix(300, 3)), seed=1)
    assert found.latents == ("latent 1", "latent 2")
    assert np.unravel_index(found.values.argmax(), found.values.shape) == (1, 0)
    assert found.is_told_apart.tolist() == [[False, True], [True, False], [False, True]]


def test_it_is_measured_in_nats(linear):
    """Of two normal variables with correlation r the information is -ln(1 - r^2) / 2."""
    model = linear(np.eye(2), encoder=[[1.0, 1.0]])
    found = latent_information(model, model.table(matrix(1500, 2)))
    truth = math.log(2) / 2
    assert found.low[0, 0] <= truth <= found.high[0, 0]
    assert found.values[0, 0] == pytest.approx(truth, abs=0.1)


def test_intervals_are_as_wide_as_the_estimates_scatter(linear):
    """Neither too narrow nor, as with rows drawn twice, twice too wide."""
    model = linear(np.eye(2), encoder=[[1.0, 1.0]])
    truth = math.log(2) / 2
    found = [latent_information(model, model.table(matrix(100, 2, draw)), seed=draw) for draw in range(24)]
    values, margins = (np.array([getattr(one, name)[:, 0] for one in found]) for name in ("values", "high"))
    width = (margins - values).mean() / 1.96
    assert width == pytest.approx(values.std(), rel=0.3)
    inside = [(one.low[:, 0] <= truth) & (truth <= one.high[:, 0]) for one in found]
    assert np.mean(inside) >= 0.88


def test_chance_covers_no_information(linear):
    """Latents that know nothing of the columns: hardly ever above the threshold, on average at the null."""
    model = linear(np.eye(4), encoder=[[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    above, beyond = 0, []
    for draw in range(8):
        found = latent_information(model, model.table(matrix(80, 4, draw)), seed=draw)
        nothing = found.is_told_apart[:2]  # columns that no latent reads
        above += int(nothing.any())
        beyond.append((found.values - found.null)[:2].mean())
    assert above <= 2
    assert np.mean(beyond) == pytest.approx(0.0, abs=0.02)


def test_a_dead_latent_tells_nothing(linear):
    model = linear(np.eye(2), encoder=[[0.0, 0.0], [1.0, 0.0]])
    found = latent_information(model, model.table(matrix(100, 2)))
    assert found.dead.tolist() == [True, False]
    assert found.values[:, 0].tolist() == [0.0, 0.0]
    assert "1 latent is the same for every row" in found.note


def test_missing_cells_dates_and_categories_of_a_pretraining(pretraining):
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    run, frame = pretraining
    model = PretrainedAutoencoder.of_run(run)
    found = latent_information(model, run.encoder.transform(frame), n_null=19, n_halves=2)
    rows = dict(zip(found.features, found.rows.tolist(), strict=True))
    assert rows["noise"] == frame["noise"].notna().sum()
    assert rows["colour"] == frame["colour"].notna().sum()
    assert found.values.shape == (len(model.layout.feature_names), 16)
    assert found.is_told_apart[found.features.index("size")].any()
    assert found.values[found.features.index("always")].max() == 0.0  # a constant has no information to share
    read = LatentInformation.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert read.to_mapping() == found.to_mapping()


def test_the_same_seed_gives_the_same(linear):
    model = linear(np.eye(2), encoder=[[1.0, 0.5]])
    table = model.table(matrix(60, 2))
    first, again = (latent_information(model, table, seed=7) for _ in range(2))
    assert first.to_mapping() == again.to_mapping()


@pytest.mark.parametrize(
    ("rows", "change", "message"),
    [
        (49, {}, "at least 50 rows"),
        (60, {"n_null": 18}, "n_null must be at least 19"),
        (60, {"n_halves": 1}, "n_halves must be at least 2"),
    ],
)
def test_requests_that_cannot_be_met(linear, rows, change, message):
    model = linear(np.eye(2), encoder=np.eye(2))
    with pytest.raises(ExplanationError, match=message):
        latent_information(model, model.table(matrix(rows, 2)), **change)


def test_an_autoencoder_without_latents_is_refused(linear):
    model = linear(np.eye(2))
    with pytest.raises(ExplanationError, match="shows no latents"):
        latent_information(model, model.table(matrix(60, 2)))
    shown = linear(np.eye(2), encoder=np.eye(2))
    with pytest.raises(JobCancelledError):
        latent_information(shown, shown.table(matrix(60, 2)), steering=Steering(should_cancel=lambda: True))


@pytest.mark.parametrize(
    "change", [{"n_rows": 1}, {"n_null": 5}, {"n_background": 0}, {"own_cell": "seen"}, {"correlation": 1.5}]
)
def test_settings_outside_their_range(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        AutoencoderSettings.from_mapping(change)


def test_settings_are_read_from_text():
    settings = AutoencoderSettings.from_mapping({"n_rows": "60", "own_cell": "visible", "correlation": "0.5"})
    assert (settings.n_rows, settings.own_cell, settings.correlation) == (60, "visible", 0.5)
    assert AutoencoderSettings.from_mapping(settings.to_mapping()) == settings
