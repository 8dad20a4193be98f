import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import (
    FIRST_CATEGORY,
    MAX_CATEGORIES,
    MISSING,
    STANDARDISED_LIMIT,
    UNSEEN,
    CellState,
    EncodedTable,
    InputLayout,
    TableEncoder,
)
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import SchemaError

NAMES = ("size", "colour", "day", "new", "price")


def _schema(*names: str) -> FeatureSchema:
    kinds = {
        "size": Kind.NUMBER,
        "colour": Kind.CATEGORY,
        "day": Kind.DATETIME,
        "new": Kind.BOOLEAN,
        "price": Kind.NUMBER,
        "note": Kind.TEXT,
    }
    return FeatureSchema(columns=tuple(Column(name=name, kind=kinds[name]) for name in names))


def _table(n: int = 60, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": generator.normal(size=n),
            "colour": pd.Series(generator.choice(["red", "green", "blue"], n), dtype="str"),
            "day": np.datetime64("2024-01-01", "us") + generator.integers(0, 10**6, n).astype("timedelta64[m]"),
            "new": generator.random(n) < 0.5,
            "price": generator.integers(0, 5, n),
        }
    )
    frame.loc[3, ["size", "colour", "day"]] = None
    return frame


def _fit(frame: pd.DataFrame, **options) -> TableEncoder:
    return TableEncoder.fit(frame, _schema(*frame.columns), **options)


def test_layout_maps_every_slot_to_its_raw_feature():
    layout = _fit(_table()).layout
    assert layout.feature_names == NAMES
    assert layout.numeric_feature == (0, 2, 2, 2, 2, 2, 2, 4)
    assert layout.categorical_feature == (1, 3)
    assert layout.categorical_sizes == (5, 4)
    assert layout.n_features == 5


def test_numbers_are_standardised_and_missing_is_nan():
    frame = _table()
    encoded = _fit(frame).transform(frame)
    size = encoded.numeric[:, 0]
    assert encoded.numeric.dtype == np.float32
    assert np.isnan(size[3])
    assert np.nanmean(size) == pytest.approx(0, abs=1e-6)
    assert np.nanstd(size) == pytest.approx(1, abs=1e-5)
    assert np.isnan(encoded.numeric[3, 1:7]).all()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-9, 9), st.text("ab<$é🙂 ", max_size=4), st.sampled_from([2.5, 7.0])),
        min_size=1,
        max_size=25,
    )
)
def test_category_states_decode_to_the_values_they_came_from(values):
    frame = pd.DataFrame({"colour": pd.Series(values, dtype=object)})
    encoder = _fit(frame)
    states = encoder.transform(frame).categorical[:, 0]
    categories = encoder.schema.features[0].categories
    decoded = [None if state == MISSING else categories[state - FIRST_CATEGORY] for state in states]
    expected = [None if v is None else "7" if v == 7.0 else str(v) for v in values]
    assert decoded == expected
    assert len(set(categories)) == len(categories)


@settings(deadline=None, max_examples=30)
@given(st.permutations(NAMES), st.integers(0, 1000))
def test_column_order_does_not_matter(order, seed):
    frame = _table(seed=seed)
    encoder = _fit(frame)
    shuffled = frame[list(order)].assign(more=1)
    _assert_same(encoder.transform(frame), encoder.transform(shuffled))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 59), st.integers(0, 59), st.sampled_from(NAMES))
def test_exchanging_raw_cells_exchanges_the_slots_of_that_column_and_nothing_else(a, b, name):
    """SHAP replaces raw columns by exchanging encoded slots: this is what makes that right."""
    frame = _table()
    encoder = _fit(frame)
    changed = frame.copy()
    changed.loc[[a, b], name] = frame.loc[[b, a], name].to_numpy()
    before, after = encoder.transform(frame), encoder.transform(changed)
    feature = NAMES.index(name)
    rows = np.arange(len(frame))
    rows[[a, b]] = [b, a]
    numeric, categorical = before.numeric.copy(), before.categorical.copy()
    for slots, values in ((encoder.layout.numeric_feature, numeric), (encoder.layout.categorical_feature, categorical)):
        mine = [slot for slot, owner in enumerate(slots) if owner == feature]
        values[:, mine] = values[np.ix_(rows, mine)]
    _assert_same(after, EncodedTable(numeric, categorical))


