"""How far to trust a run's explanations: the certificate in words and figures, and the button that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import explain_access, explain_jobs, explain_widgets, widgets
from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.explain.wording import amount, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.explain.trust.certificate import Certificate
    from tabnet_engine.explain.trust.finding import Finding
    from tabnet_engine.runs.run import Run

__all__ = ["findings_table", "section", "shown_table"]

_BESIDE = "The columns named useless hold what explanations that know nothing score on the same rows."
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
            "be useless: random ones, and those of a network with random weights. It takes a few minutes, and longer "
            "with trainings from other seeds."
        )
    else:
        _figures(certificate)
    _button(run, certificate, busy=busy)


def _figures(certificate: Certificate) -> None:
    st.markdown(
        f"**{len(certificate.standing)} of {len(certificate.findings)} figures are told apart, for the better, from "
        "every useless explanation that they were compared with.**"
    )
    st.caption(
        f"Rows: {widgets.md(certificate.rows)}. Compared with {widgets.md(certificate.background)}. "
        "In brackets, 95 % intervals."
    )
    for family, (question, meaning) in _FAMILIES.items():
        found = certificate.of_family(family)
        if found:
            with st.expander(f"{question} {_count(found)}", key=f"certificate_{family}"):
                st.caption(f"{meaning} {_BESIDE}")
                widgets.text_table(shown_table(found), alt=question)
                with st.popover("How it was measured", icon=":material/straighten:"):
                    explain_widgets.bullets([f"{name}: {how}" for name, how in _ways(found).items()])
    widgets.notes("Not measured", [f"{gap.name}: {gap.reason}" for gap in certificate.not_measured])
    explain_widgets.csv_button(
        "Download all figures", findings_table(certificate.findings), name="certificate", key="certificate_csv"
    )


def _count(found: Sequence[Finding]) -> str:
    standing = sum(finding.stands for finding in found)
    return f"({standing} of {len(found)} figures better than every useless explanation)"


def _ways(found: Sequence[Finding]) -> dict[str, str]:
    """How each figure was measured, told once for all methods."""
    return {finding.name: finding.how for finding in found}


def shown_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Figures to be read: one column for every kind of useless explanation, and what the comparison says."""
    controls = dict.fromkeys(control.name for finding in found for control in finding.controls)
    lines = []
    for finding in found:
        useless = {control.name: control.estimate.value for control in finding.controls}
        lines.append(
            {
                "of": finding.subject,
                "figure": finding.name if finding.higher_is_better else f"{finding.name} (smaller is better)",
                "measured": explain_widgets.estimate_text(finding.estimate, _digits),
                **{f"useless: {name}": _digits(useless.get(name)) for name in controls},
                "reading": _reading(finding),
                "rows": f"{finding.n_rows:,}",
            }
        )
    return pd.DataFrame(lines)


def _digits(value: float | None) -> str:
    if value is None:
        return "not known"
    return signed(value) if value < 0 else amount(value)


def _reading(finding: Finding) -> str:
    """What the figure says, once where it says the same beside every useless explanation."""
    words = finding.reading
    for control in finding.controls:
        words = words.replace(f" {control.name}", "")
    said = set(words.split("; "))
    if len(said) > 1:
        return finding.reading
    return f"{said.pop()} {'it' if len(finding.controls) == 1 else 'both'}"


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
    if busy:
        st.caption("This run is being worked on; the progress is at the top of this page, which can be left meanwhile.")
