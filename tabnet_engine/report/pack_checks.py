"""Whether an evidence pack fits together: its identity, the parts it names, its renderings and its review."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from tabnet_engine import __version__
from tabnet_engine.config import ReportConfig
from tabnet_engine.errors import EngineError
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import DOCUMENT, LOG, MADE_HERE, MODEL_PREFIX, program_hash, rendered_files
from tabnet_engine.report.identity import CORE_HASHES, case_id_of, content_hash, request_hash
from tabnet_engine.report.log import LogLine
from tabnet_engine.report.pack_reading import Checked, Pack
from tabnet_engine.report.register_record import DRAFT, PARTS, STATES, KeptStep, evidence_hash
from tabnet_engine.report.regulation import load_profile
from tabnet_engine.runs.manifest import MANIFEST
from tabnet_engine.runs.parts import json_bytes, parse_json, sha256_bytes
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

_ELSEWHERE = frozenset({"baseline", "table"})  # what a report names by its hash and no pack holds
CODES = "reason_codes.csv"

__all__ = ["NOT_READABLE", "checked_contents", "document_of", "guarded", "why_other"]

# What reading something forged may raise.
NOT_READABLE = (
    EngineError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OSError,
    MemoryError,
    RuntimeError,
)


def guarded(name: str, check: Callable[[], Iterator[Checked]]) -> tuple[Checked, ...]:
    """What a check found; that it could not be made is a finding too, for a pack may be forged."""
    try:
        return tuple(check())
    except NOT_READABLE as error:
        told = recalled(str(error)) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        sentence = say(
            "{name}: this could not be checked, for what the pack holds cannot be read ({why}).", name=name, why=told
        )
        return (Checked(name=name, ok=False, sentence=sentence),)


def document_of(pack: Pack) -> Document:
    """The report in a pack; raises one of :data:`NOT_READABLE`."""
    return Document.from_mapping(pack.json(DOCUMENT))


def checked_contents(pack: Pack) -> tuple[Checked, ...]:
    """Everything that can be said without computing the decision again."""
    checks: Mapping[str, Callable[[Pack], Iterator[Checked]]] = {
        "identity": _identity,
        "hashes of the report": _hashes,
        "profile": _profile,
        "renderings": _renderings,
        "review": _review,
    }
    found = (guarded(name, lambda check=check: check(pack)) for name, check in checks.items())  # type: ignore[misc]
    return tuple(line for lines in found for line in lines)


def _identity(pack: Pack) -> Iterator[Checked]:
    identity = document_of(pack).identity
    if pack.files[DOCUMENT] != json_bytes(document_of(pack).to_mapping(), indent=1):
        sentence = say("The stored report is not written as a report is: another reader may find other words in it.")
        yield Checked(name=DOCUMENT, ok=False, sentence=sentence)
    ok = identity.case_id == case_id_of(identity) and identity.to_mapping() == pack.manifest["identity"]
    sentence = (
        say("The case id {case_id} belongs to what the report says it was made from.", case_id=identity.case_id)
        if ok
        else say(
            "The case id {case_id} does not belong to what the report says it was made from.", case_id=identity.case_id
        )
    )
    yield Checked(name="identity", ok=ok, sentence=sentence)


def _hashes(pack: Pack) -> Iterator[Checked]:
    identity = document_of(pack).identity
    found = _found_hashes(pack)
    for name, digest in found.items():
        if digest != identity.hashes.get(name):
            sentence = say("The report names another {name} than the one in the pack.", name=repr(name))
            yield Checked(name=name, ok=False, sentence=sentence)
    elsewhere = _ELSEWHERE | ({"reason_codes"} if CODES in pack.files else set())  # these are read with the case
    for name in sorted(identity.hashes.keys() - found.keys() - elsewhere):
        sentence = say("The report names {name}, and the pack does not hold it.", name=repr(name))
        yield Checked(name=name, ok=False, sentence=sentence)
    request = pack.json("request.json")
    if request.get("time") != identity.created or request.get("kind") != identity.kind:
        yield Checked(name="request", ok=False, sentence=say("The request in the pack is not that of the report."))
    listed = ", ".join(sorted(name for name, digest in found.items() if digest == identity.hashes.get(name)))
    sentence = say("The pack holds what the report names by its SHA-256: {listed}.", listed=listed)
    yield Checked(name="hashes of the report", ok=bool(listed), sentence=sentence)


def _found_hashes(pack: Pack) -> dict[str, str]:
    """The hashes that a report's identity names, of what is in the pack."""
    parts = {name: f"{MODEL_PREFIX}{part}" for name, part in {**CORE_HASHES, "manifest": MANIFEST}.items()}
    parts |= {"template": "template.txt", "received": "received.parquet", "profile": "profile.json"}
    found = {name: sha256_bytes(pack.files[part]) for name, part in parts.items() if part in pack.files}
    found["request"] = request_hash(ReportConfig.from_mapping(pack.json("request.json")))
    if f"{MODEL_PREFIX}{MANIFEST}" in pack.files:
        found["data"] = str(pack.json(f"{MODEL_PREFIX}{MANIFEST}")["dataset"]["sha256"])
    for name in ("organisation", "stated_facts", "consumer_score"):
        if f"{name}.json" in pack.files:
            found[name] = sha256_bytes(json_bytes(pack.json(f"{name}.json")))
    named = document_of(pack).identity.hashes
    return {name: digest for name, digest in found.items() if name in named or name not in {"received", "template"}}


