"""The train page: form to job, the job live, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import data_access, job_panel, train_form
from pages._ui.train_settings import (
    BASIC,
    FROM_PRETRAINING,
    GROUPS,
    OF_TARGETS,
    PRETRAINING,
    PRETRAINING_OPTIMISATION,
    Setting,
)
from pages._ui.train_start import PRETRAIN
from tabnet_engine.config import ExplainConfig, ModelConfig, PretrainingConfig, TrainingConfig, choose_settings
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobProgress, JobState
from tabnet_engine.jobs.spec import JobSpec, TrainPayload
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import EpochRecord
from tests.pages.conftest import Stored, applicants, checked, texts

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")


def record(epoch: int) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        seconds=1.0,
        train_loss=0.5,
        validation_loss=0.6,
        learning_rate=0.01,
        sparsity=1.0,
        validation={"auc": 0.81, "accuracy": 0.7},
    )


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return checked(app.run())


def labels(elements: Sequence[object]) -> set[str]:
    return {str(getattr(element, "label", "")) for element in elements}


def test_without_a_table_the_page_leads_to_one(open_page: Open) -> None:
    app = open_page("train")
    assert "No table yet" in texts(app)
    assert not labels(app.button) & {"Train"}


def test_without_a_target_the_page_leads_to_its_choice(open_page: Open, add_table: Callable[..., str]) -> None:
    app = open_page("train", dataset=add_table())
    assert "What is to be predicted?" in texts(app)
    assert not labels(app.button) & {"Train"}


def test_every_setting_has_a_control_with_help() -> None:
    grouped = [setting for _, settings in GROUPS.values() for setting in settings]
    shown = [*BASIC, *grouped, OF_TARGETS, *FROM_PRETRAINING]
    assert names_of(shown) == fields_of(ModelConfig, TrainingConfig, ExplainConfig) - {"test_fraction"}
    architecture = GROUPS["Architecture"][1]
    pretraining = {setting.name for setting in (*PRETRAINING, *PRETRAINING_OPTIMISATION)}
    assert pretraining == fields_of(PretrainingConfig)
    assert pretraining & names_of(architecture) == set()
    assert all(setting.help_text.endswith(".") and setting.label for setting in (*shown, *PRETRAINING))


def names_of(settings: Sequence[Setting]) -> set[str]:
    names = [setting.name for setting in settings]
    assert len(names) == len(set(names))
    return set(names)


def fields_of(*configs: type) -> set[str]:
    return {field.name for config in configs for field in dataclasses.fields(config)}


def test_the_form_sends_what_it_shows(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    dataset_id = add_table(target="approved")
    app = open_page("train", dataset=dataset_id)
    next(box for box in app.number_input if box.label == "Epochs").set_value(7)
    next(box for box in app.selectbox if box.label == "Mask function").select("entmax15")
    app.slider[0].set_value(30)
    app.text_input[0].input("Seventh try")
    checked(app.run())
    press(app, "Train")
    (job,) = JobQueue(space).list()
    payload = TrainPayload.of(job.spec)
    assert job.spec.title == "Seventh try"
    assert payload.dataset_id == dataset_id
    assert payload.settings["max_epochs"] == 7
    assert payload.settings["mask_function"] == "entmax15"
    assert payload.settings["test_fraction"] == 0.3
    assert payload.settings["d_categorical"] is None
    assert app.query_params["job"] == job.job_id


def test_another_table_can_be_the_test_table(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    other = add_table(applicants(40), name="later.csv")
    app = open_page("train", dataset=add_table(target="approved"))
    app.radio[0].set_value("Use another table")
    checked(app.run())
    press(app, "Train")
    (job,) = JobQueue(space).list()
    assert TrainPayload.of(job.spec).test_dataset_id == other
    assert TrainPayload.of(job.spec).settings["test_fraction"] == 0.0


def test_a_double_click_makes_one_job(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    button = next(button for button in app.button if button.label == "Train")
    button.click()
    app.run()
    del app.query_params["job"]  # the second click was made before the first one's answer arrived
    checked(app.run())
    press(app, "Train")
    assert len(JobQueue(space).list()) == 1


def test_training_another_model_makes_another_job(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    press(app, "Train")
    press(app, "Train another model")
    assert "is running" in texts(app)
    press(app, "Train")
    assert len(JobQueue(space).list()) == 2


def test_a_setting_out_of_range_is_one_sentence(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    next(box for box in app.number_input if box.label == "Learning rate").set_value(50.0)
    checked(app.run())
    press(app, "Train")
    assert len(app.error) == 1
    assert app.error[0].value.startswith("Learning rate must be")  # as the form calls it
    assert JobQueue(space).list() == ()


def queued(space: Workspace, dataset_id: str) -> tuple[JobQueue, str]:
    queue = JobQueue(space)
    spec = TrainPayload(dataset_id=dataset_id, title="A <b>try</b>").to_spec("run-1")
    return queue, queue.submit(spec)


def test_before_the_first_epoch_the_panel_says_so(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    _, job_id = queued(space, add_table(target="approved"))
    app = open_page("train", job=job_id)
    assert {metric.label: metric.value for metric in app.metric} == {"Epoch": "–", "Time left": "–"}
    assert len(app.get("plotly_chart")) == 1


def test_a_worker_that_died_is_found_while_the_page_is_open(
    open_page: Open, add_table: Callable[..., str], space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job_id = queued(space, add_table(target="approved"))
    app = open_page("train", job=job_id)
    found: list[str] = []
    monkeypatch.setattr(JobQueue, "reconcile", lambda self: found.append("looked"))
    for _ in range(6):
        checked(app.run())
    assert found


def test_a_running_job_shows_phase_epoch_curves_and_time(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    queue, job_id = queued(space, add_table(target="approved"))
    claim = queue.claim(job_id)
    claim.add_epoch(record(1))
    progress = JobProgress(phase="Training", fraction=0.4, message="now", epoch=2, max_epochs=5, seconds_left=200.0)
    claim.set_progress(progress)
    app = open_page("train", job=job_id)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Epoch"] == "2 of 5"
    assert shown["Time left"] == "3 min"
    assert shown["Validation AUC"] == "0\\.810"
    assert len(app.get("plotly_chart")) == 2


def test_a_job_can_be_stopped(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    queue, job_id = queued(space, add_table(target="approved"))
    claim = queue.claim(job_id)
    app = press(open_page("train", job=job_id), "Stop")
    assert claim.cancel_requested
    claim.cancelled()
    checked(app.run())
    assert "was stopped" in texts(app)


def test_a_failed_job_says_why_and_can_be_tried_again(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    queue, job_id = queued(space, add_table(target="approved"))
    queue.claim(job_id).fail("the target <b>x</b> has one class; choose another")
    app = open_page("train", job=job_id)
    assert "one class" in app.error[0].value
    assert "<b>" not in app.error[0].value
    log = space.logs_folder / f"{job_id}.log"
    log.write_text("Epoch 1 <b>\n")
    assert checked(app.run()).code[0].value == "Epoch 1 <b>"
    press(app, "Try again")
    assert queue.job(job_id).state is JobState.RUNNING
    assert app.query_params["job"] == job_id


def test_a_finished_job_leads_to_its_result(
    open_page: Open, with_run: Stored, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = JobQueue(space)
    job_id = queue.submit(TrainPayload(dataset_id=with_run.dataset_id, title="First try").to_spec(with_run.run_id))
    queue.claim(job_id).finish()
    app = open_page("train", job=job_id)
    assert "Test AUC" in labels(app.metric)
    assert app.query_params["run"] == with_run.run_id
    assert len(app.get("plotly_chart")) >= 3
    assert len(app.get("page_link")) >= 5


def test_an_estimate_is_given_once_a_run_was_timed(open_page: Open, with_run: Stored) -> None:
    assert "judging by the last run" in texts(open_page("train", dataset=with_run.dataset_id))


def test_an_explanation_is_followed_without_epochs(open_page: Open, with_run: Stored, space: Workspace) -> None:
    queue = JobQueue(space)
    job_id = queue.submit(JobSpec("explain", with_run.dataset_id, with_run.run_id, "Other work"))
    assert "Other work" in texts(open_page("train"))
    app = open_page("train", job=job_id)
    assert labels(app.metric) == {"Time left"}
    assert not app.get("plotly_chart")
    queue.claim(job_id).finish()
    assert "explained anew" in texts(open_page("train", job=job_id))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.2, "under 1 s"), (4.6, "5 s"), (100.0, "2 min"), (5400.0, "1 h 30 min"), (7300.0, "2 h 2 min")],
)
def test_times_are_said_as_people_do(seconds: float | None, text: str) -> None:
    assert job_panel.time_text(seconds) == text


@pytest.mark.parametrize(
    ("version", "tool", "words"),
    [
        ("2.13.0+cpu", None, "no graphics card support"),
        ("2.13.0", "/x", "graphics card."),
        ("2.13.0", None, "no NVIDIA"),
    ],
)
def test_devices_are_found_without_torch(
    version: str, tool: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    monkeypatch.setattr("shutil.which", lambda _: tool)
    assert words in train_form.device_hint()


def test_the_workspace_is_beside_the_application_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABNET_WORKSPACE")
    assert data_access.root().name == "workspace"
    assert (data_access.root().parent / "app.py").exists()


def test_other_settings_are_another_training_and_a_failed_one_can_be_started_again(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    press(app, "Train")
    del app.query_params["job"]  # left by the menu, and come back
    checked(app.run())
    next(box for box in app.number_input if box.label == "Epochs").set_value(7)
    press(app, "Train")
    queue = JobQueue(space)
    assert len(queue.list()) == 2
    queue.request_cancel(app.query_params["job"])
    del app.query_params["job"]
    checked(app.run())
    next(box for box in app.number_input if box.label == "Epochs").set_value(7)
    press(app, "Train")
    assert len(queue.list()) == 3


def test_a_job_that_is_not_there_leads_to_the_form(open_page: Open, add_table: Callable[..., str]) -> None:
    app = open_page("train", dataset=add_table(target="approved"), job="x")
    assert "not in this workspace" in texts(app)
    assert "Train" in labels(app.button)
    assert "job" not in app.query_params


def test_a_finished_job_whose_run_was_deleted_says_so(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    queue = JobQueue(space)
    payload = TrainPayload(dataset_id=add_table(target="approved"), title="gone")
    job_id = queue.submit(payload.to_spec("20260101-000000-abcdef12"))
    queue.claim(job_id).finish()
    app = open_page("train", job=job_id)
    assert "was deleted" in texts(app)
    assert "Train another model" in labels(app.button)


def test_a_leak_is_said_before_the_training_starts(open_page: Open, add_table: Callable[..., str]) -> None:
    table = applicants()
    table["outcome"] = table["approved"].map({"yes": "paid back", "no": "refused"})
    dataset_id = add_table(table, target="approved")
    for page, ids in (("train", {}), ("dataset", {}), ("walkthrough", {"stage": "2"})):
        app = open_page(page, dataset=dataset_id, **ids)
        assert any("outcome" in warning.value for warning in app.warning), page


def test_two_rows_are_refused_before_anything_starts(open_page: Open, add_table: Callable[..., str]) -> None:
    dataset_id = add_table(applicants(2), name="two.csv")
    app = open_page("train", dataset=dataset_id, mode=PRETRAIN)
    assert "The table has 2 rows; at least 10 are needed" in texts(app)
    assert not labels(app.button) & {"Train", "Pretrain"}
    few = applicants(40).drop_duplicates("approved").reset_index(drop=True)
    app = open_page("train", dataset=add_table(few, name="few.csv", target="approved"))
    assert "The table has 2 rows; at least 10 are needed" in texts(app)
    assert not labels(app.button) & {"Train", "Pretrain"}


def test_the_papers_settings_are_a_start(open_page: Open, add_table: Callable[..., str], space: Workspace) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    next(box for box in app.selectbox if box.label == "Settings").select("paper")
    checked(app.run())
    press(app, "Train")
    (job,) = JobQueue(space).list()
    settings = TrainPayload.of(job.spec).settings
    paper = {**ModelConfig.paper().to_mapping(), **TrainingConfig.paper(n_rows=120).to_mapping()}
    model, training, _ = choose_settings(settings, n_rows=120, n_features=4)
    chosen = {**model.to_mapping(), **training.to_mapping()}
    assert chosen == paper


def test_widths_of_categories_are_typed_one_by_one(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    next(box for box in app.text_input if box.label == "Width of a category").input("2, 3")
    checked(app.run())
    press(app, "Train")
    (job,) = JobQueue(space).list()
    assert ModelConfig.from_mapping({"d_categorical": job.spec.payload["settings"]["d_categorical"]}).d_categorical == (
        2,
        3,
    )


def test_a_width_that_is_no_number_is_one_sentence(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    next(box for box in app.text_input if box.label == "Width of a category").input("wide")
    checked(app.run())
    press(app, "Train")
    assert len(app.error) == 1
    assert app.error[0].value.startswith("Width of a category must be")
    assert JobQueue(space).list() == ()


@pytest.mark.parametrize(("label", "most"), [("Epochs", 100_000), ("Seed", 2**32 - 1), ("Decision steps", 1024)])
def test_a_field_ends_where_its_setting_does(
    open_page: Open, add_table: Callable[..., str], label: str, most: int
) -> None:
    app = open_page("train", dataset=add_table(target="approved"))
    field = next(box for box in app.number_input if box.label == label)
    assert field.max == most


def test_waiting_and_stopping_are_called_so_everywhere(
    open_page: Open, add_table: Callable[..., str], space: Workspace
) -> None:
    queue, job_id = queued(space, add_table(target="approved"))
    queue.claim(job_id).cancelled()
    said = texts(open_page("train", job=job_id)) + texts(open_page("runs"))
    assert "stopped" in said
    assert "cancel" not in said.lower()
