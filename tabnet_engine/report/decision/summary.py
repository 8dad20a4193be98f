"""The first page of a decision report: whether it may be used, the outcome, the principal reasons."""

from __future__ import annotations

from tabnet_engine.report.decision.part_a import reasons_head
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.document import Block, Bullets, Callout, Facts, Paragraph
from tabnet_engine.report.integrity_section import validity_words
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["summary"]


def summary(told: Told, blocked: tuple[str, ...], unmet: tuple[str, ...]) -> tuple[Block, ...]:
    """What to read first, the obstacles before anything else."""
    blocks: list[Block] = [Callout(tone="block", text=sentence) for sentence in blocked]
    if unmet:
        blocks.append(
            Callout(
                tone="warning",
                text=say_plural(
                    "{count} thing that the profile asks for is missing; it is listed in this report.",
                    "{count} things that the profile asks for are missing; they are listed in this report.",
                    len(unmet),
                ),
            )
        )
    blocks.append(Paragraph(text=told.outcome, is_strong=True))
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
        (say("Case id"), told.identity.case_id),
        (say("Row of the table"), f"{told.case.row:,}"),
        (say("Model"), told.identity.run_title),
        (say("Profile"), used),
    )
