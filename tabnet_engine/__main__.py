"""Command line: ``python -m tabnet_engine COMMAND``; ``--help`` lists the commands.

Everything here calls what the browser calls. Exit code 0 on success; 2 with one line on stderr for the
user's mistake; 1 with one line when the machine failed us (a full disk, a damaged run); 130 when
interrupted, 143 when terminated.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from tabnet_engine.commands.arguments import OneLineParser
from tabnet_engine.commands.auditing import add_audit
from tabnet_engine.commands.certifying import add_certify
from tabnet_engine.commands.comparing import add_compare
from tabnet_engine.commands.console import say
from tabnet_engine.commands.explaining import add_explain
from tabnet_engine.commands.importing import add_import_pytorch_tabnet
from tabnet_engine.commands.pretraining import add_pretrain, add_pretraining_worth
from tabnet_engine.commands.report_materials import add_reason_codes
from tabnet_engine.commands.reporting import add_report
from tabnet_engine.commands.reviewing import add_review
from tabnet_engine.commands.training import add_train
from tabnet_engine.commands.using import add_predict
from tabnet_engine.commands.verifying import add_verify_evidence, add_verify_log
from tabnet_engine.errors import EngineError, UserError

__all__ = ["main"]

COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str]] = {
    "train": (add_train, "train on a table and write a run folder"),
    "pretrain": (add_pretrain, "pretrain on a table without a target and write a run folder"),
    "pretraining-worth": (add_pretraining_worth, "measure what a pretraining was worth at several label budgets"),
    "predict": (add_predict, "predict every row of a table with a run"),
    "explain": (add_explain, "explain rows of a table with a run"),
    "certify": (add_certify, "measure how far a run's explanations can be trusted"),
    "audit": (add_audit, "compare how a run treats the groups of a protected column"),
    "compare": (add_compare, "compare two runs on the same rows"),
    "report": (add_report, "write a report on a row, on many rows, on a run or on two runs"),
    "reason-codes": (add_reason_codes, "draft or check the reason codes of a run's columns"),
    "review": (add_review, "review or sign a report that a workspace keeps"),
    "verify-evidence": (
        add_verify_evidence,
        "compute the decision of an evidence pack again: equal or not",
    ),
    "verify-log": (add_verify_log, "verify the chained log of a workspace's reports"),
    "import-pytorch-tabnet": (add_import_pytorch_tabnet, "make a run of a model that pytorch-tabnet saved"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = argparse.Namespace(command=None, keeps_run=False, was_there=True, kept="")
    try:
        _parser().parse_args(argv, arguments)
        arguments.was_there = not arguments.keeps_run or os.path.lexists(arguments.out)
        arguments.command(arguments)
    except OSError as error:
        return _fail(1, f"{error.filename or 'the system'}: {error.strerror or error}", _saved(arguments))
    except UserError as error:
        return _fail(2, str(error), _saved(arguments))
    except EngineError as error:
        return _fail(1, str(error), _saved(arguments))
    except KeyboardInterrupt as stop:
        code, deed = (143, "terminated") if isinstance(stop, _Terminated) else (130, "interrupted")
        return _fail(code, deed, _saved(arguments) or "nothing was written")
    return 0


def _fail(code: int, *parts: str) -> int:
    say("error: " + " ".join("; ".join(filter(None, parts)).split()))
    return code


class _Terminated(KeyboardInterrupt):
    """The system asked us to end: temporary folders are removed as after Ctrl-C."""


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


def _saved(arguments: argparse.Namespace) -> str:
    """What an ended command leaves: a run that is saved before it is explained, or finished parts of a table."""
    if not arguments.was_there and (arguments.out / "manifest.json").is_file():
        return f"the trained run {arguments.out} was saved, its explanations may be incomplete"
    return str(arguments.kept)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m tabnet_engine", description="TabNet that explains itself.")
    commands = parser.add_subparsers(required=True, metavar=" | ".join(COMMANDS), parser_class=OneLineParser)
    for name, (add, what) in COMMANDS.items():
        add(commands.add_parser(name, help=what))
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
