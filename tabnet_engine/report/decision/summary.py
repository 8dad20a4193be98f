"""The first page of a decision report: the outcome, the principal reasons, the profile."""

from __future__ import annotations

from tabnet_engine.report.decision.part_a import reasons_head
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.document import Block, Bullets, Facts, Paragraph
from tabnet_engine.report.integrity_section import validity_words
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

__all__ = ["summary"]


def summary(told: Told) -> tuple[Block, ...]:
    """What to read first; whether the report may be used stands before it wherever it is shown."""
    blocks: list[Block] = [Paragraph(text=told.outcome, is_strong=True)]
    if told.case.reasons:
        blocks.append(Paragraph(text=reasons_head(told)))
        blocks.append(Bullets(items=tuple(one.text for one in told.sentences), is_numbered=True))
    elif told.case.no_reason:
        blocks.append(Paragraph(text=recalled(told.case.no_reason)))
    blocks += [
        Facts(lines=_head(told)),
        Paragraph(
            text=say(
                "Reasons are what columns add to or take from the score, measured against a reference "
                "population of approved cases. What the model read is shown apart from them."
            ),
            is_note=True,
        ),
    ]
    return tuple(blocks)


def _head(told: Told) -> tuple[tuple[str, str], ...]:
    profile = told.materials.profile
    used = say(
        "{title}, version {version}, valid {validity}",
        title=profile.title,
        version=profile.version,
        validity=validity_words(profile),
    )
    return (
        (say("Row of the table"), f"{told.case.row:,}"),
        (say("Regulation profile"), used),
    )
