"""Rows as text, conditions put together by controls, outcomes without masks, the row's own cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.explain.filter_building import (
    column_values,
    comparison,
    example_condition,
    joined_conditions,
    one_of,
    rounded_range,
    within,
)
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.row_cells import cell_table
from tabnet_engine.explain.row_filter import parse_filter
from tabnet_engine.explain.row_numbers import rows_as_text, rows_from_text
from tabnet_engine.explain.row_outcomes import row_outcomes, rows_with_text
from tabnet_engine.explain.store import save_masks
from tabnet_engine.explain.stored_outcomes import outcomes_in_order, stored_outcomes
from tabnet_engine.explain.subject import ChosenRows, Subject

FRAME = pd.DataFrame(
    {
        "age": [20.0, np.nan, 35.5, 41.0],
        "the job": ["cook, head", 'a "b"', None, "clerk"],
        "day": pd.to_datetime(["2024-01-01", None, "2024-03-02 12:00", "2024-02-01"], format="ISO8601"),
    }
)
SCHEMA = FeatureSchema(
    columns=(
        Column(name="age", kind=Kind.NUMBER),
        Column(name="the job", kind=Kind.CATEGORY),
        Column(name="day", kind=Kind.DATETIME),
    )
)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5, unique=True),
    st.sampled_from([1e-6, 1.0, 1e6]),
    st.booleans(),
)
def test_a_rounded_range_holds_every_value_and_little_more(values: list[float], scale: float, has_gap: bool) -> None:
    known = np.array(values) * scale
    found = rounded_range(np.append(known, np.nan) if has_gap else known)
    assert found is not None
    assert found[0] <= known.min() < known.max() <= found[1]
    assert found[1] - found[0] <= 1.03 * (known.max() - known.min())


def test_one_value_has_no_range() -> None:
    assert rounded_range(np.array([3.0, 3.0, np.nan])) is None
    assert rounded_range(np.array([np.nan])) is None


@given(st.lists(st.integers(0, 400), unique=True, max_size=60))
def test_rows_survive_the_way_through_an_address(rows):
    text = rows_as_text(rows)
    assert text is not None
    assert rows_from_text(text, 401).tolist() == rows


def test_too_many_rows_have_no_text_and_a_foreign_text_names_no_wrong_row():
    assert rows_as_text(np.arange(0, 4000, 2)) is None
    assert rows_as_text(np.arange(1_000_000)) == "0-999999"
    assert rows_from_text("5-2,-3,7-99999999999,x,<b>,7", 9).tolist() == [7, 8]
    assert rows_from_text("", 9).tolist() == []


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ([comparison(SCHEMA.column("age"), ">=", 35.5)], [2, 3]),
        (within(SCHEMA.column("age"), 20, 40), [0, 2]),
        ([one_of(SCHEMA.column("the job"), ("cook, head", 'a "b"'))], [0, 1]),
        ([one_of(SCHEMA.column("the job"), ('a "b"',), negated=True)], [0, 3]),
        (within(SCHEMA.column("day"), pd.Timestamp("2024-01-02").date(), pd.Timestamp("2024-03-02").date()), [2, 3]),
    ],
)
def test_a_condition_made_by_controls_reads_back_as_it_was_meant(conditions, rows):
    text = joined_conditions("", *conditions)
    assert parse_filter(text, SCHEMA).mask(FRAME).nonzero()[0].tolist() == rows
    more = joined_conditions(text, comparison(SCHEMA.column("age"), "<", 30))
    assert len(parse_filter(more, SCHEMA).conditions) == len(conditions) + 1


def test_values_of_a_column_are_its_range_or_its_counts():
    age = column_values(FRAME, SCHEMA.column("age"))
    assert (age.low, age.high, age.n_missing) == (20.0, 41.0, 1)
    day = column_values(FRAME, SCHEMA.column("day"))
    assert (day.low, day.high) == ("2024-01-01", "2024-03-02")
    job = column_values(pd.concat([FRAME, FRAME.iloc[[3]]]), SCHEMA.column("the job"), limit=2)
    assert job.counts[0] == ("clerk", 2)
    assert (len(job.counts), job.n_distinct) == (2, 3)
    assert column_values(FRAME.assign(age=np.nan), SCHEMA.column("age")).low is None


def test_the_example_is_met_by_a_row():
    example = example_condition(SCHEMA, FRAME)
    assert example == 'age >= 20 and "the job" = "cook, head"'
    assert parse_filter(example, SCHEMA).mask(FRAME).any()
    assert example_condition(SCHEMA, FRAME.head(0)) == ""


def test_ids_are_found_as_they_read():
    ids = pd.Series(["A-1", " A-2", "A-1", None], dtype="str")
    assert rows_with_text(ids, " A-1 ").tolist() == [0, 2]
    assert rows_with_text(pd.Series([3.0, 4.0]), "4").tolist() == [1]


def test_outcomes_from_the_logits_alone_are_those_of_the_masks(run, frame):
    subject, rows = Subject.of_run(run), np.array([40, 3, 17])
    masks = explain_masks(subject, ChosenRows.from_table(run.encoder.transform(frame), rows))
    stored = stored_outcomes(save_masks(run, iter([masks])), frame, "bought")
    direct = row_outcomes(run.codec, run.splits, frame, rows, masks.logits)
    pd.testing.assert_frame_equal(stored.table(), direct.table())
    ordered = outcomes_in_order(stored, np.array([17, 5, 40]))
    assert ordered.rows.tolist() == [17, 40]
    assert ordered.confidence.tolist() == [direct.confidence[2], direct.confidence[0]]


def test_cells_have_a_state_only_where_there_is_one(cases):
    masks = cases.masks(n_rows=1, n_features=3)
    texts = {"f0": "1", "f1": "missing", "f2": "x"}
    values = cases.attribution(np.array([[[0.1], [-3.0], [0.5]]]))
    plain = cell_table(masks, values, texts)
    assert list(plain.columns) == ["column", "value", "read", "pushed"]
    assert plain["column"].tolist() == ["f1", "f2", "f0"]
    marked = cell_table(masks, values, texts, missing=["f1"], unseen=["f2"])
    assert marked["state"].tolist() == ["missing", "not seen in training", ""]
    grouped = cases.attribution(np.ones((1, 2, 1)), features=("both", "f2"), groups={"both": ("f0", "f1")})
    table = cell_table(masks, grouped, texts).set_index("column")
    assert table["group"].to_dict() == {"f0": "both", "f1": "both", "f2": ""}
    assert "pushed" not in cell_table(masks, None, texts)
