"""Part A: what an individual notice rests on. The action, its principal reasons, who decided, the person's rights."""

from __future__ import annotations

from tabnet_engine.explain.wording import class_name
from tabnet_engine.report.dates import date_words
from tabnet_engine.report.decision.told import Told, bare, quoted_columns
from tabnet_engine.report.document import Block, Bullets, Callout, Facts, Paragraph, Table
from tabnet_engine.report.stated_checks import STATED, stated_or_not
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["action", "creditor", "reasons", "reasons_head", "rights"]


def action(told: Told) -> tuple[Block, ...]:
    """The outcome, the rule behind it, and what this report cannot know about it."""
    score = told.case.score
    lines = (
        (say("Outcome"), say("favourable") if told.is_favourable else say("not favourable")),
        (say("Given by the model"), _given(told)),
        (say("A row is approved where"), told.rule),
        (say("Score"), told.level_with_share(score.value, score.share)),
        (say("Day of this report"), date_words(told.identity.created)),
    )
    blocks: list[Block] = [
        Paragraph(text=told.outcome, is_strong=True),
        Facts(lines=lines),
        *told.stated("facts.purpose"),
    ]
    if told.case.favourable_is_assumed:
        blocks.append(
            Callout(
                tone="warning",
                text=say(
                    "Nobody chose which outcome is favourable: it is assumed to be the case where {rule}.",
                    rule=told.rule,
                ),
            )
        )
    if told.is_favourable:
        blocks.append(
            Callout(
                tone="note",
                text=say(
                    "The row is approved: what is said here about decisions against a person does not apply to it."
                ),
            )
        )
    blocks.append(
        Paragraph(
            text=say(
                "This is what the model gives under the rule above. Whether the organisation acted on it, and when, is "
                "not recorded by the model; whoever signs this report confirms it."
            ),
            is_note=True,
        )
    )
    return tuple(blocks)


def _given(told: Told) -> str:
    if told.is_quantity:
        return say("a predicted value of {value}", value=told.level(told.case.score.value))
    return class_name(told.case.score.predicted)


def reasons(told: Told) -> tuple[Block, ...]:
    """The principal reasons as sentences, each with its code and who stands for it."""
    case = told.case
    if not case.reasons:
        why = recalled(case.no_reason) or say("No column can be named as a principal reason for this outcome.")
        return (Callout(tone="warning" if told.is_favourable else "block", text=why), *_left_out(told))
    rows = tuple(
        (
            f"{reason.rank}",
            bare(sentence.code),
            sentence.text,
            reason.column,
            told.actual(reason.contribution),
            _review_words(sentence.is_reviewed, is_generated=sentence.is_generated),
        )
        for reason, sentence in zip(case.reasons, told.sentences, strict=True)
    )
    table = Table(
        caption=say("The principal reasons, their codes and the columns they rest on"),
        columns=(say("Rank"), say("Code"), say("Sentence"), say("Column"), say("Value of this row"), say("Reviewed")),
        rows=rows,
        numeric=(0,),
        note=say(
            "The sentences come from the dictionary of reason codes; “generated” means that it holds none for this "
            "reason, so that a neutral one stands in."
        ),
    )
    return (
        Paragraph(text=reasons_head(told)),
        Bullets(items=tuple(sentence.text for sentence in told.sentences), is_numbered=True),
        table,
        Paragraph(text=_how(told), is_note=True),
        *_left_out(told),
    )


def reasons_head(told: Told) -> str:
    """What the list of reasons is."""
    if told.is_favourable:
        return say("What spoke most for this outcome, the most important first:")
    return say("The principal reasons against approval, the most important first:")


def _how(told: Told) -> str:
    """How the reasons were chosen, in words."""
    n_columns = len(told.case.contributions)
    if told.is_favourable:
        return say_plural(
            "Of the {count} column that the model reads, these add most to the score of this row, measured against the "
            "reference population of approved rows.",
            "Of the {count:,} columns that the model reads, these add most to the score of this row, measured against "
            "the reference population of approved rows.",
            n_columns,
        )
    return say_plural(
        "Of the {count} column that the model reads, these take most from the score of this row, measured against the "
        "reference population of approved rows.",
        "Of the {count:,} columns that the model reads, these take most from the score of this row, measured against "
        "the reference population of approved rows.",
        n_columns,
    )


def _left_out(told: Told) -> tuple[Block, ...]:
    if not told.case.left_out:
        return ()
    text = say(
        "Not named, because their contribution cannot be told from nothing within the error of its estimate: "
        "{columns}.",
        columns=quoted_columns(told.case.left_out),
    )
    return (Paragraph(text=text, is_note=True),)


def _review_words(is_reviewed: bool, *, is_generated: bool) -> str:  # noqa: FBT001 - one of two words for it
    if is_generated:
        return say("no: generated")
    return say("yes") if is_reviewed else say("no: a draft")


def creditor(told: Told) -> tuple[Block, ...]:
    """Who decided, with an address, and who supervises it."""
    required = ("organisation.name", "organisation.address", "organisation.agency")
    lines = tuple((say(STATED[key]), stated_or_not(told.materials, key)) for key in required)
    return (Facts(lines=(*lines, *told.required_facts(("organisation.contact", "organisation.signatory")))),)


def rights(told: Told) -> tuple[Block, ...]:
    """The notice of rights in the profile's own words, with the authority that it names."""
    notice = told.materials.profile.statement("rights")
    authority = (say(STATED["organisation.agency"]), stated_or_not(told.materials, "organisation.agency"))
    return (*((Paragraph(text=notice),) if notice else ()), Facts(lines=(authority,)))
