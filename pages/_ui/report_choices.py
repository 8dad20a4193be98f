"""What a report is asked for: profile, language, what counts as approved, protected columns, how much is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import (
    explain_access,
    explain_widgets,
    groups_choices,
    kept,
    report_access,
    report_outcome,
    state,
    widgets,
)
from pages._ui.decision_limits import directions
from tabnet_engine.config import ReportConfig
from tabnet_engine.config.report import ABOUT_ROWS
from tabnet_engine.report.dates import date_words
from tabnet_engine.texts.speaking import LANGUAGES, say

if TYPE_CHECKING:
    from tabnet_engine.config.report import ReportKind
    from tabnet_engine.report.regulation import RegulationProfile
    from tabnet_engine.runs.run import Run

__all__ = ["chosen_config", "chosen_language", "chosen_profile", "usual_protected"]


def chosen_config(run: Run, kind: ReportKind) -> ReportConfig:
    """Draw the controls of one kind of report.

    Raises:
        UserError: something typed that cannot be read.
    """
    with st.container(border=True):
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        with left:
            profile = chosen_profile(kind)
        with right:
            language = chosen_language()
        _about(profile, kind)
        values: dict[str, Any] = {"kind": kind, "profile": profile.name, "language": language}
        if kind == "comparison":
            values |= report_outcome.chosen_outcomes(run)
        if kind in ABOUT_ROWS:
            values |= report_outcome.chosen_outcome(run)
            values |= _protected(run)
            with st.expander(say("More choices"), icon=":material/tune:"):
                values |= _more(run)
    return ReportConfig.from_mapping(values)


def chosen_profile(kind: ReportKind) -> RegulationProfile:
    """Which regulation profile."""
    known = report_access.profiles(kind)
    name = kept.choice(
        "profile",
        say("Regulation profile"),
        {key: profile.title for key, profile in known.items()},
        default=report_access.start_profile(kind),
        help_text=say("Which rules the report answers to: they decide its parts. Profiles are versioned data files."),
    )
    return known[name]


def chosen_language(label: str = "") -> str:
    """In which language the report is written, or what ``label`` calls it."""
    return kept.choice(
        "written",
        label or say("Language of the report"),
        dict(LANGUAGES),
        default=state.language(),
        help_text=say("Dates and numbers are written accordingly. The page itself keeps its language."),
    )


def _about(profile: RegulationProfile, kind: ReportKind) -> None:
    """Version and validity of the profile, and what it rests on."""
    places = {"version": profile.version, "first": date_words(profile.valid_from)}
    told = say("Version {version}, valid from {first}.", **places)
    if profile.valid_until:
        told = say("Version {version}, valid from {first} to {last}.", last=date_words(profile.valid_until), **places)
    st.caption(f"{widgets.md(profile.summary)} {widgets.md(told)}")
    asked = {section.key for section in profile.sections(kind)}
    sources = [one for one in profile.citations if not asked or asked & set(one.sections)]
    if not sources:
        return
    with st.expander(say("What this profile asks for"), icon=":material/gavel:"):
        parts = sorted({section.part for section in profile.sections(kind)} - {""})
        if parts:
            n_sections = len(asked)
            st.markdown(
                say("{n_sections} sections in the parts {parts}.", n_sections=n_sections, parts=", ".join(parts))
            )
        explain_widgets.bullets([f"{one.text}: {one.about}" for one in sources])


def _protected(run: Run) -> dict[str, Any]:
    """Columns that must not be a reason, with those that by their name are often protected to start from."""
    names = _columns(run)
    chosen = kept.several(
        "protected",
        say("Protected columns"),
        names,
        default=usual_protected(run),
        help_text=say(
            "A report whose principal reason is one of these, or a column that gives it away, is blocked and says so. "
            "The model need not read them."
        ),
    )
    if not chosen:
        st.caption(say("Without a protected column nothing is checked, and the report says so."))
    return {"protected": tuple(chosen)}


def usual_protected(run: Run) -> list[str]:
    """The columns that by their names are often protected."""
    return [name for name in _columns(run) if groups_choices.is_often_protected(name)]


def _columns(run: Run) -> list[str]:
    """The columns of the run's table other than its targets, those that are often protected first."""
    table = explain_access.frame(run)
    names = [column.name for column in run.schema.columns] if table is None else list(map(str, table.columns))
    others = [name for name in names if name not in run.targets.names]
    return sorted(others, key=lambda name: not groups_choices.is_often_protected(name))


def _more(run: Run) -> dict[str, Any]:
    """How much is computed; the usual amounts stand in the settings of reports."""
    usual = ReportConfig()
    left, right = st.columns(2)
    with left:
        numbers = _amounts(usual)
    with right:
        proposals = _proposals(run, usual)
    return {**numbers, **proposals}


def _amounts(usual: ReportConfig) -> dict[str, Any]:
    return {
        "max_reasons": kept.number("reasons", say("Principal reasons at most"), 1, 4, default=usual.max_reasons),
        "n_reference": kept.number(
            "nearest",
            say("Approved rows to compare with"),
            5,
            10_000,
            default=usual.n_reference,
            step=10,
            help_text=say("Those at or just above the cutoff; reasons are measured against them."),
        ),
        "n_repetitions": kept.number(
            "repeat",
            say("Repetitions to test a reason"),
            0,
            1_000,
            default=usual.n_repetitions,
            help_text=say("How often the row is explained again for each cause that might unsettle a reason."),
        ),
        "proxy_strength": kept.amount(
            "proxy",
            say("Strength of a proxy"),
            0.01,
            1.0,
            default=usual.proxy_strength,
            help_text=say(
                "The share of a protected column's variance that one column alone must tell to count as its proxy."
            ),
        ),
        "seed": kept.number("seed", say("Seed"), 0, 2**32 - 1, default=usual.seed),
    }


def _proposals(run: Run, usual: ReportConfig) -> dict[str, Any]:
    fixed = kept.several(
        "fixed",
        say("Columns that no proposal changes"),
        list(run.schema.feature_names),
        help_text=say("How the outcome could have been another leaves these as they are, and the protected ones."),
    )
    up, down = directions([column for column in run.schema.features if column.name not in fixed])
    return {
        "fixed": tuple(fixed),
        "rising": tuple(up),
        "falling": tuple(down),
        "n_counterfactuals": kept.number(
            "proposals", say("Proposals of another outcome"), 0, 10, default=usual.n_counterfactuals
        ),
        "max_changes": kept.number("changes", say("Changes in a proposal at most"), 1, 50, default=usual.max_changes),
    }
