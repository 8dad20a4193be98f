"""Audits by group and proxies in the run folder, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.explain.stored_arrays import FOLDER, has_json, load_json, reading, save_json

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "AUDITS_PART",
    "PROXIES_PART",
    "has_group_audits",
    "has_proxies",
    "keep_group_audit",
    "keep_proxies",
    "load_group_audits",
    "load_proxies",
    "save_group_audits",
    "save_proxies",
]

_AUDITS, _AUDIT_WORDS = "groups", "comparison of groups"
_PROXIES, _PROXY_WORDS = "proxies", "search for proxies"
AUDITS_PART, PROXIES_PART = f"{FOLDER}/{_AUDITS}.json", f"{FOLDER}/{_PROXIES}.json"
_MOST_KEPT = 40  # the oldest go first


def has_group_audits(run: Run) -> bool:
    """Whether the run holds audits by group."""
    return has_json(run, _AUDITS)


def save_group_audits(run: Run, audits: Sequence[GroupAudit]) -> Run:
    """Store audits by group; those stored earlier are replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _AUDITS, {"audits": [audit.to_mapping() for audit in audits]})


def load_group_audits(run: Run) -> tuple[GroupAudit, ...]:
    """The stored audits.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    content = load_json(run, _AUDITS, _AUDIT_WORDS)
    with reading(run, _AUDIT_WORDS):
        return tuple(GroupAudit.from_mapping(item) for item in content["audits"])


def has_proxies(run: Run) -> bool:
    """Whether the run holds searches for proxies."""
    return has_json(run, _PROXIES)


def save_proxies(run: Run, reports: Sequence[ProxyReport]) -> Run:
    """Store searches for proxies; those stored earlier are replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _PROXIES, {"proxies": [report.to_mapping() for report in reports]})


def load_proxies(run: Run) -> tuple[ProxyReport, ...]:
    """The stored searches.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    content = load_json(run, _PROXIES, _PROXY_WORDS)
    with reading(run, _PROXY_WORDS):
        return tuple(ProxyReport.from_mapping(item) for item in content["proxies"])


def keep_group_audit(run: Run, audit: GroupAudit) -> Run:
    """Store an audit first among those that are there; one of the same columns and target is replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
        DamagedRunError: what is stored cannot be read.
    """
    kept = load_group_audits(run) if has_group_audits(run) else ()
    others = [item for item in kept if (item.column, item.target) != (audit.column, audit.target)]
    return save_group_audits(run, [audit, *others][:_MOST_KEPT])


def keep_proxies(run: Run, report: ProxyReport) -> Run:
    """Store a search for proxies first among those that are there; one of the same column is replaced.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
        DamagedRunError: what is stored cannot be read.
    """
    kept = load_proxies(run) if has_proxies(run) else ()
    return save_proxies(run, [report, *(item for item in kept if item.column != report.column)][:_MOST_KEPT])
