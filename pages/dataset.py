"""Tables: bring one, check how it was read, say what its columns are and what is predicted."""

import streamlit as st

from pages._ui import (
    data_access,
    dataset_add,
    dataset_columns,
    dataset_head,
    dataset_preview,
    dataset_profile,
    dataset_reading,
    dataset_target,
    guard,
    kept,
)
from tabnet_engine.data.reading.options import ReadOptions
from tabnet_engine.texts.speaking import msg, say

VIEWS = {
    "Preview": msg("Preview"),
    "Columns": msg("Columns"),
    "Profile": msg("Profile"),
    "Reading": msg("Reading"),
}


def main() -> None:
    """Choose a table, then show the view that the address asks for."""
    dataset_id = dataset_head.choose()
    if dataset_id is None:
        with st.container(border=True):
            if dataset_add.sources():
                st.rerun()
        return
    info = data_access.workspace().dataset(dataset_id)
    schema = data_access.schema(dataset_id)
    dataset_head.facts(info, schema)
    schema = dataset_target.target_controls(dataset_id, schema)
    dataset_head.next_step(dataset_id, schema)
    view = kept.tabs("view", say("View"), {key: say(name) for key, name in VIEWS.items()})
    if schema.target is not None and view != "Profile":
        dataset_profile.serious_warnings(data_access.profile(dataset_id, schema), dataset_id)
    if view == "Preview":
        dataset_preview.preview(dataset_id, info.notes)
    elif view == "Columns":
        dataset_columns.columns_editor(dataset_id, schema, data_access.profile(dataset_id, schema))
    elif view == "Profile":
        dataset_profile.profile_view(data_access.profile(dataset_id, schema), dataset_id)
    else:
        dataset_reading.reading(dataset_id, ReadOptions.from_mapping(info.options))


with guard.page(msg("Tables"), msg("Bring a table, check how it was read, and say which column is to be predicted.")):
    main()
