"""A table in numbers before any model: distributions, association with the target, warnings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from tabnet_engine.data.profiling.column_profile import Cells, describe, read_cells
from tabnet_engine.data.profiling.duplicates import ColumnPrints, RowHash
from tabnet_engine.data.profiling.leakage import TargetView, associate, determined_by, find_sum, view_target
from tabnet_engine.data.profiling.profile_records import (
    Association,
    ColumnProfile,
    Histogram,
    Severity,
    TableProfile,
    TableWarning,
    Topic,
)
from tabnet_engine.data.profiling.table_warnings import Findings, find_warnings
from tabnet_engine.data.schema import ENCODABLE, Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import SchemaError

__all__ = [
    "Association",
    "ColumnProfile",
    "Histogram",
    "Severity",
    "TableProfile",
    "TableWarning",
    "Topic",
    "profile_table",
]


def profile_table(frame: pd.DataFrame, schema: FeatureSchema, *, seed: int = 0) -> TableProfile:
    """Measure every column and look for what could spoil a model.

    Distributions, missing cells, associations and duplicates use all rows. Leakage by single columns is
    looked for in at most 20,000 rows (fewer for very wide tables), sums in at most 5,000 rows and 200
    columns (a quarter of the rows); the profile's ``notes`` say where that was less than all.

    Args:
        frame: the table.
        schema: its columns; with a target, associations and leakage are measured too.
        seed: of the sample of rows.

    Raises:
        SchemaError: a column that is absent, or a cell that its kind cannot hold.
    """
    absent = [column.name for column in schema.columns if column.name not in frame.columns]
    if absent:
        raise SchemaError(f"the table has no column {absent[0]!r}, which its schema names")
    target = view_target(frame, schema, seed)
    rows, prints, determined = RowHash(len(frame)), ColumnPrints(), {}
    columns: list[ColumnProfile] = []
    for column in schema.columns:
        cells = read_cells(frame[column.name], column)
        columns.append(_measure(column, cells, target))
        if column.is_feature or column.role is Role.TARGET:
            rows.add(cells.codes)
        if column.is_feature:
            prints.add(column.name, cells)
            determined[column.name] = determined_by(cells, target) if target is not None else 0.0
    found = None if target is None else find_sum(frame, schema, target, _strengths(columns))
    findings = Findings(
        n_checked=0 if target is None else target.sample.size,
        determined=determined,
        rule=None if found is None else found[0],
        rule_columns=() if found is None else found[1],
        same_columns=prints.groups(),
        n_repeated_rows=rows.n_repeated(),
    )
    profile = _assemble(frame, schema, columns, target)
    return dataclasses.replace(profile, warnings=find_warnings(profile, findings))


def _measure(column: Column, cells: Cells, target: TargetView | None) -> ColumnProfile:
    measured = describe(column, cells)
    if target is None or column.role is Role.TARGET or column.kind not in ENCODABLE:
        return measured
    return dataclasses.replace(measured, association=associate(cells, target))


def _strengths(columns: list[ColumnProfile]) -> dict[str, float]:
    return {column.name: column.association.value for column in columns if column.association is not None}


def _assemble(
    frame: pd.DataFrame, schema: FeatureSchema, columns: list[ColumnProfile], target: TargetView | None
) -> TableProfile:
    counts: tuple[int, ...] = ()
    if target is not None and target.numbers is None:
        present = target.codes[target.codes >= 0]
        counts = tuple(np.bincount(present, minlength=len(schema.classes)).tolist())
    return TableProfile(
        n_rows=len(frame),
        n_columns=len(columns),
        columns=tuple(columns),
        notes=() if target is None else _notes(schema, target),
        target=None if schema.target is None else schema.target.name,
        classes=schema.classes if counts else (),
        class_counts=counts,
    )


def _notes(schema: FeatureSchema, target: TargetView) -> tuple[str, ...]:
    if not target.can_be_checked:
        return (f"Only {target.n_usable:,} rows have a target: too few to look for leakage.",)
    notes = []
    if target.sample.size < target.n_usable:
        notes.append(
            f"Leakage was looked for in {target.sample.size:,} of the {target.n_usable:,} rows with a target, drawn "
            "at random; every other number is of all rows."
        )
    n_numbers = sum(column.kind is Kind.NUMBER for column in schema.features)
    if target.numbers is not None and n_numbers > target.n_sum_columns:
        notes.append(
            f"Sums that equal the target were looked for among the {target.n_sum_columns} of {n_numbers:,} number "
            "columns that go with it most."
        )
    return tuple(notes)
