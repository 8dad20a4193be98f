"""The masks page: averages, filters, the map and its zoom, the flow, the ways of reading and their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access, explain_masks
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import drop_explanations, figures, install

Open = Callable[..., AppTest]


def said(app: AppTest) -> str:
    """The texts of the page without the signs that keep them from being read as Markdown."""
    return texts(app).replace("\\", "")


def drawn(app: AppTest) -> list[dict]:
    return list(figures(app).values())


def lines(app: AppTest) -> list[str]:
    """The names of the map's lines: on the axis of its last panel."""
    return [trace["x"] for trace in drawn(app)[-1]["data"] if trace["type"] == "heatmap"][-1]


def box(app: AppTest, label: str):
    return next(item for item in app.selectbox if item.label == label)


def test_averages_health_and_the_share_of_each_step_are_drawn(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id)
    assert len(drawn(app)) == 4
    words = said(app)
    assert "Step 1 makes" in words
    assert "all 120 rows" in words
    assert "Do the masks tell something?" in words
    assert "of what all steps move" in words


def test_the_map_has_every_step_and_the_aggregate(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="rows")
    assert len(lines(app)) == 120
    assert len([trace for trace in drawn(app)[-1]["data"] if trace["type"] == "heatmap"]) == 3
    assert "120 rows; each line is one row." in said(app)
    box(app, "Steps").set_value("2")
    assert len([trace for trace in drawn(checked(app.run()))[-1]["data"] if trace["type"] == "heatmap"]) == 1
    assert app.query_params["step"] == "2"


def test_the_part_of_the_table_narrows_the_rows_and_stays_in_the_address(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="rows")
    box(app, "Rows").set_value("test")
    checked(app.run())
    assert len(lines(app)) == 24
    assert "24 of 120 rows" in said(app)
    assert app.query_params["part"] == "test"
    assert len(lines(open_page("masks", run=with_run.run_id, view="rows", part="test"))) == 24


def test_a_condition_filters_and_one_that_nothing_meets_says_so(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="rows", where="job = cook and age >= 30")
    frame = explain_access.frame(data_access.run(with_run.run_id))
    assert frame is not None
    assert len(lines(app)) == int(((frame["job"] == "cook") & (frame["age"] >= 30)).sum()) > 0
    for view in ("average", "rows", "flow", "kinds"):
        nothing = open_page("masks", run=with_run.run_id, view=view, where="age > 500")
        assert "No row passes the filter" in said(nothing)
        assert not drawn(nothing)
    next(button for button in nothing.button if button.label == "Show all rows").click()
    assert "where" not in checked(nothing.run()).query_params


@pytest.mark.parametrize("order", ["path", "outcome", "error", "column"])
def test_every_order_draws_the_map(open_page: Open, with_run: Stored, order: str) -> None:
    assert len(lines(open_page("masks", run=with_run.run_id, view="rows", order=order))) == 120


def test_filtered_rows_are_ordered_by_their_own_outcomes(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="rows", part="test", order="error", shape="sideways")
    run = data_access.run(with_run.run_id)
    outcomes = explain_access.outcomes(run)
    assert outcomes is not None
    worst = max(run.splits.test.tolist(), key=lambda row: outcomes.error[row])
    assert drawn(app)[-1]["data"][0]["y"][0] == f"row {worst}"


def test_a_stretch_is_shown_by_itself_and_its_neighbours_one_press_away(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="rows", order="row", **{"from": "11", "to": "20"})
    assert lines(app) == [f"row {row}" for row in range(10, 20)]
    assert "Shown are the rows 11 to 20 of 120" in said(app)
    app.button(key="stretch_after").click()
    assert lines(checked(app.run())) == [f"row {row}" for row in range(20, 30)]
    assert (app.query_params["from"], app.query_params["to"]) == ("21", "30")
    app.button(key="stretch_all").click()
    assert len(lines(checked(app.run()))) == 120
    assert "from" not in app.query_params
    next(number for number in app.number_input if number.label == "To place").set_value(5)
    assert lines(checked(app.run())) == [f"row {row}" for row in range(5)]
    odd = open_page("masks", run=with_run.run_id, view="rows", **{"from": "50", "to": "x"})
    assert len(lines(odd)) == 71


