"""A model report while it is written: what was shown already, and what turned out to be missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tabnet_engine.report.document import Block, Callout, Facts, Paragraph
from tabnet_engine.report.model.evidence import ModelEvidence
from tabnet_engine.report.stated_checks import STATED, not_stated, stated_or_not
from tabnet_engine.texts.speaking import say

__all__ = ["Blocks", "Builder", "Draft"]

Blocks = tuple[Block, ...]


@dataclass(kw_only=True, eq=False)
class Draft:
    """``title`` is that of the section being written; ``lacking`` maps the key of a check to why it does not hold.

    ``told`` are the keys of the statements that stand in the report.
    """

    evidence: ModelEvidence
    title: str = ""
    lacking: dict[str, str] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Blocks]) -> Blocks:
        """Blocks that several parts ask for: written where they come first, pointed at from the others."""
        if name in self._shown:
            return (Paragraph(text=say("See the section “{title}”.", title=self._shown[name])),)
        self._shown[name] = self.title
        return make()

    def missing(self, check: str, sentence: str) -> Callout:
        """Something that was not measured, with how to get it; unmet where the profile requires it."""
        self.lacking.setdefault(check, sentence)
        return Callout(tone="warning", text=sentence)

    def stated(self, *names: str) -> Blocks:
        """What the owner states under some names of :class:`~tabnet_engine.config.ModelFacts`, or that nobody did."""
        return self.stated_keys(*(f"facts.{name}" for name in names))

    def stated_keys(self, *keys: str) -> Blocks:
        """The same under some keys of :data:`~tabnet_engine.report.stated_checks.STATED`."""
        materials = self.evidence.materials
        self.told.update(dict.fromkeys(keys))
        lines = tuple((say(STATED[key]), stated_or_not(materials, key)) for key in keys)
        facts = Facts(lines=lines)
        if all(text == not_stated() for _, text in lines):
            return (facts,)
        return (facts, Paragraph(text=say("Stated by those who answer for the model, not measured."), is_note=True))

    def is_first(self, name: str) -> bool:
        """Whether something is told for the first time; it is not the next time."""
        is_new = name not in self._shown
        self._shown.setdefault(name, self.title)
        return is_new


Builder = Callable[[Draft], Blocks]
