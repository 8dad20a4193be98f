"""What a letter tells of a score that someone else made and that the decision used: its own part, or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tabnet_engine.config.stated import ConsumerScore
from tabnet_engine.explain.reasons.records import DecisionCase
from tabnet_engine.report.document import Block, Bullets, Paragraph
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.letter_words import letter_word
from tabnet_engine.report.received_score import ReceivedScore, day_words, plain_number, received_score
from tabnet_engine.texts.setting import filled, one_text

__all__ = ["score_part"]


def score_part(case: DecisionCase, materials: Materials, language: str) -> tuple[str, list[Block]] | None:
    """Heading and text about the score, what is not known of it left out; None where the decision used none."""
    stated = materials.consumer_score
    received = received_score(stated, case.cells)
    if received is None or not received.value:
        return None
    return letter_word("score_heading", language), list(_blocks(stated, received, materials, language))


def _blocks(stated: ConsumerScore, received: ReceivedScore, materials: Materials, language: str) -> Iterator[Block]:
    yield Paragraph(text=letter_word("score_from" if stated.provider.strip() else "score_of_others", language))
    if stated.provider.strip():
        yield Paragraph(text=stated.provider.strip())
    yield Paragraph(text=one_text(_sentences(stated, received, language)))
    if received.factors:
        yield Paragraph(text=letter_word("score_factors", language))
        yield Bullets(items=tuple(map(_flat, received.factors)), is_numbered=True)
    rights = materials.profile.statement("score_rights")
    if rights:
        yield Paragraph(text=rights)


def _sentences(stated: ConsumerScore, received: ReceivedScore, language: str) -> Iterator[str]:
    if stated.name.strip():
        yield filled(letter_word("score_name", language), {"name": _flat(stated.name)})
    yield filled(letter_word("score_value", language), {"score": _flat(received.value)})
    if received.day:
        yield filled(letter_word("score_date", language), {"day": _flat(day_words(received.day))})
    if stated.lowest is not None and stated.highest is not None:
        bounds = {"low": plain_number(stated.lowest), "high": plain_number(stated.highest)}
        yield filled(letter_word("score_range", language), bounds)


def _flat(text: str) -> str:
    return " ".join(text.split())
