"""What people wrote for a report, from files or a workspace; and ``reason-codes``, which writes the first draft."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.console import say
from tabnet_engine.commands.files import check_new_file, check_outside_run, replace_file
from tabnet_engine.errors import ConfigError, ReportError

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.report.materials import Materials
    from tabnet_engine.report.reason_codes import ReasonCodes
    from tabnet_engine.report.regulation import RegulationProfile
    from tabnet_engine.runs.artefact import Run
    from tabnet_engine.runs.workspace import Workspace

__all__ = ["add_materials", "add_reason_codes", "materials_of"]

_MAX_BYTES = 16 * 1024**2  # of a file that a person wrote
_T = TypeVar("_T")


def add_materials(parser: argparse.ArgumentParser) -> None:
    """The arguments that name what people wrote."""
    parser.add_argument("--reason-codes", type=path_argument, metavar="CSV", help="the dictionary of reason codes")
    parser.add_argument("--template", type=path_argument, metavar="FILE", help="the letter of a notice, as plain text")
    parser.add_argument("--organisation", type=path_argument, metavar="JSON", help="who decides: name, address, …")
    parser.add_argument("--facts", type=path_argument, metavar="JSON", help="what the owner states about the model")
    parser.add_argument(
        "--consumer-score",
        type=path_argument,
        metavar="JSON",
        help="whether the model reads a score bought from others, and which",
    )


def add_reason_codes(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``reason-codes``."""
    parser.set_defaults(command=_reason_codes)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument(
        "--check", type=path_argument, metavar="CSV", help="read this dictionary instead of drafting one"
    )
    parser.add_argument("--out", type=path_argument, metavar="CSV", help="the file to write; not needed for a check")


def materials_of(
    arguments: argparse.Namespace, run: Run, config: ReportConfig, workspace: Workspace | None
) -> Materials:
    """Everything in a report that is not measured: what a file says goes before what the workspace keeps.

    Raises:
        UserError: a file that is not there or does not hold what it should, or a profile that does not exist.
    """
    from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
    from tabnet_engine.jobs.reporting import DESK
    from tabnet_engine.report.desk import Desk
    from tabnet_engine.report.making import desk_materials

    kept = desk_materials(None if workspace is None else Desk(workspace.root / DESK), run, config)
    return dataclasses.replace(
        kept,
        organisation=_stated(arguments.organisation, Organisation.from_mapping) or kept.organisation,
        facts=_stated(arguments.facts, ModelFacts.from_mapping) or kept.facts,
        consumer_score=_stated(arguments.consumer_score, ConsumerScore.from_mapping) or kept.consumer_score,
        codes=kept.codes if arguments.reason_codes is None else _codes(arguments.reason_codes, run),
        template=kept.template if arguments.template is None else _template(arguments.template, kept.profile),
    )


def _stated(path: Path | None, make: Callable[[Mapping[str, Any]], _T]) -> _T | None:
    """What a JSON file states.

    Raises:
        ConfigError: it is not there, is no JSON object, or states what there is no place for.
    """
    from tabnet_engine.runs.parts import parse_json

    if path is None:
        return None
    try:
        values = parse_json(_content(path))
    except ValueError as error:
        raise ConfigError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold one JSON object, with a text for each thing that is stated")
    try:
        return make(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _codes(path: Path, run: Run) -> ReasonCodes:
    from tabnet_engine.report.reason_codes import codes_from_csv

    try:
        return codes_from_csv(_content(path), run.schema.feature_names)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def _template(path: Path, profile: RegulationProfile) -> str:
    from tabnet_engine.report.notice.template import check_template

    try:
        text = _content(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8; save it as such") from error
    faults = check_template(text, profile)
    if faults:
        raise ReportError(f"{path}: {faults[0]}")
    return text


def _content(path: Path) -> bytes:
    """The bytes of a file that a person wrote.

    Raises:
        ConfigError: there is no file, or far too long a one.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file {path}; check the name")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path} is larger than {_MAX_BYTES // 1024**2} MiB; give a shorter file")
    return content


def _reason_codes(arguments: argparse.Namespace) -> None:
    """Draft a dictionary for the run's columns, or check one that was edited."""
    from tabnet_engine.report.reason_codes import codes_to_csv, default_codes
    from tabnet_engine.runs.artefact import load_run

    if arguments.out is None and arguments.check is None:
        raise ConfigError("give --out for the file to write, or --check for a dictionary to check")
    if arguments.out is not None:
        check_new_file(arguments.out, arguments.check or arguments.run)
        check_outside_run(arguments.out, arguments.run)
    if arguments.check is None and arguments.out.exists():
        raise ConfigError(
            f"{arguments.out} exists already, and a draft would replace what people wrote in it; choose another --out"
        )
    run = load_run(arguments.run)
    codes = default_codes(run.schema) if arguments.check is None else _codes(arguments.check, run)
    if arguments.out is not None:
        content = codes_to_csv(codes)
        replace_file(arguments.out, lambda path: path.write_bytes(content))
    without = sorted(set(run.schema.feature_names) - {code.column for code in codes.codes})
    if without:
        say(f"{len(without)} columns have no code of their own and get a generated sentence: {', '.join(without[:10])}")
    summary = {
        "codes": len(codes.codes),
        "reviewed": sum(code.is_reviewed for code in codes.codes),
        "without_code": without,
        "sha256": codes.sha256,
        "out": None if arguments.out is None else str(arguments.out),
    }
    print(json.dumps(summary))
