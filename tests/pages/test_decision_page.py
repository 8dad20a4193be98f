"""One decision: finding the row, and everything that is said about it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access, row_lists
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.single_row import RowExplainer
from tabnet_engine.explain.store import save_attribution
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import drop_explanations, figures, install

Open = Callable[..., AppTest]


def row_of(app: AppTest) -> int:
    return int(app.query_params["row"])


def order_choice(app: AppTest) -> Any:
    return next(box for box in app.selectbox if box.label == "Go through")


def go_through(app: AppTest, name: str) -> AppTest:
    order_choice(app).set_value(name)
    return checked(app.run())


def condition(app: AppTest) -> Any:
    return next(box for box in app.text_input if box.label == "Only rows where")


def cells(app: AppTest) -> Any:
    """The table of the row's own values: the last one of the explanation."""
    return app.dataframe[len(app.dataframe) - 1].value


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return checked(app.run())


def find(app: AppTest, text: str) -> AppTest:
    next(box for box in app.text_input if box.label.startswith("Find by")).set_value(text)
    return checked(app.run())


def test_the_first_row_shown_is_one_whose_values_are_stored(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id)
    values = explain_access.attribution(data_access.run(with_run.run_id))
    assert values is not None
    assert row_of(app) == values.rows.min()


def test_prediction_steps_pushes_and_both_methods_are_shown(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3")
    labels = {metric.label.replace("\\", ""): metric.value for metric in app.metric}
    assert {"Predicted approved", "Probability", "Actual", "Score", "Part of the table"} <= set(labels)
    drawn = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    for title in ("Step by step", "What pushed this score", "What was read, and what moved"):
        assert title in drawn
    said = texts(app).replace("\\", "")
    assert "Step 1 read" in said
    assert "background" in said
    assert re.search("values and base (miss the score by at most|add up to the score)", said)
    table = cells(app)
    assert set(table["column"]) == {"age", "job", "member", "joined"}
    assert table["read"].sum() == pytest.approx(100, abs=1e-2)
    assert table["pushed"].abs().is_monotonic_decreasing


def test_missing_cells_are_shown_as_such(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="9")
    assert "Missing in this row: age" in texts(app).replace("\\", "")
    table = cells(app).set_index("column")
    assert table.loc["age", "state"] == "missing"
    assert table.loc["job", "state"] == ""


def test_next_previous_and_random_walk_through_the_list(open_page: Open, with_run: Stored) -> None:
    app = press(open_page("decision", run=with_run.run_id, row="3"), "row_after")
    assert row_of(app) == 4
    assert row_of(press(press(app, "row_before"), "row_before")) == 2
    assert row_of(press(app, "row_random")) != 2
    first = open_page("decision", run=with_run.run_id, row="0")
    assert first.button(key="row_before").disabled


def test_a_row_is_found_by_its_number(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3")
    next(box for box in app.number_input if box.label == "Row").set_value(17)
    assert row_of(checked(app.run())) == 17


def test_the_list_of_errors_starts_with_the_worst(open_page: Open, with_run: Stored) -> None:
    app = go_through(open_page("decision", run=with_run.run_id, row="3"), "wrong")
    outcomes = explain_access.outcomes(data_access.run(with_run.run_id))
    assert outcomes is not None
    worst = outcomes.rows[np.nanargmax(np.where(outcomes.wrong, outcomes.error, -1))]
    assert row_of(app) == worst
    assert "The model was wrong on this row" in texts(app)


@pytest.mark.parametrize("name", ["test", "uncertain", "shap"])
def test_every_list_leads_to_its_first_row(open_page: Open, with_run: Stored, name: str) -> None:
    app = go_through(open_page("decision", run=with_run.run_id, row="3"), name)
    assert "is 1 of" in texts(app)


@pytest.mark.parametrize("row", ["99999", "-1", "seven", "1.5", pytest.param("9" * 5000, id="huge")])
def test_an_address_with_no_such_row_shows_a_row_that_exists(open_page: Open, with_run: Stored, row: str) -> None:
    assert 0 <= row_of(open_page("decision", run=with_run.run_id, row=row)) < 120


def test_a_row_is_found_by_its_id(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = find(open_page("decision", run=stored.run_id, row="3"), " B-041 ")
    assert row_of(app) == 41
    app = find(app, "<b>nobody</b>")
    assert row_of(app) == 41
    assert "No row has the label" in texts(app)
    assert "<b>nobody" not in texts(app)


def test_several_classes_start_with_the_predicted_one(open_page: Open, workspace_root: Path) -> None:
    stored = install("grape", workspace_root)
    app = open_page("decision", run=stored.run_id, row="5")
    choice = next(box for box in app.selectbox if box.label == "Class")
    outcomes = explain_access.outcomes(data_access.run(stored.run_id))
    assert outcomes is not None
    assert int(choice.value) == outcomes.predicted[5]
    drawn = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    assert "Probability" in drawn
    assert "What each step added to every class" in drawn
    before = cells(app).set_index("column")["pushed"]
    other = next(value for value in ("0", "1", "2") if value != choice.value)
    choice.set_value(other)
    after = cells(checked(app.run())).set_index("column")["pushed"]
    assert app.query_params["class"] == other
    assert (before != after[before.index]).any()


def test_a_regression_is_told_in_its_own_unit(open_page: Open, workspace_root: Path) -> None:
    stored = install("price", workspace_root)
    app = open_page("decision", run=stored.run_id, row="5")
    labels = {metric.label for metric in app.metric}
    assert {"Predicted price", "Actual price", "Difference"} <= labels
    assert "the mean of the training rows" in str(figures(app))
    assert "least certain first" not in order_choice(app).options


def test_stored_and_computed_values_of_a_row_are_the_same(with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    values = explain_access.attribution(run)
    assert values is not None
    row = int(values.rows[0])
    stored, computed = explain_access.shown_row(run, row), explain_access._computed_row(run, row)
    assert stored is not None
    assert stored.attribution is not None
    assert computed is not None
    np.testing.assert_allclose(stored.attribution.values, computed.attribution.values, atol=1e-6)
    np.testing.assert_allclose(stored.masks.masks, computed.masks.masks, atol=1e-6)
    assert stored.texts == computed.texts


def test_a_row_that_shap_cannot_explain_still_shows_its_steps(
    open_page: Open, with_run: Stored, workspace_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_explanations(workspace_root, with_run, "explanations/attribution-shap")

    def refuse(*_: object, **__: object) -> None:
        raise ExplanationError("at most 500 columns <b>can</b> be explained")

    monkeypatch.setattr(RowExplainer, "explain", refuse)
    app = open_page("decision", run=with_run.run_id, row="7")
    assert "Step by step" in str(figures(app))
    assert "What pushed this score" not in str(figures(app))
    assert "500 columns" in texts(app)
    assert "<b>can" not in texts(app)
    assert "pushed" not in cells(app)


def test_masks_alone_show_the_steps_and_say_what_is_missing(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    drop_explanations(workspace_root, with_run, "explanations/attribution-shap", "explanations/background")
    app = open_page("decision", run=with_run.run_id, row="7")
    assert "Step by step" in str(figures(app))
    assert "no background to compute them against" in texts(app)


def test_without_its_table_no_single_row_can_be_shown(open_page: Open, with_run: Stored, workspace_root: Path) -> None:
    Workspace.open(workspace_root).delete_dataset(with_run.dataset_id)
    app = open_page("decision", run=with_run.run_id)
    assert "not in this workspace any more" in texts(app)
    assert not figures(app)


def test_without_stored_shap_a_row_is_explained_at_once(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    drop_explanations(workspace_root, with_run, "explanations/attribution-shap")
    app = open_page("decision", run=with_run.run_id, row="7")
    assert "What pushed this score" in str(figures(app))
    assert "rows with stored SHAP values" not in order_choice(app).options


def test_a_run_that_is_gone_is_said_and_its_row_forgotten(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    app = open_page("decision", run="no-such-run", row="7")
    assert app.query_params["run"] in ([with_run.run_id], with_run.run_id)
    assert "is not here any more" in texts(app)
    assert row_of(app) != 7


def test_stored_rows_need_no_torch(with_run: Stored, workspace_root: Path) -> None:
    import subprocess

    code = (
        "import sys\n"
        "from pages._ui import data_access, explain_access\n"
        f"run = data_access.run({with_run.run_id!r})\n"
        "row = int(explain_access.attribution(run).rows[0])\n"
        "assert explain_access.shown_row(run, row) is not None\n"
        "assert not {'torch', 'shap'} & set(sys.modules), sorted({'torch', 'shap'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_state_is_shown_where_every_cell_is_known(open_page: Open, with_run: Stored) -> None:
    assert "state" not in cells(open_page("decision", run=with_run.run_id, row="3"))


def test_a_condition_makes_the_list_and_leads_to_its_first_row(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3")
    condition(app).set_value("age >= 60")
    app = checked(app.run())
    run = data_access.run(with_run.run_id)
    table = explain_access.frame(run)
    assert table is not None
    older = np.flatnonzero(table["age"] >= 60)
    assert row_of(app) == older[0]
    assert app.query_params["where"] in ("age >= 60", ["age >= 60"])
    assert f"{len(older)} of 120 rows meet the condition" in texts(app).replace("\\", "")
    assert row_of(press(app, "row_after")) == older[1]


def test_a_link_with_a_condition_keeps_its_row_and_nothing_is_said(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", where="age > 500")
    assert row_of(app) == 3
    assert "No row meets the condition" in texts(app)
    assert app.button(key="row_after").disabled
    app = press(app, "where_clear")
    assert "where" not in app.query_params
    assert "is 4 of 120" in texts(app)


def test_a_condition_that_cannot_be_read_filters_nothing(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", where="age >= <b>old</b>")
    assert "cannot be read" in texts(app)
    assert "<b>old" not in texts(app)
    assert "is 4 of 120" in texts(app)


def test_controls_write_a_condition(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", where="member = true")
    app.selectbox(key="where_column").set_value("job")
    app = checked(app.run())
    app.multiselect[0].set_value(["nurse"])
    app = checked(app.run())
    app = press(app, "where_add")
    assert condition(app).value == "member = true and job = nurse"


def test_rows_of_a_link_are_gone_through(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="7", rows="7,50-51,9")
    assert order_choice(app).value == "chosen"
    assert "is 1 of 4" in texts(app)
    assert row_of(press(press(app, "row_after"), "row_after")) == 51


def test_many_scattered_rows_go_through_the_visit(with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    few, many = row_lists.list_ids(run, [5, 6, 9]), row_lists.list_ids(run, np.arange(0, 9000, 2))
    assert few == {"run": with_run.run_id, "row": "5", "rows": "5-6,9"}
    assert (many["row"], many["rows"]) == ("0", "chosen")


def test_a_list_follows_what_is_explained_anew(with_run: Stored) -> None:
    run = data_access.run(with_run.run_id)
    values = explain_access.attribution(run)
    assert values is not None
    assert row_lists.members(run, "approved", "shap", None).tolist() == sorted(values.rows)
    save_attribution(run, values.take([0, 2]))
    run = data_access.run(with_run.run_id)
    assert row_lists.members(run, "approved", "shap", None).tolist() == sorted(values.rows[[0, 2]])


def test_every_method_is_compared_and_the_reasons_are_measured(open_page: Open, with_run: Stored) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", view="methods", firm="1")
    drawn = " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())
    assert "Every column by every method" in drawn
    said = texts(app).replace("\\", "")
    assert re.search(r"methods (largely agree|agree in part|agree little|do not agree) on this row", said)
    assert "Measured by" in said
    pairs = next(table.value for table in app.dataframe if "spearman" in table.value)
    assert len(pairs) == 10
    ranks = next(table.value for table in app.dataframe if "ablation" in table.value)
    assert {"attention masks", "SHAP", "expected gradients", "integrated gradients", "ablation"} < set(ranks)


@pytest.mark.parametrize("view", ["what_if", "counterfactual", "similar"])
def test_every_view_opens_by_its_address(open_page: Open, with_run: Stored, view: str) -> None:
    app = open_page("decision", run=with_run.run_id, row="3", view=view)
    assert "How the steps came to it" not in texts(app)
    assert len(app.subheader) >= 1
