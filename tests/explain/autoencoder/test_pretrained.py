"""A pretraining as an autoencoder: the same numbers as its own measurement, and the result kept in the run."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder
from tabnet_engine.explain.autoencoder.stored import PART, explain_autoencoder_run, load_autoencoder_explanation
from tabnet_engine.runs.artefact import load_run

QUICK = AutoencoderSettings(n_rows=40, n_shapley_rows=2, n_background=4, n_repeats=2)


@pytest.fixture
def copied(pretraining, tmp_path):
    return load_run(shutil.copytree(pretraining[0].folder, tmp_path / "run"))


def test_hiding_every_column_in_turn_is_the_networks_own_forward(pretraining):
    run, frame = pretraining
    table = run.encoder.transform(frame.head(20))
    model = PretrainedAutoencoder.of_run(run)
    values = model.reconstruct(table)
    network = model.network
    for feature in range(model.layout.n_features):
        hidden = torch.zeros(20, model.layout.n_features, dtype=torch.float64)
        hidden[:, feature] = 1
        with torch.inference_mode():
            filled = network(torch.from_numpy(table.numeric).double(), torch.from_numpy(table.categorical), hidden)
        own = model.owner == feature
        assert values[:, own] == pytest.approx(filled.values[:, torch.from_numpy(own)].numpy())
    assert next(run.pretrained().network.parameters()).dtype == torch.float32  # the run's own is not touched


def test_a_hidden_own_cell_tells_nothing_and_a_visible_one_does(pretraining):
    run, frame = pretraining
    table = run.encoder.transform(frame)
    changed = run.encoder.transform(frame.assign(size=frame["size"].to_numpy()[::-1]))
    size = run.schema.feature_names.index("size")
    for own_cell, same in (("hidden", True), ("visible", False)):
        model = PretrainedAutoencoder.of_run(run, own_cell)
        before, after = (model.reconstruct(rows)[:, model.owner == size] for rows in (table, changed))
        assert np.allclose(before, after) is same


def test_values_are_named_after_columns_parts_and_categories(pretraining):
    model = PretrainedAutoencoder.of_run(pretraining[0])
    names = model.value_names
    assert len(names) == len(set(names)) == len(model.owner)
    assert {"size", "colour = red", "day, part 1", "always = same"} <= set(names)


def test_everything_is_kept_in_the_run(copied, pretraining):
    frame = pretraining[1]
    run, explanation = explain_autoencoder_run(copied, frame, QUICK)
    assert PART in load_run(run.folder)
    read = load_autoencoder_explanation(load_run(run.folder))
    assert read.to_mapping() == explanation.to_mapping()
    assert read.run_id == run.run_id
    assert "validation rows" in read.selection
    assert "training rows" in read.background.description
    assert read.left_out == ("mutual information: 30 rows are fewer than 50",)
    assert read.permutation.unmeasured == ("always",)
    lines = read.long_table()
    assert list(lines.columns) == ["row", "feature", "method", "step", "output", "value", "standard_error"]
    methods = {"reconstruction_permutation", "reconstruction_zeroing", "reconstruction_shap", "error_shap"}
    assert set(lines["method"]) == {*methods, "first_weights"}
    assert set(lines.loc[lines["method"] == "error_shap", "row"]) <= set(run.splits.validation)
    assert lines.loc[lines["method"] == "reconstruction_permutation", "row"].isna().all()


def test_another_table_gives_rows_and_background_itself(copied, pretraining):
    frame = pretraining[1].head(60)
    with pytest.raises(ExplanationError, match="is not the one that this run was pretrained on"):
        explain_autoencoder_run(copied, frame, QUICK)
    settings = AutoencoderSettings(n_rows=60, n_shapley_rows=0, n_background=4, n_repeats=2, correlation=0.7)
    _, found = explain_autoencoder_run(copied, frame, settings, is_own_table=False)
    assert "rows of this table" in found.selection
    assert found.reconstruction is None
    assert found.left_out == ("Shapley values: n_shapley_rows is 0",)
    assert found.information is not None
    assert found.permutation.groups


def test_groups_and_a_correlation_exclude_each_other(copied, pretraining):
    groups = {"both": ("size", "weight")}
    with pytest.raises(ExplanationError, match="not both"):
        explain_autoencoder_run(copied, pretraining[1], AutoencoderSettings(correlation=0.9), groups=groups)
    _, found = explain_autoencoder_run(copied, pretraining[1], QUICK.replace(n_shapley_rows=1), groups=groups)
    assert found.permutation.groups == groups
    assert found.error.players == found.permutation.players


def test_a_trained_model_reconstructs_nothing(run, frame):
    with pytest.raises(ExplanationError, match="reconstructs nothing; choose a pretraining"):
        explain_autoencoder_run(run, frame, QUICK)


def test_a_run_without_an_explanation_and_one_with_a_damaged_one(copied):
    from tabnet_engine.runs.artefact import add_part

    with pytest.raises(ExplanationError, match="has no explanation"):
        load_autoencoder_explanation(copied)
    damaged = add_part(copied, PART, lambda path: path.write_text("{}", encoding="utf-8"))
    with pytest.raises(DamagedRunError, match="explain the run again"):
        load_autoencoder_explanation(damaged)


def test_hours_of_work_are_refused_before_they_start(pretraining, rows_of, monkeypatch):
    from tabnet_engine.explain.autoencoder import models
    from tabnet_engine.explain.autoencoder.importance import reconstruction_importance
    from tabnet_engine.explain.autoencoder.shapley import reconstruction_shapley

    run, frame = pretraining
    encoded = run.encoder.transform(frame)
    hidden, visible = (PretrainedAutoencoder.of_run(run, own_cell) for own_cell in ("hidden", "visible"))
    monkeypatch.setattr(models, "MAX_FORWARDS", 300 * 6 * 2)
    with pytest.raises(ExplanationError, match=r"21,600 rows, 6 for each .* or show columns their own cell"):
        reconstruction_importance(hidden, encoded, n_repeats=2)
    reconstruction_importance(visible, encoded, n_repeats=2)
    with pytest.raises(ExplanationError, match="these Shapley values would run"):
        reconstruction_shapley(visible, *rows_of(encoded, 10, 10))
