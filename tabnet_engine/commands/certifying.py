"""``certify``: how far a run's explanations can be trusted."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.commands.arguments import path_argument, read_settings
from tabnet_engine.commands.console import console_monitor, say
from tabnet_engine.commands.files import check_new_file, check_outside_run, read_another, replace_file
from tabnet_engine.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.estimates import Estimate
    from tabnet_engine.explain.trust.certificate import Certificate
    from tabnet_engine.runs.artefact import Run

__all__ = ["add_certify"]


def add_certify(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``certify``."""
    parser.set_defaults(command=_certify)
    parser.add_argument("--run", type=path_argument, required=True)
    parser.add_argument("--table", type=path_argument, help="the table that the run was trained on, to retrain it too")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="n_rows=…, n_retrainings=…, methods=…, seed=…"
    )
    parser.add_argument("--out", type=path_argument, help="write the certificate to this JSON file too")


def _certify(arguments: argparse.Namespace) -> None:
    from tabnet_engine.config import CertifyConfig
    from tabnet_engine.explain.trust.certificate import load_certificate
    from tabnet_engine.jobs.certifying import CERTIFYING, certify_run
    from tabnet_engine.runs.artefact import load_run

    settings = read_settings(arguments.set)
    CertifyConfig.from_mapping(settings)  # a mistake is told before anything is read
    if arguments.out is not None:
        check_new_file(arguments.out, arguments.table or arguments.run)
        check_outside_run(arguments.out, arguments.run)
    run = load_run(arguments.run)
    if not os.access(arguments.run, os.W_OK | os.X_OK):
        raise ConfigError(
            f"the certificate is kept in the run, and permission to write into {arguments.run} is denied; certify a "
            "copy of the run"
        )
    if run.is_pretraining:
        raise ConfigError(
            f"{arguments.run} is a pretraining, which predicts nothing; train from it first with "
            "`train --pretrained`, then certify that run"
        )
    config = CertifyConfig.suggest(n_features=run.encoder.layout.n_features).replace(**settings)
    run = certify_run(run, _table(arguments.table, run), config, monitor=console_monitor(CERTIFYING))
    certificate = load_certificate(run)
    if arguments.out is not None:
        replace_file(arguments.out, lambda path: path.write_text(certificate.to_json() + "\n", encoding="utf-8"))
    for line in _short_table(certificate):
        say(line)
    print(json.dumps(_summary(arguments.run, certificate)))


def _table(path: Path | None, run: Run) -> pd.DataFrame | None:
    """The table, read as the run's own was."""
    if path is None:
        return None
    from tabnet_engine.data.tables import ReadOptions

    return read_another(path, ReadOptions.from_mapping(run.read_options), run.schema).frame


def _short_table(certificate: Certificate) -> list[str]:
    """One line for each figure, then what is missing, then the whole in a sentence."""
    lines = []
    family = ""
    for finding in certificate.findings:
        if finding.family != family:
            family = finding.family
            lines.append(f"{family}:")
        lines.append(f"  {finding.subject}: {finding.name} {_short(finding.estimate)}, {finding.reading}")
    lines += [f"not measured: {gap.name}, since {gap.reason}" for gap in certificate.not_measured]
    return [*lines, certificate.note]


def _short(estimate: Estimate) -> str:
    value = "undefined" if estimate.value is None else f"{estimate.value:.3f}"
    return value if estimate.low is None else f"{value} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _summary(folder: Path, certificate: Certificate) -> dict[str, object]:
    return {
        "run": str(folder),
        "measured": len(certificate.findings),
        "standing": len(certificate.standing),
        "not_measured": [gap.name for gap in certificate.not_measured],
        "findings": [
            {
                "family": finding.family,
                "key": finding.key,
                "subject": finding.subject,
                "value": finding.estimate.value,
                "low": finding.estimate.low,
                "high": finding.estimate.high,
                "n_rows": finding.n_rows,
                "stands": finding.stands,
            }
            for finding in certificate.findings
        ],
    }
