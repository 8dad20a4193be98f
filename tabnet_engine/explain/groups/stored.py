"""Audits by group and proxies in the run folder, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabnet_engine.explain.groups.audit import GroupAudit
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.explain.stored_arrays import has_json, load_json, reading, save_json

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "has_group_audits",
    "has_proxies",
    "load_group_audits",
    "load_proxies",
    "save_group_audits",
    "save_proxies",
]

_AUDITS, _AUDIT_WORDS = "groups", "comparison of groups"
_PROXIES, _PROXY_WORDS = "proxies", "search for proxies"


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
