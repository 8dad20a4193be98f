"""The archives of batches: what is in each, to take away, and to delete after a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, guard, kept, report_access, state, widgets
from pages._ui.report_words import KINDS
from tabnet_engine.report.dates import moment_words
from tabnet_engine.runs.parts import is_regular_file
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.report.batch_record import BatchRecord

__all__ = ["MOST", "history", "show"]

MOST = 20  # that are listed
_UNITS = ("B", "KB", "MB", "GB")


def history() -> None:
    """Every archive of the workspace, newest first, of the run and the kind that are chosen."""
    everything = report_access.register().batches.list()
    if not everything:
        widgets.info(say("No archive was made yet; make one under New report, for several rows"))
        return
    found = _filtered(everything)
    if not found:
        st.caption(say("No archive is of this kind; choose another filter."))
        return
    if len(found) > MOST:
        st.caption(
            say("The newest {n_listed:,} of {n_found:,} archives; filter to see others.",
                n_listed=MOST, n_found=len(found))
        )  # fmt: skip
    else:
        st.caption(say_plural("{count} archive.", "{count:,} archives.", len(found)))
    for record in found[:MOST]:
        show(record, names_run=True)


def _filtered(everything: Sequence[BatchRecord]) -> list[BatchRecord]:
    titles = data_access.run_names()
    runs = {record.run_id: titles.get(record.run_id, record.run_title) for record in everything}
    kinds = {record.kind: say(KINDS[record.kind]) for record in everything if record.kind in KINDS}
    every = {"": say("all")}
    left, right = st.columns(2)
    with left:
        run_id = kept.choice("of", say("Run"), every | runs)
    with right:
        kind = kept.choice("of_kind", say("Kind"), every | kinds)
    return [record for record in everything if run_id in ("", record.run_id) and kind in ("", record.kind)]


def show(record: BatchRecord, *, names_run: bool = False) -> None:
    """One archive: what it holds, and what can be done with it.

    Args:
        record: of the archive.
        names_run: whether the run is not plain from the place where it is shown.
    """
    with st.container(border=True):
        kind = say(KINDS[record.kind]) if record.kind in KINDS else record.kind
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{widgets.md(kind)}** · {widgets.md(moment_words(record.created))}")
            st.markdown(widgets.md(_counts(record)))
        profile = report_access.profile_title(record.profile)
        st.caption(widgets.md(f"{record.run_title} · {profile}" if names_run else profile))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _take_away(record)
            _delete(record)


def _take_away(record: BatchRecord) -> None:
    if not is_regular_file(record.archive):
        widgets.error(say("The archive is gone from its folder; restore it from a copy, or delete what is left of it"))
        return
    st.download_button(
        say("Download"),
        data=record.archive.read_bytes,
        file_name=f"{record.batch_id}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        key=f"batch_{record.name}",
        help=say("SHA-256 {digest}", digest=record.sha256),
    )
    st.caption(_size(record.archive.stat().st_size))


def _delete(record: BatchRecord) -> None:
    with st.popover(say("Delete"), icon=":material/delete:"):
        st.markdown(say("Delete this archive with all its reports? The log keeps that it was there and what it held."))
        pressed = st.button(say("Delete this archive"), key=f"delete_{record.name}", type="primary")
        with guard.sentences():
            if pressed:
                report_access.register().batches.delete(record.name)
                state.notify("success", say("The archive was deleted"))
                st.rerun()


def _counts(record: BatchRecord) -> str:
    """How many reports there are, and how many are blocked or could not be made."""
    made = say_plural("{count} report", "{count:,} reports", record.n_made + record.n_blocked)
    places = {"made": made, "n_blocked": record.n_blocked, "n_refused": record.n_refused}
    if record.n_blocked and record.n_refused:
        return say("{made}, {n_blocked:,} of them blocked; {n_refused:,} rows without one", **places)
    if record.n_blocked:
        return say("{made}, {n_blocked:,} of them blocked", **places)
    return say("{made}; {n_refused:,} rows without one", **places) if record.n_refused else made


def _size(n_bytes: int) -> str:
    """The size of a file in the unit that suits it, of 1,000 each."""
    size, place = float(n_bytes), 0
    while size >= 1000 and place < len(_UNITS) - 1:
        size, place = size / 1000, place + 1
    return f"{size:.3g} {_UNITS[place]}"
