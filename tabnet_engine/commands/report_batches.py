"""Reports on many rows: which rows are meant, and one archive of all; an interrupted command goes on."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.commands.console import say
from tabnet_engine.commands.files import replace_file
from tabnet_engine.errors import ConfigError, UserError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.config import ReportConfig
    from tabnet_engine.jobs.monitor import Monitor
    from tabnet_engine.report.materials import Materials
    from tabnet_engine.report.register import ReportRegister
    from tabnet_engine.runs.artefact import Run

__all__ = ["chosen_rows", "write_many"]

MAX_ROWS = 1_000_000
_NOT_TOLD = ("batch_id", "archive", "line", "hash")  # what the workspace has of the archive
_RANGE = re.compile(r"\s*(\d{1,12})\s*(?:-\s*(\d{1,12})\s*)?")


def chosen_rows(text: str | None, where: Sequence[str], run: Run, frame: pd.DataFrame | None) -> tuple[int, ...]:
    """The numbers of the rows that ``--rows`` or ``--where`` name, each once, in the order of the table.

    Raises:
        ConfigError: what is no number of a row of the table, or there is no table.
        UserError: what is no condition, or no row meets it.
    """
    from tabnet_engine.explain.row_filter import parse_filter

    if frame is None:
        raise ConfigError("reports on rows need their table; name it with --table")
    if text is None:
        return tuple(map(int, parse_filter(where, run.schema).positions(frame)))
    rows: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ConfigError(f"--rows takes numbers and ranges such as 1-5,9; got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= len(frame):
            raise ConfigError(
                f"--rows {part.strip()!r} names rows that are not there: the table has rows 0 to {len(frame) - 1:,}"
            )
        rows.update(range(first, last + 1))
    return tuple(sorted(rows))


def write_many(
    arguments: argparse.Namespace,
    asked: tuple[Run, pd.DataFrame | None, str, ReportConfig, Materials],
    rows: Sequence[int],
    monitor: Monitor,
) -> None:
    """Write the archive, and say what came of the rows.

    Raises:
        UserError: the reports cannot be made at all.
        StorageError: the disk refuses; what is finished stays beside the archive, and the same command goes on.
    """
    from tabnet_engine.report.batch import planned_time, write_batch
    from tabnet_engine.report.making import ReportMaker

    run, frame, digest, config, materials = asked
    with _work_folder(arguments.out) as folder:
        config = config.replace(time=config.time or planned_time(folder))
        steering = monitor.steering("Preparing", "steps")
        maker = ReportMaker.of(run, frame, config, materials, table_sha256=digest, steering=steering)
        steering = monitor.steering("Writing reports", "reports")
        arguments.kept = f"what was finished is kept in {folder}, from where the same command goes on"
        try:
            record = write_batch(maker, rows, folder, form=arguments.form, steering=steering)
        except UserError:
            arguments.kept = ""  # the same command would be refused again
            raise
        if arguments.workspace is not None:
            _register(arguments.workspace).batches.keep(folder)
        replace_file(arguments.out, lambda path: shutil.copyfile(record.archive, path))
        shutil.rmtree(folder, ignore_errors=True)
        arguments.kept = ""
    if record.n_refused == record.n_rows:
        say(f"no report was made: {record.n_rows:,} of {record.n_rows:,} rows were refused; the index tells why")
    told = {key: value for key, value in dataclasses.asdict(record).items() if key not in _NOT_TOLD}
    print(json.dumps({**told, "out": str(arguments.out)}))


def _register(workspace: Path) -> ReportRegister:
    from tabnet_engine.jobs.reporting import REPORTS
    from tabnet_engine.report.register import ReportRegister

    return ReportRegister(workspace / REPORTS)


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """Where finished reports wait for the others, for this command alone; one that is empty is not left behind.

    Raises:
        ConfigError: something else stands there, or another command is at it.
    """
    from tabnet_engine.runs.parts import folder_lock

    folder = out.with_name(f"{out.name}.partial")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is needed as a folder for what is finished; move it away or choose another --out")
    folder.mkdir(exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(folder_lock(folder, exclusive=True, waits=False))
        except BlockingIOError:
            raise ConfigError(f"another command is writing {out}; wait for it, or choose another --out") from None
        try:
            yield folder
        finally:
            with suppress(OSError):
                folder.rmdir()  # refused where something is in it
