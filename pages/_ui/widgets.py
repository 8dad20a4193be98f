"""Small building blocks that keep the pages alike, and the safe way to show the user's own words.

Streamlit reads Markdown in labels, captions, messages and headings. Text that comes from a user's file
goes through :func:`md` there, or into ``st.text``, ``st.dataframe`` and choices, which show it as it is.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages._ui import display, kept, shell, state
from pages._ui.chart_words import chart_words
from tabnet_engine.figures.theme import format_number
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import ENGLISH, language, say, speaking

__all__ = [
    "as_sentence",
    "chart",
    "choice",
    "data_button",
    "empty_state",
    "error",
    "in_page_colors",
    "info",
    "md",
    "metrics",
    "notes",
    "number",
    "said",
    "score",
    "selectable",
    "success",
    "table_height",
    "text_table",
    "view",
]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:^&=\"'/@])")
# Bare addresses would become links, and "->" or ">=" typographic signs.
_REWRITTEN = re.compile(r"(https?:/|www(?=\.)|@|[<>~-](?=[-=>]))", re.IGNORECASE)
_IN_UNITS = frozenset({"rmse", "mae", "mse"})
_ENDS = (".", "!", "?", "…", "。", "！", "？")
_LINE = 28  # characters of a cell that stay together, an interval among them
_HEADER_PIXELS, _ROW_PIXELS = 38, 35  # of Streamlit's tables
_JOINER = "\u2060"  # invisible, splits what would be rewritten
# Texts on coloured cells, and the quieter ones along the axes; both readable on their page.
_PAGE_COLORS = {"light": "#ffffff", "dark": "#10151c"}
_TEXT_COLORS = {"light": ("#0f1720", "#3d4957"), "dark": ("#e6ebf1", "#c3ccd6")}


def md(text: object) -> str:
    r"""The user's text for a place that reads Markdown: shown literally, fetching and linking nothing.

    >>> md("![](http://x) $a$ <b>")
    '\\!\\[\\]\\(http\\:\\/\u2060\\/x\\) \\$a\\$ \\<b\\>'
    """
    flat = " ".join(str(text).split())
    joined = _REWRITTEN.sub(lambda match: match.group(0) + _JOINER, flat)
    return _SPECIAL.sub(r"\\\1", joined)


def error(text: str) -> None:
    """A user's mistake or the system's fault, as the plain text it is."""
    st.error(as_sentence(said(text)), icon=":material/error:")


def info(text: str) -> None:
    """A plain-text hint."""
    st.info(as_sentence(said(text)), icon=":material/info:")


def success(text: str) -> None:
    """A plain-text confirmation."""
    st.success(as_sentence(said(text)), icon=":material/check_circle:")


def said(text: str) -> str:
    """A stored or cached text, which is English, as the reader's language says it."""
    return recalled(text)


def as_sentence(text: str, *, capital: bool = True) -> str:
    """Plain text as one whole sentence, ready for a place that reads Markdown.

    Args:
        text: plain text.
        capital: whether to begin with a capital; not where the text may begin with a column's name. A first
            word that is no plain word, such as the name of a setting, stays as it is in any case.
    """
    flat = " ".join(str(text).split())
    ended = flat if flat.endswith(_ENDS) else f"{flat}{'.' if language() == ENGLISH else '。'}"
    plain = ended.split(" ", 1)[0].isalpha()
    return md(ended[:1].upper() + ended[1:] if capital and plain else ended)


def number(value: float | None) -> str:
    """A number with sensible digits; "n/a" when there is none."""
    return format_number(value)


def score(name: str, value: float | None) -> str:
    """A score by its name: shares and losses with three decimals, errors in the target's unit with four digits."""
    if value is None or name.rpartition(": ")[2] in _IN_UNITS:
        return format_number(value, 4)
    return f"{value:.3f}"


