"""How the file was read, every choice correctable: the file is read again with what the user says."""

from __future__ import annotations

import re

import streamlit as st

from pages._ui import data_access, intake, state
from tabnet_engine.data.reading.options import HEADERS, ReadOptions
from tabnet_engine.data.tables import sheet_names
from tabnet_engine.texts.speaking import msg, say

__all__ = ["reading"]

_DELIMITERS = {
    ",": msg("comma"),
    ";": msg("semicolon"),
    "\t": msg("tab"),
    "|": msg("vertical bar"),
    " ": msg("blanks"),
}
_ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "latin-1",
    "cp1252",
    "cp1250",
    "cp1251",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_kr",
)
_DECIMALS = {".": msg("point: 3.14"), ",": msg("comma: 3,14")}
_HEADERS = {
    "first": msg("the first line"),
    "none": msg("nothing: columns are numbered"),
    "auto": msg("detect"),
}
_NO_VALUE = msg("(blank)")


def reading(dataset_id: str, options: ReadOptions) -> None:
    """The choices that were detected or made, as a form that reads the file again."""
    st.caption(
        say("Detected from the file. Correct what is wrong and read it again; kinds, roles and target start afresh.")
    )
    with st.form(f"reading_{dataset_id}", border=True):
        changes: dict[str, object] = {}
        if options.format == "csv":
            changes |= _text_choices(options)
        if options.format == "excel":
            changes |= _sheet_choice(dataset_id, options)
        if options.format in {"csv", "excel"}:
            headers = list(HEADERS)
            changes["header"] = st.selectbox(
                say("Column names come from"),
                headers,
                index=headers.index(options.header),
                format_func=lambda item: say(_HEADERS[item]),
            )
            changes["column_names"] = _column_names(options)
        changes["missing_tokens"] = _missing_tokens(options)
        submitted = st.form_submit_button(say("Read the file again"), icon=":material/refresh:")
    if submitted:
        new_id = intake.read_again(dataset_id, options.replace(**changes))
        state.choose("dataset", new_id)
        state.notify("success", say("The file was read again"))
        st.rerun()


def _text_choices(options: ReadOptions) -> dict[str, object]:
    first, second, third, fourth = st.columns(4)
    with first:
        separated, length = say("Columns are separated by"), say("One to eight characters.")
        delimiter = _listed(separated, options.delimiter, _DELIMITERS, length)
    with second:
        encoding = _listed(
            say("Encoding"), options.encoding, {name: name for name in _ENCODINGS}, say("Any Python encoding.")
        )
    with third:
        decimal = _listed(say("Decimal sign"), options.decimal, _DECIMALS, "", free=False)
    with fourth:
        quote = st.text_input(
            say("Quote sign"), options.quote or "", max_chars=1, help=say("Empty: quotes are plain characters.")
        )
    return {"delimiter": delimiter, "encoding": encoding, "decimal": decimal, "quote": quote}


def _listed(label: str, value: str | None, names: dict[str, str], help_text: str, *, free: bool = True) -> str | None:
    options = list(dict.fromkeys([*names, *([value] if value else [])]))
    return st.selectbox(
        label,
        options,
        index=options.index(value) if value else None,
        format_func=lambda item: say(names[item]) if item in names else item,
        accept_new_options=free,
        help=help_text or None,
    )


def _sheet_choice(dataset_id: str, options: ReadOptions) -> dict[str, object]:
    original = data_access.workspace().original_file(dataset_id)
    present = options.sheet or ""
    sheets = list(sheet_names(original)) if original else [present]
    index = sheets.index(present) if present in sheets else 0
    return {"sheet": st.selectbox(say("Sheet"), sheets, index=index)}


def _column_names(options: ReadOptions) -> tuple[str, ...] | None:
    text = st.text_area(
        say("Names of the columns, in order"),
        ", ".join(options.column_names or ()),
        placeholder=say("as the file has them; for others type: age, workclass, education"),
        help=say("Separated by commas or lines. A file without names is easier to read with them."),
    )
    names = tuple(name for name in (part.strip() for part in re.split(r"[,\n]", text)) if name)
    return names or None


def _missing_tokens(options: ReadOptions) -> tuple[str, ...]:
    blank = say(_NO_VALUE)
    shown = [token or blank for token in options.missing_tokens]
    chosen = st.multiselect(
        say("Cells that mean 'no value'"),
        shown,
        default=shown,
        accept_new_options=True,
        placeholder=say("Choose"),
        help=say("Type a text to add it. Blanks around a cell never count; letters count as they are."),
    )
    return tuple("" if token == blank else token for token in chosen)
