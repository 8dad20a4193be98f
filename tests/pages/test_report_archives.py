"""Archives of many reports on their page: taken away, deleted with a line in the log, gone on with after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.config import ReportConfig
from tabnet_engine.report.batch_record import PACKED, BatchRecord, write_record
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.runs.parts import sha256_bytes
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked
from tests.pages.reported import HOSTILE, press, queued, said

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")


def test_an_archive_can_be_taken_away_and_says_what_is_in_it(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    folder = workspace_root / "batches" / "job"
    folder.mkdir(parents=True)
    (folder / "reports.zip").write_bytes(b"PK")
    record = {
        "batch_id": "D-1", "run_id": with_run.run_id, "run_title": "First try", "kind": "decision", "profile": "p",
        "language": "en", "created": "2026-11-21T10:00:00+00:00", "n_rows": 7, "n_made": 4, "n_blocked": 1,
        "n_refused": 2, "sha256": "0" * 64,
    }  # fmt: skip
    (folder / "batch.json").write_text(json.dumps(record))
    app = open_page("report", run=with_run.run_id, part="several")
    assert "5 reports, 1 of them blocked; 2 rows without one" in said(app)
    assert any(item.label == "Download" for item in app.get("download_button"))


def test_the_history_has_the_archives_and_one_that_is_deleted_stays_in_the_log(
    open_page: Open, with_run: Stored, workspace_root: Path
) -> None:
    app = open_page("report", view="history", part="several")
    assert "No archive was made yet" in said(app)
    register = ReportRegister(workspace_root / "reports")
    for name, kind in (("job-1", "decision"), ("job-2", "notice")):
        folder = workspace_root / "batches" / name
        folder.mkdir(parents=True)
        (folder / "reports.zip").write_bytes(b"PK" * 617)
        record = BatchRecord(
            batch_id=f"D-{name}", run_id=with_run.run_id, run_title=f"First try {HOSTILE}", kind=kind, profile="p",
            language="en", created="2026-11-21T10:00:00+00:00", n_rows=7, n_made=4, n_blocked=1, n_refused=2,
            sha256=sha256_bytes(b"PK" * 617), archive=folder / "reports.zip",
        )  # fmt: skip
        write_record(folder, record, PACKED)  # as a killed process leaves it
    app = open_page("report", view="history", part="several")
    assert "2 archives." in said(app)
    assert "1.23 KB" in said(app)
    assert HOSTILE in said(app).replace("\u2060", "")
    app = open_page("report", view="history", part="several", of_kind="notice")
    assert ("1 archive." in said(app), "5 reports, 1 of them blocked; 2 rows without one" in said(app)) == (True, True)
    press(app, "Delete this archive")
    assert "The archive was deleted" in said(app)
    assert [record.name for record in register.batches.list()] == ["job-1"]
    app = open_page("report", view="history", part="several")
    app.button(key="verify_log").click()
    assert "3 lines, nothing is wrong" in said(checked(app.run()))
    (workspace_root / "batches" / "job-1" / "reports.zip").unlink()
    app = open_page("report", view="history", part="several")
    assert "the archive is gone from its folder" in said(app).lower()
    app.button(key="verify_log").click()
    assert "no line of the log says that it was deleted" in said(checked(app.run()))


def test_a_stopped_batch_is_gone_on_with_or_removed(
    open_page: Open, with_run: Stored, space: Workspace, workspace_root: Path
) -> None:
    for name, day in (("20261121-1", 21), ("20261122-1", 22)):
        folder = workspace_root / "batches" / name
        (folder / "lines").mkdir(parents=True)
        (folder / "lines" / "row-0000003.json").write_text("{}")
        created = f"2026-11-{day}T10:00:00+00:00"
        request = ReportConfig(time=created).to_mapping()
        plan = {"created": created, "run_id": with_run.run_id, "request": request, "form": "html", "rows": [3, 5]}
        (folder / "plan.json").write_text(json.dumps(plan))
    app = open_page("report", run=with_run.run_id, part="several")
    assert said(app).count("1 of 2 rows are done") == 2
    press(app, "Remove it")  # the newest one stands first
    assert [path.name for path in (workspace_root / "batches").iterdir()] == ["20261121-1"]
    press(app, "Go on")
    payload = queued(space)
    assert (payload.batch_id, payload.rows, payload.form, payload.is_single) == ("20261121-1", (3, 5), "html", False)
    assert "Go on" not in [item.label for item in app.button]  # while it works
