"""What the register knows of one report without opening it: where it came from, its state, the hashes of its files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, cast

from tabnet_engine.errors import ReportError, StorageError
from tabnet_engine.report.document import Document, ReviewStep
from tabnet_engine.report.identity import content_hash
from tabnet_engine.report.log import LogLine
from tabnet_engine.runs.parts import is_regular_file, json_bytes, parse_json, sha256_bytes, storage_errors, write_json
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["DRAFT", "PARTS", "RECORD", "STATES", "KeptStep", "RecordState", "ReportRecord", "evidence_hash"]

RECORD = "record.json"
FORMAT_VERSION = 1
PARTS = "parts"  # the folder of the evidence within that of a report
DRAFT = "draft"
STATES = (DRAFT, "reviewed", "signed")
RecordState = Literal["draft", "reviewed", "signed", "damaged"]


@dataclass(frozen=True, kw_only=True)
class KeptStep:
    """A step of the review with the line of the log that records it."""

    step: ReviewStep
    line: int
    hash: str

    @classmethod
    def of(cls, line: LogLine) -> Self:
        """The step that a line of the log records."""
        state = cast("Literal['draft', 'reviewed', 'signed']", line.action)
        comment = line.detail if state == "reviewed" else ""
        step = ReviewStep(state=state, name=line.actor, time=line.time, comment=comment)
        return cls(step=step, line=line.sequence, hash=line.hash)


@dataclass(frozen=True, kw_only=True)
class ReportRecord:
    """One report of the register, as a list shows it.

    ``content`` is the SHA-256 of what the report says, ``files`` are those of all its files by name. ``blocked`` and
    ``unmet`` are the report's own sentences, in its language. ``problem`` says why a damaged one cannot be opened.
    """

    case_id: str
    kind: str
    created: str
    run_id: str
    run_title: str
    row: int | None
    profile: str
    profile_version: str
    language: str
    title: str
    subtitle: str
    blocked: tuple[str, ...]
    unmet: tuple[str, ...]
    content: str
    files: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[KeptStep, ...] = ()
    problem: str = ""

    @classmethod
    def of(cls, document: Document, files: Mapping[str, str]) -> Self:
        """The record of a new report, before its first step."""
        identity = document.identity
        shared = ("case_id", "kind", "created", "run_id", "run_title", "row", "profile", "profile_version", "language")
        return cls(
            **{name: getattr(identity, name) for name in shared},
            title=document.title,
            subtitle=document.subtitle,
            blocked=document.blocked,
            unmet=document.unmet,
            content=content_hash(document),
            files=dict(sorted(files.items())),
        )

    @classmethod
    def damaged(cls, case_id: str, problem: str) -> Self:
        """What is shown of a report that cannot be read."""
        return cls(
            case_id=case_id,
            kind="",
            created="",
            run_id="",
            run_title="",
            row=None,
            profile="",
            profile_version="",
            language="",
            title=case_id,
            subtitle="",
            blocked=(),
            unmet=(),
            content="",
            problem=problem,
        )

    @property
    def state(self) -> RecordState:
        """Where the review is."""
        return "damaged" if self.problem or not self.steps else self.steps[-1].step.state

    @property
    def review(self) -> tuple[ReviewStep, ...]:
        """The steps of the review, oldest first."""
        return tuple(kept.step for kept in self.steps)

    @property
    def is_blocked(self) -> bool:
        """Whether the report must not be used as it is."""
        return bool(self.blocked)

    @property
    def evidence(self) -> str:
        """The SHA-256 over the names and hashes of all files: the log keeps it."""
        return evidence_hash(self.files)

    def completed(self, lines: Sequence[LogLine]) -> Self:
        """The record with the steps that the log has beyond it: a process may end between the two."""
        last = self.steps[-1].line if self.steps else 0
        later = [line for line in lines if line.action in STATES and line.sequence > last]
        return self.with_steps([KeptStep.of(line) for line in later if line.hash == line.own_hash])

    def with_steps(self, steps: Sequence[KeptStep]) -> Self:
        """The record with further steps."""
        return dataclasses.replace(self, steps=(*self.steps, *steps))

    def why_unsigned(self) -> str:
        """Why it cannot be signed, in a sentence; empty where it can."""
        if self.blocked:  # what no review can mend comes first
            return say("It is blocked: {reason}", reason=self.blocked[0])
        if self.unmet:
            return say_plural(
                "{count} thing that its profile asks for is missing; make it anew once that is settled. It is: {first}",
                "{count:,} things that its profile asks for are missing; make it anew once they are settled. The "
                "first: {first}",
                len(self.unmet),
                first=self.unmet[0],
            )
        if self.state == "draft":
            return say("It has not been reviewed: review it with a comment first.")
        return ""

    def write(self, folder: Path) -> None:
        """Replace the record of ``folder``, whole or not at all.

        Raises:
            OSError: the disk refused.
        """
        values = self._mapping()
        write_json(folder / RECORD, {**values, "digest": _digest(values)})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record of a report's folder; reads no other file.

        Raises:
            ReportError: there is no such report.
            StorageError: the record is damaged or was changed.
        """
        path = folder / RECORD
        if not is_regular_file(path):
            raise ReportError(f"there is no report {folder.name!r} in this workspace; choose one from the history")
        with storage_errors(f"read the report {folder.name!r}"):
            content = path.read_bytes()
        try:
            return cls._parse(content, folder.name)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(
                f"the record of the report {folder.name!r} is damaged or was changed ({error}); restore it from a copy"
            ) from error

    @classmethod
    def read_unfinished(cls, folder: Path) -> Self | None:
        """The record in a folder that has no name yet, without its steps; None where there is none that is whole.

        Raises:
            OSError: the disk refuses.
        """
        path = folder / RECORD
        if not is_regular_file(path):
            return None
        content = path.read_bytes()
        try:
            record = cls._parse(content, str(parse_json(content)["case_id"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return dataclasses.replace(record, steps=())

    @classmethod
    def _parse(cls, content: bytes, case_id: str) -> Self:
        values = parse_json(content)
        digest, version = values.pop("digest"), values["format_version"]
        if version != FORMAT_VERSION:
            raise ValueError(f"its format version is {version!r}")
        if digest != _digest(values) or values["case_id"] != case_id:
            raise ValueError("its own digest does not match")
        del values["format_version"]
        steps = [
            KeptStep(step=ReviewStep(**item["step"]), line=item["line"], hash=item["hash"]) for item in values["steps"]
        ]
        lists = {"blocked": tuple(values["blocked"]), "unmet": tuple(values["unmet"]), "steps": tuple(steps)}
        return cls(**{**values, **lists})

    def _mapping(self) -> dict[str, Any]:
        values = {**dataclasses.asdict(self), "files": dict(self.files), "format_version": FORMAT_VERSION}
        del values["problem"]
        return values


def evidence_hash(files: Mapping[str, str]) -> str:
    """One SHA-256 for many files, from their names and hashes."""
    return sha256_bytes(json_bytes(dict(sorted(files.items()))))


def _digest(values: Mapping[str, Any]) -> str:
    return sha256_bytes(json.dumps(values, sort_keys=True).encode())
