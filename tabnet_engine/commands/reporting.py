"""``report``: a report on one row, on many rows, on a model, or on two models."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.commands.arguments import column_names, path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, check_outside_run, read_another, replace_file
from tabnet_engine.commands.report_batches import chosen_rows, write_many
from tabnet_engine.commands.report_materials import add_materials, materials_of
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.config import ReportConfig
    from tabnet_engine.report.making import MadeReport, ReportMaker
    from tabnet_engine.runs.artefact import Run
    from tabnet_engine.runs.workspace import Workspace

__all__ = ["add_report", "named_workspace"]

SUFFIXES = (".html", ".pdf", ".zip")
_OF_PROPOSALS = {
    "fixed": "no proposal of a change changes",
    "rising": "a proposal changes upwards only",
    "falling": "a proposal changes downwards only",
}


def add_report(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``report``."""
    parser.set_defaults(command=_report)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--baseline", type=path_argument, metavar="RUN", help="compare the run with this one")
    parser.add_argument("--table", type=path_argument, help="the table with the row; else that of the workspace")
    parser.add_argument("--row", type=int, metavar="N", help="report on this row, counted from 0")
    parser.add_argument("--rows", metavar="1-5,9", help="report on each of these rows; --out is the archive")
    parser.add_argument(
        "--where", action="append", default=[], metavar="CONDITION", help="report on each row such as 'age >= 30'"
    )
    parser.add_argument("--kind", choices=["decision", "notice", "model", "comparison"])
    parser.add_argument("--profile", metavar="NAME", help="the regulation profile, such as us_adverse_action")
    parser.add_argument("--language", choices=["en", "zh"])
    parser.add_argument("--cutoff", help="the probability or quantity from which a row is approved")
    parser.add_argument(
        "--baseline-cutoff", metavar="CUTOFF", help="the same for the run of --baseline; as --cutoff when left out"
    )
    parser.add_argument("--favourable", metavar="CLASS", help="the class that is decided in a person's favour")
    parser.add_argument(
        "--protected",
        action="append",
        default=[],
        metavar="COL[,COL]",
        help="columns that must be no reason; repeatable",
    )
    for name, words in _OF_PROPOSALS.items():
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="COL[,COL]", help=f"columns that {words}; repeatable"
        )
    parser.add_argument("--time", metavar="ISO", help="of the report, with its zone; else SOURCE_DATE_EPOCH, or now")
    parser.add_argument("--form", choices=["pdf", "html"], default="pdf", help="how an archive holds each report")
    parser.add_argument("--workspace", type=path_argument, help="keep the report there, and use what is written there")
    add_materials(parser)
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="max_reasons=…, n_reference=…, seed=…"
    )
    parser.add_argument("--out", type=path_argument, required=True, help="FILE.html, FILE.pdf, or FILE.zip: evidence")


def _report(arguments: argparse.Namespace) -> None:
    from tabnet_engine.report.making import ReportMaker
    from tabnet_engine.runs.artefact import load_run

    is_batch = arguments.rows is not None or bool(arguments.where)
    _check(arguments, is_batch=is_batch)
    config = _config(arguments)  # a mistake is told before anything is read
    run = load_run(arguments.run)
    baseline = None if arguments.baseline is None else load_run(arguments.baseline)
    workspace = named_workspace(arguments.workspace)
    frame, digest = _frame(arguments, run, workspace)
    known = [column.name for column in run.schema.columns] + ([] if frame is None else list(map(str, frame.columns)))
    named = {
        name: (*getattr(config, name), *(one for text in getattr(arguments, name) for one in column_names(text, known)))
        for name in ("protected", *_OF_PROPOSALS)
    }
    config = config.replace(**named)
    materials = materials_of(arguments, run, config, workspace)
    phases = {"Preparing": (0.0, 0.3), "Writing reports": (0.3, 1.0)}
    monitor = console_monitor(phases, seconds=10.0)
    if is_batch:
        rows = chosen_rows(arguments.rows, arguments.where, run, frame)
        write_many(arguments, (run, frame, digest, config, materials), rows, monitor)
        return
    steering = monitor.steering("Preparing", "steps")
    maker = ReportMaker.of(run, frame, config, materials, baseline=baseline, table_sha256=digest, steering=steering)
    _write_one(arguments, maker, workspace)


