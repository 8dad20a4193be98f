"""Shares of repetitions that keep a row's leading columns: by hand, in JSON, against planted useless repetitions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.explain.trust.reasons import KeptReasons, kept_reasons, random_repetitions
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.explain.trust.stability import (
    Cause,
    decision_findings,
    decisions_of,
    importance_finding,
    kept_finding,
    other_backgrounds,
    perturbed_rows,
)

CAUSE = Cause(key="test", words="repeated in a test", how="Repeated.")
BINARY = TargetCodecs((TargetCodec("paid", Task.BINARY, ("no", "yes")),))


def row_values(values, rows=None, *, is_signed=True):
    values = np.asarray(values, dtype=float)
    return RowValues(
        method="shap" if is_signed else "masks",
        features=tuple(f"f{index}" for index in range(values.shape[1])),
        rows=np.arange(len(values)) if rows is None else np.asarray(rows),
        values=values,
        is_signed=is_signed,
    )


def test_shares_by_hand():
    original = row_values([[3.0, -2, 1, 0], [1, 0, 0, 0]], rows=[4, 8])
    repetitions = [
        row_values([[3.0, -2, 1, 0], [1, 0, 0, 0]], rows=[4, 8]),
        row_values([[3.0, 2, 1, 0]], rows=[4]),  # the second keeps its place, not its sign
        row_values([[0.0, 1, 5, -4]], rows=[4]),  # neither of the two leaders
    ]
    kept = kept_reasons(original, repetitions, cause="x", target="paid", top_k=2)
    assert kept.leaders.tolist() == [[0, 1], [0, -1]]
    np.testing.assert_allclose(kept.kept, [[2 / 3, 2 / 3], [1, np.nan]])
    np.testing.assert_allclose(kept.sign_kept, [[2 / 3, 1 / 3], [1, np.nan]])
    np.testing.assert_allclose(kept.row_share, [0.5, 1])
    assert kept.repetitions.tolist() == [3, 1]
    assert kept.sentences(4)[1] == (
        "f1 stayed among the leading columns in 67 % of 3 repetitions (x), with its sign in 33 %."
    )
    assert kept.sentences(5) == ()
    again = KeptReasons.from_mapping(json.loads(json.dumps(kept.to_mapping(), allow_nan=False)))
    np.testing.assert_array_equal(again.kept, kept.kept)
    assert again.to_mapping() == kept.to_mapping()


def test_masks_are_not_said_to_keep_a_sign():
    masks = row_values([[0.7, 0.3, 0]], is_signed=False)
    kept = kept_reasons(masks, [masks], cause="x", target="paid", top_k=1)
    assert kept.sentences(0) == ("f0 stayed among the leading columns in 100 % of 1 repetition (x).",)


def test_rows_never_repeated_and_rows_without_a_reason_are_undefined():
    kept = kept_reasons(row_values([[0.0, 0], [1, 2]]), [], cause="x", target="", top_k=3)
    assert np.isnan(kept.row_share).all()
    assert kept.sentences(1) == ()
    with pytest.raises(ValueError, match="sign more often"):
        KeptReasons(
            cause="", method="shap", target="", features=("a",), rows=np.arange(1), leaders=np.zeros((1, 1), int),
            values=np.ones((1, 1)), kept=np.zeros((1, 1)), sign_kept=np.ones((1, 1)), repetitions=np.ones(1, int),
        )  # fmt: skip


def stable_case(noise=0.2):
    generator = np.random.default_rng(2)
    truth = generator.normal(size=(40, 8)) ** 3
    again = [row_values(truth + noise * generator.normal(size=truth.shape)) for _ in range(4)]
    return row_values(truth), again


def test_stability_stands_and_useless_repetitions_do_not():
    original, again = stable_case()
    real = kept_finding(original, again, cause=CAUSE, top_k=3, seed=1)
    planted = kept_finding(original, random_repetitions(again, seed=500), cause=CAUSE, top_k=3, seed=1)
    assert real.stands
    assert not planted.stands
    assert real.estimate.low > planted.estimate.high
    assert real.estimate.high <= 1


def test_a_randomised_network_in_a_repetitions_place_falls():
    original, again = stable_case()
    random = row_values(np.random.default_rng(9).normal(size=(40, 8)))
    real = kept_finding(original, again, cause=CAUSE, top_k=3, seed=1, useless={"random weights": random})
    fallen = kept_finding(original, [random], cause=CAUSE, top_k=3, seed=1)
    assert real.stands
    assert fallen.estimate.high < real.estimate.low


def test_rows_that_are_always_kept_leave_room_for_doubt():
    original, _ = stable_case()
    found = kept_finding(original, [original, original], cause=CAUSE, top_k=3, seed=1)
    assert found.estimate.value == 1
    assert 0.85 < found.estimate.low < 1


def test_global_ranks_agree_between_like_trainings_only():
    original, again = stable_case()
    like = importance_finding([original, *again], seed=1)
    generator = np.random.default_rng(3)
    unlike = importance_finding([row_values(original.values[:, generator.permutation(8)]) for _ in range(5)], seed=1)
    assert like.stands
    assert unlike.estimate.value < 0.3
    assert like.estimate.value > 0.8
    alone = importance_finding([row_values(np.ones((4, 1)))] * 3, seed=1)
    assert alone.estimate.value is None


def test_decisions_of_like_networks_agree_and_shuffled_ones_do_not():
    own = {"paid": np.random.default_rng(0).integers(0, 2, 60)}
    flipped = {"paid": np.where(np.arange(60) < 6, 1 - own["paid"], own["paid"])}
    (like,) = decision_findings(own, [own, flipped], seed=2)
    assert like.estimate.value == pytest.approx(0.95)
    assert like.stands
    (unlike,) = decision_findings(own, [{"paid": np.random.default_rng(5).permutation(own["paid"])}], seed=2)
    assert not unlike.stands
    assert decisions_of(BINARY, np.array([[-1.0], [2.0]]))["paid"].tolist() == [0, 1]


def mixed_rows(cases, n_rows=30):
    table = cases.mixed_table(n_rows)
    return ChosenRows(table, np.arange(50, 50 + n_rows), "test rows"), cases.mixed_table(20, seed=1)


def mixed_model(cases, weight=1.0):
    return cases.NumpyModel(cases.mixed_layout(), lambda table: weight * np.nan_to_num(table.numeric[:, 0]))


def test_only_numbers_move_by_no_more_than_their_share_and_the_prediction_stays(cases):
    chosen, background = mixed_rows(cases)
    model = mixed_model(cases)
    tables = perturbed_rows(model, BINARY, chosen, background, fraction=0.1, n_repetitions=3, seed=4)
    assert 1 <= len(tables) <= 3
    scale = np.nanstd(background.numeric[:, 0].astype(float))
    for copies in tables:
        places = copies.rows - 50
        own = chosen.table.take(places)
        np.testing.assert_array_equal(copies.table.categorical, own.categorical)
        np.testing.assert_array_equal(copies.table.numeric[:, 1:], own.numeric[:, 1:])  # a date stays
        moved = np.abs(copies.table.numeric[:, 0] - own.numeric[:, 0])
        np.testing.assert_array_equal(np.isnan(moved), np.isnan(own.numeric[:, 0]))  # missing stays missing
        assert np.nanmax(moved) <= 0.1 * scale * (1 + 1e-5)
        assert np.nanmax(moved) > 0
        same = (model.logits(copies.table) > 0) == (model.logits(own) > 0)
        assert same.all()


def test_a_rows_copies_depend_on_seed_and_row_alone(cases):
    chosen, background = mixed_rows(cases)
    every = perturbed_rows(mixed_model(cases), BINARY, chosen, background, fraction=0.1, n_repetitions=2, seed=4)
    one = ChosenRows(chosen.table.take([11]), chosen.rows[[11]])
    alone = perturbed_rows(mixed_model(cases), BINARY, one, background, fraction=0.1, n_repetitions=2, seed=4)
    place = int(np.flatnonzero(every[0].rows == 61)[0])
    np.testing.assert_array_equal(alone[0].table.numeric[0], every[0].table.numeric[place])


def test_copies_that_change_the_prediction_are_left_out(cases):
    chosen, background = mixed_rows(cases)
    calls = []

    def fickle(table):
        calls.append(len(table))  # the rows themselves first, then their copies: those are all predicted otherwise
        return np.full(len(table), -1.0 if len(calls) == 1 else 1.0)

    model = cases.NumpyModel(cases.mixed_layout(), fickle)
    assert perturbed_rows(model, BINARY, chosen, background, fraction=0.1, n_repetitions=2, seed=4) == []
    price = TargetCodecs((TargetCodec("price", Task.REGRESSION),))
    tables = perturbed_rows(mixed_model(cases), price, chosen, background, fraction=0.05, n_repetitions=2, seed=4)
    assert len(tables[0]) == len(chosen), "a regression keeps what moves little"


def test_without_a_number_nothing_can_be_perturbed(cases):
    chosen, background = mixed_rows(cases)
    constant = background.take([3] * 4)
    with pytest.raises(ExplanationError, match="no column holds numbers that vary"):
        perturbed_rows(mixed_model(cases), BINARY, chosen, constant, fraction=0.1, n_repetitions=2, seed=4)


def test_other_backgrounds_are_drawn_from_the_same_rows(cases):
    sample = BackgroundSample(cases.background(6), cases.mixed_table(6))
    drawn = other_backgrounds(sample, n_repetitions=3, seed=0)
    assert len(drawn) == 3
    assert all(set(one.background.rows) <= set(sample.background.rows) for one in drawn)
    assert all(one.background.n_rows == 6 for one in drawn)
    place = int(drawn[0].background.rows[2])
    np.testing.assert_array_equal(drawn[0].encoded.numeric[2], sample.encoded.numeric[place])
    assert (drawn[0].background.rows != drawn[1].background.rows).any()
