import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.kinds import propose_schema, set_target, set_targets
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import SchemaError

RNG = np.random.default_rng(0)
N = 120
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "grade": RNG.choice(["a", "b", "c"], N),
        "paid": RNG.choice(["no", "yes"], N),
        "price": RNG.normal(100, 20, N),
    }
)
SCHEMA = set_targets(propose_schema(FRAME), FRAME, ["grade", "paid", "price"])


def _codec(name: str, n_classes: int) -> TargetCodec:
    if n_classes == 1:
        return TargetCodec(name, Task.REGRESSION, mean=3.0, scale=2.0)
    task = Task.BINARY if n_classes == 2 else Task.MULTICLASS
    return TargetCodec(name, task, tuple(f"c{index}" for index in range(n_classes)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_every_output_belongs_to_one_target(n_classes):
    targets = TargetCodecs(tuple(_codec(f"t{place}", n) for place, n in enumerate(n_classes)))
    n_outputs = len(targets.outputs)
    assert len(set(targets.outputs)) == n_outputs == len(targets.output_offset) == len(targets.output_scale)
    places = [place for part in targets.slices for place in range(n_outputs)[part]]
    assert places == list(range(n_outputs))
    for output in range(n_outputs):
        codec, position = targets.owner(output)
        of, where = targets.of(codec.name)
        assert of is codec
        assert where.start + position == output
        assert targets.outputs[output] in (codec.outputs[position], f"{codec.name} = {codec.outputs[position]}")
        is_number = codec.task is Task.REGRESSION
        assert (targets.output_offset[output], targets.output_scale[output]) == ((3.0, 2.0) if is_number else (0, 1))
    with pytest.raises(IndexError, match=f"there is no output {n_outputs}"):
        targets.owner(n_outputs)
    assert TargetCodecs.from_mapping(json.loads(json.dumps(targets.to_mapping()))) == targets


def test_the_values_of_each_target_are_those_of_its_own_codec():
    rows = np.arange(10, 90)
    targets = TargetCodecs.fit(FRAME, SCHEMA, rows)
    y = targets.encode(FRAME, rows=rows)
    assert (y.shape, y.dtype) == ((80, 3), np.float64)
    for place, head in enumerate(SCHEMA.heads):
        alone = TargetCodec.fit(FRAME, head, rows)
        assert targets.codecs[place] == alone
        column, expected = targets.column(y, place), alone.encode(FRAME, rows=rows)
        assert column.dtype == expected.dtype
        np.testing.assert_array_equal(column, expected)
    assert targets.task is Task.MULTITASK
    assert targets.outputs == ("grade = a", "grade = b", "grade = c", "paid = yes", "price")


def test_a_single_target_is_as_it_always_was():
    schema = set_target(propose_schema(FRAME), FRAME, "paid")
    targets, codec = TargetCodecs.fit(FRAME, schema), TargetCodec.fit(FRAME, schema)
    assert (targets.only, targets.task, targets.outputs) == (codec, Task.BINARY, ("yes",))
    np.testing.assert_array_equal(targets.encode(FRAME), codec.encode(FRAME))
    np.testing.assert_array_equal(targets.column(targets.encode(FRAME), 0), codec.encode(FRAME))
    assert TargetCodecs.from_mapping(codec.to_mapping()) == targets


def test_one_of_several_must_be_named():
    targets = TargetCodecs.fit(FRAME, SCHEMA)
    with pytest.raises(ValueError, match="the model has 3 targets; choose one of grade, paid, price"):
        _ = targets.only
    with pytest.raises(SchemaError, match="'x' is no target of this model; its targets are grade, paid, price"):
        targets.of("x")
    with pytest.raises(ValueError, match="the schema has 3 targets; give one of grade, paid, price"):
        TargetCodec.fit(FRAME, SCHEMA)


def test_targets_that_cannot_be_told_apart_are_refused():
    codec = _codec("a", 3)
    with pytest.raises(SchemaError, match="no target is chosen"):
        TargetCodecs(())
    with pytest.raises(SchemaError, match="a name of its own, got a, a"):
        TargetCodecs((codec, codec))
    with pytest.raises(SchemaError, match="two targets would both have an output 'a = c1'; rename"):
        TargetCodecs((codec, _codec("a = c1", 1)))


@pytest.mark.parametrize(
    "values", [{"targets": []}, {"targets": 3}, {"targets": [3]}, {"targets": [{"name": "a"}]}, {}, {"targets": [None]}]
)
def test_a_damaged_description_is_refused(values):
    with pytest.raises(SchemaError):
        TargetCodecs.from_mapping(values)


@pytest.mark.parametrize("task", [Task.MULTITASK, Task.PRETRAINING])
def test_one_target_has_the_task_of_one_target(task):
    with pytest.raises(SchemaError, match="one target's task is binary, multiclass, regression; 'y' has"):
        TargetCodec("y", task, ("a", "b"))
