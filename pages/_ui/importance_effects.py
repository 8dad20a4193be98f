"""How the score moves with one column: its effect curves, what it acts together with, and the surface of a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import (
    effect_access,
    explain_access,
    explain_widgets,
    importance_column,
    importance_data,
    kept,
    row_filter,
    shell,
    widgets,
)
from pages._ui.job_panel import time_text
from pages._ui.measures import help_text
from tabnet_engine.explain.effects.curve import CURVE_NAMES, CurveMethod
from tabnet_engine.explain.effects.point_rows import condition_of_point
from tabnet_engine.explain.wording import column_name
from tabnet_engine.figures.effects import SurfacePart, effect_curve, interaction_bars, surface_map
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.explain.effects.curve import EffectCurve
    from tabnet_engine.explain.effects.interaction_result import Interactions
    from tabnet_engine.explain.effects.overview import EffectOverview
    from tabnet_engine.runs.run import Run

__all__ = ["section"]

_MEASURES: dict[CurveMethod, str] = {"pdp": "partial_dependence", "ale": "accumulated_effects"}
_PARTS: dict[SurfacePart, str] = {"joint": msg("Both together"), "interaction": msg("More than the sum of both")}
_AT_ONCE = 2.0  # seconds that a reader is let wait without being asked


def section(run: Run, output: int) -> None:
    """Choose a column; then its curves, the rows of one of its values, and its interactions."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = importance_column.choice(run, output, help_text=say("The column whose effect is drawn."))
        row_curves = kept.toggle(
            "ice", say("Curves of single rows"), default=True, help_text=say("Each grey line is one row.")
        )
    found = effect_access.curves(run, column)
    if found is None:
        explain_widgets.table_gone(run)
        return
    if not effect_access.is_stored(run, column):
        st.caption(say("This column is none of the leading ones, whose effects are stored; it was measured just now."))
    name, unit = run.targets.outputs[output], explain_widgets.unit(run, output)
    chosen = _curves(run, found, column, name, unit=unit, row_curves=row_curves)
    if chosen is not None:
        _rows_of_point(run, *chosen)
    _interactions(run, output, column)
    st.subheader(say("Where to go on"), anchor=False)
    importance_column.leads_on(run, column, on_effects=True)


def _curves(
    run: Run, found: EffectOverview, column: str, output: str, *, unit: str, row_curves: bool
) -> tuple[EffectCurve, int] | None:
    """Both curves side by side, each with what a reader must know of it; the curve and point that were chosen."""
    color = explain_access.colors(run).feature(column)
    drawn = [curve for method in CURVE_NAMES if (curve := found.curve(column, method)) is not None]
    point = _point(drawn[0]) if drawn else None
    for place, method in zip(st.columns(2), CURVE_NAMES, strict=True):
        curve = found.curve(column, method)
        with place:
            if curve is None:
                title = say(CURVE_NAMES[method])
                st.subheader(title[:1].upper() + title[1:], anchor=False, help=help_text(_MEASURES[method]))
                reason = found.why_not(column, method)
                widgets.info(reason or say("This curve was not measured; explain the run again to get it"))
                continue
            figure = effect_curve(
                curve,
                output,
                color=color,
                y=say("{unit} against its mean", unit=unit),
                row_curves=row_curves,
                chosen=point if curve is drawn[0] else None,
                beside=drawn,
            )
            _curve(figure, curve, output)
    return None if point is None else (drawn[0], point)


def _point(curve: EffectCurve) -> int | None:
    """The value whose rows are looked at; the keyboard's way to a click on the curve."""
    names = {"": say("none")} | {str(place): label for place, label in enumerate(curve.points.shown_labels)}
    chosen = kept.choice(
        "value",
        say("Mark a value"),
        names,
        help_text=say("Its place is marked on the curve, and the rows nearest to it can be opened."),
    )
    return int(chosen) if chosen else None


def _curve(figure: Any, curve: EffectCurve, output: str) -> None:
    widgets.chart(
        figure,
        key=f"effect_{curve.method}",
        alt=say(
            "{curve}: the effect of {column} on the score", curve=say(CURVE_NAMES[curve.method]), column=curve.feature
        ),
        data=lambda: curve.table(output),
    )
    first, *others = curve.sentences
    st.caption(widgets.md(first), help=help_text(_MEASURES[curve.method]))
    explain_widgets.bullets(others)


