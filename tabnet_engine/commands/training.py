"""``train``: from a table to a run folder."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import add_reading, column_names, path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_folder, read_another, read_first
from tabnet_engine.errors import ConfigError, UserError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.runs.artefact import Run

__all__ = ["add_target", "add_train", "choose_columns", "say_notes"]

_TASKS = ("auto", "binary", "multiclass", "regression", "multitask")


def add_train(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``train``."""
    parser.set_defaults(command=_train, keeps_run=True)
    add_reading(parser)
    add_target(parser)
    parser.add_argument("--test-table", type=path_argument, help="test on this table instead of held-out rows")
    parser.add_argument("--pretrained", type=path_argument, metavar="RUN", help="start from this pretraining")
    parser.add_argument("--seed", type=int, help="seed of split, weights and batches (default 0)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, or preset=paper; repeatable"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="run folder to write; must not exist")


def add_target(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is predicted."""
    parser.add_argument("--target", required=True, metavar="COL[,COL]", help="the column to predict, or several")
    parser.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="TASK",
        help=f"one of {', '.join(_TASKS)} (default auto); of several targets COL=TASK, repeatable",
    )
    parser.add_argument(
        "--positive",
        action="append",
        default=[],
        metavar="CLASS",
        help="the class whose probability is reported (binary); of several targets COL=CLASS, repeatable",
    )


def _train(arguments: argparse.Namespace) -> None:
    from tabnet_engine.jobs.monitor import TRAINING
    from tabnet_engine.jobs.pipeline import train_run
    from tabnet_engine.jobs.pretraining import require_pretraining
    from tabnet_engine.jobs.settings import check_training_settings
    from tabnet_engine.jobs.source import Source
    from tabnet_engine.runs.artefact import DatasetRef, load_run

    settings = read_settings(arguments.set, arguments.seed)
    check_training_settings(settings)
    check_new_folder(arguments.out)
    pretrained = None if arguments.pretrained is None else load_run(arguments.pretrained)
    if pretrained is not None:
        require_pretraining(pretrained)
    table = read_first(arguments.table, arguments.header, arguments.names)
    schema = choose_columns(table.frame, arguments)
    _warn_of_leakage(table.frame, schema)
    test = None if arguments.test_table is None else read_another(arguments.test_table, table.options, schema)
    source = Source(
        frame=table.frame,
        schema=schema,
        dataset=DatasetRef.of(table),
        read_options=table.options.to_mapping(),
        test_frame=None if test is None else test.frame,
        notes=(*table.notes, *(f"test table: {note}" for note in (test.notes if test else ()))),
    )
    run = train_run(
        source,
        arguments.out,
        settings,
        title=arguments.table.stem,
        monitor=console_monitor(TRAINING),
        pretrained=pretrained,
    )
    say_notes(run, source.notes)
    summary = {"run": str(arguments.out), "task": run.manifest.task, "test": run.manifest.metrics.get("test", {})}
    print(json.dumps(summary))


def say_notes(run: Run, known: Sequence[str]) -> None:
    """What the work found out, without what was said when the files were read."""
    for note in run.manifest.notes:
        if note not in known:
            say(note)


def choose_columns(frame: pd.DataFrame, arguments: argparse.Namespace) -> FeatureSchema:
    """The schema with targets and columns to leave out as the arguments say; what is left out is said.

    Raises:
        UserError: no such column, task or class.
    """
    from tabnet_engine.data.kinds import propose_schema, set_role, set_targets
    from tabnet_engine.data.schema import Role

    known = set(map(str, frame.columns))
    targets = column_names(arguments.target, known)
    tasks = _of_each_target(arguments.task, targets, "--task")
    positives = _of_each_target(arguments.positive, targets, "--positive")
    _check_tasks(tasks.values(), len(targets))
    tasks = {name: task for name, task in tasks.items() if task != "multitask"}
    schema = set_targets(propose_schema(frame), frame, targets, tasks=tasks, positives=positives)
    for name in column_names(arguments.ignore, known):
        if name in targets:
            raise ConfigError(f"{name!r} is named by --target and by --ignore; take it out of one of them")
        schema = set_role(schema, name, Role.IGNORED)
    for column in schema.columns:
        if not column.is_feature and column.role is not Role.TARGET:
            say(f"column {column.name!r} is left out: {column.why}")
    return schema


def _of_each_target(given: Sequence[str], targets: Sequence[str], option: str) -> dict[str, str]:
    """A value for each target: ``COL=VALUE`` is for that one of several, a plain value for all."""
    plain: list[str] = []
    own: dict[str, str] = {}
    for text in given:
        owner = max((name for name in targets if text.startswith(f"{name}=")), key=len, default=None)
        if owner is None or len(targets) == 1:
            plain.append(text)
        else:
            own[owner] = text[len(owner) + 1 :]
    if plain and len(targets) > 1 and option == "--positive":
        raise ConfigError(f"{option} takes COL=CLASS where there are several targets, got {plain[0]!r}")
    return {**(dict.fromkeys(targets, plain[-1]) if plain else {}), **own}


def _check_tasks(tasks: Iterable[str], n_targets: int) -> None:
    for task in tasks:
        if task not in _TASKS:
            raise ConfigError(f"--task takes one of {', '.join(_TASKS)}, or COL=TASK for one of several, got {task!r}")
        if task == "multitask" and n_targets == 1:
            raise ConfigError("--task multitask needs several targets: --target COL,COL")


def _warn_of_leakage(frame: pd.DataFrame, schema: FeatureSchema) -> None:
    """Say which columns give the target away, as the browser does before a training."""
    from tabnet_engine.data.profile import profile_table
    from tabnet_engine.data.profiling.profile_records import Topic

    with suppress(UserError):  # what cannot be measured is refused by the training, in its own words
        for warning in profile_table(frame, schema).warnings:
            if warning.topic is Topic.LEAKAGE:
                say(f"warning: {warning.text}")
