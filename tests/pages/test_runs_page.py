"""The runs page: the list, one run in detail, what can be done with it, and the jobs that did not finish."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import run_actions
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobState
from tabnet_engine.jobs.spec import JobSpec
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts

Open = Callable[..., AppTest]


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return checked(app.run())


def test_without_a_run_the_page_leads_to_training(open_page: Open) -> None:
    app = open_page("runs")
    assert "No run yet" in texts(app)
    assert app.get("page_link")


def test_the_list_and_the_result(open_page: Open, with_run: Stored) -> None:
    app = open_page("runs")
    (table,) = app.dataframe
    assert list(table.value["Run"]) == ["First try"]
    assert table.value["auc"].notna().all()
    assert {"Test AUC", "Validation AUC"} <= {metric.label for metric in app.metric}
    assert len(app.get("plotly_chart")) == 3
    assert app.query_params["run"] == with_run.run_id


@pytest.mark.parametrize(("view", "found"), [("settings", "n_steps"), ("origin", "SHA-256 of weights.safetensors")])
def test_settings_and_origin(open_page: Open, with_run: Stored, view: str, found: str) -> None:
    app = open_page("runs", run=with_run.run_id, view=view)
    assert any(found in set(table.value.get("name", ())) for table in app.dataframe)


def test_a_run_is_renamed(open_page: Open, with_run: Stored, space: Workspace) -> None:
    app = open_page("runs")
    app.text_input[0].input("Second <b>name</b>")
    press(app, "Save the title")
    assert space.list_runs()[0].title == "Second <b>name</b>"
    assert next(box for box in app.selectbox if box.label == "Run").options[0].startswith("Second <b>name</b>")
    assert app.success[0].value == "The title was saved\\."
    app.text_input[0].input("   ")
    press(app, "Save the title")
    assert len(app.error) == 1


def test_a_run_is_deleted_after_a_confirmation(open_page: Open, with_run: Stored, space: Workspace) -> None:
    press(open_page("runs"), "Delete this run")
    assert space.list_runs() == ()


def test_a_damaged_run_is_shown_with_its_reason_and_can_be_deleted(
    open_page: Open, with_run: Stored, space: Workspace
) -> None:
    manifest = space.run_folder(with_run.run_id) / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "title": "Forged"}))
    app = open_page("runs")
    assert "manifest" in app.error[0].value
    press(app, "Delete this run")
    assert space.list_runs() == ()


def test_a_changed_weight_file_is_named(open_page: Open, with_run: Stored, space: Workspace) -> None:
    weights = space.run_folder(with_run.run_id) / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    app = open_page("runs")
    assert len(app.error) == 1
    assert "weights" in app.error[0].value


def test_the_download_is_the_whole_run(
    with_run: Stored, space: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = space.run(with_run.run_id)
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(io.BytesIO(run_actions.archive(run))) as packed:
        packed.extractall(folder)
    assert load_run(folder / run.run_id).manifest == run.manifest


@pytest.mark.usefixtures("no_process")
def test_jobs_that_did_not_finish_are_listed_and_tried_again(open_page: Open, space: Workspace) -> None:
    queue = JobQueue(space)
    failed = queue.submit(JobSpec("explain", None, "run-1", "Broken"))
    queue.claim(failed).fail("no space left")
    waiting = queue.submit(JobSpec("explain", None, "run-2", "Going on"))
    app = open_page("runs")
    assert "no space left" in texts(app)
    assert "Going on" in texts(app)
    queue.request_cancel(waiting)
    queue.claim(waiting).cancelled() if queue.job(waiting).state is JobState.QUEUED else None
    press(app, "Try again")
    assert queue.job(failed).state in {JobState.RUNNING, JobState.QUEUED}
    assert app.query_params["job"] == failed
