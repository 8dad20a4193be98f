"""What the tests of the page of reports share: a small report that is kept without computing one, and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.report.document import Document, Identity, Paragraph, Section
from tabnet_engine.report.register import ReportRecord, ReportRegister
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import checked, texts

HOSTILE = "<b>bold</b> ![](http://evil.invalid/x.png) $x$ {0}"


def keep_report(
    root: Path,
    *,
    case: str = "D-20261121-0000000001",
    run_id: str = "20261121-000000-00000000",
    kind: str = "decision",
    row: int | None = 3,
    blocked: tuple[str, ...] = (),
    unmet: tuple[str, ...] = (),
) -> ReportRecord:
    """Put a report into the register of a workspace."""
    identity = Identity(
        case_id=case,
        kind=kind,
        created="2026-11-21T10:00:00+00:00",
        run_id=run_id,
        run_title=f"First try {HOSTILE}",
        engine_version="0.0",
        profile="us_adverse_action",
        profile_version="2026.1",
        language="en",
        seed=0,
        row=row,
        hashes={"model": "0" * 64},
    )
    document = Document(
        title=f"Decision on {HOSTILE}",
        subtitle="row 3",
        language="en",
        identity=identity,
        summary=(Paragraph(text=f"It was declined. {HOSTILE}"),),
        sections=(Section(key="action", title="Action taken", blocks=(Paragraph(text="declined"),), part="A"),),
        blocked=blocked,
        unmet=unmet,
    )
    return ReportRegister(root / "reports").add(document, {"case.json": b"{}"})


def button(app: AppTest, label: str) -> Any:
    """The button with some words."""
    return next(item for item in app.button if item.label == label)


def press(app: AppTest, label: str) -> AppTest:
    """Press it; the page as it is then."""
    button(app, label).click()
    return checked(app.run())


def said(app: AppTest) -> str:
    """The texts of the page without the signs that keep them from being read as Markdown."""
    return texts(app).replace("\\", "")


def queued(space: Workspace) -> ReportPayload:
    """What the one job is asked for."""
    (job,) = JobQueue(space).list()
    return ReportPayload.of(job.spec)
