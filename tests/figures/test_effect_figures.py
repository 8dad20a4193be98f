"""Effect curves, interactions and surfaces as drawn; importances of methods and parts side by side."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.data.schema import Kind
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.curve import EffectCurve, RowCurves
from tabnet_engine.explain.effects.interaction_result import EffectSurface, Interactions
from tabnet_engine.explain.effects.points import GridPoints
from tabnet_engine.explain.effects.slices import SlicedImportance
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.importance_comparison import compare_importances
from tabnet_engine.figures.effects import effect_curve, interaction_bars, surface_map
from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.importance import method_bars
from tabnet_engine.figures.importance_parts import part_dots

HOSTILE = "<b>x</b> $y$ %{z}"
COLOR = "#1c6fc4"


def points(kind=Kind.NUMBER, *, feature="age", labels=("20", "30", "40", "missing")):
    is_category = kind is Kind.CATEGORY
    places = np.array([0.0, 1, 2, np.nan]) if is_category else np.array([20.0, 30, 40, np.nan])
    counts = np.array([50, 3, 20, 7])
    return GridPoints(feature=feature, kind=kind, labels=labels, places=places, counts=counts, has_missing=True)


def curve(kind=Kind.NUMBER, *, off=(0.0, 0.0, 0.9, 0.0), rows=True, **options):
    effect = np.array([[-1.0], [0.5], [2.0], [0.25]])
    grid = points(kind, **options)
    scores = np.stack([effect + 5, effect - 5])
    return EffectCurve(
        method="pdp",
        points=grid,
        outputs=("yes",),
        scale="logit",
        effect=Band.around(effect, np.full((4, 1), 0.1)),
        level=Band.around(np.zeros(1), np.ones(1)),
        n_rows=80,
        selection="test rows",
        seed=0,
        run_id="r",
        how="by hand",
        off_data=np.array(off),
        judged_with=("income",),
        row_curves=RowCurves(rows=np.array([1, 2]), scores=scores, own=np.array([0, 1])) if rows else None,
    )


def drawn(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_points_are_told_apart_by_their_form_and_missing_stands_apart():
    figure = effect_curve(curve(), "yes", color=COLOR, y="score")
    traces = drawn(figure)
    assert list(traces["such rows do not occur"].x) == [40]
    assert list(traces["fewer than 10 rows"].x) == [30, pytest.approx(42)]
    assert list(traces["mean effect"].x) == [20]
    symbols = {traces[name].marker.symbol for name in ("such rows do not occur", "fewer than 10 rows", "mean effect")}
    assert len(symbols) == 3
    assert [note.text for note in figure.layout.annotations] == ["missing"]
    # The line and its band end before the missing cells, whose point has an interval of its own.
    assert list(traces["95 % interval"].x) == [20, 30, 40, 40, 30, 20]
    assert list(traces["fewer than 10 rows"].error_y.array) == [pytest.approx(np.nan, nan_ok=True), pytest.approx(0.1)]


def test_single_rows_are_one_trace_on_the_scale_of_the_effect():
    lines = drawn(effect_curve(curve(), "yes", color=COLOR, y="score"))["2 single rows"]
    assert len(lines.y) == 8
    assert np.isnan(np.asarray(lines.y, dtype=float)[[3, 7]]).all()
    first, second = np.asarray(lines.y, dtype=float)[:3], np.asarray(lines.y, dtype=float)[4:7]
    np.testing.assert_allclose(first, second)  # they differ by a constant only
    assert "2 single rows" not in drawn(effect_curve(curve(), "yes", color=COLOR, y="s", row_curves=False))


def test_curves_beside_each_other_share_their_scale():
    uncertain = Band.around(curve().effect.values, np.full((4, 1), 9.0))
    low = dataclasses.replace(curve(rows=False), effect=uncertain)
    ranges = {
        tuple(effect_curve(item, "yes", color=COLOR, y="s", beside=(low, curve(rows=False))).layout.yaxis.range)
        for item in (low, curve(rows=False))
    }
    assert len(ranges) == 1
    (found,) = ranges
    assert found[0] < -10
    assert found[1] > 11


def test_categories_are_points_with_intervals_and_no_line():
    figure = effect_curve(curve(Kind.CATEGORY, labels=("a", "b", "c", "missing")), "yes", color=COLOR, y="s")
    assert list(figure.layout.xaxis.ticktext) == ["a", "b", "c", "missing"]
    assert all(trace.mode == "markers" for trace in figure.data if trace.type == "scatter")
    assert np.isfinite(np.asarray(drawn(figure)["mean effect"].error_y.array, dtype=float)).all()


def test_dates_stand_on_an_axis_of_dates():
    figure = effect_curve(curve(Kind.DATETIME), "yes", color=COLOR, y="s")
    assert str(drawn(figure)["mean effect"].x[0]).startswith("1970-01-21")


def test_the_hover_says_effect_interval_and_rows():
    (text,) = drawn(effect_curve(curve(), "yes", color=COLOR, y="s"))["such rows do not occur"].customdata
    assert "age: 40" in text
    assert "+2.00 against the mean, 95 % interval +1.90 to +2.10" in text
    assert "rows at this point: 20" in text
    assert "90 % of the combinations lie away from the data" in text


def interactions(columns=("age", "job", "income")):
    pairs = ((columns[0], columns[1]), (columns[0], columns[2]), (columns[1], columns[2]))
    size, share = np.array([[0.1], [0.4], [0.9]]), np.array([[0.2], [np.nan], [0.3]])
    return Interactions(
        columns=columns,
        pairs=pairs,
        outputs=("yes",),
        scale="logit",
        size=Band.around(size, np.full((3, 1), 0.05)),
        share=Band.around(share, np.zeros((3, 1))),
        rows=np.arange(20),
        selection="",
        n_resamples=400,
        seed=0,
        run_id="r",
    )


def test_interactions_of_a_column_are_its_pairs_the_strongest_on_top():
    figure = interaction_bars(interactions(), "yes", "age", color=COLOR, x="score")
    assert list(figure.layout.yaxis.ticktext) == ["income", "job"]
    assert list(figure.data[0].x) == [0.4, 0.1]
    assert "act together" in figure.data[0].customdata[0]
    nothing = interaction_bars(interactions(), "yes", "nobody", color=COLOR, x="score")
    assert "No pair" in nothing.layout.annotations[0].text


def surface():
    joint = np.arange(16, dtype=float).reshape(4, 4, 1) - 8
    counts = np.full((4, 4), 30)
    counts[0, 0], counts[1, 2] = 0, 4
    return EffectSurface(
        first=points(),
        second=points(Kind.CATEGORY, feature="job", labels=("a", "b", "c", "missing")),
        outputs=("yes",),
        scale="logit",
        joint=Band.around(joint, np.ones_like(joint)),
        interaction=Band.around(joint / 8, np.ones_like(joint)),
        counts=counts,
        n_rows=20,
        selection="",
        seed=0,
        run_id="r",
    )


def test_a_surface_has_the_first_column_across_and_marks_where_no_row_is():
    figure = surface_map(surface(), "yes", part="joint", unit="score")
    heat = figure.data[0]
    assert heat.z[2][1] == surface().joint.values[1, 2, 0]
    assert (heat.zmin, heat.zmax) == (-8, 8)
    assert heat.text[0][0] == "×"
    assert heat.text[2][1] == "·"
    assert heat.text[3][3] == ""
    assert "age = 30, job = c: −2.00 against the mean; rows of its own: 4" in heat.customdata[2][1]
    alone = surface_map(surface(), "yes", part="interaction", unit="score").data[0]
    assert (alone.zmin, alone.zmax) == (-8, 8), "one scale, so that a weak interaction looks weak"
    assert alone.z[3][3] == pytest.approx(7 / 8)


def importance(method, values, n_rows=10, features=("a", "b", "c")):
    return GlobalImportance(
        method=method,
        features=features,
        values=np.asarray(values, dtype=float),
        standard_error=np.full(len(values), 0.1),
        n_rows=n_rows,
        note="Note.",
    )


def test_methods_keep_their_lines_and_columns_their_colours():
    compared = compare_importances([importance("masks", [5, 3, 2]), importance("shap", [1, 1, 2])])
    scheme = ColorScheme.of(("a", "b", "c"), ())
    options = {"order": np.array([2, 0, 1]), "colors": scheme, "chosen": "a", "x": "x"}
    figures = [method_bars(compared, method, scale="share", **options) for method in ("masks", "shap")]
    assert [list(figure.layout.yaxis.ticktext) for figure in figures] == [["c", "<b>▸ a</b>", "b"]] * 2
    colors = [list(figure.data[0].marker.color) for figure in figures]
    assert colors[0] == colors[1] == [scheme.feature(name) for name in ("c", "a", "b")]
    assert list(figures[0].data[0].x) == pytest.approx([20, 50, 30])
    assert "rank 3: 20 % (95 % interval" in figures[0].data[0].customdata[0]
    own = method_bars(compared, "shap", scale="own", **options)
    assert list(own.data[0].x) == [2, 1, 1]


def sliced(names=("young", "old")):
    parts = {name: importance("shap", [1.0 + place, 2, 3], n_rows=place + 1) for place, name in enumerate(names)}
    nothing = Band.around(np.zeros(3), np.ones(3))
    return SlicedImportance(whole=importance("shap", [1, 2, 3]), parts=parts, differences=dict.fromkeys(parts, nothing))


def test_parts_are_marks_of_their_own_form_beside_the_bar_of_all_rows():
    figure = part_dots(sliced(), ["young", "old"], ["#111111", "#222222"], title="t", x="x")
    bar, young, old = figure.data
    assert list(bar.x) == [3, 2, 1]
    assert list(young.x) == [3, 2, 1]
    assert list(old.x) == [3, 2, 2]
    assert young.marker.symbol != old.marker.symbol
    assert (young.name, old.name) == ("young (1 row)", "old (2 rows)")
    assert "1.00 over 1 row, 95 % interval 0.80 to 1.20" in young.customdata[2]
    assert "no part" in part_dots(sliced(), [], [], title="t", x="x").layout.annotations[0].text


def test_no_name_is_taken_for_markup():
    hostile = curve(Kind.CATEGORY, feature=HOSTILE, labels=(HOSTILE, "b", "c", "missing"))
    compared = compare_importances([importance("masks", [5, 3, 2], features=(HOSTILE, "b", "c"))])
    figures = [
        effect_curve(hostile, "yes", color=COLOR, y=HOSTILE),
        interaction_bars(interactions((HOSTILE, "job", "x")), "yes", HOSTILE, color=COLOR, x=HOSTILE),
        part_dots(sliced((HOSTILE, "b")), [HOSTILE, "b"], ["#111111", "#222222"], title=HOSTILE, x=HOSTILE),
        method_bars(
            compared, "masks", order=np.arange(3), scale="own", colors=ColorScheme.of((HOSTILE,), ()), chosen=HOSTILE,
            x=HOSTILE,
        ),
    ]  # fmt: skip
    for figure in figures:
        text = figure.to_json().replace("\\u003c", "<")
        assert "<b>x" not in text
        assert "$y$" not in text
        assert "%{z}" not in text
