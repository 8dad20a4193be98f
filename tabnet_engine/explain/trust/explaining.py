"""The same explanation made again and again: of other networks, other backgrounds, other rows.

Shapes: B rows, P players, K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.masks import MaskExplanation, explain_masks
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.explain.trust.row_values import MASKS, Outputs, RowValues
from tabnet_engine.texts.speaking import say

__all__ = ["Explained", "Explainer"]


@dataclass(frozen=True)
class Explained:
    """What one method says of some rows, for every output."""

    result: Attribution | MaskExplanation

    def values(self, outputs: Outputs) -> RowValues:
        """Its values for one output of each row, ``outputs`` (B,) by position."""
        if isinstance(self.result, MaskExplanation):
            return RowValues.of_masks(self.result)
        return RowValues.of_attribution(self.result, outputs)

    @property
    def algorithm(self) -> str:
        """How it was computed, in words."""
        return say("read from the forward pass") if isinstance(self.result, MaskExplanation) else self.result.algorithm


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """One method with its budget, to be asked again under other conditions.

    ``method`` is :data:`~tabnet_engine.explain.trust.row_values.MASKS` or a signed method.
    """

    method: str
    n_evaluations: int | None = None
    target_error: float | None = None
    seed: int = 0

    def __call__(
        self, subject: Subject, chosen: ChosenRows, background: BackgroundSample, *, steering: Steering | None = None
    ) -> Explained:
        """Explain the rows.

        Raises:
            ExplanationError: as :func:`~tabnet_engine.explain.signed.methods.explain_rows` does.
            JobCancelledError: the steering asked to stop.
        """
        if self.method == MASKS:
            return Explained(explain_masks(subject, chosen, steering=steering))
        signed = SignedMethod(
            name=self.method, n_evaluations=self.n_evaluations, target_error=self.target_error, seed=self.seed
        )
        return Explained(explain_rows(subject, chosen, background, signed, steering=steering))
