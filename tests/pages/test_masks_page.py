"""The masks page: averages, filters, the map, and the rows behind a selection."""

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


def maps(app: AppTest) -> dict:
    return list(figures(app).values())[-1]


def n_lines(app: AppTest) -> int:
    return maps(app)["layout"]["xaxis"]["range"][1] + 0.5


def test_averages_words_and_map_are_drawn(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id)
    assert len(figures(app)) == 4
    assert "Step 1 makes" in texts(app)
    assert "all 120 rows" in texts(app)
    assert n_lines(app) == 120
    assert len([trace for trace in maps(app)["data"] if trace["type"] == "heatmap"]) == 3


def test_the_part_of_the_table_narrows_the_rows(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id)
    app.selectbox(key="mask_part").set_value("test")
    checked(app.run())
    assert n_lines(app) == 24
    assert "24 rows are shown, test rows" in texts(app)


def test_a_column_of_text_filters_by_its_values(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id)
    app.selectbox(key="mask_column").set_value("job")
    checked(app.run())
    (values,) = app.multiselect
    assert set(values.options) == {"cook", "clerk", "nurse"}
    values.set_value(["cook"])
    checked(app.run())
    assert 0 < n_lines(app) < 120
    assert "job is cook" in texts(app)


def test_a_column_of_numbers_filters_by_a_range_and_a_range_of_nothing_says_so(
    open_page: Open, with_run: Stored
) -> None:
    app = open_page("masks", run=with_run.run_id)
    app.selectbox(key="mask_column").set_value("age")
    checked(app.run())
    (ages,) = app.slider
    assert n_lines(app) == 120
    ages.set_value((ages.min, 40.0))
    checked(app.run())
    assert 0 < n_lines(app) < 120
    app.slider[0].set_value((20.11, 20.12))
    checked(app.run())
    assert "No row passes the filter" in texts(app)
    assert len(figures(app)) == 3


@pytest.mark.parametrize("order", ["score", "reading", "outcome", "error", "row"])
def test_every_order_draws_the_map(open_page: Open, with_run: Stored, order: str) -> None:
    app = open_page("masks", run=with_run.run_id)
    app.selectbox(key="mask_order").set_value(order)
    assert n_lines(checked(app.run())) == 120


def test_filtered_rows_can_be_ordered_by_their_own_outcomes(open_page: Open, with_run: Stored) -> None:
    app = open_page("masks", run=with_run.run_id)
    app.selectbox(key="mask_part").set_value("test")
    app.selectbox(key="mask_order").set_value("error")
    app = checked(app.run())
    run = data_access.run(with_run.run_id)
    outcomes = explain_access.outcomes(run)
    assert outcomes is not None
    worst = max(run.splits.test.tolist(), key=lambda row: outcomes.error[row])
    assert maps(app)["data"][0]["customdata"][0] == f"row {worst}"


def test_without_its_table_the_masks_remain(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("masks", run=with_run.run_id)
    assert "not in this workspace any more" in texts(app)
    assert n_lines(app) == 120
    assert "error" not in [option.split(",")[0] for option in app.selectbox(key="mask_order").options]


def test_a_class_chooses_the_score_and_hostile_names_stay_text(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = open_page("masks", run=stored.run_id)
    choice = next(box for box in app.selectbox if box.label == "Class")
    choice.set_value(str(choice.options.index("<b>$x$</b>")))
    title = maps(checked(app.run()))["layout"]["annotations"][0]["text"]
    assert "&lt;b&gt;" in title
    assert "<b>" not in title


def test_selected_points_become_the_rows_behind_them(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = st.plotly_chart

    def select_two(figure: object, **options: object) -> object:
        drawn = real(figure, **options)
        if options.get("on_select") != "rerun":
            return drawn
        return SimpleNamespace(selection=SimpleNamespace(points=[{"x": 0}, {"x": 2}]))

    monkeypatch.setattr(st, "plotly_chart", select_two)
    app = open_page("masks", run=with_run.run_id)
    assert "2 selected rows" in texts(app)
    table = next(frame.value for frame in app.dataframe if "row" in frame.value)
    assert table.columns[:3].tolist() == ["row", "predicted", "actual"]
    assert table["probability"].between(50, 100).all()


def test_the_csv_of_averages_holds_every_step(with_run: Stored) -> None:
    from tabnet_engine.explain.mask_summaries import summarise_masks

    run = data_access.run(with_run.run_id)
    explanation = explain_access.masks(run)
    assert explanation is not None
    table = explain_masks.mean_table(summarise_masks(explanation))
    assert table.columns.tolist() == ["column", "step 1", "step 2", "all steps"]
    assert table[["step 1", "step 2", "all steps"]].sum().tolist() == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("target", ["grape", "price", "grape,price"])
def test_archetypes_stand_with_their_rows_and_how_these_fare(
    open_page: Open, workspace_root: Path, target: str
) -> None:
    app = open_page("masks", run=install(target, workspace_root).run_id)
    table = next(frame.value for frame in app.table if "archetype" in frame.value)
    assert table["rows"].astype(int).sum() == 90
    assert "In which ways rows are read" in texts(app)
    errors = [name for name in table if name.endswith(("wrong", "mean error"))]
    assert len(errors) == len(target.split(","))
    assert any(name.endswith("predicted") for name in table)


def test_a_run_without_archetypes_shows_the_rest(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    drop_explanations(workspace_root, with_run, "explanations/archetypes")
    app = open_page("masks", run=with_run.run_id)
    assert "In which ways rows are read" not in texts(app)
    assert len(figures(app)) == 4
