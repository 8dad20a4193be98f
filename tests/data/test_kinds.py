import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.kinds import as_text, propose_schema, set_kind, set_role, set_target
from tabnet_engine.data.proposals import looks_like_truth
from tabnet_engine.data.schema import Column, Kind, Role, Task
from tabnet_engine.errors import SchemaError

RNG = np.random.default_rng(0)
N = 400


def _texts(values) -> pd.Series:
    return pd.Series(values, dtype="str")


def _propose(series, name: str = "x") -> Column:
    return propose_schema(pd.DataFrame({name: series})).column(name)


SENTENCES = [f"this is note {number} about one case" for number in range(N)]
CASES = {
    "empty": (pd.Series([np.nan] * 5), Kind.CONSTANT, Role.IGNORED, "Every cell is missing"),
    "constant": (pd.Series([7] * 5), Kind.CONSTANT, Role.IGNORED, 'same value "7"'),
    "one_or_missing": (_texts(["a", None, "a"]), Kind.CATEGORY, Role.FEATURE, "or missing"),
    "bool": (pd.Series([True, False]), Kind.BOOLEAN, Role.FEATURE, '"False", "True"'),
    "zero_one": (pd.Series([0, 1, 1, np.nan]), Kind.BOOLEAN, Role.FEATURE, '"0", "1"'),
    "yes_no": (_texts(["yes", "No", None]), Kind.BOOLEAN, Role.FEATURE, '"No", "yes"'),
    "date": (pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"])), Kind.DATETIME, Role.FEATURE, "this one column"),
    "counter": (pd.Series(range(100, 500)), Kind.IDENTIFIER, Role.IGNORED, "it names rows"),
    "shuffled_counter": (pd.Series(RNG.permutation(N) * 2), Kind.IDENTIFIER, Role.IGNORED, "row id"),
    "customer_id": (pd.Series([3, 99, 17]), Kind.IDENTIFIER, Role.IGNORED, "names rows"),
    "movieId": (pd.Series([5, 5, 17, 99] * 9), Kind.CATEGORY, Role.FEATURE, "identify something"),
    "sex": (pd.Series([1, 2] * 50), Kind.CATEGORY, Role.FEATURE, 'Two codes, "1", "2"'),
    "count": (pd.Series([*range(17)] * 20), Kind.NUMBER, Role.FEATURE, "choose category if they are codes"),
    "age": (pd.Series(RNG.integers(18, 90, N)), Kind.NUMBER, Role.FEATURE, "different whole numbers."),
    "width": (pd.Series(RNG.normal(size=N)), Kind.NUMBER, Role.FEATURE, "400 different numbers."),
    "unequal_steps": (pd.Series(RNG.permutation(N) ** 2), Kind.NUMBER, Role.FEATURE, "400 different whole"),
    "counter_with_gap": (pd.Series([*map(float, range(50)), np.nan]), Kind.NUMBER, Role.FEATURE, "50 different"),
    "note": (_texts(SENTENCES), Kind.TEXT, Role.IGNORED, "Free text (400 different values of 7 words"),
    "nested": (_texts(['["a", "b"]', "[]", '{"a": 1}']), Kind.TEXT, Role.IGNORED, "Lists or records"),
    "code": (_texts([f"k{number}" for number in range(N)]), Kind.IDENTIFIER, Role.IGNORED, "name rows rather"),
    "user id": (_texts(["a7", "b8", "c9"]), Kind.IDENTIFIER, Role.IGNORED, "name rows rather"),
    "few_texts": (_texts(["a7", "b8", "c9"]), Kind.CATEGORY, Role.FEATURE, "3 different texts."),
    "town": (_texts([f"t{number % 300}" for number in range(1000)]), Kind.CATEGORY, Role.FEATURE, "255 most frequent"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_is_proposed_with_its_reason(name):
    series, kind, role, why = CASES[name]
    column = _propose(series, name)
    assert (column.kind, column.role) == (kind, role)
    assert why in column.why
    assert column.why.endswith(".")


def test_a_table_of_codes_is_read_as_codes():
    """Cards: suits and ranks as whole numbers; as numbers a network does not get past 60 % of the hands."""
    hands = pd.DataFrame({f"c{i}": RNG.integers(1, 5 if i % 2 else 14, N) for i in range(6)})
    assert {column.kind for column in propose_schema(hands).columns} == {Kind.CATEGORY}
    with_number = propose_schema(hands.assign(weight=RNG.normal(size=N)))
    assert {column.kind for column in with_number.columns} == {Kind.NUMBER}
    counted = propose_schema(hands.assign(row=range(N)))
    assert [column.kind for column in counted.columns] == [Kind.CATEGORY] * 6 + [Kind.IDENTIFIER]


def test_whole_numbers_are_marked_and_dates_get_their_parts():
    assert _propose(pd.Series([1.0, 2.0, np.nan, 5.0])).integer
    assert not _propose(pd.Series([1.5, 2.0, 3.0])).integer
    assert not _propose(pd.Series([np.inf, 2.0, 3.0])).integer
    assert "hour" in _propose(pd.Series(pd.to_datetime(["2024-01-01 10:00", "2024-01-02 11:00"]))).datetime_parts


@pytest.mark.parametrize(("texts", "truth"), [(("Yes", "no"), True), (("1", "0"), True), (("yes", "1"), False)])
def test_pairs_of_truth_values(texts, truth):
    assert looks_like_truth(texts) is truth


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(width=32), st.text(max_size=5)),
        min_size=1,
        max_size=30,
    )
)
def test_any_column_gets_a_kind_and_a_reason(values):
    column = _propose(pd.Series(values, dtype=object))
    assert column.why
    assert column.kind in Kind


