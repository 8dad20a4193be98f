"""The template of a letter: plain text in which ``{{field}}`` stands for what is filled in.

Values are data, never templates. A line ``# ...`` is the subject, ``## ...`` a heading; blank lines part paragraphs.
Fields that become a list stand alone on their line. ``{{cell:COLUMN}}`` is the person's own value of a column of the
table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from tabnet_engine.config.stated import ConsumerScore, Organisation
from tabnet_engine.errors import ReportError
from tabnet_engine.report.regulation import RegulationProfile
from tabnet_engine.texts.speaking import LANGUAGES, msg

__all__ = [
    "FIELDS",
    "LIST_FIELDS",
    "MAX_LENGTH",
    "SCORE_FIELD",
    "STATED_FIELDS",
    "Piece",
    "check_template",
    "default_template",
    "fields_of",
    "filled_in",
    "is_silent_on_score",
    "pieces_of",
    "required_fields",
    "unstated_fields",
]

TEMPLATES = Path(__file__).with_name("templates")
MAX_LENGTH = 20_000
_GENERAL = "general"  # the letter of a profile that brings none of its own
_PLACE = re.compile(r"\{\{(?P<name>[^{}\n]*)\}\}")
_NAME = re.compile(r"[a-z][a-z_]*")
_CELL = "cell:"

# What each field holds, for the list beside the editor.
FIELDS: Mapping[str, str] = {
    "reasons": msg("the principal reasons as a numbered list; alone on its line"),
    "changes": msg("what would have led to another decision; alone on its line"),
    "data_used": msg("the person's data that were used, as a list; alone on its line"),
    "consumer_score": msg(
        "a score that was bought from others, under its own heading; nothing where none was used; alone on its line"
    ),
    "compared_with": msg("which applications the reasons were measured against"),
    "date": msg("the day of the letter"),
    "case_id": msg("the number of the case"),
    "rights": msg("what the regulation profile says about rights"),
    "organisation_name": msg("the name of the organisation"),
    "organisation_address": msg("the address of the organisation"),
    "organisation_contact": msg("where a person is reached about the decision"),
    "agency": msg("the authority that supervises the organisation"),
    "data_protection": msg("the contact for questions about personal data"),
    "signatory": msg("who signs the letter"),
    "cell:COLUMN": msg("the person's own value of the column called COLUMN"),
}
SCORE_FIELD = "consumer_score"
LIST_FIELDS = ("reasons", "changes", "data_used", SCORE_FIELD)
# Fields that the organisation states, and the checks of a profile that make them required.
STATED_FIELDS: Mapping[str, str] = {
    "organisation_name": "name",
    "organisation_address": "address",
    "organisation_contact": "contact",
    "agency": "agency",
    "data_protection": "data_protection",
    "signatory": "signatory",
}
_REQUIRED_BY: Mapping[str, str] = {f"organisation.{stated}": field for field, stated in STATED_FIELDS.items()}
# Fields that a letter must hold where the profile says something about them.
_REQUIRED_WHERE_SAID: Mapping[str, str] = {"rights": "rights", "variation": "changes", "data_used": "data_used"}
_ALWAYS = ("reasons", "date", "case_id", "organisation_name")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One part of a template: ``text`` of a subject, heading or paragraph, or the name of a list field."""

    kind: Literal["subject", "heading", "paragraph", "list"]
    text: str


def default_template(profile_name: str, language: str) -> str:
    """The letter as it comes: the one of the profile, or the general one.

    Raises:
        ReportError: no language or profile can be called that.
    """
    if language not in LANGUAGES:
        raise ReportError(f"a letter is written in one of {', '.join(LANGUAGES)}, got {language!r}")
    if not _NAME.fullmatch(profile_name):
        raise ReportError(f"there is no regulation profile {profile_name!r}; choose one from the list")
    own = TEMPLATES / f"{profile_name}-{language}.txt"
    general = TEMPLATES / f"{_GENERAL}-{language}.txt"
    return (own if own.is_file() else general).read_text(encoding="utf-8")


def check_template(text: str, profile: RegulationProfile) -> tuple[str, ...]:
    """What is wrong with a template under a profile, in English sentences that name the line; empty where it serves."""
    return tuple(str(error) for error in _faults(text, profile))


def required_fields(profile: RegulationProfile) -> tuple[str, ...]:
    """The fields that a letter under this profile must hold."""
    asked = [_REQUIRED_BY[key] for key in profile.required("notice") if key in _REQUIRED_BY]
    said = [field for key, field in _REQUIRED_WHERE_SAID.items() if profile.statement(key)]
    return tuple(dict.fromkeys([*_ALWAYS, *asked, *said]))