def test_without_its_table_the_masks_remain(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("masks", run=with_run.run_id, view="rows")
    assert "not in this workspace any more" in said(app)
    assert len(lines(app)) == 120
    assert {"error, largest first", "value of a column"}.isdisjoint(box(app, "Order of the rows").options)


def test_a_class_chooses_the_score_and_hostile_names_stay_text(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = open_page("masks", run=stored.run_id, view="rows")
    choice = box(app, "Class")
    choice.set_value(str(choice.options.index("<b>$x$</b>")))
    title = drawn(checked(app.run()))[-1]["layout"]["annotations"][0]["text"]
    assert "&lt;b&gt;" in title
    assert "<b>" not in title


@pytest.mark.parametrize(
    "selection",
    [
        SimpleNamespace(points=[{"point_index": 3}, {"point_index": 5}], box=[]),
        SimpleNamespace(points=[], box=[{"xref": "x3", "x": ["row 3", "row 5"], "y": ["age", "job"]}]),
    ],
)
def test_selected_lines_become_the_rows_behind_them(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch, selection: SimpleNamespace
) -> None:
    real = st.plotly_chart

    def select_some(figure: object, **options: object) -> object:
        drawn = real(figure, **options)
        return SimpleNamespace(selection=selection) if options.get("on_select") == "rerun" else drawn

    monkeypatch.setattr(st, "plotly_chart", select_some)
    app = open_page("masks", run=with_run.run_id, view="rows", order="row")
    assert "3 selected rows" in said(app)
    table = next(frame.value for frame in app.dataframe if "row" in frame.value)
    assert table["row"].tolist() == [3, 4, 5]
    assert table.columns[:3].tolist() == ["row", "predicted", "actual"]
    assert table["probability"].between(50, 100).all()


def test_the_averages_hold_every_step(with_run: Stored) -> None:
    from tabnet_engine.explain.mask_summaries import summarise_masks

    run = data_access.run(with_run.run_id)
    explanation = explain_access.masks(run)
    assert explanation is not None
    table = explain_masks.mean_table(summarise_masks(explanation))
    assert table.columns.tolist() == ["column", "step 1", "step 2", "all steps"]
    assert table[["step 1", "step 2", "all steps"]].sum().tolist() == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("group", ["predicted", "actual", "part", "archetype"])
def test_what_the_steps_add_can_be_compared(open_page: Open, with_run: Stored, group: str) -> None:
    app = open_page("masks", run=with_run.run_id, group=group)
    names = drawn(app)[-1]["layout"]["yaxis"]["ticktext"]
    assert names == ["no", "yes"] if group in ("predicted", "actual") else len(names) >= 1


def test_the_flow_and_the_rows_of_a_path(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="flow", columns="2")
    assert drawn(app)[0]["data"][0]["type"] == "sankey"
    assert "First, step 1 reads" in said(app)
    paths = next(frame.value for frame in app.dataframe if "share" in frame.value)
    box(app, "Rows of the path").set_value("1")
    checked(app.run())
    rows = next(frame.value for frame in app.dataframe if "row" in frame.value)
    assert len(rows) == paths["rows"].iloc[0]


@pytest.mark.parametrize("target", ["grape", "price", "grape,price"])
def test_archetypes_stand_with_their_rows_and_how_these_fare(
    open_page: Open, workspace_root: Path, target: str
) -> None:
    app = open_page("masks", run=install(target, workspace_root).run_id, view="kinds")
    table = next(frame.value for frame in app.table if "way of reading" in frame.value)
    assert table["rows"].astype(int).sum() == 90
    assert "In which ways rows are read" in said(app)
    errors = [name for name in table if name.endswith(("wrong", "mean error"))]
    assert len(errors) == len(target.split(","))
    assert any(name.endswith("predicted") for name in table)


def test_the_users_name_of_a_way_of_reading_is_kept_with_the_run(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id, view="kinds")
    app.text_input[-1].set_value("old and careful")
    next(button for button in app.button if button.label == "Keep the name").click()
    app = checked(app.run())
    assert "The name is kept" in said(app)
    assert "old and careful" in next(frame.value for frame in app.table).to_string().replace("\u00a0", " ")
    again = open_page("masks", run=with_run.run_id, view="rows", archetype="1", order="path")
    assert "old and careful" in said(again)
    found = explain_access.archetypes(data_access.run(with_run.run_id))
    assert found is not None
    assert len(lines(again)) == found.archetypes[0].n_rows
    refused = open_page("masks", run=with_run.run_id, view="kinds")
    if len(found.archetypes) > 1:
        refused.text_input[-1].set_value(found.names[1])
        next(button for button in refused.button if button.label == "Keep the name").click()
        assert "already" in said(checked(refused.run()))


def test_a_run_without_archetypes_shows_the_rest(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    drop_explanations(workspace_root, with_run, "explanations/archetypes")
    app = open_page("masks", run=with_run.run_id, view="kinds")
    assert "No ways of reading were looked for" in said(app)
    assert len(lines(open_page("masks", run=with_run.run_id, view="rows", order="path"))) == 120
