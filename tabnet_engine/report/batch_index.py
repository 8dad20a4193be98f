"""The index of a batch of reports: one line a row, as a document that a person opens first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tabnet_engine.report.document import Callout, Document, Facts, Identity, Paragraph, Section, Table
from tabnet_engine.runs.parts import json_bytes, sha256_bytes
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import say, speaking

if TYPE_CHECKING:
    from tabnet_engine.report.making import MadeReport, ReportMaker

__all__ = ["BatchLine", "index_document", "line_of"]

_MOST_LISTED = 2_000  # lines that people read; the CSV file beside the index has all


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    """What came of one row. ``state`` is made, blocked, or refused; ``told`` says why it was not simply made.

    ``value`` is the probability of the favourable outcome, or the quantity; ``reasons`` are columns. ``file`` and
    ``sha256`` are empty where no report was written.
    """

    row: int
    state: Literal["made", "blocked", "refused"]
    case_id: str = ""
    outcome: str = ""
    value: float | None = None
    reasons: tuple[str, ...] = ()
    told: str = ""
    file: str = ""
    sha256: str = ""


def line_of(made: MadeReport, row: int, name: str, digest: str) -> BatchLine:
    """The line of a report that was written to the file ``name``, whose SHA-256 is ``digest``."""
    document, case = made.document, made.case
    line = BatchLine(
        row=row,
        state="blocked" if document.is_blocked else "made",
        case_id=document.identity.case_id,
        told=one_text(document.blocked),
        file=name,
        sha256=digest,
    )
    if case is None:
        return line
    score, sign = case.score, 1.0 if case.decision.is_high_favourable else -1.0
    return dataclasses.replace(
        line,
        outcome="favourable" if score.is_favourable else "unfavourable",
        value=sign * score.value if score.share is None else score.share,
        reasons=tuple(reason.column for reason in case.reasons),
    )


_STATES: Mapping[str, Callable[[], str]] = {
    "made": lambda: say("made"),
    "blocked": lambda: say("blocked"),
    "refused": lambda: say("no report"),
}
_OUTCOMES: Mapping[str, Callable[[], str]] = {
    "favourable": lambda: say("approved"),
    "unfavourable": lambda: say("not approved"),
}


def index_document(maker: ReportMaker, lines: Sequence[BatchLine]) -> Document:
    """What a person opens first: how many of each, then one line a row."""
    with speaking(maker.config.language):
        identity = _identity(maker, lines)
        counts = [(told(), f"{sum(line.state == state for line in lines):,}") for state, told in _STATES.items()]
        facts = Facts(
            lines=(
                (say("Run"), maker.run.manifest.title),
                (say("Regulation profile"), f"{maker.materials.profile.title} ({maker.materials.profile.version})"),
                (say("Rows"), f"{len(lines):,}"),
                *counts,
            )
        )
        blocks: list[Any] = [_listed(lines[:_MOST_LISTED])]
        if len(lines) > _MOST_LISTED:
            told = say("The first {n:,} of {total:,} rows; index.csv lists all.", n=_MOST_LISTED, total=len(lines))
            blocks.append(Paragraph(text=told, is_note=True))
        if any(line.state == "blocked" for line in lines):
            warned = say("Blocked reports must not be used; each says why on its first page.")
            blocks.insert(0, Callout(tone="block", text=warned))
        return Document(
            title=say("Index of reports"),
            subtitle=maker.run.manifest.title,
            language=maker.config.language,
            identity=identity,
            summary=(facts,),
            sections=(Section(key="index", title=say("Every row"), blocks=tuple(blocks)),),
        )


def _listed(lines: Sequence[BatchLine]) -> Table:
    rows = [
        (
            f"{line.row}",
            _OUTCOMES[line.outcome]() if line.outcome else "",
            "" if line.value is None else f"{line.value:.6g}",  # as many digits as a cutoff has
            "; ".join(line.reasons),
            _STATES[line.state](),
            recalled(line.told) if line.state == "refused" else line.told,
            line.file,
        )
        for line in lines
    ]
    columns = (
        say("Row"),
        say("Outcome"),
        say("Probability or quantity"),
        say("Reasons"),
        say("Report"),
        say("Why"),
        say("File"),
    )
    caption = say("One line for each row")
    return Table(caption=caption, columns=columns, rows=tuple(rows), numeric=(0, 2))


def _identity(maker: ReportMaker, lines: Sequence[BatchLine]) -> Identity:
    from tabnet_engine.report.identity import identity_of

    content = json_bytes([dataclasses.asdict(line) for line in lines])
    return identity_of(
        maker.run,
        maker.config,
        profile=maker.materials.profile,
        created=maker.created,
        row=None,
        extra={"reports": sha256_bytes(content)},
    )
