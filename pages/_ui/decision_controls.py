"""A control for one cell of a row, by its column's kind: what it offers is what the training rows hold."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import widgets
from pages._ui.labels import label
from tabnet_engine.data.schema import CATEGORICAL, Kind
from tabnet_engine.data.values import category_text
from tabnet_engine.explain.what_if import shown_text
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from pages._ui.decision_changes import Changes
    from tabnet_engine.explain.counterfactual.space import PlainValue
    from tabnet_engine.explain.training_values import TrainingValues

__all__ = ["control"]

_MISSING = "missing"  # the key of an empty cell in a choice; categories start with another sign
_SLIDER_WIDTH, _ENTRY_WIDTH = 190, 150  # pixels; side by side on a narrow screen too
_LARGEST_WHOLE = 2**53 - 1  # what a browser still counts exactly
_EARLIEST, _LATEST = dt.date(1, 1, 1), dt.date(9999, 12, 31)


def control(seen: TrainingValues, changes: Changes, *, key: str) -> None:
    """Draw the control of one column; what it is moved to becomes a change of the row.

    Args:
        seen: the column with what the training rows hold.
        changes: of the row.
        key: unique on the page.
    """
    name = seen.column.name
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            held = seen.range_words
            st.markdown(_heading(seen, changes), help=widgets.md(held) if held else None)
            if changes.is_changed(name):
                st.button(
                    say("Reset"),
                    key=f"{key}_reset",
                    icon=":material/undo:",
                    type="tertiary",
                    help=say("Back to {value}", value=widgets.md(_own_text(changes, name))),
                    on_click=changes.reset,
                    args=(name,),
                )
        if seen.column.kind in CATEGORICAL:
            _category(seen, changes, key)
        else:
            _ordered(seen, changes, key)
        outside = seen.outside(changes.value(name)) if changes.is_changed(name) else ""
        if outside:
            st.caption(f":material/warning: {say('not among the training rows')}")


def _heading(seen: TrainingValues, changes: Changes) -> str:
    name, unit = widgets.md(seen.column.name), seen.column.unit
    shown = f"**{name}** ({widgets.md(unit)})" if unit else f"**{name}**"
    if not changes.is_changed(seen.column.name):
        return shown
    return f"{shown} · {widgets.md(say('was {value}', value=_own_text(changes, seen.column.name)))}"


def _own_text(changes: Changes, name: str) -> str:
    return shown_text(changes.own(name))


def _category(seen: TrainingValues, changes: Changes, key: str) -> None:
    name = seen.column.name
    own, current = changes.own(name), changes.value(name)
    words = {f"={text}": _counted(text, count) for text, count in seen.choices}
    if own is not None and _code(own) not in words:
        words[_code(own)] = say("{value} (this row’s own, never seen in training)", value=category_text(own))
    words[_MISSING] = say_plural(
        "missing (as in {count} training row)", "missing (as in {count:,} training rows)", seen.n_missing
    )
    shown = f"{key}_choice"
    _set(shown, _code(current))
    st.selectbox(
        label(name),
        list(words),
        format_func=lambda code: words.get(code, code),
        key=shown,
        label_visibility="collapsed",
        on_change=changes.taker(name, shown, _from_code(own)),
    )


def _counted(text: str, count: int) -> str:
    return say_plural("{value} ({count} training row)", "{value} ({count:,} training rows)", count, value=text)


def _code(value: PlainValue) -> str:
    return _MISSING if value is None else f"={category_text(value)}"


def _from_code(own: PlainValue) -> Any:
    """From the key of a choice back to the cell; the row's own keeps its type."""

    def read(code: str) -> PlainValue:
        return None if code == _MISSING else own if code == _code(own) else code[1:]

    return read


def _ordered(seen: TrainingValues, changes: Changes, key: str) -> None:
    """Number or date, and a box that leaves the cell empty."""
    name = seen.column.name
    current = changes.value(name)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if seen.column.kind is Kind.DATETIME:
            _date(seen, changes, key, disabled=current is None)
        else:
            _number(seen, changes, key, disabled=current is None)
        _empty_box(seen, changes, key)


