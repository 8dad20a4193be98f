"""How a file is read: every choice that can be detected, and can be corrected by hand."""

from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tabnet_engine.errors import ConfigError

__all__ = ["DEFAULT_MISSING_TOKENS", "FORMATS", "HEADERS", "ReadOptions"]

FORMATS = ("csv", "parquet", "excel", "jsonl")
HEADERS = ("auto", "first", "none")

DEFAULT_MISSING_TOKENS: tuple[str, ...] = (
    "",
    "?",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "NAN",
    "NaT",
    "null",
    "NULL",
    "Null",
    "None",
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
)

_SPELLED_DELIMITERS = {
    "\\t": "\t",
    "tab": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
    "blank": " ",
}

_LISTS = ("missing_tokens", "column_names")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    r"""What to take for granted about a file; ``None`` and ``"auto"`` mean detect.

    Attributes:
        format: ``"csv"`` (any delimited text), ``"parquet"``, ``"excel"`` or ``"jsonl"``.
        encoding: a Python name of a text encoding.
        delimiter: what separates cells; more than one character is allowed; ``" "`` means any run of blanks.
        quote: the character around cells that hold a delimiter; ``""`` means that quotes are plain characters.
        decimal: the decimal sign, ``"."`` or ``","``.
        header: ``"first"`` (the first line names the columns), ``"none"`` (columns are called "0", "1", …) or
            ``"auto"``.
        sheet: the sheet of an Excel workbook.
        missing_tokens: cells that mean "no value"; surrounding blanks never count.
        column_names: what the columns are called, in order, instead of what the file calls them.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    decimal: str | None = None
    header: str = "auto"
    sheet: str | None = None
    missing_tokens: tuple[str, ...] = DEFAULT_MISSING_TOKENS
    column_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _one_of("format", self.format, (None, *FORMATS))
        _one_of("header", self.header, HEADERS)
        _one_of("decimal", self.decimal, (None, ".", ","))
        _check_encoding(self.encoding)
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _delimiter(self.delimiter))
        if self.quote is not None and (len(self.quote) > 1 or self.quote in {"\r", "\n"} or not self.quote.isascii()):
            raise ConfigError(f"quote must be one ASCII character, or empty for no quoting, got {self.quote!r}")
        if self.quote and self.quote == self.delimiter:
            raise ConfigError(f"quote and delimiter must differ, both are {self.quote!r}")
        tokens = dict.fromkeys(_text("missing_tokens", token).strip() for token in self.missing_tokens)
        object.__setattr__(self, "missing_tokens", tuple(tokens))
        if self.column_names is not None:
            object.__setattr__(self, "column_names", _column_names(self.column_names))

    def to_mapping(self) -> dict[str, Any]:
        """The options as plain JSON values."""
        names = None if self.column_names is None else list(self.column_names)
        return {**dataclasses.asdict(self), "missing_tokens": list(self.missing_tokens), "column_names": names}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote, or options that a user typed.

        Raises:
            ConfigError: an unknown option, or a value that the option cannot take.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key, value in values.items():
            if key not in known:
                raise ConfigError(f"unknown read option {key!r}; the options are {', '.join(known)}")
            if key not in _LISTS and value is not None:
                _text(key, value)
        named = values.get("column_names") is not None
        given = [key for key in _LISTS if key in values and (key != "column_names" or named)]
        lists = {key: tuple(_list(key, values[key])) for key in given}
        return cls(**{**values, **lists})

    def for_another_file(self) -> Self:
        """Options for a file with the same columns: what the values mean is kept, how the file is written is not."""
        return type(self)(header=self.header, missing_tokens=self.missing_tokens, column_names=self.column_names)

    def replace(self, **changes: Any) -> Self:
        """The same options with some changed, checked again."""
        return dataclasses.replace(self, **changes)


def _list(key: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{key} must be a list of texts, got {value!r}")
    return value


def _column_names(names: Sequence[Any]) -> tuple[str, ...]:
    """Names without blanks around them, all different.

    Raises:
        ConfigError: none at all, an empty one, or one that comes up twice.
    """
    stripped = tuple(_text("column_names", name).strip() for name in names)
    if not stripped or "" in stripped:
        raise ConfigError("every column needs a name; one of the names is empty")
    twice = next((name for name in stripped if stripped.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"column names must differ, {twice!r} comes up twice")
    return stripped


def _one_of(name: str, value: str | None, choices: tuple[str | None, ...]) -> None:
    if value not in choices:
        shown = ", ".join(repr(choice) for choice in choices if choice is not None)
        raise ConfigError(f"{name} must be one of {shown}, got {value!r}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be text, got {value!r}")
    return value


def _check_encoding(encoding: str | None) -> None:
    """Refuse names Python does not know and codecs that are not text ("zip", "rot13", "idna")."""
    if encoding is None:
        return
    try:
        known = "a".encode(encoding) is not None and codecs.lookup(encoding).name not in {
            "idna",
            "punycode",
            "undefined",
        }
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ConfigError(f"there is no text encoding called {encoding!r}; try utf-8, latin-1, cp1252 or gb18030")


def _delimiter(value: str) -> str:
    value = _SPELLED_DELIMITERS.get(value.lower(), value)
    if not value or len(value) > 8 or any(sign in value for sign in '\r\n"'):
        raise ConfigError(f"delimiter must be 1 to 8 characters without quotes or line ends, got {value!r}")
    return value
