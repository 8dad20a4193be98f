"""Maps of masks, averages by step, and readable numbers in their cells."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.schema import Kind
from tabnet_engine.explain.archetype_finding import find_archetypes
from tabnet_engine.explain.mask_flow import reading_flow
from tabnet_engine.explain.mask_orders import order_rows, order_rows_by_column
from tabnet_engine.explain.mask_rows import mask_map
from tabnet_engine.explain.mask_summaries import summarise_masks
from tabnet_engine.explain.row_parts import RowParts
from tabnet_engine.explain.step_effects import effect_table, step_effects, step_effects_by_part
from tabnet_engine.figures.archetypes import archetype_map
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity, scale_legend, shade_legend
from tabnet_engine.figures.flow import reading_flow_figure
from tabnet_engine.figures.identity import ColorScheme
from tabnet_engine.figures.mask_maps import mask_maps
from tabnet_engine.figures.masks import reading_counts, step_feature_map, step_shares
from tabnet_engine.figures.steps import step_effect_bars
from tabnet_engine.figures.theme import NEUTRAL, color, empty
from tests.explain.conftest import make_masks

HOSTILE = "<b>x</b> $y$ %{z}"


@pytest.fixture
def summary():
    return summarise_masks(make_masks(n_rows=30, n_steps=3, n_features=4))


def nobody():
    return make_masks().take(np.array([], dtype=np.int64))


def drawn_map(masks, order="score", **options):
    return mask_map(masks, order_rows(masks, order, **options))


def heats(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


@pytest.mark.parametrize("sideways", [False, True])
def test_every_step_has_a_panel_and_all_share_one_scale_and_one_order(sideways):
    record = drawn_map(make_masks(n_rows=8, n_steps=3))
    figure = mask_maps(record, unit="log-odds of yes", sideways=sideways)
    assert len(heats(figure)) == 4
    for trace, masks in zip(heats(figure), [*record.masks, record.aggregate], strict=True):
        np.testing.assert_array_equal(trace.z, masks if sideways else masks.T)
        assert trace.coloraxis == "coloraxis"
        assert tuple(trace.y if sideways else trace.x) == record.labels
        assert tuple(trace.x if sideways else trace.y) == record.features
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    titles = [note.text for note in figure.layout.annotations]
    assert titles[:4] == ["Log-odds of yes", "Step 1", "Step 2", "Step 3"]


def test_steps_and_aggregate_can_be_chosen():
    record = drawn_map(make_masks(n_steps=2))
    assert len(heats(mask_maps(record, unit="u", aggregate=False))) == 2
    (only,) = heats(mask_maps(record, unit="u", steps=[1], aggregate=False))
    np.testing.assert_array_equal(only.z, record.masks[1].T)
    (whole,) = heats(mask_maps(record, unit="u", steps=[]))
    np.testing.assert_array_equal(whole.z, record.aggregate.T)


def test_the_points_of_the_score_can_be_selected_and_name_their_group():
    masks = make_masks(n_rows=5)
    kinds = RowParts(title="archetype", names=("<a>", "b"), codes=np.array([0, 0, 0, 1, 1]))
    figure = mask_maps(drawn_map(masks, "path", archetypes=kinds), unit="u")
    points = figure.data[0]
    assert points.type == "scatter"
    assert points.customdata.tolist() == ["&lt;a&gt;<br>"] * 3 + ["b<br>"] * 2
    assert figure.layout.dragmode == "select"
    (border,) = figure.layout.shapes
    assert border.x0 == border.x1 == 2.5


def test_the_number_that_rows_are_ordered_by_has_a_panel():
    masks = make_masks(n_rows=4)
    rows = order_rows_by_column(masks, pd.Series([3.0, 1.0, np.nan, 2.0], name="age"), Kind.NUMBER)
    figure = mask_maps(mask_map(masks, rows), unit="u", key_name="age")
    np.testing.assert_array_equal(figure.data[1].y, [1, 2, 3, np.nan])
    assert figure.layout.annotations[1].text == "age"


def test_a_wide_table_gets_thinner_lines_and_a_narrow_one_room():
    heights = [mask_maps(drawn_map(make_masks(n_features=size)), unit="u").layout.height for size in (2, 20, 60)]
    assert heights == sorted(heights)
    assert heights[2] < 3 * heights[1]


def test_a_full_map_is_small_enough_to_send():
    for n_features in (12, 60):
        record = drawn_map(make_masks(n_rows=1_500, n_steps=4, n_features=n_features))
        assert len(mask_maps(record, unit="u").to_json()) < 600_000


def test_no_map_takes_a_name_for_markup(summary):
    named = dataclasses.replace(summary, features=(HOSTILE, "b", "c", "d"))
    masks = dataclasses.replace(make_masks(n_features=4, n_steps=2), features=(HOSTILE, "b", "c", "d"))
    flow = reading_flow_figure(reading_flow(masks), ColorScheme.of(masks.features, ()))
    ways = archetype_map(find_archetypes(masks))
    effects = step_effect_bars({HOSTILE: step_effects([masks])}, output=0, unit=HOSTILE)
    for figure in (step_feature_map(named), mask_maps(drawn_map(masks), unit=HOSTILE), flow, ways, effects):
        text = figure.to_json().replace("\\u003c", "<")
        assert "<b>x" not in text
        assert "$y$" not in text
        assert "%{z}" not in text


def test_the_flow_keeps_the_colours_of_its_columns_and_all_of_the_reading():
    masks = make_masks(n_rows=30, n_steps=3, n_features=5)
    flow = reading_flow(masks, max_columns=3)
    scheme = ColorScheme.of(flow.columns, ())
    (trace,) = reading_flow_figure(flow, scheme).data
    expected = [*(scheme.feature(name) for name in flow.columns), NEUTRAL]
    assert list(trace.node.color) == expected * 3
    assert list(trace.node.label)[:4] == [*flow.columns, "2 other columns"]
    assert sum(trace.link.value) == pytest.approx(2, abs=0.05)
    places = list(trace.node.y)[:4]
    assert places == sorted(places)
    assert (
        "one decision step"
        in reading_flow_figure(reading_flow(make_masks(n_steps=1)), scheme).layout.annotations[0].text
    )


def test_what_steps_add_is_drawn_with_sign_and_size_for_every_part():
    masks = make_masks(n_rows=12, n_steps=2)
    parts = RowParts(title="class", names=("no", "yes", "none"), codes=np.arange(12) % 2)
    effects = dict(zip(parts.names, step_effects_by_part([masks], parts), strict=True))
    figure = step_effect_bars(effects, output=0, unit="log-odds")
    signed, size = figure.data[0], figure.data[1]
    np.testing.assert_allclose(signed.x, [effects[name].mean[0, 0] for name in ("no", "yes")])
    np.testing.assert_allclose(size.x, [effects[name].size[0, 0] for name in ("no", "yes")])
    assert (np.asarray(size.x) >= np.abs(signed.x)).all()
    assert [trace.marker.color for trace in figure.data] == [color(0), color(0), color(1), color(1)]
    table = effect_table(effects)
    assert len(table) == 3 * 2 * len(masks.outputs)


def test_ways_of_reading_show_the_masks_of_their_steps():
    found = find_archetypes(make_masks(n_rows=40, n_steps=2, n_features=4), n_archetypes=2)
    figure = archetype_map(found)
    names = list(figure.layout.yaxis.ticktext)
    step = found.archetypes[1].path[0]
    for column, share in step.columns:
        assert figure.data[0].z[names.index(column)][2] == pytest.approx(share)
    assert found.path_table()["share of the mask"].max() <= 1


def test_the_step_map_holds_the_means_and_the_aggregate(summary):
    figure = step_feature_map(summary)
    np.testing.assert_allclose(figure.data[0].z[:, :3], summary.mean_masks[:, summary.order].T)
    np.testing.assert_allclose(figure.data[0].z[:, 3], summary.mean_aggregate[summary.order])
    assert list(figure.layout.xaxis.ticktext) == ["step 1", "step 2", "step 3", "all"]


def test_columns_that_are_not_shown_are_summed(summary):
    figure = step_feature_map(summary, max_features=2)
    np.testing.assert_allclose(figure.data[0].z.sum(axis=0), 1.0, atol=1e-5)
    assert list(figure.layout.yaxis.ticktext)[-1] == "2 other columns"
    assert figure.data[0].zmax == pytest.approx(figure.data[0].z[:2].max())


def test_many_cells_go_without_numbers():
    wide = summarise_masks(make_masks(n_features=60, n_steps=10))
    assert len(step_feature_map(wide, max_features=60).data) == 1
    assert len(step_feature_map(wide, max_features=5).data) == 3


def test_steps_keep_their_colours_and_say_their_share(summary):
    figure = step_shares(summary)
    assert list(figure.data[0].marker.color) == [color(step) for step in range(3)]
    np.testing.assert_allclose(figure.data[0].x, 100 * summary.mean_step_shares)
    assert figure.data[0].customdata[0].endswith("% of the decision")


def test_reading_counts_are_set_against_all_columns(summary):
    figure = reading_counts(summary)
    np.testing.assert_allclose(figure.data[0].x, summary.columns_read)
    assert figure.layout.xaxis.range == (0, 4)


def test_filtered_to_nothing_says_so():
    nothing = summarise_masks(nobody())
    figures = [step_feature_map(nothing), step_shares(nothing), reading_counts(nothing)]
    figures.append(mask_maps(drawn_map(nobody()), unit="u"))
    figures.append(reading_flow_figure(reading_flow(nobody()), ColorScheme.of((), ())))
    figures.append(step_effect_bars({"": step_effects([nobody()])}, output=0, unit="u"))
    for figure in figures:
        assert "No row passes the filter" in figure.layout.annotations[0].text


def test_texts_are_white_on_strong_cells_and_take_the_pages_colour_elsewhere():
    strong, weak = cell_texts(np.array([[0.9, 0.1], [0.0, 0.8]]), [["a", "b"], ["", "d"]], axes=("x2", "y2"))
    assert list(strong.text) == ["a", "d"]
    assert (strong.x.tolist(), strong.y.tolist()) == ([0, 1], [0, 1])
    assert strong.textfont.color == "#ffffff"
    assert list(weak.text) == ["b"]
    assert weak.textfont.color is None
    assert (weak.xaxis, weak.yaxis) == ("x2", "y2")


def test_shades_are_see_through_at_zero_and_grow():
    shares = np.linspace(0, 1, 50)
    assert opacity(shares)[0] == 0
    assert opacity(shares)[-1] == 1
    assert (np.diff(opacity(shares)) >= 0).all()
    assert [share for share, _ in SHADES] == sorted(share for share, _ in SHADES)


def test_legends_are_one_line_of_text():
    note = scale_legend(empty("x"), [("#ff0000", "low"), ("#00ff00", "")]).layout.annotations[-1]
    assert note.text == '<span style="color:#ff0000">●</span> low <span style="color:#00ff00">●</span>'
    assert "100 %" in shade_legend(empty("x"), shift=3).layout.annotations[-1].text
