"""Masks against SHAP: agreement, effects, the queue of rows, and another budget."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access, explain_jobs, shap_rows, shap_source
from tabnet_engine.explain import store
from tabnet_engine.explain.agreement import row_agreement
from tabnet_engine.explain.push_map import ORDERS
from tabnet_engine.explain.row_pair import least_agreeing
from tabnet_engine.explain.row_shares import row_shares
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import drop_explanations, figures, install

Open = Callable[..., AppTest]


def titles(app: AppTest) -> str:
    shown = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    return shown.replace("&#x27;", "'").replace("<br>", " ")


def labelled(elements: Any, label: str) -> Any:
    """The control that is called so: the keys of kept controls change with what is chosen elsewhere."""
    return next(element for element in elements if element.label == label)


def in_dialog(app: AppTest) -> AppTest:
    """Run the page with the dialog open: a browser reruns the dialog alone, AppTest would close it."""
    app.button(key="open_budget").click()
    return checked(app.run())


def test_columns_are_compared_over_all_rows_and_in_every_row(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id)
    assert "What is read against what moves the score" in titles(app)
    assert "row by row: read against moved" in titles(app)
    said = texts(app)
    assert "Spearman" in said
    assert re.search("miss the score by at most|add up to the score", said)


@pytest.mark.parametrize(
    ("chart", "title"),
    [
        ("swarm", "Every row's push"),
        ("bars", "How far each column moves the score"),
        ("dependence", "moves the score"),
        ("map", "Every row's pushes at once"),
        ("waterfall", "What pushed this score up or down"),
    ],
)
def test_every_chart_of_effects_is_drawn_from_its_address(
    open_page: Open, with_run: Stored, chart: str, title: str
) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", chart=chart)
    assert title in titles(app)


def test_the_dependence_follows_the_chosen_columns(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", chart="dependence", column="age")
    assert "How age moves the score" in titles(app)
    labelled(app.selectbox, "Coloured by").set_value("joined")
    assert "colour: joined" in titles(checked(app.run()))
    assert app.query_params["other"] == "joined"


@pytest.mark.parametrize("order", ORDERS)
def test_the_map_has_every_order(open_page: Open, with_run: Stored, order: str) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", chart="map", order=order)
    assert ORDERS[order] in titles(app)


def test_a_range_of_pushes_lists_its_rows_without_a_mouse(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", column="age")
    values = store.load_attribution(data_access.run(with_run.run_id))
    pushes = values.values[:, values.features.index("age"), 0]
    (slider,) = app.slider
    middle = float(np.median(pushes))
    slider.set_range(middle, float(slider.max))
    app = checked(app.run())
    expected = set(values.rows[(pushes >= app.slider[0].value[0])].tolist())
    assert set(app.dataframe[-1].value["row"]) == expected
    assert len(expected) < values.n_rows
    again = open_page("shap_comparison", **app.query_params)
    assert set(again.dataframe[-1].value["row"]) == expected


def test_the_lines_of_the_map_list_their_rows(open_page: Open, with_run: Stored) -> None:
    ids = {"run": with_run.run_id, "view": "effects", "chart": "map", "order": "table"}
    app = open_page("shap_comparison", **ids, **{"from": "2", "to": "3"})
    values = store.load_attribution(data_access.run(with_run.run_id))
    assert app.dataframe[-1].value["row"].tolist() == sorted(values.rows.tolist())[1:3]


def test_the_waterfall_says_so_when_the_row_was_not_explained(open_page: Open, with_run: Stored) -> None:
    values = store.load_attribution(data_access.run(with_run.run_id))
    absent = next(row for row in range(120) if row not in values.rows)
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", chart="waterfall", row=str(absent))
    assert f"Row {absent} is not among" in texts(app)
    assert not figures(app)


def test_the_queue_starts_with_the_least_agreement_and_says_where_they_differ(with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    values = shap_source.stored_values(run, "shap")
    source = shap_source.Source(run=run, output=0, all_values=values, places=np.arange(values.n_rows))
    masks = source.masks()
    assert masks is not None
    assert sorted(masks.rows.tolist()) == sorted(values.rows.tolist())
    agreement = row_agreement(masks, values)
    table = shap_rows.queue_table(source, agreement, row_shares(masks, values), least_agreeing(agreement))
    known = table["agreement"].dropna().tolist()
    assert known == sorted(known)
    assert set(table["row"]) == set(values.rows.tolist())
    assert set(table["part"]) == {"test"}
    assert table["difference"].str.contains("%").all()


def test_a_condition_leaves_its_rows_and_none_is_said(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, view="rows", where="age >= 40")
    run = data_access.run(with_run.run_id)
    table = explain_access.frame(run)
    assert table is not None
    kept = set(app.dataframe[-1].value["row"])
    assert kept
    assert (table.loc[sorted(kept), "age"] >= 40).all()
    nothing = open_page("shap_comparison", run=with_run.run_id, view="rows", where="age >= 4000")
    assert "explained rows meets the condition" in texts(nothing)
    assert "How the values were measured" in texts(nothing)


def test_another_method_is_shown_on_request(open_page: Open, with_run: Stored) -> None:
    app = open_page("shap_comparison", run=with_run.run_id, method="gradients")
    assert "expected gradients" in texts(app)
    assert "Agreement row by row" in titles(
        open_page("shap_comparison", run=with_run.run_id, view="rows", method="gradients")
    )


def test_without_its_table_columns_and_rows_remain(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("shap_comparison", run=with_run.run_id, view="effects", chart="dependence")
    assert "not in this workspace any more" in texts(app)
    app = open_page("shap_comparison", run=with_run.run_id, view="rows")
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
    assert "16 evaluations a row" in texts(app).replace("\\", "")
    assert "About 3 s" in texts(app), "all combinations of four columns are fewer than what is paid for"
    app.button(key="explain_again").click()
    in_dialog(app)
    (record,) = JobQueue(Workspace.open(workspace_root)).list()
    settings = record.spec.payload["settings"]
    assert settings.pop("max_mask_rows") >= 120
    assert settings == {
        "methods": ["shap"],
        "n_effect_columns": 0,
        "n_shap_rows": 10,
        "n_background": 20,
        "n_evaluations": 27,
    }
    assert app.button(key="open_budget").disabled


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("class", {"background": "class", "background_class": "no"}),
        ("cutoff", {"background": "cutoff", "background_class": "no", "cutoff": 0.5, "background_side": "both"}),
    ],
)
def test_the_background_and_an_error_to_reach_are_the_users_choice(
    open_page: Open,
    with_run: Stored,
    workspace_root: Path,
    no_process: None,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    expected: dict[str, object],
) -> None:
    monkeypatch.setattr(explain_access, "seconds_per_evaluation", lambda run: 0.001)
    app = in_dialog(open_page("shap_comparison", run=with_run.run_id))
    app.selectbox(key="shap_method").set_value("sampling")
    app.selectbox(key="shap_background_kind").set_value(kind)
    in_dialog(app)
    app.radio(key="shap_precision").set_value("target")
    in_dialog(app)
    app.number_input(key="shap_target_error").set_value(0.5)
    in_dialog(app)
    assert "at most" in texts(app)
    app.button(key="explain_again").click()
    in_dialog(app)
    (record,) = JobQueue(Workspace.open(workspace_root)).list()
    settings = record.spec.payload["settings"]
    assert settings["methods"] == ["sampling"]
    assert settings["target_error"] == 0.5
    assert {name: settings[name] for name in expected} == expected


def test_a_regression_is_compared_in_its_own_unit(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    app = open_page("shap_comparison", run=stored.run_id, view="effects")
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