def test_a_table_without_rows_is_all_constant():
    schema = propose_schema(pd.DataFrame({"a": pd.Series([], dtype="str"), "b": pd.Series([], dtype=float)}))
    assert {column.kind for column in schema.columns} == {Kind.CONSTANT}


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": range(6),
            "size": [1.0, 2.0, 3.0, 4.0, 5.0, 7.5],
            "text": _texts(["1", "2", "x y", "4", None, "6"]),
            "day": _texts(["2024-01-01", "2024-01-02 10:00", None, "2024-01-03", "2024-01-04", "2024-01-05"]),
            "good": _texts(["a", "b", "a", "b", "a", "b"]),
        }
    )


def test_the_user_can_choose_another_kind(frame):
    schema = set_kind(propose_schema(frame), frame, "size", "category")
    assert schema.column("size").kind is Kind.CATEGORY
    assert schema.column("size").why == "Kind category was chosen by the user."
    schema = set_kind(schema, frame, "day", Kind.DATETIME)
    assert "hour" in schema.column("day").datetime_parts
    assert set_kind(schema, frame, "day", Kind.CATEGORY).column("day").datetime_parts == ()


def test_kinds_that_cannot_be_learned_from_are_ignored_and_back(frame):
    schema = set_kind(propose_schema(frame), frame, "size", Kind.TEXT)
    assert schema.column("size").role is Role.IGNORED
    assert set_kind(schema, frame, "size", Kind.NUMBER).column("size").role is Role.FEATURE
    ignored = set_role(propose_schema(frame), "size", Role.IGNORED)
    assert set_kind(ignored, frame, "size", Kind.CATEGORY).column("size").role is Role.IGNORED
    named = set_role(propose_schema(frame), "id", Role.ROW_ID)
    assert set_kind(named, frame, "id", Kind.NUMBER).column("id").role is Role.ROW_ID


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("text", "number", r"column 'text', row 2: \"x y\" is not a number"),
        ("good", "datetime", r"column 'good', row 0: \"a\" is not a date \(5 more"),
        ("size", "boolean", r"column 'size', row 2: \"3\" is a further value; a boolean column has at most 2 of the 6"),
        ("good", "constant", r"column 'good', row 1: \"b\" is a further value"),
        ("size", "colour", r"there is no kind 'colour'; the kinds are number, category"),
        ("nope", "number", r"there is no column 'nope'"),
    ],
)
def test_kinds_that_do_not_fit_are_refused(frame, name, kind, problem):
    with pytest.raises(SchemaError, match=problem):
        set_kind(propose_schema(frame), frame, name, kind)


