"""How long reports take and how much memory: one of each kind, then a batch of decision reports.

    python benchmarks/reports.py --batch 1000
    python benchmarks/reports.py --batch 1000 --table UCI_Credit_Card.csv --target default.payment.next.month \
        --favourable 0 --protected SEX MARRIAGE AGE

Without a table, a synthetic table of credit applications is made. A small network is trained on it, then every part
is measured in a process of its own: seconds on the clock (of a single report the median of ``--repeats``), and the
largest memory that the process ever held, Python and torch among it. The first line is what a process holds that has
only opened the run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from tabnet_engine.config import ReportConfig
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef
from tabnet_engine.runs.workspace import Workspace

DESK = "desk"
FIXED_TIME = "2026-01-01T00:00:00+00:00"


def main() -> None:
    """Train, measure, print a table."""
    arguments = _arguments()
    root = arguments.workspace or Path(tempfile.mkdtemp(prefix="reports-bench-"))
    run_id = _prepared(arguments, root)
    settings = {
        "favourable": arguments.favourable,
        "protected": arguments.protected,
        "time": FIXED_TIME,
        "n_repetitions": arguments.repetitions,
    }
    print(f"run {run_id} in {root}; {arguments.batch:,} reports in the batch, {arguments.repeats} single ones each\n")
    print(f"{'what':34} {'seconds':>9} {'a report':>9} {'memory MiB':>11} {'size KiB':>9}")
    for name, work in _works(arguments).items():
        _line(name, *_apart(work, root, run_id, settings))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=ReportConfig().n_repetitions, help="of each robustness test")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--target", default="decision")
    parser.add_argument("--favourable", default="approved")
    parser.add_argument("--protected", nargs="*", default=[])
    parser.add_argument("--workspace", type=Path, help="kept for the next measurement")
    return parser.parse_args()


def _prepared(arguments: argparse.Namespace, root: Path) -> str:
    """The run to report on, trained now unless the workspace has one."""
    workspace = Workspace.open(root)
    known = workspace.list_runs()
    if known:
        return known[0].run_id
    path = arguments.table
    if path is None:
        path = root / "credit.csv"
        credit_applications(n_rows=max(4_000, 2 * arguments.batch))[0].to_csv(path, index=False)
    table = read_table(path, ReadOptions())
    schema = set_target(propose_schema(table.frame), table.frame, arguments.target)
    info = workspace.add_dataset(table, path, schema=schema)
    run_id, folder = workspace.new_run_folder()
    source = Source(table.frame, schema, DatasetRef.of(table, info.dataset_id))
    train_run(source, folder, {"max_epochs": str(arguments.epochs)}, title="benchmark")
    return run_id


def _works(arguments: argparse.Namespace) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    single = {"repeats": arguments.repeats}
    return {
        "run opened, table read": (_opened, {}),
        "decision report, prepared": (_prepared_maker, {}),
        "decision report, computed": (_single, {**single, "form": ""}),
        "decision report, as PDF": (_single, {**single, "form": "pdf"}),
        "decision report, as HTML": (_single, {**single, "form": "html"}),
        "model report, as PDF": (_single, {**single, "form": "pdf", "kind": "model", "profile": "internal_model_risk"}),
        "model report, as HTML": (_single, {**single, "form": "html", "kind": "model", "profile": "eu_ai_act"}),
        f"batch of {arguments.batch:,}, PDF": (_batch, {"n_rows": arguments.batch}),
    }


def _apart(work: tuple[Callable[..., Any], dict[str, Any]], root: Path, run_id: str, settings: dict[str, Any]) -> Any:
    """Run one measurement in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work[0], root, run_id, settings, **work[1]).result()


def _line(name: str, seconds: float, each: float | None, mebibytes: float, kibibytes: float | None) -> None:
    shown_each = "" if each is None else f"{each:9.2f}"
    shown_size = "" if kibibytes is None else f"{kibibytes:9,.0f}"
    print(f"{name:34} {seconds:9.2f} {shown_each:>9} {mebibytes:11,.0f} {shown_size:>9}", flush=True)


def _opened(root: Path, run_id: str, settings: dict[str, Any]) -> Any:  # noqa: ARG001 - all works are called alike
    began = time.perf_counter()
    workspace = Workspace.open(root)
    run = workspace.run(run_id)
    run.network()
    workspace.load_frame(str(run.manifest.dataset.dataset_id))
    return time.perf_counter() - began, None, _peak(), None


def _prepared_maker(root: Path, run_id: str, settings: dict[str, Any]) -> Any:
    began = time.perf_counter()
    _maker(root, run_id, settings)
    return time.perf_counter() - began, None, _peak(), None


def _single(
    root: Path,
    run_id: str,
    settings: dict[str, Any],
    *,
    repeats: int,
    form: str,
    kind: str = "decision",
    profile: str = "",
) -> Any:
    maker, rows = _maker(root, run_id, {**settings, "kind": kind, "profile": profile})
    seconds, size = [], None
    for row in rows[:repeats]:
        began = time.perf_counter()
        made = maker.make(int(row) if kind == "decision" else None)
        if form:
            size = len(_rendered(made.document, form)) / 1024
        seconds.append(time.perf_counter() - began)
    return sum(seconds), statistics.median(seconds), _peak(), size


def _batch(root: Path, run_id: str, settings: dict[str, Any], *, n_rows: int) -> Any:
    from tabnet_engine.report.batch import write_batch

    maker, rows = _maker(root, run_id, settings)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        began = time.perf_counter()
        record = write_batch(maker, rows[:n_rows], Path(folder))
        seconds = time.perf_counter() - began
        size = record.archive.stat().st_size / 1024
    if record.n_refused:
        raise SystemExit(f"{record.n_refused:,} of {record.n_rows:,} rows were refused")
    return seconds, seconds / record.n_rows, _peak(), size


def _maker(root: Path, run_id: str, settings: dict[str, Any]) -> Any:
    """The maker, and the rows that are declined."""
    import torch

    from tabnet_engine.explain.subject import Subject
    from tabnet_engine.report.desk import Desk
    from tabnet_engine.report.making import ReportMaker, desk_materials

    torch.set_num_threads(1)
    workspace = Workspace.open(root)
    run = workspace.run(run_id)
    frame = workspace.load_frame(str(run.manifest.dataset.dataset_id))
    config = ReportConfig.from_mapping(settings)
    maker = ReportMaker.of(run, frame, config, desk_materials(Desk(root / DESK), run, config))
    if maker.explainer is None:
        return maker, [None] * len(frame)
    logits = Subject.of_run(run).logits(run.encoder.transform(frame))
    codec, place = run.targets.of(run.targets.names[0])
    declined = ~maker.explainer.decision.selected(codec, logits[:, place])
    return maker, np.concatenate([np.flatnonzero(declined), np.flatnonzero(~declined)])


def _rendered(document: Any, form: str) -> bytes:
    if form == "pdf":
        from tabnet_engine.report.rendering.pdf import pdf_bytes

        return pdf_bytes(document)
    from tabnet_engine.report.rendering.html import html_bytes

    return html_bytes(document)


def _peak() -> float:
    """The largest memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
