"""From a run and its table to a comparison of groups: who is in which group, what is measured, what is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import AuditConfig
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain import store
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.explain.groups.auditing import audit_run
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.groups.finding_proxies import find_proxies
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.explain.groups.stored import keep_group_audit, keep_proxies
from tabnet_engine.explain.row_parts import RowParts, intersection
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.runs.run import Run
from tabnet_engine.texts.speaking import msg

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AUDITING", "MeasuredGroups", "decision_of", "measure_groups", "store_groups"]

# Where each phase starts and ends on the bar.
AUDITING = {
    msg("Dividing the rows"): (0.0, 0.1),
    msg("Comparing the groups"): (0.1, 0.7),
    msg("Looking for proxies"): (0.7, 1.0),
}
_DIVIDING, _COMPARING, _PROXIES = AUDITING


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredGroups:
    """The comparison, and the columns that give the protected one away; None where they were not looked for."""

    audit: GroupAudit
    proxies: ProxyReport | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Both as plain JSON values."""
        proxies = None if self.proxies is None else self.proxies.to_mapping()
        return {"audit": self.audit.to_mapping(), "proxies": proxies}


def measure_groups(
    run: Run, frame: pd.DataFrame, config: AuditConfig, *, monitor: Monitor | None = None
) -> MeasuredGroups:
    """Compare the groups of a protected column of the run's table; the run stays as it is.

    Args:
        run: a trained or imported run.
        frame: the table that it was trained on; any table with its columns for an imported run.
        config: which column, and what counts as being selected.
        monitor: follows the work; its phases are set here.

    Raises:
        ExplanationError: a pretraining, a column that divides nobody or too finely, a class or group that is none.
        SchemaError: ``frame`` is not the run's table, or no target is called so.
        JobCancelledError: the monitor asked to stop.
    """
    monitor = dataclasses.replace(monitor or Monitor(), phases=AUDITING)
    if run.is_pretraining:
        raise ExplanationError(
            f"the run {run.manifest.title!r} is a pretraining, which decides nothing; train from it first"
        )
    monitor.begin(_DIVIDING, config.column)
    codec, _ = run.targets.of(config.target or run.targets.names[0])
    decision = decision_of(codec, config)
    parts = _parts(run, frame, config)
    audit = audit_run(
        run,
        frame,
        parts,
        target=codec.name,
        decision=decision,
        reference=config.reference or None,
        attribution=_attribution(run),
        seed=config.seed,
        steering=monitor.steering(_COMPARING, "groups"),
    )
    audit = dataclasses.replace(audit, settings=config.to_mapping())
    proxies = None
    if config.proxies and not config.crossed_with:
        monitor.steering(_PROXIES, "columns").step(0, len(frame.columns))
        proxies = _proxies(run, frame, parts, config.seed)
    return MeasuredGroups(audit=audit, proxies=proxies)


def store_groups(run: Run, measured: MeasuredGroups) -> Run:
    """Keep a comparison with the run; one of the same columns and target is replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    run = keep_group_audit(run, measured.audit)
    return run if measured.proxies is None else keep_proxies(run, measured.proxies)


def decision_of(codec: TargetCodec, config: AuditConfig) -> Decision | None:
    """When a row is selected; None where nothing says what is favourable.

    Raises:
        ExplanationError: a class that the target does not have, or a cutoff that is no probability.
    """
    return Decision.of(
        codec,
        favourable=config.favourable or None,
        cutoff=config.cutoff,
        is_high_favourable=config.is_high_favourable,
    )


def _parts(run: Run, frame: pd.DataFrame, config: AuditConfig) -> RowParts:
    first = _divided(run, frame, config.column, config.n_ranges, config.cuts)
    if not config.crossed_with:
        return first
    return intersection(first, _divided(run, frame, config.crossed_with, config.n_ranges, config.crossed_cuts))


def _divided(run: Run, frame: pd.DataFrame, column: str, n_ranges: int, cuts: Sequence[str]) -> RowParts:
    return groups_of_column(frame, run.schema, column, n_ranges=n_ranges, cuts=cuts or None)


def _attribution(run: Run) -> Attribution | None:
    """Stored signed values, whose spread over the groups is then measured too."""
    return store.load_attribution(run) if store.attribution_part(run) is not None else None


def _proxies(run: Run, frame: pd.DataFrame, parts: RowParts, seed: int) -> ProxyReport | None:
    """What gives the column away; None where too few rows or groups are there to tell."""
    try:
        return find_proxies(frame, run.schema, parts, seed=seed)
    except ExplanationError:
        return None
