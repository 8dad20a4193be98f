"""Masks against SHAP: agreement, effects, the queue of rows, and another budget."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access, explain_comparison, explain_jobs
from tabnet_engine.explain.agreement import row_agreement
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import drop_explanations, figures, install

Open = Callable[..., AppTest]


def titles(app: AppTest) -> str:
    return " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())


def in_dialog(app: AppTest) -> AppTest:
    """Run the page with the dialog open: a browser reruns the dialog alone, AppTest would close it."""
    app.button(key="open_budget").click()
    return checked(app.run())


def test_columns_effects_and_rows_are_drawn(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id)
    for title in ("What is read against", "Every row's push", "moves the score", "Agreement row by row"):
        assert title.replace("'", "&#x27;") in titles(app) or title in titles(app)
    said = texts(app)
    assert "Spearman" in said
    assert re.search("miss the score by at most|add up to the score", said)


def test_the_dependence_follows_the_chosen_columns(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id)
    app.selectbox(key="dependence_column").set_value("age")
    app = checked(app.run())
    app.selectbox(key="dependence_color").set_value("joined")
    assert "How age moves the score" in titles(checked(app.run()))
    assert "colour: joined" in titles(app)


def test_the_queue_starts_with_the_least_agreement(with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    masks, values = explain_access.masks(run), explain_access.attribution(run)
    assert masks is not None
    assert values is not None
    table = explain_comparison.queue_table(run, row_agreement(masks, values), 0)
    known = table["agreement"].dropna().tolist()
    assert known == sorted(known)
    assert set(table["row"]) == set(values.rows.tolist())
    assert set(table["part"]) == {"test"}


def test_without_its_table_columns_and_rows_remain(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("shap_comparison", run=with_run.run_id)
    assert "not in this workspace any more" in texts(app)
    assert "Agreement row by row" in titles(app)
    assert "predicted" not in app.dataframe[-1].value


def test_another_budget_says_its_cost_and_becomes_one_job(
    open_page: Open, with_run: Stored, workspace_root: Path, no_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_access, "seconds_per_evaluation", lambda run: 0.001)
    app = open_page("shap_comparison", run=with_run.run_id)
    in_dialog(app)
    app.number_input(key="shap_rows").set_value(10)
    app.number_input(key="shap_background").set_value(20)
    app.number_input(key="shap_orders").set_value(3)
    in_dialog(app)
    assert "27 evaluations a row" in texts(app).replace("\\", "")
    assert "About 5 s" in texts(app)
    app.button(key="explain_again").click()
    in_dialog(app)
    (record,) = JobQueue(Workspace.open(workspace_root)).list()
    assert record.spec.payload["settings"] == {"n_shap_rows": 10, "n_background": 20, "n_evaluations": 27}
    assert app.button(key="open_budget").disabled


def test_a_regression_is_compared_in_its_own_unit(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    app = open_page("shap_comparison", run=stored.run_id)
    axes = [figure["layout"]["xaxis"].get("title", {}).get("text", "") for figure in figures(app).values()]
    assert "push on the predicted price" in axes


@pytest.mark.parametrize("page", ["shap_comparison", "importance"])
def test_a_table_too_wide_for_shap_says_so_and_offers_no_job(
    open_page: Open, with_run: Stored, workspace_root: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    drop_explanations(workspace_root, with_run, "explanations/attribution-shap")
    monkeypatch.setattr(explain_jobs, "MAX_FEATURES", 3)
    app = open_page(page, run=with_run.run_id)
    assert "at most 3 columns and this model reads 4" in texts(app)
    assert "Compute them" not in {button.label for button in app.button}
