"""Verifying an evidence pack: every byte, how it fits together, and the decision with its reasons computed again."""

from __future__ import annotations

import dataclasses
import io
import resource
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import ReportConfig
from tabnet_engine.report.case_reading import case_of_mapping
from tabnet_engine.report.evidence import MODEL_PREFIX
from tabnet_engine.report.pack_checks import checked_contents, document_of, guarded, why_other
from tabnet_engine.report.pack_reading import Checked, Pack, checked_files, open_pack, pack_content
from tabnet_engine.runs.manifest import MANIFEST, RunManifest
from tabnet_engine.runs.parts import sha256_bytes
from tabnet_engine.runs.run import CORE_PARTS, Run
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import ENGLISH, say, say_plural, speaking

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Checked", "PackVerdict", "verify_pack", "verify_pack_bytes"]

CASE, REQUEST, RECEIVED, REFERENCE = "case.json", "request.json", "received.parquet", "reference.parquet"
ATTRIBUTIONS = "attributions.parquet"
_ABOUT_ROWS = ("decision", "notice")
_MOST_ROWS, _MOST_COLUMNS, _MOST_BYTES = 10_000, 20_000, 2 * 1024**3


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


def verify_pack(path: Path, run: Run | None = None) -> PackVerdict:
    """Verify an evidence pack.

    Args:
        path: the zip file.
        run: the run to compute with; the one in the pack when None.

    Raises:
        ReportError: it is no evidence pack, or too damaged to be opened.
        StorageError: the disk refuses.
    """
    return verify_pack_bytes(pack_content(path), run)


def verify_pack_bytes(content: bytes, run: Run | None = None) -> PackVerdict:
    """The same for the bytes of a pack; raises as :func:`verify_pack` does, except for the disk."""
    pack = open_pack(content)
    lines = [*checked_files(pack), *checked_contents(pack)]
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        lines += guarded("model", lambda: _model(pack, run, Path(folder)))
        lines += guarded("decision", lambda: _decision(pack, run, Path(folder)))
        lines += guarded("report", lambda: _report(pack, Path(folder)))
    identity = pack.manifest.get("identity")
    case_id = str(identity.get("case_id", "")) if isinstance(identity, dict) else ""
    return PackVerdict(lines=tuple(lines), case_id=case_id, sha256=sha256_bytes(content))


def _model(pack: Pack, run: Run | None, folder: Path) -> Iterator[Checked]:
    """The run in the pack is whole, and is the one that was given."""
    packed = _packed_run(pack, folder)
    packed.verify()
    if run is None:
        sentence = say("The model is the one in the pack; give the run itself to see that it is the same one.")
        yield Checked(name="model", ok=True, sentence=sentence)
        return
    other = [part for part in CORE_PARTS if run.manifest.parts.get(part) != packed.manifest.parts[part]]
    sentence = (
        say(
            "The run {title!r} is not the one of the report: {parts} differ.",
            title=run.manifest.title,
            parts=", ".join(other),
        )
        if other
        else say("The run {title!r} is the one of the report, in every part that decides.", title=run.manifest.title)
    )
    yield Checked(name="model", ok=not other, sentence=sentence)


def _packed_run(pack: Pack, folder: Path) -> Run:
    """The run in a pack, written to ``folder``: what its training made, without what was explained of it later."""
    for name in (MANIFEST, *CORE_PARTS):
        content = pack.files.get(f"{MODEL_PREFIX}{name}")
        if content is None:
            raise ValueError(f"the pack lacks the model's part {name!r}")
        (folder / name).write_bytes(content)
    manifest = RunManifest.read(folder)
    own = {name: manifest.parts[name] for name in CORE_PARTS}
    return Run(folder, dataclasses.replace(manifest, parts=own))


def _decision(pack: Pack, run: Run | None, folder: Path) -> Iterator[Checked]:
    identity = document_of(pack).identity
    if identity.kind not in _ABOUT_ROWS:
        yield Checked(
            name="decision", ok=True, sentence=say("The report is about no single decision: none is computed.")
        )
        return
    case = pack.json(CASE)
    config = ReportConfig.from_mapping(pack.json(REQUEST))
    cells, reference = (_table(pack.files[name]) for name in (RECEIVED, REFERENCE))
    ok = (case["row"], case["run_id"]) == (identity.row, identity.run_id) and len(cells) == 1
    if not ok:
        yield Checked(name="case", ok=False, sentence=say("The case in the pack is not that of the report."))
    run = run or _packed_run(pack, folder)
    yield from _computed(run, cells, reference, config, case)
    yield from _counterfactuals(run, cells, config, case)
    yield _attributions(_table(pack.files[ATTRIBUTIONS]), case)


def _report(pack: Pack, folder: Path) -> Iterator[Checked]:
    """The report says what the case says: it is written again from the evidence."""
    from tabnet_engine.report.rebuilding import materials_of_pack, places_that_differ, rewritten

    document = document_of(pack)
    if document.identity.kind not in _ABOUT_ROWS:
        return
    schema = _packed_run(pack, folder).schema
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
    run: Run, cells: pd.DataFrame, reference: pd.DataFrame, config: ReportConfig, case: Mapping[str, Any]
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
    sentence = (
        say("Computed again, these parts of the case come out otherwise: {parts}.", parts=parts)
        if parts
        else say(
            "Computed again, all else that the case says of the row is equal. What only the whole table can show is "
            "taken from the case: which columns are proxies, how many rows were candidates, the calibration, and "
            "whether further changes of the row would have altered the outcome."
        )
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


def _table(content: bytes) -> pd.DataFrame:
    """A small table of the pack; one that says it is large, or that unpacks to far more than it says, is refused.

    Raises:
        ValueError: it is no table, or a large one.
        MemoryError: its pages hold more than its footer says.
    """
    import pyarrow.parquet as pq

    with _memory_bounded():
        file = pq.ParquetFile(io.BytesIO(content), pre_buffer=False, memory_map=False)
        facts = file.metadata
        if facts.num_rows > _MOST_ROWS or facts.num_columns > _MOST_COLUMNS:
            raise ValueError(f"a table of {facts.num_rows:,} rows and {facts.num_columns:,} columns is in no pack")
        frame: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False)
    return frame


@contextmanager
def _memory_bounded() -> Iterator[None]:
    """So much more memory than now and no more: the footer of a hostile table may promise little."""
    import pyarrow as pa

    pa.allocate_buffer(1)  # with its first one, Arrow reserves a gigabyte that it never uses
    before = resource.getrlimit(resource.RLIMIT_AS)
    reserved = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    bound = reserved + _MOST_BYTES
    if before[1] != resource.RLIM_INFINITY:
        bound = min(bound, before[1])
    resource.setrlimit(resource.RLIMIT_AS, (bound, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
