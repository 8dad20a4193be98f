"""The walkthrough: six steps on the functions of the pages; it can be left and resumed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import explain_access, walk_row
from tabnet_engine.errors import ExplanationError
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.spec import TrainPayload
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import ROOT, Stored, applicants, checked, texts

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return checked(app.run())


def heading(app: AppTest) -> str:
    return str(app.subheader[0].value)


def plain(text: str) -> str:
    return text.replace("\\", "")


def row_box(app: AppTest) -> Any:
    return next(box for box in app.selectbox if box.label == "Row")


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_it_is_the_first_page_and_waits_for_a_table() -> None:
    app = checked(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run())
    assert heading(app) == "1. Table"
    assert not any(label.startswith("Next") for label in buttons(app))


def test_a_sample_leads_to_its_target_and_to_training(open_page: Open, space: Workspace) -> None:
    app = press(open_page("walkthrough"), "Diabetes")
    assert heading(app) == "2. Target"
    assert len(app.dataframe) == 1
    app = press(app, "Next: training")
    assert heading(app) == "3. Training"
    app = press(app, "Train")
    (job,) = JobQueue(space).list()
    assert app.query_params["job"] == job.job_id
    assert TrainPayload.of(job.spec).settings == {}
    assert app.query_params["stage"] == "3"


def test_an_upload_without_a_target_waits_for_it(open_page: Open, add_table: Callable[..., str]) -> None:
    app = open_page("walkthrough", stage="2", dataset=add_table())
    assert "Next: training" not in buttons(app)
    next(box for box in app.selectbox if box.label == "Column to predict").select("approved")
    assert "Next: training" in buttons(checked(app.run()))


@pytest.mark.parametrize("stage", ["0", "-1", "x", "1.5", pytest.param("9" * 5000, id="huge")])
def test_a_step_that_is_not_there_starts_at_the_first(open_page: Open, stage: str) -> None:
    assert heading(open_page("walkthrough", stage=stage)) == "1. Table"


def test_it_is_resumed_where_it_was_left(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    dataset_id = add_table(target="approved")
    job_id = JobQueue(space).submit(TrainPayload(dataset_id=dataset_id, title="Left").to_spec("run-1"))
    app = open_page("walkthrough", stage="3", dataset=dataset_id)
    assert app.query_params["job"] == job_id
    assert "Stop" in buttons(app)


def test_a_visit_of_another_day_resumes_the_training(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    dataset_id = add_table(target="approved")
    job_id = JobQueue(space).submit(TrainPayload(dataset_id=dataset_id, title="Left").to_spec("run-1"))
    app = press(open_page("walkthrough"), "Resume: Left")
    assert (app.query_params["stage"], app.query_params["job"]) == ("3", job_id)
    assert app.query_params["dataset"] == dataset_id


def test_a_visit_of_another_day_resumes_with_the_newest_run(open_page: Open, with_run: Stored) -> None:
    app = press(open_page("walkthrough"), "Resume: First try")
    assert heading(app) == "4. Masks"
    assert app.query_params["run"] == with_run.run_id
    app = press(app, "Back")
    assert {"Train again", "Next: masks"} <= buttons(app)


def test_a_finished_training_opens_the_masks(open_page: Open, with_run: Stored, space: Workspace) -> None:
    queue = JobQueue(space)
    job_id = queue.submit(TrainPayload(dataset_id=with_run.dataset_id, title="First try").to_spec(with_run.run_id))
    queue.claim(job_id).finish()
    app = press(open_page("walkthrough", stage="3", dataset=with_run.dataset_id, job=job_id), "Next: masks")
    assert heading(app) == "4. Masks"
    assert len(app.get("plotly_chart")) == 2
    app = press(app, "Next: one decision")
    assert re.fullmatch(r"5\. Why was row \d+ given “(yes|no)”\?", plain(heading(app)))
    assert len(app.get("plotly_chart")) == 3
    assert "Step 1 read" in texts(app)
    assert "usual case" in texts(app) or "the one test row" in texts(app)
    assert app.query_params["row"][0].isdecimal()
    assert texts(app).count("**Look at:**") == 3
    app = press(app, "Next: what would change it")
    assert "What would have changed the answer for row" in plain(heading(app))
    assert len(app.get("page_link")) == 9
    assert texts(app).count("**Look at:**") == 1
    assert {"Back", "Start again"} <= buttons(app)


def test_a_run_of_the_table_is_shown_again_without_its_job(open_page: Open, with_run: Stored) -> None:
    app = open_page("walkthrough", stage="3", dataset=with_run.dataset_id, run=with_run.run_id)
    assert {"Train again", "Next: masks"} <= buttons(app)


def test_without_shap_values_the_steps_are_shown_and_it_is_said_why_nothing_pushed(
    open_page: Open, with_run: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(run: object, row: int) -> None:
        raise ExplanationError("SHAP values are computed for at most 3 columns")

    monkeypatch.setattr(explain_access, "row_explanation", refused)
    app = open_page("walkthrough", stage="5", run=with_run.run_id)
    assert "at most 3 columns" in texts(app)
    assert "Step 1 read" in texts(app)
    assert texts(app).count("**Look at:**") == 1
    assert "Next: what would change it" in buttons(app)


def test_another_row_can_be_chosen_and_the_question_follows(open_page: Open, with_run: Stored) -> None:
    app = open_page("walkthrough", stage="5", run=with_run.run_id)
    suggested = str(row_box(app).value)
    assert "Why this one?" in texts(app)
    row_box(app).select_index(1)
    checked(app.run())
    chosen = str(row_box(app).value)
    assert chosen != suggested
    assert app.query_params["row"] in (chosen, [chosen])
    assert f"row {chosen} given" in plain(heading(app))
    assert f"row {suggested} was suggested" in texts(app)


def test_the_row_of_a_link_is_the_one_that_is_asked_about(open_page: Open, with_run: Stored) -> None:
    app = open_page("walkthrough", stage="6", run=with_run.run_id, row="7")
    assert "row 7" in plain(heading(app))
    app = press(app, "Back")
    assert str(row_box(app).value) == "7"


@pytest.mark.parametrize("row", ["999999", "x", "-1"])
def test_a_row_that_is_not_there_gives_way_to_the_suggested_one(open_page: Open, with_run: Stored, row: str) -> None:
    app = open_page("walkthrough", stage="5", run=with_run.run_id, row=row)
    assert "Why this one?" in texts(app)


def test_other_pages_and_back_go_on_where_the_visit_left(open_page: Open, with_run: Stored) -> None:
    app = open_page("walkthrough", stage="5", run=with_run.run_id, row="7")
    app.switch_page(str(ROOT / "pages" / "decision.py"))
    app.query_params.clear()
    app.query_params["run"], app.query_params["row"] = with_run.run_id, "3"
    checked(app.run())
    app.switch_page(str(ROOT / "pages" / "walkthrough.py"))
    app.query_params.clear()
    app = checked(app.run())
    assert "You are back where you left the walkthrough: step 5 of 6" in texts(app)
    assert "row 7" in plain(heading(app))
    app = press(app, "Start again")
    assert heading(app) == "1. Table"
    assert "You are back" not in texts(app)


def test_a_run_without_its_table_says_so_and_links_on(open_page: Open, with_run: Stored, space: Workspace) -> None:
    space.delete_dataset(with_run.dataset_id)
    for stage in ("5", "6"):
        app = open_page("walkthrough", stage=stage, run=with_run.run_id)
        assert "not in this workspace any more" in texts(app)
        assert len(app.get("page_link")) == 4


@pytest.mark.parametrize(
    ("stage", "words"),
    [("2", "needs a table"), ("3", "needs a table"), ("4", "trained"), ("5", "trained"), ("6", "trained")],
)
def test_a_step_opened_too_early_says_what_it_needs(open_page: Open, stage: str, words: str) -> None:
    app = open_page("walkthrough", stage=stage)
    assert words in texts(app)
    assert "Back" in buttons(app)
    assert heading(press(app, "Back")).startswith(str(int(stage) - 1))


@pytest.mark.parametrize(("stage", "shown"), [("0", "1."), ("99", "6."), ("x", "1.")])
def test_a_stage_that_does_not_exist_is_the_nearest(open_page: Open, stage: str, shown: str) -> None:
    assert heading(open_page("walkthrough", stage=stage)).startswith(shown)


def test_starting_again_forgets_the_choices(open_page: Open, with_run: Stored) -> None:
    app = press(open_page("walkthrough", stage="5", run=with_run.run_id), "Start again")
    assert heading(app) == "1. Table"
    assert "run" not in app.query_params


def test_the_truth_is_told_for_the_credit_sample_only(
    open_page: Open, with_run: Stored, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("walkthrough", stage="5", run=with_run.run_id)
    assert "truth" not in texts(app)
    monkeypatch.setattr(walk_row, "_CREDIT", space.dataset(with_run.dataset_id).name)
    app = open_page("walkthrough", stage="5", run=with_run.run_id)
    assert "debt_ratio" in texts(app)


def test_going_back_to_another_table_forgets_the_training_on_the_first(
    open_page: Open, with_run: Stored, add_table: Callable[..., str], space: Workspace
) -> None:
    other = add_table(applicants(40), name="other.csv")
    queue = JobQueue(space)
    job_id = queue.submit(TrainPayload(dataset_id=with_run.dataset_id, title="First try").to_spec(with_run.run_id))
    queue.claim(job_id).finish()
    app = open_page("walkthrough", stage="1", dataset=with_run.dataset_id, job=job_id, run=with_run.run_id)
    next(box for box in app.selectbox if box.label.startswith("Or go on")).set_value(other)
    app = press(checked(app.run()), "Next: target")
    assert app.query_params["dataset"] in (other, [other])
    assert not {"job", "run"} & set(app.query_params)


def test_back_from_a_link_to_the_masks_leads_to_the_training_of_that_run(open_page: Open, with_run: Stored) -> None:
    app = press(open_page("walkthrough", stage="4", run=with_run.run_id), "Back")
    assert heading(app) == "3. Training"
    assert {"Train again", "Next: masks"} <= buttons(app)
    app = press(press(app, "Back"), "Back")
    assert heading(app) == "1. Table"
    assert "Next: target" in buttons(app)
