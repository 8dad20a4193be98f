"""What the size and the kinds of a table change in the suggested settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.config import ModelConfig, TrainingConfig, choose_settings

SIZES = st.integers(2, 10**7)


@given(n_rows=SIZES, n_features=st.integers(1, 10_000), data=st.data())
def test_suggestions_are_valid_settings_whatever_the_kinds(n_rows, n_features, data):
    shape = {
        "n_rows": n_rows,
        "n_features": n_features,
        "n_categorical": data.draw(st.integers(0, n_features)),
    }
    model, training, _ = choose_settings({}, **shape)
    assert model == ModelConfig.suggest(**shape) == ModelConfig.from_mapping(model.to_mapping())
    assert training == TrainingConfig.suggest(**shape) == TrainingConfig.from_mapping(training.to_mapping())


@given(n_rows=SIZES, n_features=st.integers(2, 1_000))
def test_one_number_among_categories_makes_an_ordinary_table(n_rows, n_features):
    ordinary = choose_settings({}, n_rows=n_rows, n_features=n_features)
    assert choose_settings({}, n_rows=n_rows, n_features=n_features, n_categorical=n_features - 1) == ordinary


@pytest.mark.parametrize("n_rows", [2_000, 5_000, 25_010])
def test_a_table_of_categories_gets_wide_embeddings_and_time(n_rows):
    shape = {"n_rows": n_rows, "n_features": 10}
    model, training, _ = choose_settings({}, **shape, n_categorical=10)
    plain_model, plain_training, _ = choose_settings({}, **shape)
    assert model.d_categorical == 16
    assert plain_model.d_categorical is None
    assert training.max_epochs > plain_training.max_epochs
    assert training.weight_decay <= plain_training.weight_decay


def test_the_user_has_the_last_word():
    model, training, _ = choose_settings(
        {"d_categorical": 3, "max_epochs": 7}, n_rows=25_000, n_features=10, n_categorical=10
    )
    assert (model.d_categorical, training.max_epochs) == (3, 7)


@given(smaller=SIZES, larger=SIZES)
def test_fewer_rows_never_get_fewer_epochs_nor_larger_batches(smaller, larger):
    smaller, larger = sorted((smaller, larger))
    few, many = TrainingConfig.suggest(n_rows=smaller), TrainingConfig.suggest(n_rows=larger)
    assert few.max_epochs >= many.max_epochs
    assert few.batch_size <= many.batch_size
    assert few.weight_decay >= many.weight_decay
