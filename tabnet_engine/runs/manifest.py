"""The manifest of a run folder: what the run is, and the SHA-256 of each of its parts."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import DamagedRunError, StorageError, UserError
from tabnet_engine.runs.parts import is_regular_file, parse_json, sha256_bytes, storage_errors, write_json

if TYPE_CHECKING:
    from tabnet_engine.data.tables import Table

__all__ = [
    "FORMAT_VERSION",
    "MANIFEST",
    "MAX_TITLE",
    "DatasetRef",
    "RunManifest",
    "check_part_name",
    "clean_title",
    "finite_or_none",
    "tidy_title",
    "utc_now",
]

FORMAT = "tabnet-run"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 1024**2
MAX_TITLE = 200
_PART_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}){0,3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "run_id": str,
    "title": str,
    "created": str,
    "target": str,
    "device": str,
    "n_features": int,
    "best_epoch": int,
    "seconds": (int, float),
    "outputs": list,
    "notes": list,
    "rows": dict,
    "parts": dict,
    "metrics": dict,
    "versions": dict,
}


def utc_now() -> str:
    """The present time in UTC, ISO 8601, to the microsecond: "2026-03-01T09:30:00.000000+00:00"."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def tidy_title(title: str) -> str:
    """A title on one line: control characters become blanks."""
    return " ".join("".join(char if char.isprintable() else " " for char in title).split())


def clean_title(title: str) -> str:
    """:func:`tidy_title`, for a title that somebody just typed.

    Raises:
        UserError: nothing is left, or too much.
    """
    cleaned = tidy_title(title)
    if not cleaned:
        raise UserError("the title is empty; give it at least one visible character")
    if len(cleaned) > MAX_TITLE:
        raise UserError(f"the title has {len(cleaned)} characters; shorten it to {MAX_TITLE}")
    return cleaned


def check_part_name(name: str) -> str:
    """``name`` if it stays inside the run folder and is not the manifest itself.

    Raises:
        ValueError: it is neither; also for hidden files, which no part is.
    """
    if not _PART_NAME.fullmatch(name) or name == MANIFEST:
        raise ValueError(f"{name!r} is no name for a part of a run")
    return name


@dataclass(frozen=True)
class DatasetRef:
    """The table that a run was trained on. ``sha256`` is that of the file as received."""

    sha256: str
    name: str
    n_rows: int
    n_columns: int
    dataset_id: str | None = None

    def __post_init__(self) -> None:
        # A run folder travels: the name of the file is provenance, its place on this machine is not.
        object.__setattr__(self, "name", re.split(r"[/\\]", self.name)[-1])

    @classmethod
    def of(cls, table: Table, dataset_id: str | None = None) -> Self:
        """The reference to a table as it was read."""
        n_rows, n_columns = table.frame.shape
        return cls(table.sha256, table.name, n_rows, n_columns, dataset_id)


@dataclass(frozen=True, kw_only=True)
class RunManifest:
    """What ``manifest.json`` holds. ``parts`` maps each part's name to the SHA-256 of its bytes.

    ``metrics`` maps a split ("validation", "test") to its scores; a score that the split does not
    define is None. ``rows`` counts the rows of each split. ``target`` names several targets with commas
    between them, and is empty for a pretraining.
    """

    run_id: str
    title: str
    created: str
    task: Task
    target: str
    outputs: tuple[str, ...]
    n_features: int
    rows: dict[str, int]
    dataset: DatasetRef
    parts: dict[str, str]
    metrics: dict[str, dict[str, float | None]]
    device: str
    seconds: float
    best_epoch: int
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def engine_version(self) -> str:
        """Version of this package that wrote the run."""
        return self.versions.get("engine", "unknown")

    @property
    def python_version(self) -> str:
        """Version of Python that wrote the run."""
        return self.versions.get("python", "unknown")

    @property
    def torch_version(self) -> str:
        """Version of torch that trained the run."""
        return self.versions.get("torch", "unknown")

    def to_mapping(self) -> dict[str, Any]:
        """The manifest as plain JSON values."""
        lists = {"outputs": list(self.outputs), "notes": list(self.notes)}
        return {"format": FORMAT, **dataclasses.asdict(self), "task": self.task.value, **lists}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            KeyError, TypeError, ValueError: a part is missing, unknown or not what a manifest holds.
        """
        own = {key: value for key, value in values.items() if key != "format"}
        for key, kind in _TYPES.items():
            if not isinstance(own[key], kind):
                raise TypeError(f"its {key!r} is of the wrong type")
        parts = {check_part_name(str(name)): _check_digest(name, digest) for name, digest in own["parts"].items()}
        metrics = {
            str(split): {str(k): finite_or_none(v) for k, v in scores.items()}
            for split, scores in own["metrics"].items()
        }
        return cls(
            **{
                **own,
                "created": datetime.fromisoformat(own["created"]).isoformat(timespec="microseconds"),
                "task": Task(own["task"]),
                "outputs": tuple(map(str, own["outputs"])),
                "dataset": DatasetRef(**own["dataset"]),
                "parts": parts,
                "metrics": metrics,
                "notes": tuple(map(str, own["notes"])),
            }
        )

    def write(self, folder: Path) -> None:
        """Replace the manifest of ``folder``, whole or not at all.

        Raises:
            OSError: the disk refused.
        """
        values = self.to_mapping()
        write_json(folder / MANIFEST, {**values, "digest": _digest(values)}, indent=1)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a run folder; reads no other file.

        Raises:
            UserError: ``folder`` is no run folder.
            DamagedRunError: the manifest is missing, cannot be read or was changed.
            StorageError: the run was written by a newer version, or the disk refuses.
        """
        if not folder.is_dir():
            raise UserError(f"there is no run at {str(folder)!r}; give the folder that a training wrote")
        content = _manifest_bytes(folder)
        try:
            return cls._parse(content, folder)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise _damaged(folder, f"cannot be read: {reason}") from error

    @classmethod
    def _parse(cls, content: bytes, folder: Path) -> Self:
        values = parse_json(content)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"it does not say that it is a {FORMAT}")
        _check_version(values["format_version"], folder)
        digest = values.pop("digest")
        if digest != _digest(values):
            raise _damaged(folder, "was changed after it was written (its own digest does not match)")
        return cls.from_mapping(values)


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    if not is_regular_file(path):
        raise _damaged(folder, "is missing")
    with storage_errors(f"read {MANIFEST} of the run {folder.name!r}"), path.open("rb") as file:
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise _damaged(folder, f"is larger than {MAX_MANIFEST_BYTES} bytes")
    return content


def _check_version(version: Any, folder: Path) -> None:
    if type(version) is not int or version < 1:
        raise ValueError(f"its format_version is {version!r}")
    if version > FORMAT_VERSION:
        raise StorageError(
            f"the run {folder.name!r} has format version {version}, this program reads up to {FORMAT_VERSION}; "
            "open it with the newer version that wrote it"
        )


def _damaged(folder: Path, what: str) -> DamagedRunError:
    return DamagedRunError(
        f"the run {folder.name!r} is damaged: its part {MANIFEST!r} {what}; "
        "restore the folder from a copy or train again"
    )


def _digest(values: Mapping[str, Any]) -> str:
    return sha256_bytes(json.dumps(values, sort_keys=True).encode())


def _check_digest(name: str, digest: Any) -> str:
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise ValueError(f"the digest of {name!r} is no SHA-256")
    return digest


def finite_or_none(value: Any) -> float | None:
    """A score as JSON can hold it: what is not finite is not defined."""
    return float(value) if value is not None and math.isfinite(value) else None
