"""How much each latent tells of each column: mutual information in nats, beside what chance alone would show.

The estimates are those of nearest neighbours (Kraskov, Stögbauer & Grassberger 2004; Ross 2014 for categories), by
scikit-learn. They are biased for few rows, upwards as well as downwards; the same estimate with the latent permuted
among the rows, where the truth is zero, shows by how much.

Shapes: B rows, F raw features, Z latents, R permutations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import FIRST_CATEGORY, EncodedTable
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.autoencoder.models import Autoencoder, Floats
from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.subject import Steering
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["LatentInformation", "latent_information"]

MIN_ROWS = 50  # fewer give no estimate worth showing
N_NEIGHBOURS = 3  # scikit-learn's own
LEVEL = 0.05
N_NULL = 19  # the fewest draws of which the largest stands at the level of 5 %
N_HALVES = 10

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentInformation:
    """Mutual information between each column and each latent (F, Z), in nats.

    ``values`` are the estimates as they are, ``null`` (F, Z) their mean with the latent permuted (where the truth
    is zero), so ``values - null`` is the information beyond chance. ``low`` and ``high`` (F, Z) are the 95 %
    interval of ``values``. ``threshold`` is passed by the largest of all permuted estimates in 5 % of the draws:
    what lies above it is told apart from chance, all pairs taken together. ``rows`` (F,) counts each column's
    observed cells. ``dead`` latents (Z,) are the same for every row and tell nothing.
    """

    features: tuple[str, ...]
    latents: tuple[str, ...]
    values: Floats
    null: Floats
    low: Floats
    high: Floats
    threshold: float
    rows: npt.NDArray[np.int64]
    dead: Bools
    n_null: int
    n_halves: int
    seed: int
    note: str

    def __post_init__(self) -> None:
        shape = (len(self.features), len(self.latents))
        for name in ("values", "null", "low", "high"):
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite and have the shape {shape}")
        if self.rows.shape != shape[:1] or self.dead.shape != shape[1:]:
            raise ValueError("rows must count for each feature, dead tell for each latent")

    @property
    def beyond_chance(self) -> Floats:
        """The information that chance does not show (F, Z), never below zero."""
        return np.maximum(self.values - self.null, 0.0)

    @property
    def is_told_apart(self) -> Bools:
        """The pairs (F, Z) above the threshold."""
        told: Bools = self.values > self.threshold
        return told

    def to_mapping(self) -> dict[str, Any]:
        """The information as plain JSON values."""
        return {
            "features": list(self.features),
            "latents": list(self.latents),
            **{name: getattr(self, name).tolist() for name in ("values", "null", "low", "high", "rows", "dead")},
            "threshold": self.threshold,
            "n_null": self.n_null,
            "n_halves": self.n_halves,
            "seed": self.seed,
            "note": self.note,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        shape = (len(values["features"]), len(values["latents"]))
        arrays = {
            name: np.asarray(values[name], dtype=np.float64).reshape(shape)
            for name in ("values", "null", "low", "high")
        }
        return cls(
            features=tuple(values["features"]),
            latents=tuple(values["latents"]),
            **arrays,
            threshold=float(values["threshold"]),
            rows=np.asarray(values["rows"], dtype=np.int64),
            dead=np.asarray(values["dead"], dtype=np.bool_),
            n_null=int(values["n_null"]),
            n_halves=int(values["n_halves"]),
            seed=int(values["seed"]),
            note=str(values["note"]),
        )


def latent_information(
    model: Autoencoder,
    table: EncodedTable,
    *,
    n_null: int = N_NULL,
    n_halves: int = N_HALVES,
    seed: int = 0,
    steering: Steering | None = None,
) -> LatentInformation:
    """Mutual information between the columns and the latents.

    A missing cell takes no part. A date tells as much as the one of its parts that tells most (a lower bound of what
    all of them tell together); the permuted estimates are made alike. The interval is normal, its width from halves
    of the rows drawn without replacement, whose variance is that of all rows (the delete-half jackknife, Shao & Wu
    1989): resampling with replacement would repeat rows, which nearest neighbours take for information.

    Args:
        model: an autoencoder that shows its latents.
        table: rows (B).
        n_null: R, draws of the permuted estimate, at least 19 for a level of 5 %.
        n_halves: draws of half the rows, at least 2.
        seed: of the draws.
        steering: told the estimates done; may cancel.

    Raises:
        ExplanationError: no latents, too few rows, or too few draws.
        JobCancelledError: the steering asked to stop.
    """
    latents, names = model.encode(table), model.latent_names
    _check(len(table), len(names), n_null, n_halves)
    steering = steering or Steering()
    inputs = _Inputs.of(model, table)
    spread = latents.max(axis=0) - latents.min(axis=0)
    dead = spread <= 1e-9 * np.maximum(1.0, np.abs(latents).max(axis=0))
    generator = np.random.default_rng(seed)
    total = 1 + n_null + n_halves
    values = inputs.information(latents, dead, seed)
    steering.step(1, total)
    nulls, halves = [], []
    for done in range(n_null):
        nulls.append(inputs.information(latents[generator.permutation(len(latents))], dead, seed))
        steering.step(2 + done, total)
    for done in range(n_halves):
        half = np.sort(generator.permutation(len(latents))[: len(latents) // 2])
        halves.append(inputs.take(half).information(latents[half], dead, seed))
        steering.step(2 + n_null + done, total)
    margin = NORMAL_POINT * np.std(halves, axis=0, ddof=1)
    return LatentInformation(
        features=model.layout.feature_names,
        latents=names,
        values=values,
        null=np.mean(nulls, axis=0),
        low=np.maximum(values - margin, 0.0),
        high=values + margin,
        threshold=_threshold([float(null.max()) for null in nulls]),
        rows=inputs.counts(model.layout.n_features),
        dead=dead,
        n_null=n_null,
        n_halves=n_halves,
        seed=seed,
        note=_note(len(table), n_null, int(dead.sum())),
    )


def _check(n_rows: int, n_latents: int, n_null: int, n_halves: int) -> None:
    if n_latents == 0:
        raise ExplanationError("this autoencoder shows no latents; name its encoder, or leave the information out")
    if n_rows < MIN_ROWS:
        raise ExplanationError(f"mutual information needs at least {MIN_ROWS} rows, got {n_rows}")
    if n_null < N_NULL:
        raise ExplanationError(f"n_null must be at least {N_NULL} for a level of 5 %, got {n_null}")
    if n_halves < 2:
        raise ExplanationError(f"n_halves must be at least 2 for an interval, got {n_halves}")


def _threshold(largest: list[float]) -> float:
    """The value that the largest permuted estimate passes in 5 % of the draws (Westfall & Young 1993, max T)."""
    place = int(np.ceil((len(largest) + 1) * (1 - LEVEL))) - 1
    return float(np.sort(largest)[min(place, len(largest) - 1)])


@dataclass(frozen=True)
class _Inputs:
    """The slots of the rows: their values (B, slots), whether each is a category, whose it is, what was observed."""

    values: Floats
    is_category: Bools
    owner: npt.NDArray[np.int64]
    observed: Bools

    @classmethod
    def of(cls, model: Autoencoder, table: EncodedTable) -> Self:
        layout = model.layout
        absent = np.concatenate([np.isnan(table.numeric), table.categorical < FIRST_CATEGORY], axis=1)
        values = np.concatenate([np.nan_to_num(table.numeric.astype(np.float64)), table.categorical], axis=1)
        n_numbers = len(layout.numeric_feature)
        return cls(
            values,
            np.arange(values.shape[1]) >= n_numbers,
            np.array([*layout.numeric_feature, *layout.categorical_feature], dtype=np.int64),
            ~absent,
        )

    def take(self, rows: npt.NDArray[np.int64]) -> Self:
        return type(self)(self.values[rows], self.is_category, self.owner, self.observed[rows])

    def counts(self, n_features: int) -> npt.NDArray[np.int64]:
        """Observed cells of each feature (F,)."""
        counts = np.zeros(n_features, dtype=np.int64)
        counts[self.owner] = self.observed.sum(axis=0)
        return counts

    def information(self, latents: Floats, dead: Bools, seed: int) -> Floats:
        """Nats (F, Z); zero for dead latents, for constant columns and for those with too few observed cells."""
        from sklearn.feature_selection import mutual_info_regression

        found = np.zeros((int(self.owner.max()) + 1, latents.shape[1]))
        for rows, slots in self._patterns():
            if rows.sum() <= 2 * N_NEIGHBOURS or not len(slots):
                continue
            inputs = self.values[np.ix_(rows, slots)]
            for latent in np.flatnonzero(~dead):
                z = latents[rows, latent]
                if z.max() <= z.min():
                    continue
                nats = mutual_info_regression(
                    inputs,
                    z,
                    discrete_features=self.is_category[slots],
                    n_neighbors=N_NEIGHBOURS,
                    random_state=seed,
                )
                np.maximum.at(found[:, latent], self.owner[slots], nats)
        return found

    def _patterns(self) -> list[tuple[Bools, npt.NDArray[np.int64]]]:
        """Slots that are observed in the same rows, with these rows; slots that never change there are left out."""
        gathered: dict[bytes, list[int]] = {}
        for slot in range(self.values.shape[1]):
            seen = self.values[self.observed[:, slot], slot]
            if len(seen) and seen.max() > seen.min():
                gathered.setdefault(self.observed[:, slot].tobytes(), []).append(slot)
        return [(self.observed[:, slots[0]], np.array(slots, dtype=np.int64)) for slots in gathered.values()]


_NOTE = msg(
    "Mutual information in nats over {n_rows:,} rows, estimated from nearest neighbours, which is biased for few rows; "
    "the permuted estimate ({n_null:,} draws) shows what chance alone gives. It says that a latent knows of a column, "
    "not that the reconstruction uses it."
)


def _note(n_rows: int, n_null: int, n_dead: int) -> str:
    told = [say(_NOTE, n_rows=n_rows, n_null=n_null)]
    if n_dead:
        told.append(
            say_plural(
                "{count} latent is the same for every row and tells nothing.",
                "{count:,} latents are the same for every row and tell nothing.",
                n_dead,
            )
        )
    return one_text(told)
