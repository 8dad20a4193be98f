"""``compare``: two runs side by side on the same rows."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from tabnet_engine.commands.arguments import path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, check_outside_run, read_another, replace_file
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from tabnet_engine.config import CompareConfig
    from tabnet_engine.explain.comparison.evidence import Evidence
    from tabnet_engine.runs.artefact import Run

__all__ = ["add_compare"]


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``compare``."""
    parser.set_defaults(command=_compare)
    parser.add_argument(
        "--run", type=path_argument, action="append", required=True, help="give it twice: the run to compare with first"
    )
    parser.add_argument("--table", type=path_argument, help="compare on its rows, computed anew; else on stored rows")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="n_reason_rows=…, target=…, label=…, seed=…"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="the JSON file to write")


def _compare(arguments: argparse.Namespace) -> None:
    from tabnet_engine.config import CompareConfig
    from tabnet_engine.explain.comparison.comparing import comparison_mapping
    from tabnet_engine.explain.comparison.targets import require_trained
    from tabnet_engine.runs.artefact import load_run

    config = CompareConfig.from_mapping(read_settings(arguments.set))
    if len(arguments.run) != 2:
        raise ConfigError(f"compare needs two runs, --run A --run B; got {len(arguments.run)}")
    check_new_file(arguments.out, arguments.table or arguments.run[0])
    for folder in arguments.run:
        check_outside_run(arguments.out, folder)
    first, second = (load_run(folder) for folder in arguments.run)
    for run in (first, second):
        require_trained(run)
    evidence = _evidence(first, second, arguments.table, config)
    content = comparison_mapping(first, second, evidence, top_k=config.top_k)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    replace_file(arguments.out, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))
    for line in _lines(content):
        say(line)
    print(json.dumps(_summary(arguments, content)))


def _evidence(first: Run, second: Run, path: Path | None, config: CompareConfig) -> Evidence:
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.explain.comparison.evidence import stored_evidence
    from tabnet_engine.explain.comparison.predicted import choose_target
    from tabnet_engine.jobs.comparing import SIDE_BY_SIDE, compare_anew

    if path is None:
        return stored_evidence(first, second, choose_target(first, second, config), label=config.label)
    table = read_another(path, ReadOptions.from_mapping(first.read_options), first.schema)
    monitor = console_monitor(SIDE_BY_SIDE)
    return compare_anew(first, second, table.frame, config, table_sha256=table.sha256, monitor=monitor)


def _lines(content: dict[str, Any]) -> list[str]:
    """The rows, one line for each score and each way of explaining, then what could not be compared."""
    lines = [content["rows"]] if content["rows"] else []
    for metric in content["metrics"]:
        values = " and ".join(_short(metric[side]) for side in ("first", "second"))
        lines.append(f"{metric['name']}: {values}, difference {_short(metric['difference'])}, {metric['verdict']}")
    if content["transitions"] is not None:
        moved = content["changed_rows"]["n_rows"]
        lines.append(f"decisions: {moved:,} of {content['transitions']['changed']['n']:,} rows changed")
    reasons = [
        f"reasons by {reason['method']}: the same leading column in {_short(reason['same_first'])} of rows"
        for reason in content["reasons"]
    ]
    return [*lines, *reasons, *content["gaps"]]


def _short(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return "undefined"
    value = f"{estimate['value']:.3f}"
    return value if estimate["low"] is None else f"{value} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _summary(arguments: argparse.Namespace, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "runs": [str(folder) for folder in arguments.run],
        "out": str(arguments.out),
        "target": content["target"],
        "differences": {
            metric["name"]: {key: metric["difference"][key] for key in ("value", "low", "high")}
            for metric in content["metrics"]
        },
        "changed_rows": content["changed_rows"]["n_rows"],
        "gaps": content["gaps"],
    }
