import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.kinds import propose_schema, set_role, set_target, set_targets
from tabnet_engine.data.schema import FeatureSchema, Role, Task
from tabnet_engine.errors import SchemaError

RNG = np.random.default_rng(0)
N = 200
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(40, 9, N),
        "grade": RNG.choice(["a", "b", "c"], N),
        "paid": RNG.choice(["no", "yes"], N),
        "town": RNG.choice(["Bonn", "Ulm"], N),
        "price": RNG.normal(size=N),
        "id": range(N),
    }
)
PROPOSED = propose_schema(FRAME)
TARGETS = ("age", "grade", "paid", "town", "price")


def _roles(schema: FeatureSchema) -> list[str]:
    return [column.name for column in schema.columns if column.role is Role.TARGET]


def test_each_target_is_described_as_if_it_were_the_only_one():
    schema = set_targets(PROPOSED, FRAME, ["price", "paid", "grade"])
    assert schema.task is Task.MULTITASK
    assert [head.name for head in schema.targets] == ["grade", "paid", "price"] == _roles(schema)
    for head in schema.heads:
        alone = set_target(PROPOSED, FRAME, head.name)
        assert head == alone.targets[0]
        assert schema.column(head.name) == alone.column(head.name)
    assert schema.feature_names == ("age", "town")
    assert (schema.classes, schema.target.name) == ((), "grade")


def test_tasks_and_positive_classes_may_be_chosen():
    tasks, positives = {"grade": "multiclass", "town": Task.MULTICLASS, "age": "auto"}, {"paid": "no"}
    schema = set_targets(PROPOSED, FRAME, ["grade", "town", "paid", "age"], tasks, positives)
    assert [(head.name, str(head.task), head.classes) for head in schema.heads] == [
        ("age", "regression", ()),
        ("grade", "multiclass", ("a", "b", "c")),
        ("paid", "binary", ("yes", "no")),
        ("town", "multiclass", ("Bonn", "Ulm")),
    ]


@pytest.mark.parametrize("name", TARGETS)
def test_one_target_is_a_plain_target(name):
    assert set_targets(PROPOSED, FRAME, [name]) == set_target(PROPOSED, FRAME, name)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=4, unique=True), min_size=2, max_size=4))
def test_a_new_choice_undoes_every_former_one(choices):
    schema = PROPOSED
    for names in choices:
        schema = set_targets(schema, FRAME, names)
    assert schema == set_targets(PROPOSED, FRAME, choices[-1])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(TARGETS), min_size=1, max_size=5, unique=True),
    st.lists(st.tuples(st.sampled_from([*TARGETS, "id"]), st.sampled_from([Role.FEATURE, Role.IGNORED, Role.ROW_ID]))),
)
def test_whatever_roles_are_taken_the_targets_left_are_consistent(names, changes):
    schema = set_targets(PROPOSED, FRAME, names)
    for name, role in changes:
        if not (name == "id" and role is Role.FEATURE):
            schema = set_role(schema, name, role)
    left = _roles(schema)
    assert [target.name for target in schema.targets] == left
    assert schema.targets == tuple(set_target(PROPOSED, FRAME, name).targets[0] for name in left)
    assert (schema.task is Task.MULTITASK) == (len(schema.heads) > 1) == (len(left) > 1)
    assert (schema.task is None) == (not left)
    assert len(schema.heads) != 1
    assert FeatureSchema.from_mapping(json.loads(json.dumps(schema.to_mapping()))) == schema


def test_one_target_left_of_two_is_a_plain_target():
    schema = set_role(set_targets(PROPOSED, FRAME, ["grade", "price"]), "price", Role.IGNORED)
    assert (schema.task, schema.classes, schema.heads) == (Task.MULTICLASS, ("a", "b", "c"), ())
    assert schema == set_target(set_role(PROPOSED, "price", Role.IGNORED), FRAME, "grade")


@pytest.mark.parametrize(
    ("names", "tasks", "positives", "words"),
    [
        ([], {}, {}, "no target is chosen"),
        (["age", "paid", "age"], {}, {}, "the target 'age' is named twice"),
        (["age", "pay"], {}, {}, "there is no column 'pay'"),
        (["age", "id"], {}, {}, "the target 'id' is of kind identifier"),
        (["age", "paid"], {"town": "binary"}, {}, "given for 'town', which is no target; the targets are \"age\""),
        (["age", "paid"], {}, {"town": "Ulm"}, "given for 'town', which is no target"),
        (["age", "paid"], {"grade": "multiclass"}, {}, "given for 'grade'"),
        (["paid"], {"age": "regression"}, {}, "given for 'age'"),
        (["age", "paid"], {"age": "multitask"}, {}, "there is no task 'multitask'"),
        (["age", "paid"], {"age": "pretraining"}, {}, "there is no task 'pretraining'"),
        (["age", "paid"], {}, {"paid": "maybe"}, "\"maybe\" is no class of 'paid'"),
        (["age", "paid"], {}, {"age": "3"}, "the task of 'age' is regression"),
    ],
)
def test_a_choice_that_cannot_be_met_says_why(names, tasks, positives, words):
    with pytest.raises(SchemaError) as caught:
        set_targets(PROPOSED, FRAME, names, tasks, positives)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        {"heads": []},
        {"heads": [{"name": "age", "task": "regression", "classes": []}]},
        {"heads": [{"name": "town", "task": "regression", "classes": []}] * 2},
        {"task": "regression"},
        {"task": None},
        {"heads": [{"name": "age", "task": "guessing", "classes": []}] * 2},
        {"heads": "grade"},
        {"heads": None},
    ],
)
def test_a_stored_schema_whose_targets_contradict_its_columns_is_refused(damage):
    values = {**set_targets(PROPOSED, FRAME, ["age", "grade"]).to_mapping(), **damage}
    with pytest.raises(SchemaError, match="the schema cannot be read"):
        FeatureSchema.from_mapping(values)


def test_a_schema_stored_before_several_targets_were_known_is_read():
    schema = set_target(PROPOSED, FRAME, "paid")
    values = schema.to_mapping()
    del values["heads"]
    assert FeatureSchema.from_mapping(values) == schema == dataclasses.replace(schema, heads=())


def test_only_categories_that_are_learned_from_are_counted():
    assert PROPOSED.n_categorical == 3
    assert set_targets(PROPOSED, FRAME, ["grade", "age"]).n_categorical == 2
    assert set_role(PROPOSED, "paid", Role.IGNORED).n_categorical == 2
