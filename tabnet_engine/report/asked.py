"""What a regulation profile asks of a section, said before the section answers it."""

from __future__ import annotations

from tabnet_engine.report.document import Paragraph
from tabnet_engine.report.regulation import RegulationProfile
from tabnet_engine.texts.speaking import say

__all__ = ["asked_for"]


def asked_for(profile: RegulationProfile, key: str) -> tuple[Paragraph, ...]:
    """The profile's statement on a section as a note; none where it says nothing of it."""
    statement = profile.statement(key)
    if not statement:
        return ()
    return (Paragraph(text=say("What the profile asks for here: {statement}", statement=statement), is_note=True),)
