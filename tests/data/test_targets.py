import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.targets import TargetCodec, usable_rows
from tabnet_engine.errors import SchemaError


def _schema(task: Task | None, *classes: str, role: Role = Role.TARGET) -> FeatureSchema:
    return FeatureSchema(columns=(Column(name="y", kind=Kind.CATEGORY, role=role),), task=task, classes=classes)


def _frame(values, dtype=None) -> pd.DataFrame:
    return pd.DataFrame({"y": pd.Series(values, dtype=dtype)})


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["a", "b", "c", "<=50K", "é"]), min_size=8, max_size=40))
def test_decoding_undoes_encoding(values):
    classes = tuple(sorted(set(values)))
    if len(classes) < 2:
        return
    frame = _frame(values, "str")
    codec = TargetCodec.fit(frame, _schema(Task.MULTICLASS, *classes))
    codes = codec.encode(frame)
    assert codes.dtype == np.int64
    assert codec.decode(codes).tolist() == values
    assert TargetCodec.from_mapping(json.loads(json.dumps(codec.to_mapping()))) == codec


@pytest.mark.parametrize(
    ("task", "classes", "outputs"),
    [
        (Task.BINARY, ("no", "yes"), ("yes",)),
        (Task.MULTICLASS, ("a", "b", "c"), ("a", "b", "c")),
        (Task.REGRESSION, (), ("y",)),
    ],
)
def test_outputs(task, classes, outputs):
    assert TargetCodec("y", task, classes).outputs == outputs


def test_regression_keeps_the_users_units():
    frame = _frame([10.0, 20.0, 30.0, 1000.0])
    codec = TargetCodec.fit(frame, _schema(Task.REGRESSION), np.array([0, 1, 2]))
    assert codec.mean == pytest.approx(20)
    assert codec.scale == pytest.approx(np.std([10, 20, 30]))
    assert codec.encode(frame).tolist() == [10.0, 20.0, 30.0, 1000.0]
    assert codec.encode(frame, rows=np.array([3])).tolist() == [1000.0]
    assert TargetCodec.from_mapping(codec.to_mapping()) == codec


def test_numbers_and_truth_values_as_classes_survive_another_storage():
    numbers = TargetCodec("y", Task.BINARY, ("0", "1"))
    assert numbers.encode(_frame([0.0, 1.0])).tolist() == numbers.encode(_frame(["0", "1"], "str")).tolist() == [0, 1]
    truths = TargetCodec("y", Task.BINARY, ("False", "True"))
    assert truths.encode(_frame([True, False])).tolist() == [1, 0]
    assert truths.encode(_frame(["true", "False"], "str")).tolist() == [1, 0]


def test_an_unknown_class_is_named_with_its_row_in_the_whole_table():
    codec = TargetCodec("y", Task.BINARY, ("a", "b"))
    with pytest.raises(SchemaError, match=r"column 'y', row 2: \"c\" is no class of this model; its classes are"):
        codec.encode(_frame(["a", "b", "c"], "str"), rows=np.array([1, 2]))


