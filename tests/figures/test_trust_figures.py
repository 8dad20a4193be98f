"""Deletion and insertion curves beside random orders, and the map of pushes: all of it drawn, none by colour alone."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.push_map import push_map
from tabnet_engine.explain.row_shares import RowShares
from tabnet_engine.explain.shap_summary import shap_summary
from tabnet_engine.explain.trust.faithfulness import Curve
from tabnet_engine.figures.agreement import row_share_scatter
from tabnet_engine.figures.attributions import mean_bars
from tabnet_engine.figures.push_map import push_heat_map
from tabnet_engine.figures.trust import faithfulness_curves
from tests.explain.conftest import make_attribution

HOSTILE = "<b>x</b> $y$ %{z}"


def curve(method: str, kind: str, heights: tuple[float, ...]) -> Curve:
    distances = tuple(Estimate(value=height, low=height - 0.1, high=height + 0.1, n=9) for height in heights)
    return Curve(method=method, target="t", kind=kind, shares=(0.0, 0.5, 1.0), distances=distances)


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_each_method_is_a_line_over_its_band_told_apart_without_colour(kind):
    methods = ("masks", "shap", "gradients", "")
    heights = {kind: (0.0, 1.0, 2.0), "": (2.0, 1.0, 0.0)}
    curves = [
        curve(name, each, heights.get(each, heights[""])) for name in methods for each in ("deletion", "insertion")
    ]
    figure = faithfulness_curves(curves, kind=kind, unit="log-odds of yes", subtitle="mean of 9 rows")
    lines = [trace for trace in figure.data if trace.name]
    bands = [trace for trace in figure.data if trace.fill]
    assert [line.name for line in lines] == ["random orders", "attention masks", "SHAP", "expected gradients"]
    assert len(bands) == 4
    assert len({(line.line.dash, line.marker.symbol) for line in lines}) == 4
    assert all(list(line.x) == [0, 50, 100] and list(line.y) == [0, 1, 2] for line in lines)
    assert "mean of 9 rows" in figure.layout.title.text
    assert "0.90 to 1.10" in lines[1].customdata[1]
    assert figure.layout.title.text.startswith(f"<b>{kind.capitalize()}")


def test_without_curves_it_says_so():
    assert "No curve" in faithfulness_curves([], kind="deletion", unit="u").layout.annotations[0].text


def test_the_map_draws_every_line_and_says_what_it_merges():
    values = make_attribution(np.random.default_rng(0).normal(size=(30, 3, 1)))
    exact = push_heat_map(push_map(values, "o0", order="score"), unit="u")
    drawn = exact.data[0]
    assert drawn.z.shape == (30, 3)
    assert drawn.zmin == -drawn.zmax
    assert "order: by the score" in exact.layout.title.text
    assert "mean of" not in exact.layout.title.text.replace("<br>", " ")
    merged = push_heat_map(push_map(values, "o0", max_lines=10), unit="u")
    assert merged.data[0].z.shape == (10, 3)
    assert "each line is the mean of 3 to 3 neighbouring rows" in merged.layout.title.text.replace("<br>", " ")
    unseen = next(trace for trace in merged.data if trace.type == "scatter" and trace.marker.opacity == 0)
    assert list(unseen.y) == list(range(10)), "what a box on the map selects"
    nothing = push_heat_map(push_map(make_attribution(np.zeros((0, 2, 1))), "o0"), unit="u")
    assert "no explained row" in nothing.layout.annotations[0].text


def test_one_column_in_every_row_is_drawn_once_with_its_row_number():
    read, moved = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]), np.array([[0.1, 0.9], [0.7, 0.3], [0.5, 0.5]])
    shares = RowShares(features=(HOSTILE, "b"), rows=np.array([4, 7, 9]), read=read, moved=moved)
    figure = row_share_scatter(shares, HOSTILE)
    groups = {trace.name: trace for trace in figure.data if trace.name}
    assert [data[0] for trace in groups.values() for data in trace.customdata] == [4, 7, 9]
    np.testing.assert_allclose(groups["read more than it moved"].x, [90])
    assert len({trace.marker.symbol for trace in groups.values()}) == 2
    assert "<b>x" not in figure.to_json().replace("\\u003c", "<")


def test_mean_bars_have_intervals_and_say_which_way():
    values = np.array([[[1.0], [0.1]], [[-3.0], [0.3]]])
    figure = mean_bars(shap_summary(make_attribution(values)), unit="u")
    (bars,) = figure.data
    assert list(bars.x) == pytest.approx([2.0, 0.2])
    assert list(bars.error_x.array) == pytest.approx([1.96, 0.196])  # 1.96 standard errors of two rows
    assert "up in 50 % of the rows<br>down in 50 % of the rows" in bars.customdata[0]
    assert (
        "no explained row"
        in mean_bars(shap_summary(make_attribution(np.zeros((0, 2, 1)))), unit="u").layout.annotations[0].text
    )
