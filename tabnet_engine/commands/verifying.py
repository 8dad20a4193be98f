"""``verify-evidence`` and ``verify-log``: whether what was handed over is what was made."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.console import say
from tabnet_engine.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path

    from tabnet_engine.report.register import ReportRegister

__all__ = ["add_verify_evidence", "add_verify_log", "open_register"]


def add_verify_evidence(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``verify-evidence``."""
    parser.set_defaults(command=_verify_evidence)
    parser.add_argument("pack", type=path_argument, help="the zip file of a report")
    parser.add_argument("--run", type=path_argument, help="compute with this run and compare it with the pack's own")


def add_verify_log(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``verify-log``."""
    parser.set_defaults(command=_verify_log)
    parser.add_argument("workspace", type=path_argument)
    parser.add_argument("--head", default="", metavar="HASH", help="the last hash of the log as it was noted earlier")


def _verify_evidence(arguments: argparse.Namespace) -> None:
    """One line for each check on stderr, the whole as JSON; what does not hold is the user's to know: exit code 2."""
    from tabnet_engine.report.replay import verify_pack
    from tabnet_engine.runs.artefact import load_run

    run = None if arguments.run is None else load_run(arguments.run)
    verdict = verify_pack(arguments.pack, run)
    for line in verdict.lines:
        say(f"{'holds' if line.ok else 'FAILS'}: {line.sentence}")
    summary = {
        "pack": str(arguments.pack),
        "case_id": verdict.case_id,
        "equal": verdict.is_equal,
        "sha256": verdict.sha256,
        "problems": list(verdict.problems),
    }
    print(json.dumps(summary))
    if not verdict.is_equal:
        raise ReportError(f"the evidence pack is not equal: {verdict.problems[0]}")


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
    from tabnet_engine.jobs.reporting import REPORTS
    from tabnet_engine.report.register import ReportRegister

    if not (workspace / REPORTS).is_dir():
        raise ReportError(f"{workspace} holds no reports; give the folder of a workspace in which reports were kept")
    return ReportRegister(workspace / REPORTS)
