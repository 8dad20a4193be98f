"""Reading a command line: paths, settings, and names of columns that may hold commas themselves."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tabnet_engine.errors import ConfigError

__all__ = ["OneLineParser", "add_reading", "column_names", "path_argument", "read_settings"]

_NEGATIVE = re.compile(r"-(?:\.?\d|(?:inf|infinity|nan)$)", re.IGNORECASE)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the command in one line, instead of printing the usage first.

    A text that begins as a negative number does is the value of the option before it, never an option: argparse alone
    takes -1 for a number and -1e3, -1. and -5,10 for options that it does not know.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._negative_number_matcher = _NEGATIVE

    def error(self, message: str) -> NoReturn:
        """Refuse the command.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{message}; see `{self.prog} --help`")


def path_argument(text: str) -> Path:
    """A path that the system can look at."""
    path = Path(text)
    try:
        path.exists()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {getattr(error, 'strerror', error)}") from error
    return path


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which table is learned from and how it is read."""
    parser.add_argument("--table", type=path_argument, required=True, help="CSV, TSV, Parquet, Excel or JSON lines")
    parser.add_argument("--header", default="auto", choices=["auto", "first", "none"])
    parser.add_argument("--names", metavar="NAME[,NAME]", help="what the columns are called, in order")
    parser.add_argument("--ignore", default="", metavar="COL[,COL]", help="columns to leave out")


def read_settings(pairs: Sequence[str], seed: int | None = None) -> dict[str, str]:
    """What ``--set`` and ``--seed`` say.

    Raises:
        ConfigError: a pair without a key or a value.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set takes KEY=VALUE, got {pair!r}")
        settings[key.strip()] = value.strip()
    if seed is not None:
        settings["seed"] = str(seed)
    return settings


def column_names(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The columns that a list with commas names; a column whose own name holds commas is found whole.

    Args:
        text: one name, or several with commas between them.
        known: the table's columns.

    Returns:
        The names in their order; one that is no column stays as it was written.

    >>> column_names("a,b", {"a", "b"}), column_names("a,b", {"a,b"}), column_names("x, y,b", {"x, y", "b"})
    (('a', 'b'), ('a,b',), ('x, y', 'b'))
    """
    if text in known:
        return (text,)
    parts, longest = text.split(","), 1 + max((name.count(",") for name in known), default=0)
    names: list[str] = []
    while parts:
        name, used = _leading_name(parts, known, longest)
        names.append(name)
        parts = parts[used:]
    return tuple(filter(None, names))


def _leading_name(parts: Sequence[str], known: Collection[str], longest: int) -> tuple[str, int]:
    """The longest column that the parts begin with, else their first part; and how many parts it took."""
    for used in range(min(longest, len(parts)), 0, -1):
        name = ",".join(parts[:used])
        for written in (name, name.strip()):
            if written in known:
                return written, used
    return parts[0].strip(), 1
