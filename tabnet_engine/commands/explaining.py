"""``explain``: why a run says what it says of one row, of some rows or of a whole table; what a pretraining reads."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.commands.arguments import column_names, path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, replace_file
from tabnet_engine.commands.using import load_for_table
from tabnet_engine.errors import ConfigError, StorageError
from tabnet_engine.runs.parts import folder_lock, storage_errors

if TYPE_CHECKING:
    from tabnet_engine.config import ExplainConfig
    from tabnet_engine.data.tables import Table
    from tabnet_engine.jobs.explaining_table import Asked
    from tabnet_engine.runs.artefact import Run

__all__ = ["DEFAULT_METHODS", "add_explain"]

DEFAULT_METHODS = ("masks", "shap")
_SECONDS_BETWEEN_WORDS = 10.0


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``explain``."""
    parser.set_defaults(command=_explain)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, required=True)
    parser.add_argument(
        "--methods",
        help=f"{','.join(DEFAULT_METHODS)} unless you choose "
        "any of masks, shap, exact, sampling, gradients, integrated_gradients, ablation, shap_permutation, "
        "shap_kernel, shap_exact, permutation (needs the target in the table)",
    )
    parser.add_argument(
        "--row", type=int, action="append", default=[], metavar="N", help="explain this row, counted from 0; repeatable"
    )
    parser.add_argument(
        "--where", action="append", default=[], metavar="CONDITION", help="explain rows such as 'age >= 30'; repeatable"
    )
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME=COL[,COL]", help="columns that move together; repeatable"
    )
    parser.add_argument(
        "--background", metavar="HOW", help="class=NAME, where=CONDITION or cutoff=0.5; else that of the run"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="n_shap_rows=… or all, n_evaluations=…, seed=…"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="Parquet file; FILE.json is written beside it")


def _explain(arguments: argparse.Namespace) -> None:
    from tabnet_engine.data.schema import Task
    from tabnet_engine.runs.manifest import RunManifest

    check_new_file(arguments.out, arguments.table)
    check_new_file(_beside(arguments.out, ".json"), arguments.table)
    if RunManifest.read(arguments.run).task == Task.PRETRAINING:
        _explain_pretraining(arguments)
    else:
        _explain_decisions(arguments)


def _explain_decisions(arguments: argparse.Namespace) -> None:
    """What a run says of rows, and why."""
    from tabnet_engine.explain.long_table import write_long_tables
    from tabnet_engine.jobs.explaining_table import check_methods, explain_table
    from tabnet_engine.jobs.monitor import EXPLAINING

    named = DEFAULT_METHODS if arguments.methods is None else arguments.methods.split(",")
    methods = [name.strip() for name in named if name.strip()]
    check_methods(methods)
    partial = _beside(arguments.out, ".partial")
    if partial.exists() and not partial.is_dir():
        raise ConfigError(f"{partial} is needed as a folder for what is finished; move it away or choose another --out")
    config, explains_all = _config(arguments)
    run, table = load_for_table(arguments)
    for note in run.encoder.unseen_notes(table.frame):
        say(note)
    if explains_all:
        config = config.replace(n_shap_rows=len(table.frame))
    monitor = console_monitor(EXPLAINING, seconds=_SECONDS_BETWEEN_WORDS)
    with _kept(partial, arguments):
        pieces, facts = explain_table(
            run, table.frame, methods, config, asked=_asked(arguments, run, table, partial), monitor=monitor
        )
        replace_file(arguments.out, lambda path: write_long_tables(path, pieces))
    found = facts()
    _write_beside(arguments.out, found)
    for sentence in found["rows_left_out"]:
        say(sentence)


def _explain_pretraining(arguments: argparse.Namespace) -> None:
    """What a pretraining's reconstructions rest on; kept in its folder too.

    Raises:
        ConfigError: a choice that only the explanation of decisions has.
    """
    from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
    from tabnet_engine.explain.autoencoder.stored import explain_autoencoder_run
    from tabnet_engine.explain.long_table import write_long_tables
    from tabnet_engine.jobs.monitor import EXPLAINING

    chosen = {"--methods": arguments.methods, "--row": arguments.row, "--where": arguments.where}
    for option, value in {**chosen, "--background": arguments.background}.items():
        if value:
            raise ConfigError(
                f"{arguments.run} is a pretraining, which decides nothing: its reconstructions are explained as a "
                f"whole, so leave out {option}; n_rows and others are chosen by --set"
            )
    settings = AutoencoderSettings.from_mapping(read_settings(arguments.set))
    run, table = load_for_table(arguments, may_predict_nothing=True)
    _, found = explain_autoencoder_run(
        run,
        table.frame,
        settings,
        is_own_table=table.sha256 == run.manifest.dataset.sha256,
        groups=_groups(arguments.group, run.schema.feature_names),
        steering=console_monitor(EXPLAINING, seconds=_SECONDS_BETWEEN_WORDS).steering("Explaining", "steps"),
    )
    replace_file(arguments.out, lambda path: write_long_tables(path, [found.long_table()]))
    _write_beside(arguments.out, found.to_mapping())


