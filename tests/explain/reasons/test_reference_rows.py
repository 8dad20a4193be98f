"""The reference: approved rows nearest to the cutoff, never the row itself, and a sentence where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError

RATING = TargetCodec(name="rating", task=Task.MULTICLASS, classes=("best", "mid", "worst"))
LOSS = TargetCodec(name="loss", task=Task.REGRESSION, mean=0.0, scale=1.0)


def scores(world) -> np.ndarray:
    return world.model.subject.logits(world.model.encoder.transform(world.frame))[:, 0]


@pytest.mark.parametrize("cutoff", [0.3, 0.5, 0.7])
def test_the_nearest_approved_rows_are_taken(reports, weights, cutoff):
    world = reports.World.of(lambda raw: raw @ weights, cutoff=cutoff)
    margin = scores(world) - np.log(cutoff / (1 - cutoff))
    expected = np.sort([index for index in np.argsort(margin) if margin[index] >= 0][:8])
    population = world.reference().population
    assert population.rows == tuple(expected.tolist())
    assert population.n_approved == int((margin >= 0).sum())
    assert population.n_candidates == len(world.frame)
    share = 1 / (1 + np.exp(-scores(world)[expected]))
    assert (population.low, population.high) == pytest.approx((share.min(), share.max()))
    assert population.low >= cutoff
    assert population.mean_score == pytest.approx(scores(world)[expected].mean())
    assert f"nearest to the cutoff of {cutoff:g}" in population.words


def test_a_row_is_not_its_own_reference(linear):
    shared = linear.reference().population
    row = shared.rows[0]
    own = linear.reference(row).population
    assert row not in own.rows
    assert len(own.rows) == len(shared.rows)
    assert len(set(own.rows) - set(shared.rows)) == 1
    assert own.n_approved == shared.n_approved - 1
    outside = int(np.flatnonzero(~linear.selected)[0])
    assert linear.reference(outside).population == shared


def test_the_cells_are_those_of_the_rows_in_their_order(linear, reports):
    sample = linear.reference()
    expected = linear.frame.iloc[list(sample.population.rows)][list(reports.NAMES)]
    np.testing.assert_array_equal(sample.cells.to_numpy(), expected.to_numpy())
    np.testing.assert_array_equal(sample.background.background.rows, sample.population.rows)


def test_few_rows_far_from_the_cutoff_are_not_called_near(reports, weights):
    assert reports.World.of(lambda raw: 0.1 * raw @ weights).reference().population.is_near
    assert not reports.World.of(lambda raw: 5 * raw @ weights).reference().population.is_near
    loss = {"codec": LOSS, "is_high_favourable": False, "frame": reports.numbers(300)}
    assert reports.World.of(lambda raw: raw @ weights, cutoff=0.0, n_reference=5, **loss).reference().population.is_near
    far = reports.World.of(lambda raw: raw @ weights, cutoff=0.0, n_reference=150, **loss).reference().population
    assert not far.is_near
    assert f"({-far.high:.4g} to {-far.low:.4g})" in far.words  # as predicted, not with the score's sign


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cutoff": 0.9}, r"none of 60 rows \(training rows\) is approved.*of 'yes' is 0\.5 and the cutoff 0\.9"),
        ({"codec": LOSS, "cutoff": 7.0}, r"the highest predicted 'loss' is 0 and the cutoff 7; choose a lower cutoff"),
        (
            {"codec": LOSS, "cutoff": -7.0, "is_high_favourable": False},
            r"the lowest predicted 'loss' is 0 and the cutoff -7; choose a higher cutoff",
        ),
        ({"codec": RATING, "favourable": "mid"}, r"'mid' is the likeliest class of no row.* is 0\.333"),
        ({"codec": RATING, "favourable": "mid", "cutoff": 0.5}, r"the highest probability of 'mid' is 0\.333"),
    ],
)  # fmt: skip
def test_where_nobody_is_approved_the_best_score_is_said(reports, asked, message):
    width = 3 if asked.get("codec") is RATING else 1
    with pytest.raises(ExplanationError, match=message):
        reports.World.of(lambda raw: np.zeros((len(raw), width)), **asked)


def test_the_only_approved_row_has_no_other_to_be_compared_with(reports):
    frame = reports.numbers()
    frame.loc[7, "a"] = 100.0
    world = reports.World.of(lambda raw: raw[:, 0] - 50, frame=frame)
    assert world.reference().population.rows == (7,)
    with pytest.raises(ExplanationError, match="row 7 is the only approved one of 60 rows"):
        world.reference(7)