def _empty_box(seen: TrainingValues, changes: Changes, key: str) -> None:
    box = f"{key}_missing"
    _set(box, changes.value(seen.column.name) is None)
    back = _present(seen, changes)
    st.checkbox(
        say("missing"),
        key=box,
        width="content",
        help=say_plural(
            "The cell is left empty, as in {count} training row.",
            "The cell is left empty, as in {count:,} training rows.",
            seen.n_missing,
        ),
        on_change=changes.taker(seen.column.name, box, lambda empty: None if empty else back),
    )


def _number(seen: TrainingValues, changes: Changes, key: str, *, disabled: bool) -> None:
    name, value = seen.column.name, _as_number(_present(seen, changes))
    low, high = seen.low, seen.high
    largest = max(abs(number) for number in (value, low or 0.0, high or 0.0))
    kind: Any = int if seen.column.integer and value.is_integer() and largest <= _LARGEST_WHOLE else float
    step = kind(max(seen.step, 1) if kind is int else seen.step)
    texts = "%d" if kind is int else f"%.{min(seen.decimals, 12)}f"
    if low is not None and high is not None and kind(low) < kind(high):
        slider = f"{key}_slider_{kind.__name__}"
        _set(slider, kind(min(max(value, low), high)))
        st.slider(
            say("{column} by slider", column=label(name)),
            kind(low),
            kind(high),
            step=step,
            format=texts,
            key=slider,
            label_visibility="collapsed",
            disabled=disabled,
            width=_SLIDER_WIDTH,
            on_change=changes.taker(name, slider, _plain_number),
        )
    entry = f"{key}_entry_{kind.__name__}"
    _set(entry, kind(value))
    st.number_input(
        say("{column} as a number", column=label(name)),
        step=step,
        format=texts,
        key=entry,
        label_visibility="collapsed",
        disabled=disabled,
        width=_ENTRY_WIDTH,
        on_change=changes.taker(name, entry, _plain_number),
    )


def _plain_number(value: float | None) -> PlainValue:
    return value


def _date(seen: TrainingValues, changes: Changes, key: str, *, disabled: bool) -> None:
    name, value = seen.column.name, _as_moment(_present(seen, changes))
    entry = f"{key}_date"
    shown: Any = value.date() if seen.whole_days and value.time() == dt.time() else value
    spoken = say("{column} as a date", column=label(name))
    _set(entry, shown)
    if isinstance(shown, dt.datetime):
        st.datetime_input(
            spoken, key=entry, min_value=dt.datetime.combine(_EARLIEST, dt.time()),
            max_value=dt.datetime.combine(_LATEST, dt.time()), label_visibility="collapsed", disabled=disabled,
            width=_SLIDER_WIDTH, on_change=changes.taker(name, entry, _plain_moment),
        )  # fmt: skip
        return
    st.date_input(
        spoken, key=entry, min_value=_EARLIEST, max_value=_LATEST, format="YYYY-MM-DD", label_visibility="collapsed",
        disabled=disabled, width=_SLIDER_WIDTH, on_change=changes.taker(name, entry, _plain_moment),
    )  # fmt: skip


def _plain_moment(value: Any) -> PlainValue:
    if value is None:
        return None
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return category_text(moment)


def _present(seen: TrainingValues, changes: Changes) -> PlainValue:
    """The cell that a control stands on where the changed one is empty: the row's own, else a usual one."""
    for value in (changes.value(seen.column.name), changes.own(seen.column.name)):
        if value is not None:
            return value
    middle = seen.middle if seen.middle is not None else 0.0
    return seen.text(middle) if seen.column.kind is Kind.DATETIME else _whole(middle, seen)


def _whole(number: float, seen: TrainingValues) -> PlainValue:
    return int(number) if seen.column.integer and number.is_integer() else number


def _as_number(value: PlainValue) -> float:
    number = float(value) if value is not None else 0.0
    return number if math.isfinite(number) else 0.0


def _as_moment(value: PlainValue) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:  # beyond the years that a calendar shows
        return dt.datetime(2000, 1, 1)  # noqa: DTZ001 - cells hold moments without a zone


def _set(key: str, value: Any) -> None:
    """Let a control stand on a value; written only where it differs, lest it jumps under the visitor's hand."""
    if st.session_state.get(key) != value or key not in st.session_state:
        st.session_state[key] = value
