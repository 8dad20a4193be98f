"""``audit``: how a run treats the groups of a protected column, and which columns give it away."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import replace_file
from tabnet_engine.commands.using import load_for_table

if TYPE_CHECKING:
    from tabnet_engine.jobs.auditing import MeasuredGroups

__all__ = ["add_audit"]


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``audit``."""
    parser.set_defaults(command=_audit)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, required=True, help="the table that the run was trained on")
    parser.add_argument("--column", required=True, metavar="COL", help="the protected column; the run need not read it")
    parser.add_argument("--crossed-with", default="", metavar="COL", help="a second column, crossed with the first")
    parser.add_argument("--target", default="", metavar="COL", help="which of several targets")
    parser.add_argument("--favourable", default="", metavar="CLASS", help="the class that is in a person's favour")
    parser.add_argument("--cutoff", type=float, help="the probability, or quantity, from which a row is selected")
    parser.add_argument("--low-is-favourable", action="store_true", help="of a quantity: below the cutoff is selected")
    parser.add_argument("--reference", default="", metavar="GROUP", help="the group that ratios are against")
    parser.add_argument("--ranges", type=int, default=4, metavar="N", help="how many ranges a number is cut into")
    parser.add_argument("--cuts", default="", metavar="A[,B]", help="where the column is cut instead, ascending")
    parser.add_argument("--crossed-cuts", default="", metavar="A[,B]", help="the same of the second column")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=path_argument, required=True, help="JSON file")


def _audit(arguments: argparse.Namespace) -> None:
    from tabnet_engine.jobs.auditing import AUDITING, measure_groups

    config = _config(arguments)  # a mistake is told before anything is read
    run, table = load_for_table(arguments)
    measured = measure_groups(run, table.frame, config, monitor=console_monitor(AUDITING))
    text = json.dumps(measured.to_mapping(), ensure_ascii=False, indent=1) + "\n"
    replace_file(arguments.out, lambda path: path.write_text(text, encoding="utf-8"))
    for sentence in (*measured.audit.sentences, *(measured.proxies.sentences if measured.proxies else ())):
        say(sentence)
    print(json.dumps(_summary(arguments, measured), ensure_ascii=False))


def _config(arguments: argparse.Namespace) -> Any:
    from tabnet_engine.config import AuditConfig

    return AuditConfig.from_mapping(
        {
            "column": arguments.column,
            "crossed_with": arguments.crossed_with,
            "target": arguments.target,
            "favourable": arguments.favourable,
            "cutoff": arguments.cutoff,
            "is_high_favourable": not arguments.low_is_favourable,
            "reference": arguments.reference,
            "n_ranges": arguments.ranges,
            "cuts": arguments.cuts,
            "crossed_cuts": arguments.crossed_cuts,
            "seed": arguments.seed,
        }
    )


def _summary(arguments: argparse.Namespace, measured: MeasuredGroups) -> dict[str, Any]:
    audit = measured.audit
    return {
        "run": str(arguments.run),
        "column": audit.column,
        "target": audit.target,
        "decision": audit.decision,
        "reference": audit.reference,
        "groups": {
            group.name: {
                "n_rows": group.n_rows,
                "is_small": group.is_small,
                **{name: estimate.value for name, estimate in group.measures.items()},
            }
            for group in audit.groups
        },
        "told_apart": sum(found.is_told_apart for found in audit.differences),
    }
