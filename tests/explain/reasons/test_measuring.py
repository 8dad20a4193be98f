"""Contributions, principal reasons and moves against models whose reasons are known by arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.reasons.measuring import principal_places


def declined(world) -> int:
    return int(np.flatnonzero(~world.selected)[0])


def approved(world) -> int:
    return int(np.flatnonzero(world.selected)[0])


def test_a_linear_model_gives_weight_times_distance_from_the_references_mean(linear, weights, reports):
    row = declined(linear)
    measured = linear.explain(row)
    mean = linear.reference(row).cells.mean().to_numpy()
    expected = weights * (linear.frame.iloc[row].to_numpy() - mean)
    np.testing.assert_allclose(measured.values, expected, atol=1e-5)
    adverse = [index for index in np.argsort(expected, kind="stable")[:4].tolist() if expected[index] < -1e-9]
    assert measured.principal == (adverse, [])
    np.testing.assert_allclose(measured.values[weights == 0], 0, atol=1e-12)
    assert [item.column for item in measured.contributions] == list(reports.NAMES)


@pytest.mark.parametrize("of", [declined, approved])
@pytest.mark.parametrize("n_evaluations", [512, 40])
def test_contributions_lead_from_the_references_mean_score_to_the_rows(reports, of, n_evaluations):
    """With interactions, exact and sampled."""
    world = reports.World.of(
        lambda raw: raw[:, 0] * raw[:, 1] + np.tanh(3 * raw[:, 2]) - 0.5 * raw[:, 3] ** 2 + 0.7,
        n_evaluations=n_evaluations,
    )
    row = of(world)
    measured = world.explain(row)
    reference = world.reference(row)
    scores = world.model.score.score(world.model.subject.logits(world.model.encoder.transform(reference.cells)))
    own = world.model.subject.logits(world.model.encoder.transform(world.cells(row)))[0, 0]
    assert measured.mean_score == pytest.approx(scores.mean())
    assert measured.told.value == pytest.approx(own)
    assert measured.values.sum() == pytest.approx(own - scores.mean(), abs=1e-9)
    assert (measured.errors is None) == (n_evaluations == 512)


def test_setting_a_reason_to_its_reference_value_moves_the_score_as_said(linear, weights, reports):
    row = declined(linear)
    measured = linear.explain(row)
    by_name = {item.column: item for item in measured.contributions}
    total = 0.0
    for place, (moved, flips) in zip(measured.principal[0], measured.moves, strict=True):
        name = reports.NAMES[place]
        value = float(by_name[name].reference)
        by_hand = weights[place] * (value - linear.frame.iloc[row][name])
        assert moved == pytest.approx(by_hand, abs=1e-4)
        assert flips == (measured.told.value + moved >= 0)
        assert value in linear.reference(row).cells[name].to_list()
        total += moved
    assert measured.joint is not None
    assert measured.joint.before == pytest.approx(measured.told.value)
    assert measured.joint.after == pytest.approx(measured.told.value + total, abs=1e-4)
    assert measured.joint.flips == (measured.joint.after >= 0)
    assert measured.opposed == ()


def test_a_row_that_holds_the_typical_value_is_compared_with_those_that_hold_another(reports):
    """Half of the reference holds the row's own value: moving it there would change nothing, though it counts."""
    frame = reports.numbers()
    frame["a"] = np.where(np.arange(len(frame)) % 7 < 5, 1.0, 1.1)
    world = reports.World.of(lambda raw: raw[:, 0] + raw[:, 1] + 0.0 * raw[:, 2], frame=frame, cutoff=0.6)
    row = int(np.flatnonzero(~world.selected & (frame["a"].to_numpy() == 1.0))[0])
    reference = world.reference(row).cells["a"]
    assert 0 < (reference != 1).sum() < len(reference) / 2
    own = world.explain(row).contributions[0]
    assert own.value == pytest.approx(1 - reference.mean(), abs=1e-5)
    assert (own.actual, own.reference) == ("1", "1.1")
    assert own.direction == "same"  # the usual value is not "lower than is usual"
    share = f"{100 * (reference != 1).mean():.0f} %"
    assert own.reference_detail.startswith(f"among the {share} that hold another value than this row")


def test_a_reason_that_counts_only_together_with_another_is_named(reports):
    """Two columns are low and their product is too: moving one alone to its typical value makes it worse."""
    frame = reports.numbers()
    frame[["a", "b"]] = 1.0 + 0.01 * frame[["a", "b"]].to_numpy()
    frame.loc[0, ["a", "b"]] = [-0.5, -0.2]
    world = reports.World.of(lambda raw: raw[:, 0] * raw[:, 1] - 1, frame=frame)
    measured = world.explain(0)
    assert {reports.NAMES[place] for place in measured.principal[0]} == {"a", "b"}
    moved = dict(zip((reports.NAMES[place] for place in measured.principal[0]), measured.moves, strict=True))
    assert moved["a"][0] == pytest.approx(1.5 * -0.2, abs=0.05)
    assert moved["b"][0] == pytest.approx(1.2 * -0.5, abs=0.05)
    assert set(measured.opposed) == {"a", "b"}
    assert measured.joint.flips == (measured.joint.after >= 0)
    assert measured.joint.after == pytest.approx(0, abs=0.05)


def test_nothing_is_a_reason_where_the_model_gives_one_score(reports):
    flat = reports.World.of(lambda raw: np.full(len(raw), 1.0))
    measured = flat.explain(3)
    assert not measured.values.any()
    assert measured.principal == ([], [])
    assert measured.moves == ()
    assert measured.joint is None


