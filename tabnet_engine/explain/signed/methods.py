"""Every signed method by its name, one call for all of them.

Shapes: B explained rows, F raw features, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tabnet_engine.errors import ConfigError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.shapley import shap_values
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject

__all__ = ["METHODS", "SignedMethod", "explain_rows"]

METHODS: Mapping[str, str] = {"shap": "SHAP"}


@dataclass(frozen=True, kw_only=True)
class SignedMethod:
    """Which method with which budget.

    ``n_evaluations`` counts coalitions (for gradients: points of the path) per row, None for the method's default.
    ``target_error`` is the standard error, in the unit of the logits, at which a sampling method stops before its
    budget; None uses the whole budget. ``groups`` are columns that move together, by the group's name.
    """

    name: str = "shap"
    n_evaluations: int | None = None
    target_error: float | None = None
    seed: int = 0
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in METHODS:
            raise ConfigError(f"a signed method is one of {', '.join(METHODS)}, got {self.name!r}")


def explain_rows(
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    method: SignedMethod,
    *,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by one method.

    Raises:
        ExplanationError: a budget that cannot be met, an empty background, or values that fail their own check.
        JobCancelledError: the steering asked to stop.
    """
    return shap_values(
        subject,
        chosen,
        background,
        n_evaluations=method.n_evaluations,
        seed=method.seed,
        steering=steering,
    )
