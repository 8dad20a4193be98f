"""Permutation importance: known increases, intervals that cover, dummies at zero, true columns that lead."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError, JobCancelledError
from tabnet_engine.explain.effects.permutation import permutation_importance, random_deals
from tabnet_engine.explain.effects.permutation_result import PermutationImportance
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.pseudo_values import constant_loss, row_losses, score_pseudo_values
from tabnet_engine.explain.subject import ChosenRows, Steering
from tabnet_engine.training.metrics import evaluate

PRICE = TargetCodec("price", Task.REGRESSION)
BOUGHT = TargetCodec("bought", Task.BINARY, ("no", "yes"))
KIND = TargetCodec("kind", Task.MULTICLASS, ("a", "b", "c"))


def chosen(cases, values) -> ChosenRows:
    return ChosenRows(cases.plain_table(values), np.arange(len(values)), "test rows")


def linear(cases, weights, outputs=("price",)):
    weights = np.asarray(weights, dtype=float)
    return cases.NumpyModel(cases.plain_layout(len(weights)), lambda t: t.numeric.astype(float) @ weights, outputs)


@given(seed=st.integers(0, 30), codec=st.sampled_from([PRICE, BOUGHT, KIND]))
@settings(max_examples=30, deadline=None)
def test_pseudo_values_have_the_mean_that_the_metrics_of_a_training_have(seed, codec):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(40, len(codec.outputs))).round(1)
    y = generator.normal(size=40) if codec is PRICE else generator.integers(0, len(codec.classes), 40)
    scores = evaluate(codec.task, y, logits, codec.classes)
    loss, score = ("mse", "rmse") if codec is PRICE else ("log_loss", "auc")
    assert row_losses(codec, y, logits).mean() == pytest.approx(scores[loss])
    assert score_pseudo_values(codec, y, logits).mean() == pytest.approx(scores[score])


def test_the_spread_of_pseudo_values_is_delongs_variance_of_the_area():
    generator = np.random.default_rng(0)
    y, score = generator.integers(0, 2, 60), generator.normal(size=60).round(1)
    won = (score[y == 1][:, None] > score[y == 0]) + 0.5 * (score[y == 1][:, None] == score[y == 0])
    of_positive, of_negative = won.mean(axis=1), won.mean(axis=0)
    expected = of_positive.var() / len(of_positive) + of_negative.var() / len(of_negative)
    parts = score_pseudo_values(BOUGHT, y, score[:, None])
    assert parts.mean() == pytest.approx(won.mean())
    assert parts.var() / 60 == pytest.approx(expected)


def test_a_score_that_rows_do_not_define_is_none_and_perfect_rows_have_no_error():
    assert score_pseudo_values(BOUGHT, np.ones(4, dtype=int), np.zeros((4, 1))) is None
    assert score_pseudo_values(KIND, np.ones(4, dtype=int), np.zeros((4, 3))) is None
    assert score_pseudo_values(PRICE, np.ones(4), np.ones((4, 1))).tolist() == [0, 0, 0, 0]
    assert constant_loss(BOUGHT, np.array([0, 1])) == pytest.approx(np.log(2))
    assert constant_loss(KIND, np.array([1, 1])) == 0


def test_the_increase_of_a_linear_model_is_twice_the_squared_weight(cases):
    weights = np.array([2.0, -1.0, 0.0])
    hits = np.zeros((2, 2))
    for seed in range(100):
        generator = np.random.default_rng(seed)
        values = generator.normal(size=(120, 3))
        y = values @ weights + 0.5 * generator.normal(size=120)
        found = permutation_importance(
            linear(cases, weights), TargetCodecs((PRICE,)), chosen(cases, values), y, seed=seed
        ).of()
        rise, worse = found.loss_increase, found.metric_worse
        truth = 2 * weights[:2] ** 2
        hits[0] += (rise.low[:2] <= truth) & (truth <= rise.high[:2])
        truth = np.sqrt(0.25 + truth) - 0.5
        hits[1] += (worse.low[:2] <= truth) & (truth <= worse.high[:2])
        assert rise.values[2] == rise.low[2] == rise.high[2] == worse.values[2] == 0  # a dummy, exactly
    assert (hits >= 89).all()


def test_noise_that_the_model_reads_is_below_zero_at_times_and_its_interval_says_nothing(cases):
    below, covered = 0, 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        values = generator.normal(size=(100, 2))
        # The model gives x1 a weight that the truth does not, but the error of the truth is far larger.
        y = values[:, 0] + 2 * generator.normal(size=100)
        result = permutation_importance(
            linear(cases, [1.0, 0.02]), TargetCodecs((PRICE,)), chosen(cases, values), y, seed=seed
        )
        band = result.of().loss_increase
        below += band.values[1] < 0
        covered += band.low[1] <= 0 <= band.high[1]
        importance = result.importance()
        assert importance.values[1] == band.values[1]
        assert importance.shares.min() >= 0
    assert below >= 5
    assert covered >= 36


def test_groups_move_together_and_constant_columns_cost_nothing(cases):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(200, 4))
    values[:, 1] = values[:, 0]
    values[:, 3] = 7
    # Both columns carry the same news; the model reads their mean.
    model = linear(cases, [0.5, 0.5, 0.0, 3.0])
    players = Players.grouped(model.layout.feature_names, {"twins": ("x0", "x1")})
    y = values[:, 0] + 21
    alone = permutation_importance(model, TargetCodecs((PRICE,)), chosen(cases, values), y).of().loss_increase.values
    result = permutation_importance(model, TargetCodecs((PRICE,)), chosen(cases, values), y, players=players)
    together = result.of().loss_increase.values
    assert result.features == ("twins", "x2", "x3")
    assert result.groups == {"twins": ("x0", "x1")}
    assert together[0] == pytest.approx(2, rel=0.3)
    assert together[0] > 3 * max(alone[:2])
    assert alone[3] == together[2] == 0


def test_missing_cells_dates_and_categories_are_dealt_out_as_one_column(cases):
    table = cases.mixed_table(150)
    seen: list[np.ndarray] = []

    def function(encoded):
        seen.append(encoded.numeric[:, 1:4])
        return encoded.categorical[:, 0] - 2.5 + np.isnan(encoded.numeric[:, 0])

    model = cases.NumpyModel(cases.mixed_layout(), function)
    y = (np.random.default_rng(0).random(150) < 1 / (1 + np.exp(-function(table)))).astype(np.int64)
    result = permutation_importance(model, TargetCodecs((BOUGHT,)), ChosenRows(table, np.arange(150)), y)
    assert result.features == ("age", "joined", "job", "sex")
    assert result.of().loss_increase.values.argmax() == 2
    assert result.of().loss_increase.values[[1, 3]].tolist() == [0, 0]
    assert result.of().metric_worse.low[2] > 0.05  # worse is above zero, also where more of the score is better
    dates = {tuple(row) for row in np.nan_to_num(table.numeric[:, 1:4], nan=99)}
    dealt = {tuple(row) for part in seen for row in np.nan_to_num(part, nan=99)}
    assert dealt == dates  # the three slots of a date never part


TARGETS = TargetCodecs((KIND, TargetCodec("price", Task.REGRESSION, mean=100.0, scale=10.0)))


def several(cases, unit: float, n_rows: int = 200):
    """x0 decides the kind, x1 the price; the price is in some unit."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(n_rows, 3))
    logits = np.stack([2 * values[:, 0], np.zeros(n_rows), -2 * values[:, 0]], axis=1)
    kind = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    price = unit * (100 + 10 * (values[:, 1] + 0.3 * generator.normal(size=n_rows)))

    def function(t):
        x = t.numeric.astype(float)
        return np.stack([2 * x[:, 0], 0 * x[:, 0], -2 * x[:, 0], unit * (100 + 10 * x[:, 1])], axis=1)

    model = cases.NumpyModel(cases.plain_layout(3), function, outputs=TARGETS.outputs)
    codec = TargetCodec("price", Task.REGRESSION, mean=100 * unit, scale=10 * unit)
    return model, TargetCodecs((KIND, codec)), chosen(cases, values), np.column_stack([kind, price])