def _beside(out: Path, suffix: str) -> Path:
    return out.with_name(out.name + suffix)


def _write_beside(out: Path, facts: Mapping[str, Any]) -> None:
    text = json.dumps(facts, indent=1) + "\n"
    replace_file(_beside(out, ".json"), lambda path: path.write_text(text, encoding="utf-8"))


def _config(arguments: argparse.Namespace) -> tuple[ExplainConfig, bool]:
    """The settings, and whether the signed methods explain every row of a whole table.

    Raises:
        ConfigError: a setting that does not exist, or a value outside its range.
    """
    from tabnet_engine.config import ExplainConfig

    settings = read_settings(arguments.set)
    if "methods" in settings:
        raise ConfigError("the methods are named by --methods, not by --set methods")
    explains_all = settings.get("n_shap_rows") == "all"
    if explains_all:
        del settings["n_shap_rows"]
    # A table that leaves the house keeps what it promises: values and base are the logit, as exactly as can be.
    settings = {"path_error": "none", **settings, **_background(arguments.background)}
    return ExplainConfig.from_mapping(settings), explains_all


def _background(text: str | None) -> dict[str, str]:
    """What ``--background`` says, as settings.

    Raises:
        ConfigError: it is none of the three.
    """
    if text is None:
        return {}
    kind, _, value = text.partition("=")
    kind, value = kind.strip(), value.strip()
    setting = {"class": "background_class", "where": "background_where", "cutoff": "cutoff"}.get(kind)
    if setting is None or not value:
        raise ConfigError(
            f"--background takes class=NAME, where=CONDITION or cutoff=PROBABILITY, such as cutoff=0.5; got {text!r}"
        )
    return {"background": kind, setting: value}


def _asked(arguments: argparse.Namespace, run: Run, table: Table, partial: Path) -> Asked:
    """Which rows and groups the arguments name."""
    from tabnet_engine.jobs.explaining_table import Asked

    return Asked(
        rows=tuple(arguments.row),
        where=tuple(arguments.where),
        groups=_groups(arguments.group, run.schema.feature_names),
        is_own=table.sha256 == run.manifest.dataset.sha256,
        checkpoint=partial,
        said=say,
    )


def _groups(texts: Collection[str], known: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The columns of each group by its name.

    Raises:
        ConfigError: a group without a name or columns, or two of one name.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, _, columns = text.partition("=")
        if not name.strip() or not columns.strip():
            raise ConfigError(f"--group takes NAME=COLUMN,COLUMN, got {text!r}")
        if name.strip() in groups:
            raise ConfigError(f"two groups are called {name.strip()!r}; name all columns of one group in one --group")
        groups[name.strip()] = column_names(columns, known)
    return groups


@contextmanager
def _kept(partial: Path, arguments: argparse.Namespace) -> Iterator[None]:
    """Hold what is finished for this command alone; remove it once no longer needed, else say that it is kept.

    Raises:
        ConfigError: another command works on the same file, whose finished parts would get mixed up with ours.
        StorageError: the disk refuses.
    """
    with ExitStack() as held:
        try:
            with storage_errors(f"keep what is finished in {partial}"):
                partial.mkdir(exist_ok=True)
                held.enter_context(folder_lock(partial, exclusive=True, waits=False))
        except StorageError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            raise ConfigError(
                f"another command writes {arguments.out} just now; wait until it has ended, or choose another --out"
            ) from error
        try:
            yield
        except BaseException:
            if any(partial.glob("*/chunk-*.parquet")):
                arguments.kept = f"what was finished is kept in {partial}, from where the same command goes on"
            else:
                _remove(partial)
            raise
        _remove(partial)


def _remove(partial: Path) -> None:
    """Remove the folders of finished chunks, and nothing else that might stand there."""
    for folder in [path.parent for path in partial.glob("*/request.json")]:
        shutil.rmtree(folder, ignore_errors=True)
    if partial.is_dir() and not any(partial.iterdir()):
        partial.rmdir()
