"""How often a reason stays: against arithmetic where the answer is known, and what does not count."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.players import Players
from tabnet_engine.explain.reasons import robustness
from tabnet_engine.explain.reasons.robustness import MOVED, REDRAWN, kept_outcome_of, kept_reasons_of, robustness_words
from tabnet_engine.explain.signed.mixtures import mixtures_of


def declined(world) -> int:
    return int(np.flatnonzero(~world.selected)[0])


def shares(measured, cause: str, **asked) -> list[float]:
    kept = kept_reasons_of(measured, **{"n_repetitions": 12, "seed": 0, **asked})
    return [next(item.share for item in reason if item.cause == cause) for reason in kept]


def test_a_reason_that_towers_above_all_others_always_stays(reports):
    frame = reports.numbers()
    frame.loc[:, "a"] = np.abs(frame["a"])
    frame.loc[0, "a"] = -9.0
    world = reports.World.of(lambda raw: 4 * raw[:, 0] + raw[:, 1] * 0.01, frame=frame, max_reasons=1)
    measured = world.explain(0)
    assert [reports.NAMES[place] for place in measured.principal[0]] == ["a"]
    assert shares(measured, MOVED) == [1.0]
    assert shares(measured, REDRAWN) == [1.0]


def test_what_each_reference_row_adds_averages_to_the_contributions(reports):
    """With two-way interactions one order there and back is exact, so the mean must be too; and so must each row be."""
    world = reports.World.of(lambda raw: raw[:, 0] * raw[:, 1] + raw[:, 2] + 0.2, n_evaluations=512)
    row = declined(world)
    measured, sample = world.explain(row), world.reference(row).background
    mixtures = mixtures_of(world.model.subject, Players.columns(reports.NAMES), sample.encoded)
    generator = np.random.default_rng(0)
    values = robustness._by_reference_row(measured, measured.chosen.table, sample.encoded, mixtures, generator)
    np.testing.assert_allclose(values.mean(axis=0), measured.values, atol=1e-9)
    own, others = world.frame.iloc[row].to_numpy(), world.reference(row).cells.to_numpy()
    np.testing.assert_allclose(values[:, 2], own[2] - others[:, 2], atol=1e-6)
    expected = (own[0] - others[:, 0]) * (own[1] + others[:, 1]) / 2  # half of a product goes to either factor
    np.testing.assert_allclose(values[:, 0], expected, atol=1e-6)


def test_drawing_the_reference_again_gives_the_bootstraps_share(linear, weights, reports):
    """The share of draws in which a column is among the principal reasons, counted by hand on a linear model."""
    row = declined(linear)
    measured, cells = linear.explain(row), linear.reference(row).cells.to_numpy()
    generator = np.random.default_rng([0, row, 8])
    n_varying = len(reports.NAMES)
    generator.random((len(cells), n_varying))  # the orders are drawn first
    draws = generator.integers(0, len(cells), (12, len(cells)))
    values = weights * (linear.frame.iloc[row].to_numpy() - cells)
    counted = np.zeros(len(measured.principal[0]))
    for drawn in draws:
        adverse = -values[drawn].mean(axis=0)
        leading = [place for place in np.argsort(-adverse, kind="stable")[:4].tolist() if adverse[place] > 1e-8]
        counted += [place in leading for place in measured.principal[0]]
    assert shares(measured, REDRAWN) == pytest.approx((counted / 12).tolist())


def test_copies_that_are_decided_otherwise_do_not_count(reports):
    """A row at the very edge: about half of its copies are approved."""
    frame = reports.numbers()
    frame.loc[0] = 0.0
    frame.loc[0, "a"] = -0.0001
    world = reports.World.of(lambda raw: raw[:, 0], frame=frame)
    measured = world.explain(0)
    kept = kept_reasons_of(measured, n_repetitions=12, seed=0)
    moved = next(item for item in kept[0] if item.cause == MOVED)
    # Copies whose likeliest class changes are left out from the start, and others are drawn in their place.
    assert moved.n_repetitions == 12
    shifted = reports.World.of(lambda raw: raw[:, 0] + 1, frame=frame, cutoff=float(1 / (1 + np.exp(-1.0))))
    again = kept_reasons_of(shifted.explain(0), n_repetitions=12, seed=0)
    moved = next(item for item in again[0] if item.cause == MOVED)
    assert 0 < moved.n_repetitions < 12


def test_the_outcome_stays_as_often_as_copies_by_hand_are_decided_alike(reports):
    frame = reports.numbers()
    frame.loc[0] = 0.0
    for start in (-0.01, -3.0):
        frame.loc[0, "a"] = start
        world = reports.World.of(lambda raw: raw[:, 0], frame=frame)
        measured = world.explain(0)
        moves = np.random.default_rng((0, 0, 2)).uniform(-1, 1, (100, len(reports.NAMES)))[:, 0]
        spread = world.reference(0).cells["a"].std(ddof=0)
        expected = float(((start + 0.05 * spread * moves).round(4) < 0).mean())
        kept = kept_outcome_of(measured, n_repetitions=1, seed=0)
        assert (kept.share, kept.n_repetitions) == (pytest.approx(expected, abs=0.011), 100)
    assert expected == 1.0
    assert kept_outcome_of(measured, n_repetitions=0, seed=0) is None


def test_nothing_is_repeated_where_nothing_is_asked_for_or_there_is_no_reason(linear, reports):
    measured = linear.explain(declined(linear))
    assert kept_reasons_of(measured, n_repetitions=0, seed=0) == ((),) * len(measured.principal[0])
    assert "was not measured" in robustness_words(measured, 0)
    flat = reports.World.of(lambda raw: np.full(len(raw), 1.0)).explain(0)
    assert kept_reasons_of(flat, n_repetitions=3, seed=0) == ()


def test_repetitions_depend_on_the_seed_and_the_row_alone(linear):
    measured = linear.explain(declined(linear))
    first = kept_reasons_of(measured, n_repetitions=5, seed=3)
    assert first == kept_reasons_of(linear.explain(declined(linear)), n_repetitions=5, seed=3)
