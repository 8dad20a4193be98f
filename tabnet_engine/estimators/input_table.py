"""Arrays, sparse matrices and data frames as the one kind of table that the engine reads.

Shapes: B rows, F columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import _num_samples

from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.estimators.errors import InputError, ParameterError

__all__ = ["ColumnRef", "as_frame", "column_names", "in_order", "learned_columns", "read_rows"]

ColumnRef = int | str


def column_names(values: Any) -> tuple[str, ...]:
    """The names of the columns of ``values`` (F): a frame's own, else ``x0``, ``x1`` and so on.

    Raises:
        InputError: two columns of one name.
    """
    if not isinstance(values, pd.DataFrame):
        return tuple(f"x{index}" for index in range(values.shape[1]))
    names = tuple(map(str, values.columns))
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"the table has several columns named {name!r}; rename all but one")
        seen.add(name)
    return names


def read_rows(values: Any, *, estimator: Any = None) -> pd.DataFrame | npt.NDArray[Any]:
    """Check what the caller handed in and make it a frame or a dense array (B, F).

    Numbers may be missing (NaN) but not infinite. Sparse matrices are expanded: a zero is a value like any
    other to the network.

    Args:
        values: a data frame, or anything that scikit-learn reads as a matrix.
        estimator: named in the errors.

    Raises:
        ValueError: no rows or columns, not a matrix, complex or infinite numbers.
    """
    if isinstance(values, pd.DataFrame):
        _check_frame(values)
        return values
    if sparse.issparse(values):
        checked = check_array(values, accept_sparse="csr", ensure_all_finite="allow-nan", estimator=estimator)
        return np.asarray(checked.toarray())
    dense = check_array(values, dtype=None, ensure_all_finite="allow-nan", estimator=estimator, input_name="X")
    return np.asarray(dense)


def _check_frame(frame: pd.DataFrame) -> None:
    column_names(frame)
    if _num_samples(frame) < 1:
        raise InputError(f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required")
    if frame.shape[1] < 1:
        raise InputError(f"Found array with 0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    for position, name in enumerate(frame.columns):
        series = frame.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(series.dtype):
            continue
        if pd.api.types.is_complex_dtype(series.dtype):
            raise InputError(f"Complex data not supported: column {name!r} holds complex numbers")
        infinite = np.isinf(series.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise InputError(
                f"Input X contains infinity: column {name!r}, row {int(infinite.argmax())}; correct the cell or leave "
                "it empty, which the network reads as missing"
            )


def in_order(values: pd.DataFrame | npt.NDArray[Any], names: Sequence[str]) -> pd.DataFrame | npt.NDArray[Any]:
    """The columns of a frame in the order of ``names``; an array's columns are known by their place alone.

    Raises:
        InputError: a column is absent, or an array has another number of columns; the text says which.
    """
    nameless = tuple(names) == tuple(f"x{index}" for index in range(len(names)))
    given = column_names(values) if isinstance(values, pd.DataFrame) else ()
    place = {name: index for index, name in enumerate(given)}
    absent = [name for name in names if name not in place]
    if isinstance(values, pd.DataFrame) and not (nameless and absent):
        if absent:
            raise InputError(f"the table has no column {absent[0]!r}, which the network reads")
        return values.iloc[:, [place[name] for name in names]]
    if values.shape[1] != len(names):
        raise InputError(f"the table has {values.shape[1]} columns, but the network reads {len(names)}")
    return values


def as_frame(values: pd.DataFrame | npt.NDArray[Any], names: Sequence[str]) -> pd.DataFrame:
    """What :func:`read_rows` gave as a frame with these column names (B, F), rows numbered from 0."""
    if isinstance(values, pd.DataFrame):
        frame = values.copy(deep=False)
        frame.columns = pd.Index(list(names))
        return frame.reset_index(drop=True)
    if values.dtype.kind in "biuf":
        return pd.DataFrame(values, columns=list(names))
    # In an array of mixed contents every column finds its own type again.
    parts = {name: pd.Series(values[:, index].tolist()).infer_objects() for index, name in enumerate(names)}
    return pd.DataFrame(parts)


def learned_columns(
    frame: pd.DataFrame,
    cat_idxs: Sequence[ColumnRef],
    cat_dims: Sequence[int],
    grouped_features: Sequence[Sequence[ColumnRef]],
) -> tuple[Column, ...]:
    """What each column is (F): by the caller's word in ``cat_idxs``, else by its type.

    Args:
        frame: the rows to learn from (B, F).
        cat_idxs: positions or names of columns whose values are codes, not quantities.
        cat_dims: how many codes each of them has, counting from 0; checked against the rows.
        grouped_features: columns that share one entry of every mask.

    Raises:
        ParameterError: a column that does not exist, is named twice, or lies in two groups; lists that do not
            belong together.
        InputError: a code that ``cat_dims`` does not count.
    """
    names = tuple(map(str, frame.columns))
    chosen = [_position(reference, names, "cat_idxs") for reference in cat_idxs]
    _refuse_twice(chosen, names, "cat_idxs")
    _check_dims(frame, chosen, cat_dims)
    groups = _groups(grouped_features, names)
    return tuple(
        Column(
            name=name,
            kind=Kind.CATEGORY if index in chosen else _kind(frame.iloc[:, index]),
            why="By the caller's cat_idxs." if index in chosen else "By the type of its values.",
            group=groups.get(index),
        )
        for index, name in enumerate(names)
    )


def _kind(series: pd.Series[Any]) -> Kind:
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return Kind.BOOLEAN
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Kind.DATETIME
    return Kind.NUMBER if pd.api.types.is_numeric_dtype(dtype) or series.isna().all() else Kind.CATEGORY


def _position(reference: ColumnRef, names: Sequence[str], parameter: str) -> int:
    if isinstance(reference, str):
        if reference not in names:
            raise ParameterError(f"{parameter} names the column {reference!r}, which the table does not have")
        return names.index(reference)
    if not -len(names) <= reference < len(names):
        raise ParameterError(f"{parameter} names the column {reference}, but the table has {len(names)} columns")
    return int(reference) % len(names)


def _refuse_twice(positions: Sequence[int], names: Sequence[str], parameter: str) -> None:
    for index, position in enumerate(positions):
        if position in positions[:index]:
            raise ParameterError(f"{parameter} names the column {names[position]!r} twice; name it once")


def _check_dims(frame: pd.DataFrame, positions: Sequence[int], dims: Sequence[int]) -> None:
    if len(dims) == 0:
        return
    if len(dims) != len(positions):
        raise ParameterError(
            f"cat_dims must have one entry for each of cat_idxs, got {len(dims)} for {len(positions)} columns"
        )
    for position, size in zip(positions, dims, strict=True):
        series = frame.iloc[:, position]
        if not pd.api.types.is_numeric_dtype(series.dtype):
            continue
        codes = series.to_numpy(dtype=np.float64, na_value=np.nan)
        beyond = (codes < 0) | (codes >= size)
        if beyond.any():
            row = int(beyond.argmax())
            raise InputError(
                f"column {series.name!r}, row {row}: the code {codes[row]:g} is outside 0 to {size - 1}, which "
                "cat_dims says; correct cat_dims or leave it out"
            )


def _groups(grouped_features: Sequence[Sequence[ColumnRef]], names: Sequence[str]) -> Mapping[int, str]:
    """The group's name of each grouped column, by position."""
    owner: dict[int, str] = {}
    for number, group in enumerate(grouped_features):
        if isinstance(group, str | int) or len(group) == 0:
            raise ParameterError("grouped_features must be a list of lists of columns, none of them empty")
        for reference in group:
            position = _position(reference, names, "grouped_features")
            if position in owner:
                raise ParameterError(f"grouped_features names the column {names[position]!r} twice; name it once")
            owner[position] = f"group {number}"
    return owner
