"""Targets in one form, fair rows, decisions that changed and reasons that changed, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.attribution import Attribution, Background
from tabnet_engine.explain.comparison.decisions import (
    Transitions,
    changed_positions,
    decision_rows,
    prediction_shift,
    transitions,
)
from tabnet_engine.explain.comparison.evidence import explained_label, stretches
from tabnet_engine.explain.comparison.reasons import (
    PairedReasons,
    ReasonChanges,
    paired_values,
    reason_changes,
    reason_rows,
)
from tabnet_engine.explain.comparison.rows import PairedScores
from tabnet_engine.explain.comparison.targets import SharedTarget, shared_targets, why_not_shared
from tabnet_engine.explain.stored_arrays import ROW_GROUP

COLOURS = SharedTarget(name="c", task=Task.MULTICLASS, classes=("red", "green", "blue"))
DECISION = SharedTarget(name="d", task=Task.BINARY, classes=("no", "yes"))
PRICE = SharedTarget(name="p", task=Task.REGRESSION, classes=())


def codecs(*items: TargetCodec) -> TargetCodecs:
    return TargetCodecs(items)


def paired(target: SharedTarget, first: list, second: list, y: list, **flags: list[bool]) -> PairedScores:
    n = len(y)
    seen = np.array(flags.get("seen", [False] * n))
    return PairedScores(
        target=target,
        rows=np.arange(10, 10 + n),
        y=np.array(y, dtype=float),
        first=np.array(first, dtype=float).reshape(n, -1),
        second=np.array(second, dtype=float).reshape(n, -1),
        seen=seen,
        tested=np.array(flags.get("tested", (~seen).tolist())),
        origin="",
    )


def test_classes_in_another_order_are_the_same_target() -> None:
    first = codecs(TargetCodec("c", Task.MULTICLASS, ("red", "green", "blue")))
    second = codecs(TargetCodec("x", Task.REGRESSION), TargetCodec("c", Task.MULTICLASS, ("blue", "red", "green")))
    (target,) = shared_targets(first, second)
    logits = np.array([[9.0, 3.0, 1.0, 2.0]])
    assert target.common(second, logits).tolist() == [[1.0, 2.0, 3.0]]
    assert target.output(second, "red") == (2, 1)
    assert why_not_shared(second, first)[0].startswith("x is predicted by one of the runs only")


def test_a_binary_target_is_compared_whichever_way_round_it_was_learned() -> None:
    plain = codecs(TargetCodec("d", Task.BINARY, ("no", "yes")))
    turned = codecs(TargetCodec("d", Task.BINARY, ("yes", "no")))
    double = codecs(TargetCodec("d", Task.MULTICLASS, ("yes", "no")))
    for other, logits in ((turned, [[-1.5]]), (double, [[2.0, 0.5]])):
        (target,) = shared_targets(plain, other)
        assert target == DECISION
        assert target.common(other, np.array(logits)).tolist() == [[1.5]]
    assert DECISION.output(turned, "yes") == (0, -1)
    assert DECISION.output(turned, "no") == (0, 1)
    assert DECISION.output(double, "yes") == (0, 1)
    assert [explained_label(DECISION, wanted) for wanted in ("", "no", "maybe")] == ["yes", "no", "yes"]
    assert explained_label(PRICE, "x") == ""


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (TargetCodec("d", Task.REGRESSION), "a quantity for one of the runs"),
        (TargetCodec("d", Task.BINARY, ("no", "maybe")), "different classes of d (maybe and yes in one"),
    ],
)
def test_what_cannot_be_compared_is_said(other: TargetCodec, words: str) -> None:
    mine = codecs(TargetCodec("d", Task.BINARY, ("no", "yes")))
    assert shared_targets(mine, codecs(other)) == ()
    assert words in why_not_shared(mine, codecs(other))[0]


def test_both_are_judged_on_test_rows_of_both_and_on_more_only_where_these_are_few() -> None:
    n = 250
    seen, tested = np.arange(n) < 50, np.arange(n) >= 150
    few = paired(DECISION, [0] * n, [0] * n, [0] * n, seen=seen.tolist(), tested=(np.arange(n) >= 240).tolist())
    many = paired(DECISION, [0] * n, [0] * n, [0] * n, seen=seen.tolist(), tested=tested.tolist())
    assert many.held_out()[0].n_rows == 100
    judged, words = few.held_out()
    assert (judged.n_rows, bool(judged.seen.any())) == (200, False)
    assert "Only 10 of them are test rows of both" in words
    foreign = paired(DECISION, [0] * n, [0] * n, [0] * n, tested=[False] * n)
    assert foreign.held_out()[0].n_rows == n


def test_moves_between_classes_and_whether_they_were_for_the_better() -> None:
    red, green, blue = np.eye(3) * 4
    scores = paired(
        COLOURS,
        [red, red, green, blue, red, blue],
        [red, green, red, blue, blue, green],
        [0, 1, 2, 2, 0, -1],
    )
    moves = transitions(scores)
    assert moves.counts.tolist() == [[1, 1, 1], [1, 0, 0], [0, 1, 1]]
    assert (moves.n_rows, moves.n_changed, moves.n_known) == (6, 4, 5)
    assert (moves.n_corrected, moves.n_spoiled, moves.n_both_wrong) == (1, 1, 1)
    assert moves.p_value == pytest.approx(1.0)
    assert moves.changed.value == pytest.approx(4 / 6)
    assert moves.table()["rows"].sum() == 6
    assert moves.table().iloc[-1].tolist() == ["blue", "blue", 1]
    assert Transitions.from_mapping(moves.to_mapping()).counts.tolist() == moves.counts.tolist()
    assert sorted(changed_positions(scores).tolist()) == [1, 2, 4, 5]
    assert changed_positions(scores, from_class="red", to_class="green").tolist() == [1]
    assert changed_positions(scores, from_class="blue", to_class="blue").tolist() == [3]
    table = decision_rows(scores, [5, 1])
    assert table["row"].tolist() == [15, 11]
    assert table["actual"].isna().tolist() == [True, False]
    assert table["actual"][1] == "green"
    assert (table["change"] > 0).all()


def test_mcnemars_test_counts_discordant_rows_alone() -> None:
    first, second = [-1.0] * 8 + [1.0] * 20, [1.0] * 28
    moves = transitions(paired(DECISION, first, second, [1] * 28))
    assert (moves.n_corrected, moves.n_spoiled) == (8, 0)
    assert moves.p_value == pytest.approx(2 * 0.5**8)
    assert transitions(paired(DECISION, first, second, [-1] * 28)).p_value is None


def test_a_quantity_moves_by_an_amount() -> None:
    scores = paired(PRICE, [1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 2.0, 4.5], [1.0, 4.0, np.nan, 4.0])
    shift = prediction_shift(scores)
    assert shift.mean.value == pytest.approx(1.5 / 4)
    assert shift.size.value == pytest.approx(3.5 / 4)
    assert (shift.nearer.value, shift.nearer.n) == (pytest.approx(1 / 3), 3)
    assert sum(shift.counts) == 4
    assert changed_positions(scores).tolist() == [1, 2, 3]
    assert decision_rows(scores, [1])["change"].tolist() == [2.0]
    with pytest.raises(ValueError, match="no classes"):
        transitions(scores)


def test_reasons_of_runs_with_other_columns() -> None:
    pair = PairedReasons(
        method="shap",
        features=("a", "b", "c"),
        rows=np.array([3, 5, 7]),
        first=np.array([[3.0, 1.0, 0.0], [0.0, -2.0, 1.0], [0.0, 0.0, 0.0]]),
        second=np.array([[2.0, 0.5, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]),
    )
    found = reason_changes(pair, top_k=2)
    assert found.same_first.value == pytest.approx(2 / 3)  # nobody leads the last row in either
    assert found.same_set.value == pytest.approx(2 / 3)
    assert found.overlap.value == pytest.approx((1 + 1 / 3) / 2)
    assert found.opposite is not None
    assert found.opposite.value == pytest.approx(1 / 3)
    turned = reason_changes(pair.take([1, 1, 0]), top_k=2).opposite
    assert turned is not None
    assert turned.value == pytest.approx(2 / 3)
    assert {share.feature: (share.first, share.second) for share in found.shares} == {
        "a": (pytest.approx(1 / 3), pytest.approx(2 / 3)),
        "b": (pytest.approx(2 / 3), pytest.approx(2 / 3)),
        "c": (pytest.approx(1 / 3), 0.0),
    }
    assert found.moves == (("a", "a", 1), ("b", "a", 1))
    assert ReasonChanges.from_mapping(found.to_mapping()).to_mapping() == found.to_mapping()
    assert pair.changed(2).tolist() == [False, True, False]
    table = reason_rows(pair, [1], top_k=2)
    assert table[["row", "first", "second"]].iloc[0].tolist() == [5, "− b, + c", "+ a, + b"]


def test_signed_values_are_paired_by_row_by_column_and_by_class() -> None:
    background = Background(description="", rows=np.array([0]), n_population=1)

    def values(features: tuple[str, ...], rows: list[int], cells: list) -> Attribution:
        shaped = np.array(cells, dtype=float)[:, :, None]
        return Attribution(
            method="shap", features=features, outputs=("yes",), rows=np.array(rows), values=shaped, base=np.zeros(1),
            logits=shaped.sum(axis=1), background=background, n_evaluations=1, n_permutations=1, seed=0,
            additivity_error=0.0,
        )  # fmt: skip

    first = values(("a", "b"), [1, 4], [[1, 2], [3, 4]])
    second = values(("c", "a"), [4, 6], [[5, 6], [7, 8]])
    pair = paired_values(first, second, outputs=((0, 1), (0, -1)))
    assert pair is not None
    assert (pair.features, pair.rows.tolist()) == (("a", "b", "c"), [4])
    assert pair.first.tolist() == [[3, 4, 0]]
    assert pair.second.tolist() == [[-6, 0, -5]]
    assert paired_values(first.take([0]), second, outputs=((0, 1), (0, 1))) is None


def test_a_sample_of_masks_lies_in_whole_stretches_of_the_table() -> None:
    rows = np.arange(0, 40 * ROW_GROUP, 7)
    chosen = stretches(rows, 8 * ROW_GROUP // 7)
    assert len(np.unique(chosen // ROW_GROUP)) == 8
    assert np.isin(chosen, rows).all()
    assert {0, 39} <= set((chosen // ROW_GROUP).tolist())
    assert len(stretches(rows[:10], 100)) == 10
