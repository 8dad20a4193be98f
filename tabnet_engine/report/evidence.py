"""The evidence pack: everything that a report rests on in one zip file, the same bytes for the same report.

Files lie in the zip uncompressed, in the order of their names, with a fixed time. So whoever has them can make the
very same zip again: :mod:`tabnet_engine.report.replay` does, and finds every byte that was changed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tabnet_engine.report.document import Document
from tabnet_engine.runs.parts import json_bytes, sha256_bytes

__all__ = [
    "DOCUMENT",
    "FORMAT",
    "FORMAT_VERSION",
    "LOG",
    "MADE_HERE",
    "MODEL_PREFIX",
    "PACK_MANIFEST",
    "check_entry_name",
    "manifest_digest",
    "pack_bytes",
    "program_hash",
    "rendered_files",
    "zip_bytes",
]

FORMAT, FORMAT_VERSION = "tabnet-evidence", 1
PACK_MANIFEST, DOCUMENT, LOG = "manifest.json", "document.json", "log.jsonl"
HTML, PDF = "report.html", "report.pdf"
MODEL_PREFIX = "model/"  # the parts of the run
MADE_HERE = frozenset({PACK_MANIFEST, DOCUMENT, HTML, PDF})
_ENTRY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}){0,5}")
_ROOT = Path(__file__).resolve().parents[2]
# What decides how a report is worded and drawn; a file that is not installed is simply not among them.
_WRITERS = (
    "tabnet_engine/report/**/*",
    "tabnet_engine/explain/**/*.py",
    "tabnet_engine/figures/plain.py",
    "tabnet_engine/texts/*",
    "assets/report.*",
    "assets/fonts/*",
)
_FIXED_MOMENT = (1980, 1, 1, 0, 0, 0)


def pack_bytes(document: Document, parts: Mapping[str, bytes], files: Mapping[str, bytes] | None = None) -> bytes:
    """The evidence pack of a report.

    Args:
        document: the report, with the steps of its review.
        parts: the evidence by file name: the request, the case, the row as received, the run's parts ...
        files: the report as people read it, by file name; rendered here when None.

    Raises:
        ValueError: a part has a name that no file in a pack has, or that of a file that is made here.
    """
    made = rendered_files(document) if files is None else files
    if clash := sorted(parts.keys() & (MADE_HERE | made.keys())):
        raise ValueError(f"the part {clash[0]!r} has the name of a file that the pack makes itself")
    contents = {DOCUMENT: json_bytes(document.to_mapping(), indent=1), **made, **parts}
    manifest = _manifest(document, {name: sha256_bytes(content) for name, content in sorted(contents.items())})
    return zip_bytes({PACK_MANIFEST: json_bytes(manifest, indent=1), **contents})


def rendered_files(document: Document) -> dict[str, bytes]:
    """The report as HTML, with drawn charts and no script, and as PDF."""
    from tabnet_engine.report.rendering.html import html_bytes
    from tabnet_engine.report.rendering.pdf import pdf_bytes

    return {HTML: html_bytes(document, is_interactive=False), PDF: pdf_bytes(document)}


@functools.cache
def program_hash() -> str:
    """The SHA-256 of the part of this program that writes reports: only the same one writes the same bytes."""
    digest = hashlib.sha256(f"reportlab {version('reportlab')}".encode())
    files = {path for pattern in _WRITERS for path in _ROOT.glob(pattern) if path.is_file()}
    for path in sorted(file for file in files if file.suffix != ".pyc"):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def manifest_digest(values: Mapping[str, Any]) -> str:
    """What a manifest must give as its own digest."""
    told = {key: value for key, value in values.items() if key != "digest"}
    return sha256_bytes(json.dumps(told, sort_keys=True).encode())


def check_entry_name(name: str) -> str:
    """``name`` if it is one that a file in a pack may have: it leads nowhere else.

    Raises:
        ValueError: it is none.
    """
    if not _ENTRY_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in an evidence pack")
    return name


def zip_bytes(contents: Mapping[str, bytes]) -> bytes:
    """A zip of some files: the manifest first, the others by name, uncompressed and at a fixed time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents, key=lambda name: (name != PACK_MANIFEST, name)):
            entry = zipfile.ZipInfo(check_entry_name(name), _FIXED_MOMENT)
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[name])
    return buffer.getvalue()


def _manifest(document: Document, files: Mapping[str, str]) -> dict[str, Any]:
    identity = document.identity
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "identity": identity.to_mapping(),
        "program": program_hash(),
        "profile": {"name": identity.profile, "version": identity.profile_version},
        "review": [dataclasses.asdict(step) for step in document.review],
        "files": dict(files),
    }
    return {**values, "digest": manifest_digest(values)}
