"""How far to trust a run's explanations: the certificate in words and figures, and the button that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_jobs, explain_widgets, widgets
from tabnet_engine.explain.trust.finding import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.estimates import Estimate
    from tabnet_engine.explain.trust.certificate import Certificate
    from tabnet_engine.explain.trust.finding import Finding
    from tabnet_engine.runs.run import Run

__all__ = ["findings_table", "section"]

_FAMILIES = {
    Family.AGREEMENT: ("Do the methods agree?", "Two methods that answer alike back each other up; neither is proof."),
    Family.FAITHFULNESS: (
        "Do the named columns matter to the model?",
        "Columns are taken away, or handed over alone, in the order of the explanation and in random order.",
    ),
    Family.RANDOMISATION: (
        "Do they depend on what was learned?",
        "An explanation that stays the same when the weights are replaced by random ones explains nothing.",
    ),
    Family.STABILITY: (
        "Do they stay when little changes?",
        "The same rows with small changes, against another background, by a network trained from another seed.",
    ),
}


def section(run: Run, *, busy: bool) -> None:
    """The certificate of a run; without one, what it would say and the button that measures it.

    Args:
        run: the run.
        busy: whether a job works on this run now.
    """
    st.subheader("How far to trust this", anchor=False)
    certificate = explain_access.certificate(run)
    if certificate is None:
        st.write(
            "Nothing has been measured yet. The certificate compares every method with explanations that are known to "
            "be useless: random ones, and those of a network with random weights."
        )
    else:
        _figures(certificate)
    _button(run, certificate, busy=busy)


def _figures(certificate: Certificate) -> None:
    st.markdown(f"**{widgets.md(certificate.note)}**")
    for family, (question, meaning) in _FAMILIES.items():
        found = certificate.of_family(family)
        if found:
            with st.expander(f"{question} {_count(found)}", key=f"certificate_{family}"):
                st.caption(meaning)
                st.dataframe(findings_table(found), hide_index=True, key=f"findings_{family}", column_config=_COLUMNS)
    widgets.notes("Not measured", [f"{gap.name}: {gap.reason}" for gap in certificate.not_measured])
    explain_widgets.csv_button(
        "Download all figures", findings_table(certificate.findings), name="certificate", key="certificate_csv"
    )


def _count(found: Sequence[Finding]) -> str:
    return f"({sum(finding.stands for finding in found)} of {len(found)} figures told apart from useless ones)"


_COLUMNS = {
    "measured": st.column_config.TextColumn(help="With its 95 % interval."),
    "a useless explanation": st.column_config.TextColumn(help="The same measure on the same rows."),
}


def findings_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Figures as a table: what, of which method, its value and interval, what useless explanations score."""
    return pd.DataFrame(
        {
            "figure": [finding.name for finding in found],
            "of": [finding.subject for finding in found],
            "measured": [_text(finding.estimate) for finding in found],
            "a useless explanation": [
                "; ".join(f"{control.name}: {_text(control.estimate)}" for control in finding.controls)
                for finding in found
            ],
            "reading": [finding.reading for finding in found],
            "rows": [finding.n_rows for finding in found],
            "how": [finding.how for finding in found],
        }
    )


def _text(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not defined"
    if estimate.low is None or estimate.high is None:
        return widgets.number(estimate.value)
    return f"{widgets.number(estimate.value)} ({widgets.number(estimate.low)} to {widgets.number(estimate.high)})"


def _button(run: Run, certificate: Certificate | None, *, busy: bool) -> None:
    again = certificate is not None
    with_table = explain_access.frame(run) is not None
    n_retrainings = 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if with_table:
            n_retrainings = st.number_input(
                "Trainings from other seeds",
                0,
                20,
                0,
                key="certify_retrainings",
                width=220,
                help="Each trains the same settings anew and takes as long as the first training did.",
            )
        label = "Measure it again" if again else "Measure it"
        if st.button(label, icon=":material/verified:", key="certify", disabled=busy):
            explain_jobs.submit_certificate(run, {"n_retrainings": int(n_retrainings)})