def test_targets_are_measured_apart_and_compared_without_their_units(cases):
    small, large = (permutation_importance(*several(cases, unit)) for unit in (1.0, 1e6))
    assert small.target_names == ("kind", "price")
    assert small.importance("kind").order[0] == 0
    assert small.importance("price").order[0] == 1
    np.testing.assert_allclose(small.importance().values, large.importance().values, rtol=1e-6)
    shares = [small.of(name).loss_increase.values / small.of(name).constant_loss for name in small.target_names]
    np.testing.assert_allclose(small.importance().values, np.mean(shares, axis=0))
    assert small.of("kind").constant_loss == pytest.approx(np.log(3), rel=0.1)
    both = small.importance()
    assert both.values[2] == 0
    assert (both.values[:2] > 0.3).all()
    assert "2 targets, each target counting the same" in both.note
    assert "'price' (squared error" in small.importance("price").note


def test_classes_and_slices_are_parts_and_add_up_to_all(cases):
    model, targets, rows, y = several(cases, 1.0)
    half = {"first half": np.arange(100), "second half": np.arange(100, 200)}
    result = permutation_importance(model, targets, rows, y, slices=half)
    assert set(result.parts) == {"kind = a", "kind = b", "kind = c", "first half", "second half"}
    halves = [result.of("price", name).loss_increase.values for name in half]
    np.testing.assert_allclose(np.mean(halves, axis=0), result.of("price").loss_increase.values)
    shares = [result.of("kind", f"kind = {name}") for name in "abc"]
    total = sum(part.n_rows * part.loss_increase.values for part in shares)
    np.testing.assert_allclose(total / 200, result.of("kind").loss_increase.values)
    assert shares[0].metric_worse is None  # one class alone has no ranking
    assert result.of("kind", "first half").metric_worse is not None
    assert "rows with kind = a" in result.importance("kind", "kind = a").note
    with pytest.raises(KeyError, match="was not measured"):
        result.of("kind", "nobody")


