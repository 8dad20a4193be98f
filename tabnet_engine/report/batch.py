"""Reports about many rows: each written once, an index of all, one archive; an interrupted batch goes on.

Every finished report lies in the work folder with a line of its own, so that a second attempt makes only what is
missing. A row that cannot be reported on is named in the index with the reason, and the others go on.
"""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tabnet_engine.errors import ReportError, UserError
from tabnet_engine.explain.subject import Steering
from tabnet_engine.report.batch_index import BatchLine, index_document, line_of
from tabnet_engine.report.batch_record import (
    ARCHIVE,
    PACKED,
    RECORD,
    BatchRecord,
    batch_folders,
    read_record,
    write_record,
)
from tabnet_engine.runs.parts import (
    is_regular_file,
    json_bytes,
    parse_json,
    sha256_bytes,
    storage_errors,
    write_bytes,
    write_json,
    write_whole,
)

if TYPE_CHECKING:
    from tabnet_engine.report.document import Document
    from tabnet_engine.report.making import ReportMaker

__all__ = [
    "UnfinishedBatch",
    "discard_batch",
    "planned_time",
    "unfinished_batches",
    "write_batch",
]

Form = Literal["pdf", "html"]
_PLAN, _LINES, _REPORTS = "plan.json", "lines", "reports"
_FIXED_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every entry: the archive depends on what is in it alone


@dataclass(frozen=True, kw_only=True)
class UnfinishedBatch:
    """A batch that was stopped: what it was asked for, and how many of its rows are done."""

    batch_id: str
    run_id: str
    created: str
    request: dict[str, Any]
    form: Form
    rows: tuple[int, ...]
    n_done: int


def write_batch(
    maker: ReportMaker,
    rows: Sequence[int],
    folder: Path,
    *,
    form: Form = "pdf",
    steering: Steering | None = None,
    finish: Callable[[Path], BatchRecord] | None = None,
) -> BatchRecord:
    """Make a report for each row and pack them with an index into one archive.

    Args:
        maker: of decision reports or notices; its time is that of all reports, so a second attempt must bring the
            same one (:func:`planned_time`).
        rows: row numbers in the table.
        folder: where the batch lives; what an earlier attempt left there is gone on from.
        form: PDF, or HTML with drawn charts and no scripts.
        steering: counts the rows that are done.
        finish: records the archive that lies in the folder, such as
            :meth:`~tabnet_engine.report.batch_shelf.BatchShelf.finish`; without it no log tells of it.

    Raises:
        ReportError: no row, or the folder holds another batch.
        StorageError: the disk refuses; what is finished stays.
        JobCancelledError: the steering asked to stop.
    """
    if not len(rows):
        raise ReportError("no row is to be reported on; name rows, or loosen the condition")
    steering = steering or Steering()
    with storage_errors("write the reports"):
        _plan(maker, rows, folder, form)
        if is_regular_file(folder / RECORD):  # the worker died between the last file and the end of its job
            _tidy(folder)
            return read_record(folder)
        (folder / PACKED).unlink(missing_ok=True)  # of a killed attempt: nobody else is to finish that meanwhile
        lines = []
        for done, row in enumerate(rows):
            steering.step(done, len(rows))
            lines.append(_line(maker, int(row), folder, form))
        _pack(maker, lines, folder)
        record = (finish or _finished)(folder)
        _tidy(folder)
    steering.step(len(rows), len(rows))
    return record


def _finished(folder: Path) -> BatchRecord:
    (folder / PACKED).replace(folder / RECORD)
    return read_record(folder)


def _tidy(folder: Path) -> None:
    """Remove what the archive holds."""
    for name in (_REPORTS, _LINES):
        shutil.rmtree(folder / name, ignore_errors=True)


def planned_time(folder: Path) -> str:
    """The time that the reports of an interrupted batch carry; empty where none was begun."""
    plan = folder / _PLAN
    return str(parse_json(plan.read_bytes())["created"]) if is_regular_file(plan) else ""


def unfinished_batches(folder: Path) -> tuple[UnfinishedBatch, ...]:
    """The batches that were begun within a folder of batches and have no archive, newest first."""
    found = []
    for path in batch_folders(folder):
        if is_regular_file(path / RECORD):
            continue
        try:
            found.append(_begun(path))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return tuple(sorted(found, key=lambda begun: (begun.created, begun.batch_id), reverse=True))


def _begun(folder: Path) -> UnfinishedBatch:
    plan = parse_json((folder / _PLAN).read_bytes())
    return UnfinishedBatch(
        batch_id=folder.name,
        run_id=str(plan["run_id"]),
        created=str(plan["created"]),
        request=dict(plan["request"]),
        form=plan["form"],
        rows=tuple(map(int, plan["rows"])),
        n_done=sum(1 for _ in (folder / _LINES).glob("*.json")),
    )


