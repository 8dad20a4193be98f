"""When a row is approved by the champion and by the challenger: the rule of decision reports, a cutoff for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.reasons.scoring import FavourableScore, decision_for

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.explain.comparison.targets import SharedTarget

__all__ = ["ApprovalRules"]


@dataclass(frozen=True, kw_only=True)
class ApprovalRules:
    """The rule of the champion (``first``) and of the challenger (``second``), on logits in the common form.

    Both are of one target and favour the same outcome; only the cutoffs may differ. ``is_assumed`` tells that nobody
    chose the favourable class, so that it was taken by its name.
    """

    first: FavourableScore
    second: FavourableScore
    is_assumed: bool

    @classmethod
    def of(cls, target: SharedTarget, config: ReportConfig) -> Self | None:
        """The rules that a report is asked for; None where nothing is said of what is approved, and nothing is usual.

        Args:
            target: what both runs predict.
            config: favourable class, cutoff, cutoff of the champion, and which side of a quantity is favourable.

        Raises:
            ExplanationError: what is said does not fit the target, or is not enough for both runs.
        """
        if _says_nothing(target, config):
            return None
        codec = TargetCodec(target.name, target.task, target.classes)
        cutoffs = (config.cutoff if config.baseline_cutoff is None else config.baseline_cutoff, config.cutoff)
        (before, is_assumed), (after, _) = (
            decision_for(codec, config.favourable, cutoff, is_high_favourable=config.is_high_favourable)
            for cutoff in cutoffs
        )
        targets = TargetCodecs((codec,))
        return cls(
            first=FavourableScore.of(targets, target.name, before),
            second=FavourableScore.of(targets, target.name, after),
            is_assumed=is_assumed,
        )

    @property
    def favourable(self) -> str:
        """The class that is decided in a person's favour; empty for a quantity."""
        return self.second.decision.favourable


def _says_nothing(target: SharedTarget, config: ReportConfig) -> bool:
    """Two classes have a usual rule; a quantity and several classes have one only where somebody says something."""
    said = (config.favourable or None, config.cutoff, config.baseline_cutoff)
    return target.task is not Task.BINARY and all(value is None for value in said)
