"""The letter to a person whose application was not approved: the template filled with this case, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.errors import ReportError
from tabnet_engine.explain.counterfactual.result import Change, Counterfactual
from tabnet_engine.explain.reasons.records import CellReceived, DecisionCase
from tabnet_engine.report.dates import date_words
from tabnet_engine.report.document import Block, Bullets, Document, Facts, Identity, Paragraph, Section
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.checks import notice_unmet
from tabnet_engine.report.notice.letter_words import letter_word
from tabnet_engine.report.notice.plain_values import plain_value
from tabnet_engine.report.notice.score_part import score_part
from tabnet_engine.report.notice.template import (
    SCORE_FIELD,
    STATED_FIELDS,
    check_template,
    fields_of,
    filled_in,
    is_silent_on_score,
    pieces_of,
    unstated_fields,
)
from tabnet_engine.texts.setting import filled

__all__ = ["notice_document"]

_CELL = "cell:"


def notice_document(case: DecisionCase, identity: Identity, materials: Materials) -> Document:
    """The letter about one declined row; call it while speaking the language of the report.

    Raises:
        ReportError: the row is approved, the case is blocked, there is no reason, the template cannot be used, it
            lacks the score bought from others where one is used, or a field that it uses is not stated.
    """
    _check_case(case)
    for problem in check_template(materials.template, materials.profile):
        raise ReportError(f"the letter cannot be written: {problem}")
    _check_score(materials)
    unstated = unstated_fields(materials.template, materials.organisation)
    if unstated:
        raise ReportError(
            f"the letter uses what nobody has stated about the organisation: {', '.join(map(repr, unstated))}; state "
            "it under “Who decides” on the page of reports, or in the file of the organisation"
        )
    return _Letter(case, identity, materials).document()


@dataclass(frozen=True)
class _Letter:
    """One letter being written."""

    case: DecisionCase
    identity: Identity
    materials: Materials

    def document(self) -> Document:
        """The whole letter."""
        values = self._values()
        subject = ""
        parts: list[tuple[str, list[Block]]] = [("", [])]  # the first has no heading
        for piece in pieces_of(self.materials.template):
            if piece.kind == "list" and piece.text == SCORE_FIELD:
                told = score_part(self.case, self.materials, self._language)
                parts += [] if told is None else [told]
            elif piece.kind == "list":
                parts[-1][1].extend(self._list(piece.text))
            elif piece.kind == "paragraph":
                parts[-1][1].append(Paragraph(text=filled_in(piece.text, values)))
            elif piece.kind == "heading":
                parts.append((_flat(filled_in(piece.text, values)), []))
            else:
                subject = _flat(filled_in(piece.text, values))
        return Document(
            title=subject,
            subtitle="",
            language=self._language,
            identity=self.identity,
            summary=tuple(parts[0][1]),
            sections=tuple(
                Section(key=f"letter_{place}", title=title, blocks=tuple(blocks))
                for place, (title, blocks) in enumerate(parts[1:], start=1)
            ),
            unmet=notice_unmet(self.case, self.identity, self.materials),
            is_letter=True,
        )

    @property
    def _language(self) -> str:
        return self.identity.language

    def _values(self) -> dict[str, str]:
        """The values of all fields that the template uses and that are no lists."""
        used = fields_of(self.materials.template)
        known = {
            "date": date_words(self.identity.created),
            "case_id": self.identity.case_id,
            "rights": self.materials.profile.statement("rights"),
            "compared_with": self._compared_with(),
        }
        stated = {field: self._stated(field) for field in used if field in STATED_FIELDS}
        cells = {field: self._cell(field.removeprefix(_CELL)) for field in used if field.startswith(_CELL)}
        return {**known, **stated, **cells}

    def _stated(self, field: str) -> str:
        return str(getattr(self.materials.organisation, STATED_FIELDS[field])).strip()

    def _cell(self, column: str) -> str:
        cell = next((cell for cell in self.case.cells if cell.column == column), None)
        if cell is None:
            raise ReportError(f"the letter uses the column {column!r}, which the table does not have")
        if cell.state == "missing" or not cell.received.strip():
            raise ReportError(
                f"the letter uses the column {column!r}, and row {self.case.row} has no value there; write it into "
                "the letter or take the field out"
            )
        return self._shown(cell)

    def _shown(self, cell: CellReceived) -> str:
        return plain_value(cell.shown, cell.kind, self._language)

    def _compared_with(self) -> str:
        reference = self.case.reference
        sentence = letter_word("compared_near" if reference.is_near else "compared", self._language)
        return filled(sentence, {"n": f"{len(reference.rows):,}"})

    def _list(self, field: str) -> list[Block]:
        return {"reasons": self._reasons, "changes": self._changes, "data_used": self._data_used}[field]()

    def _reasons(self) -> list[Block]:
        told = (self.materials.codes.sentence(reason, self._language).text for reason in self.case.reasons)
        # Two columns may have the same sentence, which says it for both.
        return [Bullets(items=tuple(dict.fromkeys(told)), is_numbered=True)]

    def _changes(self) -> list[Block]:
        """What alone would have led to another decision, as the model confirmed."""
        result = self.case.counterfactual
        if result is None:
            raise ReportError(
                "the letter says what would have led to another decision, and nothing was looked for; ask for at "
                "least one change with n_counterfactuals, or take the field 'changes' out of the letter"
            )
        if not result.counterfactuals:
            if not result.n_scored:
                raise ReportError(
                    "the letter says what would have led to another decision, and no column may change to another "
                    "value; leave one open, or take the field 'changes' out of the letter"
                )
            return [Paragraph(text=letter_word("no_changes", self._language))]
        lead = "changes" if len(result.counterfactuals) == 1 else "several_changes"
        items = tuple(self._change_words(one) for one in result.counterfactuals)
        return [Paragraph(text=letter_word(lead, self._language)), Bullets(items=items)]

    def _change_words(self, proposal: Counterfactual) -> str:
        joined = letter_word("and", self._language).join(map(self._one_change, proposal.changes))
        return joined + letter_word("end", self._language)

    def _one_change(self, change: Change) -> str:
        kind = next((cell.kind for cell in self.case.cells if cell.column == change.column), None)
        before, after = (plain_value(text, kind, self._language) for text in (change.before_text, change.after_text))
        places = {
            "column": _flat(change.column),
            "before": before,
            "after": f"{after} {change.unit}" if change.unit else after,
        }
        key = "change_from_nothing" if change.before is None else "change"
        return filled(letter_word("change_to_nothing" if change.after is None else key, self._language), places)

    def _data_used(self) -> list[Block]:
        none = letter_word("no_value", self._language)
        read = [cell for cell in self.case.cells if cell.is_read]
        lines = [(_flat(cell.column), none if cell.state == "missing" else self._shown(cell)) for cell in read]
        return [Facts(lines=tuple(lines))]


def _check_case(case: DecisionCase) -> None:
    if case.score.is_favourable:
        raise ReportError(
            f"row {case.row} is approved, and a letter of reasons is for a row that is not; make a decision report "
            "instead, or choose another row"
        )
    if case.protection.is_blocked:
        columns = ", ".join(repr(link.column) for link in case.protection.offending)
        raise ReportError(
            f"no letter can be sent about row {case.row}: the protected column or its proxy {columns} is a principal "
            "reason; have the model and the case examined, the decision report says more"
        )
    if not case.reasons:
        raise ReportError(f"no letter can be sent about row {case.row}, for no reason was found: {case.no_reason}")


def _check_score(materials: Materials) -> None:
    if is_silent_on_score(materials.template, materials.profile, materials.consumer_score):
        raise ReportError(
            "the letter does not tell of the score bought from others that the model reads; add the field "
            f"{{{{{SCORE_FIELD}}}}} alone on a line, before a heading"
        )


def _flat(text: str) -> str:
    return " ".join(text.split())
