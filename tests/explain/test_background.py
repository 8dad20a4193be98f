"""Stratified draws: shares kept, ranges covered, seeds obeyed, descriptions true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import (
    BackgroundSample,
    choose_rows,
    draw_background,
    strata,
    stratified_positions,
    substitute_background,
)
from tabnet_engine.explain.subject import ChosenRows


@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=6), n_rows=st.integers(1, 80), seed=st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_classes_keep_their_shares_to_within_one_row(counts, n_rows, seed):
    y = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    drawn = stratified_positions(y, n_rows, task=Task.MULTICLASS, seed=seed)
    assert len(drawn) == min(n_rows, len(y))
    assert (np.diff(drawn) > 0).all()
    taken = np.bincount(y[drawn], minlength=len(counts))
    assert (np.abs(taken - np.array(counts) * len(drawn) / len(y)) < 1).all()


@given(n=st.integers(1, 200), n_rows=st.integers(1, 50), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_regression_draws_once_from_each_range(n, n_rows, seed):
    y = np.random.default_rng(2).permutation(n).astype(float)
    drawn = stratified_positions(y, n_rows, task=Task.REGRESSION, seed=seed)
    assert len(drawn) == min(n_rows, n)
    assert (np.diff(drawn) > 0).all()
    ranges = np.searchsorted(np.cumsum([len(p) for p in np.array_split(np.arange(n), len(drawn))]), y[drawn], "right")
    assert sorted(ranges.tolist()) == list(range(len(drawn)))


def test_the_same_seed_draws_the_same_rows():
    y = np.arange(100) % 3
    draws = [stratified_positions(y, 10, task=Task.MULTICLASS, seed=seed).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_a_background_says_what_it_is(cases):
    table = cases.mixed_table(40)
    rows = np.arange(5, 35)
    part = draw_background(table, rows, rows % 2, task=Task.BINARY, n_rows=6, seed=0)
    assert part.background.description == "6 of 30 training rows, drawn in the shares of the classes"
    assert part.background.n_population == 30
    assert set(part.background.rows.tolist()) <= set(rows.tolist())
    np.testing.assert_array_equal(part.encoded.categorical, table.categorical[part.background.rows])
    whole = draw_background(table, rows, rows * 1.0, task=Task.REGRESSION, n_rows=500, seed=0)
    assert whole.background.description == "all 30 training rows"
    ranges = draw_background(table, rows, rows * 1.0, task=Task.REGRESSION, n_rows=2, seed=0)
    assert ranges.background.description == "2 of 30 training rows, drawn over the range of the target"


BOUGHT = TargetCodec("bought", Task.BINARY, ("no", "yes"))
PRICE = TargetCodec("price", Task.REGRESSION, mean=1.0, scale=2.0)
KIND = TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("codecs", "place", "task"),
    [
        ((PRICE, KIND, BOUGHT), 1, Task.MULTICLASS),
        ((BOUGHT, PRICE), 0, Task.BINARY),
        ((PRICE, TargetCodec("size", Task.REGRESSION)), 0, Task.REGRESSION),
    ],
)
def test_of_several_targets_the_first_with_classes_decides_the_draw(codecs, place, task):
    targets = TargetCodecs(codecs)
    y = np.arange(4 * len(codecs), dtype=np.float64).reshape(4, -1)
    values, found, name = strata(targets, y)
    assert (found, name) == (task, codecs[place].name)
    np.testing.assert_array_equal(values, y[:, place])


def test_a_single_target_decides_without_being_named():
    y = np.array([0, 1, 1])
    assert strata(TargetCodecs((BOUGHT,)), y) == (pytest.approx(y), Task.BINARY, "")


def test_a_draw_over_one_of_several_targets_names_it(cases):
    table, rows = cases.mixed_table(40), np.arange(30)
    classes = draw_background(table, rows, rows % 2, task=Task.BINARY, n_rows=6, seed=0, target="bought")
    assert classes.background.description == "6 of 30 training rows, drawn in the shares of the classes of 'bought'"
    numbers = choose_rows(
        table, rows, rows * 1.0, task=Task.REGRESSION, n_rows=6, seed=0, name="test rows", target="price"
    )
    assert numbers.selection == "6 of 30 test rows, drawn over the range of 'price'"


def test_a_background_from_the_explained_table_says_that_it_is_a_substitute(cases):
    table = cases.mixed_table(40)
    few = substitute_background(table, n_rows=5, seed=0)
    assert few.background.description.startswith("5 of 40 rows, drawn at random, of the explained table")
    assert few.background.n_rows == len(set(few.background.rows.tolist())) == 5
    np.testing.assert_array_equal(few.encoded.categorical, table.categorical[few.background.rows])
    assert substitute_background(table, n_rows=50, seed=0).background.description.startswith("all 40 rows of the")


def test_impossible_backgrounds_are_refused(cases):
    table = cases.mixed_table(4)
    with pytest.raises(ExplanationError, match="at least one row, got 0"):
        draw_background(table, np.arange(4), np.zeros(4), task=Task.BINARY, n_rows=0, seed=0)
    with pytest.raises(ExplanationError, match="no training row"):
        draw_background(table, np.zeros(0, dtype=int), np.zeros(0), task=Task.BINARY, n_rows=3, seed=0)
    with pytest.raises(ValueError, match="4 encoded rows for a background of 1"):
        BackgroundSample(Background(description="", rows=np.array([0]), n_population=1), table)


def test_chosen_rows_carry_their_numbers_and_their_selection(cases):
    table = cases.mixed_table(40)
    rows = choose_rows(
        table, np.arange(30, 40), np.arange(10) % 2, task=Task.BINARY, n_rows=4, seed=0, name="test rows"
    )
    assert rows.selection == "4 of 10 test rows, drawn in the shares of the classes"
    assert len(rows) == 4
    assert (rows.rows >= 30).all()
    np.testing.assert_array_equal(rows.table.numeric, table.numeric[rows.rows])
    with pytest.raises(ValueError, match="40 encoded rows cannot carry 3"):
        ChosenRows(table, np.arange(3))