def _rows_of_point(run: Run, curve: EffectCurve, point: int) -> None:
    """How many rows of the table are nearest to the marked value, and the ways to them."""
    where = condition_of_point(curve.points, point, run.schema.column(curve.feature))
    found = row_filter.filter_of(run, where)
    if found is None:
        return
    st.markdown(
        say(
            "**{n_rows:,} rows of the table** are nearest to {value}: {condition}",
            n_rows=len(found.positions),
            value=widgets.md(curve.points.shown_labels[point]),
            condition=widgets.md(where),
        )
    )
    if not len(found.positions):
        return
    with st.container(horizontal=True, gap="medium"):
        ids = {"run": run.run_id, "where": where}
        shell.link("masks", say("What was read in these rows"), icon=":material/grid_on:", **ids)
        shell.link("decision", say("The decisions on these rows"), icon=":material/arrow_forward:", **ids)


def _interactions(run: Run, output: int, column: str) -> None:
    """The columns that it acts together with, measured at once where that is quick, and the surface of one pair."""
    st.subheader(say("Acting together with other columns"), anchor=False, help=help_text("interaction"))
    ranked = importance_data.ranked_columns(run, output)
    if len(ranked) < 2:
        widgets.info(say("The model reads a single column, so there is none to act together with"))
        return
    found = _measured(run, column, ranked)
    if found is None:
        return
    name, unit = run.targets.outputs[output], explain_widgets.unit(run, output)
    partners = _partners(found, name, column)
    left, right = st.columns(2)
    with left:
        color = explain_access.colors(run).feature(column)
        figure = interaction_bars(found, name, column, color=color, x=unit)
        selection = widgets.selectable(
            figure,
            key="interactions",
            alt=say("How strongly {column} acts together with {others}", column=column, others=", ".join(partners)),
            modes=("points",),
            data=lambda: found.table(name),
        )
        importance_column.picked(selection, partners, key="interactions", name="with")
        st.caption(widgets.md(found.note))
    with right:
        _surface(run, column, partners, name, unit)
    strongest = next(int(pair) for pair in found.ranked(name) if column in found.pairs[int(pair)])
    st.markdown(widgets.md(found.sentence(strongest, name)))


def _partners(found: Interactions, output: str, column: str) -> list[str]:
    """The other columns of the pairs, the strongest first."""
    pairs = [found.pairs[int(pair)] for pair in found.ranked(output) if column in found.pairs[int(pair)]]
    return [second if first == column else first for first, second in pairs]


def _measured(run: Run, column: str, ranked: tuple[str, ...]) -> Interactions | None:
    """Stored pairs of the column, else measured now: at once where it is quick, else when asked to."""
    partners = effect_access.partners(column, ranked)
    known = effect_access.known_interactions(run, column, partners)
    if known is not None:
        return known
    seconds = effect_access.seconds(run, len(partners))
    if seconds is None:
        widgets.info(say("Interactions are measured on the held-out rows, which this workspace no longer has"))
        return None
    if seconds > _AT_ONCE:
        st.write(
            say(
                "{column} has not been measured with other columns yet. With the {n:,} most important ones it takes "
                "about {time}; the page waits meanwhile.",
                column=widgets.md(column_name(column, start=True)),
                n=len(partners),
                time=time_text(seconds),
            )
        )
        if not st.button(say("Measure it now"), icon=":material/play_arrow:", key=f"interactions_{column}"):
            return None
    return effect_access.measured_interactions(run, column, partners)


def _surface(run: Run, column: str, partners: list[str], output: str, unit: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        partner = kept.choice(
            "with",
            say("Together with"),
            {name: name for name in partners},
            help_text=say("The strongest first; a click on a bar chooses it too."),
        )
        part = kept.tabs("part", say("What the cells show"), {key: say(text) for key, text in _PARTS.items()})
    surface = effect_access.surface(run, (column, partner))
    if surface is None:
        return
    shown: SurfacePart = "interaction" if part == "interaction" else "joint"
    widgets.chart(
        surface_map(surface, output, part=shown, unit=unit),
        key="surface",
        alt=say("Effect of {first} and {second} together", first=column, second=partner),
        data=lambda: surface.table(output),
    )
    st.caption(widgets.md(surface.note))
