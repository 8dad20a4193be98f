"""Command line: ``python -m tabnet_engine train | predict | explain``.

Everything here calls what the browser calls. Exit code 0 on success; 2 with one line on stderr for the
user's mistake; 1 with one line when the machine failed us (a full disk, a damaged run); 130 when
interrupted, 143 when terminated.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tabnet_engine.errors import ConfigError, EngineError, SchemaError, StorageError, UserError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.data.tables import ReadOptions, Table
    from tabnet_engine.jobs.pipeline import Monitor
    from tabnet_engine.jobs.records import JobProgress
    from tabnet_engine.runs.artefact import Run
    from tabnet_engine.training.history import EpochRecord

__all__ = ["main"]

METHODS = ("masks", "shap")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = argparse.Namespace(command=None)
    try:
        _parser().parse_args(argv, arguments)
        arguments.command(arguments)
    except ArithmeticError as error:
        if type(error) is not ArithmeticError:  # a defect, and not the check of the SHAP values
            raise
        return _fail(1, f"an explanation failed its own check: {error}", _saved(arguments))
    except OSError as error:
        return _fail(1, f"{error.filename or 'the system'}: {error.strerror or error}", _saved(arguments))
    except UserError as error:
        return _fail(2, str(error))
    except EngineError as error:
        return _fail(1, str(error), _saved(arguments))
    except KeyboardInterrupt as stop:
        code, deed = (143, "terminated") if isinstance(stop, _Terminated) else (130, "interrupted")
        return _fail(code, deed, _saved(arguments) or "nothing was written")
    return 0


def _fail(code: int, *parts: str) -> int:
    print("error: " + " ".join("; ".join(filter(None, parts)).split()), file=sys.stderr)
    return code


class _Terminated(KeyboardInterrupt):
    """The system asked us to end: temporary folders are removed as after Ctrl-C."""


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


def _saved(arguments: argparse.Namespace) -> str:
    """What an ended training leaves, which refuses to begin where there is a run already."""
    if arguments.command is _train and (arguments.out / "manifest.json").is_file():
        return f"the trained run {arguments.out} was saved, its explanations may be incomplete"
    return ""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the command in one line, instead of printing the usage first."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m tabnet_engine", description="TabNet that explains itself.")
    commands = parser.add_subparsers(required=True, metavar="train | predict | explain", parser_class=_Parser)
    _add_train(commands.add_parser("train", help="train on a table and write a run folder"))
    _add_predict(commands.add_parser("predict", help="predict every row of a table with a run"))
    _add_explain(commands.add_parser("explain", help="explain rows of a table with a run"))
    return parser


def _path(text: str) -> Path:
    path = Path(text)
    try:
        path.exists()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {getattr(error, 'strerror', error)}") from error
    return path


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_train)
    parser.add_argument("--table", type=_path, required=True, help="CSV, TSV, Parquet, Excel or JSON lines")
    parser.add_argument("--target", required=True, help="the column to predict")
    parser.add_argument("--task", default="auto", choices=["auto", "binary", "multiclass", "regression"])
    parser.add_argument("--test-table", type=_path, help="test on this table instead of held-out rows")
    parser.add_argument("--header", default="auto", choices=["auto", "first", "none"])
    parser.add_argument("--names", metavar="NAME[,NAME]", help="what the columns are called, in order")
    parser.add_argument("--ignore", default="", metavar="COL[,COL]", help="columns to leave out")
    parser.add_argument("--positive", help="the class whose probability is reported (binary)")
    parser.add_argument("--seed", type=int, help="seed of split, weights and batches (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, repeatable")
    parser.add_argument("--out", type=_path, required=True, help="run folder to write; must not exist")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_predict)
    parser.add_argument("--run", type=_path, required=True)
    parser.add_argument("--table", type=_path, required=True)
    parser.add_argument("--out", type=_path, required=True, help="CSV, or Parquet by its suffix")


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_explain)
    parser.add_argument("--run", type=_path, required=True)
    parser.add_argument("--table", type=_path, required=True)
    parser.add_argument("--methods", default=",".join(METHODS), help="any of: " + ", ".join(METHODS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="n_shap_rows=…, seed=…")
    parser.add_argument("--out", type=_path, required=True, help="Parquet file; FILE.json is written beside it")


def _settings(pairs: Sequence[str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set takes KEY=VALUE, got {pair!r}")
        settings[key.strip()] = value.strip()
    return settings


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _read(path: Path, options: ReadOptions) -> Table:
    from tabnet_engine.data.tables import read_table_isolated

    return _noted(path, read_table_isolated(path, options))


def _read_another(path: Path, options: ReadOptions, columns: FeatureSchema) -> Table:
    """A file with the columns of an earlier one that was read with ``options``."""
    from tabnet_engine.data.reading.headers import repeats_names
    from tabnet_engine.data.tables import read_table_isolated

    options = options.for_another_file()
    table = read_table_isolated(path, options)
    if options.header == "none" and repeats_names(table.frame, [column.name for column in columns.columns]):
        _say(f"{path.name}: the first line repeats the names of the columns; it was read as a header")
        table = read_table_isolated(path, options.replace(header="first", column_names=None))
    return _noted(path, table)


def _noted(path: Path, table: Table) -> Table:
    for note in table.notes:
        _say(f"{path.name}: {note}")
    return table


def _train(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.jobs.pipeline import Source, train_run
    from tabnet_engine.runs.artefact import DatasetRef

    settings = _settings(arguments.set)
    if arguments.seed is not None:
        settings["seed"] = str(arguments.seed)
    _check_new_folder(arguments.out)
    names = None if arguments.names is None else tuple(arguments.names.split(","))
    table = _read(arguments.table, ReadOptions(header=arguments.header, column_names=names))
    schema = _choose_columns(table.frame, arguments)
    test = None if arguments.test_table is None else _read_another(arguments.test_table, table.options, schema)
    source = Source(
        frame=table.frame,
        schema=schema,
        dataset=DatasetRef.of(table),
        read_options=table.options.to_mapping(),
        test_frame=None if test is None else test.frame,
        notes=(*table.notes, *(f"test table: {note}" for note in (test.notes if test else ()))),
    )
    run = train_run(source, arguments.out, settings, title=arguments.table.stem, monitor=_console_monitor())
    for note in run.manifest.notes:
        if note not in source.notes:  # those were said when the files were read
            _say(note)
    summary = {"run": str(arguments.out), "task": run.manifest.task, "test": run.manifest.metrics.get("test", {})}
    print(json.dumps(summary))


def _choose_columns(frame: pd.DataFrame, arguments: argparse.Namespace) -> FeatureSchema:
    from tabnet_engine.data.kinds import propose_schema, set_role, set_target
    from tabnet_engine.data.schema import Role

    schema = propose_schema(frame)
    names = set(map(str, frame.columns))
    if arguments.target not in names and "," in arguments.target:
        raise SchemaError(f"--target takes one column, got {arguments.target!r}")
    schema = set_target(schema, frame, arguments.target, task=arguments.task, positive=arguments.positive)
    for name in filter(None, (part.strip() for part in arguments.ignore.split(","))):
        schema = set_role(schema, name, Role.IGNORED)
    for column in schema.columns:
        if not column.is_feature and column.role is not Role.TARGET:
            _say(f"column {column.name!r} is left out: {column.why}")
    return schema


def _console_monitor() -> Monitor:
    from tabnet_engine.jobs.pipeline import Monitor

    phases: set[str] = set()

    def report(progress: JobProgress) -> None:
        if progress.phase not in phases:
            phases.add(progress.phase)
            _say(f"{progress.phase}: {progress.message}")

    def epoch(record: EpochRecord) -> None:
        loss = f"{record.train_loss:.4f}, validation {record.validation_loss:.4f}"
        _say(f"epoch {record.epoch}: loss {loss} ({record.seconds:.1f} s)")

    return Monitor(report, epoch)


def _load(arguments: argparse.Namespace) -> tuple[Run, Table]:
    """The run, and the table read as the run's own table was read."""
    from tabnet_engine.data.tables import ReadOptions
    from tabnet_engine.runs.artefact import load_run

    _check_new_file(arguments.out, arguments.table)
    run = load_run(arguments.run)
    return run, _read_another(arguments.table, ReadOptions.from_mapping(run.read_options), run.schema)