def _assert_same(a: EncodedTable, b: EncodedTable) -> None:
    np.testing.assert_array_equal(a.numeric, b.numeric)
    np.testing.assert_array_equal(a.categorical, b.categorical)


def test_only_training_rows_are_learned_from():
    frame = _table()
    rows = np.arange(30)
    changed = frame.copy()
    changed.loc[30:, "size"] = 1e6
    changed.loc[30:, "colour"] = "purple"
    changed.loc[30:, "day"] = pd.Timestamp("1999-01-01")
    assert _fit(frame, rows=rows) == _fit(changed, rows=rows)
    states = _fit(changed, rows=rows).transform(changed).categorical[30:, 0]
    assert (states == UNSEEN).all()


def test_cell_states_tell_missing_from_unseen():
    frame = _table()
    encoder = _fit(frame)
    row = frame.iloc[[3, 4]].copy()
    row["colour"] = pd.Series([None, "purple"], index=row.index, dtype="str")
    states = encoder.cell_states(row)
    assert states.dtype == np.uint8
    unseen = "1 of 2 cells hold categories that training did not see, first in row 1; read as unseen"
    assert encoder.unseen_notes(row) == (f"column 'colour': {unseen}",)
    assert states[0].tolist() == [CellState.MISSING, CellState.MISSING, CellState.MISSING, 0, 0]
    assert states[1].tolist() == [0, CellState.UNSEEN, 0, 0, 0]


def test_whole_number_categories_survive_another_storage():
    encoder = _fit(pd.DataFrame({"colour": [1, 2, 10, 2]}))
    assert encoder.schema.features[0].categories == ("1", "2", "10")
    other = encoder.transform(pd.DataFrame({"colour": [10.0, np.nan, 3.0]}))
    text = encoder.transform(pd.DataFrame({"colour": pd.Series(["10", None, "x"], dtype="str")}))
    assert other.categorical[:, 0].tolist() == text.categorical[:, 0].tolist() == [4, MISSING, UNSEEN]


def test_truth_values_survive_as_text():
    encoder = _fit(pd.DataFrame({"new": [True, False]}))
    states = encoder.transform(pd.DataFrame({"new": pd.Series(["true", "FALSE", "maybe"], dtype="str")})).categorical
    assert states[:, 0].tolist() == [3, 2, UNSEEN]


def test_the_most_frequent_categories_keep_a_state():
    values = [f"v{number}" for number in range(MAX_CATEGORIES + 40)] + [f"v{number}" for number in range(40, 295)]
    encoder = _fit(pd.DataFrame({"colour": pd.Series(values, dtype="str")}))
    kept = encoder.schema.features[0].categories
    assert len(kept) == MAX_CATEGORIES
    assert set(kept) == {f"v{number}" for number in range(40, 295)}
    assert encoder.layout.categorical_sizes == (MAX_CATEGORIES + 2,)


@pytest.mark.parametrize("damage", [1e300, -1e308, np.inf, 5e-324])
def test_huge_values_are_clipped_not_overflown(damage):
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0]})
    encoder = _fit(frame)
    value = encoder.transform(pd.DataFrame({"size": [damage]})).numeric[0, 0]
    assert np.isfinite(value)
    assert abs(value) <= STANDARDISED_LIMIT


def test_training_on_a_damaged_value_keeps_the_others_apart():
    values = np.append(np.arange(200.0), [1e300, -1.7e308])
    encoded = _fit(pd.DataFrame({"size": values})).transform(pd.DataFrame({"size": values}))
    assert np.unique(encoded.numeric[:200]).size == 200


@pytest.mark.parametrize("values", [[5.0] * 6, [np.nan] * 6])
def test_columns_without_spread_or_values_still_encode(values):
    encoder = _fit(pd.DataFrame({"size": values}))
    encoded = encoder.transform(pd.DataFrame({"size": [5.0, np.nan, 7.0]}))
    assert np.isnan(encoded.numeric[1, 0])
    assert np.isfinite(encoded.numeric[[0, 2], 0]).all()
    assert len(encoder.layout.bins[0]) == 2