def discard_batch(folder: Path, batch_id: str) -> None:
    """Remove a batch that was begun and has no archive, with the reports that are written; another one stays.

    Raises:
        StorageError: the disk refuses.
    """
    with storage_errors("remove the reports"):
        if batch_id in {begun.batch_id for begun in unfinished_batches(folder)}:
            shutil.rmtree(folder / batch_id)


def _plan(maker: ReportMaker, rows: Sequence[int], folder: Path, form: Form) -> None:
    """Write down what the batch is, or see that an earlier attempt meant the same."""
    for name in (_LINES, _REPORTS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    plan = {
        "created": maker.created,
        "run_id": maker.run.run_id,
        "request": maker.config.replace(time=maker.created).to_mapping(),
        "form": form,
        "made_from": {**maker.made_from, "profile": maker.materials.profile.sha256},
        "rows": [int(row) for row in rows],
    }
    plan = parse_json(json_bytes(plan))
    if is_regular_file(folder / _PLAN):
        if parse_json((folder / _PLAN).read_bytes()) != plan:
            raise ReportError(
                f"{folder.name} holds another batch, or one that was begun before its table, its reason codes or what "
                "else is written for it was changed; begin a new one under another name"
            )
        return
    write_json(folder / _PLAN, plan)


def _line(maker: ReportMaker, row: int, folder: Path, form: Form) -> BatchLine:
    """The line of one row: of an earlier attempt, else made now. Its file is written before it."""
    path = folder / _LINES / f"{row}.json"
    if is_regular_file(path):
        values = parse_json(path.read_bytes())
        return BatchLine(**{**values, "reasons": tuple(values["reasons"])})
    line = _made(maker, row, folder, form)
    write_json(path, dataclasses.asdict(line))
    return line


def _made(maker: ReportMaker, row: int, folder: Path, form: Form) -> BatchLine:
    try:
        made = maker.make(row)
    except UserError as error:
        return BatchLine(row=row, state="refused", told=str(error))
    content = _rendered(made.document, form)
    name = f"{_REPORTS}/row-{row:07d}.{form}"
    target = folder / name
    write_whole(target, lambda temporary: write_bytes(temporary, content))
    return line_of(made, row, name, sha256_bytes(content))


def _rendered(document: Document, form: Form) -> bytes:
    if form == "pdf":
        from tabnet_engine.report.rendering.pdf import pdf_bytes

        return pdf_bytes(document)
    from tabnet_engine.report.rendering.html import html_bytes

    return html_bytes(document, is_interactive=False)


def _pack(maker: ReportMaker, lines: Sequence[BatchLine], folder: Path) -> None:
    """The archive: index, reports, and a manifest with the hash of each."""
    import pandas as pd

    from tabnet_engine.data.export import safe_csv

    table = pd.DataFrame([dataclasses.asdict(line) | {"reasons": "; ".join(line.reasons)} for line in lines])
    index = index_document(maker, lines)
    entries: dict[str, bytes] = {
        "index.csv": safe_csv(table),
        "index.html": _rendered(index, "html"),
        "plan.json": (folder / _PLAN).read_bytes(),
    }
    hashes = {name: sha256_bytes(content) for name, content in entries.items()}
    hashes |= {line.file: line.sha256 for line in lines if line.file}
    entries["manifest.json"] = json_bytes({"format": "report-batch", "sha256": hashes}, indent=1)
    files = [line.file for line in lines if line.file]
    digest = write_whole(folder / ARCHIVE, lambda path: _write_zip(path, entries, folder, files))
    counts = {state: sum(line.state == state for line in lines) for state in ("made", "blocked", "refused")}
    record = BatchRecord(
        batch_id=index.identity.case_id,
        run_id=maker.run.run_id,
        run_title=maker.run.manifest.title,
        kind=maker.config.kind,
        profile=maker.materials.profile.name,
        profile_version=maker.materials.profile.version,
        language=maker.config.language,
        created=maker.created,
        n_rows=len(lines),
        n_made=counts["made"],
        n_blocked=counts["blocked"],
        n_refused=counts["refused"],
        sha256=digest,
        archive=folder / ARCHIVE,
    )
    write_record(folder, record, PACKED)


def _write_zip(path: Path, entries: Mapping[str, bytes], folder: Path, files: Sequence[str]) -> None:
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(_entry(name), content)
        for name in files:
            with (folder / name).open("rb") as source, archive.open(_entry(name), "w") as target:
                shutil.copyfileobj(source, target)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIXED_MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