def fields_of(text: str) -> tuple[str, ...]:
    """The fields that a template uses, in order, each once."""
    return tuple(dict.fromkeys(match["name"].strip() for match in _PLACE.finditer(text)))


def unstated_fields(text: str, organisation: Organisation) -> tuple[str, ...]:
    """The fields of the organisation that a template uses and that nobody has stated, by the organisation's names.

    >>> unstated_fields("{{organisation_name}} {{agency}} {{date}}", Organisation(name="North Bank"))
    ('agency',)
    """
    used = (STATED_FIELDS[field] for field in fields_of(text) if field in STATED_FIELDS)
    return tuple(name for name in used if not str(getattr(organisation, name)).strip())


def is_silent_on_score(text: str, profile: RegulationProfile, stated: ConsumerScore) -> bool:
    """Whether a letter does not tell of a score that is used and that the profile wants told."""
    is_asked = "consumer_score.stated" in profile.required("notice")
    return is_asked and stated.use == "column" and SCORE_FIELD not in fields_of(text)


def pieces_of(text: str) -> tuple[Piece, ...]:
    """The parts of a template in order; nothing is filled in yet."""
    return tuple(_pieces(text))


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """A part of a template with its fields filled; what stands in a value is never read as a field.

    >>> filled_in("To {{ signatory }}", {"signatory": "{{date}} & <b>"})
    'To {{date}} & <b>'

    Raises:
        KeyError: a field has no value.
    """
    return _PLACE.sub(lambda match: values[match["name"].strip()], text)


def _pieces(text: str) -> Iterator[Piece]:
    gathered: list[str] = []
    for line in [*text.splitlines(), ""]:
        piece = _piece_of_line(line.strip())
        if piece is None and line.strip():
            gathered.append(line.strip())
            continue
        if gathered:
            yield Piece(kind="paragraph", text="\n".join(gathered))
            gathered = []
        if piece is not None:
            yield piece


def _piece_of_line(line: str) -> Piece | None:
    """A subject, a heading or a list; None for a line of a paragraph."""
    if line.startswith("## "):
        return Piece(kind="heading", text=line[3:].strip())
    if line.startswith("# "):
        return Piece(kind="subject", text=line[2:].strip())
    match = _PLACE.fullmatch(line)
    if match and match["name"].strip() in LIST_FIELDS:
        return Piece(kind="list", text=match["name"].strip())
    return None


def _faults(text: str, profile: RegulationProfile) -> Iterator[ReportError]:
    lines = [partial(_check_line, number, line) for number, line in enumerate(text.splitlines(), start=1)]
    used = [partial(_check_used, text, field) for field in required_fields(profile)]
    whole = (partial(_check_length, text), partial(_check_subject, text), partial(_check_rights, text, profile))
    for check in (*whole, *lines, *used):
        try:
            check()
        except ReportError as error:
            yield error


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ReportError(f"the letter has {len(text):,} characters; a letter has at most {MAX_LENGTH:,}")


def _check_subject(text: str) -> None:
    subjects = [piece for piece in _pieces(text) if piece.kind == "subject"]
    if len(subjects) != 1 or not subjects[0].text:
        raise ReportError(
            f"the letter has {len(subjects)} subjects and must have one: a line that starts with # and a blank"
        )


def _check_rights(text: str, profile: RegulationProfile) -> None:
    if "rights" in fields_of(text) and not profile.statement("rights"):
        raise ReportError(
            f"the letter uses the field 'rights', but the profile {profile.name!r} says nothing about rights; write "
            "the sentence into the letter, or leave the field out"
        )


def _check_line(number: int, line: str) -> None:
    rest = _PLACE.sub("", line)
    if "{{" in rest or "}}" in rest:
        raise ReportError(
            f"line {number} of the letter has two braces without their partner; a field is written {{{{date}}}}"
        )
    for field in fields_of(line):
        _check_field(number, line, field)


def _check_field(number: int, line: str, field: str) -> None:
    is_cell = field.startswith(_CELL) and field != _CELL
    if field not in FIELDS and not is_cell:
        raise ReportError(
            f"line {number} of the letter has the unknown field {field!r}; the fields are {', '.join(FIELDS)}"
        )
    if field in LIST_FIELDS and _piece_of_line(line.strip()) is None:
        raise ReportError(f"line {number} of the letter: the field {field!r} is a list and must be alone on its line")


def _check_used(text: str, field: str) -> None:
    if field not in fields_of(text):
        raise ReportError(f"the letter lacks the field {{{{{field}}}}}, which this regulation profile needs; add it")
