"""What the page of reports reads: the register, what people wrote, the regulation profiles; cached by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages._ui import data_access, explain_access, state
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import UserError
from tabnet_engine.explain import store
from tabnet_engine.explain.groups.decision import Decision, likely_favourable
from tabnet_engine.jobs.reporting import DESK, REPORTS
from tabnet_engine.report.desk import Desk
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.report.regulation import RegulationProfile, list_profiles, load_profile, profile_for

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabnet_engine.config.report import ReportConfig, ReportKind
    from tabnet_engine.runs.run import Run

    Rows = npt.NDArray[np.int64]

__all__ = ["declined", "desk", "profile", "profile_title", "profiles", "register", "start_profile"]


def desk() -> Desk:
    """What people wrote for reports in this workspace."""
    return Desk(data_access.root() / DESK)


def register() -> ReportRegister:
    """The reports of this workspace."""
    return ReportRegister(data_access.root() / REPORTS)


def profiles(kind: ReportKind) -> dict[str, RegulationProfile]:
    """The regulation profiles that have this kind of report, by name, in the language of the page."""
    return {name: profile(name, state.language()) for name in list_profiles(kind)}


def start_profile(kind: ReportKind) -> str:
    """The profile that a kind of report starts from."""
    return profile_for(kind)


@st.cache_data(show_spinner=False, max_entries=64)
def profile(name: str, language: str) -> RegulationProfile:
    """One regulation profile, its texts in one language."""
    return load_profile(name, language)


def profile_title(name: str) -> str:
    """What a profile is called on the page; its name where it is not there any more."""
    try:
        return profile(name, state.language()).title
    except UserError:
        return name


def declined(run: Run, config: ReportConfig) -> Rows | None:
    """Row numbers (ascending) that the chosen decision does not approve; None where that is not stored."""
    if not store.has_explanations(run, store.MASKS):
        return None
    digest = explain_access.version(run, f"{store.MASKS}.parquet")
    target = config.target or run.targets.names[0]
    return _declined(digest, target, config.favourable, config.cutoff, config.is_high_favourable, run)


@st.cache_resource(show_spinner=False, max_entries=8)  # of a million rows 8 MB each
def _declined(
    digest: str,  # noqa: ARG001 - with the choices the cache's key
    target: str,
    favourable: str,
    cutoff: float | None,
    is_high: bool,  # noqa: FBT001 - as above
    _run: Run,
) -> Rows | None:
    from tabnet_engine.explain.stored_arrays import load_columns

    codec, place = _run.targets.of(target)
    wanted = favourable or likely_favourable(codec)
    if codec.task is Task.MULTICLASS and wanted is None:
        return None
    decision = Decision.of(codec, favourable=wanted, cutoff=cutoff, is_high_favourable=is_high)
    if decision is None:
        return None
    stored = load_columns(_run, store.MASKS, "attention masks", ["row", "logits"])
    logits = stored["logits"].reshape(len(stored["row"]), -1).astype(np.float64)[:, place]
    return np.sort(stored["row"][~decision.selected(codec, logits)].astype(np.int64))