def _profile(pack: Pack) -> Iterator[Checked]:
    identity = document_of(pack).identity
    known = load_profile(identity.profile, identity.language, identity.profile_version)
    ok = known.sha256 == identity.hashes.get("profile")
    named = {"profile": identity.profile, "version": identity.profile_version}
    sentence = (
        say("The regulation profile {profile!r}, version {version}, is the one that the report used.", **named)
        if ok
        else say(
            "The regulation profile {profile!r}, version {version}, is another here than the one that the report used.",
            **named,
        )
    )
    yield Checked(name="profile", ok=ok, sentence=sentence)


def _renderings(pack: Pack) -> Iterator[Checked]:
    for name, content in rendered_files(document_of(pack)).items():
        ok = pack.files.get(name) == content
        sentence = (
            say("{name} is, byte for byte, what the stored report gives.", name=name)
            if ok
            else f"{say('{name} is not what the stored report gives.', name=name)} {why_other(pack)}".strip()
        )
        yield Checked(name=name, ok=ok, sentence=sentence)


def why_other(pack: Pack) -> str:
    """What may excuse a report that comes out otherwise; empty where this program wrote it as it is now.

    It is an excuse and no proof: a pack says itself which program wrote it. So what differs is never passed over.
    """
    if pack.manifest.get("program") == program_hash():
        return ""
    return say(
        "It was written by another state of this program (version {made}; this is {present}), which may word or draw a "
        "report otherwise: compare with that one.",
        made=document_of(pack).identity.engine_version,
        present=__version__,
    )


def _review(pack: Pack) -> Iterator[Checked]:
    document = document_of(pack)
    lines = _since_draft([LogLine.from_bytes(line) for line in pack.files.get(LOG, b"").splitlines()])
    steps = tuple(KeptStep.of(line).step for line in lines if line.action in STATES)
    ok = (
        _is_possible(lines, document)
        and steps == document.review
        and pack.manifest["review"] == parse_json(json_bytes([vars(step) for step in document.review]))
    )
    if not ok:
        sentence = say("The steps of the review are not those that the lines of the log record.")
    elif lines:
        sentence = say(
            "The steps of the review are those that the lines of the log record; the last is {hash}.",
            hash=lines[-1].hash,
        )
    else:
        sentence = say("The report was not kept in a register, so no review of it is recorded.")
    yield Checked(name="review", ok=ok, sentence=sentence)
    if lines and lines[0].detail != _kept_evidence(pack, document):
        sentence = say("The evidence is not the one that the log recorded when the report was kept.")
        yield Checked(name="log", ok=False, sentence=sentence)


def _since_draft(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """The lines of the report as it is now: a draft may have been deleted and made again."""
    drafts = [place for place, line in enumerate(lines) if line.action == DRAFT]
    return lines[drafts[-1] :] if drafts else lines


def _is_possible(lines: Sequence[LogLine], document: Document) -> bool:
    """Whether the lines are of this report, one after the other, and sign only what may be signed."""
    states = [line.action for line in lines if line.action in STATES]
    is_signed = "signed" in states
    return (
        all(line.hash == line.own_hash and line.case_id == document.identity.case_id for line in lines)
        and {line.content for line in lines} <= {content_hash(document)}
        and all(one.sequence < other.sequence for one, other in pairwise(lines))
        and all(one.hash == other.previous for one, other in pairwise(lines) if one.sequence + 1 == other.sequence)
        and (not states or states[0] == DRAFT)
        and not (is_signed and (states[-2:] != ["reviewed", "signed"] or document.blocked or document.unmet))
    )


def _kept_evidence(pack: Pack, document: Document) -> str:
    """The SHA-256 over all files that the register kept of the report, as its record has it."""
    kept = json_bytes(dataclasses.replace(document, review=()).to_mapping())
    parts = {name: content for name, content in pack.files.items() if name not in {*MADE_HERE, LOG}}
    files = {DOCUMENT: kept, **{f"{PARTS}/{name}": content for name, content in parts.items()}}
    return evidence_hash({name: sha256_bytes(content) for name, content in files.items()})