def test_an_all_missing_category_still_encodes():
    encoder = _fit(pd.DataFrame({"colour": pd.Series([None, None], dtype="str")}))
    states = encoder.transform(pd.DataFrame({"colour": pd.Series([None, "red"], dtype="str")})).categorical
    assert states[:, 0].tolist() == [MISSING, UNSEEN]


def test_dates_take_their_parts_from_the_schema_when_it_has_them():
    frame = _table()[["day"]]
    schema = FeatureSchema(columns=(Column(name="day", kind=Kind.DATETIME, datetime_parts=("month", "weekday")),))
    encoder = TableEncoder.fit(frame, schema)
    assert encoder.layout.numeric_feature == (0, 0)
    assert encoder.schema == schema


def test_mapping_round_trip_is_exact_through_json():
    frame = _table()
    encoder = _fit(frame)
    again = TableEncoder.from_mapping(json.loads(json.dumps(encoder.to_mapping())))
    assert again == encoder
    _assert_same(again.transform(frame), encoder.transform(frame))


def test_display_values_are_the_users_own():
    shown = _fit(_table()).display_values(_table().iloc[2:5])
    assert list(shown.columns) == list(NAMES)
    assert shown.loc[3, ["size", "colour", "day"]].tolist() == ["missing"] * 3
    assert shown.loc[4, "new"] in {"True", "False"}


def test_take_and_length():
    encoded = _fit(_table()).transform(_table())
    part = encoded.take([5, 2])
    assert len(encoded) == 60
    assert len(part) == 2
    _assert_same(part, EncodedTable(encoded.numeric[[5, 2]], encoded.categorical[[5, 2]]))


def test_tables_of_one_kind_have_empty_matrices_for_the_other():
    encoded = _fit(_table()[["size"]]).transform(_table())
    assert encoded.categorical.shape == (60, 0)
    encoded = _fit(_table()[["colour"]]).transform(_table())
    assert encoded.numeric.shape == (60, 0)


def test_matrices_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"equally many rows, got \(2, 1\) and \(3, 1\)"):
        EncodedTable(np.zeros((2, 1), np.float32), np.zeros((3, 1), np.int64))


def test_an_absent_column_is_named():
    with pytest.raises(SchemaError, match="the table has no column 'size', which the model reads"):
        _fit(_table()).transform(_table().drop(columns="size"))


def test_a_doubled_column_is_named():
    frame = _table()[["size", "size"]]
    with pytest.raises(SchemaError, match="several columns named 'size'"):
        _fit(_table()[["size"]]).transform(frame)


def test_an_unreadable_number_is_named():
    frame = pd.DataFrame({"size": pd.Series(["1", "two"], dtype="str")})
    with pytest.raises(SchemaError, match=r"column 'size', row 1: \"two\" is not a number"):
        _fit(_table()[["size"]]).transform(frame)


@pytest.mark.parametrize(
    ("names", "rows", "problem"), [(("note",), None, "no column is left"), (("size",), np.array([], int), "no row")]
)
def test_nothing_to_learn_from(names, rows, problem):
    frame = pd.DataFrame({name: ["1", "2"] for name in names})
    with pytest.raises(SchemaError, match=problem):
        TableEncoder.fit(frame, _schema(*names), rows=rows)


def test_targets_and_ignored_columns_are_not_read():
    schema = _schema("size", "price").with_column("price", role=Role.TARGET)
    encoder = TableEncoder.fit(_table(), schema)
    assert encoder.layout.feature_names == ("size",)
    assert encoder.transform(_table()[["size"]]).numeric.shape == (60, 1)


_LAYOUT = InputLayout(("a", "b"), (0,), (1,), (3,), ((-1.0, 1.0),))


@pytest.mark.parametrize(
    "change",
    [
        {"numeric_feature": (2,)},
        {"categorical_feature": ()},
        {"categorical_sizes": (3, 3)},
        {"categorical_sizes": (1,)},
        {"bins": ()},
        {"bins": ((1.0, 1.0),)},
        {"bins": ((1.0,),)},
        {"groups": (0,)},
        {"groups": (1, 1)},
        {"groups": (0, 2)},
        {"groups": (-1, 0)},
    ],
)
def test_layouts_that_contradict_themselves_are_refused(change):
    with pytest.raises(SchemaError, match=r"layout|slot"):
        dataclasses.replace(_LAYOUT, **change)


