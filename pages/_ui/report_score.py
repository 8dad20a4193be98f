"""Whether a model reads a score about the person that was bought from others, and what must be told of it: a form."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import report_access, state, widgets
from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.data.schema import Role
from tabnet_engine.errors import UserError
from tabnet_engine.explain.wording import listed
from tabnet_engine.report.received_score import MOST_FACTORS, check_consumer_score, unstated_of_score
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

USES = {
    "": msg("Not stated"),
    "none": msg("The model reads no such score"),
    "column": msg("One column is such a score"),
}
_LONGEST = 1_000  # characters of one answer


def section(run: Run) -> None:
    """State it for one run; only columns of its table can be named."""
    stored = report_access.desk().consumer_score(run.run_id)
    key = _key(run, stored)
    with st.container(border=True):
        st.markdown(f"**{say('A score bought from others')}**")
        st.caption(
            say(
                "A score about a person that someone else made, such as one of a credit bureau. Where the model reads "
                "one, some profiles want it told with its range, date, provider and key factors."
            )
        )
        use = st.radio(
            say("A score bought from others"),
            list(USES),
            index=list(USES).index(stored.use),
            format_func=lambda key: say(USES[key]),
            key=f"{key}_use",
            horizontal=True,
            label_visibility="collapsed",
        )
        values = {"use": use, **(_of_column(run, stored, key) if use == "column" else {})}
        missing = unstated_of_score(stored)
        if missing:
            st.caption(say("Not stated yet: {what}. Some profiles ask for it.", what=widgets.md(listed(missing))))
        pressed = st.button(say("Save what is said of the score"), icon=":material/save:", key="save_score")
        if pressed:
            _save(run, values)


def _key(run: Run, stored: ConsumerScore) -> str:
    """Starts every field of its widgets: they begin anew with another run, and when another statement is stored."""
    return f"score_{run.run_id}_{zlib.crc32(repr(stored).encode()):08x}"


def _of_column(run: Run, stored: ConsumerScore, key: str) -> dict[str, Any]:
    """The fields about a score; their labels differ from all others of the page."""
    columns = [column.name for column in run.schema.columns if column.role is not Role.TARGET]
    left, right = st.columns(2)
    with left:
        column = _column(say("Column with the score"), list(run.schema.feature_names), stored.column, f"{key}_column")
        name = st.text_input(say("Name of the score"), stored.name, max_chars=_LONGEST, key=f"{key}_name").strip()
        low, high = st.columns(2)
        with low:
            lowest = st.number_input(say("Lowest possible score"), value=stored.lowest, key=f"{key}_lowest")
        with high:
            highest = st.number_input(say("Highest possible score"), value=stored.highest, key=f"{key}_highest")
    with right:
        date_column = _column(say("Column with its date"), columns, stored.date_column, f"{key}_date")
        provider = st.text_area(
            say("Provided by"),
            stored.provider,
            max_chars=_LONGEST,
            placeholder=say("Name, address and telephone, each on a line of its own."),
            height=110,
            key=f"{key}_provider",
        ).strip()
    factors = st.multiselect(
        say("Columns with its key factors"),
        columns,
        [factor for factor in stored.factor_columns if factor in columns],
        max_selections=max(MOST_FACTORS + 1, len(stored.factor_columns)),
        placeholder=say("Choose"),
        key=f"{key}_factors",
        help=say(
            "What counted against the person in this score, as its provider told it; the most important first. A "
            "report tells the first four that a row has."
        ),
    )
    inquiry_column = _column(
        say("Column that tells of inquiries"),
        columns,
        stored.inquiry_column,
        f"{key}_inquiries",
        say("Filled where the number of inquiries is a key factor too; a report tells it beside the four."),
    )
    return {
        "column": column,
        "name": name,
        "provider": provider,
        "lowest": lowest,
        "highest": highest,
        "date_column": date_column,
        "factor_columns": tuple(factors),
        "inquiry_column": inquiry_column,
    }


def _column(label: str, columns: list[str], stored: str, key: str, help_text: str | None = None) -> str:
    """One column of the table, or none."""
    index = columns.index(stored) if stored in columns else None
    return st.selectbox(label, columns, index, placeholder=say("Choose"), key=key, help=help_text) or ""


def _save(run: Run, values: dict[str, Any]) -> None:
    try:
        stated = ConsumerScore.from_mapping(values)
        check_consumer_score(stated, run.schema)
    except UserError as error:
        widgets.error(str(error))
        return
    report_access.desk().save_consumer_score(run.run_id, stated)
    state.notify("success", say("Saved; reports made from now on say it"))
    st.rerun()
