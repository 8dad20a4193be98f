"""How far to trust a run's explanations: the certificate in words and figures, and the button that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_jobs, explain_widgets, widgets
from pages._ui.measures import help_text
from tabnet_engine.explain.trust.finding import Family, Verdict
from tabnet_engine.explain.wording import amount, signed
from tabnet_engine.figures.trust import faithfulness_curves
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.trust.certificate import Certificate
    from tabnet_engine.explain.trust.faithfulness import Curve
    from tabnet_engine.explain.trust.finding import Finding
    from tabnet_engine.runs.run import Run

__all__ = ["curve_points", "findings_table", "section", "shown_table"]

_BESIDE = msg("The columns named useless hold what explanations that know nothing score on the same rows.")
_FAMILIES = {
    Family.AGREEMENT: (
        msg("Do the methods agree?"),
        msg("Two methods that answer alike back each other up; neither is proof."),
    ),
    Family.FAITHFULNESS: (
        msg("Do the named columns matter to the model?"),
        msg("Columns are taken away, or handed over alone, in the order of the explanation and in random order."),
    ),
    Family.RANDOMISATION: (
        msg("Do they depend on what was learned?"),
        msg("An explanation that stays the same when the weights are replaced by random ones explains nothing."),
    ),
    Family.STABILITY: (
        msg("Do they stay when little changes?"),
        msg("The same rows with small changes, against another background, by a network trained from another seed."),
    ),
}

_ALT = {
    "deletion": msg("How far the score moves while columns are taken away, for each method and random orders"),
    "insertion": msg(
        "How far the score is from the row's own while columns are given, for each method and random orders"
    ),
}
# What a figure says beside one useless explanation, and the same beside several.
_READINGS = {
    Verdict.WELL_ABOVE: (msg("well above it"), msg("well above each")),
    Verdict.ABOVE: (msg("above it"), msg("above each")),
    Verdict.BARELY_ABOVE: (msg("barely above it"), msg("barely above each")),
    Verdict.WELL_BELOW: (msg("well below it"), msg("well below each")),
    Verdict.BELOW: (msg("below it"), msg("below each")),
    Verdict.BARELY_BELOW: (msg("barely below it"), msg("barely below each")),
    Verdict.ALIKE: (msg("not told apart from it"), msg("not told apart from any")),
    Verdict.WORSE: (msg("worse than it"), msg("worse than each")),
    Verdict.UNDEFINED: (msg("not defined by these rows"), msg("not defined by these rows")),
}


def section(run: Run, *, output: int, unit: str, busy: bool) -> None:
    """The certificate of a run; without one, what it would say and the button that measures it.

    Args:
        run: the run.
        output: whose target's curves are drawn.
        unit: what that output is called on an axis.
        busy: whether a job works on this run now.
    """
    st.subheader(say("How far to trust this"), anchor=False, help=help_text("deletion"))
    certificate = explain_access.certificate(run)
    if certificate is None:
        st.write(
            say(
                "Nothing has been measured yet. The certificate compares every method with explanations that are known "
                "to be useless: random ones, and those of a network with random weights. It takes a few minutes, and "
                "longer with trainings from other seeds."
            )
        )
    else:
        _figures(run, certificate, output, unit)
    _button(run, certificate, busy=busy)


def _figures(run: Run, certificate: Certificate, output: int, unit: str) -> None:
    st.markdown(
        "**{}**".format(
            say(
                "{standing} of {figures} figures are told apart, for the better, from every useless explanation that "
                "they were compared with.",
                standing=len(certificate.standing),
                figures=len(certificate.findings),
            )
        )
    )
    st.caption(
        say(
            "Rows: {rows}. Compared with {background}. In brackets, 95 % intervals.",
            rows=widgets.md(widgets.said(certificate.rows)),
            background=widgets.md(widgets.said(certificate.background)),
        )
    )
    _curves(certificate, explain_widgets.target_of(run, output)[0].name, unit)
    for family, (question, meaning) in _FAMILIES.items():
        found = certificate.of_family(family)
        if found:
            with st.expander(f"{say(question)} {_count(found)}", key=f"certificate_{family}"):
                st.caption(f"{say(meaning)} {say(_BESIDE)}")
                widgets.text_table(shown_table(found), alt=say(question))
                with st.popover(say("How it was measured"), icon=":material/straighten:"):
                    explain_widgets.bullets([f"{name}: {how}" for name, how in _ways(found).items()])
    gaps = [(widgets.said(gap.name), widgets.said(gap.reason)) for gap in certificate.not_measured]
    widgets.notes(say("Not measured"), [f"{name}: {reason}" for name, reason in gaps])
    explain_widgets.csv_button(
        say("Download all figures"), findings_table(certificate.findings), name="certificate", key="certificate_csv"
    )


def _curves(certificate: Certificate, target: str, unit: str) -> None:
    """Deletion and insertion side by side."""
    curves = [curve for curve in certificate.curves if curve.target == target]
    if not curves:
        return
    n_rows = max(distance.n for curve in curves for distance in curve.distances)
    subtitle = say_plural("mean of {count} row", "mean of {count:,} rows", n_rows)
    for place, kind in zip(st.columns(2), ("deletion", "insertion"), strict=True):
        with place:
            widgets.chart(
                faithfulness_curves(curves, kind=kind, unit=unit, subtitle=subtitle),
                key=f"{kind}_curves",
                alt=say(_ALT[kind]),
                data=lambda kind=kind: curve_points(curves, kind),
            )


def _count(found: Sequence[Finding]) -> str:
    return say(
        "({standing} of {figures} figures better than every useless explanation)",
        standing=sum(finding.stands for finding in found),
        figures=len(found),
    )


def _ways(found: Sequence[Finding]) -> dict[str, str]:
    """How each figure was measured, told once for all methods."""
    return {widgets.said(finding.name): widgets.said(finding.how) for finding in found}


def shown_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Figures to be read: one column for every kind of useless explanation, and what the comparison says."""
    controls = dict.fromkeys(control.name for finding in found for control in finding.controls)
    lines = []
    for finding in found:
        useless = {control.name: control.estimate.value for control in finding.controls}
        name = widgets.said(finding.name)
        lines.append(
            {
                say("of"): widgets.said(finding.subject),
                say("figure"): name if finding.higher_is_better else say("{figure} (smaller is better)", figure=name),
                say("measured"): explain_widgets.estimate_text(finding.estimate, _digits),
                **{
                    say("useless: {control}", control=widgets.said(name)): _digits(useless.get(name))
                    for name in controls
                },
                say("reading"): _reading(finding),
                say("rows"): f"{finding.n_rows:,}",
            }
        )
    return pd.DataFrame(lines)


