"""A report of a few words with evidence beside it, for tests of what keeps and proves reports."""

from __future__ import annotations

import dataclasses
from itertools import count

from tabnet_engine.report.document import Document, Identity, Paragraph, Section
from tabnet_engine.report.identity import case_id_of

PARTS = {"case.json": b"{}\n", "request.json": b"{}\n", "model/weights.safetensors": b"weights of a run"}


def small_report(
    number: int = 0, *, text: str = "Declined.", blocked: tuple[str, ...] = (), unmet: tuple[str, ...] = ()
) -> Document:
    identity = Identity(
        case_id="",
        kind="decision",
        created=f"2026-03-01T09:{number // 60 % 60:02d}:{number % 60:02d}+00:00",
        run_id="run-1",
        run_title="Run <b>one</b> {x}",
        engine_version="0",
        profile="p",
        profile_version="1",
        language="en",
        seed=number,
        row=number,
        hashes={"model": "ab" * 32},
    )
    return Document(
        title="Report {0} <script>\u202e名",
        subtitle="",
        language="en",
        identity=dataclasses.replace(identity, case_id=case_id_of(identity)),
        summary=(Paragraph(text=text),),
        sections=(Section(key="score", title="Score", part="C", blocks=(Paragraph(text="0.4"),)),),
        blocked=blocked,
        unmet=unmet,
    )


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self._seconds = count()

    def __call__(self) -> str:
        return f"2026-03-01T10:00:{next(self._seconds):02d}.000000+00:00"
