"""Pictures of runs side by side draw what was computed, and tell the runs apart by more than colour."""

from __future__ import annotations

import numpy as np

from tabnet_engine.explain.comparison.decisions import PredictionShift, Transitions
from tabnet_engine.explain.comparison.metrics import MetricDifference
from tabnet_engine.explain.comparison.reasons import PairedReasons, reason_changes
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.figures import comparison
from tests.figures.test_training_figures import RECORDS


def estimate(value: float | None, reach: float = 0.1) -> Estimate:
    return Estimate(value=value) if value is None else Estimate(value=value, low=value - reach, high=value + reach, n=9)


def difference(name: str, value: float | None) -> MetricDifference:
    return MetricDifference(name=name, first=estimate(0.5), second=estimate(0.6), difference=estimate(value))


def test_curves_of_runs_differ_in_colour_dash_and_mark() -> None:
    figure = comparison.compared_curves({"<b>a": RECORDS, "b": RECORDS[:2]}, "auc")
    assert [trace.name for trace in figure.data] == ["&lt;b&gt;a", "b"]
    assert [len(trace.x) for trace in figure.data] == [3, 2]
    for kind in ("color", "dash"):
        assert len({getattr(trace.line, kind) for trace in figure.data}) == 2
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert not comparison.compared_curves({"a": RECORDS}, "rmse").data


def test_each_difference_stands_with_its_interval_on_an_axis_that_holds_zero() -> None:
    figure = comparison.score_differences(
        [difference("auc", 0.2), difference("log_loss", None), difference("rmse", -3.0)], first="a", second="b"
    )
    assert [trace.x[0] for trace in figure.data] == [0.2, -3.0]
    assert round(figure.data[0].error_x.array[0], 6) == round(figure.data[0].error_x.arrayminus[0], 6) == 0.1
    for axis in (figure.layout.xaxis, figure.layout.xaxis2):
        assert axis.range[0] < 0 < axis.range[1]
    titles = [note.text for note in figure.layout.annotations]
    assert "right" in titles[0]
    assert "left" in titles[1]
    assert not comparison.score_differences([difference("auc", None)], first="a", second="b").data


def test_the_map_of_moves_shows_counts_and_shares_of_each_line() -> None:
    moves = Transitions(
        classes=("no", "$yes"), counts=np.array([[3, 1], [0, 2]]), changed=estimate(0.25), n_known=0,
        n_corrected=0, n_spoiled=0, n_both_wrong=0, p_value=None,
    )  # fmt: skip
    heat, strong, pale = comparison.transition_map(moves, first="a", second="b").data
    assert np.asarray(heat.z).tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert (list(strong.text), list(pale.text)) == (["3", "2"], ["1", "0"])
    assert (list(strong.x), list(strong.y)) == (["no", "&#36;yes"],) * 2
    assert list(heat.x) == ["no", "&#36;yes"]
    empty = Transitions(**{**moves.__dict__, "counts": np.zeros((2, 2), dtype=int)})
    assert not comparison.transition_map(empty, first="a", second="b").data


def test_a_shift_is_drawn_as_it_was_counted() -> None:
    shift = PredictionShift(
        mean=estimate(0.0), size=estimate(1.0), levels=(), quantiles=(), nearer=estimate(0.5),
        edges=(-1.0, 0.0, 2.0), counts=(3, 4),
    )  # fmt: skip
    (bars,) = comparison.shift_histogram(shift, unit="price (€)").data
    assert (list(bars.x), list(bars.y), list(bars.width)) == ([-0.5, 1.0], [3, 4], [1.0, 2.0])


def test_importances_of_runs_stand_on_one_scale_of_shares() -> None:
    def importance(features: tuple[str, ...], values: list[float]) -> GlobalImportance:
        return GlobalImportance(
            method="masks", features=features, values=np.array(values), standard_error=np.full(len(values), 0.01),
            n_rows=9, note="",
        )  # fmt: skip

    figure = comparison.importance_dots({"a": importance(("x", "y"), [3, 1]), "b": importance(("y", "z"), [1, 1])})
    assert [list(trace.x) for trace in figure.data] == [[0.75, 0.25, None], [None, 0.5, 0.5]]
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert not comparison.importance_dots({}).data


def test_leading_columns_are_drawn_for_both_runs() -> None:
    pair = PairedReasons(
        method="masks", features=("x", "y"), rows=np.arange(2), first=np.eye(2), second=np.array([[1.0, 0], [1, 0]])
    )
    figure = comparison.leading_shares(reason_changes(pair, top_k=1), first="a", second="b")
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.x) for trace in marks] == [[0.5, 0.5], [1.0, 0.0]]
    assert len({trace.marker.symbol for trace in marks}) == 2