def _digits(value: float | None) -> str:
    if value is None:
        return say("not known")
    return signed(value) if value < 0 else amount(value)


def _reading(finding: Finding) -> str:
    """What the figure says, once where it says the same beside every useless explanation."""
    verdicts = set(finding.verdicts)
    if len(verdicts) > 1:
        return finding.reading
    return say(_READINGS[verdicts.pop()][len(finding.controls) > 1])


def findings_table(found: Sequence[Finding]) -> pd.DataFrame:
    """All there is about each figure, for the download."""
    return pd.DataFrame(
        {
            "figure": [finding.name for finding in found],
            "of": [finding.subject for finding in found],
            "measured": [explain_widgets.estimate_text(finding.estimate) for finding in found],
            "a useless explanation": [_controls(finding) for finding in found],
            "reading": [finding.reading for finding in found],
            "rows": [finding.n_rows for finding in found],
            "how": [finding.how for finding in found],
        }
    )


def _controls(finding: Finding) -> str:
    return "; ".join(
        f"{control.name}: {explain_widgets.estimate_text(control.estimate)}" for control in finding.controls
    )


def _button(run: Run, certificate: Certificate | None, *, busy: bool) -> None:
    again = certificate is not None
    with_table = explain_access.frame(run) is not None
    n_retrainings = 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if with_table:
            n_retrainings = st.number_input(
                say("Trainings from other seeds"),
                0,
                20,
                0,
                key="certify_retrainings",
                width=220,
                help=say("Each trains the same settings anew and takes as long as the first training did."),
            )
        label = say("Measure it again") if again else say("Measure it")
        if st.button(label, icon=":material/verified:", key="certify", disabled=busy):
            explain_jobs.submit_certificate(run, {"n_retrainings": int(n_retrainings)})
    if busy:
        st.caption(
            say("This run is being worked on; the progress is at the top of this page, which can be left meanwhile.")
        )


def curve_points(curves: Sequence[Curve], kind: str) -> pd.DataFrame:
    """Every point of the curves of one kind, with its interval; random orders have no method."""
    return pd.DataFrame(
        [
            {
                "method": curve.method or "random orders",
                "share of columns": share,
                "distance": distance.value,
                "low": distance.low,
                "high": distance.high,
                "rows": distance.n,
            }
            for curve in curves
            if curve.kind == kind
            for share, distance in zip(curve.shares, curve.distances, strict=True)
        ]
    )