def _check(arguments: argparse.Namespace, *, is_batch: bool) -> None:
    """Refuse what cannot be, before the work.

    Raises:
        ConfigError: choices that exclude each other, or no place for the file.
    """
    suffix = arguments.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"--out must end in {', '.join(SUFFIXES)}; got {arguments.out.name!r}")
    if is_batch and suffix != ".zip":
        raise ConfigError(f"reports on many rows become one archive; let --out end in .zip, got {arguments.out.name!r}")
    if arguments.row is not None and is_batch:
        raise ConfigError("--row names one row, --rows and --where many; choose one of them")
    if arguments.rows is not None and arguments.where:
        raise ConfigError("rows are named by --rows or by --where, not by both")
    about_row = arguments.row is not None or is_batch
    if about_row and arguments.kind in ("model", "comparison"):
        raise ConfigError(f"a {arguments.kind} report is about no row; leave out --row, --rows and --where")
    if arguments.kind in ("decision", "notice") and not about_row:
        raise ConfigError(f"a {arguments.kind} report is about a row; name it with --row, --rows or --where")
    if arguments.baseline is not None and (about_row or arguments.kind not in (None, "comparison")):
        raise ConfigError("--baseline is for a comparison of two runs; leave it out, or leave out the rows")
    if arguments.template is not None and arguments.kind != "notice":
        raise ConfigError("--template is the letter of a notice; add --kind notice, or leave it out")
    _check_files(arguments)


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse to write over what is read, or into a run."""
    stated = (arguments.organisation, arguments.facts, arguments.consumer_score)
    written = (arguments.reason_codes, arguments.template, *stated)
    for source in filter(None, (arguments.table or arguments.run, *written)):
        check_new_file(arguments.out, source)
    for folder in filter(None, (arguments.run, arguments.baseline)):
        check_outside_run(arguments.out, folder)


def _config(arguments: argparse.Namespace) -> ReportConfig:
    from tabnet_engine.config import ReportConfig

    settings: dict[str, Any] = dict(read_settings(arguments.set))
    if "kind" in settings:
        raise ConfigError("the kind of a report is chosen with --kind; leave out --set kind=…")
    for name in ("profile", "language", "cutoff", "baseline_cutoff", "favourable", "time"):
        value = getattr(arguments, name)
        if value is not None:
            settings[name] = value
    return ReportConfig.from_mapping({"time": _epoch(), **settings, "kind": _kind(arguments)})


def _kind(arguments: argparse.Namespace) -> str:
    if arguments.kind is not None:
        return str(arguments.kind)
    if arguments.baseline is not None:
        return "comparison"
    about_row = arguments.row is not None or arguments.rows is not None or arguments.where
    return "decision" if about_row else "model"


def _epoch() -> str:
    """The time that builds with reproducible bytes agree on; empty where it is not set.

    Raises:
        ConfigError: it is no number of seconds.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not seconds:
        return ""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"SOURCE_DATE_EPOCH must be seconds since 1970, got {seconds!r}") from None


def named_workspace(root: Path | None) -> Workspace | None:
    """The workspace in a folder that was named; None where none was.

    Raises:
        ConfigError: there is no such folder.
    """
    from tabnet_engine.runs.workspace import Workspace

    if root is None:
        return None
    if not root.is_dir():
        raise ConfigError(f"there is no workspace {root}; give the folder of one, or leave out --workspace")
    return Workspace.open(root)


def _frame(arguments: argparse.Namespace, run: Run, workspace: Workspace | None) -> tuple[pd.DataFrame | None, str]:
    """The table that was named, read as the run's own was; else the run's own where the workspace has it.

    With it the SHA-256 of its file.
    """
    from tabnet_engine.data.tables import ReadOptions

    own = run.manifest.dataset
    if arguments.table is not None:
        table = read_another(arguments.table, ReadOptions.from_mapping(run.read_options), run.schema)
        if run.splits.train.size and table.sha256 != own.sha256:
            say(f"{arguments.table.name} is not the file that the run was trained on ({own.name})")
        return table.frame, table.sha256
    known = set() if workspace is None else {info.dataset_id for info in workspace.list_datasets()}
    if workspace is None or own.dataset_id is None or own.dataset_id not in known:
        return None, ""
    return workspace.load_frame(own.dataset_id), own.sha256


def _write_one(arguments: argparse.Namespace, maker: ReportMaker, workspace: Workspace | None) -> None:
    from tabnet_engine.jobs.reporting import REPORTS
    from tabnet_engine.report.register import ReportRegister
    from tabnet_engine.runs.parts import sha256_bytes

    made = maker.make(arguments.row)
    content = _rendered(made, arguments.out.suffix.lower())
    if workspace is not None:
        ReportRegister(workspace.root / REPORTS).add(made.document, made.parts)
    replace_file(arguments.out, lambda path: path.write_bytes(content))
    for sentence in made.document.blocked:
        say(f"BLOCKED: {sentence}")
    for sentence in made.document.unmet:
        say(f"missing: {sentence}")
    print(json.dumps({**_summary(made), "out": str(arguments.out), "sha256": sha256_bytes(content)}))


def _rendered(made: MadeReport, suffix: str) -> bytes:
    """The file to write. It depends on the report alone: a draft in a register carries the time it was kept."""
    if suffix == ".zip":
        from tabnet_engine.report.evidence import pack_bytes

        return pack_bytes(made.document, made.parts)
    if suffix == ".html":
        from tabnet_engine.report.rendering.html import html_bytes

        return html_bytes(made.document)
    from tabnet_engine.report.rendering.pdf import pdf_bytes

    return pdf_bytes(made.document)


def _summary(made: MadeReport) -> dict[str, Any]:
    identity, case = made.document.identity, made.case
    return {
        "case_id": identity.case_id,
        "kind": identity.kind,
        "profile": identity.profile,
        "profile_version": identity.profile_version,
        "language": identity.language,
        "row": identity.row,
        "outcome": None if case is None else case.score.predicted,
        "favourable": None if case is None else case.score.is_favourable,
        "reasons": [] if case is None else [reason.column for reason in case.reasons],
        "blocked": list(made.document.blocked),
        "unmet": list(made.document.unmet),
    }
