"""SHAP on raw columns: the axioms, the definition by brute force, budgets and their sentences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain import shapley
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample, draw_background
from tabnet_engine.explain.raw_columns import RawColumnCodes
from tabnet_engine.explain.shapley import default_evaluations, shap_values, warm_up
from tabnet_engine.explain.subject import ChosenRows, Steering


def sample(table: EncodedTable) -> BackgroundSample:
    return BackgroundSample(
        Background(description="all rows", rows=np.arange(len(table)), n_population=len(table)), table
    )


def chosen(table: EncodedTable, first: int = 0) -> ChosenRows:
    return ChosenRows(table, np.arange(first, first + len(table)), "all rows")


def cubic(table: EncodedTable) -> np.ndarray:
    """Two outputs with third-order interactions between all kinds of slots; missing counts as -1."""
    numbers = np.nan_to_num(table.numeric.astype(np.float64), nan=-1.0)
    job, sex = table.categorical.T.astype(np.float64)
    first = numbers[:, 0] * numbers[:, 1] * (job - 2) + numbers[:, 2] * sex + numbers[:, 3]
    return np.stack([first, np.tanh(numbers.sum(axis=1)) * sex * job], axis=1)


# --- the values ----------------------------------------------------------------------------------------


def test_many_orders_agree_with_brute_force_over_dates_categories_and_missing_cells(cases):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(12, seed=5), cases.mixed_table(3, seed=6)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    # Four players have 24 orders; hundreds of drawn ones average them almost exactly.
    result = shap_values(model, chosen(rows), sample(background), n_evaluations=400 * 9, seed=1)
    for index in range(3):
        exact = cases.brute_force(model, rows.take([index]), background)
        error = np.abs(result.values[index] - exact)
        assert (error <= 5 * result.standard_error[index] + 1e-9).all()
        assert error.max() < 0.1 * np.abs(exact).max()
    assert result.additivity_error <= 1e-5
    np.testing.assert_allclose(result.values.sum(axis=1) + result.base, result.logits, atol=1e-5)


def test_agrees_with_brute_force_for_eight_columns(cases):
    generator = np.random.default_rng(0)
    background, row = (
        cases.plain_table(generator.normal(size=(10, 8))),
        cases.plain_table(generator.normal(size=(1, 8))),
    )

    def smooth(table: EncodedTable) -> np.ndarray:
        x = table.numeric.astype(np.float64)
        return np.tanh(x[:, 0] * x[:, 1] + x[:, 2]) + x[:, 3] * x[:, 4] * x[:, 5] + np.maximum(x[:, 6], x[:, 7])

    model = cases.NumpyModel(cases.plain_layout(8), smooth)
    exact = cases.brute_force(model, row, background)
    result = shap_values(model, chosen(row), sample(background), n_evaluations=200 * 17)
    np.testing.assert_allclose(result.values[0], exact, atol=5 * result.standard_error.max() + 1e-9)
    assert np.abs(result.values[0] - exact).mean() < 0.05 * np.abs(exact).mean()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_linear_model_gets_weight_times_distance_from_the_mean(seed, cases):
    generator = np.random.default_rng(seed)
    background = generator.normal(size=(9, 5)).astype(np.float32)
    rows = generator.normal(size=(2, 5)).astype(np.float32)
    weights = generator.normal(size=(5, 2))
    model = cases.NumpyModel(
        cases.plain_layout(5), lambda table: table.numeric.astype(np.float64) @ weights, outputs=("a", "b")
    )
    result = shap_values(
        model, chosen(cases.plain_table(rows)), sample(cases.plain_table(background)), n_evaluations=11
    )
    distance = rows.astype(np.float64) - background.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(result.values, distance[:, :, None] * weights, atol=1e-9)
    assert result.standard_error is None  # a single order has no repetitions


def test_one_order_both_ways_is_exact_for_interactions_of_pairs(cases):
    generator = np.random.default_rng(3)
    background, row = cases.plain_table(generator.normal(size=(6, 4))), cases.plain_table(generator.normal(size=(1, 4)))
    model = cases.NumpyModel(
        cases.plain_layout(4),
        lambda t: t.numeric[:, 0] * t.numeric[:, 1] + t.numeric[:, 2] * t.numeric[:, 3] - t.numeric[:, 0],
    )
    result = shap_values(model, chosen(row), sample(background), n_evaluations=9)
    np.testing.assert_allclose(result.values[0], cases.brute_force(model, row, background), atol=1e-6)


def test_a_column_that_the_model_ignores_gets_exactly_zero_and_twins_get_the_same(cases):
    generator = np.random.default_rng(4)
    cells = generator.normal(size=(8, 4))
    cells[:, 1] = cells[:, 0]
    model = cases.NumpyModel(
        cases.plain_layout(4), lambda t: (t.numeric[:, 0] + t.numeric[:, 1]) ** 2 + t.numeric[:, 2]
    )
    result = shap_values(
        model, chosen(cases.plain_table(cells[:2])), sample(cases.plain_table(cells[2:])), n_evaluations=900
    )
    assert (result.values[:, 3] == 0).all()
    assert (result.standard_error[:, 3] == 0).all()
    np.testing.assert_allclose(result.values[:, 0], result.values[:, 1], atol=1e-6)


def test_columns_equal_to_the_background_get_zero_without_being_evaluated(cases, monkeypatch):
    asked: list[int] = []
    ask = shapley._AnswerSheet.ask
    monkeypatch.setattr(
        shapley._AnswerSheet, "ask", lambda sheet, mixed: (asked.append(len(mixed)), ask(sheet, mixed))[1]
    )
    background = np.array([[0.0, 1.0, 5.0], [1.0, 2.0, 5.0]])
    model = cases.NumpyModel(cases.plain_layout(3), lambda t: t.numeric.prod(axis=1))
    result = shap_values(
        model, chosen(cases.plain_table([[3.0, 4.0, 5.0]])), sample(cases.plain_table(background)), n_evaluations=7
    )
    assert result.values[0, 2, 0] == 0
    # Explained row, background, then what one order of two columns mixes from two rows: known none (2), one (2), both.
    assert model.calls == [1, 2, 2 + 2 + 1 + 2]
    assert asked == [5 * 2]  # one order, there and back: five coalitions of two background rows, no more


def test_a_row_equal_to_its_whole_background_gets_zeros(cases):
    cells = cases.plain_table(np.ones((3, 2)))
    result = shap_values(
        cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1)), chosen(cells.take([0])), sample(cells)
    )
    np.testing.assert_array_equal(result.values, np.zeros((1, 2, 1)))


def test_the_whole_background_counts_not_only_a_hundred_rows(cases):
    background = np.zeros((150, 1))
    background[100:] = 9.0
    model = cases.NumpyModel(cases.plain_layout(1), lambda t: t.numeric[:, 0])
    result = shap_values(model, chosen(cases.plain_table([[0.0]])), sample(cases.plain_table(background)))
    np.testing.assert_allclose(result.base, [3.0])
    np.testing.assert_allclose(result.values[0, 0], [-3.0], atol=1e-9)


def test_orders_that_go_through_the_network_together_change_nothing(cases, monkeypatch):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(6, seed=7), cases.mixed_table(2, seed=8)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    together = shap_values(model, chosen(rows), sample(background))
    assert len(model.calls) == 2 + 2
    monkeypatch.setattr(shapley, "CELLS_AT_ONCE", 1)
    one_by_one = shap_values(model, chosen(rows), sample(background))
    assert len(model.calls) == 4 + 2 + 2 * 10
    np.testing.assert_array_equal(together.values, one_by_one.values)


def test_a_foreign_draw_from_the_global_generator_costs_time_but_not_correctness(cases):
    background, row = cases.mixed_table(6, seed=7), cases.mixed_table(1, seed=8)
    layout = cases.mixed_layout()

    codes = RawColumnCodes.build(layout, background, row)
    sheet = shapley._AnswerSheet(cases.NumpyModel(layout, cubic, outputs=("first", "second")), codes)
    sheet.ask(codes.background)
    sheet.fill()
    expected = cubic(codes.decode(codes.explained))
    np.testing.assert_array_equal(sheet.answer(codes.explained), expected)


# --- provenance and repeatability ----------------------------------------------------------------------


def test_a_row_gets_the_same_values_alone_or_among_others(cases):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(6, seed=7), cases.mixed_table(4, seed=8)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    together = shap_values(model, chosen(rows, first=20), sample(background), seed=5)
    alone = shap_values(model, ChosenRows(rows.take([2]), np.array([22])), sample(background), seed=5)
    np.testing.assert_array_equal(together.values[2], alone.values[0])
    other = shap_values(model, ChosenRows(rows.take([2]), np.array([22])), sample(background), seed=6)
    assert not np.array_equal(other.values, alone.values)


def test_chunks_of_rows_change_nothing(cases, monkeypatch):
    layout, background, rows = cases.mixed_layout(), cases.mixed_table(6, seed=7), cases.mixed_table(5, seed=8)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    whole = shap_values(model, chosen(rows), sample(background))
    monkeypatch.setattr(shapley, "CHUNK_ROWS", 2)
    np.testing.assert_array_equal(shap_values(model, chosen(rows), sample(background)).values, whole.values)


def test_the_standard_error_shrinks_with_the_budget_and_covers_the_error(cases):
    layout, background, row = cases.mixed_layout(), cases.mixed_table(10, seed=9), cases.mixed_table(1, seed=10)
    model = cases.NumpyModel(layout, cubic, outputs=("first", "second"))
    exact = cases.brute_force(model, row, background)
    small = [shap_values(model, chosen(row), sample(background), n_evaluations=90, seed=seed) for seed in range(30)]
    errors = np.stack([result.values[0] - exact for result in small])
    stated = np.sqrt(np.mean([result.standard_error[0] ** 2 for result in small], axis=0))
    varying = stated > 1e-9
    ratio = np.sqrt((errors**2).mean(axis=0))[varying] / stated[varying]
    assert (ratio > 0.5).all()
    assert (ratio < 1.7).all()
    large = shap_values(model, chosen(row), sample(background), n_evaluations=90 * 16)
    assert large.standard_error.max() < 0.5 * stated.max()


def test_provenance_states_what_was_done(cases):
    table = cases.mixed_table(30, seed=1)
    background = draw_background(table, np.arange(20), np.arange(20) % 2, task=Task.BINARY, n_rows=7, seed=0)
    model = cases.NumpyModel(cases.mixed_layout(), cubic, outputs=("first", "second"))
    result = shap_values(model, ChosenRows.from_table(table, np.array([25, 29]), "two rows"), background, seed=3)
    assert (result.method, result.run_id, result.selection, result.seed) == ("shap", "run-1", "two rows", 3)
    assert result.rows.tolist() == [25, 29]
    assert result.n_permutations == 10
    assert result.n_evaluations == default_evaluations(4) == 90
    assert result.background.n_rows == 7
    assert set(result.background.rows.tolist()) <= set(range(20))
    assert "2 rows (two rows)" in result.provenance
    assert "7 of 20 training rows" in result.provenance


def test_numpys_global_randomness_is_left_as_it_was(cases):
    generator = np.random.mtrand._rand  # the one that np.random.seed and np.random.shuffle act on
    generator.seed(11)
    expected = generator.random_sample(3)
    generator.seed(11)
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    shap_values(model, chosen(cases.plain_table([[1.0, 2.0]])), sample(cases.plain_table([[0.0, 0.0]])))
    np.testing.assert_array_equal(generator.random_sample(3), expected)


def test_warming_up_leaves_numba_as_it_was(monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    assert warm_up().__name__ == "shap"
    assert numba.config.DISABLE_JIT == 0


# --- steering and limits -------------------------------------------------------------------------------


def test_progress_counts_rows_and_cancelling_stops(cases):
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: t.numeric.sum(axis=1))
    rows, background = chosen(cases.plain_table(np.ones((4, 2)))), sample(cases.plain_table(np.zeros((2, 2))))
    seen: list[tuple[int, int]] = []
    shap_values(model, rows, background, steering=Steering(lambda done, total: seen.append((done, total))))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    seen.clear()
    with pytest.raises(JobCancelledError, match="2 of 4"):
        shap_values(
            model,
            rows,
            background,
            steering=Steering(lambda done, total: seen.append((done, total)), lambda: len(seen) == 2),
        )
    assert seen == [(0, 4), (1, 4)]


@pytest.mark.parametrize(
    ("n_features", "n_rows", "n_background", "n_evaluations", "sentence"),
    [
        (14, 1, 50, 28, "28 evaluations are too few for 14 columns: at least 29"),
        (14, 1, 50, 0, "at least 29"),
        (5_000, 1, 50, None, "at most 500 columns and this run reads 5,000"),
        (14, 0, 50, None, "no row to explain"),
        (14, 1, 10_000, 29_000, "lower n_evaluations or n_background"),
        (14, 1_000_000, 50, None, "lower n_shap_rows"),
        (500, 1, 250, 1_001, "lower n_background to 79 or less"),
    ],
)
def test_requests_that_cannot_be_met_say_what_to_change(
    cases, n_features, n_rows, n_background, n_evaluations, sentence
):
    model = cases.NumpyModel(cases.plain_layout(n_features), lambda t: pytest.fail("evaluated"))
    rows = chosen(cases.plain_table(np.zeros((n_rows, n_features), dtype=np.float32)[:, :n_features]))
    background = sample(cases.plain_table(np.zeros((n_background, n_features))))
    with pytest.raises(ExplanationError, match=sentence):
        shap_values(model, rows, background, n_evaluations=n_evaluations)


def test_the_most_background_that_the_sentence_allows_is_allowed():
    assert shapley.check_budget(500, 1, 79, 1_001) == 1


def test_a_model_that_contradicts_itself_is_never_shown(cases):
    noise = np.random.default_rng(0)
    model = cases.NumpyModel(cases.plain_layout(2), lambda t: noise.normal(size=len(t)))
    with pytest.raises(ExplanationError, match="failed their own check"):
        shap_values(model, chosen(cases.plain_table([[1.0, 2.0]])), sample(cases.plain_table([[0.0, 0.0]])))
