"""The register of a workspace's reports: kept whole, reviewed in steps, signed once, every step in the log.

A report is a folder of its own with the document, the evidence and a record; the run's parts, which many reports
share, lie once beside them. The log is written before the record, and a step that only the log has is completed at
the next change. Reading needs neither torch nor a renderer; rendering imports what it needs.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tabnet_engine.errors import EngineError, ReportError, StorageError
from tabnet_engine.report.batch_checks import checked_with_batches
from tabnet_engine.report.batch_shelf import BATCHES, BatchShelf
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import DOCUMENT, LOG, MODEL_PREFIX, check_entry_name, pack_bytes
from tabnet_engine.report.log import ChainedLog, LogLine, LogVerdict
from tabnet_engine.report.register_checks import check_logged, check_told, checked_with_reports
from tabnet_engine.report.register_record import PARTS, KeptStep, ReportRecord
from tabnet_engine.report.register_recovery import finish_leftovers, room_kept
from tabnet_engine.runs.manifest import tidy_title, utc_now
from tabnet_engine.runs.parts import (
    folder_lock,
    folder_written_whole,
    is_regular_file,
    json_bytes,
    parse_json,
    remove_folder,
    sha256_bytes,
    storage_errors,
    sweep_leftovers,
    write_bytes,
    write_whole,
)

__all__ = ["MAX_COMMENT", "MAX_NAME", "ReportRecord", "ReportRegister"]

MAX_NAME, MAX_COMMENT = 200, 5_000
# Ids come back from the address bar: nothing in them may lead out of the workspace.
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")


class ReportRegister:
    """The reports under one folder; any number of processes may have it open."""

    def __init__(self, folder: Path, *, now: Callable[[], str] = utc_now) -> None:
        self.folder = folder
        self.cases = folder / "cases"
        self.shared = folder / "shared"
        self.log = ChainedLog(folder / "log.jsonl", now=now)
        self.batches = BatchShelf(folder.with_name(BATCHES), self.log)

    # Keeping

    def add(self, document: Document, parts: Mapping[str, bytes], *, name: str = "") -> ReportRecord:
        """Keep a report as a draft; one that is kept already is returned as it is.

        Args:
            document: the report; steps of a review in it are not kept.
            parts: the evidence beside it, by file name.
            name: who made it.

        Raises:
            ReportError: a report of the same case id says something else.
            StorageError: the disk refuses; nothing is half-added.
            ValueError: a part has a name that no file of a report has.
        """
        document = dataclasses.replace(document, review=())
        contents = {DOCUMENT: json_bytes(document.to_mapping())}
        contents |= {f"{PARTS}/{check_entry_name(part)}": content for part, content in parts.items()}
        new = ReportRecord.of(document, {part: sha256_bytes(content) for part, content in contents.items()})
        folder = self._folder(new.case_id)
        with self._changing(f"keep the report {new.case_id!r}"):
            if (known := self._known(new, folder)) is not None:
                return known
            self._share(contents, new.files)
            with folder_written_whole(folder) as temporary:
                for part, content in contents.items():
                    if not _is_shared(part):
                        (temporary / part).parent.mkdir(parents=True, exist_ok=True)
                        write_bytes(temporary / part, content)
                new.write(temporary)  # so that what a killed process left can be told
                with room_kept(temporary) as free:
                    line = self._begun(new) or self._logged(new, "draft", name, new.evidence)
                    free()
                    record = new.with_steps([KeptStep.of(line)])
                    record.write(temporary)
            return record

    def _known(self, new: ReportRecord, folder: Path) -> ReportRecord | None:
        if not os.path.lexists(folder):
            return None
        if _ends_deleted(self.log.lines(new.case_id)):
            remove_folder(folder)  # a process ended between the log and the disk
            return None
        known = ReportRecord.read(folder)
        if known.evidence != new.evidence:
            raise ReportError(
                f"the report {new.case_id!r} is kept already and says something else; make it again at another time, "
                "or delete the draft first"
            )
        return known

    def _begun(self, new: ReportRecord) -> LogLine | None:
        """The line of a process that ended between the log and the disk, for the same report."""
        lines = self.log.lines(new.case_id)
        if lines and (lines[-1].action, lines[-1].content, lines[-1].detail) == ("draft", new.content, new.evidence):
            return lines[-1]
        return None

    def _share(self, contents: Mapping[str, bytes], files: Mapping[str, str]) -> None:
        for part in filter(_is_shared, contents):
            path, content = self.shared / files[part], contents[part]
            if not is_regular_file(path) or path.stat().st_size != len(content):
                write_whole(path, lambda temporary, content=content: write_bytes(temporary, content))  # type: ignore[misc]

    # Looking

    def list(self, run_id: str | None = None, kind: str | None = None) -> tuple[ReportRecord, ...]:
        """The reports, newest first; of one run or one kind where these are given. A damaged one says so."""
        if not self.cases.is_dir():
            return ()
        with storage_errors("list the reports"), os.scandir(self.cases) as entries:
            names = [entry.name for entry in entries if _CASE_ID.fullmatch(entry.name) and entry.is_dir()]
        found = map(self._read_or_damaged, names)
        chosen = [
            record
            for record in found
            if record is not None and run_id in (None, record.run_id) and kind in (None, record.kind)
        ]
        return tuple(sorted(chosen, key=_age, reverse=True))

    def _read_or_damaged(self, case_id: str) -> ReportRecord | None:
        try:
            return ReportRecord.read(self.cases / case_id)
        except EngineError as error:
            # Another tab may have deleted it meanwhile.
            return ReportRecord.damaged(case_id, str(error)) if (self.cases / case_id).exists() else None

    def get(self, case_id: str) -> ReportRecord:
        """What is known of one report.

        Raises:
            ReportError: there is none of that id.
            StorageError: its record is damaged.
        """
        return ReportRecord.read(self._folder(case_id))

    def document(self, case_id: str) -> Document:
        """The report with the steps of its review.

        Raises:
            ReportError: there is none of that id.
            StorageError: it was changed since it was kept.
        """
        record = self.get(case_id)
        content = self._file(record, DOCUMENT)
        try:
            document = Document.from_mapping(parse_json(content))
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"the report {case_id!r} cannot be read ({error}); make it anew") from error
        return dataclasses.replace(document, review=record.review)

    def parts(self, case_id: str) -> dict[str, bytes]:
        """The evidence by file name, each compared with its hash; errors as of :meth:`document`."""
        record = self.get(case_id)
        names = [name for name in record.files if name != DOCUMENT]
        return {name.removeprefix(f"{PARTS}/"): self._file(record, name) for name in names}

    def _file(self, record: ReportRecord, name: str) -> bytes:
        digest = record.files[name]
        path = self.shared / digest if _is_shared(name) else self._folder(record.case_id) / name
        what = f"the file {name!r} of the report {record.case_id!r}"
        if not is_regular_file(path):
            raise StorageError(f"{what} is gone; restore it from a copy")
        with storage_errors(f"read {what}"):
            content = path.read_bytes()
        if sha256_bytes(content) != digest:
            raise StorageError(f"{what} was changed after it was kept; restore it from a copy, it proves nothing now")
        return content

    # Rendering

    def html(self, case_id: str, *, is_interactive: bool = True) -> bytes:
        """The report as one HTML file; errors as of :meth:`document`."""
        from tabnet_engine.report.rendering.html import html_bytes

        return html_bytes(self.document(case_id), is_interactive=is_interactive)

    def pdf(self, case_id: str) -> bytes:
        """The report as PDF; errors as of :meth:`document`."""
        from tabnet_engine.report.rendering.pdf import pdf_bytes

        return pdf_bytes(self.document(case_id))

    def pack(self, case_id: str) -> bytes:
        """The evidence pack of the report, with its lines of the log; errors as of :meth:`document`."""
        lines = b"".join(line.to_bytes() for line in self.log.lines(case_id))
        return pack_bytes(self.document(case_id), {**self.parts(case_id), LOG: lines})

    # Reviewing

    def review(self, case_id: str, name: str, comment: str) -> ReportRecord:
        """Note that somebody reviewed the report, with a comment; as often as need be before it is signed.

        Raises:
            ReportError: there is no such report, it is signed, or the name or the comment is missing or too long.
            StorageError: it was changed since it was kept, or the disk refuses.
        """
        name, comment = _name(name), _comment(comment)
        return self._step(case_id, "reviewed", name, comment)

    def sign(self, case_id: str, name: str) -> ReportRecord:
        """Sign the report; after that nothing of it changes.

        Raises:
            ReportError: there is no such report, or it is signed already, not reviewed, blocked or incomplete.
            StorageError: it was changed since it was kept, or the disk refuses.
        """
        record = self._step(case_id, "signed", _name(name), "")
        with storage_errors(f"close the report {case_id!r}"):
            _make_read_only(self._folder(case_id))
        return record

    def _step(self, case_id: str, state: str, name: str, comment: str) -> ReportRecord:
        folder = self._folder(case_id)
        with self._changing(f"change the report {case_id!r}"):
            record = self._present(case_id)
            self._check_step(record, state)
            contents = {part: self._file(record, part) for part in record.files}
            check_told(record, contents[DOCUMENT])  # nobody reviews or signs what was changed
            with room_kept(folder) as free:
                line = self._logged(record, state, name, comment)
                free()
                record = record.with_steps([KeptStep.of(line)])
                record.write(folder)
        return record

    def _check_step(self, record: ReportRecord, state: str) -> None:
        if record.state == "signed":
            signed = record.review[-1]
            raise ReportError(
                f"the report {record.case_id!r} was signed by {signed.name!r} at {signed.time}; a signed report cannot "
                "change, make a new one instead"
            )
        why = record.why_unsigned() if state == "signed" else ""
        if why:
            raise ReportError(f"the report {record.case_id!r} cannot be signed. {why}")

    def _present(self, case_id: str) -> ReportRecord:
        """The record as the log has it: a step that a process could not finish is completed here."""
        record, lines = self.get(case_id), self.log.lines(case_id)
        if _ends_deleted(lines):
            remove_folder(self._folder(case_id))
            return self.get(case_id)
        check_logged(record, lines)
        completed = record.completed(lines)
        if completed != record:
            completed.write(self._folder(case_id))
        return completed

    def delete(self, case_id: str, *, name: str = "") -> None:
        """Remove a draft; that it was there stays in the log.

        Raises:
            ReportError: there is no such report, or it was reviewed or signed.
            StorageError: the disk refuses.
        """
        folder = self._folder(case_id)
        with self._changing(f"delete the report {case_id!r}"):
            record = self._present(case_id)
            if record.state != "draft":
                raise ReportError(
                    f"the report {case_id!r} is no draft any more; only a draft that nobody reviewed can be deleted"
                )
            self._logged(record, "deleted", name, "")
            remove_folder(folder)

    def verify_log(self, known_head: str = "") -> LogVerdict:
        """Follow the log, and compare it with every report that is kept, every file of these and every archive.

        An archive whose line a killed process could not write any more gets it first.

        Args:
            known_head: see :meth:`~tabnet_engine.report.log.ChainedLog.verify`.

        Raises:
            StorageError: the disk refuses.
        """
        with suppress(StorageError):  # a copy that nobody may write to is verified as it is
            self.batches.settle()
        with storage_errors("verify the log of the reports"), self._held():
            verdict = checked_with_reports(self.log, self.log.verify(known_head), self.list(), self._file)
            return checked_with_batches(verdict, self.log.lines(), self.batches.folder)

    # Within

    @contextmanager
    def _changing(self, doing: str) -> Iterator[None]:
        """One process at a time, and the sentence for a disk that refuses."""
        with storage_errors(doing):
            for folder in (self.cases, self.shared):
                folder.mkdir(parents=True, exist_ok=True)
            with folder_lock(self.folder, exclusive=True):
                finish_leftovers(self.cases, self.log.lines)
                sweep_leftovers(self.shared)
                yield

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Nothing changes meanwhile; where nothing was ever kept, there is nothing to hold."""
        if not self.folder.is_dir():
            yield
            return
        with folder_lock(self.folder, exclusive=False):
            yield

    def _folder(self, case_id: str) -> Path:
        if not _CASE_ID.fullmatch(case_id):
            raise ReportError(f"there is no report {case_id!r} in this workspace; choose one from the history")
        return self.cases / case_id

    def _logged(self, record: ReportRecord, action: str, name: str, detail: str) -> LogLine:
        return self.log.append(actor=name, action=action, case_id=record.case_id, content=record.content, detail=detail)