def test_the_kind_of_the_target_follows_its_task(frame):
    schema = set_target(propose_schema(frame), frame, "good")
    with pytest.raises(SchemaError, match="'good' is the target; choose its task"):
        set_kind(schema, frame, "good", Kind.NUMBER)


def test_there_is_one_row_id(frame):
    schema = set_role(propose_schema(frame), "id", "row_id")
    schema = set_role(schema, "text", Role.ROW_ID)
    assert schema.row_id.name == "text"
    assert schema.column("id").role is Role.IGNORED
    assert "names rows" in schema.row_id.why


def test_roles_come_and_go(frame):
    schema = set_role(propose_schema(frame), "size", Role.IGNORED)
    assert "size" not in schema.feature_names
    assert "size" in set_role(schema, "size", Role.FEATURE).feature_names
    assert set_role(schema, "size", Role.IGNORED) is schema


def test_taking_the_role_from_the_target_leaves_no_task(frame):
    schema = set_role(set_target(propose_schema(frame), frame, "good"), "good", Role.IGNORED)
    assert schema.target is None
    assert schema.task is None
    assert schema.classes == ()


@pytest.mark.parametrize(
    ("name", "role", "problem"),
    [
        ("size", "target", "choose 'size' as the target together with its task"),
        ("size", "hero", "there is no role 'hero'; the roles are feature, target, ignored, row_id"),
        ("id", "feature", "of kind identifier, which cannot be learned from; set its kind first"),
    ],
)
def test_roles_that_do_not_fit_are_refused(frame, name, role, problem):
    frame = pd.concat([frame] * 5, ignore_index=True).assign(id=range(30))
    with pytest.raises(SchemaError, match=problem):
        set_role(propose_schema(frame), name, role)


def test_as_text_is_the_canonical_one():
    assert as_text(pd.Series([1.0, 2.5])).tolist() == ["1", "2.5"]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (_texts(["<=50K", "<=50K", ">50K"] * 5), Task.BINARY, ("<=50K", ">50K")),
        (_texts(["<=50K", ">50K", ">50K"] * 5), Task.BINARY, ("<=50K", ">50K")),
        (pd.Series([1, 2, 1] * 5), Task.BINARY, ("1", "2")),
        (pd.Series([1, -1, 1] * 5), Task.BINARY, ("-1", "1")),
        (pd.Series([1.5, 0.5, 1.5] * 5), Task.BINARY, ("0.5", "1.5")),
        (pd.Series([True, False, True] * 5), Task.BINARY, ("False", "True")),
        (_texts(["no", "Yes", "Yes"] * 5), Task.BINARY, ("no", "Yes")),
        (_texts(["ok", "ill", "ok"] * 5), Task.BINARY, ("ok", "ill")),
        (_texts(["b", "a"] * 5), Task.BINARY, ("a", "b")),
        (_texts(["c", "a", "b"] * 5), Task.MULTICLASS, ("a", "b", "c")),
        (pd.Series([10, 2, 3] * 5), Task.MULTICLASS, ("2", "3", "10")),
        (pd.Series([*range(15)]), Task.REGRESSION, ()),
        (pd.Series([1.5, 2.5, 3.0] * 5), Task.REGRESSION, ()),
        (pd.Series([1.0, 2.0, np.nan] * 5), Task.BINARY, ("1", "2")),
        (pd.Series([*range(21)] * 20)[:405], Task.REGRESSION, ()),
    ],
)
def test_the_task_is_found_from_the_target(values, task, classes):
    frame = pd.DataFrame({"x": RNG.normal(size=len(values)), "y": values.to_numpy()})
    frame["y"] = values.reset_index(drop=True)
    schema = set_kind(propose_schema(frame), frame, "y", Kind.CATEGORY)
    found = set_target(schema, frame, "y")
    assert found.task is task
    assert found.classes == classes
    assert found.target.name == "y"
    assert found.target.why.startswith("The target")


