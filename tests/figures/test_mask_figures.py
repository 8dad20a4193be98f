"""Maps of masks, averages by step, and readable numbers in their cells."""

import dataclasses

import numpy as np
import pytest

from tabnet_engine.explain.mask_summaries import mask_map, summarise_masks
from tabnet_engine.figures.cells import SHADES, cell_texts, opacity, scale_legend, shade_legend
from tabnet_engine.figures.masks import mask_maps, reading_counts, step_feature_map, step_shares
from tabnet_engine.figures.theme import color, empty
from tests.explain.conftest import make_masks

HOSTILE = "<b>x</b> $y$ %{z}"


@pytest.fixture
def summary():
    return summarise_masks(make_masks(n_rows=30, n_steps=3, n_features=4))


def nobody():
    return make_masks().take(np.array([], dtype=np.int64))


def test_every_step_has_a_panel_and_all_share_one_scale_and_one_order():
    record = mask_map(make_masks(n_rows=8, n_steps=3))
    figure = mask_maps(record, unit="log-odds of yes")
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(maps) == 4
    for trace, masks in zip(maps, [*record.masks, record.aggregate], strict=True):
        np.testing.assert_array_equal(trace.z, masks.T)
        assert trace.coloraxis == "coloraxis"
        assert trace.x.tolist() == list(range(8))
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    titles = [note.text for note in figure.layout.annotations]
    assert titles[:4] == ["Log-odds of yes", "Step 1", "Step 2", "Step 3"]


def test_the_aggregate_can_be_left_out():
    figure = mask_maps(mask_map(make_masks(n_steps=2)), unit="u", aggregate=False)
    assert sum(trace.type == "heatmap" for trace in figure.data) == 2


def test_the_points_of_the_score_are_what_can_be_selected():
    record = mask_map(make_masks(n_rows=5))
    figure = mask_maps(record, unit="u")
    points = figure.data[0]
    assert points.type == "scatter"
    np.testing.assert_array_equal(points.y, record.score)
    assert points.customdata[0] == record.labels[0]
    assert figure.layout.dragmode == "select"


def test_a_wide_table_gets_thinner_lines_and_a_narrow_one_room():
    heights = [mask_maps(mask_map(make_masks(n_features=size)), unit="u").layout.height for size in (2, 20, 60)]
    assert heights == sorted(heights)
    assert heights[2] < 3 * heights[1]


def test_no_map_takes_a_name_for_markup(summary):
    named = dataclasses.replace(summary, features=(HOSTILE, "b", "c", "d"))
    record = dataclasses.replace(mask_map(make_masks(n_features=4)), features=(HOSTILE, "b", "c", "d"))
    for figure in (step_feature_map(named), mask_maps(record, unit=HOSTILE)):
        text = figure.to_json().replace("\\u003c", "<")
        assert "<b>x" not in text
        assert "$y$" not in text
        assert "%{z}" not in text


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
    figures.append(mask_maps(mask_map(nobody()), unit="u"))
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
