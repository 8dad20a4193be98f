"""Reading in a process of its own, with a bound on memory and time: what strangers upload is read here.

The child is ``python -m tabnet_engine.data.reading.isolation``; it is told what to do on standard input and leaves a
Parquet file and a JSON file in a temporary folder.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tabnet_engine.config import TableLimits
from tabnet_engine.data.reading.dispatch import DETECT, LIMITS, Table, read_source
from tabnet_engine.data.reading.excel_tables import names_of_sheets
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.data.reading.source import open_source
from tabnet_engine.errors import StorageError, TableError

__all__ = ["main", "read_table_isolated", "sheet_names_isolated"]

_NO_MEMORY = ("MemoryError", "bad_alloc", "memory allocation", "realloc", "Cannot allocate")
_ROOT = Path(__file__).resolve().parents[3]
_TABLE, _ANSWER, _LOG = "table.parquet", "answer.json", "log.txt"
_DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK_CODE = 74  # EX_IOERR: on a full disk no answer could be left either
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def read_table_isolated(
    path: Path,
    options: ReadOptions = DETECT,
    *,
    name: str | None = None,
    limits: TableLimits = LIMITS,
) -> Table:
    """Like ``tables.read_table``, in a child that cannot take more memory or time than ``limits`` allow.

    Args:
        path: the file; its suffix is not believed.
        options: what to take for granted; the rest is detected.
        name: what to call the table, the file's name by default.
        limits: bounds on the table and on the child.

    Raises:
        TableError: the file is no table or is damaged, or a bound is reached.
        StorageError: the system will not let us read the file, or the disk for temporary files is full.
        RuntimeError: the child failed by a defect of ours; its last words are in the message.
    """
    request = {"task": "table", "path": str(path.resolve()), "name": name or path.name, "options": options.to_mapping()}
    with tempfile.TemporaryDirectory(prefix="table-") as folder:
        answer = _ask(request, Path(folder), limits)
        frame = pq.read_table(Path(folder) / _TABLE).to_pandas()
    frame.columns = frame.columns.astype("str")
    read = ReadOptions.from_mapping(answer["options"])
    return Table(frame, read, tuple(answer["notes"]), answer["sha256"], answer["name"])


def sheet_names_isolated(path: Path, limits: TableLimits) -> tuple[str, ...]:
    """The sheets of a workbook, found in a child.

    Raises:
        TableError: the file is no workbook, is damaged, or is beyond the limits.
        StorageError: the system will not let us read the file.
    """
    request = {"task": "sheets", "path": str(path.resolve()), "name": path.name}
    with tempfile.TemporaryDirectory(prefix="sheets-") as folder:
        return tuple(_ask(request, Path(folder), limits)["sheets"])


def _ask(request: dict[str, Any], folder: Path, limits: TableLimits) -> dict[str, Any]:
    """Have the child answer; raise the user's error that it found, or say how it ended without an answer."""
    code = _run({**request, "limits": limits.to_mapping(), "folder": str(folder)}, folder, limits)
    answer = folder / _ANSWER
    if not answer.is_file():
        raise _died(code, folder, limits, request["name"])
    values: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    if "error" in values:
        raise (StorageError if values["kind"] == "StorageError" else TableError)(values["error"])
    return values


def _run(request: dict[str, Any], folder: Path, limits: TableLimits) -> int:
    """Run the child to its end, or stop it with everything it started."""
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (
        (folder / _LOG).open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tabnet_engine.data.reading.isolation"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            cwd=_ROOT,
            start_new_session=True,
        ) as child,
    ):
        try:
            child.communicate(json.dumps(request).encode(), timeout=limits.max_parse_seconds)
        except subprocess.TimeoutExpired as error:
            seconds = f"{limits.max_parse_seconds:,} seconds"
            raise TableError(
                f"{request['name']} took more than {seconds} to read; use fewer rows or columns"
            ) from error
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
    return child.returncode


def _died(code: int, folder: Path, limits: TableLimits, name: str) -> Exception:
    """No answer: native code that cannot get memory ends the process, anything else is our defect."""
    if code == _DISK_CODE:
        return StorageError(
            f"{name} could not be read: the disk with {folder.parent} is full; free some space, or set TMPDIR"
        )
    log = (folder / _LOG).read_text("utf-8", "replace")
    if code < 0 or any(sign in log for sign in _NO_MEMORY):
        gib = limits.max_parse_bytes / 1024**3
        return TableError(
            f"{name} could not be read within {gib:.3g} GiB of memory: "
            "it is damaged, or unpacks to far more than its size; use fewer rows or columns"
        )
    return RuntimeError(f"the process that read {name} ended with code {code}: {log[-2000:]}")


def main(text: str, *, limited: bool = True) -> None:
    """The child: do what is asked, and leave the answer or the user's error in the folder of the request.

    Args:
        text: the request as JSON.
        limited: take the limits on for this process; a caller that goes on living does not.
    """
    request = json.loads(text)
    limits = TableLimits.from_mapping(request["limits"])
    if limited:
        _limit_process(limits)
    try:
        answer = (_answer_sheets if request["task"] == "sheets" else _answer_table)(request, limits)
    except (TableError, StorageError) as error:
        answer = {"error": str(error), "kind": type(error).__name__}
    (Path(request["folder"]) / _ANSWER).write_text(json.dumps(answer), "utf-8")


def _answer_table(request: dict[str, Any], limits: TableLimits) -> dict[str, Any]:
    options = ReadOptions.from_mapping(request["options"])
    table = read_source(open_source(Path(request["path"]), request["name"], limits), options, limits)
    arrow = pa.Table.from_pandas(table.frame, preserve_index=False)
    pq.write_table(arrow, Path(request["folder"]) / _TABLE, compression="lz4")
    return {"options": table.options.to_mapping(), "notes": table.notes, "sha256": table.sha256, "name": table.name}


def _answer_sheets(request: dict[str, Any], limits: TableLimits) -> dict[str, Any]:
    source = open_source(Path(request["path"]), request["name"], limits)
    return {"sheets": names_of_sheets(source, limits)}


def _limit_process(limits: TableLimits) -> None:
    """Bound what is added from here on: the libraries that are loaded already reserve a lot they never use."""
    reserved = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    bound = reserved + limits.max_parse_bytes
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    seconds = limits.max_parse_seconds * (os.cpu_count() or 1) + 10
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    try:
        main(sys.stdin.read())
    except OSError as error:
        if error.errno not in _DISK_REFUSES:
            raise
        sys.exit(_DISK_CODE)
