"""Two runs compared as a whole, as plain values: for the command line and for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.comparison.approvals import Approvals, approvals
from tabnet_engine.explain.comparison.decisions import (
    PredictionShift,
    Transitions,
    changed_positions,
    decision_rows,
    prediction_shift,
    transitions,
)
from tabnet_engine.explain.comparison.evidence import Evidence
from tabnet_engine.explain.comparison.metrics import MetricDifference, metric_differences
from tabnet_engine.explain.comparison.reasons import ReasonChanges, reason_changes
from tabnet_engine.explain.comparison.rows import PairedScores
from tabnet_engine.explain.comparison.settings import compare_columns, compare_origins, compare_settings

if TYPE_CHECKING:
    from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
    from tabnet_engine.runs.run import Run

__all__ = ["FORMAT", "EvidenceFindings", "comparison_mapping", "findings"]

FORMAT = 1
MOST_LISTED_ROWS = 1_000  # of the changed rows in a file; how many there are is always said


@dataclass(frozen=True, kw_only=True, eq=False)
class EvidenceFindings:
    """What follows from evidence, all on the held-out rows.

    ``rows`` says which these are. ``transitions`` is None for a quantity, ``shift`` for classes, ``approvals`` where
    nothing says when a row is approved. ``judged`` are the rows themselves; None where the runs share none.
    """

    rows: str
    judged: PairedScores | None
    metrics: tuple[MetricDifference, ...]
    transitions: Transitions | None
    shift: PredictionShift | None
    reasons: tuple[ReasonChanges, ...]
    approvals: Approvals | None = None


def findings(evidence: Evidence, *, top_k: int = 3, rules: ApprovalRules | None = None) -> EvidenceFindings:
    """Scores, decisions and reasons on the rows that neither run learned from.

    Args:
        evidence: of both runs.
        top_k: how many columns lead a row.
        rules: when each run approves a row; None leaves approvals out.
    """
    reasons = tuple(reason_changes(pair, top_k=top_k) for pair in evidence.reasons)
    if evidence.scores is None:
        return EvidenceFindings(rows="", judged=None, metrics=(), transitions=None, shift=None, reasons=reasons)
    judged, words = evidence.scores.held_out()
    is_quantity = evidence.target.task is Task.REGRESSION
    return EvidenceFindings(
        rows=words,
        judged=judged,
        metrics=_metrics(judged),
        transitions=None if is_quantity or not judged.n_rows else transitions(judged),
        shift=prediction_shift(judged) if is_quantity and judged.n_rows else None,
        reasons=reasons,
        approvals=approvals(judged, rules) if rules is not None and judged.n_rows else None,
    )


def comparison_mapping(
    first: Run, second: Run, evidence: Evidence, *, top_k: int = 3, rules: ApprovalRules | None = None
) -> dict[str, Any]:
    """The whole comparison as plain JSON values; approvals by the rules, where there are any."""
    found = findings(evidence, top_k=top_k, rules=rules)
    settings = (*compare_origins((first, second)), *compare_settings((first, second)))
    columns = [use for use in compare_columns((first.schema, second.schema)) if use.differs]
    return {
        "format": FORMAT,
        "first": _facts(first),
        "second": _facts(second),
        "settings": [line.to_mapping() for line in settings],
        "columns": [{"name": use.name, "kinds": list(use.kinds)} for use in columns],
        "target": evidence.target.name,
        "task": str(evidence.target.task),
        "label": evidence.label,
        "rows": found.rows,
        "metrics": [metric.to_mapping() for metric in found.metrics],
        "approvals": None if found.approvals is None else found.approvals.to_mapping(),
        "transitions": None if found.transitions is None else found.transitions.to_mapping(),
        "shift": None if found.shift is None else found.shift.to_mapping(),
        "changed_rows": _listed(found.judged),
        "reasons": [changes.to_mapping() for changes in found.reasons],
        "gaps": list(evidence.gaps),
    }


def _metrics(judged: PairedScores) -> tuple[MetricDifference, ...]:
    known = judged.take(judged.known)
    if not known.n_rows:
        return ()
    y = known.y if known.target.task is Task.REGRESSION else known.y.astype("int64")
    return metric_differences(known.target.task, y, known.first, known.second, known.target.classes)


def _facts(run: Run) -> dict[str, Any]:
    return {"run_id": run.run_id, "title": run.manifest.title, "created": run.manifest.created}


def _listed(judged: PairedScores | None) -> dict[str, Any]:
    """How many held-out rows changed, and the first of them, the largest change first."""
    if judged is None:
        return {"n_rows": 0, "rows": []}
    positions = changed_positions(judged)
    table = decision_rows(judged, positions[:MOST_LISTED_ROWS]).astype(object)
    lines = table.where(table.notna(), None).to_dict(orient="records")
    return {"n_rows": len(positions), "rows": lines}
