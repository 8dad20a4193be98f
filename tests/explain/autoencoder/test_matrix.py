"""Any torch module as an autoencoder of named columns: what it accepts, and that it is left as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.matrix import MatrixAutoencoder
from tabnet_engine.explain.autoencoder.models import shared_players

NAMES = ("a", "b", "c")


class Noisy(nn.Module):
    """Dropout and batch norm, which change in training."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3))

    def forward(self, x):
        return self.inner(x)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Narrow(nn.Module):
    def forward(self, x):
        return x[:, :2]


class Undefined(nn.Module):
    def forward(self, x):
        return x / 0


def test_a_module_is_evaluated_and_left_in_its_modes():
    module = Noisy().train()
    module.inner[2].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    model = MatrixAutoencoder(module, NAMES)
    table = model.table(np.random.default_rng(0).normal(size=(20, 3)))
    assert np.array_equal(model.reconstruct(table), model.reconstruct(table))
    assert module.training
    assert module.inner[1].training
    assert not module.inner[2].training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_zeroed_columns_are_replaced():
    model = MatrixAutoencoder(nn.Identity(), NAMES, zeros=np.array([0.0, 5.0, 0.0]))
    table = model.table(np.ones((2, 3)))
    assert model.reconstruct(table, np.array([True, True, False])).tolist() == [[0.0, 5.0, 1.0]] * 2
    assert table.numeric.tolist() == [[1.0] * 3] * 2
    assert model.blank == "the number given for it"


def test_latents_have_names_only_where_there_is_an_encoder():
    assert MatrixAutoencoder(nn.Identity(), NAMES).latent_names == ()
    encoded = MatrixAutoencoder(nn.Identity(), NAMES, encoder=nn.Linear(3, 2))
    assert encoded.latent_names == ("latent 1", "latent 2")
    assert encoded.encode(encoded.table(np.zeros((4, 3)))).shape == (4, 2)
    assert encoded.first_weights() is None
    assert MatrixAutoencoder(Noisy(), NAMES).first_weights().shape == (4, 3)


@pytest.mark.parametrize(
    ("cells", "message"),
    [(np.zeros((2, 4)), "must have 3 columns"), (np.zeros(3), "must have 3 columns")],
)
def test_tables_of_another_shape_are_refused(cells, message):
    with pytest.raises(ExplanationError, match=message):
        MatrixAutoencoder(nn.Identity(), NAMES).table(cells)


def test_a_cell_that_is_no_number_is_named():
    cells = np.zeros((4, 3))
    cells[2, 1] = np.nan
    with pytest.raises(ExplanationError, match="column 'b', row 2"):
        MatrixAutoencoder(nn.Identity(), NAMES).table(cells)


@pytest.mark.parametrize(
    ("module", "message"), [(Pair(), "wrap it"), (Narrow(), "one number for each cell"), (Undefined(), "not finite")]
)
def test_modules_that_give_something_else_are_refused(module, message):
    model = MatrixAutoencoder(module, NAMES)
    with pytest.raises(ExplanationError, match=message):
        model.reconstruct(model.table(np.ones((5, 3))))


@pytest.mark.parametrize("columns", [(), ("a", "a", "b")])
def test_names_must_be_there_and_differ(columns):
    with pytest.raises(ExplanationError, match="different names"):
        MatrixAutoencoder(nn.Identity(), columns)


def test_zeros_must_fit_the_columns():
    with pytest.raises(ExplanationError, match="one number for each of the 3 columns"):
        MatrixAutoencoder(nn.Identity(), NAMES, zeros=np.zeros(2))


def test_columns_of_one_mask_entry_play_together():
    layout = MatrixAutoencoder(nn.Identity(), NAMES).layout
    assert shared_players(layout).names == NAMES
    from dataclasses import replace

    shared = shared_players(replace(layout, groups=(0, 1, 0)))
    assert shared.names == ("a + c", "b")
    assert shared.members == ((0, 2), (1,))
