"""``review``: reviewing and signing a report that a workspace keeps."""

from __future__ import annotations

import argparse
import dataclasses
import json

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.verifying import open_register

__all__ = ["add_review"]


def add_review(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``review``."""
    parser.set_defaults(command=_review)
    parser.add_argument("--workspace", type=path_argument, required=True)
    parser.add_argument("--case", required=True, metavar="ID", help="the case id that stands on the report")
    parser.add_argument("--name", required=True, help="who reviews or signs")
    step = parser.add_mutually_exclusive_group(required=True)
    step.add_argument("--comment", help="note that the report was reviewed, with this comment")
    step.add_argument("--sign", action="store_true", help="sign the reviewed report, after which it cannot change")


def _review(arguments: argparse.Namespace) -> None:
    register = open_register(arguments.workspace)
    if arguments.sign:
        record = register.sign(arguments.case, arguments.name)
    else:
        record = register.review(arguments.case, arguments.name, arguments.comment)
    summary = {
        "case_id": record.case_id,
        "state": record.state,
        "content": record.content,
        "review": [dataclasses.asdict(step) for step in record.review],
        "log": record.steps[-1].hash,
    }
    print(json.dumps(summary))
