"""A report made again from the run, the whole table and what people wrote: what only the table can show, shown anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tabnet_engine.config import ReportConfig
from tabnet_engine.config.report import ABOUT_ROWS
from tabnet_engine.errors import EngineError
from tabnet_engine.report.evidence import MODEL_PREFIX
from tabnet_engine.report.held import Held, champion_id, table_named
from tabnet_engine.report.pack_checks import document_of, why_other
from tabnet_engine.report.pack_reading import Checked, Pack
from tabnet_engine.report.packed_run import RunAsReported, as_reported, parts_elsewhere
from tabnet_engine.report.remade_parts import COMPARISON, Again, compared_parts
from tabnet_engine.runs.manifest import MANIFEST
from tabnet_engine.runs.parts import sha256_file
from tabnet_engine.runs.run import Run
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.report.making import MadeReport, ReportMaker

__all__ = ["not_remade", "remade"]

_NAME = "made again"


def not_remade(pack: Pack, held: Held) -> Iterator[Checked]:
    """Why the report cannot be made again with what is at hand; nothing where it can.

    Raises:
        UserError, KeyError, TypeError, ValueError: the pack cannot be read.
    """
    identity = document_of(pack).identity
    named = table_named(identity)
    if identity.kind == "comparison":
        champion_id(pack)  # a comparison that cannot be read is a finding, whatever is at hand
    if identity.kind == "model" and named != identity.hashes["data"] and _has_learned(pack):
        sentence = say(
            "The report names another table than the one that its run learned from, and no report about a model is "
            "made from another: without that name it would be made again."
        )
        yield Checked(name="table", ok=False, sentence=sentence)
    elif held.frame is None:
        told = say("The table that the report names has the SHA-256 {named}.", named=named)
        yield _open(f"{_without_table(identity.kind)} {told}")
    elif held.table_sha256 != named:
        sentence = say(
            "The table that was given is not the one that the report names: its file has the SHA-256 {given}, the "
            "report's {named}.",
            given=held.table_sha256,
            named=named,
        )
        yield Checked(name="table", ok=False, sentence=sentence)
    elif held.run is None and (parts := parts_elsewhere(pack)):
        sentence = say(
            "The report was not made again, since it may rest on parts of the run that are not in the pack ({parts}): "
            "give the run too (--run, or --workspace).",
            parts=", ".join(parts),
        )
        yield _open(sentence)
    elif identity.kind == "comparison":
        yield from _without_champion(pack, held.baseline)


def _has_learned(pack: Pack) -> bool:
    """Whether the run in the pack was trained here; an imported one has no rows that it learned from."""
    return bool(pack.json(f"{MODEL_PREFIX}{MANIFEST}")["rows"].get("train"))


def _without_table(kind: str) -> str:
    if kind in ABOUT_ROWS:
        return say(
            "What only the whole table can show is taken from the case: which columns are proxies, how many rows were "
            "candidates, the calibration, and whether further changes of the row would have altered the outcome. Give "
            "the table to have the whole report made again (--table, or --workspace)."
        )
    return say(
        "The report was not made again, so nothing shows yet that its figures are those of the model: give the table "
        "(--table, or --workspace)."
    )


def _without_champion(pack: Pack, baseline: Run | None) -> Iterator[Checked]:
    named = champion_id(pack)
    if baseline is None:
        sentence = say(
            "The report was not made again, since the champion {run_id!r} is not at hand: give it (--baseline, or "
            "--workspace).",
            run_id=named,
        )
        yield _open(sentence)
    elif baseline.run_id != named:
        sentence = say(
            "The run {title!r} is not the champion that the report names: its id is {given!r}, the champion's is "
            "{named!r}.",
            title=baseline.manifest.title,
            given=baseline.run_id,
            named=named,
        )
        yield Checked(name="champion", ok=False, sentence=sentence)


def remade(pack: Pack, held: Held, folder: Path) -> Iterator[Checked]:
    """Make the report again and compare it, and every part of the evidence, with the pack's.

    Args:
        pack: the evidence.
        held: the table that the report names, and what else is at hand; :func:`not_remade` has nothing against it.
        folder: an empty one, for the run as it was at the report.

    Raises:
        UserError, KeyError, TypeError, ValueError, OSError: the pack, or the run that is held, cannot be read.
    """
    restored = as_reported(pack, held.run, folder)
    champion = _champion(pack, held.baseline)
    try:
        maker, made = _made(pack, restored.run, held, champion)
    except EngineError as error:
        sentence = say("The report cannot be made again: {why}", why=recalled(str(error)))
        yield Checked(name=_NAME, ok=False, sentence=sentence)
        return
    again, is_without = Again(maker=maker, made=made), False
    if not again.is_same(pack) and maker.config.kind not in ABOUT_ROWS:
        # No report says whether the table was there when it was made: one that is not there gives a poorer one.
        poorer = _without(pack, restored.run, held, champion)
        again, is_without = (poorer, True) if poorer is not None and poorer.is_same(pack) else (again, False)
    if is_without:
        sentence = say(
            "The report was made without the table, and so it is made again: from what the runs have stored."
        )
        yield _open(sentence)
    elif champion is not None:
        yield from _renamed(pack, held.baseline)
    yield from compared_parts(pack, again, why=f"{_why_lacking(restored)} {why_other(pack)}".strip())


def _made(
    pack: Pack, run: Run, held: Held, champion: Run | None, *, has_table: bool = True
) -> tuple[ReportMaker, MadeReport]:
    from tabnet_engine.report.making import ReportMaker
    from tabnet_engine.report.rebuilding import materials_of_pack

    document = document_of(pack)
    maker = ReportMaker.of(
        run,
        held.frame if has_table else None,
        ReportConfig.from_mapping(pack.json("request.json")),
        materials_of_pack(pack, document, run.schema),
        baseline=champion,
        table_sha256=held.table_sha256,
    )
    maker = dataclasses.replace(maker, champion_sha256=document.identity.hashes.get("baseline", ""))
    return maker, maker.make(document.identity.row)


def _without(pack: Pack, run: Run, held: Held, champion: Run | None) -> Again | None:
    """Made again without the table; None where that cannot be."""
    try:
        maker, made = _made(pack, run, held, champion, has_table=False)
    except EngineError:
        return None
    return Again(maker=maker, made=made)


def _champion(pack: Pack, baseline: Run | None) -> Run | None:
    """The champion under the title that it had: what else may change in its manifest no comparison says."""
    if baseline is None or document_of(pack).identity.kind != "comparison":
        return None
    told = pack.json(COMPARISON)["first"]["title"]
    return Run(baseline.folder, dataclasses.replace(baseline.manifest, title=str(told)))


def _renamed(pack: Pack, baseline: Run | None) -> Iterator[Checked]:
    """That the champion's manifest is another by now: it has a new title, or was measured further."""
    if baseline is None:
        return
    now, then = sha256_file(baseline.folder / MANIFEST), document_of(pack).identity.hashes.get("baseline")
    if now == then:
        return
    sentence = say(
        "The manifest of the champion {title!r} has not the SHA-256 that the report names, as when a run was given "
        "another title or measured further. The report is compared with the champion as it is now.",
        title=baseline.manifest.title,
    )
    yield _open(sentence)


def _why_lacking(restored: RunAsReported) -> str:
    if not restored.lacking:
        return ""
    return say(
        "These parts of the run are no longer as they were at the report, and the pack does not hold them, which may "
        "be why: {parts}.",
        parts=", ".join(restored.lacking),
    )


def _open(sentence: str) -> Checked:
    return Checked(name=_NAME, ok=True, is_open=True, sentence=sentence)
