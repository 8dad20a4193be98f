"""Which scores had a part in a decision: one that someone else made, as its owner states it, and the model's own."""

from __future__ import annotations

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.report.dates import date_words
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.document import Block, Bullets, Callout, Facts, Paragraph
from tabnet_engine.report.received_score import (
    ReceivedScore,
    day_words,
    outside_sentence,
    plain_number,
    received_score,
)
from tabnet_engine.report.stated_checks import not_stated
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["consumer_score"]


def consumer_score(told: Told) -> tuple[Block, ...]:
    """What is stated and was received of a score that someone else made; then, apart from it, the model's own score."""
    return (
        Paragraph(text=say("A score that someone else made"), is_strong=True),
        *_bought(told),
        Paragraph(text=say("The score of the organisation's own model"), is_strong=True),
        *_own(told),
    )


def _bought(told: Told) -> tuple[Block, ...]:
    stated = told.materials.consumer_score
    if stated.use == "none":
        return (
            Paragraph(
                text=say(
                    "The owner of the model states that it reads no score about the person that was bought from "
                    "someone else."
                )
            ),
        )
    received = received_score(stated, told.case.cells)
    if received is None:
        return (
            Callout(
                tone="warning",
                text=say(
                    "Whether one of the columns that the model reads is a score bought from someone else was not "
                    "stated, and the table does not show it. The owner of the model states it under “About the "
                    "model”; until then nothing is told of such a score."
                ),
            ),
        )
    head = Paragraph(
        text=say(
            "The owner of the model states that its column “{column}” holds a score about the person that was bought "
            "from someone else.",
            column=stated.column,
        )
    )
    if not received.value:
        return (head, Facts(lines=_source(stated)), _no_score(told, stated))
    lines = (*_source(stated), *_score(stated, received))
    return (head, Facts(lines=lines), *_warning(stated, received), *_factors(told, stated, received))


def _source(stated: ConsumerScore) -> tuple[tuple[str, str], ...]:
    return (
        (say("Name of the score"), stated.name.strip() or not_stated()),
        (say("Provided by"), stated.provider.strip() or not_stated()),
    )


def _score(stated: ConsumerScore, received: ReceivedScore) -> tuple[tuple[str, str], ...]:
    day = day_words(received.day) if received.day else say("missing in this row")
    return (
        (say("Score of this row, as received"), received.value),
        (say("Range of possible scores"), _stated_range(stated)),
        (say("Made on"), day if stated.date_column else not_stated()),
    )


def _stated_range(stated: ConsumerScore) -> str:
    if stated.lowest is None and stated.highest is None:
        return not_stated()
    if stated.highest is None or stated.lowest is None:
        low, high = (not_stated() if one is None else plain_number(one) for one in (stated.lowest, stated.highest))
        return say("lowest: {low}; highest: {high}", low=low, high=high)
    return say("{low} to {high}", low=plain_number(stated.lowest), high=plain_number(stated.highest))


def _no_score(told: Told, stated: ConsumerScore) -> Block:
    text = say(
        "Row {row:,} has no value in the column “{column}”: no such score was received of this person, so there is "
        "none to tell.",
        row=told.case.row,
        column=stated.column,
    )
    return Callout(tone="note", text=text)


def _warning(stated: ConsumerScore, received: ReceivedScore) -> tuple[Block, ...]:
    if not received.is_outside:
        return ()
    return (Callout(tone="warning", text=outside_sentence(stated, received)),)


def _factors(told: Told, stated: ConsumerScore, received: ReceivedScore) -> tuple[Block, ...]:
    """The key factors that came with the score; the model has none to add."""
    if not received.factors:
        text = (
            say("Row {row:,} has no key factor of this score: its columns are empty there.", row=told.case.row)
            if stated.factor_columns
            else say("Which columns hold the key factors of this score was not stated, so none can be told.")
        )
        return (Callout(tone="warning", text=text),)
    blocks: list[Block] = [
        Paragraph(text=say("Key factors of this score, as its provider told them:")),
        Bullets(items=received.factors, is_numbered=True),
    ]
    if received.n_more:
        more = say_plural(
            "{count} more key factor was received and is not told: at most four are.",
            "{count:,} more key factors were received and are not told: at most four are.",
            received.n_more,
        )
        blocks.append(Paragraph(text=more, is_note=True))
    apart = say(
        "They stand in the table as they were received. They are factors of that score and not the principal reasons "
        "of this decision; the model did not make them."
    )
    return (*blocks, Paragraph(text=apart, is_note=True))


def _own(told: Told) -> tuple[Block, ...]:
    """The model's own score, its range and date, and what lowered it."""
    score = told.case.score
    lines = (
        (say("Score of the model"), told.level_with_share(score.value, score.share)),
        (say("Range of possible scores"), _own_range(told)),
        (say("Computed for this report on"), date_words(told.identity.created)),
        (say("Computed by"), say("the model “{run}”", run=told.identity.run_title)),
    )
    factors = tuple(reason.column for reason in told.case.reasons)
    if not factors or told.is_favourable:
        return (Facts(lines=lines),)
    head = Paragraph(text=say("Key factors that lowered this score, the most important first:"))
    return (Facts(lines=lines), head, Bullets(items=factors, is_numbered=True))


def _own_range(told: Told) -> str:
    if told.case.score.share is not None:
        return say("a probability from 0 % to 100 %")
    return say("the model sets no limits to it")
