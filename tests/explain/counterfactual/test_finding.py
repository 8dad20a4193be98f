"""Known boundaries and impossible limits; limits are never broken and what is found always flips."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.explain.counterfactual.constraints import Bond, Constraint, Constraints, Direction, Together
from tabnet_engine.explain.counterfactual.finding import find_counterfactuals
from tabnet_engine.explain.counterfactual.reference import Reference
from tabnet_engine.explain.counterfactual.result import CounterfactualResult, SearchSettings
from tabnet_engine.explain.counterfactual.scoring import RowScorer
from tabnet_engine.explain.counterfactual.wanted import wanted_class, wanted_other_class

ANY_LIKENESS = SearchSettings(min_usual=0.0)


def only(*names):
    """Everything but the named columns is fixed."""
    return [
        Constraint(column=name, fixed=True)
        for name in ("age", "income", "ratio", "job", "member", "joined")
        if name not in names
    ]


# --- known boundaries ------------------------------------------------------------------------------------------------


def test_the_change_of_a_single_column_is_minimal_in_the_datas_own_resolution(by_income):
    result = by_income.ask(by_income.row(income=30_000.0))
    best = result.counterfactuals[0].changes
    assert [(change.column, change.before, change.after) for change in best] == [("income", 30_000, 41_300)]
    assert isinstance(best[0].after, int)
    assert best[0].sentence == "income from 30000 to 41300 EUR"


def test_the_change_is_minimal_within_the_users_step(by_income):
    steps = [Constraint(column="income", step=2_500)]
    assert by_income.ask(by_income.row(income=30_000.0), steps).counterfactuals[0].changes[0].after == 42_500
    # Counted from the row's own value, not from zero.
    assert by_income.ask(by_income.row(income=30_100.0), steps).counterfactuals[0].changes[0].after == 42_600


def test_one_open_column_is_tried_in_full_and_none_is_then_a_proof(by_income):
    result = by_income.ask(by_income.row(), only("income"))
    assert result.is_exhaustive
    assert [item.changes[0].after for item in result.counterfactuals] == [41_300]
    assert "Only 1 of 3 differ in kind" in result.reason
    capped = by_income.ask(by_income.row(), [*only("income"), Constraint(column="income", high=41_200)])
    assert capped.counterfactuals == ()
    assert capped.is_exhaustive
    n_open = len(range(int(by_income.frame["income"].min()), 41_300, 100)) - 1  # its own value aside
    assert f"None within these limits: all {n_open} open combinations were tried" in capped.reason
    assert capped.nearest_miss.changes[0].after == 41_200
    assert capped.nearest_miss.shortfall == pytest.approx(0.005)
    assert "What came closest, changing income from 30000 to 41200 EUR" in capped.nearest_miss.sentence


def test_a_window_that_lies_between_is_found_where_the_far_end_does_not_flip(cells):
    world = cells.World.of(lambda raw: 5 - (raw["income"].fillna(0) - 60_000).abs() / 1_000)
    best = world.ask(world.row(income=30_000.0)).counterfactuals[0].changes
    assert [(change.column, change.after) for change in best] == [("income", 55_100)]


def test_two_columns_that_work_only_together_are_found(cells):
    def both(raw):
        return np.where((raw["age"].fillna(0) > 60) & (raw["ratio"] < 0.2), 1.0, -1.0)

    world = cells.World.of(both)
    best = world.ask(world.row(age=40.0, ratio=0.5)).counterfactuals[0].changes
    assert {change.column: change.after for change in best} == {"age": 61, "ratio": 0.19}


@pytest.mark.parametrize(
    ("column", "wish", "function"),
    [
        ("job", "nurse", lambda raw: np.where(raw["job"] == "nurse", 1.0, -1.0)),
        ("member", True, lambda raw: np.where(raw["member"] == "True", 1.0, -1.0)),
        ("joined", "2021-07-20", lambda raw: raw["joined"] - 18_827.5),
        ("ratio", 0.38, lambda raw: 0.385 - raw["ratio"]),
    ],
)
def test_every_kind_keeps_its_kind(cells, column, wish, function):
    world = cells.World.of(function)
    (change,) = world.ask(world.row()).counterfactuals[0].changes
    assert (change.column, change.after) == (column, wish)
    assert type(change.after) is type(wish)


def test_a_missing_cell_may_be_filled_and_is_emptied_only_where_allowed(cells, by_income):
    row = by_income.row()
    row.loc[0, "income"] = np.nan
    filled = by_income.ask(row).counterfactuals[0].changes[0]
    assert (filled.before, filled.before_text) == (None, "missing")
    assert filled.after >= 41_300
    stays = by_income.ask(row, [Constraint(column="income", direction=Direction.UP)])
    assert stays.counterfactuals == ()  # missing has no up

    world = cells.World.of(lambda raw: np.where(raw["job"] == "missing", 1.0, -1.0))
    assert world.ask(world.row()).counterfactuals == ()
    (emptied,) = world.ask(world.row(), [Constraint(column="job", missing_allowed=True)]).counterfactuals[0].changes
    assert (emptied.column, emptied.after, emptied.after_text) == ("job", None, "missing")
    numbers = cells.World.of(lambda raw: np.where(raw["age"].isna(), 1.0, -1.0))
    (age,) = numbers.ask(numbers.row(), [Constraint(column="age", missing_allowed=True)]).counterfactuals[0].changes
    assert (age.column, age.after) == ("age", None)


def test_a_category_never_seen_stays_or_is_replaced_by_a_known_one(cells):
    world = cells.World.of(lambda raw: np.where(raw["job"] == "pilot", 1.0, -1.0))
    (change,) = world.ask(world.row(job="astronaut")).counterfactuals[0].changes
    assert (change.before, change.after) == ("astronaut", "pilot")


# --- limits ----------------------------------------------------------------------------------------------------------


def test_fixed_columns_are_untouched_and_others_are_found_instead(additive):
    row = additive.row(income=20_000.0)
    free = additive.ask(row)
    used = {change.column for item in free.counterfactuals for change in item.changes}
    assert "income" in used
    bound = additive.ask(row, [Constraint(column="income", fixed=True)])
    assert bound.counterfactuals
    assert "income" not in {change.column for item in bound.counterfactuals for change in item.changes}


def test_columns_move_together_by_one_amount(cells):
    world = cells.World.of(lambda raw: raw["age"] - 50.5 + 0 * raw["ratio"])
    frame = world.frame.assign(income=world.frame["age"] - 18)  # years in the job
    world = cells.World.of(lambda raw: raw["age"].fillna(0) - 50.5, frame=frame)
    result = world.ask(
        world.row(age=40.0, income=5.0),
        together=[Together(columns=("age", "income"), bond=Bond.SAME_AMOUNT)],
    )
    best = {change.column: (change.before, change.after) for change in result.counterfactuals[0].changes}
    assert best == {"age": (40, 51), "income": (5, 16)}


def test_all_or_none_changes_the_others_along(by_income):
    bond = [Together(columns=("income", "job"), bond=Bond.ALL_OR_NONE)]
    result = by_income.ask(by_income.row(), together=bond)
    assert result.counterfactuals
    for item in result.counterfactuals:
        assert {"income", "job"} <= {change.column for change in item.changes}
    stuck = by_income.ask(by_income.row(), [Constraint(column="job", fixed=True)], together=bond)
    assert stuck.counterfactuals == ()


def test_same_direction_forbids_moving_apart(cells):
    def apart(raw):  # neither of the two is enough alone
        return 0.05 * (raw["age"].fillna(40) - 40) + (30_000 - raw["income"].fillna(30_000)) / 10_000 - 2.5

    world = cells.World.of(apart)
    row = world.row(age=40.0, income=30_000.0)
    assert world.ask(row).counterfactuals
    bond = [Together(columns=("age", "income"), bond=Bond.SAME_DIRECTION)]
    assert world.ask(row, together=bond).counterfactuals == ()


def test_fewer_changes_than_needed_is_none(cells):
    def all_three(raw):
        return (raw["age"].fillna(0) > 60) * 1.0 + (raw["ratio"] < 0.2) + (raw["job"] == "nurse") - 2.5

    world = cells.World.of(all_three)
    assert world.ask(world.row(), settings=SearchSettings(max_changes=2, min_usual=0)).counterfactuals == ()
    (best, *_) = world.ask(world.row(), settings=SearchSettings(max_changes=3, min_usual=0)).counterfactuals
    assert {change.column for change in best.changes} == {"age", "ratio", "job"}


def test_nothing_may_change(by_income):
    result = by_income.ask(by_income.row(), only())
    assert result.counterfactuals == ()
    assert result.nearest_miss is None
    assert "no column may change" in result.reason
    assert any("None within these limits" in sentence for sentence in result.sentences)


def test_what_is_unlike_all_training_rows_is_not_shown(cells):
    """Two columns go together in training; only their opposite would flip."""
    generator = np.random.default_rng(0)
    frame = cells.applicants(400, missing=0.0)
    age = generator.integers(20, 80, 400)
    frame = frame.assign(age=age.astype(float), ratio=((age + generator.integers(-2, 3, 400)) / 100).round(2))
    for name in ("income", "job", "member", "joined"):
        frame[name] = frame[name].iloc[0]

    def old_with_little(raw):
        return np.where((raw["age"] > 70) & (raw["ratio"] < 0.3), 1.0, -1.0)

    world = cells.World.of(old_with_little, frame=frame)
    row = frame.iloc[[int(np.argmin(np.abs(age - 50)))]].reset_index(drop=True)
    assert world.ask(row).counterfactuals
    result = world.ask(row, settings=SearchSettings(min_usual=0.01))
    assert result.counterfactuals == ()
    assert "less usual than 99 % of the training rows" in result.reason
    assert "too unlike the training rows" in result.nearest_miss.sentence


def test_several_are_of_different_kinds(additive):
    result = additive.ask(additive.row(income=20_000.0), settings=SearchSettings(n=4))
    assert len(result.counterfactuals) == 4
    kinds = {
        frozenset((change.column, change.after_text if not change.is_ordered else change.after > change.before)
                  for change in item.changes)
        for item in result.counterfactuals
    }  # fmt: skip
    assert len(kinds) == 4
    assert len({change.column for item in result.counterfactuals for change in item.changes}) >= 3


# --- properties ------------------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from(["age", "income", "ratio"])


@st.composite
def limit_sets(draw):
    columns = []
    for name in draw(st.sets(st.sampled_from(["age", "income", "ratio", "job", "member", "joined"]))):
        if draw(st.booleans()):
            columns.append(Constraint(column=name, fixed=True))
        elif name in {"age", "income", "ratio"}:
            scale = {"age": 1, "income": 100, "ratio": 0.01}[name]
            low = {"age": 25, "income": 20_000, "ratio": 0.1}[name]
            columns.append(
                Constraint(
                    column=name,
                    direction=draw(st.sampled_from(list(Direction))),
                    low=draw(st.sampled_from([None, low])),
                    high=draw(st.sampled_from([None, low * 3])),
                    step=draw(st.sampled_from([None, 5 * scale])),
                    missing_allowed=draw(st.booleans()),
                )
            )
        elif name == "job":
            columns.append(Constraint(column=name, categories=("nurse", "cook")))
        elif name == "member":
            columns.append(Constraint(column=name, direction=Direction.UP))
        else:
            columns.append(
                Constraint(column=name, direction=draw(st.sampled_from(list(Direction))), step=7, low="2020-06-01")
            )
    bonds = draw(
        st.sampled_from(
            [
                (),
                (Together(columns=("age", "income"), bond=Bond.SAME_DIRECTION),),
                (Together(columns=("age", "ratio"), bond=Bond.ALL_OR_NONE),),
                (Together(columns=("age", "income"), bond=Bond.SAME_AMOUNT),),
                (Together(columns=("job", "member"), bond=Bond.ALL_OR_NONE),
                 Together(columns=("income", "ratio"), bond=Bond.SAME_DIRECTION)),
            ]
        )
    )  # fmt: skip
    return Constraints(columns=tuple(columns), together=bonds)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=limit_sets(), place=st.integers(0, 199))
def test_limits_are_never_broken_and_everything_found_flips_when_scored_from_scratch(cells, additive, limits, place):
    row = additive.frame.iloc[[place]]
    now = additive.scorer.logits(row)
    wanted = wanted_other_class(additive.scorer.targets, now[0])
    result = find_counterfactuals(
        additive.scorer, additive.reference, row, wanted, constraints=limits, settings=SearchSettings(min_usual=0)
    )
    assert bool(result.counterfactuals) != bool(result.reason.startswith("None"))
    for item in result.counterfactuals:
        after = item.apply(row)
        assert cells.breaches(row, after, limits, additive.frame) == []
        fresh = additive.scorer.encoder.transform(after)
        np.testing.assert_allclose(additive.scorer.model.logits(fresh)[0], item.logits, atol=1e-9)
        assert (item.logits[0] > 0) != (now[0, 0] > 0)
        differ = (after[row.columns] != row) & ~(after[row.columns].isna() & row.isna())
        assert {change.column for change in item.changes} == set(row.columns[differ.iloc[0]])
        assert item.distance == pytest.approx(sum(change.distance for change in item.changes))
    restored = CounterfactualResult.from_mapping(json.loads(json.dumps(result.to_mapping())))
    assert restored.to_mapping() == result.to_mapping()
    restored.verify(additive.scorer, row)


def test_the_answer_depends_on_seed_and_row_number_alone(cells):
    def all_four(raw):  # far enough that partial changes are explored at random
        young, small = raw["age"].fillna(99) < 25, raw["ratio"] < 0.1
        return np.where(young & small & (raw["job"] == "pilot") & (raw["member"] == "True"), 1.0, -1.0)

    world = cells.World.of(all_four)
    row = world.row()
    first, again = (world.ask(row, row_number=7).to_mapping() for _ in range(2))
    assert first == again
    rebuilt = Reference.build(world.scorer, world.frame)
    wanted = wanted_class(world.scorer.targets, "yes")
    other = find_counterfactuals(world.scorer, rebuilt, row, wanted, settings=ANY_LIKENESS, row_number=7)
    assert other.to_mapping() == {**first, "constraints": other.constraints.to_mapping()}
    elsewhere = world.ask(row, row_number=8).to_mapping()
    assert elsewhere["n_scored"] != first["n_scored"]  # another row explores elsewhere


def test_what_a_search_of_a_wide_table_leaves_aside_is_said(cells):
    names = [f"x{place}" for place in range(45)]
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 100, (120, 45)).astype(float), columns=names)
    target = Column(name="granted", kind=Kind.CATEGORY, role=Role.TARGET)
    columns = tuple(Column(name=name, kind=Kind.NUMBER, integer=True) for name in names)
    encoder = TableEncoder.fit(
        frame, FeatureSchema(columns=(*columns, target), task=Task.BINARY, classes=("no", "yes"))
    )
    known = cells.codecs()
    scorer = RowScorer(cells.RawModel(encoder, lambda raw: raw[["x0", "x1"]].sum(axis=1) - 150.0), encoder, known)
    wide = cells.World(frame, scorer, Reference.build(scorer, frame))
    row = frame.iloc[[0]].assign(x0=10.0, x1=10.0)
    told = "Of 45 columns that may change, the 40 that came closest alone were also changed together"
    result = wide.ask(row)
    assert told in result.note
    assert CounterfactualResult.from_mapping(json.loads(json.dumps(result.to_mapping()))).note == result.note
    fixed = [Constraint(column=name, fixed=True) for name in names[10:]]
    assert "came closest alone" not in wide.ask(row, fixed).note
    many = wide.ask(row, settings=SearchSettings(max_changes=12, min_usual=0.0)).note
    assert "More than 8 changes were only taken from training rows" in many
