"""Dates as numbers: the parts that a date column is expanded to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["DATE_PARTS", "DATE_TIME_PARTS", "datetime_parts", "expand_moments"]

DATE_PARTS = ("year", "month", "day", "weekday", "elapsed_days")
DATE_TIME_PARTS = ("year", "month", "day", "weekday", "hour", "elapsed_days")

_MICROSECONDS_PER_DAY = 86_400_000_000


def datetime_parts(moments: npt.NDArray[np.datetime64]) -> tuple[str, ...]:
    """The parts worth reading: the hour only where some moment is not midnight."""
    present = moments[~np.isnat(moments)]
    has_time = bool((present != present.astype("datetime64[D]")).any())
    return DATE_TIME_PARTS if has_time else DATE_PARTS


def expand_moments(moments: npt.NDArray[np.datetime64], parts: Sequence[str]) -> npt.NDArray[np.float64]:
    """The named parts of each moment.

    Args:
        moments: datetime64[us] (B), NaT where missing.
        parts: names out of :data:`DATE_TIME_PARTS`; weekday 0 is Monday, ``elapsed_days`` counts from
            1970-01-01 with the time of day as its fraction.

    Returns:
        One column for each part (B, len(parts)); NaN in every part where the moment is missing.
    """
    missing = np.isnat(moments)
    filled = np.where(missing, np.datetime64(0, "us"), moments)
    days = filled.astype("datetime64[D]")
    months = filled.astype("datetime64[M]")
    day_number = days.astype(np.int64)
    values = {
        "year": filled.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "weekday": (day_number + 3) % 7,  # 1970-01-01 was a Thursday
        "hour": (filled - days).astype("timedelta64[h]").astype(np.int64),
        "elapsed_days": filled.astype("datetime64[us]").astype(np.int64) / _MICROSECONDS_PER_DAY,
    }
    expanded = np.stack([values[part].astype(np.float64) for part in parts], axis=1)
    expanded[missing] = np.nan
    return expanded
