"""Dates written as text: ISO, day or month first, month names, times, offsets from UTC.

The parts are cut out by Arrow and put together by numpy, so the result depends on no locale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tabnet_engine.data.reading.patterns import DATES
from tabnet_engine.data.wording import quoted

__all__ = ["Dates", "read_dates"]

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Dates:
    """``values`` is ``datetime64[us]`` in UTC, NaT where ``bad`` says that a cell is no date of this form."""

    values: NDArray[np.datetime64]
    bad: NDArray[np.bool_]
    notes: tuple[str, ...]


def read_dates(cells: pa.Array, sample: Sequence[str]) -> Dates | None:
    """Read a column of dates that are all written in one way.

    Args:
        cells: text without missing values.
        sample: some of the cells, to find the form.

    Returns:
        ``None`` when the sample shows no form of date at all.
    """
    hits = {form: sum(1 for cell in sample if re.match(pattern, cell)) for form, pattern in DATES.items()}
    form = max(hits, key=lambda key: hits[key])
    if hits[form] * 5 < len(sample) * 4:
        return None
    parts = pc.extract_regex(cells, DATES[form])
    bad = np.asarray(pc.is_null(parts))
    notes: list[str] = []
    year, month, day = _calendar(parts, form, cells, notes)
    seconds, micros, bad_time = _clock(parts)
    zone = _offsets(parts, notes)
    values, bad_day = _assemble(year, month, day)
    bad = bad | bad_time | bad_day
    values += seconds.astype("timedelta64[s]") + micros.astype("timedelta64[us]")
    values -= zone.astype("timedelta64[m]")
    values[bad] = np.datetime64("NaT")
    return Dates(values, bad, tuple(notes))


def _part(parts: pa.Array, name: str) -> _Ints:
    """One part as integers; 0 where it is not written."""
    text = parts.field(name)
    filled = pc.if_else(pc.equal(pc.fill_null(text, ""), ""), "0", pc.fill_null(text, "0"))
    return np.asarray(pc.cast(filled, pa.int64()))


def _calendar(parts: pa.Array, form: str, cells: pa.Array, notes: list[str]) -> tuple[_Ints, _Ints, _Ints]:
    year = _part(parts, "year")
    if form == "year first":
        return year, _part(parts, "month"), _part(parts, "day")
    if form in {"year last", "short year"}:
        first, second = _part(parts, "first"), _part(parts, "second_part")
        day_first = _is_day_first(first, second, parts.field("sign")[0].as_py(), cells[0].as_py(), notes)
        if form == "short year":
            year = year + np.where(year >= 70, 1900, 2000)
            notes.append("two-digit years were read as 1970 to 2069")
        return (year, second, first) if day_first else (year, first, second)
    names = pc.utf8_slice_codeunits(pc.utf8_lower(pc.fill_null(parts.field("month"), "")), 0, 3)
    index = pc.index_in(names, pa.array(_MONTHS, names.type))
    return year, np.asarray(pc.fill_null(index, -1)).astype(np.int64) + 1, _part(parts, "day")


def _is_day_first(first: _Ints, second: _Ints, sign: str | None, example: str, notes: list[str]) -> bool:
    """A part above 12 is the day; where no row tells, slashes are American and points and dashes are not."""
    if (first > 12).any() or (second > 12).any():
        day_first = int((first > 12).sum()) >= int((second > 12).sum())
        why = "a part above 12 tells"
    else:
        day_first = sign != "/"
        why = "no part above 12 tells, so this is a guess"
    order = "day, month, year" if day_first else "month, day, year"
    notes.append(f"dates such as {quoted(example)} were read as {order} ({why})")
    return day_first


def _clock(parts: pa.Array) -> tuple[_Ints, _Ints, NDArray[np.bool_]]:
    """Seconds and microseconds since midnight, and where there is no such time."""
    hour, minute, second = (_part(parts, name) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(pc.fill_null(parts.field("half"), ""))
    is_half = np.asarray(pc.not_equal(half, ""))
    bad = (hour > 23) | (minute > 59) | (second > 59) | (is_half & ((hour < 1) | (hour > 12)))
    hour = np.where(is_half, hour % 12 + 12 * np.asarray(pc.equal(half, "pm")), hour)
    digits = pc.utf8_rpad(pc.fill_null(parts.field("fraction"), ""), 9, "0")
    micros = np.asarray(pc.cast(pc.utf8_slice_codeunits(digits, 0, 6), pa.int64()))
    return hour * 3600 + minute * 60 + second, micros, bad


def _offsets(parts: pa.Array, notes: list[str]) -> _Ints:
    """Minutes ahead of UTC; "Z", "UTC" and nothing are 0."""
    zone = pc.replace_substring(pc.fill_null(parts.field("zone"), ""), ":", "")
    if not pc.any(pc.not_equal(zone, "")).as_py():
        return np.zeros(len(zone), np.int64)
    notes.append("times with an offset were turned into UTC")
    if pc.any(pc.and_(pc.equal(zone, ""), pc.is_valid(parts.field("zone")))).as_py():
        notes.append("times without one were taken as UTC")
    signed = pc.if_else(pc.match_substring_regex(zone, "^[+-]"), zone, "+0000")
    hours = np.asarray(pc.cast(pc.utf8_slice_codeunits(signed, 1, 3), pa.int64()))
    minutes = np.asarray(pc.cast(pc.utf8_slice_codeunits(signed, 3, 5), pa.int64()))
    total: _Ints = hours * 60 + minutes
    return np.where(np.asarray(pc.starts_with(signed, "+")), total, -total)


def _assemble(year: _Ints, month: _Ints, day: _Ints) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Midnight of each day, and where the calendar has no such day."""
    bad = (year < 1) | (month < 1) | (month > 12) | (day < 1) | (day > 31)
    months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.clip(day, 1, 31) - 1).astype("timedelta64[D]")
    bad |= days.astype("datetime64[M]") != months
    return days.astype("datetime64[us]"), bad
