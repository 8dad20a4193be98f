import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.moments import DATE_PARTS, DATE_TIME_PARTS, datetime_parts, expand_moments


@settings(deadline=None, max_examples=200)
@given(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)))  # noqa: DTZ001 - without a zone on purpose
def test_parts_equal_those_of_the_standard_library(moment):
    parts = expand_moments(np.array([moment], dtype="datetime64[us]"), DATE_TIME_PARTS)[0]
    days = (moment - dt.datetime(1970, 1, 1)) / dt.timedelta(days=1)  # noqa: DTZ001
    expected = [moment.year, moment.month, moment.day, moment.weekday(), moment.hour, days]
    assert np.allclose(parts, expected, rtol=1e-12, atol=1e-9)


def test_a_missing_moment_is_missing_in_every_part():
    parts = expand_moments(np.array(["NaT", "2024-02-29"], dtype="datetime64[us]"), DATE_PARTS)
    assert np.isnan(parts[0]).all()
    assert parts[1].tolist() == [2024, 2, 29, 3, 19782]


def test_the_hour_is_read_only_where_there_is_one():
    assert datetime_parts(np.array(["2024-01-01", "NaT"], dtype="datetime64[us]")) == DATE_PARTS
    assert datetime_parts(np.array(["2024-01-01", "2024-01-01T10:00"], dtype="datetime64[us]")) == DATE_TIME_PARTS
    assert datetime_parts(np.array(["NaT"], dtype="datetime64[us]")) == DATE_PARTS
