"""Packs changed by somebody who knows how they are made: every hash and digest in them fits again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tabnet_engine.report.evidence import PACK_MANIFEST, manifest_digest, zip_bytes
from tabnet_engine.report.pack_reading import open_pack
from tabnet_engine.runs.parts import sha256_bytes

Files = dict[str, bytes]


def forged(pack: bytes, forge: Callable[[Files], None]) -> bytes:
    """A pack changed by somebody who knows how its manifest is made."""
    files = dict(open_pack(pack).files)
    manifest = json.loads(files.pop(PACK_MANIFEST))
    forge(files)
    manifest["files"] = {name: sha256_bytes(content) for name, content in sorted(files.items())}
    manifest["identity"] = json.loads(files["document.json"])["identity"]
    manifest["digest"] = manifest_digest(manifest)
    return zip_bytes({**files, PACK_MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()})


def in_json(name: str, change: Callable[[Any], None]) -> Callable[[Files], None]:
    def forge(files: Files) -> None:
        values = json.loads(files[name])
        change(values)
        files[name] = (json.dumps(values, indent=1) + "\n").encode()

    return forge
