"""Saved models with something changed, for the tests."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
PARAMETERS, WEIGHTS = "model_params.json", "network.pt"


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_parts(tmp_path: Path, kind: str, **changes: bytes | None) -> Path:
    """A copy of a fixture with ``parameters`` or ``weights`` replaced, or left out where None."""
    parts: dict[str, Any] = members(FIXTURES / f"{kind}.zip")
    for name, key in ((PARAMETERS, "parameters"), (WEIGHTS, "weights")):
        parts[name] = changes.get(key, parts[name])
    path = tmp_path / f"{kind}.zip"
    path.write_bytes(packed({name: content for name, content in parts.items() if content is not None}))
    return path


def rewritten(tmp_path: Path, kind: str, **parameters: Any) -> Path:
    """A copy of a fixture with some constructor parameters changed; ``preds_mapper`` too."""
    values = json.loads(members(FIXTURES / f"{kind}.zip")[PARAMETERS])
    for name, value in parameters.items():
        values["class_attrs" if name == "preds_mapper" else "init_params"][name] = value
    return with_parts(tmp_path, kind, parameters=json.dumps(values).encode())


def with_storages(weights: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The tensors' own archive with its members changed."""
    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    return packed(parts, zipfile.ZIP_STORED)