def test_task_and_positive_class_can_be_chosen(frame):
    schema = propose_schema(frame)
    assert set_target(schema, frame, "good", positive="a").classes == ("b", "a")
    assert set_target(schema, frame, "good", "multiclass").task is Task.MULTICLASS
    assert set_target(schema, frame, "size", "multiclass").classes == ("1", "2", "3", "4", "5", "7.5")
    assert set_target(schema, frame, "size", Task.REGRESSION).task is Task.REGRESSION


def test_a_former_target_keeps_the_kind_that_was_chosen_or_proposed_among_codes(frame):
    chosen = set_target(set_kind(propose_schema(frame), frame, "size", Kind.CATEGORY), frame, "size")
    assert set_target(chosen, frame, "good").column("size").why == "Kind category was chosen by the user."
    codes = pd.DataFrame({f"c{i}": RNG.integers(1, 5, N) for i in range(4)})
    schema = propose_schema(codes)
    assert set_target(set_target(schema, codes, "c0"), codes, "c1").column("c0") == schema.column("c0")
    meant = set_target(propose_schema(frame), frame, "text", "multiclass")
    assert set_target(meant, frame, "good").column("text").role is Role.FEATURE


def test_a_former_target_becomes_what_was_proposed(frame):
    schema = set_target(propose_schema(frame), frame, "good")
    changed = set_target(schema, frame, "size")
    assert changed.column("good") == propose_schema(frame).column("good")
    assert changed.target.name == "size"
    assert changed.task is Task.REGRESSION
    assert set_target(schema, frame, "good") == schema


@pytest.mark.parametrize(
    ("values", "options", "problem"),
    [
        (_texts([None] * 30), {}, "the target 'y' is missing in every row"),
        (_texts(["a"] * 29 + [None]), {}, "the target 'y' has one value only, \"a\""),
        (pd.Series(pd.date_range("2024-01-01", periods=30)), {}, "holds dates, which cannot be predicted"),
        (pd.Series(range(30)), {}, "of kind identifier, a different value in almost every row"),
        (_texts([f"a b c d {i}" for i in range(30)]), {}, "of kind text"),
        (_texts(["a", "b"] * 15), {"task": "regression"}, "column 'y', row 0: \"a\" is not a number"),
        (_texts(["a", "b", "c"] * 10), {"task": "binary"}, "a binary target has two values; 'y' has 3: \"a\""),
        (_texts(["a", "b"] * 15), {"task": "guess"}, "there is no task 'guess'; the tasks are auto, binary"),
        (_texts(["a", "b"] * 15), {"positive": "c"}, '"c" is no class of \'y\'; its classes are "a", "b"'),
        (_texts(["a", "b", "c"] * 10), {"positive": "c"}, "a positive class is chosen for two classes only"),
        (pd.Series(RNG.normal(size=150)), {"task": "multiclass"}, "150 different values; at most 100 can be classes"),
    ],
)
def test_targets_that_do_not_fit_are_refused(values, options, problem):
    frame = pd.DataFrame({"x": RNG.normal(size=len(values)), "y": values})
    with pytest.raises(SchemaError) as error:
        set_target(propose_schema(frame), frame, "y", **options)
    assert problem in str(error.value)


def test_an_unknown_target_is_named(frame):
    with pytest.raises(SchemaError, match="there is no column 'nope'; the columns are 'id', 'size'"):
        set_target(propose_schema(frame), frame, "nope")


def test_an_identifier_can_be_predicted_when_it_is_meant():
    frame = pd.DataFrame({"x": RNG.normal(size=30), "y": range(30)})
    assert set_target(propose_schema(frame), frame, "y", "regression").task is Task.REGRESSION


@pytest.mark.parametrize("name", ["<b>x</b>", "$x$", "![](http://a.b/c)", "🙂", "", " ", "a\nb", "'"])
def test_hostile_names_pass_through_unchanged(name):
    frame = pd.DataFrame({name: RNG.normal(size=30), "y": ["a", "b"] * 15})
    schema = set_role(set_target(propose_schema(frame), frame, "y"), name, Role.IGNORED)
    assert schema.columns[0].name == name
