"""What a letter lacks: what its profile asks for, and plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tabnet_engine.explain.reasons.records import DecisionCase
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.decision.unmet import MEASURED_CHECKS
from tabnet_engine.report.document import Identity
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.letter_words import letter_word
from tabnet_engine.report.notice.readability import findings, measured
from tabnet_engine.report.notice.template import fields_of, filled_in, pieces_of
from tabnet_engine.report.received_score import outside_sentence, received_score
from tabnet_engine.report.stated_checks import stated_unmet

__all__ = ["notice_unmet", "own_words"]

_QUOTED = re.compile(r"“[^”]*”")
_ENDS = (".", "!", "?", ":", "。", "！", "？", "：")


def notice_unmet(case: DecisionCase, identity: Identity, materials: Materials) -> tuple[str, ...]:
    """One sentence for each thing that the profile requires of a letter and that is missing, then for hard words."""
    told = Told(case=case, identity=identity, materials=materials)
    required = materials.profile.required("notice")
    lacking = [said for key in required if key in MEASURED_CHECKS for said in MEASURED_CHECKS[key](told)]
    words = own_words(materials.template, [sentence.text for sentence in told.sentences], identity.language)
    hard = findings(measured(words, identity.language))
    return (*dict.fromkeys([*lacking, *stated_unmet(materials, "notice"), *_doubtful_score(case, materials)]), *hard)


def _doubtful_score(case: DecisionCase, materials: Materials) -> tuple[str, ...]:
    """A letter has no place for a warning: what a person could not believe must be looked at before it is sent."""
    received = received_score(materials.consumer_score, case.cells)
    if received is None or not received.is_outside:
        return ()
    return (outside_sentence(materials.consumer_score, received),)


def own_words(template: str, sentences: Sequence[str], language: str) -> str:
    """The sentences of a letter that its author answers for: without what is filled in, and without quoted names.

    What a regulation profile prescribes, names of columns and addresses are not the author's to simplify.
    """
    quiet = [_QUOTED.sub(letter_word("name", language), sentence) for sentence in sentences]
    return "\n".join([*_template_sentences(template, language), *quiet])


def _template_sentences(template: str, language: str) -> Iterator[str]:
    """Whole sentences only: lines of an address or a greeting would make the mean of all look shorter."""
    names = dict.fromkeys(fields_of(template), letter_word("name", language))
    for piece in pieces_of(template):
        if piece.kind == "paragraph":
            paragraph = filled_in(piece.text, names)
            is_prose = paragraph.endswith(_ENDS)
            lines = [" ".join(paragraph.splitlines())] if is_prose else paragraph.splitlines()
            yield from (line for line in lines if line.endswith(_ENDS))