@pytest.mark.parametrize("groups", [(), (0, 0), (1, 0)])
def test_layout_mapping_round_trip(groups):
    layout = dataclasses.replace(_LAYOUT, groups=groups)
    assert InputLayout.from_mapping(json.loads(json.dumps(layout.to_mapping()))) == layout


def test_a_layout_stored_before_groups_were_known_is_read():
    values = _LAYOUT.to_mapping()
    del values["groups"]
    assert InputLayout.from_mapping(values) == _LAYOUT
    assert (_LAYOUT.feature_group, _LAYOUT.n_groups) == ((0, 1), 2)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([None, "where", "when", ""]), min_size=5, max_size=5))
def test_features_of_one_group_share_a_number_and_others_do_not(names):
    schema = _schema(*NAMES)
    for name, group in zip(NAMES, names, strict=True):
        schema = schema.with_column(name, group=group)
    layout = TableEncoder.fit(_table(), schema).layout
    number = layout.feature_group
    for a in range(5):
        for b in range(5):
            assert (number[a] == number[b]) == (a == b or (names[a] is not None and names[a] == names[b]))
    assert set(number) == set(range(layout.n_groups))
    assert (layout.groups == ()) == (layout.n_groups == 5)


def test_columns_that_are_not_learned_from_count_in_no_group():
    schema = FeatureSchema(
        columns=(
            Column(name="size", kind=Kind.NUMBER, group="g"),
            Column(name="colour", kind=Kind.CATEGORY, group="g", role=Role.IGNORED),
            Column(name="price", kind=Kind.NUMBER, group="h"),
        )
    )
    layout = TableEncoder.fit(_table(), schema).layout
    assert (layout.groups, layout.n_groups) == ((), 2)


@pytest.mark.parametrize(
    "values", [{}, {**_LAYOUT.to_mapping(), "bins": [["x", 1]]}, {**_LAYOUT.to_mapping(), "bins": 3}]
)
def test_damaged_layouts_are_refused(values):
    with pytest.raises(SchemaError, match="the input layout cannot be read"):
        InputLayout.from_mapping(values)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("numeric_mean", [1.0]),
        ("numeric_scale", [0.0] * 8),
        ("numeric_mean", [float("nan")] * 8),
        ("numeric_scale", ["wide"] * 8),
        ("layout", _LAYOUT.to_mapping()),
        ("schema", {}),
    ],
)
def test_damaged_encoders_are_refused(part, value):
    values = {**_fit(_table()).to_mapping(), part: value}
    with pytest.raises(SchemaError):
        TableEncoder.from_mapping(values)


def test_a_layout_of_other_columns_is_refused():
    encoder = _fit(_table())
    other = dataclasses.replace(encoder.layout, feature_names=("size", "colour", "day", "new", "cost"))
    with pytest.raises(SchemaError, match="the same features in the same order"):
        dataclasses.replace(encoder, layout=other)


def test_an_encoder_without_a_part_is_refused():
    values = _fit(_table()).to_mapping()
    del values["layout"]
    with pytest.raises(SchemaError, match="the encoder cannot be read"):
        TableEncoder.from_mapping(values)


def test_wide_and_long_tables_encode_fast():
    """Measured at .02 s; the bound leaves room for a busy machine and still fails a loop over cells."""
    generator = np.random.default_rng(0)
    frame = pd.concat([_table(48_000)] * 3, axis=1).iloc[:, :15].set_axis([f"c{i}" for i in range(15)], axis=1)
    kinds = [Kind.NUMBER, Kind.CATEGORY, Kind.DATETIME, Kind.BOOLEAN, Kind.NUMBER] * 3
    schema = FeatureSchema(columns=tuple(Column(name=f"c{i}", kind=kind) for i, kind in enumerate(kinds)))
    encoder = TableEncoder.fit(frame, schema, rows=generator.permutation(48_000)[:30_000])
    start = time.perf_counter()
    encoder.transform(frame)
    assert time.perf_counter() - start < 1.5
