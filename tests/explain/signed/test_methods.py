"""The list of signed methods: what is said of each, what is refused, and one call for all of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.signed import methods
from tabnet_engine.explain.signed.methods import (
    METHODS,
    REFUSED,
    SIGNED_METHODS,
    SignedMethod,
    exact_is_cheap,
    explain_rows,
)

every = pytest.mark.parametrize("name", SIGNED_METHODS)


@pytest.fixture(scope="module")
def results(cases, networks) -> dict[str, Attribution]:
    """Every method on one network with two outputs, over dates, categories, missing and unseen cells."""
    subject = networks.random(cases.mixed_layout(), n_outputs=2, seed=1)
    rows, background = networks.chosen(cases.mixed_table(3, seed=2), first=7), networks.sample(cases.mixed_table(5))
    return {
        name: explain_rows(
            subject, rows, background, SignedMethod(name=name, seed=4, groups={"person": ("age", "sex")})
        )
        for name in SIGNED_METHODS
    }


@every
def test_the_result_says_what_the_list_says(name, results):
    result, facts = results[name], METHODS[name]
    assert result.method == name
    assert result.is_complete == facts.is_complete
    assert result.algorithm
    assert result.provenance.count(result.algorithm) == 1
    assert (result.standard_error is not None) <= facts.has_standard_error
    assert result.features == ("person", "joined", "job")
    assert result.groups == {"person": ("age", "sex")}
    assert result.outputs == ("o0", "o1")
    assert result.rows.tolist() == [7, 8, 9]
    assert (result.run_id, result.selection, result.seed) == ("run-1", "all rows", 4)
    assert result.n_evaluations > 0
    assert result.background.n_rows == 5
    if facts.is_complete:
        assert result.additivity_error <= 1e-5
        np.testing.assert_allclose(result.residual, 0, atol=1e-5)


@every
def test_all_explain_the_same_logits_from_the_same_base(name, results):
    np.testing.assert_allclose(results[name].logits, results["exact"].logits, atol=1e-9)
    if name != "integrated_gradients":  # starts at the mean embedding, and says so
        np.testing.assert_allclose(results[name].base, results["exact"].base, atol=1e-9)


@pytest.mark.parametrize("name", ["shap", "sampling", "shap_permutation", "shap_kernel", "shap_exact"])
def test_all_shapley_values_agree(name, results):
    """Three players: ten orders are near, everything else is exact."""
    exact = results["exact"].values
    tolerance = 0.25 if name in {"sampling", "shap_permutation"} else 1e-9
    np.testing.assert_allclose(results[name].values, exact, atol=tolerance * np.abs(exact).max())


@every
def test_what_is_said_is_plain_and_short(name):
    facts = METHODS[name]
    assert METHOD_NAMES[name] == facts.name
    for text in (facts.what, facts.what_not):
        assert text.endswith(".")
        assert text[0].isupper()
        assert len(text) < 320
    assert len(facts.name) <= 24


def test_importances_know_the_names_of_all_methods():
    assert set(METHOD_NAMES) == {"masks", "permutation", *SIGNED_METHODS}
    assert len(set(METHOD_NAMES.values())) == len(METHOD_NAMES)
    assert set(methods._COMPUTE) == set(METHODS)


@pytest.mark.parametrize(
    ("n_players", "n_evaluations", "expected"),
    [(8, None, True), (9, None, False), (11, 2_048, True), (11, 2_047, False), (5, 31, False), (200, None, False)],
)
def test_shap_is_exact_where_all_coalitions_are_within_the_budget(n_players, n_evaluations, expected):
    assert exact_is_cheap(n_players, n_evaluations) is expected


def test_shap_says_whether_it_was_exact_or_sampled(cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=1)
    rows, background = networks.chosen(cases.mixed_table(2, seed=2)), networks.sample(cases.mixed_table(3))
    exact = explain_rows(subject, rows, background, SignedMethod())
    assert "exact" in exact.algorithm
    assert exact.standard_error is None
    exact_too = explain_rows(subject, rows, background, SignedMethod(n_evaluations=16))
    np.testing.assert_array_equal(exact_too.values, exact.values)
    few = explain_rows(subject, rows, background, SignedMethod(n_evaluations=15))
    assert "sampled" in few.algorithm
    assert few.method == exact.method == "shap"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_explain_this_network_is_refused_with_the_reason(name):
    with pytest.raises(ConfigError, match=r"cannot explain this network.*use gradients"):
        SignedMethod(name=name)


def test_unknown_methods_and_columns_are_named(cases, networks):
    with pytest.raises(ConfigError, match=r"a signed method is one of shap, exact, .*got 'lime'"):
        SignedMethod(name="lime")
    subject = networks.random(cases.mixed_layout(), seed=1)
    rows, background = networks.chosen(cases.mixed_table(2, seed=2)), networks.sample(cases.mixed_table(3))
    with pytest.raises(ExplanationError, match="'salary', which is no column"):
        explain_rows(subject, rows, background, SignedMethod(groups={"money": ("salary",)}))


@every
def test_too_small_a_budget_is_refused_and_never_raised_silently(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=1)
    rows, background = networks.chosen(cases.mixed_table(2, seed=2)), networks.sample(cases.mixed_table(3))
    with pytest.raises(ExplanationError, match="too few"):
        explain_rows(subject, rows, background, SignedMethod(name=name, n_evaluations=4))


@every
def test_no_row_is_refused(name, cases, networks):
    subject = networks.random(cases.mixed_layout(), seed=1)
    with pytest.raises(ExplanationError, match="no row to explain"):
        explain_rows(
            subject,
            networks.chosen(cases.mixed_table(0)),
            networks.sample(cases.mixed_table(3)),
            SignedMethod(name=name),
        )


@every
def test_one_column_one_row_one_background_row(name, cases, networks):
    subject = networks.random(networks.plain_layout(1), seed=1)
    rows, background = cases.plain_table([[1.0]]), cases.plain_table([[-1.0]])
    result = explain_rows(subject, networks.chosen(rows), networks.sample(background), SignedMethod(name=name))
    expected = subject.logits(rows)[0] - subject.logits(background)[0]
    np.testing.assert_allclose(result.values[0, 0], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["shap", "sampling", "gradients", "integrated_gradients", "ablation"])
def test_five_hundred_columns(name, cases, networks):
    subject = networks.random(networks.plain_layout(500), seed=1, n_steps=1, n_d=2, n_a=2)
    rows, background = cases.plain_table(np.ones((1, 500))), cases.plain_table(np.zeros((2, 500)))
    budget = 1_001 if name in {"shap", "sampling", "ablation"} else None
    result = explain_rows(
        subject, networks.chosen(rows), networks.sample(background), SignedMethod(name=name, n_evaluations=budget)
    )
    assert result.values.shape == (1, 500, 1)
    assert result.additivity_error <= 1e-5 or not result.is_complete


def test_the_list_loads_neither_torch_nor_shap():
    script = (
        "import sys, tabnet_engine.explain.signed.methods;"
        "print(*[name for name in ('torch', 'shap', 'scipy', 'sklearn', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
