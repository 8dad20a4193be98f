"""One row by other methods: what each makes of the columns, and how far they agree.

Shapes: P players (the raw columns F), M methods. torch is imported where the network runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tabnet_engine.explain.masks import MaskExplanation, explain_masks
from tabnet_engine.explain.reasons.measuring import Measured
from tabnet_engine.explain.reasons.records import MethodRanks
from tabnet_engine.explain.row_methods import compare_methods
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows

__all__ = ["OTHER_METHODS", "ByMethods"]

# Beside the masks. Expected gradients would take longer than all of these together.
OTHER_METHODS = ("integrated_gradients", "ablation")


@dataclass(frozen=True, kw_only=True, eq=False)
class ByMethods:
    """Every method's values of the row, that of the reasons among them; ``agreement`` is their median correlation.

    ``masks`` are of the row alone.
    """

    methods: tuple[MethodRanks, ...]
    agreement: float | None
    masks: MaskExplanation

    @classmethod
    def of(cls, measured: Measured) -> ByMethods:
        """Explain the row by each method, against the same reference.

        Raises:
            ExplanationError: a method's values fail their own check.
        """
        model, row = measured.model, int(measured.chosen.rows[0])
        masks = explain_masks(model.subject, measured.chosen)
        others = (
            explain_rows(
                model.subject,
                measured.chosen,
                measured.reference.background,
                SignedMethod(name=name, seed=model.config.seed),
            )
            for name in OTHER_METHODS
        )
        attributions = [measured.attribution, *(measured.score.attribution(found) for found in others)]
        compared = compare_methods(masks, attributions, row)
        methods = tuple(
            MethodRanks(
                method=reading.method,
                algorithm=reading.algorithm,
                values=tuple(reading.values.tolist()),
                ranks=tuple(reading.ranks.tolist()),
                is_signed=reading.is_signed,
            )
            for reading in compared.readings
        )
        return cls(methods=methods, agreement=compared.median_spearman, masks=masks)

    def ranks_of(self, place: int) -> Mapping[str, int]:
        """The rank of one column by each method but that of the reasons."""
        return {method.method: method.ranks[place] for method in self.methods if method.method != "shap"}
