"""A small report as the register keeps it, without computing one, for the tests of the page of reports."""

from __future__ import annotations

from pathlib import Path

from tabnet_engine.report.document import Document, Identity, Paragraph, Section
from tabnet_engine.report.register import ReportRecord, ReportRegister

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