@pytest.mark.parametrize("classes", [("no", "yes"), ("yes", "no")])
@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_the_order_of_the_classes_changes_no_reason(linear, weights, reports, classes, task):
    sign = 1.0 if classes[1] == "yes" else -1.0
    codec = TargetCodec(name="granted", task=task, classes=classes)
    own = (lambda raw: sign * raw @ weights) if task is Task.BINARY else (
        lambda raw: np.stack([-sign * raw @ weights / 2, sign * raw @ weights / 2], axis=1)
    )  # fmt: skip
    world = reports.World.of(own, codec=codec, favourable="yes", cutoff=0.5)
    row = declined(linear)
    again, measured = world.explain(row), linear.explain(row)
    assert world.reference(row).population.rows == linear.reference(row).population.rows
    np.testing.assert_allclose(again.values, measured.values, atol=1e-6)
    assert again.principal == measured.principal
    assert [item.reference for item in again.contributions] == [item.reference for item in measured.contributions]
    np.testing.assert_allclose([move for move, _ in again.moves], [move for move, _ in measured.moves], atol=1e-6)


def test_the_order_of_the_columns_in_the_table_changes_no_reason(linear, reports):
    row = declined(linear)
    cells = linear.cells(row)[list(reversed(reports.NAMES))].assign(more="x")
    again = linear.model.measure(cells, row, linear.reference(row))
    np.testing.assert_array_equal(again.values, linear.explain(row).values)
    assert again.joint == linear.explain(row).joint


def test_of_several_classes_the_rival_is_what_the_row_was_given_instead(reports, weights):
    codec = TargetCodec(name="rating", task=Task.MULTICLASS, classes=("best", "mid", "worst"))
    world = reports.World.of(
        lambda raw: np.stack([raw @ weights, np.zeros(len(raw)), -(raw @ weights) - 4], axis=1),
        codec=codec,
        favourable="best",
    )
    row = declined(world)
    measured = world.explain(row)
    given = "mid" if linear_score(world, row, weights) > -4 else "worst"
    assert measured.score.rival == given == measured.told.predicted
    assert measured.told.value < 0
    # Its reasons against that class: nobody in the reference is below it, so something must speak against the row.
    assert measured.values.sum() < 0
    assert measured.principal[0]


def linear_score(world, row: int, weights: np.ndarray) -> float:
    return float(world.frame.iloc[row].to_numpy() @ weights)


@pytest.mark.parametrize("up", [True, False])
def test_a_quantity_has_reasons_towards_its_favourable_side(reports, weights, up):
    codec = TargetCodec(name="limit", task=Task.REGRESSION, mean=0.0, scale=1.0)
    world = reports.World.of(lambda raw: raw @ weights, codec=codec, cutoff=0.5, is_high_favourable=up)
    row = declined(world)
    measured = world.explain(row)
    sign = 1.0 if up else -1.0
    mean = world.reference(row).cells.mean().to_numpy()
    np.testing.assert_allclose(measured.values, sign * weights * (world.frame.iloc[row] - mean), atol=1e-5)
    assert measured.told.cutoff == sign * 0.5
    assert measured.told.margin < 0
    assert measured.told.share is None


def test_one_row_at_a_time(linear):
    with pytest.raises(ExplanationError, match="one row is reported on at a time, got 2"):
        linear.model.measure(linear.frame.iloc[:2], 0, linear.reference(0))


@settings(max_examples=60)
@given(
    arrays(np.float64, 7, elements=st.floats(-3, 3, width=32)),
    arrays(np.float64, 7, elements=st.floats(0, 1, width=32)),
    st.booleans(),
    st.integers(1, 4),
)
def test_principal_reasons_are_the_largest_that_can_be_told_from_nothing(values, errors, is_favourable, most):
    chosen, left_out = principal_places(values, errors, is_favourable=is_favourable, most=most)
    towards = values if is_favourable else -values
    assert len(chosen) <= most
    assert all(towards[place] > 1.959 * errors[place] for place in chosen)
    assert np.all(np.diff(towards[chosen]) <= 0)
    smallest = towards[chosen[-1]] if len(chosen) == most else 0.0
    others = [place for place in range(7) if place not in chosen]
    # Whatever is not chosen is smaller, speaks the other way, or cannot be told from 0.
    assert all(towards[place] <= smallest + 1e-8 or towards[place] <= 1.97 * errors[place] for place in others)
    assert all(0 < towards[place] <= 1.97 * errors[place] for place in left_out)
    assert not set(left_out) & set(chosen)
    exact, nothing = principal_places(values, None, is_favourable=is_favourable, most=most)
    assert set(nothing) == set()
    assert exact == [place for place in np.argsort(-towards, kind="stable")[:most].tolist() if towards[place] > 3e-9]


def test_missing_and_unseen_cells_are_said_with_their_reference(trained):
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.explain.reasons.measuring import CaseModel
    from tabnet_engine.explain.reasons.received import cells_received

    run, frame = trained
    model = CaseModel.of_run(run, ReportConfig())
    line = pd.DataFrame({"age": [None], "job": ["pilot"], "member": [True], "joined": ["2020-05-01"], "more": ["x"]})
    found = {cell.column: cell for cell in cells_received(model.encoder, line)}
    assert {name: cell.state for name, cell in found.items()} == {
        "age": "missing", "job": "unseen", "member": "known", "joined": "known", "more": "known",
    }  # fmt: skip
    assert found["age"].received == ""
    assert found["age"].shown == "missing"
    assert found["age"].encoded == "the state for a missing cell"
    assert found["job"].encoded == "the state for a category that training did not see"
    assert found["member"].encoded == "category 2 of 2"
    assert found["joined"].encoded.startswith("standardised parts year ")
    assert not found["more"].is_read
    assert cells_received(model.encoder, frame.iloc[[1]])[-1].column == "joined"  # the target is no input
