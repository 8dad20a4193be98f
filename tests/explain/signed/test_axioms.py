"""What every complete method must satisfy, on random networks and on written ones; random values satisfy none of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.signed.methods import METHODS, SignedMethod, explain_rows
from tabnet_engine.explain.subject import Subject
from tabnet_engine.training.prediction import forward_batches

COMPLETE = tuple(name for name, facts in METHODS.items() if facts.is_complete)
SHAPLEY = tuple(name for name in COMPLETE if "gradients" not in name)
EXACT = ("shap", "exact", "shap_kernel", "shap_exact")
ORDERS = ("sampling", "shap_permutation")
ADDITIVITY = 1e-5

complete = pytest.mark.parametrize("name", COMPLETE)
seeds = given(seed=st.integers(0, 2**32 - 1))
few = settings(max_examples=3, deadline=None)


def explain(subject: Subject, rows: EncodedTable, background: EncodedTable, networks, **method) -> Attribution:
    return explain_rows(subject, networks.chosen(rows), networks.sample(background), SignedMethod(**method))


def plain(generator: np.random.Generator, n_rows: int, n_features: int) -> EncodedTable:
    cells = generator.normal(size=(n_rows, n_features)).astype(np.float32)
    return EncodedTable(cells, np.zeros((n_rows, 0), dtype=np.int64))


# --- the axioms as checks; each must also see that random values break it ---------------------------------


def check_additivity(subject: Subject, rows: EncodedTable, found: Attribution) -> None:
    """Base and values sum to the network's own logit."""
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), subject.logits(rows), rtol=0, atol=ADDITIVITY)


def check_dummy(found: Attribution, player: int) -> None:
    """Not nearly but exactly zero."""
    assert (found.values[:, player] == 0).all()
    assert found.standard_error is None or (found.standard_error[:, player] == 0).all()


def check_symmetry(found: Attribution, first: int, second: int) -> None:
    """Twins get the same, up to what the drawn orders let them differ by."""
    allowed = 1e-5 if found.standard_error is None else 1e-5 + 6 * found.standard_error[:, first]
    assert (np.abs(found.values[:, first] - found.values[:, second]) <= allowed).all()


def check_linear(found: Attribution, weights: np.ndarray, rows: EncodedTable, background: EncodedTable) -> None:
    """w (x - E[x])."""
    distance = rows.numeric.astype(np.float64) - background.numeric.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.values, distance[:, :, None] * weights, rtol=0, atol=1e-5)


def randomised(found: Attribution) -> Attribution:
    """The planted useless explanation: values of the right shape and size that were drawn."""
    drawn = np.random.default_rng(0).normal(scale=max(1e-3, found.values.std()), size=found.values.shape)
    return dataclasses.replace(found, values=drawn, standard_error=None)


def fails(check, *arguments) -> bool:
    try:
        check(*arguments)
    except AssertionError:
        return True
    return False


# --- random networks -----------------------------------------------------------------------------------


