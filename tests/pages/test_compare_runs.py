"""Runs side by side on the page: what is chosen, what is said, the job, and what cannot be compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.jobs import worker
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.tasks import TASKS
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.twin import twin_run

Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def twin_folder(trained: tuple[Path, Stored], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second run of the table of the prepared workspace, made once."""
    space = Workspace.open(trained[0])
    frame = space.load_frame(trained[1].dataset_id)
    folder = tmp_path_factory.mktemp("twin") / "20990101-000000-twin"
    twin_run(space.run(trained[1].run_id), folder, frame, title="Second <b>try</b>", noise=1.0)
    space.close()
    return folder


@pytest.fixture
def two_runs(with_run: Stored, twin_folder: Path, workspace_root: Path) -> tuple[str, str]:
    shutil.copytree(twin_folder, workspace_root / "runs" / twin_folder.name)
    return with_run.run_id, twin_folder.name


def test_one_run_alone_leads_to_another_training(open_page: Open, with_run: Stored) -> None:
    app = open_page("runs", run=with_run.run_id, view="compare")
    assert "One run only" in texts(app)


def test_scores_on_the_same_rows_of_two_runs(open_page: Open, two_runs: tuple[str, str]) -> None:
    app = open_page("runs", run=two_runs[0], view="compare")
    (chosen,) = app.multiselect
    assert chosen.value == [two_runs[1]]
    said = texts(app)
    assert "that neither run learned from" in said or "test rows of both runs" in said
    assert len(app.get("plotly_chart")) == 1
    words = {"better", "worse", "not told apart", "no interval"}
    assert words & {word for table in app.table for word in table.value.iloc[:, -1].str.replace("\u00a0", " ")}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("curves", None),
        ("settings", "Every setting is the same\\."),
        ("importances", "Spearman"),
        ("decisions", "are decided otherwise by"),
        ("reasons", "The leading column is the same in"),
    ],
)
def test_every_part_is_drawn(open_page: Open, two_runs: tuple[str, str], part: str, found: str | None) -> None:
    app = open_page("runs", run=two_runs[0], view="compare", part=part)
    assert not app.error
    if part != "settings":
        assert app.get("plotly_chart")
    if found is not None:
        assert found.replace("\\", "") in texts(app).replace("\\", "")
    assert "<b>" not in "".join(link.proto.label for link in app.get("page_link")).replace("\\<b\\>", "")


def test_a_row_that_changed_opens_in_either_run(open_page: Open, two_runs: tuple[str, str]) -> None:
    app = open_page("runs", run=two_runs[0], view="compare", part="decisions", all="1")
    row = next(box for box in app.selectbox if box.label == "Row to open")
    links = [link.proto for link in app.get("page_link") if link.proto.label.startswith("Row ")]
    assert [f"run={run}" in link.query_string for run, link in zip(two_runs, links, strict=True)] == [True, True]
    assert all(f"row={row.value}" in link.query_string for link in links)


def test_a_condition_that_no_row_meets_leaves_nothing_and_says_so(open_page: Open, two_runs: tuple[str, str]) -> None:
    app = open_page("runs", run=two_runs[0], view="compare", part="decisions", where="age > 900")
    assert any("None of these rows is left" in box.value for box in app.info)


@pytest.mark.usefixtures("no_process")
def test_rows_of_a_table_are_compared_anew_by_a_job(
    open_page: Open, two_runs: tuple[str, str], space: Workspace
) -> None:
    app = open_page("runs", run=two_runs[0], view="compare", part="reasons")
    next(box for box in app.number_input if box.label == "Rows to explain").set_value(5)
    next(box for box in app.number_input if box.label == "Background rows").set_value(3)
    next(button for button in app.button if button.label == "Compare").click()
    checked(app.run())
    queue = JobQueue(space)
    (record,) = [job for job in queue.list() if job.spec.kind == "compare"]
    assert (record.spec.run_id, record.spec.payload["baseline_run_id"]) == (two_runs[1], two_runs[0])
    assert {("run", two_runs[0]), ("run", two_runs[1])} <= set(record.spec.uses)
    worker.run_job(queue, queue.claim(record.job_id), TASKS)
    assert queue.job(record.job_id).state == "succeeded", queue.job(record.job_id).error
    app = open_page("runs", run=two_runs[0], view="compare", part="reasons", method="shap")
    assert "Computed anew on applicants.csv" in next(box for box in app.selectbox if box.label == "Rows").options
    assert "both runs against the same 3 background rows" in texts(app).replace("\\", "")
