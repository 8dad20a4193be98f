"""The log beside the reports that it tells of: what the chain alone cannot show."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from tabnet_engine.errors import StorageError
from tabnet_engine.report.batch_checks import BATCH_ACTIONS
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import DOCUMENT
from tabnet_engine.report.log import ChainedLog, LogLine, LogVerdict
from tabnet_engine.report.register_record import DRAFT, STATES, ReportRecord
from tabnet_engine.runs.parts import parse_json
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["check_logged", "check_told", "checked_with_reports"]


def checked_with_reports(
    log: ChainedLog,
    verdict: LogVerdict,
    records: Sequence[ReportRecord],
    read: Callable[[ReportRecord, str], bytes],
) -> LogVerdict:
    """The verdict on a log with what comparing it with the reports adds.

    A log that was rewritten together with its head shows here, unless the reports were rewritten too.

    Args:
        log: the log.
        verdict: what following its chain found.
        records: all reports that are kept.
        read: reads a file of a report and compares it with its hash.
    """
    by_case: dict[str, list[LogLine]] = {}
    for line in log.lines():
        if line.action in BATCH_ACTIONS:
            continue
        by_case.setdefault(line.case_id, []).append(line)
    problems = [problem for record in records for problem in _of_report(record, by_case, read)]
    problems += _gone(by_case, {record.case_id for record in records})
    return dataclasses.replace(verdict, problems=(*verdict.problems, *problems))


def _of_report(
    record: ReportRecord, by_case: Mapping[str, Sequence[LogLine]], read: Callable[[ReportRecord, str], bytes]
) -> Iterator[str]:
    if record.problem:
        yield recalled(record.problem)
        return
    lines = by_case.get(record.case_id, [])
    known = {(line.sequence, line.hash) for line in lines}
    for kept in record.steps:
        if (kept.line, kept.hash) not in known:
            yield say(
                "The log has no line {line:,} for the report {case_id} as the report itself keeps it: the log was "
                "rewritten or cut, or the report's record was changed.",
                line=kept.line,
                case_id=record.case_id,
            )
    yield from _later(record, lines)
    yield from _content(record, lines, read)


def _later(record: ReportRecord, lines: Sequence[LogLine]) -> Iterator[str]:
    last = record.steps[-1].line if record.steps else 0
    for line in lines:
        if line.sequence > last and line.action in (*STATES, "deleted"):
            yield say(
                "Line {line:,} of the log records a step of the report {case_id} that the report does not have: its "
                "record was set back, or a process ended before it had finished.",
                line=line.sequence,
                case_id=record.case_id,
            )


def _content(
    record: ReportRecord, lines: Sequence[LogLine], read: Callable[[ReportRecord, str], bytes]
) -> Iterator[str]:
    yield from _other_than_logged(record, lines)
    for name in record.files:
        try:
            content = read(record, name)
            if name == DOCUMENT:
                check_told(record, content)
        except StorageError as error:
            yield recalled(str(error))


def _other_than_logged(record: ReportRecord, lines: Sequence[LogLine]) -> Iterator[str]:
    drafts = [line for line in lines if line.action == DRAFT]
    if drafts and (drafts[-1].content, drafts[-1].detail) != (record.content, record.evidence):
        yield say("The report {case_id} is not the one that the log records.", case_id=record.case_id)


def check_logged(record: ReportRecord, lines: Sequence[LogLine]) -> None:
    """Whether a report is the one that the log says was kept.

    Raises:
        StorageError: it is another.
    """
    for problem in _other_than_logged(record, lines):
        raise StorageError(problem)


def check_told(record: ReportRecord, content: bytes) -> None:
    """Whether a record says of its report what the report says, such as what blocks it.

    Args:
        record: as it is kept.
        content: the stored report.

    Raises:
        StorageError: it says otherwise, or the report cannot be read.
    """
    try:
        told = ReportRecord.of(Document.from_mapping(parse_json(content)), record.files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(f"the report {record.case_id!r} cannot be read ({error}); make it anew") from error
    if dataclasses.replace(record, steps=()) != told:
        raise StorageError(
            f"the record of the report {record.case_id!r} says otherwise than the report itself; restore it from a copy"
        )


def _gone(by_case: Mapping[str, Sequence[LogLine]], kept: set[str]) -> Iterator[str]:
    for case_id, lines in by_case.items():
        if case_id and case_id not in kept and lines[-1].action != "deleted":
            yield say(
                "The log records the report {case_id}, which is not there: it was removed by hand, or a process ended "
                "before it had finished.",
                case_id=case_id,
            )
