"""What the table of a run shows: columns in numbers, warnings, missing and unseen cells of held-out rows.

Shapes: B rows, F raw features.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tabnet_engine.data.encoding import CellState
from tabnet_engine.data.profile import TableProfile, profile_table
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.explain.estimates import Estimate, proportion_estimate
from tabnet_engine.explain.evaluation import held_out

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = ["TableFacts", "table_facts"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TableFacts:
    """The profile of the whole table; of the held-out rows, by column, the shares of missing and of unseen cells.

    A column with no missing (unseen) cell there is not in ``missing`` (``unseen``).
    """

    profile: TableProfile
    missing: Mapping[str, Estimate]
    unseen: Mapping[str, Estimate]


def table_facts(run: Run, frame: pd.DataFrame) -> TableFacts:
    """Profile the table, and count the cells of held-out rows (of an imported run: of all) that hold nothing known.

    Raises:
        SchemaError: the table does not hold what the run reads.
    """
    rows = held_out(run)[0]
    chosen = frame.iloc[rows] if len(rows) and rows.max() < len(frame) else frame
    states = run.encoder.cell_states(chosen)
    return TableFacts(
        profile=profile_table(frame, _present(run.schema, frame)),
        missing=_shares(run.schema, states == CellState.MISSING),
        unseen=_shares(run.schema, states == CellState.UNSEEN),
    )


def _present(schema: FeatureSchema, frame: pd.DataFrame) -> FeatureSchema:
    """The schema of the columns that are there; without targets where the table lacks one."""
    there = tuple(column for column in schema.columns if column.name in frame.columns)
    if all(target.name in frame.columns for target in schema.targets):
        return dataclasses.replace(schema, columns=there)
    names = {target.name for target in schema.targets}
    features = tuple(column for column in there if column.name not in names)
    return FeatureSchema(columns=features)


def _shares(schema: FeatureSchema, flags: np.ndarray) -> dict[str, Estimate]:
    counts = flags.sum(axis=0).tolist()
    return {
        name: proportion_estimate(int(count), len(flags))
        for name, count in zip(schema.feature_names, counts, strict=True)
        if count
    }