def test_a_missing_target_is_named():
    with pytest.raises(SchemaError, match=r"column 'y', row 1: the target is missing"):
        TargetCodec("y", Task.BINARY, ("a", "b")).encode(_frame(["a", None], "str"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named(bad):
    with pytest.raises(SchemaError, match=r"column 'y', row 1: .* is no finite number"):
        TargetCodec("y", Task.REGRESSION).encode(_frame([1.0, bad]))


def test_a_class_without_training_row_is_refused():
    with pytest.raises(SchemaError, match="no training row has the class 'b'"):
        TargetCodec.fit(_frame(["a", "b", "c"], "str"), _schema(Task.MULTICLASS, "a", "b", "c"), np.array([0, 2]))


def test_target_task_and_column_must_be_there():
    with pytest.raises(SchemaError, match="no target is chosen"):
        TargetCodec.fit(_frame([1]), _schema(Task.BINARY, role=Role.FEATURE))
    with pytest.raises(SchemaError, match="no task is chosen"):
        TargetCodec.fit(_frame([1]), _schema(None))
    with pytest.raises(SchemaError, match="the table has no column 'y', the target"):
        TargetCodec("y", Task.REGRESSION).encode(pd.DataFrame({"x": [1]}))


@pytest.mark.parametrize(
    "codec",
    [
        {"task": Task.BINARY, "classes": ("a",)},
        {"task": Task.BINARY, "classes": ("a", "a")},
        {"task": Task.BINARY, "classes": ("a", "b", "c")},
        {"task": Task.REGRESSION, "scale": 0.0},
        {"task": Task.REGRESSION, "mean": np.nan},
    ],
)
def test_codecs_that_cannot_be_are_refused(codec):
    with pytest.raises(SchemaError, match="target"):
        TargetCodec("y", **codec)


@pytest.mark.parametrize("change", [{"task": "guess"}, {"mean": "x"}, {"classes": None}])
def test_damaged_descriptions_are_refused(change):
    values = {**TargetCodec("y", Task.BINARY, ("a", "b")).to_mapping(), **change}
    with pytest.raises(SchemaError, match="description cannot be read"):
        TargetCodec.from_mapping(values)


def test_usable_rows_are_those_with_a_target():
    rows, note = usable_rows(_frame(["a", None, "b", None], "str"), _schema(Task.BINARY, "a", "b"))
    assert rows.tolist() == [0, 2]
    assert note == "2 of 4 rows (50.0 %) have no 'y' and were left out"
    rows, note = usable_rows(_frame(["a", "b"], "str"), _schema(Task.BINARY, "a", "b"))
    assert rows.tolist() == [0, 1]
    assert note is None


def test_no_usable_row_is_refused():
    with pytest.raises(SchemaError, match="missing in every row"):
        usable_rows(_frame([None, None], "str"), _schema(Task.BINARY, "a", "b"))


def _two(a, b) -> tuple[pd.DataFrame, FeatureSchema]:
    heads = (Target(name="a", task=Task.REGRESSION), Target(name="b", task=Task.BINARY, classes=("n", "y")))
    columns = tuple(Column(name=name, kind=Kind.CATEGORY, role=Role.TARGET) for name in "ab")
    schema = FeatureSchema(columns=columns, task=Task.MULTITASK, heads=heads)
    return pd.DataFrame({"a": pd.Series(a, dtype="float64"), "b": pd.Series(b, dtype="str")}), schema


@given(st.lists(st.tuples(st.sampled_from([None, 1.0]), st.sampled_from([None, "y"])), min_size=1, max_size=12))
def test_usable_rows_have_every_target(cells):
    frame, schema = _two(*map(list, zip(*cells, strict=True)))
    complete = [row for row, pair in enumerate(cells) if None not in pair]
    if not complete:
        with pytest.raises(SchemaError, match=r"missing in every row|no row has all of the targets \"a\", \"b\""):
            usable_rows(frame, schema)
        return
    rows, note = usable_rows(frame, schema)
    assert rows.tolist() == complete
    assert rows.dtype == np.int64
    assert (note is None) == (len(complete) == len(cells))


def test_the_note_says_which_targets_were_missing_how_often():
    frame, schema = _two([1.0, None, None, 4.0], ["y", None, "n", "y"])
    note = "2 of 4 rows (50.0 %) lack a target and were left out: 'a' in 2, 'b' in 1"
    assert usable_rows(frame, schema)[1] == note
    note = "2 of 4 rows (50.0 %) lack a target and were left out: 'a' in 2"
    assert usable_rows(frame.assign(b="y"), schema)[1] == note
    with pytest.raises(SchemaError, match="the target 'a' is missing in every row"):
        usable_rows(frame.assign(a=np.nan), schema)
    with pytest.raises(SchemaError, match="no column 'b', the target"):
        usable_rows(frame[["a"]], schema)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1e300, -1e300, 3e299, 0.0], "reaches 1e\\+300"),
        ([1e-300, -1e-300, 3e-299, 0.0], "give it in another unit"),
        ([*np.linspace(0, 1, 40), 1e300], "row 40.*too far from all other values"),
        ([*np.linspace(0, 1, 40), -1e38], "row 40.*too far from all other values"),
    ],
)
def test_a_quantity_beyond_float32_is_refused_by_name(values, message):
    with pytest.raises(SchemaError, match=message):
        TargetCodec.fit(_frame(values, "float64"), _schema(Task.REGRESSION))


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_unusual_units_are_learned(unit):
    codec = TargetCodec.fit(_frame([unit, 2 * unit, 4 * unit], "float64"), _schema(Task.REGRESSION))
    assert codec.mean == pytest.approx(7 / 3 * unit)
