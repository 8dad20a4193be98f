"""Explanations: how fast beside the peers, how near to the truth, how far the methods agree. One command, one run.

    OMP_NUM_THREADS=1 python benchmarks/explain.py --out explain.json
    python benchmarks/explain.py --parts truth --tables syn1,credit --runs runs
    python benchmarks/explain.py --quick

Peers are pytorch-tabnet (``benchmarks/requirements.txt``; its lines are left out, and said so, where it is not
installed) and shap. Everything runs in this process on one thread, the sides in turns; seconds of speed are CPU
seconds, which a busy machine changes little. Trained runs are kept in ``--runs`` and used again. ``--quick`` only
shows that every part works: its numbers mean nothing.

1. Masks and aggregates, rows per second, n_d = n_a = 8; the memory of one million rows.
2. Shapley values, seconds a row at equal standard error; the error against brute force with 11 columns.
3. On tables whose deciding columns are known: how often each method finds them, deletion area, agreement.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import explain_speed as speed
import explain_truth as truth
from explain_tables import FULL, QUICK, TABLES, Scale, known_table

PARTS = ("masks", "memory", "shapley", "truth")
BRUTE_FORCE_TABLE, WIDE_TABLE = "syn4", "wide"
N_SHAPLEY_ROWS = 10


def measure(parts: list[str], tables: list[str], scale: Scale, runs: Path) -> dict[str, Any]:
    """Everything asked for, as plain values."""
    started = time.perf_counter()
    result: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "versions": _versions()}
    if "masks" in parts:
        result["masks"] = _told("masks", speed.masks_speed(scale))
    if "memory" in parts:
        result["memory"] = _told("memory", speed.memory_of_masks(scale.n_million))
    if "shapley" in parts:
        result["shapley"] = [_shapley(name, scale, runs) for name in (BRUTE_FORCE_TABLE, WIDE_TABLE)]
    if "truth" in parts:
        result["truth"] = [_told(name, truth.measure(known_table(name, scale, runs))) for name in tables]
    result["seconds"] = time.perf_counter() - started
    return result


def _shapley(name: str, scale: Scale, runs: Path) -> dict[str, Any]:
    n_rows = min(N_SHAPLEY_ROWS, scale.n_rows)
    with_truth = name == BRUTE_FORCE_TABLE
    known = known_table(name, scale, runs)
    return _told(f"shapley {name}", speed.shapley_speed(known, scale, n_rows=n_rows, with_truth=with_truth))


def _told(name: str, found: dict[str, Any]) -> dict[str, Any]:
    print(f"{name}: done", file=sys.stderr, flush=True)
    return found


def _versions() -> dict[str, str | None]:
    return {name: _version(name) for name in ("torch", "shap", "pytorch-tabnet")}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def show(result: dict[str, Any]) -> str:
    """The measurements as Markdown."""
    shown = [_masks_text(result["masks"])] if "masks" in result else []
    shown += [_memory_text(result["memory"])] if "memory" in result else []
    shown += [_shapley_table(result["shapley"])] if "shapley" in result else []
    shown += [_truth_table(result["truth"])] if result.get("truth") else []
    return "\n\n".join(shown)


def _masks_text(found: dict[str, Any]) -> str:
    lines = ["| masks and aggregate | rows a second | times the peer |", "|---|---|---|"]
    for name, rate in found["rows_per_second"].items():
        ratio = "" if found["ratio"] is None or name not in found["ratio"] else f"{found['ratio'][name]:.1f}"
        if ratio:
            low, high = found["ratio_low_high"][name]
            ratio += f" ({low:.1f} to {high:.1f})"
        lines.append(f"| {name} | {rate:,.0f} | {ratio} |")
    missing = "" if found["ratio"] is not None else "\n\npytorch-tabnet is not installed: no ratio."
    return "\n".join(lines) + missing


def _memory_text(found: dict[str, Any]) -> str:
    return (
        f"{found['rows']:,} rows: {found['peak_beyond_model_mib']:,.0f} MiB beyond the model at most, "
        f"{found['table_mib']:,.0f} of them the encoded table; {found['rows_per_second']:,.0f} rows a second."
    )


_SHAPLEY_COLUMNS = (
    "table",
    "columns",
    "seconds a row, ours",
    "shap",
    "standard error, ours",
    "shap",
    "times faster at equal standard error",
    "error to brute force, ours",
    "shap",
    "exact",
)


def _shapley_table(found: list[dict[str, Any]]) -> str:
    lines = [
        f"| {' | '.join(_SHAPLEY_COLUMNS)} |",
        f"|{'---|' * len(_SHAPLEY_COLUMNS)}",
    ]
    for one in found:
        seconds, errors, relative = one["seconds_per_row"], one["standard_error"], one.get("relative_error")
        truth_cells = ["", "", ""]
        if relative is not None:
            truth_cells = [f"{relative[name]:.3f}" for name in ("ours", "shap")] + [f"{one['exact_largest_error']:.1e}"]
        cells = [one["table"], str(one["columns"]), *(f"{seconds[name]:.3f}" for name in ("ours", "shap"))]
        cells += [*(f"{errors[name]:.4f}" for name in ("ours", "shap")), f"{one['ratio_equal_standard_error']:.1f}"]
        lines.append(f"| {' | '.join([*cells, *truth_cells])} |")
    return "\n".join(lines)


def _truth_table(found: list[dict[str, Any]]) -> str:
    names = [one["table"] for one in found]
    columns = ["true columns found, per row / overall", *names, "deletion area, times random", "agreement with SHAP"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for method in (*truth.METHODS, truth.RANDOM):
        cells = [f"{_share(one, method)} / {_share_overall(one, method)}" for one in found]
        lines.append(f"| {method} | {' | '.join(cells)} | {_deletion(found, method)} | {_agreement(found, method)} |")
    return "\n".join(lines)


def _share(one: dict[str, Any], method: str) -> str:
    found = one["found_per_row"].get(method)
    return "–" if found is None else f"{found['value']:.2f}"


def _share_overall(one: dict[str, Any], method: str) -> str:
    if method == truth.RANDOM:
        return f"{one['chance']['overall']:.2f}"
    return f"{one['found_overall'][method]:.2f}"


def _deletion(found: list[dict[str, Any]], method: str) -> str:
    if method == truth.RANDOM:
        return "1"
    ratios = [one["deletion"][method]["value"] for one in found if method in one["deletion"]]
    return f"{statistics.mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else "–"


def _agreement(found: list[dict[str, Any]], method: str) -> str:
    values = [one["agreement"]["shap"][method] for one in found if method in one["agreement"]["shap"]]
    return f"{statistics.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else "–"


def main() -> None:
    """Measure, keep, print."""
    import torch

    given = _arguments()
    torch.set_num_threads(1)
    scale = QUICK if given.quick else FULL
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(given.parts, given.tables, scale, given.runs or Path(temporary))
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(show(result))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=_names(PARTS), default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--tables", type=_names(TABLES), default=list(TABLES), help=", ".join(TABLES))
    parser.add_argument("--runs", type=Path, help="folder of trained runs; trained anew each time when absent")
    parser.add_argument("--out", type=Path, help="JSON file of every number")
    parser.add_argument("--quick", action="store_true", help="only show that it works")
    return parser.parse_args()


def _names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
        return chosen

    return parse


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # the peers' own
    main()
