"""What numbers and dates look like as text; shared by detection on a sample and by reading whole columns.

The expressions are plain enough to mean the same in Python's ``re`` and in Arrow's RE2.
"""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = [
    "DATES",
    "INFINITE",
    "INTEGER",
    "LEADING_ZERO",
    "comma_decimal",
    "grouped",
    "is_date",
    "is_number",
    "number",
    "point_decimal",
]

INTEGER = r"^[+-]?[0-9]+$"
LEADING_ZERO = r"^[+-]?0[0-9]"
INFINITE = r"^[+-]?(?i:inf|infinity)$"
_TIME = (
    r"(?:[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?P<half>[AaPp][Mm])? ?(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_MONTH = r"(?P<month>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})"
# Two-digit years only between slashes: "1.2.10" is more often a version or a section than a day.
_TWO = "[0-9]{1,2}"
DATES: dict[str, str] = {
    "year first": rf"^(?P<year>[0-9]{{4}})[-/.](?P<month>{_TWO})[-/.](?P<day>{_TWO}){_TIME}$",
    "year last": rf"^(?P<first>{_TWO})(?P<sign>[-/.])(?P<second_part>{_TWO})[-/.](?P<year>[0-9]{{4}}){_TIME}$",
    "short year": rf"^(?P<first>{_TWO})(?P<sign>/)(?P<second_part>{_TWO})/(?P<year>[0-9]{{2}}){_TIME}$",
    "day and month name": rf"^(?P<day>[0-9]{{1,2}})[ -]{_MONTH}[ -](?P<year>[0-9]{{4}}){_TIME}$",
    "month name and day": rf"^{_MONTH} (?P<day>[0-9]{{1,2}}),? (?P<year>[0-9]{{4}}){_TIME}$",
}

comma_decimal = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][+-]?\d+)?")
point_decimal = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d*)\.\d+([eE][+-]?\d+)?")
_DATES = tuple(re.compile(pattern) for pattern in DATES.values())
_NUMBER_AT_ALL = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?\d{1,3}([.,]\d{3})+([.,]\d+)?")


def number(decimal: str) -> str:
    """Expression for a number with ``decimal`` as its decimal sign, without thousands separators."""
    sign = re.escape(decimal)
    return rf"^[+-]?([0-9]+{sign}?[0-9]*|{sign}[0-9]+)([eE][+-]?[0-9]+)?$"


def grouped(decimal: str) -> str:
    """Expression for a number with at least one thousands separator (the other sign than ``decimal``)."""
    sign, group = re.escape(decimal), re.escape("," if decimal == "." else ".")
    return rf"^[+-]?[1-9][0-9]{{0,2}}({group}[0-9]{{3}})+({sign}[0-9]+)?$"


def is_number(text: str, missing: Collection[str] = ()) -> bool:
    """Whether a cell is a number under either decimal sign; missing tokens are not."""
    return text not in missing and _NUMBER_AT_ALL.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a cell looks like a date, with or without a time."""
    return text[:1].isalnum() and any(pattern.match(text) for pattern in _DATES)
