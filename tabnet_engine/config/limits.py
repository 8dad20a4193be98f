"""What explanations consist of, and what they and tables may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from tabnet_engine.config.settings import Settings, require
from tabnet_engine.errors import ConfigError

__all__ = ["EXPLAIN_METHODS", "WIDE", "ExplainConfig", "TableLimits"]


EXPLAIN_METHODS = (
    "masks",
    "shap",
    "exact",
    "sampling",
    "gradients",
    "integrated_gradients",
    "ablation",
    "shap_permutation",
    "shap_kernel",
    "shap_exact",
    "permutation",
)
# Points below which no path of gradients can be followed.
LEAST_POINTS = 8
# Columns from which the default settings leave SHAP out.
WIDE = 500
# How many cells the predictions of SHAP, and of the permutation importance, may read by default.
_CELLS = 120_000_000
_IMPORTANCE_REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class ExplainConfig(Settings):
    """What the explanations after training consist of and may cost, always stated beside their figures.

    ``methods`` are those beside the masks, which are always there; ``n_shap_rows`` is how many rows each signed
    method explains. ``n_evaluations=None`` means each method's own default, for SHAP ten antithetic permutations
    of the columns, each evaluation averaged over ``n_background`` rows. Sampling stops once every standard error is
    at most ``target_error``. ``n_points`` are at most those of a path of gradients, which stops once its values miss
    the logit by at most ``path_error``, for a target that is a number in its standard deviations (None: the
    method's own bound, a hundred times stricter and eight times slower). ``max_mask_rows`` caps the rows whose masks
    are stored, ``n_importance_rows`` the held-out rows that permutation importance, effects and the certificate are
    measured on. ``n_effect_columns`` of the leading columns get effect curves and interactions; 0 leaves them out.

    ``background`` says which training rows stand for "not knowing a column": a stratified sample of all
    (``training``), of the class ``background_class``, of the rows that ``background_where`` describes, or those
    whose predicted probability (of ``background_class``, for two classes of the positive one) is nearest to
    ``cutoff``, on ``background_side`` of it.
    """

    methods: tuple[str, ...] = ("shap", "gradients", "permutation")
    n_shap_rows: int = 200
    n_background: int = 50
    n_evaluations: int | None = None
    n_points: int | None = None
    target_error: float | None = None
    path_error: float | None = 1e-3
    max_mask_rows: int = 200_000
    n_importance_rows: int = 2_000
    n_effect_columns: int = 6
    background: Literal["training", "class", "where", "cutoff"] = "training"
    background_class: str | None = None
    background_where: str | None = None
    background_side: Literal["both", "above", "below"] = "both"
    cutoff: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        require("n_shap_rows", self.n_shap_rows, 0, 5_000_000)
        require("n_background", self.n_background, 1, 10_000)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        if self.n_points is not None:
            require("n_points", self.n_points, LEAST_POINTS, 1_000_000)
        for name in ("target_error", "path_error"):
            if getattr(self, name) is not None:
                require(name, getattr(self, name), 1e-9)
        require("max_mask_rows", self.max_mask_rows, 1)
        require("n_importance_rows", self.n_importance_rows, 1, 1_000_000)
        require("n_effect_columns", self.n_effect_columns, 0, 100)
        require("cutoff", self.cutoff, 0, 1)
        require("seed", self.seed, 0, 2**32 - 1)
        self._check_methods()
        self._check_background()

    def _check_methods(self) -> None:
        for name in self.methods:
            if name not in EXPLAIN_METHODS:
                raise ConfigError(f"methods must be any of {', '.join(EXPLAIN_METHODS)}, got {name!r}")
        if len(set(self.methods)) < len(self.methods):
            raise ConfigError(f"methods must be named once each, got {', '.join(self.methods)}")

    def _check_background(self) -> None:
        if self.background == "class" and not self.background_class:
            raise ConfigError("background=class needs background_class, the class whose rows are the background")
        if self.background == "where" and not self.background_where:
            raise ConfigError("background=where needs background_where, a condition such as 'age >= 30'")
        if self.background_class and self.background not in {"class", "cutoff"}:
            raise ConfigError("background_class is only read with background=class or background=cutoff")
        if self.background_where and self.background != "where":
            raise ConfigError("background_where is only read with background=where")

    @property
    def signed_methods(self) -> tuple[str, ...]:
        """The chosen methods that give each row signed values."""
        return tuple(name for name in self.methods if name not in {"masks", "permutation"})

    @classmethod
    def suggest(cls, *, n_features: int) -> Self:
        """Fewer rows, orders of the columns and background rows where each costs more: about a minute of SHAP.

        A prediction costs in proportion to the columns, and a row takes two for each column, order and background
        row. Above :data:`WIDE` columns SHAP is left for the user to ask for: a row takes minutes.
        """
        orders = 10 if n_features <= 30 else 4 if n_features <= 100 else 2
        n_background = cls.n_background if n_features <= 100 else 25
        n_evaluations = orders * (2 * n_features + 1)
        importance_cells = _IMPORTANCE_REPEATS * max(1, n_features) ** 2
        return cls(
            methods=cls.methods if n_features <= WIDE else tuple(name for name in cls.methods if name != "shap"),
            n_shap_rows=min(cls.n_shap_rows, max(10, _CELLS // (n_evaluations * n_background * max(1, n_features)))),
            n_background=n_background,
            n_evaluations=None if orders == 10 else n_evaluations,
            n_importance_rows=min(cls.n_importance_rows, max(200, _CELLS // importance_cells)),
        )


@dataclass(frozen=True, kw_only=True)
class TableLimits(Settings):
    """Bounds on a table and on the process that parses it."""

    max_rows: int = 5_000_000
    max_columns: int = 10_000
    max_cells: int = 200_000_000
    max_file_bytes: int = 2 * 1024**3
    max_parse_bytes: int = 8 * 1024**3
    max_parse_seconds: int = 600
