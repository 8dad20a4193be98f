"""Building blocks of the explaining pages: which output, which words, tables that lead on to a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import explain_access, shell, state, widgets
from tabnet_engine.explain.reading import Score
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.explain.estimates import Estimate
    from tabnet_engine.runs.run import Run

__all__ = [
    "bullets",
    "csv_button",
    "estimate_text",
    "in_per_cent",
    "output_choice",
    "row_table",
    "score",
    "share_column",
    "share_text",
    "table_gone",
    "target_of",
    "unit",
]

_MOST_TABLE_ROWS = 500  # a selectable table is sent whole with every click


def target_of(run: Run, output: int) -> tuple[TargetCodec, slice]:
    """The target that one of all outputs belongs to, and where that target's logits lie among them."""
    return run.targets.of(run.targets.owner(output)[0].name)


def score(run: Run, output: int) -> Score:
    """What one output is called in a sentence."""
    return Score.of_output(run.targets, output)


def unit(run: Run, output: int) -> str:
    """What one output is called on an axis: "log-odds of >50K"; the target with its unit for a regression."""
    name = target_of(run, output)[0].name
    target = next((column for column in run.schema.columns if column.name == name), None)
    suffix = f" ({target.unit})" if target and target.unit else ""
    return f"{score(run, output).name.removeprefix('the ')}{suffix}"


def estimate_text(estimate: Estimate, show: Callable[[float], str] = widgets.number) -> str:
    """A measured number with its 95 % interval where it has one, each as ``show`` writes it."""
    if estimate.value is None:
        return say("not known")
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return say(
        "{value} ({low} to {high})", value=show(estimate.value), low=show(estimate.low), high=show(estimate.high)
    )


def output_choice(run: Run, *, help_text: str, default: int = 0) -> int:
    """Which output is explained; asked only where there is more than one.

    Args:
        run: the run.
        help_text: what the choice changes on this page.
        default: the output to start with, until the user has chosen one.
    """
    names = {str(index): name for index, name in enumerate(run.targets.outputs)}
    if len(names) == 1:
        return 0
    current = state.current("class")
    shown = current if current in names else str(default)
    label = say("Output") if len(run.targets.names) > 1 else say("Class")
    chosen = widgets.choice(label, names, shown, key="explained_class", help_text=help_text)
    if chosen != shown:
        state.choose("class", chosen)
    return int(chosen)


def bullets(sentences: Sequence[str], *, are_said: bool = False) -> None:
    """Whole sentences, one line each; they may start with a column's name, which keeps its letters.

    Args:
        sentences: in English, or in the reader's language.
        are_said: whether they surely are in the reader's language: nothing in them is looked for again, so that a
            name such as "missing, other" stays as it is.
    """
    if sentences:
        texts = sentences if are_said else map(widgets.said, sentences)
        st.markdown("\n".join(f"- {widgets.md(text)}" for text in texts))


def csv_button(label: str, table: pd.DataFrame, *, name: str, key: str) -> None:
    """Download a table as CSV that no spreadsheet takes for formulas."""
    from tabnet_engine.data.export import safe_csv

    st.download_button(
        label,
        data=lambda: safe_csv(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def share_column(help_text: str | None = None, *, label: str | None = None) -> Any:
    """How a column of shares that :func:`in_per_cent` prepared is drawn: a bar and "5.9 %", as texts say it."""
    return st.column_config.ProgressColumn(label, min_value=0, max_value=100, format="%.1f %%", help=help_text)


def share_text(share: float) -> str:
    """A share in cells and figures of a table, with one decimal; sentences round it by ``wording.percent``."""
    return f"{share:.1%}".replace("%", " %")


def in_per_cent(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The table with some of its columns, where it has them, in per cent."""
    return table.assign(**{name: 100 * table[name] for name in names if name in table})


def row_table(table: pd.DataFrame, run_id: str, *, key: str, config: dict[str, Any] | None = None) -> None:
    """Rows of the table to choose from; the chosen one opens on the page of one decision.

    Args:
        table: has a column "row" with row numbers.
        run_id: the run that explains them.
        key: unique on the page.
        config: Streamlit column settings by name.
    """
    shown = table.head(_MOST_TABLE_ROWS)
    if len(shown) < len(table):
        st.caption(
            say(
                "The first {n_shown:,} of {n_rows:,} rows; the download has all of them.",
                n_shown=len(shown),
                n_rows=len(table),
            )
        )
    formats: dict[str, Any] = {
        "row": st.column_config.Column(say("row")),
        "part": st.column_config.Column(say("part")),
        "probability": share_column(label=say("probability")),
        "error": st.column_config.NumberColumn(say("error"), format="%.3g"),
    }
    for name, label in {"predicted": say("predicted"), "actual": say("actual")}.items():
        is_number = name in shown and shown[name].dtype.kind == "f"
        formats[name] = st.column_config.NumberColumn(label, format="%.4g") if is_number else label
    event = st.dataframe(
        in_per_cent(shown, "probability", "shared"),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config=formats | (config or {}),
        height=widgets.table_height(len(shown), 320),
        key=key,
    )
    chosen = event.selection.rows
    if chosen:
        row = int(shown["row"].iloc[chosen[0]])
        shell.link(
            "decision",
            say("Open the decision on row {row:,}", row=row),
            icon=":material/arrow_forward:",
            run=run_id,
            row=str(row),
        )
    else:
        st.caption(say("Tick a row to open its decision."))


def table_gone(run: Run) -> None:
    """Say that the run's own table is not in this workspace any more, and what still works."""
    if explain_access.imported(run):
        widgets.info(say(explain_access.NO_TABLE))
        return
    name = widgets.md(run.manifest.dataset.name)
    st.info(
        say(
            "The table **{name}** that this run was trained on is not in this workspace any more. "
            "Masks and SHAP values of all rows can still be seen; single rows, outcomes and filters "
            "need the table. Add the same file again to get them back.",
            name=name,
        ),
        icon=":material/table_chart:",
    )
