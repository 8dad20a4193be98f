import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.profiling.column_profile import read_cells
from tabnet_engine.data.profiling.duplicates import ColumnPrints, RowHash
from tabnet_engine.data.schema import Column, Kind


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3), st.integers(-1, 2)), max_size=40))
def test_repeated_rows_are_counted_as_pandas_counts_them(rows):
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    hashed = RowHash(len(rows))
    for column in table.T:
        hashed.add(column)
    assert hashed.n_repeated() == int(pd.DataFrame(table).duplicated().sum())


def test_many_different_rows_do_not_collide():
    hashed = RowHash(250_000)
    hashed.add(np.arange(250_000) % 500)
    hashed.add(np.arange(250_000) // 500)
    assert hashed.n_repeated() == 0


def _groups(**columns) -> tuple[tuple[str, ...], ...]:
    prints = ColumnPrints()
    for name, values in columns.items():
        prints.add(name, read_cells(pd.Series(values), Column(name=name, kind=Kind.CATEGORY)))
    return prints.groups()


def test_columns_that_split_the_rows_alike_say_the_same():
    code, label = [1, 2, 1, 3] * 3, ["a", "b", "a", "c"] * 3
    assert _groups(code=code, label=label, other=[1, 2, 2, 3] * 3) == (("code", "label"),)


def test_missing_cells_count():
    assert _groups(a=[1, 2, None] * 4, b=[1, 2, 3] * 4) == ()


def test_all_different_values_must_agree_themselves():
    values = np.random.default_rng(0).normal(size=30)
    assert _groups(a=values, b=values * 2, c=values.copy()) == (("a", "c"),)


def test_constants_are_not_compared():
    assert _groups(a=[1] * 5, b=[2] * 5) == ()
