"""``verify-evidence`` and ``verify-log``: whether what was handed over is what was made."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.console import say
from tabnet_engine.commands.files import read_another
from tabnet_engine.commands.reporting import named_workspace
from tabnet_engine.errors import ConfigError, ReportError

if TYPE_CHECKING:
    from tabnet_engine.data.tables import Table
    from tabnet_engine.report.held import Held
    from tabnet_engine.report.pack_reading import Pack
    from tabnet_engine.report.register import ReportRegister
    from tabnet_engine.runs.workspace import Workspace

__all__ = ["add_verify_evidence", "add_verify_log", "open_register"]


def add_verify_evidence(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``verify-evidence``."""
    parser.set_defaults(command=_verify_evidence)
    parser.add_argument("pack", type=path_argument, help="the zip file of a report")
    parser.add_argument("--run", type=path_argument, help="compute with this run and compare it with the pack's own")
    parser.add_argument("--table", type=path_argument, help="the run's table: the whole report is made again from it")
    parser.add_argument("--baseline", type=path_argument, metavar="RUN", help="the champion of a comparison")
    parser.add_argument(
        "--workspace",
        type=path_argument,
        help="take what is not given from there; else from the one that --run lies in",
    )


def add_verify_log(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``verify-log``."""
    parser.set_defaults(command=_verify_log)
    parser.add_argument("workspace", type=path_argument)
    parser.add_argument("--head", default="", metavar="HASH", help="the last hash of the log as it was noted earlier")


def _verify_evidence(arguments: argparse.Namespace) -> None:
    """One line for each check on stderr, the whole as JSON; what does not hold is the user's to know: exit code 2."""
    from tabnet_engine.report.pack_reading import open_pack, pack_content
    from tabnet_engine.report.replay import verify_pack

    pack = open_pack(pack_content(arguments.pack))
    verdict = verify_pack(pack, _held(arguments, pack))
    for line in verdict.lines:
        found = "not confirmed" if line.is_open else "holds"
        say(f"{found if line.ok else 'FAILS'}: {line.sentence}")
    summary = {
        "pack": str(arguments.pack),
        "case_id": verdict.case_id,
        "equal": verdict.is_equal,
        "sha256": verdict.sha256,
        "problems": list(verdict.problems),
        "unconfirmed": list(verdict.unconfirmed),
    }
    print(json.dumps(summary))
    if not verdict.is_equal:
        raise ReportError(f"the evidence pack is not equal: {verdict.problems[0]}")


def _held(arguments: argparse.Namespace, pack: Pack) -> Held:
    """What is at hand beside the pack: what was named, else what the workspace has of it."""
    from tabnet_engine.report.held import Held, held_in, workspace_of
    from tabnet_engine.runs.artefact import load_run

    run = None if arguments.run is None else load_run(arguments.run)
    workspace = _workspace(arguments.workspace)
    if workspace is None and arguments.run is not None:
        workspace = workspace_of(arguments.run)
    held = Held(run=run) if workspace is None else held_in(workspace, pack, own=run, has_table=arguments.table is None)
    if arguments.baseline is not None:
        held = dataclasses.replace(held, baseline=load_run(arguments.baseline))
    if arguments.table is not None:
        table = _table(arguments.table, held, pack)
        held = dataclasses.replace(held, frame=table.frame, table_sha256=table.sha256)
    return held


def _workspace(root: Path | None) -> Workspace | None:
    """The workspace that was named; to verify makes none of another folder.

    Raises:
        ConfigError: there is none.
    """
    from tabnet_engine.runs.database import DATABASE

    if root is not None and not (root / DATABASE).is_file():
        raise ConfigError(f"there is no workspace {root}; give the folder of one, or leave out --workspace")
    return named_workspace(root)


def _table(path: Path, held: Held, pack: Pack) -> Table:
    """A table that was named, read as the run's own was.

    Raises:
        ReportError: neither the pack nor anything else tells how.
        UserError: it cannot be read.
    """
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.report.pack_checks import NOT_READABLE
    from tabnet_engine.report.packed_run import packed_run

    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        try:
            run = held.run or packed_run(pack, Path(folder))
            options, schema = ReadOptions.from_mapping(run.read_options), run.schema
        except NOT_READABLE as error:
            raise ReportError(
                "the pack does not hold the run, which tells how the table is read; give the run with --run"
            ) from error
    return read_another(path, options, schema)


def _verify_log(arguments: argparse.Namespace) -> None:
    verdict = open_register(arguments.workspace).verify_log(arguments.head.strip().lower())
    for sentence in (*verdict.notes, *verdict.problems):
        say(sentence)
    summary = {
        "workspace": str(arguments.workspace),
        "lines": verdict.n,
        "sound": verdict.is_sound,
        "head": verdict.head,
        "problems": list(verdict.problems),
    }
    print(json.dumps(summary))
    if not verdict.is_sound:
        raise ReportError(f"the log of the reports does not hold: {verdict.problems[0]}")


def open_register(workspace: Path) -> ReportRegister:
    """The register of a workspace that is there.

    Raises:
        ReportError: there is no workspace, or no report was ever kept in it.
    """
    from tabnet_engine.jobs.reporting import BATCHES, REPORTS
    from tabnet_engine.report.register import ReportRegister

    if not any((workspace / room).is_dir() for room in (REPORTS, BATCHES)):
        raise ReportError(f"{workspace} holds no reports; give the folder of a workspace in which reports were kept")
    return ReportRegister(workspace / REPORTS)
