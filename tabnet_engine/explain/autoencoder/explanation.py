"""All that is measured of one autoencoder, together.

Shapes: B rows, F raw features, P players, M measured columns, Z latents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config.settings import Settings, require
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.autoencoder.correlated import correlated_groups
from tabnet_engine.explain.autoencoder.errors import ColumnScale
from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance, reconstruction_importance
from tabnet_engine.explain.autoencoder.information import MIN_ROWS, N_NULL, LatentInformation, latent_information
from tabnet_engine.explain.autoencoder.magnitudes import MagnitudeBaselines, magnitude_baselines
from tabnet_engine.explain.autoencoder.models import Autoencoder, shared_players
from tabnet_engine.explain.autoencoder.shapley import (
    ShapleyBudget,
    error_shapley,
    reconstruction_shapley,
    reconstruction_table,
)
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley, ReconstructionTable
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.subject import ChosenRows, Steering
from tabnet_engine.texts.speaking import msg, say

__all__ = [
    "AutoencoderExplanation",
    "AutoencoderSettings",
    "explain_autoencoder",
]


_TOO_FEW = msg("mutual information: {n_rows:,} rows are fewer than {least}")


@dataclass(frozen=True, kw_only=True)
class AutoencoderSettings(Settings):
    """How much is measured; read from plain values as all settings are.

    Attributes:
        n_rows: rows that the importances, the information and the baselines rest on.
        n_shapley_rows: rows whose Shapley values are computed; 0 leaves them out.
        n_background: rows that stand for "not knowing a column".
        n_repeats: deals of each column's cells to other rows.
        n_evaluations: coalitions a row; None for the default.
        n_null: permuted draws of the mutual information.
        correlation: columns correlated by at least this much move together; None groups none.
        own_cell: "hidden" fills a column in from the others, as a pretraining does; "visible" shows it its own cell.
        seed: of every draw.

    Raises:
        ConfigError: a number outside its range.
    """

    n_rows: int = 500
    n_shapley_rows: int = 20
    n_background: int = 20
    n_repeats: int = 5
    n_evaluations: int | None = None
    n_null: int = N_NULL
    correlation: float | None = None
    own_cell: Literal["hidden", "visible"] = "hidden"
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"n_rows": 2, "n_shapley_rows": 0, "n_background": 1, "n_repeats": 2, "n_null": N_NULL}
        for name, low in least.items():
            require(name, getattr(self, name), low)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1)
        if self.correlation is not None and not 0 < self.correlation <= 1:
            raise ConfigError(f"correlation must be above 0 and at most 1, got {self.correlation}")


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoencoderExplanation:
    """One autoencoder on some rows.

    ``selection`` says which rows. ``information`` is None where the autoencoder shows no latents or the rows are
    too few, ``reconstruction`` and ``error`` where no Shapley values were wanted; ``left_out`` says why.
    """

    selection: str
    permutation: ReconstructionImportance
    zeroing: ReconstructionImportance
    baselines: MagnitudeBaselines
    reconstruction: ReconstructionTable | None = None
    error: ErrorShapley | None = None
    information: LatentInformation | None = None
    background: Background | None = None
    left_out: tuple[str, ...] = ()
    run_id: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """The explanation as plain JSON values."""
        parts = ("permutation", "zeroing", "baselines", "reconstruction", "error", "information", "background")
        found = {name: getattr(self, name) for name in parts}
        return {
            "selection": self.selection,
            **{name: None if part is None else part.to_mapping() for name, part in found.items()},
            "left_out": list(self.left_out),
            "run_id": self.run_id,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        optional: dict[str, Any] = {
            "reconstruction": ReconstructionTable,
            "error": ErrorShapley,
            "information": LatentInformation,
            "background": Background,
        }
        return cls(
            selection=str(values["selection"]),
            permutation=ReconstructionImportance.from_mapping(values["permutation"]),
            zeroing=ReconstructionImportance.from_mapping(values["zeroing"]),
            baselines=MagnitudeBaselines.from_mapping(values["baselines"]),
            **{n: None if values[n] is None else kind.from_mapping(values[n]) for n, kind in optional.items()},
            left_out=tuple(values["left_out"]),
            run_id=str(values["run_id"]),
        )

    def long_table(self) -> pd.DataFrame:
        """One line for each player, method and column, as ``explain`` writes it; global lines have no row.

        Columns: row, feature, method, step, output, value, standard_error. ``output`` is the reconstructed column,
        for the mutual information the latent, null for sizes of weights.
        """
        lines = pd.concat([pd.DataFrame(part) for part in self._long_parts()], ignore_index=True)
        lines["row"], lines["step"] = lines["row"].astype("Int64"), pd.array([pd.NA] * len(lines), dtype="Int64")
        return lines[["row", "feature", "method", "step", "output", "value", "standard_error"]]

    def _long_parts(self) -> Iterator[dict[str, Any]]:
        for part in (self.permutation, self.zeroing):
            name = f"reconstruction_{part.method}"
            yield _crossed(name, part.players, part.columns, part.table, part.standard_error)
        if self.reconstruction is not None:
            table = self.reconstruction
            yield _crossed("reconstruction_shap", table.players, table.columns, table.values, table.standard_error)
        if self.error is not None:
            yield _of_rows(self.error)
        if self.information is not None:
            found = self.information
            yield _crossed("mutual_information", found.features, found.latents, found.values, None)
        if self.baselines.weights is not None:
            yield {
                "row": [None] * len(self.baselines.features),
                "feature": list(self.baselines.features),
                "method": "first_weights",
                "output": None,
                "value": list(self.baselines.weights),
                "standard_error": np.nan,
            }


def _crossed(
    method: str, players: tuple[str, ...], columns: tuple[str, ...], values: npt.NDArray[np.float64], error: Any
) -> dict[str, Any]:
    return {
        "row": [None] * values.size,
        "feature": np.repeat(players, len(columns)),
        "method": method,
        "output": np.tile(columns, len(players)),
        "value": values.reshape(-1),
        "standard_error": np.nan if error is None else error.reshape(-1),
    }


def _of_rows(found: ErrorShapley) -> dict[str, Any]:
    n_rows, n_players = found.values.shape
    return {
        "row": np.repeat(found.rows, n_players),
        "feature": np.tile(found.players, n_rows),
        "method": "error_shap",
        "output": "all columns",
        "value": found.values.reshape(-1),
        "standard_error": np.nan if found.standard_error is None else found.standard_error.reshape(-1),
    }


def explain_autoencoder(
    model: Autoencoder,
    chosen: ChosenRows,
    background: BackgroundSample,
    settings: AutoencoderSettings | None = None,
    *,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    steering: Steering | None = None,
) -> AutoencoderExplanation:
    """Everything that this room measures, of one autoencoder on some rows.

    Args:
        model: a pretraining's network or any torch module, as an autoencoder.
        chosen: the rows (B), at best ones that it did not learn from.
        background: rows that stand for "not knowing a column".
        settings: how much is measured.
        groups: columns that move together, by the group's name.
        steering: asked to cancel between the parts; each part reports its own progress.

    Raises:
        ExplanationError: too few rows, none that differ, or groups that do not fit the columns.
        JobCancelledError: the steering asked to stop.
    """
    settings = settings or AutoencoderSettings()
    table, seed = chosen.table, settings.seed
    players = _players(model, table, groups or {}, settings.correlation)
    facts: dict[str, Any] = {"players": players, "seed": seed, "steering": steering}
    permutation = reconstruction_importance(model, table, n_repeats=settings.n_repeats, **facts)
    zeroing = reconstruction_importance(model, table, method="zeroing", **facts)
    left_out: list[str] = []
    shapley: dict[str, Any] = {}
    if settings.n_shapley_rows:
        scale = ColumnScale.of(model, table)
        first = np.arange(min(settings.n_shapley_rows, len(chosen)))
        rows = ChosenRows(table.take(first), chosen.rows[first], chosen.selection)
        budget = ShapleyBudget(n_evaluations=settings.n_evaluations, seed=seed)
        how: dict[str, Any] = {"players": players, "budget": budget, "steering": steering}
        attribution = reconstruction_shapley(model, rows, background, **how)
        shapley["reconstruction"] = reconstruction_table(model, attribution, scale)
        shapley["error"] = error_shapley(model, rows, background, scale, **how)
        shapley["background"] = background.background
    else:
        left_out.append(say("Shapley values: n_shapley_rows is 0"))
    information = None
    if not model.latent_names:
        left_out.append(say("mutual information: the autoencoder shows no latents"))
    elif len(chosen) < MIN_ROWS:
        left_out.append(say(_TOO_FEW, n_rows=len(chosen), least=MIN_ROWS))
    else:
        information = latent_information(model, table, n_null=settings.n_null, seed=seed, steering=steering)
    return AutoencoderExplanation(
        selection=chosen.selection,
        permutation=permutation,
        zeroing=zeroing,
        baselines=magnitude_baselines(model, table),
        information=information,
        left_out=tuple(left_out),
        run_id=model.run_id,
        **shapley,
    )


def _players(
    model: Autoencoder, table: EncodedTable, groups: Mapping[str, tuple[str, ...]], correlation: float | None
) -> Players:
    if groups and correlation is not None:
        raise ExplanationError("name groups or a correlation to find them by, not both")
    if correlation is not None:
        groups = correlated_groups(model, table, threshold=correlation)
    return Players.grouped(model.layout.feature_names, groups) if groups else shared_players(model.layout)
