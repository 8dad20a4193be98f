"""How the file was read, every choice correctable: the file is read again with what the user says."""

from __future__ import annotations

import re

import streamlit as st

from pages._ui import data_access, intake, state
from tabnet_engine.data.reading.options import HEADERS, ReadOptions
from tabnet_engine.data.tables import sheet_names

__all__ = ["reading"]

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blanks"}
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
_DECIMALS = {".": "point: 3.14", ",": "comma: 3,14"}
_HEADERS = {"first": "the first line", "none": "nothing: columns are numbered", "auto": "detect"}
_NO_VALUE = "(blank)"


def reading(dataset_id: str, options: ReadOptions) -> None:
    """The choices that were detected or made, as a form that reads the file again."""
    st.caption("Detected from the file. Correct what is wrong and read it again; kinds, roles and target start afresh.")
    with st.form(f"reading_{dataset_id}", border=True):
        changes: dict[str, object] = {}
        if options.format == "csv":
            changes |= _text_choices(options)
        if options.format == "excel":
            changes |= _sheet_choice(dataset_id, options)
        if options.format in {"csv", "excel"}:
            headers = list(HEADERS)
            changes["header"] = st.selectbox(
                "Column names come from", headers, index=headers.index(options.header), format_func=_HEADERS.__getitem__
            )
            changes["column_names"] = _column_names(options)
        changes["missing_tokens"] = _missing_tokens(options)
        submitted = st.form_submit_button("Read the file again", icon=":material/refresh:")
    if submitted:
        new_id = intake.read_again(dataset_id, options.replace(**changes))
        state.choose("dataset", new_id)
        state.notify("success", "The file was read again")
        st.rerun()


def _text_choices(options: ReadOptions) -> dict[str, object]:
    first, second, third, fourth = st.columns(4)
    with first:
        delimiter = _listed("Columns are separated by", options.delimiter, _DELIMITERS, "One to eight characters.")
    with second:
        encoding = _listed("Encoding", options.encoding, {name: name for name in _ENCODINGS}, "Any Python encoding.")
    with third:
        decimal = _listed("Decimal sign", options.decimal, _DECIMALS, "", free=False)
    with fourth:
        quote = st.text_input(
            "Quote sign", options.quote or "", max_chars=1, help="Empty: quotes are plain characters."
        )
    return {"delimiter": delimiter, "encoding": encoding, "decimal": decimal, "quote": quote}


def _listed(label: str, value: str | None, names: dict[str, str], help_text: str, *, free: bool = True) -> str | None:
    options = list(dict.fromkeys([*names, *([value] if value else [])]))
    return st.selectbox(
        label,
        options,
        index=options.index(value) if value else None,
        format_func=lambda item: names.get(item, item),
        accept_new_options=free,
        help=help_text or None,
    )


def _sheet_choice(dataset_id: str, options: ReadOptions) -> dict[str, object]:
    original = data_access.workspace().original_file(dataset_id)
    present = options.sheet or ""
    sheets = list(sheet_names(original)) if original else [present]
    index = sheets.index(present) if present in sheets else 0
    return {"sheet": st.selectbox("Sheet", sheets, index=index)}


def _column_names(options: ReadOptions) -> tuple[str, ...] | None:
    text = st.text_area(
        "Names of the columns, in order",
        ", ".join(options.column_names or ()),
        placeholder="as the file has them; for others type: age, workclass, education",
        help="Separated by commas or lines. A file without names is easier to read with them.",
    )
    names = tuple(name for name in (part.strip() for part in re.split(r"[,\n]", text)) if name)
    return names or None


def _missing_tokens(options: ReadOptions) -> tuple[str, ...]:
    shown = [token or _NO_VALUE for token in options.missing_tokens]
    chosen = st.multiselect(
        "Cells that mean 'no value'",
        shown,
        default=shown,
        accept_new_options=True,
        help="Type a text to add it. Blanks around a cell never count; letters count as they are.",
    )
    return tuple("" if token == _NO_VALUE else token for token in chosen)
