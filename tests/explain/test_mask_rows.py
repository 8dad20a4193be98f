"""Maps of masks: every row once, exact where a line is one row, in every order, and zoomed."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Kind, Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.mask_orders import ORDERS, order_rows, order_rows_by_column
from tabnet_engine.explain.mask_rows import mask_map
from tabnet_engine.explain.row_outcomes import row_outcomes
from tabnet_engine.explain.row_parts import RowParts
from tests.explain.conftest import make_masks

BY_ROWS = sorted(set(ORDERS) - {"column"})


def outcomes_of(masks, actual):
    frame = pd.DataFrame({"bought": pd.Series([None] * 10 + list(actual), dtype="str")})
    none = np.array([], dtype=np.int64)
    splits = Splits(train=masks.rows, validation=none, test=none)
    return row_outcomes(TargetCodec("bought", Task.BINARY, ("no", "yes")), splits, frame, masks.rows, masks.logits)


def in_order(masks, order, actual=None, **options):
    outcomes = outcomes_of(masks, actual or ["yes", "no"] * (masks.n_rows // 2) + ["no"] * (masks.n_rows % 2))
    return order_rows(masks, order, outcomes=outcomes, **options)


def test_outcome_puts_each_class_together_the_higher_score_first_and_missing_last(cases):
    masks = cases.masks(n_rows=6)
    ordered = in_order(masks, "outcome", ["yes", None, "no", "yes", "no", "no"])
    score = dict(zip(masks.rows.tolist(), masks.logits[:, 0].tolist(), strict=True))
    no, yes = sorted([12, 14, 15], key=lambda row: -score[row]), sorted([10, 13], key=lambda row: -score[row])
    drawn = mask_map(masks, ordered)
    assert masks.rows[ordered.positions].tolist() == drawn.line_rows.tolist() == [*no, *yes, 11]
    assert [(group.name, group.first, group.last) for group in drawn.groups] == [
        ("no", 0, 2),
        ("yes", 3, 4),
        ("missing", 5, 5),
    ]
    assert [group.made for group in drawn.groups] == [False, False, True]
    assert drawn.group_note == "The groups along the rows: 1 = no; 2 = yes; 3 = missing."
    assert "ordered by: actual outcome, then score" in drawn.note


def test_error_puts_the_largest_first_and_unknown_last(cases):
    masks = cases.masks(n_rows=5)
    outcomes = outcomes_of(masks, ["yes", "no", None, "yes", "no"])
    ordered = order_rows(masks, "error", outcomes=outcomes)
    rows = masks.rows[ordered.positions]
    assert rows[-1] == 12
    errors = dict(zip(outcomes.rows.tolist(), outcomes.error.tolist(), strict=True))
    listed = [errors[int(row)] for row in rows[:-1]]
    assert listed == sorted(listed, reverse=True)
    np.testing.assert_array_equal(mask_map(masks, ordered).keys[:-1], listed)
    assert np.isnan(mask_map(masks, ordered).keys[-1])


@pytest.mark.parametrize("order", BY_ROWS)
def test_a_line_of_one_row_holds_exactly_that_row(cases, order):
    masks = cases.masks(n_rows=7, n_features=4)
    drawn = mask_map(masks, in_order(masks, order))
    assert drawn.is_exact
    for line, row in enumerate(drawn.line_rows.tolist()):
        position = int(np.flatnonzero(masks.rows == row)[0])
        np.testing.assert_array_equal(drawn.masks[:, line], masks.masks[:, position])
        np.testing.assert_allclose(drawn.aggregate[line], masks.aggregate[position], atol=1e-6)
        np.testing.assert_allclose(drawn.score[line], masks.logits[position, 0], rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 1200), st.sampled_from(BY_ROWS), st.integers(1, 40), st.booleans())
def test_the_lines_share_out_all_rows_once_and_no_line_has_two_groups(n_rows, order, max_lines, zoomed):
    masks = make_masks(n_rows=n_rows)
    ordered = in_order(masks, order)
    stretch = (n_rows // 4, n_rows // 2) if zoomed else None
    drawn = mask_map(masks, ordered, max_lines=max_lines, stretch=stretch)
    begin, end = (n_rows // 4, n_rows // 2 + 1) if zoomed else (0, n_rows)
    assert drawn.n_lines <= max(max_lines, 1 + len(ordered.groups))
    assert (drawn.first[0], drawn.last[-1] + 1) == (begin, end)
    assert (drawn.first[1:] == drawn.last[:-1] + 1).all()
    assert drawn.counts.sum() == end - begin
    for border in (group.first for group in ordered.groups):
        assert not ((drawn.first < border) & (drawn.last >= border)).any()
    shown = ordered.positions[begin:end]
    weighed = (drawn.masks * drawn.counts[:, None]).sum(axis=1) / len(shown)
    np.testing.assert_allclose(weighed, masks.masks[:, shown].mean(axis=1), atol=1e-5)
    read = (drawn.aggregate * drawn.counts[:, None]).sum(axis=0) / len(shown)
    np.testing.assert_allclose(read, masks.aggregate[shown].mean(axis=0), atol=1e-5)
    assert sorted(ordered.positions.tolist()) == list(range(n_rows))


@given(n_features=st.integers(1, 9), max_features=st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_the_columns_read_least_are_left_out_and_counted(cases, n_features, max_features):
    masks = cases.masks(n_rows=20, n_features=n_features)
    drawn = mask_map(masks, order_rows(masks, "score"), max_features=max_features)
    shown = [masks.features.index(name) for name in drawn.features]
    assert shown == sorted(shown)
    assert len(shown) == min(n_features, max_features)
    read = masks.aggregate.sum(axis=0, dtype=float)
    np.testing.assert_allclose(drawn.share_left_out, 1 - read[shown].sum() / read.sum(), atol=1e-5)
    assert read[shown].min() >= np.delete(read, shown).max(initial=0) - 1e-6


def test_some_rows_in_order_are_those_rows_alone(cases):
    masks = cases.masks(n_rows=9)
    chosen = np.array([1, 4, 7])
    for order in BY_ROWS:
        ordered = in_order(masks, order, positions=chosen)
        assert sorted(ordered.positions.tolist()) == chosen.tolist()
        assert sorted(mask_map(masks, ordered).line_rows.tolist()) == masks.rows[chosen].tolist()


def test_orders_by_score_and_table(cases):
    masks = dataclasses.replace(cases.masks(n_rows=5), rows=np.array([4, 3, 9, 0, 1]))
    assert order_rows(masks, "row").positions.tolist() == [3, 4, 1, 0, 2]
    scores = masks.logits[order_rows(masks, "score").positions, 0]
    assert (np.diff(scores) <= 0).all()


def test_rows_that_read_the_same_column_stand_together(cases):
    masks = cases.masks(n_rows=60, n_features=4, seed=5)
    ordered = order_rows(masks, "reading")
    leading = masks.aggregate.argmax(axis=1)[ordered.positions]
    runs = leading[np.append(True, leading[1:] != leading[:-1])]
    assert len(runs) == len(set(runs.tolist()))
    counts = [int((leading == column).sum()) for column in runs]
    assert counts == sorted(counts, reverse=True)
    assert [group.name for group in ordered.groups] == [masks.features[column] for column in runs]


def test_a_path_keeps_archetypes_together_and_within_them_the_same_leading_columns(cases):
    masks = cases.masks(n_rows=80, n_features=3, n_steps=2, seed=3)
    codes = np.arange(80) % 2
    kinds = RowParts(title="archetype", names=("a", "b"), codes=codes)
    ordered = order_rows(masks, "path", archetypes=kinds)
    assert codes[ordered.positions].tolist() == [0] * 40 + [1] * 40
    assert [(group.name, group.first) for group in ordered.groups] == [("a", 0), ("b", 40)]
    leading = masks.masks.argmax(axis=2).T[ordered.positions[:40]]
    changes = (leading[1:] != leading[:-1]).any(axis=1).sum()
    assert changes == len(np.unique(leading, axis=0)) - 1


def test_a_column_orders_numbers_by_size_and_texts_by_spelling_with_missing_last(cases):
    masks = cases.masks(n_rows=5)
    ages = pd.Series([30.0, None, 7.0, 20.0, 7.0], name="age")
    ordered = order_rows_by_column(masks, ages, Kind.NUMBER)
    assert ages.iloc[ordered.positions].tolist()[:4] == [7, 7, 20, 30]
    first, second = ordered.positions[:2]
    assert masks.logits[first, 0] >= masks.logits[second, 0]
    assert [(group.name, group.first) for group in ordered.groups] == [("", 0), ("missing", 4)]
    assert ordered.keys[:4].tolist() == [7, 7, 20, 30]
    jobs = pd.Series(["nurse", "clerk", None, "missing", "clerk"], name="job")
    ordered = order_rows_by_column(masks, jobs, Kind.CATEGORY)
    named = [(group.name, group.first, group.made) for group in ordered.groups]
    assert named == [("clerk", 0, False), ("missing", 2, False), ("nurse", 3, False), ("missing", 4, True)]
    assert "ordered by the column job" in mask_map(masks, ordered).note
    days = pd.Series(pd.to_datetime(["2024-03-01", "2023-01-01", None, "2025-01-01", "2022-01-01"]), name="day")
    assert order_rows_by_column(masks, days, Kind.DATETIME).positions.tolist() == [4, 1, 0, 3, 2]


def test_many_values_end_in_one_group(cases):
    masks = cases.masks(n_rows=30)
    ordered = order_rows_by_column(masks, pd.Series([f"v{n:02d}" for n in range(30)], name="v"), Kind.CATEGORY)
    assert len(ordered.groups) == 12
    assert (ordered.groups[-1].name, ordered.groups[-1].first) == ("all others", 11)


def test_notes_and_labels_say_what_a_line_is(cases):
    masks = cases.masks(n_rows=5)
    single = mask_map(masks, order_rows(masks, "row"))
    assert single.labels == ("row 10", "row 11", "row 12", "row 13", "row 14")
    assert single.note == "5 rows; each line is one row. They are ordered by: as in the table."
    binned = mask_map(masks, order_rows(masks, "score"), max_lines=2, max_features=2)
    assert binned.labels == ("rows 1 to 2 in this order", "rows 3 to 5 in this order")
    assert binned.note.startswith("5 rows in 2 lines; each line is the mean of up to 3 rows. They are ordered by the ")
    assert "Not shown: the 1 column that was read least" in binned.note
    np.testing.assert_allclose(binned.score[0], np.sort(masks.logits[:, 0])[::-1][:2].mean(), rtol=1e-6)
    zoomed = mask_map(masks, order_rows(masks, "row"), stretch=(1, 2))
    assert "Shown are the rows 2 to 3 of 5 in this order." in zoomed.note
    assert zoomed.line_rows.tolist() == [11, 12]


def test_a_stretch_is_what_the_chosen_lines_hold(cases):
    masks = cases.masks(n_rows=9)
    drawn = mask_map(masks, order_rows(masks, "score"), max_lines=3, stretch=(3, 8))
    assert drawn.stretch_of([0]) == (3, 4)
    assert drawn.stretch_of([2, 0, 99, -1]) == (3, 8)
    assert drawn.stretch_of([99]) is None
    table = drawn.table()
    assert table["from place"].tolist() == [4, 6, 8]
    np.testing.assert_allclose(table.filter(like="step 1: ").sum(axis=1), 1, atol=1e-5)


def test_no_row_gives_an_empty_map(cases):
    nothing = order_rows(cases.masks(n_rows=3), "path", positions=np.zeros(0, dtype=np.int64))
    drawn = mask_map(cases.masks(n_rows=3), nothing)
    assert (drawn.n_lines, drawn.n_rows, drawn.masks.shape) == (0, 0, (2, 0, 3))
    assert drawn.stretch_of([0]) is None
    assert drawn.note


def test_silent_rows_alone_leave_out_nothing(cases):
    masks = cases.masks(n_rows=2, n_features=5)
    silent = dataclasses.replace(masks, step_sizes=np.zeros_like(masks.step_sizes))
    assert mask_map(silent, order_rows(silent, "score"), max_features=2).share_left_out == 0.0


def test_orders_by_outcome_need_the_outcomes_of_the_same_rows(cases):
    masks = cases.masks()
    with pytest.raises(ValueError, match="needs the outcomes"):
        order_rows(masks, "error")
    with pytest.raises(ValueError, match="exactly the explained rows"):
        order_rows(masks, "outcome", outcomes=outcomes_of(masks, ["yes"] * 6).take([0, 1]))
    with pytest.raises(ValueError, match="exactly the explained rows"):
        order_rows(masks, "path", archetypes=RowParts(title="t", names=("a",), codes=np.zeros(2, dtype=np.int64)))
    with pytest.raises(ValueError, match="cannot be those"):
        order_rows_by_column(masks, pd.Series([1.0]), Kind.NUMBER)
    with pytest.raises(ValueError, match="not an order"):
        order_rows(masks, "column")
