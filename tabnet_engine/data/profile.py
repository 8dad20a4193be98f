"""A table in numbers before any model: distributions, association with the target, warnings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import pandas as pd

from tabnet_engine.data.profiling.column_profile import Cells, describe, read_cells
from tabnet_engine.data.profiling.duplicates import ColumnPrints, RowHash
from tabnet_engine.data.profiling.leakage import TargetView, associate, determined_by, find_sum, view_targets
from tabnet_engine.data.profiling.profile_records import (
    Association,
    ColumnProfile,
    Histogram,
    Severity,
    TableProfile,
    TableWarning,
    TargetProfile,
    Topic,
)
from tabnet_engine.data.profiling.table_warnings import Findings, Leaks, find_warnings
from tabnet_engine.data.schema import ENCODABLE, Column, FeatureSchema, Kind, Role
from tabnet_engine.errors import SchemaError

__all__ = [
    "Association",
    "ColumnProfile",
    "Histogram",
    "Severity",
    "TableProfile",
    "TableWarning",
    "TargetProfile",
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
        schema: its columns; with targets, associations and leakage are measured too, for each of them.
        seed: of the sample of rows.

    Raises:
        SchemaError: a column that is absent, or a cell that its kind cannot hold.
    """
    absent = [column.name for column in schema.columns if column.name not in frame.columns]
    if absent:
        raise SchemaError(f"the table has no column {absent[0]!r}, which its schema names")
    measures = tuple(_TargetMeasures(view) for view in view_targets(frame, schema, seed))
    rows, prints = RowHash(len(frame)), ColumnPrints()
    columns: list[ColumnProfile] = []
    for column in schema.columns:
        cells = read_cells(frame[column.name], column)
        columns.append(describe(column, cells))
        for measured in measures:
            measured.add(column, cells)
        if column.is_feature or column.role is Role.TARGET:
            rows.add(cells.codes)
        if column.is_feature:
            prints.add(column.name, cells)
    findings = Findings(
        leaks=tuple(measured.leaks(frame, schema) for measured in measures),
        same_columns=prints.groups(),
        n_repeated_rows=rows.n_repeated(),
    )
    profile = _assemble(len(frame), schema, columns, measures)
    return dataclasses.replace(profile, warnings=find_warnings(profile, findings))


@dataclass
class _TargetMeasures:
    """What was measured of each column against one target."""

    view: TargetView
    associations: dict[str, Association] = field(default_factory=dict)
    determined: dict[str, float] = field(default_factory=dict)

    def add(self, column: Column, cells: Cells) -> None:
        """Measure one more column."""
        association = None
        if column.role is not Role.TARGET and column.kind in ENCODABLE:
            association = associate(cells, self.view)
        if association is not None:
            self.associations[column.name] = association
        if column.is_feature:
            self.determined[column.name] = determined_by(cells, self.view)

    def leaks(self, frame: pd.DataFrame, schema: FeatureSchema) -> Leaks:
        """What may give the target away, once every column was added."""
        strengths = {name: association.value for name, association in self.associations.items()}
        rule, names = find_sum(frame, schema, self.view, strengths) or (None, ())
        return Leaks(
            target=self.view.target.name,
            n_checked=self.view.sample.size,
            determined=self.determined,
            rule=rule,
            rule_columns=names,
        )

    def described(self) -> TargetProfile:
        """The target in numbers."""
        counts, target = self.view.class_counts, self.view.target
        classes = target.classes if counts else ()
        return TargetProfile(name=target.name, classes=classes, class_counts=counts, associations=self.associations)


def _assemble(
    n_rows: int, schema: FeatureSchema, columns: list[ColumnProfile], measures: tuple[_TargetMeasures, ...]
) -> TableProfile:
    targets = tuple(measured.described() for measured in measures)
    if not targets:
        return TableProfile(n_rows=n_rows, n_columns=len(columns), columns=tuple(columns))
    first = targets[0]
    return TableProfile(
        n_rows=n_rows,
        n_columns=len(columns),
        columns=tuple(dataclasses.replace(c, association=first.associations.get(c.name)) for c in columns),
        notes=_all_notes(schema, [measured.view for measured in measures]),
        target=first.name,
        classes=first.classes,
        class_counts=first.class_counts,
        targets=targets,
    )


_NOTES_OF_ANY = (
    "Only {n_usable:,} rows have a target: too few to look for leakage.",
    (
        "Leakage was looked for in {n_sampled:,} of the {n_usable:,} rows with a target, drawn at random; every "
        "other number is of all rows."
    ),
    (
        "Sums that equal the target were looked for among the {n_columns} of {n_numbers:,} number columns that go "
        "with it most."
    ),
)
_NOTES_OF_ONE = (
    "Only {n_usable:,} rows have {target!r}: too few to look for leakage.",
    (
        "Leakage was looked for in {n_sampled:,} of the {n_usable:,} rows with {target!r}, drawn at random; every "
        "other number is of all rows."
    ),
    (
        "Sums that equal {target!r} were looked for among the {n_columns} of {n_numbers:,} number columns that go "
        "with it most."
    ),
)


def _all_notes(schema: FeatureSchema, views: list[TargetView]) -> tuple[str, ...]:
    """What is true of every target is said once, without a name."""
    shared = {_notes(schema, view) for view in views}
    if len(shared) == 1:
        return shared.pop()
    return tuple(note for view in views for note in _notes(schema, view, view.target.name))


def _notes(schema: FeatureSchema, target: TargetView, name: str | None = None) -> tuple[str, ...]:
    n_numbers = sum(column.kind is Kind.NUMBER for column in schema.features)
    few, sampled, sums = _NOTES_OF_ANY if name is None else _NOTES_OF_ONE
    facts = {
        "target": name,
        "n_usable": target.n_usable,
        "n_sampled": target.sample.size,
        "n_columns": target.n_sum_columns,
        "n_numbers": n_numbers,
    }
    if not target.can_be_checked:
        return (few.format(**facts),)
    notes = []
    if target.sample.size < target.n_usable:
        notes.append(sampled.format(**facts))
    if target.numbers is not None and n_numbers > target.n_sum_columns:
        notes.append(sums.format(**facts))
    return tuple(notes)
