"""What can be done with a run: rename, take away as a zip, delete after a confirmation."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, state, widgets
from tabnet_engine.runs.manifest import MANIFEST
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["archive", "delete_button", "run_actions"]


def run_actions(run: Run) -> None:
    """Rename, download and delete, side by side."""
    with st.container(horizontal=True, gap="small"):
        _rename(run)
        st.download_button(
            say("Download"),
            data=lambda: archive(run),
            file_name=f"{_file_name(run.manifest.title)}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            help=say("The whole run folder: weights, settings, schema, history, splits, explanations."),
        )
        delete_button(run.run_id, run.manifest.title)


def archive(run: Run) -> bytes:
    """The run folder as a zip: the manifest and every part it lists, each compared with its hash.

    Raises:
        DamagedRunError: a part is missing or was changed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"{run.run_id}/{MANIFEST}", (run.folder / MANIFEST).read_bytes())
        for name in run.manifest.parts:
            packed.writestr(f"{run.run_id}/{name}", run.read(name))
    return buffer.getvalue()


def _rename(run: Run) -> None:
    # Named by a token, so that it folds again once the title was saved.
    box = st.popover(say("Rename"), icon=":material/edit:", key=f"rename_box_{state.token('rename')}")
    with box, st.form(f"rename_{run.run_id}", border=False):
        title = st.text_input(say("Title"), run.manifest.title, max_chars=200)
        if st.form_submit_button(say("Save the title")):
            data_access.workspace().rename_run(run.run_id, title)
            state.fresh_token("rename")
            state.notify("success", say("The title was saved"))
            st.rerun()


def delete_button(run_id: str, title: str) -> None:
    """Delete a run, sound or damaged, after a second click."""
    with st.popover(say("Delete"), icon=":material/delete:"):
        st.markdown(
            say("Delete the run **{title}** with its explanations? This cannot be undone.", title=widgets.md(title))
        )
        if st.button(say("Delete this run"), key=f"delete_{run_id}", type="primary"):
            data_access.workspace().delete_run(run_id)
            state.clear("run", "row")
            state.notify("success", say("The run ‘{title}’ was deleted", title=title))
            st.rerun()


def _file_name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:80] or "run"
