"""Verifying an evidence pack: every byte, how it fits together, the decision computed again, the report made again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import ReportConfig
from tabnet_engine.config.report import ABOUT_ROWS
from tabnet_engine.report.case_reading import case_of_mapping
from tabnet_engine.report.held import Held
from tabnet_engine.report.pack_checks import checked_contents, document_of, guarded, why_other
from tabnet_engine.report.pack_reading import Checked, Pack, checked_files
from tabnet_engine.report.pack_tables import ATTRIBUTIONS, RECEIVED, REFERENCE, small_table
from tabnet_engine.report.packed_run import checked_run, packed_run
from tabnet_engine.report.remaking import not_remade, remade
from tabnet_engine.runs.parts import sha256_bytes
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import ENGLISH, say, say_plural, speaking

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.runs.run import Run

__all__ = ["Checked", "PackVerdict", "verify_pack"]

CASE, REQUEST = "case.json", "request.json"


@dataclass(frozen=True, kw_only=True)
class PackVerdict:
    """What verifying a pack found, one line for each thing that was checked."""

    lines: tuple[Checked, ...]
    case_id: str
    sha256: str

    @property
    def is_equal(self) -> bool:
        """Whether everything holds: the pack is as it was written, and the decision and its reasons come out again."""
        return all(line.ok for line in self.lines)

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not hold, in sentences."""
        return tuple(line.sentence for line in self.lines if not line.ok)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """What holds as far as it goes, and could not be confirmed with what was at hand, in sentences."""
        return tuple(line.sentence for line in self.lines if line.ok and line.is_open)


def verify_pack(pack: Pack, held: Held | None = None) -> PackVerdict:
    """Verify an evidence pack; that something in it cannot be read is a finding.

    Args:
        pack: as it was opened.
        held: what is at hand beside it. With the run the model is compared and computed with; with the run's table
            too, and the champion of a comparison, the whole report is made again.
    """
    held = held or Held()
    lines = [*checked_files(pack), *checked_contents(pack)]
    with tempfile.TemporaryDirectory(prefix="evidence-") as name:
        folder, again = Path(name), Path(name) / "again"
        again.mkdir()
        lines += guarded("model", lambda: checked_run(pack, held.run, folder))
        lines += guarded("decision", lambda: _decision(pack, held.run, folder))
        lines += guarded("report", lambda: _report(pack, folder))
        told = guarded("made again", lambda: not_remade(pack, held))
        lines += told or guarded("made again", lambda: remade(pack, held, again))
    identity = pack.manifest.get("identity")
    case_id = str(identity.get("case_id", "")) if isinstance(identity, dict) else ""
    return PackVerdict(lines=tuple(lines), case_id=case_id, sha256=sha256_bytes(pack.content))


def _decision(pack: Pack, run: Run | None, folder: Path) -> Iterator[Checked]:
    identity = document_of(pack).identity
    if identity.kind not in ABOUT_ROWS:
        return
    case = pack.json(CASE)
    config = ReportConfig.from_mapping(pack.json(REQUEST))
    cells, reference = (small_table(pack.files[name]) for name in (RECEIVED, REFERENCE))
    ok = (case["row"], case["run_id"]) == (identity.row, identity.run_id) and len(cells) == 1
    if not ok:
        yield Checked(name="case", ok=False, sentence=say("The case in the pack is not that of the report."))
    run = run or packed_run(pack, folder)
    yield from _computed(run, cells, reference, config, case, why=why_other(pack))
    yield from _counterfactuals(run, cells, config, case)
    yield _attributions(small_table(pack.files[ATTRIBUTIONS]), case)


def _report(pack: Pack, folder: Path) -> Iterator[Checked]:
    """The report says what the case says: it is written again from the evidence."""
    from tabnet_engine.report.rebuilding import materials_of_pack, places_that_differ, rewritten

    document = document_of(pack)
    if document.identity.kind not in ABOUT_ROWS:
        return
    schema = packed_run(pack, folder).schema
    again = rewritten(pack, document, schema)
    places = places_that_differ(document, again)
    other = say("The report is not the one that follows from the case: {places} differ.", places=", ".join(places))
    sentence = (
        f"{other} {why_other(pack)}".strip()
        if places
        else say("Written again from the case and from what people wrote, the report is the same in every word.")
    )
    yield Checked(name="report", ok=not places, sentence=sentence)
    if materials_of_pack(pack, document, schema).codes.sha256 != document.identity.hashes.get("reason_codes"):
        sentence = say("The report names other reason codes than those in the pack.")
        yield Checked(name="reason codes", ok=False, sentence=sentence)


def _computed(
    run: Run,
    cells: pd.DataFrame,
    reference: pd.DataFrame,
    config: ReportConfig,
    case: Mapping[str, Any],
    *,
    why: str,
) -> Iterator[Checked]:
    from tabnet_engine.explain.reasons.refinding import parts_found_otherwise
    from tabnet_engine.explain.reasons.replaying import replay_case

    stored = case_of_mapping(case)
    with speaking(ENGLISH):
        again = replay_case(run, cells, reference, config, stored.row, population=stored.reference)
    differences = again.differences(case)
    for sentence in differences:
        yield Checked(name="decision", ok=False, sentence=recalled(sentence))
    if not differences:
        n = len(case["reasons"])
        sentence = say_plural(
            "Computed again from the row as received, the decision, its score and its {count} principal reason are "
            "equal.",
            "Computed again from the row as received, the decision, its score and its {count} principal reasons are "
            "equal.",
            n,
        )
        yield Checked(name="decision", ok=True, sentence=sentence)
    parts = ", ".join(parts_found_otherwise(again.measured, stored))
    told = say("Computed again, these parts of the case come out otherwise: {parts}.", parts=parts)
    sentence = (
        f"{told} {why}".strip() if parts else say("Computed again, all else that the case says of the row is equal.")
    )
    yield Checked(name="case", ok=not parts, sentence=sentence)


def _counterfactuals(run: Run, cells: pd.DataFrame, config: ReportConfig, case: Mapping[str, Any]) -> Iterator[Checked]:
    """Every proposal of how the outcome could have been another is scored again."""
    stored = case["counterfactual"]
    if stored is None:
        return
    from tabnet_engine.explain.reasons.replaying import counterfactual_differences

    differences = counterfactual_differences(run, cells, config, stored)
    for sentence in differences:
        yield Checked(name="counterfactual", ok=False, sentence=recalled(sentence))
    n = len(stored["counterfactuals"])
    if n and not differences:
        sentence = say_plural(
            "Scored again, {count} change of the row gives the outcome that the report says.",
            "Scored again, {count} changes of the row give the outcomes that the report says.",
            n,
        )
        yield Checked(name="counterfactual", ok=True, sentence=sentence)


def _attributions(table: pd.DataFrame, case: Mapping[str, Any]) -> Checked:
    """The table of attributions has the numbers of the case, which were computed again."""
    told = [(item["column"], "principal", item["value"]) for item in case["contributions"]]
    for method in case["methods"]:
        told += [
            (name, method["method"], value) for name, value in zip(case["features"], method["values"], strict=True)
        ]
    ok = list(zip(table["feature"], table["method"], table["value"], strict=True)) == told
    sentence = (
        say("The table of attributions holds the numbers of the case.")
        if ok
        else say("The table of attributions does not hold the numbers of the case.")
    )
    return Checked(name="attributions", ok=ok, sentence=sentence)
