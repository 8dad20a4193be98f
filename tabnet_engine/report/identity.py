"""Who a report is: its case id and the SHA-256 of everything that it was made from. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tabnet_engine import __version__
from tabnet_engine.report.document import Document, Identity
from tabnet_engine.runs.manifest import MANIFEST
from tabnet_engine.runs.parts import json_bytes, sha256_bytes, sha256_file, storage_errors
from tabnet_engine.runs.run import CONFIG, SCHEMA, WEIGHTS

if TYPE_CHECKING:
    from tabnet_engine.config import ReportConfig
    from tabnet_engine.report.regulation import RegulationProfile
    from tabnet_engine.runs.run import Run

__all__ = ["CORE_HASHES", "case_id_of", "content_hash", "identity_of", "request_hash"]

# What each part of a run folder is called among the hashes of a report.
CORE_HASHES: Mapping[str, str] = {"model": WEIGHTS, "configuration": CONFIG, "schema": SCHEMA}
_LETTERS: Mapping[str, str] = {"decision": "D", "notice": "N", "model": "M", "comparison": "C"}
_N_DIGITS = 12  # 48 bits: of 100,000 reports of one day, two share an id once in 60,000 such days


def identity_of(
    run: Run,
    config: ReportConfig,
    *,
    profile: RegulationProfile,
    created: str,
    row: int | None,
    extra: Mapping[str, str],
) -> Identity:
    """The identity of one report; the same request at the same time has the same one.

    Args:
        run: what is reported on.
        config: what was asked for.
        profile: the regulation profile that was used.
        created: the time of the report, ISO 8601 with its zone.
        row: the row's number in the table, of a report about one row.
        extra: the SHA-256 of everything else that went into it, by name: reason codes, template, another run ...

    Raises:
        StorageError: the run's folder cannot be read.
        ValueError: ``created`` has no zone, or ``extra`` names a hash that the run has itself.
    """
    own = {name: run.manifest.parts[part] for name, part in CORE_HASHES.items()}
    with storage_errors(f"read the run {run.manifest.title!r}"):
        own["manifest"] = sha256_file(run.folder / MANIFEST)
    own |= {"data": run.manifest.dataset.sha256, "profile": profile.sha256, "request": request_hash(config)}
    if clash := sorted(own.keys() & extra.keys()):
        raise ValueError(f"the hash {clash[0]!r} is the run's own")
    nameless = Identity(
        case_id="",
        kind=config.kind,
        created=_in_utc(created),
        run_id=run.run_id,
        run_title=run.manifest.title,
        engine_version=__version__,
        profile=profile.name,
        profile_version=profile.version,
        language=config.language,
        seed=config.seed,
        row=row,
        hashes=dict(sorted({**own, **extra}.items())),
    )
    return dataclasses.replace(nameless, case_id=case_id_of(nameless))


def case_id_of(identity: Identity) -> str:
    """The case id that belongs to everything else in an identity: ``D-20261121-7F3A2C9B41D0``.

    The letter tells the kind (D decision, N notice, M model, C comparison), then come the day in UTC and the start
    of a digest of all the rest.
    """
    told = {key: value for key, value in identity.to_mapping().items() if key != "case_id"}
    day = datetime.fromisoformat(identity.created).astimezone(UTC)
    return f"{_LETTERS[identity.kind]}-{day:%Y%m%d}-{_digest(told)[:_N_DIGITS].upper()}"


def request_hash(config: ReportConfig) -> str:
    """The SHA-256 of what was asked for, the time apart: that stands in the identity itself."""
    return _digest({key: value for key, value in config.to_mapping().items() if key != "time"})


def content_hash(document: Document) -> str:
    """The SHA-256 of what a report says; its review is no part of that, so that signing does not change it."""
    return _digest({key: value for key, value in document.to_mapping().items() if key != "review"})


def _in_utc(moment: str) -> str:
    when = datetime.fromisoformat(moment)
    if when.tzinfo is None:
        raise ValueError(f"the time of a report must have its zone, got {moment!r}")
    return when.astimezone(UTC).isoformat(timespec="seconds")


def _digest(value: Mapping[str, Any]) -> str:
    # Sorted, so that the order in which something was put together makes no other report of it.
    return sha256_bytes(json_bytes(_sorted(value)))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