def test_a_target_that_is_the_same_in_all_rows_is_named_as_left_out(cases):
    model, targets, rows, y = several(cases, 1.0)
    y[:, 0] = 1
    result = permutation_importance(model, targets, rows, y)
    assert result.left_out == ("kind",)
    assert result.importance().order[0] == 1
    assert "Left out, being the same in all of these rows: kind." in result.importance().note


@pytest.mark.parametrize("n_rows", [2, 3, 50])
def test_no_row_keeps_its_own_cells_and_every_row_gives_them_once(n_rows):
    for deal in random_deals(n_rows, 20, seed=1):
        seen = [0]
        while deal[seen[-1]] not in seen:
            seen.append(int(deal[seen[-1]]))
        assert sorted(seen) == list(range(n_rows))


def test_two_rows_are_enough(cases):
    model, targets, rows, y = several(cases, 1.0)
    result = permutation_importance(model, targets, ChosenRows(rows.table.take([0, 1]), np.arange(2)), y[:2])
    assert np.isfinite(result.importance("price").values).all()


def test_a_slice_of_one_row_has_no_interval(cases):
    model, targets, rows, y = several(cases, 1.0)
    result = permutation_importance(model, targets, rows, y, slices={"one": np.array([3])})
    importance = result.importance("price", "one")
    assert importance.n_rows == 1
    assert importance.interval is None
    assert json.dumps(result.to_mapping(), allow_nan=False)


def test_the_columns_that_decided_lead_on_a_trained_run(run, frame):
    from tabnet_engine.explain.subject import Subject

    subject = Subject.of_run(run)
    encoded = run.encoder.transform(frame)
    y = run.targets.encode(frame)
    rows = ChosenRows.from_table(encoded, np.arange(len(frame)), "all rows")
    result = permutation_importance(subject, run.targets, rows, y, n_repeats=2)
    assert result.features == run.schema.feature_names
    assert result.run_id == run.manifest.run_id


def test_survives_json_and_repeats_by_its_seed(cases):
    model, targets, rows, y = several(cases, 1.0)
    first, second = (permutation_importance(model, targets, rows, y, seed=3) for _ in range(2))
    assert first.to_mapping() == second.to_mapping()
    assert permutation_importance(model, targets, rows, y, seed=4).to_mapping() != first.to_mapping()
    after = PermutationImportance.from_mapping(json.loads(json.dumps(first.to_mapping(), allow_nan=False)))
    assert after.to_mapping() == first.to_mapping()
    assert after.importance().to_mapping() == first.importance().to_mapping()
    assert "dealt out to other rows 5 times, seed 3" in first.sentences[0]


def test_many_rows_go_forward_in_batches(cases, monkeypatch):
    from tabnet_engine.explain.effects import swaps

    model, targets, rows, y = several(cases, 1.0)
    whole = permutation_importance(model, targets, rows, y)
    monkeypatch.setattr(swaps, "_ROWS_A_FORWARD", 250)
    model.calls.clear()
    assert permutation_importance(model, targets, rows, y).to_mapping() == whole.to_mapping()
    assert set(model.calls) == {200, 250}


def test_mistakes_are_one_clear_sentence(cases):
    model, targets, rows, y = several(cases, 1.0)
    with pytest.raises(ExplanationError, match="at least 2 repeats for its interval, got 1"):
        permutation_importance(model, targets, rows, y, n_repeats=1)
    one = ChosenRows(rows.table.take([0]), np.arange(1))
    with pytest.raises(ExplanationError, match="at least 2 rows with a known target, got 1"):
        permutation_importance(model, targets, one, y[:1])
    with pytest.raises(ExplanationError, match="the slice 'old' holds none of the 200 rows"):
        permutation_importance(model, targets, rows, y, slices={"old": np.array([], dtype=np.int64)})
    with pytest.raises(ExplanationError, match="a name of its own"):
        permutation_importance(model, targets, rows, y, slices={"": np.array([1])})
    with pytest.raises(JobCancelledError):
        permutation_importance(model, targets, rows, y, steering=Steering(should_cancel=lambda: True))
