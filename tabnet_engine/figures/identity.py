"""One colour for each feature and each class of a run, the same on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tabnet_engine.figures.theme import NEUTRAL, PALETTE

__all__ = ["CLASS_COLORS", "ColorScheme"]

# Not the grey of "the rest"; the blue and orange of "up" and "down" come last, where a sixth class needs them.
CLASS_COLORS = ("#0c98ae", "#b3147c", "#8f8b46", "#9a3ff0", "#bf6b78", "#1c6fc4", "#d8431a")


@dataclass(frozen=True)
class ColorScheme:
    """Colours of a run's features and classes.

    As many features as there are colours that can be told apart have one of their own: the ``leading`` ones, in
    the order of what is read most. The others share the grey of "the rest" and are told apart by their names.
    """

    leading: tuple[str, ...]
    classes: tuple[str, ...]

    @classmethod
    def of(cls, features: Sequence[str], classes: Sequence[str]) -> ColorScheme:
        """The scheme of a run.

        Args:
            features: names in the order of what is read most.
            classes: names of the target's classes in the order of the run; empty for a regression.
        """
        return cls(tuple(features[: len(PALETTE)]), tuple(classes))

    def feature(self, name: str) -> str:
        """The colour of a feature."""
        return PALETTE[self.leading.index(name)] if name in self.leading else NEUTRAL

    def of_class(self, name: str) -> str:
        """The colour of a class; beyond seven classes colours repeat, names and positions tell them apart."""
        return CLASS_COLORS[self.classes.index(name) % len(CLASS_COLORS)] if name in self.classes else NEUTRAL
