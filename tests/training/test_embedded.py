"""A network behind its embedding: the same outputs, in both precisions, wherever a row stands."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training.embedded import EmbeddedNetwork
from tabnet_engine.training.prediction import predict_logits

LAYOUT = InputLayout(("age", "joined", "job"), (0, 1, 1), (2,), (6,), ((-1.0, 0.0, 1.0),) * 3)


def network(**changes: object) -> TabNet:
    torch.manual_seed(0)
    made = TabNet(LAYOUT, 2, ModelConfig(n_d=8, n_a=8, n_steps=3, **changes)).eval()
    made.set_output_scale(torch.tensor([1e9, 0.0]), torch.tensor([3.0, 1.0]))
    return made


def table(n_rows: int = 150) -> EncodedTable:
    generator = np.random.default_rng(0)
    numeric = generator.normal(size=(n_rows, 3)).astype(np.float32)
    numeric[generator.random((n_rows, 3)) < 0.1] = np.nan
    return EncodedTable(numeric, generator.integers(0, 6, size=(n_rows, 1)))


def test_gives_the_networks_own_logits():
    made, rows = network(), table()
    before = {name: values.clone() for name, values in made.state_dict().items()}
    behind = EmbeddedNetwork(made, "cpu")
    logits = behind.in_units(behind.head(behind.embed(rows)))
    np.testing.assert_allclose(logits, predict_logits(made, rows), rtol=1e-12)
    single = behind.in_units(behind.head(behind.embed(rows).float()))
    np.testing.assert_allclose(single - behind.offset, logits - behind.offset, rtol=0, atol=2e-5)
    assert behind.column_feature.tolist() == made.embedding.column_feature.tolist()
    assert all(torch.equal(before[name], values) for name, values in made.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_row_gets_the_same_digits_wherever_it_stands(dtype):
    behind = EmbeddedNetwork(network(), "cpu")
    rows = behind.embed(table()).to(dtype)
    alone = np.concatenate([behind.head(rows[:, [row]]) for row in range(40)])
    for n_rows in (40, 63, 64, 65, 127, 150):
        np.testing.assert_array_equal(behind.head(rows[:, :n_rows])[:40], alone)
    np.testing.assert_array_equal(behind.head(rows.flip(1)[:, 110:])[::-1], alone)


def test_a_missing_number_is_refused_without_a_state_for_it():
    with pytest.raises(SchemaError, match="the number is missing"):
        EmbeddedNetwork(network(missing_states=False), "cpu").embed(table())
