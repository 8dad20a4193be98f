"""What the page of groups reads from a run, cached by the hash of the part that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access
from tabnet_engine.explain.groups import stored
from tabnet_engine.texts.speaking import ENGLISH, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.groups.audit import GroupAudit
    from tabnet_engine.explain.groups.proxies import ProxyReport
    from tabnet_engine.runs.run import Run

__all__ = ["audits", "proxies"]


def audits(run: Run) -> tuple[GroupAudit, ...]:
    """The stored comparisons, the newest first; empty when there is none."""
    if not stored.has_group_audits(run):
        return ()
    return _audits(explain_access.version(run, stored.AUDITS_PART), run)


@st.cache_resource(show_spinner=False, max_entries=8)
def _audits(digest: str, _run: Run) -> tuple[GroupAudit, ...]:  # noqa: ARG001 - the digest is the cache's key
    with speaking(ENGLISH):
        return stored.load_group_audits(_run)


def proxies(run: Run, column: str) -> ProxyReport | None:
    """The stored search for what gives a column away; None when there is none."""
    if not stored.has_proxies(run):
        return None
    found = _proxies(explain_access.version(run, stored.PROXIES_PART), run)
    return next((report for report in found if report.column == column), None)


@st.cache_resource(show_spinner=False, max_entries=8)
def _proxies(digest: str, _run: Run) -> tuple[ProxyReport, ...]:  # noqa: ARG001 - as above
    with speaking(ENGLISH):
        return stored.load_proxies(_run)
