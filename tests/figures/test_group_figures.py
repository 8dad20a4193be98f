"""Charts of groups draw every number they are given, mark small groups by shape, and show names as plain text."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.audit import GroupAudit, GroupRecord
from tabnet_engine.explain.groups.proxies import Proxy, ProxyReport
from tabnet_engine.explain.groups.spread import AttributionSpread
from tabnet_engine.figures.group_attributions import attribution_map, column_by_group
from tabnet_engine.figures.groups import measure_by_group, proxy_strengths


def estimate(value: float | None, reach: float = 0.1, n: int = 90) -> Estimate:
    return Estimate(
        value=value,
        low=None if value is None else value - reach,
        high=None if value is None else value + 2 * reach,
        n=n,
    )


def record(name: str, n: int, rate: float | None) -> GroupRecord:
    measures = {
        "selection_rate": estimate(rate, n=n),
        "calibration_error": estimate(rate, n=n),
        "calibration_error_by_chance": estimate(0.05, n=n),
        "selection_ratio": estimate(rate, n=n),
    }
    return GroupRecord(name=name, n_rows=n, n_known=n, measures=measures)


def audit(*groups: GroupRecord, how: str = "one group for each value") -> GroupAudit:
    total = sum(group.n_rows for group in groups)
    return GroupAudit(
        column="sex",
        target="y",
        task=Task.BINARY,
        groups=groups,
        everyone=record("all rows", total, 0.4),
        reference=groups[0].name,
        decision="the probability of yes is at least 0.5",
        differences=(),
        is_feature=False,
        how=how,
        selection="test rows",
        seed=0,
    )


THREE = audit(record("<b>f</b>", 900, 0.25), record("m", 30, 0.5), record("x", 80, None))


def test_a_share_is_drawn_in_per_cent_with_both_ends_and_small_groups_hollow() -> None:
    figure = measure_by_group(THREE, "selection_rate")
    large, small = figure.data
    assert (list(large.x), list(small.x)) == ([25.0], [50.0])
    assert (large.marker.symbol, small.marker.symbol) == ("circle", "circle-open")
    assert list(large.error_x.array) == pytest.approx([20.0])
    assert list(large.error_x.arrayminus) == pytest.approx([10.0])
    assert [line.x0 for line in figure.layout.shapes] == pytest.approx([40.0])  # all rows
    assert "1 group has too few rows" in figure.layout.title.text.replace("<br>", " ")
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;f&lt;/b&gt; (900)", "m (30)"]
    assert "<b>f</b>" not in str(large.customdata).replace("<b>&lt;", "")


def test_a_ratio_stands_beside_four_fifths_and_one() -> None:
    assert [line.x0 for line in measure_by_group(THREE, "selection_ratio").layout.shapes] == [0.8, 1.0]


def test_a_calibration_error_stands_beside_that_of_chance() -> None:
    chance = measure_by_group(THREE, "calibration_error").data[0]
    assert list(chance.x) == [0.05, 0.05]
    assert chance.marker.symbol == "diamond"


def test_beyond_the_most_groups_the_largest_are_drawn_and_the_rest_counted() -> None:
    many = audit(*(record(f"g{number}", 60 + number, 0.3) for number in range(40)))
    figure = measure_by_group(many, "selection_rate")
    assert len(figure.data[0].x) == 30
    assert figure.layout.yaxis.ticktext[0] == "g10 (70)"
    assert "10 smaller groups are not drawn" in figure.layout.title.text.replace("<br>", " ")


def test_without_a_known_group_the_chart_says_so() -> None:
    figure = measure_by_group(audit(record("x", 5, None)), "selection_rate")
    assert "No group has enough rows" in figure.layout.annotations[0].text


def spread() -> AttributionSpread:
    mean = np.array([[[0.5], [-1.0]], [[-0.25], [np.nan]]])
    size = np.abs(mean) + 0.1
    ends = {"mean_low": mean - 0.1, "mean_high": mean + 0.2, "size_low": size - 0.1, "size_high": size + 0.2}
    return AttributionSpread(
        method="shap",
        groups=("<b>f</b>", "m"),
        features=("age", "$x$"),
        outputs=("yes",),
        n_rows=(7, 3),
        mean=mean,
        size=size,
        provenance="",
        **ends,
    )


def test_the_map_keeps_signs_and_puts_the_columns_as_told() -> None:
    found = spread()
    assert found.order(0) == [1, 0]
    figure = attribution_map(found, THREE, 0, found.order(0))
    assert np.asarray(figure.data[0].z, dtype=float)[0].tolist() == [-1.0, 0.5]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1.0, 1.0)
    assert list(figure.layout.xaxis.ticktext) == ["&#36;x&#36;", "age"]
    table = found.table()
    assert len(table) == 4
    assert table.loc[(table["group"] == "m") & (table["column"] == "age"), "mean"].tolist() == [-0.25]


def test_a_group_of_two_rows_does_not_wash_out_the_others() -> None:
    import dataclasses

    loud = dataclasses.replace(spread(), n_rows=(2, 40))
    figure = attribution_map(loud, THREE, 0, loud.order(0))
    assert loud.order(0) == [0, 1]
    assert figure.data[0].zmax == 0.25
    assert "at least 10 explained rows" in figure.layout.title.text.replace("<br>", " ")


def test_one_column_shows_mean_and_size_with_their_intervals() -> None:
    mean, size = column_by_group(spread(), THREE, 0, 0).data
    assert list(mean.x) == [0.5, -0.25]
    assert list(size.x) == pytest.approx([0.6, 0.35])
    assert list(mean.error_x.array) == pytest.approx([0.2, 0.2])


def test_proxies_that_the_model_does_not_read_are_hollow() -> None:
    proxies = [
        Proxy(column=name, strength=estimate(value), is_read=read)
        for name, value, read in (("a", 0.6, True), ("b", 0.2, False))
    ]
    report = ProxyReport(
        column="sex",
        groups=("f", "m"),
        proxies=tuple(proxies),
        joint_read=estimate(0.6),
        joint_all=estimate(0.7),
        left_out={},
        is_feature=False,
        n_rows=100,
        how="",
        selection="",
        seed=0,
    )
    figure = proxy_strengths(report)
    assert [list(trace.x) for trace in figure.data[:2]] == [[60.0], [20.0]]
    assert [trace.marker.symbol for trace in figure.data[:2]] == ["circle", "circle-open"]
    assert [line.x0 for line in figure.layout.shapes] == [60.0, 70.0]
