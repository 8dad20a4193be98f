"""On a graphics card: the same answers as on the processor, and a network that comes back from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import Task
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.training.augmentation import ConvexMixing
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.experiment import train_model
from tabnet_engine.training.fit import fit
from tabnet_engine.training.options import FitOptions
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


class PowerCutError(Exception):
    """What no code expects."""


class PowerCut(Callback):
    """Ends the training in the middle of the third epoch."""

    def on_batch_end(self, state):
        if (state.epoch, state.batch) == (3, 2):
            raise PowerCutError


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_interrupted_training_resumes_bit_for_bit_on_the_card(prepare, tmp_path, precision):
    changes = {"max_epochs": 5, "batch_size": 30, "device": "cuda", "precision": precision}
    common = {"augmentation": ConvexMixing()}
    kept = FitOptions(**common, checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    with pytest.raises(PowerCutError):
        fit(*prepare(**changes), [PowerCut()], options=kept)
    resumed, whole = prepare(**changes), prepare(**changes)
    assert fit(*resumed, options=kept).resumed_from == 2
    fit(*whole, options=FitOptions(**common))
    expected = whole[0].state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed[0].state_dict().items())


@pytest.mark.parametrize("task", [Task.MULTITASK, Task.REGRESSION])
def test_bfloat16_learns_on_the_card(prepare, task):
    parts = prepare(task, n_train=400, max_epochs=6, device="cuda", precision="bfloat16")
    records = fit(*parts).history.records
    assert records[-1].train_loss < 0.8 * records[0].train_loss
