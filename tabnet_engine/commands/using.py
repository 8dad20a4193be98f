"""``predict``: what a run says of any table with its columns."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.console import say
from tabnet_engine.commands.files import check_new_file, check_outside_run, read_another, replace_file
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    from tabnet_engine.data.tables import Table
    from tabnet_engine.runs.artefact import Run

__all__ = ["add_predict", "load_for_table"]


def add_predict(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``predict``."""
    parser.set_defaults(command=_predict)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, required=True)
    parser.add_argument("--out", type=path_argument, required=True, help="CSV, or Parquet by its suffix")


def load_for_table(arguments: argparse.Namespace, *, may_predict_nothing: bool = False) -> tuple[Run, Table]:
    """The run, and the table read as the run's own table was read.

    Raises:
        ConfigError: the run is a pretraining and ``may_predict_nothing`` is not set, or --out is no place for a file.
    """
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.runs.artefact import load_run

    check_new_file(arguments.out, arguments.table)
    check_outside_run(arguments.out, arguments.run)
    run = load_run(arguments.run)
    if run.is_pretraining and not may_predict_nothing:
        raise ConfigError(
            f"{arguments.run} is a pretraining, which predicts nothing; train from it first with "
            "`train --pretrained`, then use that run"
        )
    return run, read_another(arguments.table, ReadOptions.from_mapping(run.read_options), run.schema)


def _predict(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.export import write_safe_csv
    from tabnet_engine.training.prediction import predict_frame

    run, table = load_for_table(arguments)
    for note in run.encoder.unseen_notes(table.frame):
        say(note)
    frame = predict_frame(run.model(), table.frame)
    if arguments.out.suffix == ".parquet":
        replace_file(arguments.out, frame.to_parquet)
    else:
        replace_file(arguments.out, lambda path: write_safe_csv(frame, path))
