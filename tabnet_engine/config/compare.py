"""What a comparison of two runs computes anew, and on how many rows."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.config.settings import Settings, require

__all__ = ["CompareConfig"]


@dataclass(frozen=True, kw_only=True)
class CompareConfig(Settings):
    """Every row of the table is scored by both runs; ``n_reason_rows`` of them are explained by both.

    ``target`` names one of several targets that both predict, the first where empty. ``label`` is the class whose
    score is explained; where empty the positive one, with several classes the first. Both runs are explained against
    the same ``n_background`` rows, with ``n_evaluations`` a row as in
    :class:`~tabnet_engine.config.limits.ExplainConfig`. A row's "leading" columns are its ``top_k`` largest.
    """

    target: str = ""
    label: str = ""
    n_reason_rows: int = 200
    n_background: int = 50
    n_evaluations: int | None = None
    top_k: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        require("n_reason_rows", self.n_reason_rows, 0, 100_000)
        require("n_background", self.n_background, 1, 10_000)
        if self.n_evaluations is not None:
            require("n_evaluations", self.n_evaluations, 1, 10_000_000)
        require("top_k", self.top_k, 1, 1_000)
        require("seed", self.seed, 0, 2**32 - 1)
