"""Whether a report that was made again is the one in the pack: its words, its numbers, every part of its evidence.

On the machine that made it the bytes are the same. Another processor, or another number of threads, sums in another
order: then numbers may differ in their last digits, and nothing else may.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabnet_engine.explain.reasons.refinding import SENTENCES, alike, parts_otherwise
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import LOG, MADE_HERE
from tabnet_engine.report.pack_checks import document_of
from tabnet_engine.report.pack_reading import Checked, Pack
from tabnet_engine.report.pack_tables import ATTRIBUTIONS, small_table
from tabnet_engine.report.rebuilding import places_that_differ, rewritten
from tabnet_engine.runs.parts import json_bytes
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.report.making import MadeReport, ReportMaker

__all__ = ["COMPARISON", "Again", "compared_parts"]

CASE, COMPARISON = "case.json", "comparison.json"
_TOLERANCE, _TINY = 1e-4, 1e-6  # of attributions, in single precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Again:
    """A report that was made again, and its maker."""

    maker: ReportMaker
    made: MadeReport

    @property
    def numbers(self) -> str:
        """The part of the evidence that holds the numbers which the report puts into words; empty where none does."""
        return next((name for name in (CASE, COMPARISON) if name in self.made.parts), "")

    def is_same(self, pack: Pack) -> bool:
        """Whether its words are those of the pack's report."""
        return not places_that_differ(document_of(pack), self.made.document)

    def from_numbers_of(self, pack: Pack) -> Document:
        """The report as it follows from the numbers that the pack holds."""
        document = document_of(pack)
        if self.numbers == CASE:
            return rewritten(pack, document, self.maker.run.schema)
        return dataclasses.replace(self.maker, comparison=pack.json(COMPARISON)).make().document


def compared_parts(pack: Pack, again: Again, *, why: str) -> Iterator[Checked]:
    """What is equal and what is not, a sentence for each kind of part.

    Args:
        pack: the evidence.
        again: the report made again.
        why: what may excuse a difference; it is told and excuses none.

    Raises:
        KeyError, TypeError, ValueError: a part of the pack cannot be read.
    """
    is_rounded = False
    if again.numbers:
        line, is_rounded = _numbers(pack, again, why)
        yield line
    yield _document(pack, again, why, is_rounded=is_rounded)
    yield _rest(pack, again, why)


def _numbers(pack: Pack, again: Again, why: str) -> tuple[Checked, bool]:
    """The case or the comparison; and whether it is equal but for rounding."""
    mine = again.made.parts[again.numbers]
    if pack.files.get(again.numbers) == mine:
        return Checked(name=again.numbers, ok=True, sentence=_same_numbers(again.numbers)), False
    sentences = SENTENCES if again.numbers == CASE else ()
    parts = parts_otherwise(json.loads(mine), pack.json(again.numbers), rounded_in=sentences)
    if not parts:
        sentence = say(
            "Made again from the run and the whole table, {name} is equal within rounding: only last digits differ, as "
            "they do on another machine or with another number of threads.",
            name=again.numbers,
        )
        return Checked(name=again.numbers, ok=True, sentence=sentence), True
    told = say(
        "Made again from the run and the whole table, these parts of {name} come out otherwise: {parts}.",
        name=again.numbers,
        parts=", ".join(parts),
    )
    return Checked(name=again.numbers, ok=False, sentence=f"{told} {why}".strip()), False


def _same_numbers(name: str) -> str:
    if name == CASE:
        return say(
            "Made again from the run and the whole table, the case is the same in every byte: also which columns are "
            "proxies, how many rows were candidates, the calibration, and which changes of the row alter the outcome."
        )
    return say(
        "Made again from both runs and the whole table, the comparison is the same in every byte: its counts, scores "
        "and reasons."
    )


def _document(pack: Pack, again: Again, why: str, *, is_rounded: bool) -> Checked:
    document = document_of(pack)
    places = places_that_differ(document, again.made.document)
    if places and _is_rounded_document(pack, again, document, is_rounded=is_rounded):
        sentence = say("Made again, the report is equal within rounding: it says what follows from its own numbers.")
        return Checked(name="made again", ok=True, sentence=sentence)
    told = say("Made again, the report comes out otherwise: {places} differ.", places=", ".join(places))
    sentence = (
        f"{told} {why}".strip() if places else say("Made again, the report is the same in every word and number.")
    )
    return Checked(name="made again", ok=not places, sentence=sentence)


def _is_rounded_document(pack: Pack, again: Again, document: Document, *, is_rounded: bool) -> bool:
    """Whether the report differs by no more than rounding.

    Where the numbers lie beside it, it must follow from them to the letter. A report about a model has none: its
    texts must be the same then, and what its charts draw be so within rounding.
    """
    if again.numbers:
        return is_rounded and not places_that_differ(document, again.from_numbers_of(pack))
    mine, theirs = (json.loads(json_bytes(one.to_mapping())) for one in (again.made.document, document))
    return alike({**mine, "review": []}, {**theirs, "review": []}, is_rounded=False)


def _rest(pack: Pack, again: Again, why: str) -> Checked:
    """The other parts: the row as received, the reference rows, the attributions, what people wrote, the model."""
    mine = {name: content for name, content in again.made.parts.items() if name != again.numbers}
    theirs = {name: pack.files[name] for name in pack.files if name not in {*MADE_HERE, LOG, again.numbers}}
    other = [name for name in sorted({*mine, *theirs}) if mine.get(name) != theirs.get(name)]
    unlike = [name for name in other if name not in mine or name not in theirs or not _same_table(pack, again, name)]
    if unlike:
        told = say("Made again, these parts of the evidence come out otherwise: {parts}.", parts=", ".join(unlike))
        return Checked(name="evidence", ok=False, sentence=f"{told} {why}".strip())
    if other:
        sentence = say(
            "Made again, all other parts of the evidence are equal, these within rounding: {parts}.",
            parts=", ".join(other),
        )
        return Checked(name="evidence", ok=True, sentence=sentence)
    sentence = say_plural(
        "Made again, the other part of the evidence is the same in every byte.",
        "Made again, the other {count} parts of the evidence are the same in every byte.",
        len(mine),
    )
    return Checked(name="evidence", ok=True, sentence=sentence)


def _same_table(pack: Pack, again: Again, name: str) -> bool:
    """Whether two tables are the same but for how they were written; attributions, within rounding."""
    import pandas as pd

    if not name.endswith(".parquet"):
        return False
    one, other = (small_table(content) for content in (again.made.parts[name], pack.files[name]))
    exactly: dict[str, Any] = {"check_exact": True} if name != ATTRIBUTIONS else {"rtol": _TOLERANCE, "atol": _TINY}
    try:
        pd.testing.assert_frame_equal(one, other, **exactly)
    except AssertionError:
        return False
    return True
