"""Real tables, where they are at hand: header, delimiter and shape checked by hand against each file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tabnet_engine.data.tables import read_table

FOLDER = Path(os.environ.get("TABNET_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))


@dataclass(frozen=True)
class Known:
    path: str
    shape: tuple[int, int]
    header: str
    first: tuple[str, ...]
    dtypes: dict[str, str]
    missing: int = 0
    delimiter: str | None = ","
    encoding: str | None = "utf-8"


TABLES = [
    Known("adult/adult.data", (32561, 15), "none", ("0", "1"), {"0": "int64", "1": "str", "14": "str"}, 4262),
    Known("adult/adult.test", (16281, 15), "none", ("0", "1"), {"0": "int64", "1": "str", "14": "str"}, 2203),
    Known("german_credit/german.data", (1000, 21), "none", ("0", "1"), {"0": "str", "1": "int64", "20": "int64"}),
    Known("poker/poker-hand-training-true.data", (25010, 11), "none", ("0", "1"), {"0": "int64", "10": "int64"}),
    Known("covertype/covtype_92962.data.xz", (92962, 55), "none", ("0", "1"), {"0": "int64", "54": "int64"}),
    Known(
        "credit_default/UCI_Credit_Card.csv",
        (30000, 25),
        "first",
        ("ID", "LIMIT_BAL", "SEX"),
        {"LIMIT_BAL": "int64", "default.payment.next.month": "int64"},
    ),
    Known(
        "california_housing/housing.csv",
        (20640, 10),
        "first",
        ("longitude", "latitude"),
        {"total_bedrooms": "float64", "ocean_proximity": "str"},
        207,
    ),
    Known(
        "bike_sharing/hour.csv",
        (17379, 17),
        "first",
        ("instant", "dteday"),
        {"dteday": "datetime64[us]", "temp": "float64", "cnt": "int64"},
    ),
    Known(
        "energy_xlsx/ENB2012.xlsx",
        (768, 10),
        "first",
        ("X1", "X2"),
        {"X1": "float64", "X6": "int64", "Y2": "float64"},
        delimiter=None,
        encoding=None,
    ),
    Known("sarcos/sarcos_inv_test.csv", (4449, 28), "first", ("x1", "x2"), {"x1": "float64", "torque7": "float64"}),
    Known(
        "movielens_din/train.csv",
        (4832, 14),
        "first",
        ("userId", "movieId"),
        {"userId": "int64", "zipCode": "str", "genres": "str", "label": "int64"},
        4,
    ),
    Known(
        "movielens_din/movies.dat",
        (3883, 3),
        "none",
        ("0", "1", "2"),
        {"0": "int64", "1": "str", "2": "str"},
        delimiter="::",
        encoding="latin-1",
    ),
    Known(
        "movielens_din/users.dat", (6040, 5), "none", ("0", "1"), {"0": "int64", "1": "str", "4": "str"}, delimiter="::"
    ),
]
AT_HAND = [known for known in TABLES if (FOLDER / known.path).is_file()]

if AT_HAND:

    @pytest.mark.parametrize("known", AT_HAND, ids=lambda known: known.path)
    def test_a_real_table_is_read_as_a_person_reads_it(known):
        table = read_table(FOLDER / known.path)
        assert table.frame.shape == known.shape
        assert (table.options.header, table.options.delimiter, table.options.encoding) == (
            known.header,
            known.delimiter,
            known.encoding,
        )
        assert tuple(table.frame.columns[: len(known.first)]) == known.first
        assert {name: str(table.frame[name].dtype) for name in known.dtypes} == known.dtypes
        assert int(table.frame.isna().sum().sum()) == known.missing
        if known.path == "adult/adult.test":
            assert table.notes[0] == '1 line above the table skipped: "|1x3 Cross validator".'
        if known.path == "movielens_din/movies.dat":
            assert table.frame["1"][72] == "Misérables, Les (1995)"
