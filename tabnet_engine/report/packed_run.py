"""The run in an evidence pack: whether it is whole and the one that is held, and the run as it was at the report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabnet_engine.explain.evaluation import EVALUATION
from tabnet_engine.explain.groups.stored import PROXIES_PART
from tabnet_engine.report.evidence import MODEL_PREFIX
from tabnet_engine.report.pack_checks import document_of
from tabnet_engine.report.pack_reading import Checked, Pack
from tabnet_engine.report.pack_tables import refuse_bomb
from tabnet_engine.runs.manifest import MANIFEST, RunManifest
from tabnet_engine.runs.parts import json_bytes, sha256_bytes
from tabnet_engine.runs.run import CORE_PARTS, SPLITS, Run
from tabnet_engine.texts.speaking import say

__all__ = ["RunAsReported", "as_reported", "checked_run", "packed_run", "parts_elsewhere"]

# What may change in a manifest after the training: the name, and what is measured of the run later.
_MAY_CHANGE = frozenset({"title", "parts"})
_READ_FOR_ROWS = (EVALUATION, PROXIES_PART)  # for the calibration, and for what tells a protected column


@dataclass(frozen=True, kw_only=True)
class RunAsReported:
    """A run as it was when it was reported on.

    ``lacking`` are parts that it had then, that the report may rest on, and that neither the pack nor the run that is
    held has as they were.
    """

    run: Run
    lacking: tuple[str, ...]


def packed_run(pack: Pack, folder: Path) -> Run:
    """The run in a pack, written to ``folder``: what its training made, without what was explained of it later.

    Raises:
        ValueError: the pack lacks a part.
        DamagedRunError: its manifest cannot be read.
    """
    for name in (MANIFEST, *CORE_PARTS):
        content = pack.files.get(f"{MODEL_PREFIX}{name}")
        if content is None:
            raise ValueError(f"the pack lacks the model's part {name!r}")
        (folder / name).write_bytes(content)
    manifest = RunManifest.read(folder)
    own = {name: manifest.parts[name] for name in CORE_PARTS}
    return Run(folder, dataclasses.replace(manifest, parts=own))


def parts_elsewhere(pack: Pack) -> tuple[str, ...]:
    """Parts that the run had when it was reported on, that the report may rest on, and that are not in the pack."""
    listed = pack.json(f"{MODEL_PREFIX}{MANIFEST}")["parts"]
    kind = document_of(pack).identity.kind
    return tuple(name for name in sorted(listed) if f"{MODEL_PREFIX}{name}" not in pack.files and _is_read(name, kind))


def _is_read(name: str, kind: str) -> bool:
    """Whether a report of a kind may rest on a part that was measured of the run."""
    return kind == "model" or (kind != "comparison" and name.startswith(_READ_FOR_ROWS))


def as_reported(pack: Pack, held: Run | None, folder: Path) -> RunAsReported:
    """The run as it was at the report: the one that is held where nothing was changed in it, else written anew.

    Each part comes from the pack, or from the run that is held where its SHA-256 is still the one of then.

    Args:
        pack: the evidence.
        held: the run as it is now.
        folder: an empty one, to write into.

    Raises:
        UserError, ValueError, KeyError: a part cannot be read.
        MemoryError: the rows of the splits in the pack unpack to far more than any run has.
    """
    if held is not None and (held.folder / MANIFEST).read_bytes() == pack.files[f"{MODEL_PREFIX}{MANIFEST}"]:
        return RunAsReported(run=held, lacking=())
    refuse_bomb(pack.files[f"{MODEL_PREFIX}{SPLITS}"])  # the only table of the model that a pack holds
    core = packed_run(pack, folder)
    listed, parts = RunManifest.read(folder).parts, dict(core.manifest.parts)
    for name in sorted(listed.keys() - parts.keys()):
        content = _part(pack, held, name, listed[name])
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            parts[name] = listed[name]
    run = Run(folder, dataclasses.replace(core.manifest, parts=parts))
    kind = document_of(pack).identity.kind
    lacking = tuple(name for name in sorted(listed.keys() - parts.keys()) if _is_read(name, kind))
    return RunAsReported(run=run, lacking=lacking)


def _part(pack: Pack, held: Run | None, name: str, digest: str) -> bytes | None:
    content = pack.files.get(f"{MODEL_PREFIX}{name}") if name.endswith(".json") else None  # no other is in a pack
    if content is not None and sha256_bytes(content) == digest:
        return content
    return held.read(name) if held is not None and held.manifest.parts.get(name) == digest else None


def checked_run(pack: Pack, held: Run | None, folder: Path) -> Iterator[Checked]:
    """Whether the run in the pack is whole, and is the one that is held."""
    packed = packed_run(pack, folder)
    packed.verify()
    yield from _named_otherwise(pack, packed.manifest)
    if held is None:
        sentence = say("The model is the one in the pack; give the run itself to see that it is the same one.")
        yield Checked(name="model", ok=True, is_open=True, sentence=sentence)
        return
    title = held.manifest.title
    other = [part for part in CORE_PARTS if held.manifest.parts.get(part) != packed.manifest.parts[part]]
    sentence = (
        say("The run {title!r} is not the one of the report: {parts} differ.", title=title, parts=", ".join(other))
        if other
        else say("The run {title!r} is the one of the report, in every part that decides.", title=title)
    )
    yield Checked(name="model", ok=not other, sentence=sentence)
    then = RunManifest.read(folder)
    mine, theirs = (_facts(manifest) for manifest in (held.manifest, then))
    facts = [name for name in theirs if mine[name] != theirs[name]]
    if facts:
        sentence = say(
            "The pack does not say of the run what the run {title!r} says of itself: {facts} differ.",
            title=title,
            facts=", ".join(facts),
        )
        yield Checked(name="model", ok=False, sentence=sentence)
    yield from _changed_since(pack, held.manifest, then)


def _named_otherwise(pack: Pack, manifest: RunManifest) -> Iterator[Checked]:
    """That the report is about another run than the one in its pack: that one would be looked for, and not be found."""
    identity = document_of(pack).identity
    if identity.run_id == manifest.run_id:
        return
    sentence = say(
        "The report is about the run {named!r}, and the run in the pack is {packed!r}.",
        named=identity.run_id,
        packed=manifest.run_id,
    )
    yield Checked(name="model", ok=False, sentence=sentence)


def _facts(manifest: RunManifest) -> Mapping[str, Any]:
    """What a training settles, as JSON gives it back."""
    values = json.loads(json_bytes(manifest.to_mapping()))
    values["dataset"].pop("dataset_id")  # where a workspace keeps it
    return {name: value for name, value in values.items() if name not in _MAY_CHANGE}


def _changed_since(pack: Pack, now: RunManifest, then: RunManifest) -> Iterator[Checked]:
    """What may be otherwise without any fault, and can neither be confirmed: a new title, and new measurements."""
    if now.title != then.title:
        sentence = say(
            "The report calls the run {before!r}, it is called {now!r} now.", before=then.title, now=now.title
        )
        yield Checked(name="title", ok=True, is_open=True, sentence=sentence)
    kind = document_of(pack).identity.kind  # those that are no report on a model rest on little of it
    added = sorted(name for name in now.parts.keys() - then.parts.keys() if _is_read(name, kind))
    changed = sorted(
        name
        for name in then.parts.keys() - set(CORE_PARTS)
        if _is_read(name, kind) and now.parts.get(name) != then.parts[name]
    )
    if added:
        sentence = say(
            "The run has been measured further since: it holds {parts}, which it did not have, as the pack tells, when "
            "the report was made. The report is compared with the run as the pack tells it.",
            parts=", ".join(added),
        )
        yield Checked(name="measured since", ok=True, is_open=True, sentence=sentence)
    if changed:
        sentence = say(
            "Of what was measured of the run, it does not hold these parts as the pack has them: {parts}. They were "
            "measured again since, or changed in the pack; what the report says of them is compared with the pack's.",
            parts=", ".join(changed),
        )
        yield Checked(name="measured since", ok=True, is_open=True, sentence=sentence)