@complete
@seeds
@few
def test_additivity_within_one_in_a_hundred_thousand_on_random_networks(name, seed, cases, networks):
    """Dates, categories, missing and unseen cells; one or several outputs; masks of both kinds."""
    subject = networks.random(
        cases.mixed_layout(),
        n_outputs=1 + seed % 3,
        seed=seed % 1_000,
        mask_function=("sparsemax", "entmax15")[seed % 2],
        numeric_embedding=("piecewise", "none")[seed // 2 % 2],
    )
    rows, background = cases.mixed_table(1, seed=seed), cases.mixed_table(2, seed=seed + 1)
    found = explain(subject, rows, background, networks, name=name, seed=seed % 100)
    check_additivity(subject, rows, found)
    assert found.additivity_error <= ADDITIVITY
    assert fails(check_additivity, subject, rows, randomised(found))


@complete
@seeds
@few
def test_a_column_that_the_network_ignores_gets_zero_to_rounding(name, seed, networks):
    """Its cells differ, its embedding does not. A row's last digits depend on the rows beside it in a batch."""
    generator = np.random.default_rng(seed)
    subject = networks.random(networks.plain_layout(4), seed=seed % 1_000)
    with torch.no_grad():
        subject.network.embedding.numeric.weight[2] = 0
    found = explain(subject, plain(generator, 1, 4), plain(generator, 3, 4), networks, name=name)
    np.testing.assert_allclose(found.values[:, 2], 0, atol=1e-5 if name == "sampling" else 1e-12)
    if np.abs(found.logits - found.base).max() > 1e-3:  # a network may be blind to everything
        assert np.abs(found.values).max() > 1e-4


@complete
@seeds
@few
def test_a_column_without_effect_gets_exactly_zero(name, seed, networks):
    """Where equal rows score equally to the last digit nothing is left, but for what a method's own sums round."""
    generator = np.random.default_rng(seed)
    subject = networks.written(lambda x: x[:, :1] * x[:, 1:2] * x[:, 3:4] + x[:, 3:4] * x[:, :1], 4)
    found = explain(subject, plain(generator, 2, 4), plain(generator, 3, 4), networks, name=name)
    if name in {"shap_kernel", "shap_exact"}:
        np.testing.assert_allclose(found.values[:, 2], 0, atol=1e-12)
    elif name == "sampling":  # its walks begin and end in double precision and are in single precision between
        np.testing.assert_allclose(found.values[:, 2], 0, atol=1e-7)
    else:
        check_dummy(found, 2)
    assert fails(check_dummy, randomised(found), 2)


@complete
def test_a_column_that_never_differs_gets_exactly_zero(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=3)
    rows, background = cases.mixed_table(2, seed=1), cases.mixed_table(3, seed=2)
    rows.categorical[:, 0] = background.categorical[:, 0] = 4
    rows.numeric[:, 0] = background.numeric[:, 0] = np.nan
    found = explain(subject, rows, background, networks, name=name)
    for player in (0, 2):
        check_dummy(found, player)


@complete
@seeds
@few
def test_groups_of_columns_are_complete_too(name, seed, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=seed % 1_000)
    rows, background = cases.mixed_table(1, seed=seed), cases.mixed_table(2, seed=seed + 1)
    found = explain(subject, rows, background, networks, name=name, groups={"who": ("age", "job")})
    assert found.values.shape == (1, 3, 2)
    check_additivity(subject, rows, found)


@seeds
@few
def test_step_contributions_sum_to_the_logit(seed, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=3, seed=seed % 1_000, n_steps=4)
    subject.network.set_output_scale(torch.tensor([3.0, 0.0, -1.0]), torch.tensor([2.0, 1.0, 0.5]))
    rows = cases.mixed_table(5, seed=seed)
    for chunk in forward_batches(subject.network, rows):
        total = chunk.step_contributions.sum(axis=0, dtype=np.float64) + subject.network.output_offset.numpy()
        np.testing.assert_allclose(total, chunk.logits, atol=ADDITIVITY)
        np.testing.assert_allclose(chunk.logits, subject.logits(rows), atol=1e-12)


# --- written networks ----------------------------------------------------------------------------------


@complete
@seeds
@few
def test_a_linear_network_gets_weight_times_distance_from_the_mean(name, seed, networks):
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(5, 2))
    subject = networks.written(lambda x: x @ torch.tensor(weights, dtype=x.dtype) + 3, 5, n_outputs=2)
    rows, background = plain(generator, 2, 5), plain(generator, 4, 5)
    found = explain(subject, rows, background, networks, name=name)
    check_linear(found, weights, rows, background)
    assert fails(check_linear, randomised(found), weights, rows, background)


