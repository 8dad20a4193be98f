"""The importance page: both methods side by side, their agreement, and the ways to get there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import GRAPES, drop_explanations, figures, install

Open = Callable[..., AppTest]
PAGES = ("importance", "masks", "shap_comparison", "decision")


@pytest.mark.parametrize("page", PAGES)
def test_without_a_run_every_explaining_page_leads_to_the_walkthrough(open_page: Open, page: str) -> None:
    app = open_page(page)
    assert "No run yet" in texts(app)
    assert any("Start the walkthrough" in link.proto.label for link in app.get("page_link"))


@pytest.mark.parametrize("page", PAGES)
def test_a_run_without_explanations_offers_to_compute_them(
    open_page: Open, with_run: Stored, workspace_root: Path, no_process: None, page: str
) -> None:
    drop_explanations(workspace_root, with_run)
    app = open_page(page, run=with_run.run_id)
    assert "This run has no" in texts(app)
    app.button(key=f"explain_{with_run.run_id}").click()
    checked(app.run())
    queue = JobQueue(Workspace.open(workspace_root))
    (record,) = queue.list()
    assert (record.spec.kind, record.spec.run_id) == ("explain", with_run.run_id)
    assert record.spec.dataset_id == with_run.dataset_id
    assert "Compute them" not in {button.label for button in app.button}
    assert "Stop" in {button.label for button in app.button}


def test_both_methods_are_drawn_with_what_they_were_measured_on(open_page: Open, with_run: Stored) -> None:
    app = open_page("importance", run=with_run.run_id)
    titles = [figure["layout"]["title"]["text"] for figure in figures(app).values()]
    assert any("What the masks read" in title for title in titles)
    assert any("What moves the score" in title for title in titles)
    said = texts(app)
    assert "120 rows" in said
    assert "background" in said
    assert "evaluations a row" in said


def test_the_ranks_and_shares_are_a_table_in_the_chosen_order(open_page: Open, with_run: Stored) -> None:
    table = open_page("importance", run=with_run.run_id, order="shap").dataframe[0].value
    assert table["rank by SHAP"].tolist() == sorted(table["rank by SHAP"])
    assert set(table["column"]) == {"age", "job", "member", "joined"}
    for method in ("attention masks", "SHAP", "expected gradients", "permutation importance"):
        # In per cent; what permuting improved by chance is below zero and takes from no one.
        assert table[f"share by {method}"].clip(lower=0).sum() == pytest.approx(100, abs=1e-4)
        assert (table[f"{method}, from"] <= table[f"value by {method}"]).all()
    assert (table["mean rank"] == table[[name for name in table if name.startswith("rank by")]].mean(axis=1)).all()


@pytest.mark.parametrize("order", ["table", "permutation", "spread"])
def test_sorting_orders_all_charts_alike(open_page: Open, with_run: Stored, order: str) -> None:
    app = open_page("importance", run=with_run.run_id)
    next(box for box in app.selectbox if box.label == "Sort by").set_value(order)
    app = checked(app.run())
    drawn = [figure for key, figure in figures(app).items() if key.startswith("bars_")]
    assert len(drawn) == 4
    lines = [[re.sub("<b>▸ (.*)</b>", r"\1", text) for text in drawn["layout"]["yaxis"]["ticktext"]] for drawn in drawn]
    assert all(names == lines[0] for names in lines)
    assert app.query_params["order"] == order
    if order == "table":
        assert lines[0] == ["age", "job", "member", "joined"]


def test_a_column_has_the_same_colour_in_every_chart_and_is_marked(open_page: Open, with_run: Stored) -> None:
    app = open_page("importance", run=with_run.run_id, column="job")
    drawn = [figure for key, figure in figures(app).items() if key.startswith("bars_")]
    colors = [figure["data"][0]["marker"]["color"] for figure in drawn]
    assert all(color == colors[0] for color in colors)
    assert len(set(colors[0])) == 4
    assert all("<b>▸ job</b>" in figure["layout"]["yaxis"]["ticktext"] for figure in drawn)
    assert "job is, of 4 columns, number" in texts(app)


def test_the_rows_that_a_column_moves_most_lead_on(open_page: Open, with_run: Stored) -> None:
    app = open_page("importance", run=with_run.run_id, column="age")
    table = next(frame.value for frame in app.dataframe if "row" in frame.value)
    sizes = [float(text.replace("−", "").replace("+", "")) for text in table.filter(like="push").iloc[:, 0]]
    assert sizes == sorted(sizes, reverse=True)
    assert {"age", "predicted", "actual"} <= set(table)
    links = {link.proto.label for link in app.get("page_link")}
    assert links == {"What each of its values did", "The rows in its order on the map"}
    app.button(key="to_effects").click()
    app = checked(app.run())
    assert app.query_params["view"] == "effects"
    assert "effect_pdp" in figures(app)


def test_a_class_has_its_own_importance_and_all_stand_side_by_side(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = open_page("importance", run=stored.run_id)
    choice = next(box for box in app.selectbox if box.label == "Class")
    assert set(choice.options) == set(GRAPES)
    before = app.dataframe[0].value["value by SHAP"].tolist()
    choice.set_value("1")
    checked(app.run())
    assert app.query_params["class"] == "1"
    assert app.dataframe[0].value["value by SHAP"].tolist() != before
    titles = [figure["layout"]["title"]["text"] for figure in figures(app).values()]
    assert any("each class" in title for title in titles)


def test_without_shap_the_masks_are_still_shown(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    drop_explanations(workspace_root, with_run, "explanations/attribution-shap")
    app = open_page("importance", run=with_run.run_id)
    assert "has no SHAP values" in texts(app)
    assert {"bars_masks", "bars_permutation"} <= set(figures(app))
    assert "bars_shap" not in figures(app)


def test_a_failed_explanation_says_why(
    open_page: Open, with_run: Stored, workspace_root: Path, no_process: None
) -> None:
    from tabnet_engine.jobs.spec import ExplainPayload

    queue = JobQueue(Workspace.open(workspace_root))
    payload = ExplainPayload(run_id=with_run.run_id, dataset_id=with_run.dataset_id, title="Explain")
    job_id = queue.submit(payload.to_spec())
    queue.claim(job_id).fail("the background <b>is</b> too large")
    app = open_page("importance", run=with_run.run_id)
    assert "The last explanation of this run failed" in texts(app)
    assert "<b>is" not in texts(app)
