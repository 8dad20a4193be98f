"""Importance by class, by slice and by the values of a column, with sizes, intervals and what stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import (
    explain_access,
    explain_widgets,
    importance_column,
    importance_data,
    importance_divisions,
    kept,
    shell,
    widgets,
)
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.effects.slices import SlicedImportance, importance_by_parts, importance_of_parts
from tabnet_engine.explain.wording import listed
from tabnet_engine.figures.identity import CLASS_COLORS
from tabnet_engine.figures.importance_parts import MOST_PARTS, part_dots
from tabnet_engine.texts.speaking import language, say, say_plural

if TYPE_CHECKING:
    from pages._ui.importance_divisions import Division
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_MOST_SENTENCES = 12
_THIN = 10  # rows: an importance of fewer is flagged


def section(run: Run, output: int) -> None:
    """Choose a method and a division of the rows; then one mark for each part in each column's line."""
    methods = importance_data.row_methods(run)
    if not methods:
        widgets.info(say("This run stores no values row by row; explain it again to divide its rows"))
        return
    compared = importance_data.comparison(run, output)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        division_kind = importance_divisions.kind()
        offered = [*methods, *(["permutation"] if _has_classes(run, output, division_kind) else [])]
        method = kept.choice(
            "method",
            say("Importance by"),
            {name: compared.of(name).name for name in offered if name in compared.names},
            help_text=say("Whose importances are compared from part to part."),
        )
    if method == "permutation":
        sliced = _permuted(run, output)
    else:
        division = importance_divisions.chosen(run, output, division_kind, method)
        if division is None:
            return
        with st.spinner(say("Dividing the rows")):
            sliced = _sliced(importance_data.digest(run), method, output, division.key, language(), run, division)
    _draw(run, output, sliced, method=method)


def _has_classes(run: Run, output: int, kind: str) -> bool:
    """Whether permutation importance was measured on each class by itself, which it is by what really came."""
    codec = explain_widgets.target_of(run, output)[0]
    return kind == "actual" and bool(codec.classes) and importance_data.permutation(run) is not None


@st.cache_resource(show_spinner=False, max_entries=32)
def _sliced(
    version: str,  # noqa: ARG001 - with the next four the cache's key
    method: str,
    output: int,
    division: str,  # noqa: ARG001 - as above
    spoken: str,  # noqa: ARG001 - names of parts are in the reader's language
    _run: Run,
    _division: Division,
) -> SlicedImportance:
    masks = explain_access.masks(_run) if method == "masks" else None
    source = importance_data.values_of(_run, method, output) if masks is None else masks
    return importance_by_parts(source, _division.parts)


def _permuted(run: Run, output: int) -> SlicedImportance:
    """Permutation importance of each class, as it was stored."""
    measured = importance_data.permutation(run)
    codec = explain_widgets.target_of(run, output)[0]
    if measured is None:
        raise ExplanationError("permutation importance was not measured for this run; explain it again")
    parts = [part for part in measured.parts if part.startswith(f"{codec.name} = ")]
    named = {part.removeprefix(f"{codec.name} = "): measured.importance(codec.name, part) for part in parts}
    return importance_of_parts(measured.importance(codec.name), named)


def _draw(run: Run, output: int, sliced: SlicedImportance, *, method: str) -> None:
    names = list(sliced.parts)
    largest = sorted(names, key=lambda name: -sliced.parts[name].n_rows)[:MOST_PARTS]
    shown = [name for name in names if name in largest]
    if len(names) > MOST_PARTS:
        shown = kept.several("parts", say("Parts that are drawn"), names, default=shown)[:MOST_PARTS]
        st.caption(
            say(
                "At most {most} of {n_parts:,} parts are drawn together; the table below has all.",
                most=MOST_PARTS,
                n_parts=len(names),
            )
        )
    codec = explain_widgets.target_of(run, output)[0]
    scheme = explain_access.colors(run, codec.name)
    colors = [
        scheme.of_class(name) if name in codec.classes else CLASS_COLORS[names.index(name) % len(CLASS_COLORS)]
        for name in shown
    ]
    figure = part_dots(
        sliced,
        shown,
        colors,
        title=say("Importance by {method}, part by part", method=sliced.whole.name),
        x=_axis(run, output, method),
        subtitle=say("marks with 95 % intervals; the grey bar is all {n_rows:,} rows", n_rows=sliced.whole.n_rows),
    )
    alt = say("Importance of each column in {parts}", parts=listed(list(shown)))
    widgets.chart(figure, key="part_dots", alt=alt, data=lambda: sliced.table)
    _words(sliced, compares=method != "permutation")
    st.caption(widgets.md(sliced.whole.note))
    _details(run, output, sliced)


def _axis(run: Run, output: int, method: str) -> str:
    if method == "masks":
        return say("share of the reading, %")
    if method == "permutation":
        return say("how much larger the loss becomes")
    return say("mean |value|, {unit}", unit=explain_widgets.unit(run, output))


def _words(sliced: SlicedImportance, *, compares: bool) -> None:
    """What stands out in each part, and which parts are too small to say much."""
    if compares and len(sliced.parts) > 1:
        st.subheader(
            say("What stands out"),
            anchor=False,
            help=say(
                "Columns whose importance in a part differs from that in the other rows by more than its 95 % "
                "interval. With many columns about one in twenty does so by chance."
            ),
        )
        explain_widgets.bullets([sliced.sentence(name) for name in list(sliced.parts)[:_MOST_SENTENCES]])
        if len(sliced.parts) > _MOST_SENTENCES:
            st.caption(say("The first {n:,} of {n_parts:,} parts.", n=_MOST_SENTENCES, n_parts=len(sliced.parts)))
    elif compares:
        explain_widgets.bullets([sliced.sentence(name) for name in sliced.parts])
    thin = [name for name, part in sliced.parts.items() if part.n_rows < _THIN]
    if thin:
        text = say_plural(
            "{count} part has fewer than {least} rows and says little: {names}",
            "{count:,} parts have fewer than {least} rows and say little: {names}",
            len(thin),
            least=_THIN,
            names=", ".join(thin[:MOST_PARTS]),
        )
        widgets.info(text)


def _details(run: Run, output: int, sliced: SlicedImportance) -> None:
    """The numbers of one column in every part, and the ways on from it."""
    st.subheader(say("One column in every part"), anchor=False)
    column = importance_column.choice(run, output, help_text=say("Its importance in each part, with its interval."))
    st.dataframe(sliced.column_table(column), hide_index=True, key="parts_table")
    where = importance_divisions.asked_condition()
    importance_column.leads_on(run, column, where=where)
    if where:
        shell.link(
            "decision",
            say("The decisions on these rows"),
            icon=":material/arrow_forward:",
            run=run.run_id,
            where=where,
        )