def chart(figure: Any, *, key: str, alt: str, data: Callable[[], Any]) -> None:
    """A figure in the page's theme, with a text for those who cannot see it and its numbers to take away.

    Args:
        figure: from ``tabnet_engine.figures``.
        key: unique on the page; names the files that are saved.
        alt: what the figure shows, for screen readers.
        data: makes the data frame behind the figure, every row of it, when it is asked for.
    """
    config = _camera(key) | {"modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
    st.plotly_chart(in_page_colors(figure), key=key, config=config, alt=alt)
    data_button(data, key=key)


def selectable(
    figure: Any, *, key: str, alt: str, data: Callable[[], Any], modes: Sequence[str] = ("points", "box")
) -> Any:
    """The same, where points or a stretch can be chosen; returns Plotly's selection.

    What is chosen here can be chosen by a control of the page too: a chart is not reached by the keyboard.
    """
    event = st.plotly_chart(
        in_page_colors(figure), key=key, config=_camera(key), alt=alt, on_select="rerun", selection_mode=modes
    )
    data_button(data, key=key)
    return event.selection


def data_button(data: Callable[[], Any], *, key: str) -> None:
    """Download the numbers behind a chart as CSV that no spreadsheet takes for formulas.

    Args:
        data: makes the frame when the button is pressed: outside the page, so it asks the page for nothing.
        key: as of the chart.
    """
    from tabnet_engine.data.export import safe_csv

    shown_in = language()

    def written() -> bytes:
        with speaking(shown_in):
            return safe_csv(data())

    st.download_button(
        say("Data as CSV"),
        data=written,
        file_name=f"{key.replace('_', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        key=f"{key}_csv",
    )


def _camera(key: str) -> dict[str, Any]:
    picture = {"format": display.picture_format(), "filename": key.replace("_", "-"), "scale": 2}
    return {"displaylogo": False, "toImageButtonOptions": picture, **chart_words()}


def in_page_colors(figure: Any) -> Any:
    """The figure with texts as dark, or light, as those of the page: Streamlit's own grey is hard to read."""
    colors = _TEXT_COLORS.get(str(st.context.theme.type))
    if colors is None:
        return figure
    axis = {"tickfont_color": colors[1], "title_font_color": colors[1]}
    figure.update_layout(font_color=colors[0], legend_font_color=colors[1])
    figure.update_annotations(font_color=colors[1])
    # A picture that is saved must be readable on paper too.
    figure.update_layout(paper_bgcolor=_PAGE_COLORS[str(st.context.theme.type)])
    return figure.update_xaxes(**axis).update_yaxes(**axis)


def metrics(values: Mapping[str, str], *, help_texts: Mapping[str, str] | None = None) -> None:
    """A row of numbers with their names; wraps on a narrow screen.

    Args:
        values: label to text as it is to be shown, plain text both: Streamlit reads Markdown in either.
        help_texts: label to one line that says what the number is.
    """
    with st.container(horizontal=True, gap="medium"):
        for label, value in values.items():
            st.metric(md(label), md(value), help=(help_texts or {}).get(label), width="content")


def table_height(n_rows: int, most: int | None = None) -> int:
    """Height in pixels of a table without an empty rest below its rows; above ``most`` it scrolls."""
    whole = _HEADER_PIXELS + _ROW_PIXELS * n_rows
    return whole if most is None else min(whole, most)


def text_table(table: Any, *, alt: str) -> None:
    """A short table of words, every cell to be read whole and shown as the plain text it is.

    Args:
        table: a data frame with few rows; its cells may be the user's words.
        alt: what the table holds, for screen readers.
    """
    st.table(table.map(_lines).rename(columns=md), border="horizontal", hide_index=True, alt=alt)


def _lines(text: object) -> str:
    """The user's text in lines that are not broken further, lest a narrow screen breaks it after every word."""
    lines = textwrap.wrap(str(text), _LINE, break_long_words=False, break_on_hyphens=False)
    return " ".join(md(line).replace(" ", "\u00a0") for line in lines)


def notes(title: str, sentences: Sequence[str]) -> None:
    """What was done to the user's table or run, one line each, as it is stored; nothing is drawn without sentences."""
    if sentences:
        st.markdown(f"**{title}**")
        st.markdown("\n".join(f"- {as_sentence(said(sentence), capital=False)}" for sentence in sentences))


def empty_state(title: str, text: str, *, page: str, label: str, **ids: str | None) -> None:
    """What a page shows when there is nothing yet: why, and the way to the page that changes it."""
    with st.container(border=True, gap="small"):
        st.subheader(title, anchor=False)
        st.write(text)
        shell.link(page, label, icon=":material/arrow_forward:", **ids)


def view(names: Sequence[str]) -> str:
    """Which part of the page is shown: one of the English names; kept in the address under it."""
    return kept.tabs("view", say("View"), {name: said(name) for name in names})


def choice(label: str, options: Mapping[str, str], current: str | None, *, key: str, help_text: str = "") -> str:
    """A choice among ids that shows their names; the names may be the user's.

    Args:
        label: what is chosen.
        options: id to the name shown; not empty.
        current: the id chosen by the address or on another page, which wins over what was chosen here before;
            the first when nothing is chosen that is among the options.
        key: unique on the page.
        help_text: one line that says what the choice does.
    """
    ids = list(options)
    index = ids.index(current) if current is not None and current in options else 0
    chosen = str(
        st.selectbox(
            label,
            ids,
            index=index,
            format_func=lambda item: options[item],
            key=state.choice_key(key, current),
            help=help_text or None,
        )
    )
    state.keep_chosen(key, chosen)
    return chosen
