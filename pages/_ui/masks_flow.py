"""What was read first and what then: the flow from step to step, and the paths that rows take most."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages._ui import explain_access, explain_widgets, kept, masks_access, masks_list, measures, widgets
from pages._ui.masks_rows import ShownRows
from tabnet_engine.explain.mask_flow import flow_sentences, path_table
from tabnet_engine.figures.flow import reading_flow_figure
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["section"]

_MOST_COLUMNS, _USUAL_COLUMNS = 12, 6
_MOST_PATHS = 12


def section(shown: ShownRows, output: int) -> None:
    """The flow of the shown rows, the most frequent paths, and the rows of one of them."""
    n_features = len(shown.explanation.features)
    st.subheader(say("From step to step"), anchor=False, help=measures.help_text("reading_flow"))
    n_columns = min(_USUAL_COLUMNS, n_features)
    if n_features > 2:
        n_columns = kept.number(
            "columns",
            say("Columns named"),
            2,
            min(_MOST_COLUMNS, n_features),
            default=n_columns,
            help_text=say("The columns read most; all others are drawn as one."),
        )
    flow = masks_access.flow(shown, n_columns)
    widgets.chart(
        reading_flow_figure(flow, explain_access.colors(shown.run)),
        key="reading_flow",
        alt=say("Flow of the reading from step to step, by column"),
        data=flow.table,
    )
    explain_widgets.bullets(flow_sentences(flow))
    _paths(shown, output)


def _paths(shown: ShownRows, output: int) -> None:
    """The paths that most rows take, by the column that each step reads most."""
    st.subheader(say("The most frequent paths"), anchor=False, help=measures.help_text("leading_path"))
    paths = masks_access.paths(shown)
    n_paths = len(paths.counts)
    told = min(n_paths, _MOST_PATHS)
    st.caption(
        say_plural(
            "By the column that each step reads most there is {count} path in these rows.",
            "By the column that each step reads most there are {count:,} paths in these rows; the {n_told} most "
            "frequent ones are listed, which {share:.0f} % of the rows take.",
            n_paths,
            n_told=told,
            share=100 * float(paths.shares[:told].sum()),
        )
    )
    table = explain_widgets.in_per_cent(path_table(paths, limit=_MOST_PATHS), "share")
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            **{name: widgets.said(name) for name in table if name.startswith("step ")},
            "rows": say("rows"),
            "share": explain_widgets.share_column(label=say("share")),
        },
        height=widgets.table_height(len(table)),
        key="paths",
    )
    names = {"none": say("none"), **{str(place + 1): paths.names[place] for place in range(told)}}
    chosen = kept.choice("path", say("Rows of the path"), names, help_text=say("Lists the rows that take it."))
    if chosen == "none":
        return
    members = np.flatnonzero(paths.codes == int(chosen) - 1)
    positions = members if shown.positions is None else shown.positions[members]
    masks_list.rows_below(shown, positions, output, key="path_rows")
