"""What explanations and tables may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tabnet_engine.config.settings import Settings, require

__all__ = ["ExplainConfig", "TableLimits"]


@dataclass(frozen=True, kw_only=True)
class ExplainConfig(Settings):
    """What the explanations after training may cost, always stated beside their figures.

    ``n_evaluations=None`` means ten antithetic permutations of the columns, ``10 * (2F + 1)`` model
    evaluations per explained row, each averaged over ``n_background`` rows. ``max_mask_rows`` caps the
    rows whose masks are stored.
    """

    n_shap_rows: int = 200
    n_background: int = 50
    n_evaluations: int | None = None
    max_mask_rows: int = 200_000
    seed: int = 0

    def __post_init__(self) -> None:
        require("n_shap_rows", self.n_shap_rows, 0, 1_000_000)
        require("n_background", self.n_background, 1, 10_000)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        require("max_mask_rows", self.max_mask_rows, 1)
        require("seed", self.seed, 0, 2**32 - 1)

    @classmethod
    def suggest(cls, *, n_features: int) -> Self:
        """Fewer rows for SHAP where each costs more: about ten million predictions in all."""
        per_row = 10 * (2 * n_features + 1) * cls.n_background
        return cls(n_shap_rows=min(cls.n_shap_rows, max(20, 10_000_000 // per_row)))


@dataclass(frozen=True, kw_only=True)
class TableLimits(Settings):
    """Bounds on a table and on the process that parses it."""

    max_rows: int = 5_000_000
    max_columns: int = 10_000
    max_cells: int = 200_000_000
    max_file_bytes: int = 2 * 1024**3
    max_parse_bytes: int = 8 * 1024**3
    max_parse_seconds: int = 600
