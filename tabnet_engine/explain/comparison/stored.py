"""A comparison that was computed anew, kept with the second of its runs. No torch: pages import this.

It is named by the weights of the first run, and says which weights of the second it speaks of, so that one of other
weights is never taken for it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.evidence import Evidence
from tabnet_engine.explain.comparison.reasons import PairedReasons
from tabnet_engine.explain.comparison.rows import PairedScores
from tabnet_engine.explain.comparison.targets import SharedTarget
from tabnet_engine.explain.stored_arrays import (
    FOLDER,
    ROW_GROUP,
    Arrays,
    has_part,
    load_arrays,
    load_facts,
    reading,
    save_arrays,
)
from tabnet_engine.runs.manifest import utc_now
from tabnet_engine.runs.run import WEIGHTS

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["ComputedComparison", "comparison_part", "has_comparison", "load_comparison", "save_comparison"]

_WORDS = "comparison with another run"


@dataclass(frozen=True, kw_only=True, eq=False)
class ComputedComparison:
    """Evidence with where it comes from: the table's name and hash, when it was computed, with which settings."""

    evidence: Evidence
    table: str
    table_sha256: str
    created: str
    settings: dict[str, Any]


def comparison_part(first: Run) -> str:
    """The name, without suffix, of the part that holds the comparison with ``first``."""
    return f"{FOLDER}/comparison-{first.manifest.parts[WEIGHTS][:16]}"


def has_comparison(first: Run, second: Run) -> bool:
    """Whether ``second`` holds a comparison with ``first``."""
    return has_part(second, comparison_part(first))


def save_comparison(
    first: Run, second: Run, evidence: Evidence, *, table: str, table_sha256: str, settings: dict[str, Any]
) -> Run:
    """Store evidence that was computed anew, in place of what was stored of the same two runs.

    Raises:
        ValueError: there are no scores to store.
        StorageError: the disk refuses; the run stays as it was.
    """
    if evidence.scores is None:
        raise ValueError("a comparison without scores holds nothing to store")
    scores, name = evidence.scores, comparison_part(first)
    facts = {
        "target": {"name": scores.target.name, "task": str(scores.target.task), "classes": list(scores.target.classes)},
        "label": evidence.label,
        "gaps": list(evidence.gaps),
        "origin": scores.origin,
        "methods": [pair.method for pair in evidence.reasons],
        "table": table,
        "table_sha256": table_sha256,
        "created": utc_now(),
        "settings": settings,
        "first": {"run_id": first.run_id, "title": first.manifest.title, "weights": first.manifest.parts[WEIGHTS]},
        "second_weights": second.manifest.parts[WEIGHTS],
    }
    for pair in evidence.reasons:
        second = save_arrays(
            second, f"{name}-{pair.method}", iter([_reason_arrays(pair)]), functools.partial(_reason_facts, pair)
        )
    return save_arrays(second, name, _score_chunks(scores), lambda: facts)


def load_comparison(first: Run, second: Run) -> ComputedComparison | None:
    """The stored comparison of ``second`` with ``first``; None when there is none.

    Raises:
        DamagedRunError: what is stored cannot be read.
    """
    name = comparison_part(first)
    if not has_part(second, name):
        return None
    facts = load_facts(second, name, _WORDS)
    arrays = load_arrays(second, name, _WORDS)
    with reading(second, _WORDS, "compare the runs again"):
        target = SharedTarget(
            name=str(facts["target"]["name"]),
            task=Task(facts["target"]["task"]),
            classes=tuple(facts["target"]["classes"]),
        )
        scores = PairedScores(
            target=target,
            rows=arrays["row"],
            y=arrays["y"],
            first=arrays["first"],
            second=arrays["second"],
            seen=arrays["seen"],
            tested=arrays["tested"],
            origin=str(facts["origin"]),
        )
        evidence = Evidence(
            target=target,
            label=str(facts["label"]),
            scores=scores,
            reasons=tuple(_load_reasons(second, f"{name}-{method}") for method in facts["methods"]),
            gaps=tuple(facts["gaps"]),
        )
        return ComputedComparison(
            evidence=evidence,
            table=str(facts["table"]),
            table_sha256=str(facts["table_sha256"]),
            created=str(facts["created"]),
            settings=dict(facts["settings"]),
        )


def _score_chunks(scores: PairedScores) -> Iterator[Arrays]:
    for start in range(0, scores.n_rows, 16 * ROW_GROUP):
        part = scores.take(np.arange(start, min(start + 16 * ROW_GROUP, scores.n_rows)))
        yield {
            "row": part.rows,
            "y": part.y,
            "first": part.first,
            "second": part.second,
            "seen": part.seen,
            "tested": part.tested,
        }


def _reason_arrays(pair: PairedReasons) -> Arrays:
    return {"row": pair.rows, "first": pair.first, "second": pair.second}


def _reason_facts(pair: PairedReasons) -> dict[str, Any]:
    return {"method": pair.method, "features": list(pair.features), "notes": list(pair.notes)}


def _load_reasons(run: Run, name: str) -> PairedReasons:
    facts, arrays = load_facts(run, name, _WORDS), load_arrays(run, name, _WORDS)
    return PairedReasons(
        method=str(facts["method"]),
        features=tuple(facts["features"]),
        rows=arrays["row"],
        first=arrays["first"],
        second=arrays["second"],
        notes=tuple(facts["notes"]),
    )
