"""How firm the leading reasons of one row are: from the run's certificate, or measured for this row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, measures, widgets
from tabnet_engine.explain import store
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.row_robustness import (
    RowRobustness,
    certified_robustness,
    measured_robustness,
    robustness_sentences,
)
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from pages._ui.explain_access import ShownRow
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_REPETITIONS = 20
_SECONDS = 2.0


def section(run: Run, shown: ShownRow, output: int) -> None:
    """Which leading reasons stay when little changes, in words and as a table; or the way to measure it."""
    st.subheader(say("How firm are the leading reasons?"), anchor=False, help=measures.help_text("robustness"))
    if shown.attribution is None:
        return
    certified = _certified(run, shown, output)
    asked = kept.toggle(
        "firm",
        say("Measure it now for this row"),
        help_text=say(
            "Explains copies of the row with slightly moved numbers, and the row against other backgrounds: at most "
            "{n} times each, for about {seconds:.0f} seconds.",
            n=_REPETITIONS,
            seconds=_SECONDS,
        ),
    )
    found = _measured(run, shown.row, output) if asked else certified
    if found is None:
        _not_measured(has_certificate=explain_access.certificate(run) is not None)
        return
    _told(found, shown)


def _not_measured(*, has_certificate: bool) -> None:
    if has_certificate:
        st.caption(say("The certificate of the run looked at other rows or outputs; this one can be measured now."))
    else:
        st.caption(say("Nothing was measured yet; switch it on to measure this row now."))


def _certified(run: Run, shown: ShownRow, output: int) -> RowRobustness | None:
    certificate = explain_access.certificate(run)
    if certificate is None or shown.attribution is None:
        return None
    logits, method = shown.masks.logits[0], shown.attribution.method
    return certified_robustness(certificate, run.targets, logits, shown.row, output, method)


def _measured(run: Run, row: int, output: int) -> RowRobustness | None:
    if explain_access.explainer(run) is None:
        return None
    parts = (f"{store.BACKGROUND}.parquet", f"{store.attribution_part(run)}.parquet")
    with st.spinner(say("Explaining the row again under slightly other conditions")):
        return _measured_once(explain_access.version(run, *parts), row, output, run)


@st.cache_resource(show_spinner=False, max_entries=128)
def _measured_once(digest: str, row: int, output: int, _run: Run) -> RowRobustness | None:  # noqa: ARG001 - its key
    loaded, table = explain_access.explainer(_run), explain_access.frame(_run)
    if loaded is None or table is None:
        return None
    with speaking(ENGLISH):
        return measured_robustness(
            loaded, _run.targets, table.iloc[[row]], row, output, n_repetitions=_REPETITIONS, seconds=_SECONDS
        )


def _told(found: RowRobustness, shown: ShownRow) -> None:
    method = None if shown.attribution is None else shown.attribution.method
    explain_widgets.bullets(robustness_sentences(found, method=method))
    if found.is_certified:
        st.caption(say("From the certificate of the run, which looked at some rows."))
    else:
        st.caption(say("Measured now, for this row alone; nothing of it is stored."))
    table = found.table()
    if not len(table):
        return
    table["cause"] = table["cause"].map(widgets.said)
    table["method"] = [say(METHOD_NAMES.get(name, name)) for name in table["method"]]
    share = {"min_value": 0, "max_value": 100, "format": "%.0f %%"}
    config = {
        "column": st.column_config.TextColumn(say("column")),
        "method": st.column_config.TextColumn(say("method")),
        "cause": st.column_config.TextColumn(say("what was changed")),
        "kept": st.column_config.ProgressColumn(say("still leading"), **share),
        "sign_kept": st.column_config.ProgressColumn(say("same direction"), **share),
        "repetitions": st.column_config.NumberColumn(say("repetitions"), format="%d"),
    }
    lines = explain_widgets.in_per_cent(table, "kept", "sign_kept")
    st.dataframe(lines, hide_index=True, column_config=config, key="reasons_table")
    explain_widgets.csv_button(say("Data as CSV"), table, name=f"reasons-row-{found.row}", key="reasons_csv")
