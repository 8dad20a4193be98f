"""Several targets of one model, numbers and classes together, on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, explain_access, explain_widgets
from tabnet_engine.data.kinds import set_role
from tabnet_engine.data.schema import Role, Task
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.spec import TrainPayload
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import figures, install

Open = Callable[..., AppTest]
BOTH = "grape,price"
OUTPUTS = 4  # three grapes and the price


@pytest.fixture
def both(workspace_root: Path) -> Stored:
    return install(BOTH, workspace_root)


def choose_output(app: AppTest, name: str) -> AppTest:
    box = next(box for box in app.selectbox if box.label == "Output")
    box.set_value(str(box.options.index(name)))
    return checked(app.run())


def titles(app: AppTest) -> str:
    return " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())


def test_a_second_column_to_predict_makes_two_targets_and_taking_it_back_one(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table(target="approved")
    app = open_page("dataset", dataset=dataset_id)
    app.multiselect[0].set_value(["age"])
    checked(app.run())
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert [(target.name, target.task) for target in schema.targets] == [
        ("age", Task.REGRESSION),
        ("approved", Task.BINARY),
    ]
    first = next(box for box in app.selectbox if box.label == "Column to predict")
    assert first.value == "approved"  # what was chosen first stays first, although age stands before it
    assert app.multiselect[0].value == ["age"]
    assert "2 targets" in {metric.value for metric in app.metric}
    next(box for box in app.selectbox if box.label == "Positive class of approved").select("no")
    checked(app.run())
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert schema.targets[1].classes == ("yes", "no")
    app.multiselect[0].set_value([])
    checked(app.run())
    schema = space.load_schema(dataset_id)
    assert schema is not None
    assert [target.classes for target in schema.targets] == [("yes", "no")]
    assert schema.task is Task.BINARY


def test_when_every_column_is_to_be_predicted_no_training_is_offered(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table(target="approved")
    app = open_page("dataset", dataset=dataset_id)
    schema = space.load_schema(dataset_id)
    assert schema is not None
    for column in schema.columns:
        if column.role is Role.FEATURE and column.name != "age":
            schema = set_role(schema, column.name, Role.IGNORED)
    space.save_schema(dataset_id, schema)
    checked(app.run())
    app.multiselect[0].set_value(["age"])
    checked(app.run())
    for page in ("dataset", "train"):
        app = open_page(page, dataset=dataset_id)
        assert "No column is left to predict from" in texts(app)
        assert not {"Train", "Train on this table"} & {button.label for button in app.button}


def test_a_second_target_that_does_not_fit_says_why_and_changes_nothing(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table(target="approved")
    before = space.load_schema(dataset_id)
    app = open_page("dataset", dataset=dataset_id)
    app.multiselect[0].set_value(["joined"])
    checked(app.run())
    assert len(app.error) == 1
    assert "joined" in app.error[0].value
    assert space.load_schema(dataset_id) == before


def test_the_profile_compares_the_columns_with_either_target(open_page: Open, both: Stored) -> None:
    app = open_page("dataset", dataset=both.dataset_id, view="Profile")
    assert "Association with grape" in titles(app)
    next(box for box in app.selectbox if box.label == "Compare the columns with").select("price")
    assert "Association with price" in titles(checked(app.run()))


@pytest.mark.usefixtures("no_process")
def test_each_target_gets_a_weight_and_the_job_all_of_them(open_page: Open, both: Stored, space: Workspace) -> None:
    app = open_page("train", dataset=both.dataset_id)
    assert app.text_input[0].value == "bottles.csv: grape, price"
    next(box for box in app.number_input if box.label == "Weight of price").set_value(2.5)
    checked(app.run())
    next(button for button in app.button if button.label == "Train").click()
    checked(app.run())
    (job,) = JobQueue(space).list()
    payload = TrainPayload.of(job.spec)
    assert tuple(payload.settings["task_weights"]) == (1.0, 2.5)
    assert "monitor" not in payload.settings
    assert payload.schema is not None
    assert [target.name for target in payload.schema.targets] == ["grape", "price"]


def test_scores_are_grouped_by_target(open_page: Open, both: Stored) -> None:
    app = open_page("runs", run=both.run_id)
    said = texts(app)
    assert "**grape**" in said
    assert "**price**" in said
    assert {"Test accuracy", "Test RMSE"} <= {metric.label for metric in app.metric}
    (overview,) = app.dataframe
    assert "grape: accuracy" in overview.value["Other scores"][0]
    assert overview.value["Task"][0] == "several targets"
    assert "RMSE" in titles(app)


@pytest.mark.parametrize("page", ["importance", "masks", "shap_comparison", "decision"])
def test_every_output_can_be_explained(open_page: Open, both: Stored, page: str) -> None:
    app = open_page(page, run=both.run_id)
    box = next(box for box in app.selectbox if box.label == "Output")
    assert len(box.options) == OUTPUTS
    assert box.options[-1] == "price"
    for output in range(1, OUTPUTS):
        next(box for box in app.selectbox if box.label == "Output").set_value(str(output))
        checked(app.run())
        assert app.query_params["class"] == str(output)
        assert len(figures(app)) >= 2


def test_a_decision_tells_the_chosen_targets_own_prediction(open_page: Open, both: Stored) -> None:
    app = open_page("decision", run=both.run_id, row="5")
    assert "Predicted grape" in {metric.label for metric in app.metric}
    assert "What each step added to every class" in titles(app)
    assert "Probability" in titles(app)
    table = app.dataframe[0].value
    assert list(table["target"]) == ["grape", "price"]
    app = choose_output(app, "price")
    labels = {metric.label for metric in app.metric}
    assert {"Predicted price", "Actual price", "Difference"} <= labels
    assert "What each step added to every class" not in titles(app)
    shown = next(metric.value for metric in app.metric if metric.label == "Actual price").replace("\\", "")
    assert shown == table["actual"][1]
    whole = explain_access.frame(data_access.run(both.run_id))
    assert whole is not None
    assert float(shown) == pytest.approx(whole["price"][5], rel=1e-2)


def test_each_target_has_its_own_list_of_wrong_rows(open_page: Open, both: Stored) -> None:
    app = choose_output(open_page("decision", run=both.run_id, row="5"), "price")
    lists = next(box for box in app.selectbox if box.label == "Go through")
    assert "least certain first" not in lists.options  # a number has no probability
    lists.set_value("wrong")
    app = checked(app.run())
    run = data_access.run(both.run_id)
    stored, table = explain_access.masks(run), explain_access.frame(run)
    assert stored is not None
    assert table is not None
    errors = np.abs(stored.logits[:, OUTPUTS - 1] - table["price"].to_numpy()[stored.rows])
    assert int(app.query_params["row"]) == stored.rows[errors.argmax()]


def test_a_class_belongs_to_its_target_in_words_and_on_axes(both: Stored) -> None:
    run = data_access.run(both.run_id)
    assert explain_widgets.target_of(run, 0)[0].name == "grape"
    assert explain_widgets.target_of(run, 3)[1] == slice(3, 4)
    assert explain_widgets.score(run, 0).name.startswith("the score of grape = ")
    assert explain_widgets.score(run, 3).task is Task.REGRESSION
    assert explain_widgets.unit(run, 3) == "predicted price"


def test_masks_are_ordered_and_filtered_by_either_target(open_page: Open, both: Stored) -> None:
    for target in ("grape", "price"):
        filtered = open_page("masks", run=both.run_id, view="rows", where=f"{target} is missing")
        assert "No row meets the condition" in texts(filtered)
    app = choose_output(open_page("masks", run=both.run_id, view="rows"), "price")
    order = next(box for box in app.selectbox if box.label == "Order of the rows")
    order.set_value("error")
    assert "ordered by: error, largest first" in texts(checked(app.run())).replace("\\", "")


def test_the_walkthrough_explains_the_chosen_output(open_page: Open, both: Stored) -> None:
    app = choose_output(open_page("walkthrough", stage="5", run=both.run_id), "price")
    assert "the predicted price" in texts(app)
