"""``predict`` and ``explain``: what a run says of any table with its columns."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, read_another, replace_file
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from tabnet_engine.data.tables import Table
    from tabnet_engine.runs.artefact import Run

__all__ = ["METHODS", "add_explain", "add_predict"]

METHODS = ("masks", "shap")


def add_predict(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``predict``."""
    parser.set_defaults(command=_predict)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, required=True)
    parser.add_argument("--out", type=path_argument, required=True, help="CSV, or Parquet by its suffix")


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``explain``."""
    parser.set_defaults(command=_explain)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, required=True)
    parser.add_argument("--methods", default=",".join(METHODS), help="any of: " + ", ".join(METHODS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="n_shap_rows=…, seed=…")
    parser.add_argument("--out", type=path_argument, required=True, help="Parquet file; FILE.json is written beside it")


def _load(arguments: argparse.Namespace) -> tuple[Run, Table]:
    """The run, and the table read as the run's own table was read."""
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.runs.artefact import load_run

    check_new_file(arguments.out, arguments.table)
    run = load_run(arguments.run)
    if run.is_pretraining:
        raise ConfigError(
            f"{arguments.run} is a pretraining, which predicts nothing; train from it first with "
            "`train --pretrained`, then use that run"
        )
    return run, read_another(arguments.table, ReadOptions.from_mapping(run.read_options), run.schema)


def _predict(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.export import write_safe_csv
    from tabnet_engine.training.prediction import predict_frame

    run, table = _load(arguments)
    for note in run.encoder.unseen_notes(table.frame):
        say(note)
    frame = predict_frame(run.model(), table.frame)
    if arguments.out.suffix == ".parquet":
        replace_file(arguments.out, frame.to_parquet)
    else:
        replace_file(arguments.out, lambda path: write_safe_csv(frame, path))


def _explain(arguments: argparse.Namespace) -> None:
    from tabnet_engine.config import ExplainConfig
    from tabnet_engine.explain.long_table import write_long_tables
    from tabnet_engine.jobs.monitor import EXPLAINING
    from tabnet_engine.jobs.pipeline import explain_table

    methods = [name.strip() for name in arguments.methods.split(",") if name.strip()]
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise ConfigError(f"--methods takes any of {', '.join(METHODS)}, got {arguments.methods!r}")
    config = ExplainConfig.from_mapping(read_settings(arguments.set))
    sidecar = arguments.out.with_name(arguments.out.name + ".json")
    check_new_file(sidecar, arguments.table)
    run, table = _load(arguments)
    for note in run.encoder.unseen_notes(table.frame):
        say(note)
    pieces, facts = explain_table(run, table.frame, methods, config, monitor=console_monitor(EXPLAINING))
    replace_file(arguments.out, lambda path: write_long_tables(path, pieces))
    replace_file(sidecar, lambda path: path.write_text(json.dumps(facts(), indent=1) + "\n", encoding="utf-8"))
