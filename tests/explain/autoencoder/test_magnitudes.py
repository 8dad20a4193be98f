"""Sizes of weights and activations, and that they are called what they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.explain.autoencoder.magnitudes import MagnitudeBaselines, magnitude_baselines


def test_first_weights_by_their_norm(linear):
    weight = np.array([[3.0, 0.0], [4.0, 1.0]])
    model = linear(weight, encoder=[[1.0, 0.0], [0.0, 0.0]])
    found = magnitude_baselines(model, model.table(np.array([[1.0, 5.0], [-3.0, 5.0]])))
    assert found.weights == pytest.approx((5.0, 1.0))
    assert [part.value for part in found.activations] == [2.0, 0.0]
    assert [part.value for part in found.active] == [1.0, 0.0]
    assert found.note.startswith("Weak baselines")
    read = MagnitudeBaselines.from_mapping(json.loads(json.dumps(found.to_mapping(), allow_nan=False)))
    assert read.to_mapping() == found.to_mapping()


def test_the_entry_of_a_pretraining_is_folded_to_columns(pretraining):
    from tabnet_engine.explain.autoencoder.pretrained import PretrainedAutoencoder

    run, frame = pretraining
    model = PretrainedAutoencoder.of_run(run)
    table = run.encoder.transform(frame)
    found = magnitude_baselines(model, table)
    assert len(found.weights) == len(run.schema.feature_names)
    # What the first layer does to one column's dimensions is what its folded weight bounds.
    network = model.network
    scale, _ = network.encoder.input_norm.affine(slice(0, 1))
    weight = (network.encoder.transformer.entry[0] * scale[0]).detach().numpy()
    owner = network.encoder.column_feature.numpy()
    by_hand = [np.linalg.norm(weight[:, owner == feature]) for feature in range(len(found.weights))]
    assert found.weights == pytest.approx(by_hand)
    assert all(0 <= part.low <= part.high <= 1 for part in found.active)