@complete
@seeds
@few
def test_twins_get_the_same(name, seed, networks):
    """Two columns that the network reads alike and whose cells are alike."""
    generator = np.random.default_rng(seed)

    def twins(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x[:, :1] + x[:, 1:2]) * x[:, 2:3] + x[:, :1] * x[:, 1:2] * x[:, 3:4]

    subject = networks.written(twins, 4)
    cells = plain(generator, 5, 4).numeric
    cells[:, 1] = cells[:, 0]
    table = EncodedTable(cells, np.zeros((5, 0), dtype=np.int64))
    budget = 400 if name == "shap_permutation" else None  # states no error: only many orders make twins alike
    found = explain(subject, table.take([0]), table.take([1, 2, 3, 4]), networks, name=name, n_evaluations=budget)
    if name == "shap_permutation":
        np.testing.assert_allclose(found.values[0, 0], found.values[0, 1], atol=0.1 + 0.2 * np.abs(found.values).max())
    else:
        check_symmetry(found, 0, 1)
        assert fails(check_symmetry, randomised(found), 0, 1)


@pytest.mark.parametrize("name", ORDERS)
@seeds
@few
def test_one_order_there_and_back_is_exact_for_interactions_of_two(name, seed, cases, networks):
    generator = np.random.default_rng(seed)
    pairs = generator.normal(size=(4, 4))

    def quadratic(x: torch.Tensor) -> torch.Tensor:
        return ((x @ torch.tensor(pairs, dtype=x.dtype)) * x).sum(dim=1, keepdim=True)

    subject = networks.written(quadratic, 4)
    rows, background = plain(generator, 1, 4), plain(generator, 3, 4)
    found = explain(subject, rows, background, networks, name=name, n_evaluations=9, seed=seed % 100)
    assert found.n_permutations == 1
    exact = by_definition(subject, rows, background, cases)
    np.testing.assert_allclose(found.values[0], exact, atol=1e-4)


@pytest.fixture(scope="module")
def eight(cases, networks) -> tuple[Subject, EncodedTable, EncodedTable, np.ndarray]:
    """A network of eight columns with two outputs, one row with a missing cell, a background, and the truth."""
    generator = np.random.default_rng(1)
    subject = networks.random(networks.plain_layout(8), n_outputs=2, seed=4, n_steps=3)
    rows, background = plain(generator, 1, 8), plain(generator, 6, 8)
    rows.numeric[0, 3] = np.nan
    return subject, rows, background, by_definition(subject, rows, background, cases)


@pytest.mark.parametrize("name", SHAPLEY)
def test_eight_columns_agree_with_brute_force(name, eight, networks):
    subject, rows, background, exact = eight
    if name in EXACT:
        found = explain(subject, rows, background, networks, name=name)
        np.testing.assert_allclose(found.values[0], exact, atol=1e-6)
        return
    found = explain(subject, rows, background, networks, name=name, n_evaluations=60 * 17)
    assert np.abs(found.values[0] - exact).mean() < 0.1 * np.abs(exact).mean()
    if found.standard_error is not None:
        assert (np.abs(found.values[0] - exact) <= 5 * found.standard_error[0] + 1e-6).all()
    assert np.abs(randomised(found).values[0] - exact).mean() > 0.3 * np.abs(exact).mean()


def by_definition(subject: Subject, row: EncodedTable, background: EncodedTable, cases) -> np.ndarray:
    """Interventional Shapley values (F, K) over all coalitions, each evaluated on raw encoded tables."""
    model = cases.NumpyModel(subject.layout, subject.logits, outputs=subject.outputs)
    return cases.brute_force(model, row, background)


@seeds
@few
def test_gradients_are_no_shapley_values_but_agree_on_sums_and_products(seed, cases, networks):
    """Additive terms and pairwise products of columns are shared alike by both; that is where they must meet."""
    generator = np.random.default_rng(seed)
    subject = networks.written(lambda x: x[:, :1] * x[:, 1:2] + torch.sin(x[:, 2:3]) - x[:, 3:4], 4)
    rows, background = plain(generator, 1, 4), plain(generator, 3, 4)
    found = explain(subject, rows, background, networks, name="gradients")
    np.testing.assert_allclose(found.values[0], by_definition(subject, rows, background, cases), atol=1e-4)
