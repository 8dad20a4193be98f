"""``pretrain`` and ``pretraining-worth``: an encoder from a table without a target, and what it is good for."""

from __future__ import annotations

import argparse
import json

from tabnet_engine.commands.arguments import add_reading, column_names, path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, check_new_folder, read_another, read_first, replace_file
from tabnet_engine.commands.training import add_target, choose_columns, say_notes
from tabnet_engine.errors import ConfigError

__all__ = ["add_pretrain", "add_pretraining_worth"]


def add_pretrain(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pretrain``."""
    parser.set_defaults(command=_pretrain, keeps_run=True)
    add_reading(parser)
    parser.add_argument("--seed", type=int, help="seed of weights, batches and masks (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, repeatable")
    parser.add_argument("--out", type=path_argument, required=True, help="run folder to write; must not exist")


def _pretrain(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.kinds import propose_schema
    from tabnet_engine.jobs.monitor import PRETRAINING
    from tabnet_engine.jobs.pretraining import pretrain_run, pretraining_schema
    from tabnet_engine.jobs.settings import check_pretraining_settings
    from tabnet_engine.jobs.source import Source
    from tabnet_engine.runs.artefact import DatasetRef

    settings = read_settings(arguments.set, arguments.seed)
    check_pretraining_settings(settings)
    check_new_folder(arguments.out)
    table = read_first(arguments.table, arguments.header, arguments.names)
    ignore = column_names(arguments.ignore, set(map(str, table.frame.columns)))
    schema = pretraining_schema(propose_schema(table.frame), ignore)
    for column in schema.columns:
        if not column.is_feature:
            say(f"column {column.name!r} is left out: {column.why}")
    source = Source(table.frame, schema, DatasetRef.of(table), table.options.to_mapping(), notes=table.notes)
    monitor = console_monitor(PRETRAINING)
    run = pretrain_run(source, arguments.out, settings, title=arguments.table.stem, monitor=monitor)
    say_notes(run, source.notes)
    summary = {
        "run": str(arguments.out),
        "task": run.manifest.task,
        "validation": run.manifest.metrics.get("validation", {}),
        "columns": {column.name: column.error for column in run.reconstruction.columns},
    }
    print(json.dumps(summary))


def add_pretraining_worth(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pretraining-worth``."""
    parser.set_defaults(command=_pretraining_worth)
    parser.add_argument("--run", type=path_argument, required=True, help="the pretraining")
    parser.add_argument("--table", type=path_argument, required=True, help="a table with its columns and the target")
    add_target(parser)
    parser.add_argument("--budgets", default="500,2000", metavar="N[,N]", help="labelled rows to train on")
    parser.add_argument("--n-seeds", type=int, default=5, help="seeds for each budget (default 5)")
    parser.add_argument("--seed", type=int, help="the first seed (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="settings of the training")
    parser.add_argument("--out", type=path_argument, required=True, help="JSON file to write")


def _pretraining_worth(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.jobs.monitor import COMPARING
    from tabnet_engine.jobs.pretraining import measure_worth, require_pretraining
    from tabnet_engine.jobs.spec import WorthPayload
    from tabnet_engine.runs.artefact import load_run

    request = WorthPayload(
        run_id="",
        dataset_id="",
        budgets=_budgets(arguments.budgets),
        n_seeds=arguments.n_seeds,
        settings=dict(read_settings(arguments.set, arguments.seed)),
    )
    check_new_file(arguments.out, arguments.table)
    run = load_run(arguments.run)
    require_pretraining(run)
    table = read_another(arguments.table, ReadOptions.from_mapping(run.read_options), run.schema)
    arguments.ignore = ""
    worth = measure_worth(
        run,
        table.frame,
        choose_columns(table.frame, arguments),
        budgets=request.budgets,
        n_seeds=request.n_seeds,
        settings=request.settings,
        monitor=console_monitor(COMPARING, every=True),
    )
    for note in worth.notes:
        say(note)
    text = json.dumps(worth.to_mapping(), indent=1) + "\n"
    replace_file(arguments.out, lambda path: path.write_text(text, encoding="utf-8"))
    budgets = [
        {"budget": item.budget, "with": item.with_mean, "without": item.without_mean, "difference": item.difference}
        for item in worth.summary()
    ]
    print(json.dumps({"out": str(arguments.out), "metric": worth.metric, "n_seeds": request.n_seeds, "worth": budgets}))


def _budgets(text: str) -> tuple[int, ...]:
    """Numbers of rows with commas between them, each once, few to many.

    Raises:
        ConfigError: one is no whole number.
    """
    try:
        return tuple(sorted({int(part) for part in text.split(",") if part.strip()}))
    except ValueError:
        raise ConfigError(f"--budgets takes numbers of rows such as 500,2000, got {text!r}") from None
