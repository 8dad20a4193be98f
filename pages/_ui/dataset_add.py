"""The ways to bring a table: a file or a sample. Each upload is handled exactly once."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages._ui import data_access, intake, state, widgets
from tabnet_engine.data.samples import SAMPLES
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.texts.speaking import msg, say

__all__ = ["sources"]

_UPLOAD = "upload"
_FORMATS = msg("CSV or TSV in any common encoding, Parquet, Excel, JSON lines; plain or compressed.")


def sources() -> str | None:
    """Draw uploader and samples; return the id of a table that was just added.

    The uploader is replaced by an empty one after each file, good or bad: a rerun never reads it twice.
    """
    file_column, sample_column = st.columns([3, 2], gap="large")
    with file_column:
        upload = st.file_uploader(
            say("Upload a table"), key=f"{_UPLOAD}_{state.token(_UPLOAD)}", help=say(_FORMATS), max_upload_size=1024
        )
        st.caption(say(_FORMATS))
    with sample_column:
        sample = _sample_buttons()
    if upload is not None:
        state.fresh_token(_UPLOAD)
        return _add(upload.name, lambda: intake.add_file(upload.name, upload))
    if sample is not None:
        return _add(sample, lambda: intake.add_sample(sample))
    return None


def _sample_buttons() -> str | None:
    st.markdown(say("Or start with a sample"))
    chosen = None
    for sample in SAMPLES:
        if st.button(
            widgets.said(sample.title),
            key=f"sample_{sample.name}",
            icon=":material/dataset:",
            width="stretch",
            help=widgets.said(sample.description),
        ):
            chosen = sample.name
    return chosen


def _add(name: str, read: Callable[[], str]) -> str | None:
    before = data_access.dataset_names()
    try:
        with st.spinner(say("Reading {name}", name=widgets.md(name))):
            dataset_id = read()
    except (UserError, StorageError) as error:
        state.notify("error", str(error))
        st.rerun()
    if dataset_id in before:
        state.notify("info", say("“{name}” was here already; nothing was added", name=name))
    state.choose("dataset", dataset_id)
    return dataset_id