def _predict(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.export import write_safe_csv
    from tabnet_engine.training.prediction import predict_frame

    run, table = _load(arguments)
    frame = predict_frame(run.model(), table.frame)
    if arguments.out.suffix == ".parquet":
        _replace(arguments.out, frame.to_parquet)
    else:
        _replace(arguments.out, lambda path: write_safe_csv(frame, path))


def _explain(arguments: argparse.Namespace) -> None:
    from tabnet_engine.config import ExplainConfig
    from tabnet_engine.explain.long_table import write_long_tables
    from tabnet_engine.jobs.pipeline import explain_table

    methods = [name.strip() for name in arguments.methods.split(",") if name.strip()]
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise ConfigError(f"--methods takes any of {', '.join(METHODS)}, got {arguments.methods!r}")
    config = ExplainConfig.from_mapping(_settings(arguments.set))
    sidecar = arguments.out.with_name(arguments.out.name + ".json")
    _check_new_file(sidecar, arguments.table)
    run, table = _load(arguments)
    pieces, facts = explain_table(run, table.frame, methods, config, monitor=_console_monitor())
    _replace(arguments.out, lambda path: write_long_tables(path, pieces))
    _replace(sidecar, lambda path: path.write_text(json.dumps(facts(), indent=1) + "\n", encoding="utf-8"))


def _check_new_folder(path: Path) -> None:
    """Refuse a run folder that cannot be made before the training, not after it."""
    if os.path.lexists(path):
        raise ConfigError(f"{path} exists already; choose another folder for --out")
    nearest = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not nearest.is_dir():
        raise ConfigError(f"{path} cannot be made, since {nearest} is no folder; choose another folder for --out")
    _check_writable(path, nearest)


def _check_new_file(path: Path, table: Path) -> None:
    """Refuse what is no place for a file; replacing a device such as /dev/null would harm the machine."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is a folder or a device; give --out the name of a file")
    if path.exists() and table.exists() and path.samefile(table):
        raise ConfigError(f"{path} is the table itself, which would be lost; choose another file for --out")
    if not path.parent.is_dir():
        raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    _check_writable(path, path.parent)


def _check_writable(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{path} cannot be written: permission for {folder} is denied; choose another --out")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{str(path)!r} is no text in UTF-8; choose another name for --out") from None


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path`` and rename, so that a failure leaves what was there."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            part = Path(folder) / path.name
            write(part)
            part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