def _ends_deleted(lines: Sequence[LogLine]) -> bool:
    return bool(lines) and lines[-1].action == "deleted"


def _is_shared(name: str) -> bool:
    """The parts of a run are the same in all its reports."""
    return name.startswith(f"{PARTS}/{MODEL_PREFIX}")


def _age(record: ReportRecord) -> tuple[str, str]:
    return record.created, record.case_id


def _name(text: str) -> str:
    """A person's name as somebody typed it, on one line.

    Raises:
        ReportError: nothing is left, or too much.
    """
    name = tidy_title(text)
    if not name:
        raise ReportError("the name is empty; a step of a review carries the name of a person")
    if len(name) > MAX_NAME:
        raise ReportError(f"the name has {len(name):,} characters; shorten it to {MAX_NAME:,}")
    return name


def _comment(text: str) -> str:
    """A comment as somebody typed it, without blanks around it.

    Raises:
        ReportError: nothing is left, or too much.
    """
    comment = _printable(text)
    if not comment:
        raise ReportError("the comment is empty; a review says what was looked at")
    if len(comment) > MAX_COMMENT:
        raise ReportError(f"the comment has {len(comment):,} characters; shorten it to {MAX_COMMENT:,}")
    return comment


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text).strip()


def _make_read_only(folder: Path) -> None:
    """Against accidents: who owns the files can undo it, which their hashes then show."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    folder.chmod(folder.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
