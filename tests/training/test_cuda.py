"""On a graphics card: the same answers as on the processor, and a network that comes back from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.training.experiment import train_model
from tabnet_engine.training.prediction import predict_logits

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")]


@pytest.mark.parametrize("numeric_embedding", ["piecewise", "none"])
def test_training_on_the_card(numeric_embedding):
    frame, _ = credit_applications(n_rows=1_000, seed=0)
    schema = set_target(propose_schema(frame), frame, "decision")
    config = ModelConfig(n_d=8, n_a=8, numeric_embedding=numeric_embedding, virtual_batch_size=64)
    model = train_model(frame, schema, config, TrainingConfig(max_epochs=3, batch_size=256, device="cuda"))
    assert model.device == "cuda"
    assert next(model.network.parameters()).device.type == "cpu"
    encoded = model.encoder.transform(frame)
    on_card = predict_logits(model.network, encoded, device="cuda")
    np.testing.assert_allclose(on_card, predict_logits(model.network, encoded), rtol=1e-3, atol=1e-3)
