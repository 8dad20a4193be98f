"""What a certificate measures, on how many rows and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tabnet_engine.config.limits import EXPLAIN_METHODS
from tabnet_engine.config.settings import Settings, require
from tabnet_engine.errors import ConfigError

__all__ = ["CERTIFY_METHODS", "CertifyConfig"]

# Those that say something of each single row.
CERTIFY_METHODS = tuple(name for name in EXPLAIN_METHODS if name != "permutation")
# How many predictions the explanations of a default certificate may cost: a minute or two on one core.
_FORWARDS = 20_000_000
_LEAST_ROWS, _LEAST_STABILITY_ROWS, _LEAST_REPETITIONS = 20, 10, 3


@dataclass(frozen=True, kw_only=True)
class CertifyConfig(Settings):
    """What is measured about a run's explanations; every number is stated in the certificate.

    Agreement, faithfulness and the fully random network are measured on ``n_rows`` held-out rows; the cascade of
    random weights and all repetitions, which each explain the rows anew, on ``n_stability_rows`` of them. A row's
    "leading" columns are its ``top_k`` largest. ``n_random_orders`` are walked beside each method's own order.
    ``n_repetitions`` counts perturbed copies of each row, and backgrounds drawn anew; cells move by at most
    ``perturbation`` standard deviations of their column. ``n_retrainings`` None means 3 with a table and 0 without.
    ``n_evaluations`` is the budget of each explanation of a row, as in
    :class:`~tabnet_engine.config.limits.ExplainConfig`; ``n_background`` takes at most so many of the run's
    background rows. Gradients are refined until values and base miss the score by at most ``gradient_precision``
    of the scores' standard deviation over the background: repetitions differ by far more.
    """

    methods: tuple[str, ...] = ("masks", "shap", "gradients")
    n_rows: int = 100
    n_stability_rows: int = 30
    n_background: int = 50
    n_evaluations: int | None = None
    gradient_precision: float = 0.002
    top_k: int = 3
    n_random_orders: int = 10
    n_repetitions: int = 5
    perturbation: float = 0.05
    n_retrainings: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require("n_rows", self.n_rows, 2, 1_000_000)
        require("n_stability_rows", self.n_stability_rows, 2, 1_000_000)
        require("n_background", self.n_background, 1, 10_000)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        require("gradient_precision", self.gradient_precision, 1e-9, 1.0)
        require("top_k", self.top_k, 1, 1_000)
        require("n_random_orders", self.n_random_orders, 2, 1_000)
        if self.n_random_orders % 2:
            raise ConfigError(f"n_random_orders must be even, since orders come in pairs, got {self.n_random_orders}")
        require("n_repetitions", self.n_repetitions, 0, 1_000)
        # Cells that do not move would be stable whatever the network is.
        require("perturbation", self.perturbation, 1e-6, 1.0)
        if self.n_retrainings is not None:
            require("n_retrainings", self.n_retrainings, 0, 100)
        require("seed", self.seed, 0, 2**32 - 1)
        self._check_methods()

    def _check_methods(self) -> None:
        for name in self.methods:
            if name not in CERTIFY_METHODS:
                raise ConfigError(f"methods must be any of {', '.join(CERTIFY_METHODS)}, got {name!r}")
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ConfigError(f"methods must name one or more methods once each, got {', '.join(self.methods)!r}")

    @classmethod
    def suggest(cls, *, n_features: int) -> Self:
        """Fewer rows and repetitions for wide tables, whose rows cost more each; never too few for an interval."""
        n_explained = 2 * cls.n_rows + cls.n_stability_rows * (4 + 2 * cls.n_repetitions + 3)
        share = min(1.0, _FORWARDS / (n_explained * 10 * (2 * n_features + 1) * cls.n_background))
        return cls(
            n_rows=max(_LEAST_ROWS, round(share * cls.n_rows)),
            n_stability_rows=max(_LEAST_STABILITY_ROWS, round(share * cls.n_stability_rows)),
            n_repetitions=max(_LEAST_REPETITIONS, round(share * cls.n_repetitions)),
        )
