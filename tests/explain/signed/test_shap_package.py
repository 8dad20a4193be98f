"""The shap package's explainers: agreeing with the definition on raw columns, budgets, numpy's global generator."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.shap_package import KERNEL_SAMPLES, package_shapley, warm_up
from tabnet_engine.explain.subject import Steering

EXPLAINERS = ("shap_permutation", "shap_kernel", "shap_exact")
every = pytest.mark.parametrize("explainer", EXPLAINERS)


def cubic(table) -> np.ndarray:
    numbers = np.nan_to_num(table.numeric.astype(np.float64), nan=-1.0)
    job, sex = table.categorical.T.astype(np.float64)
    first = numbers[:, 0] * numbers[:, 1] * (job - 2) + numbers[:, 2] * sex + numbers[:, 3]
    return np.stack([first, np.tanh(numbers.sum(axis=1)) * sex * job], axis=1)


@every
def test_agrees_with_brute_force_over_dates_categories_and_missing_cells(explainer, cases, networks):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(12, seed=5), cases.mixed_table(2, seed=6)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    budget = 300 * 9 if explainer == "shap_permutation" else None
    result = package_shapley(
        model, networks.chosen(rows), networks.sample(background), explainer=explainer, n_evaluations=budget
    )
    tolerance = 0.05 if explainer == "shap_permutation" else 1e-8
    for index in range(2):
        exact = cases.brute_force(model, rows.take([index]), background)
        np.testing.assert_allclose(result.values[index], exact, atol=tolerance * np.abs(exact).max())
    assert result.additivity_error <= 1e-5
    assert result.method == explainer
    assert "of the shap package" in result.algorithm


@every
def test_a_kernel_of_more_than_ten_columns_drops_none_and_all_background_rows_count(explainer, cases, networks):
    """KernelExplainer's own default keeps ten columns, and a masker's own default a hundred background rows."""
    n_features = 11
    background = np.zeros((150, n_features))
    background[100:] = 9.0
    weights = np.arange(1.0, n_features + 1)
    model = cases.NumpyModel(cases.plain_layout(n_features), lambda t: t.numeric.astype(np.float64) @ weights)
    row = cases.plain_table(np.ones((1, n_features)))
    result = package_shapley(
        model, networks.chosen(row), networks.sample(cases.plain_table(background)), explainer=explainer
    )
    np.testing.assert_allclose(result.values[0, :, 0], weights * (1 - 3.0), atol=1e-6)


@every
@pytest.mark.parametrize("n_varying", [0, 1, 2])
def test_few_columns_that_differ(explainer, n_varying, cases, networks):
    model = cases.NumpyModel(
        cases.plain_layout(3), lambda t: np.stack([t.numeric.sum(axis=1), t.numeric[:, 0] * 2], axis=1), ("a", "b")
    )
    row = np.zeros((1, 3))
    row[0, :n_varying] = 2.0
    result = package_shapley(
        model,
        networks.chosen(cases.plain_table(row)),
        networks.sample(cases.plain_table(np.zeros((2, 3)))),
        explainer=explainer,
    )
    np.testing.assert_allclose(result.values[0, :, 0], row[0], atol=1e-9)
    assert (result.values[0, n_varying:] == 0).all()
    assert result.values.shape == (1, 3, 2)


@every
def test_groups_play_as_one_and_a_network_is_explained(explainer, cases, networks):
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=1)
    rows, background = networks.chosen(cases.mixed_table(1, seed=2)), networks.sample(cases.mixed_table(4, seed=3))
    players = Players.grouped(subject.features, {"person": ("age", "sex")})
    result = package_shapley(subject, rows, background, explainer=explainer, players=players, n_evaluations=700)
    assert result.features == ("person", "joined", "job")
    assert result.additivity_error <= 1e-5
    exact = package_shapley(subject, rows, background, explainer="shap_exact", players=players)
    np.testing.assert_allclose(result.values, exact.values, atol=0.05 * np.abs(exact.values).max())


@every
def test_a_row_depends_on_the_seed_and_its_number_alone(explainer, cases, networks):
    model = cases.NumpyModel(cases.mixed_layout(), cubic, outputs=("first", "second"))
    rows, background = cases.mixed_table(3, seed=8), networks.sample(cases.mixed_table(6, seed=7))
    args = {"explainer": explainer, "n_evaluations": 18 if explainer != "shap_exact" else None, "seed": 5}
    together = package_shapley(model, networks.chosen(rows, first=20), background, **args)
    alone = package_shapley(model, networks.chosen(rows.take([2]), first=22), background, **args)
    np.testing.assert_array_equal(together.values[2], alone.values[0])


@every
def test_numpys_global_randomness_is_left_as_it_was(explainer, cases, networks):
    generator = np.random.mtrand._rand  # the one that np.random.seed and np.random.shuffle act on
    generator.seed(11)
    expected = generator.random_sample(3)
    generator.seed(11)
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    rows, background = cases.plain_table([[1.0, 2.0]]), cases.plain_table([[0.0, 0.0]])
    package_shapley(model, networks.chosen(rows), networks.sample(background), explainer=explainer)
    np.testing.assert_array_equal(generator.random_sample(3), expected)


def test_warming_up_leaves_numba_as_it_was(monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    assert warm_up().__name__ == "shap"
    assert numba.config.DISABLE_JIT == 0


@pytest.mark.parametrize(
    ("explainer", "n_evaluations", "sentence"),
    [
        ("shap_permutation", 28, "28 evaluations are too few for 14 columns: at least 29"),
        ("shap_kernel", 28, "28 evaluations are too few for 14 columns: at least 29"),
        ("shap_exact", 16_383, "16,383 evaluations are too few for exact values of 14 columns: 16,384"),
        ("shap_permutation", 0, "at least 29"),
        ("shap_kernel", 0, "at least 29"),
    ],
)
def test_too_few_evaluations_say_what_to_change(explainer, n_evaluations, sentence, cases, networks):
    model = cases.NumpyModel(cases.plain_layout(14), lambda t: pytest.fail("evaluated"))
    rows, background = cases.plain_table(np.ones((1, 14))), cases.plain_table(np.zeros((3, 14)))
    with pytest.raises(ExplanationError, match=sentence):
        package_shapley(
            model,
            networks.chosen(rows),
            networks.sample(background),
            explainer=explainer,
            n_evaluations=n_evaluations,
        )


def test_exact_beyond_its_bound_is_refused(cases, networks):
    model = cases.NumpyModel(cases.plain_layout(40), lambda t: pytest.fail("evaluated"))
    rows, background = cases.plain_table(np.ones((1, 40))), cases.plain_table(np.zeros((3, 40)))
    with pytest.raises(ExplanationError, match="at most 16 columns"):
        package_shapley(model, networks.chosen(rows), networks.sample(background), explainer="shap_exact")


def test_what_was_asked_is_counted_as_it_is_asked(cases, networks):
    asked: list[int] = []
    model = cases.NumpyModel(cases.plain_layout(14), lambda t: (asked.append(len(t)), t.numeric.sum(axis=1) ** 2)[1])
    rows, background = cases.plain_table(np.ones((1, 14))), cases.plain_table(np.zeros((1, 14)))
    kernel = package_shapley(model, networks.chosen(rows), networks.sample(background), explainer="shap_kernel")
    assert kernel.n_evaluations == 2 * 14 + KERNEL_SAMPLES + 2
    assert "a sample of the combinations" in kernel.algorithm
    assert kernel.additivity_error <= 1e-5
    few = package_shapley(
        model, networks.chosen(rows), networks.sample(background), explainer="shap_kernel", n_evaluations=100
    )
    assert few.n_evaluations == 100
    orders = package_shapley(
        model, networks.chosen(rows), networks.sample(background), explainer="shap_permutation", n_evaluations=100
    )
    assert (orders.n_permutations, orders.n_evaluations) == (3, 3 * 29)


@every
def test_cancelling_stops_between_rows(explainer, cases, networks):
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    rows, background = cases.plain_table(np.ones((3, 2))), cases.plain_table(np.zeros((2, 2)))
    seen: list[int] = []
    with pytest.raises(JobCancelledError, match="2 of 3"):
        package_shapley(
            model,
            networks.chosen(rows),
            networks.sample(background),
            explainer=explainer,
            steering=Steering(lambda done, _: seen.append(done), lambda: len(seen) == 2),
        )
