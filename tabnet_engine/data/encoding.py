"""From the user's columns to what the network reads, and the map back.

Shapes: B rows, F raw features. Every slot is computed from one cell of one raw column and from nothing
else, so exchanging a raw cell between two rows exchanges exactly that column's slots. Explanations that
replace single columns (SHAP, what-if) rest on this.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.binning import quantile_edges, standardisation
from tabnet_engine.data.moments import datetime_parts, expand_moments
from tabnet_engine.data.schema import CATEGORICAL, Column, FeatureSchema, Kind
from tabnet_engine.data.values import as_numbers, as_text, as_timestamps, factorise, value_order
from tabnet_engine.errors import SchemaError

__all__ = [
    "FIRST_CATEGORY",
    "MAX_CATEGORIES",
    "MISSING",
    "STANDARDISED_LIMIT",
    "UNSEEN",
    "CellState",
    "EncodedTable",
    "InputLayout",
    "TableEncoder",
]

MISSING, UNSEEN, FIRST_CATEGORY = 0, 1, 2
MAX_CATEGORIES = 255
STANDARDISED_LIMIT = 1e4

_TRUTH_VALUES = frozenset({"True", "False"})


class CellState(IntEnum):
    """How a cell reached the network."""

    OBSERVED = 0
    MISSING = 1
    UNSEEN = 2


@dataclass(frozen=True)
class InputLayout:
    """Which slot of the encoded table belongs to which raw feature (F).

    ``numeric_feature`` and ``categorical_feature`` give the raw feature of each slot; a date fills
    several numeric slots of the same feature. ``categorical_sizes`` counts each slot's states with
    :data:`MISSING` and :data:`UNSEEN`. ``bins`` are increasing edges in standardised units. ``groups``
    numbers the group of each raw feature (F), from 0 without gaps: the features of one group share one
    entry of the masks. When it is empty every feature is a group of its own; read :attr:`feature_group`.
    """

    feature_names: tuple[str, ...]
    numeric_feature: tuple[int, ...]
    categorical_feature: tuple[int, ...]
    categorical_sizes: tuple[int, ...]
    bins: tuple[tuple[float, ...], ...]
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if set(self.numeric_feature) | set(self.categorical_feature) != set(range(self.n_features)):
            raise SchemaError("the input layout must give every feature at least one slot and no slot to others")
        if len(self.categorical_sizes) != len(self.categorical_feature):
            raise SchemaError("the input layout must give one size for each categorical slot")
        if any(size < FIRST_CATEGORY for size in self.categorical_sizes):
            raise SchemaError(f"a categorical slot must have at least {FIRST_CATEGORY} states, missing and unseen")
        if len(self.bins) != len(self.numeric_feature) or not all(map(_is_increasing, self.bins)):
            raise SchemaError("the input layout must give two or more increasing edges for each numeric slot")
        if self.groups and (len(self.groups) != self.n_features or set(self.groups) != set(range(self.n_groups))):
            raise SchemaError("the input layout must give each feature one group, numbered from 0 without gaps")

    @property
    def n_features(self) -> int:
        """F, the number of raw features."""
        return len(self.feature_names)

    @property
    def feature_group(self) -> tuple[int, ...]:
        """The group of each raw feature (F)."""
        return self.groups or tuple(range(self.n_features))

    @property
    def n_groups(self) -> int:
        """G, the number of groups: the width of the network's own masks."""
        return 1 + max(self.feature_group, default=-1)

    def to_mapping(self) -> dict[str, Any]:
        """The layout as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            SchemaError: a part is missing or is not what a layout holds.
        """
        try:
            return cls(
                feature_names=tuple(map(str, values["feature_names"])),
                numeric_feature=tuple(map(int, values["numeric_feature"])),
                categorical_feature=tuple(map(int, values["categorical_feature"])),
                categorical_sizes=tuple(map(int, values["categorical_sizes"])),
                bins=tuple(tuple(map(float, edges)) for edges in values["bins"]),
                groups=tuple(map(int, values.get("groups", ()))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the input layout cannot be read: {error}") from error


def _is_increasing(edges: tuple[float, ...]) -> bool:
    return len(edges) >= 2 and all(low < high for low, high in itertools.pairwise(edges))


@dataclass(frozen=True)
class EncodedTable:
    """What the network reads.

    ``numeric`` is float32 (B, numeric slots), standardised, NaN where missing; ``categorical`` is int64
    (B, categorical slots) with the states :data:`MISSING`, :data:`UNSEEN`, then the categories.
    """

    numeric: npt.NDArray[np.float32]
    categorical: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.numeric.ndim != 2 or self.categorical.ndim != 2 or len(self.numeric) != len(self.categorical):
            shapes = f"{self.numeric.shape} and {self.categorical.shape}"
            raise ValueError(f"numeric and categorical must be matrices with equally many rows, got {shapes}")

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: npt.ArrayLike) -> EncodedTable:
        """The table of the given row positions (or boolean mask), in that order."""
        chosen = np.asarray(rows)
        return EncodedTable(self.numeric[chosen], self.categorical[chosen])


@dataclass(frozen=True)
class TableEncoder:
    """Turns tables into :class:`EncodedTable`; everything it knows comes from the training rows.

    ``schema`` holds the categories seen in training. A number is standardised as
    ``(value - mean) / scale`` and clipped to ±:data:`STANDARDISED_LIMIT`: 1e300, or infinity, becomes
    that limit instead of overflowing float32. At most :data:`MAX_CATEGORIES` categories keep a state of
    their own, the most frequent ones; the others read as unseen.
    """

    schema: FeatureSchema
    layout: InputLayout
    numeric_mean: tuple[float, ...]
    numeric_scale: tuple[float, ...]

    def __post_init__(self) -> None:
        n_slots = len(self.layout.numeric_feature)
        if len(self.numeric_mean) != n_slots or len(self.numeric_scale) != n_slots:
            raise SchemaError(f"the encoder must have one mean and one scale for each of its {n_slots} numeric slots")
        if not np.isfinite(self.numeric_mean).all() or not all(0 < scale < np.inf for scale in self.numeric_scale):
            raise SchemaError("the encoder's means must be finite and its scales positive and finite")
        if self.layout.feature_names != self.schema.feature_names:
            raise SchemaError("the encoder's layout and schema must name the same features in the same order")

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        schema: FeatureSchema,
        *,
        rows: npt.NDArray[np.int64] | None = None,
        n_bins: int = 24,
    ) -> Self:
        """Learn categories, scales and bins.

        Args:
            frame: the user's table.
            schema: its columns; only :attr:`FeatureSchema.features` are read.
            rows: positions of the training rows; all rows when absent. No other row has any influence.
            n_bins: the most bins of a numeric slot.

        Raises:
            SchemaError: no feature, no row, a column that is absent, or a cell that its kind cannot hold.
        """
        chosen = np.arange(len(frame)) if rows is None else np.asarray(rows)
        if not schema.features:
            raise SchemaError("no column is left to learn from; give at least one column the role feature")
        if len(chosen) == 0:
            raise SchemaError("there is no row to learn from")
        columns = tuple(_learn(frame, column, chosen) if column.is_feature else column for column in schema.columns)
        fitted = dataclasses.replace(schema, columns=columns)
        slots = [
            _learn_slot(values, n_bins) for _, values in _numeric_slots(frame, list(enumerate(fitted.features)), chosen)
        ]
        return cls(
            schema=fitted,
            layout=_layout(fitted, tuple(bins for _, _, bins in slots)),
            numeric_mean=tuple(mean for mean, _, _ in slots),
            numeric_scale=tuple(scale for _, scale, _ in slots),
        )

    def transform(self, frame: pd.DataFrame) -> EncodedTable:
        """Encode any table with the same columns; their order is free and further columns are ignored.

        Raises:
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        numeric = np.empty((len(frame), len(self.layout.numeric_feature)), dtype=np.float32)
        categorical = np.empty((len(frame), len(self.layout.categorical_feature)), dtype=np.int64)
        return self._written(frame, range(self.layout.n_features), EncodedTable(numeric, categorical))

    def transform_changed(self, cells: pd.DataFrame, row: EncodedTable) -> EncodedTable:
        """Encode copies of one row in which some columns hold other cells, the same as :meth:`transform` gives.

        Args:
            cells: the changed columns alone, one line for each copy (B).
            row: the row itself, encoded.

        Raises:
            SchemaError: a cell is not what its column's kind holds.
        """
        copies = row.take(np.zeros(len(cells), dtype=np.int64))
        places = [place for place, name in enumerate(self.layout.feature_names) if name in cells.columns]
        return self._written(cells, places, copies)

    def _written(self, frame: pd.DataFrame, places: Sequence[int], table: EncodedTable) -> EncodedTable:
        """The table with the features at some places written over from the frame."""
        features, wanted = self.schema.features, frozenset(places)
        slots = [slot for slot, feature in enumerate(self.layout.numeric_feature) if feature in wanted]
        columns = [(place, features[place]) for place in places]
        for slot, (_, values) in zip(slots, _numeric_slots(frame, columns), strict=True):
            table.numeric[:, slot] = _standardise(values, self.numeric_mean[slot], self.numeric_scale[slot])
        for slot, feature in enumerate(self.layout.categorical_feature):
            if feature in wanted:
                table.categorical[:, slot] = _category_codes(_series(frame, features[feature]), features[feature])
        return table

    def unseen_notes(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """A sentence for each column with categories that training never saw, which are read as unseen.

        Raises:
            SchemaError: as :meth:`transform`.
        """
        notes = []
        for column, states in zip(self.schema.features, self.cell_states(frame).T, strict=True):
            rows = np.flatnonzero(states == CellState.UNSEEN)
            if len(rows):
                notes.append(
                    f"column {column.name!r}: {len(rows):,} of {len(frame):,} cells hold categories that training "
                    f"did not see, first in row {rows[0]:,}; read as unseen"
                )
        return tuple(notes)

    def cell_states(self, frame: pd.DataFrame) -> npt.NDArray[np.uint8]:
        """Which cells were observed, missing or unseen (B, F), as :class:`CellState` values.

        Raises:
            SchemaError: as :meth:`transform`.
        """
        encoded = self.transform(frame)
        states = np.full((len(frame), self.layout.n_features), CellState.OBSERVED, dtype=np.uint8)
        for slot, feature in enumerate(self.layout.numeric_feature):
            states[np.isnan(encoded.numeric[:, slot]), feature] = CellState.MISSING
        for slot, feature in enumerate(self.layout.categorical_feature):
            states[encoded.categorical[:, slot] == MISSING, feature] = CellState.MISSING
            states[encoded.categorical[:, slot] == UNSEEN, feature] = CellState.UNSEEN
        return states

    def display_values(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Each raw feature's cells as a reader wants to see them (B, F): their text, or "missing".

        Raises:
            SchemaError: a column is absent.
        """
        texts = {c.name: as_text(_series(frame, c)).fillna("missing") for c in self.schema.features}
        return pd.DataFrame(texts, index=frame.index)

    def to_mapping(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {
            "schema": self.schema.to_mapping(),
            "layout": self.layout.to_mapping(),
            "numeric_mean": list(self.numeric_mean),
            "numeric_scale": list(self.numeric_scale),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            SchemaError: a part is missing or is not what an encoder holds.
        """
        try:
            return cls(
                schema=FeatureSchema.from_mapping(values["schema"]),
                layout=InputLayout.from_mapping(values["layout"]),
                numeric_mean=tuple(map(float, values["numeric_mean"])),
                numeric_scale=tuple(map(float, values["numeric_scale"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the encoder cannot be read: {error}") from error


def _series(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    if column.name not in frame.columns:
        raise SchemaError(f"the table has no column {column.name!r}, which the model reads; add it or train without it")
    position = frame.columns.get_loc(column.name)
    if not isinstance(position, int):
        raise SchemaError(f"the table has several columns named {column.name!r}; rename all but one")
    return frame[column.name]  # twice as quick as by its place, and asked for every column of many small tables


def _learn(frame: pd.DataFrame, column: Column, rows: npt.NDArray[np.int64]) -> Column:
    series = _series(frame, column)
    if column.kind in CATEGORICAL:
        return dataclasses.replace(column, categories=_categories(series.iloc[rows]))
    if column.kind is Kind.DATETIME and not column.datetime_parts:
        return dataclasses.replace(column, datetime_parts=datetime_parts(as_timestamps(series)[rows]))
    return column


def _categories(series: pd.Series[Any]) -> tuple[str, ...]:
    """The most frequent categories, numbers in their order before texts in theirs."""
    codes, texts = factorise(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    totals: dict[str, int] = {}
    for text, count in zip(texts, counts.tolist(), strict=True):
        totals[text] = totals.get(text, 0) + count
    most_frequent = sorted(totals, key=lambda text: (-totals[text], text))[:MAX_CATEGORIES]
    return tuple(sorted(most_frequent, key=value_order))


def _category_codes(series: pd.Series[Any], column: Column) -> npt.NDArray[np.int64]:
    codes, texts = factorise(series)
    if _TRUTH_VALUES.issuperset(column.categories):
        # One damaged cell turns a column of truth values into text such as "true".
        texts = tuple(text.capitalize() for text in texts)
    state_of = {text: FIRST_CATEGORY + index for index, text in enumerate(column.categories)}
    states = np.array([*(state_of.get(text, UNSEEN) for text in texts), MISSING], dtype=np.int64)
    return states[codes]  # code -1, missing, picks the last


def _numeric_slots(
    frame: pd.DataFrame, features: Sequence[tuple[int, Column]], rows: npt.NDArray[np.int64] | None = None
) -> list[tuple[int, npt.NDArray[np.float64]]]:
    """Raw feature and values (B) of each numeric slot, in slot order."""
    slots: list[tuple[int, npt.NDArray[np.float64]]] = []
    for feature, column in features:
        if column.kind is Kind.NUMBER:
            parts = as_numbers(_series(frame, column))[:, None]
        elif column.kind is Kind.DATETIME:
            parts = expand_moments(as_timestamps(_series(frame, column)), column.datetime_parts)
        else:
            continue
        chosen = parts if rows is None else parts[rows]
        slots.extend((feature, chosen[:, part]) for part in range(chosen.shape[1]))
    return slots


def _learn_slot(values: npt.NDArray[np.float64], n_bins: int) -> tuple[float, float, tuple[float, ...]]:
    mean, scale = standardisation(values)
    return mean, scale, quantile_edges(_standardise(values, mean, scale), n_bins)


def _standardise(values: npt.NDArray[np.float64], mean: float, scale: float) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what overflows is clipped, as documented
        standardised = (values - mean) / scale
    return np.clip(standardised, -STANDARDISED_LIMIT, STANDARDISED_LIMIT).astype(np.float32)


def _layout(schema: FeatureSchema, bins: tuple[tuple[float, ...], ...]) -> InputLayout:
    numeric: list[int] = []
    categorical: list[int] = []
    features = schema.features
    for feature, column in enumerate(features):
        if column.kind in CATEGORICAL:
            categorical.append(feature)
        else:
            numeric.extend([feature] * (len(column.datetime_parts) if column.kind is Kind.DATETIME else 1))
    sizes = tuple(FIRST_CATEGORY + len(features[feature].categories) for feature in categorical)
    return InputLayout(schema.feature_names, tuple(numeric), tuple(categorical), sizes, bins, _groups(features))


def _groups(features: tuple[Column, ...]) -> tuple[int, ...]:
    """Groups by their names, numbered as they first appear; none where no two features share one."""
    keys = [(column.group, feature if column.group is None else None) for feature, column in enumerate(features)]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return () if len(number) == len(features) else tuple(number[key] for key in keys)
