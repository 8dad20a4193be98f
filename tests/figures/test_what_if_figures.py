"""What moves when a value does: every step twice, every class twice."""

import numpy as np

from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.what_if import probability_change, step_change
from tests.explain.conftest import make_masks

HOSTILE = "<b>x</b> $y$ %{z}"


def pair(n_steps=3, n_features=5):
    before, after = (make_masks(n_rows=1, n_steps=n_steps, n_features=n_features, seed=seed) for seed in (1, 2))
    return before, after


def of_type(figure, kind):
    return [trace for trace in figure.data if trace.type == kind]


def test_every_step_is_drawn_as_it_is_and_changed():
    before, after = pair()
    figure = step_change(before, after, unit="score")
    (bars,) = of_type(figure, "bar")
    np.testing.assert_allclose(bars.y[0::2], before.contributions[:, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(bars.y[1::2], after.contributions[:, 0, 0], rtol=1e-6)
    (cells,) = of_type(figure, "heatmap")
    np.testing.assert_allclose(np.asarray(cells.z).sum(axis=0), 1.0, atol=1e-5)


def test_changed_columns_are_marked_and_never_left_out():
    before, after = pair(n_features=9)
    names = np.asarray(before.features)
    least = str(names[np.argmin(before.aggregate[0] + after.aggregate[0])])
    figure = step_change(before, after, unit="score", changed=[least], max_features=3)
    ticks = figure.layout.yaxis2.ticktext
    assert f"◆ {least}" in ticks
    assert len(ticks) == 4
    assert ticks[-1] == "all other columns"


def test_both_probabilities_of_every_class_are_drawn():
    colors = ColorScheme.of([], ("no", HOSTILE))
    figure = probability_change(("no", HOSTILE), np.array([0.9, 0.1]), np.array([0.2, 0.8]), colors=colors)
    now, changed = of_type(figure, "bar")
    np.testing.assert_allclose(now.x, [90, 10])
    np.testing.assert_allclose(changed.x, [20, 80])
    assert "<b>x" not in str(figure.to_dict()["layout"])
    assert "<b>x" not in str(now.customdata)


def test_only_the_most_probable_of_many_classes_are_drawn():
    names = tuple(f"class {number}" for number in range(20))
    shares = np.arange(20) / 190
    figure = probability_change(names, shares, shares, colors=ColorScheme.of([], names), max_classes=4)
    assert list(figure.layout.yaxis.ticktext) == list(names[16:])
    assert "16 less probable classes are not drawn" in figure.layout.title.text


def test_nothing_to_draw_is_said():
    before, after = pair(n_steps=0)
    assert "no decision step" in str(step_change(before, after, unit="u").layout.annotations)
