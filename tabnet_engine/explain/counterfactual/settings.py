"""What is asked of a search for counterfactuals. No torch: pages import this."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from tabnet_engine.errors import ExplanationError

__all__ = ["SearchSettings"]


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """What is asked of a search.

    ``n`` proposals with at most ``max_changes`` changes each (columns that move together count once). A proposal may
    be no less usual than the share ``min_usual`` of the training rows; where the row itself is less usual than that,
    its proposals may be as unusual as it is. After ``seconds`` the search ends with what it has found by then; without
    them it ends when it is done, and is the same every time.

    Raises:
        ExplanationError: a setting outside its range.
    """

    n: int = 3
    max_changes: int = 5
    min_usual: float = 0.01
    seed: int = 0
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ExplanationError(f"at least one counterfactual must be asked for, got {self.n}")
        if self.max_changes < 1:
            raise ExplanationError(f"at least one change must be allowed, got max_changes = {self.max_changes}")
        if not 0 <= self.min_usual < 1:
            raise ExplanationError(f"min_usual is a share of the training rows from 0 to below 1, got {self.min_usual}")

        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ExplanationError(f"the time of a search must be above 0 seconds, got {self.seconds}")

    def to_mapping(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)
