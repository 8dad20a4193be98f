"""Figures of a pretraining draw every number they are given, each at its own place."""

from __future__ import annotations

import pytest

from tabnet_engine.figures import pretraining
from tabnet_engine.figures.theme import ACCENT, NEGATIVE, NEUTRAL
from tabnet_engine.training.pretraining_worth import PretrainingWorth, WorthRecord
from tabnet_engine.training.reconstruction import ColumnReconstruction, Reconstruction


def column(name: str, error: float | None, standard_error: float | None = 0.1) -> ColumnReconstruction:
    return ColumnReconstruction(name=name, error=error, standard_error=standard_error, n_masked=50)


def reconstruction(*columns: ColumnReconstruction) -> Reconstruction:
    return Reconstruction(columns=columns, overall=0.5, mask_rate=0.3, n_rows=1200, seed=0)


def worth(*, better: bool = True, seeds: int = 2) -> PretrainingWorth:
    pairs = {500: (0.9, 0.85), 100: (0.7, 0.75)}
    records = [
        WorthRecord(budget=budget, seed=seed, with_pretraining=with_ + 0.02 * seed, without=without)
        for budget, (with_, without) in pairs.items()
        for seed in range(seeds)
    ]
    return PretrainingWorth(
        target="y",
        metric="auc" if better else "rmse",
        greater_is_better=better,
        n_test=60,
        test_rows_unseen=True,
        records=tuple(records),
    )


def test_columns_are_ordered_by_their_error_and_one_worse_than_the_mean_stands_out() -> None:
    figure = pretraining.reconstruction_bars(
        reconstruction(column("poor", 1.2), column("good", 0.2), column("skipped", None), column("fair", 0.7, None))
    )
    (bars,) = figure.data
    assert list(bars.x) == [0.2, 0.7, 1.2]
    assert list(figure.layout.yaxis.ticktext) == ["good", "fair", "poor"]
    assert list(bars.marker.color) == [ACCENT, ACCENT, NEGATIVE]
    assert list(bars.error_x.array) == pytest.approx([0.196, 0.0, 0.196])
    assert figure.layout.shapes[0].x0 == 1.0
    assert "1,200 rows" in figure.layout.title.text


def test_columns_beyond_the_most_are_counted_and_hostile_names_stay_text() -> None:
    columns = [column(f"<b>{number}</b>", 0.01 * number) for number in range(40)]
    figure = pretraining.reconstruction_bars(reconstruction(*columns), max_columns=30)
    assert len(figure.data[0].x) == 30
    assert "10 columns" in figure.layout.title.text
    assert "<b>0</b>" not in str(figure.layout.yaxis.ticktext)


def test_without_a_measured_column_the_figure_says_so() -> None:
    figure = pretraining.reconstruction_bars(reconstruction(column("same", None)))
    assert not figure.data
    assert figure.layout.annotations


def test_scores_stand_at_their_budget_with_every_seed() -> None:
    figure = pretraining.score_by_budget(worth())
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert list(figure.layout.xaxis.ticktext) == ["100", "500"]
    assert list(lines["with pretraining"].y) == pytest.approx([0.71, 0.91])
    assert list(lines["without pretraining"].y) == pytest.approx([0.75, 0.85])
    assert list(lines["with pretraining"].error_y.array) == pytest.approx([0.02 / 2**0.5] * 2)
    points = [trace for trace in figure.data if not trace.showlegend and trace.mode == "markers"]
    assert sorted(points[1].y) == pytest.approx([0.7, 0.72, 0.9, 0.92])
    assert sorted(points[0].y) == pytest.approx([0.75, 0.75, 0.85, 0.85])
    assert "2 seeds" in figure.layout.title.text


@pytest.mark.parametrize(("better", "colors"), [(True, [NEGATIVE, ACCENT]), (False, [ACCENT, NEGATIVE])])
def test_a_difference_is_coloured_by_whether_it_helped(better: bool, colors: list[str]) -> None:
    figure = pretraining.gain_by_budget(worth(better=better))
    means = figure.data[-1]
    assert list(means.y) == pytest.approx([-0.04, 0.06])
    assert list(means.marker.color) == colors
    assert ("above 0" if better else "below 0") in figure.layout.title.text.replace("<br>", " ")
    assert figure.layout.shapes[0].y0 == 0.0


def test_one_seed_has_no_interval_and_no_difference_no_colour() -> None:
    figure = pretraining.gain_by_budget(worth(seeds=1))
    assert list(figure.data[-1].error_y.array) == [0.0, 0.0]
    assert "one seed" in figure.layout.title.text
    assert pretraining._gain_color(0.0, better=True) == NEUTRAL


def test_the_interval_of_two_seeds_is_students() -> None:
    figure = pretraining.gain_by_budget(worth())
    assert list(figure.data[-1].error_y.array) == pytest.approx([12.706 * 0.01] * 2, rel=1e-3)


@pytest.mark.parametrize("draw", [pretraining.score_by_budget, pretraining.gain_by_budget])
def test_without_a_record_the_figures_say_so(draw: object) -> None:
    import dataclasses

    figure = draw(dataclasses.replace(worth(), records=()))  # type: ignore[operator]
    assert not figure.data
    assert figure.layout.annotations
