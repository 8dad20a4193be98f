"""Opening an evidence pack that may come from a stranger: nothing is unpacked to disk, nothing unlisted is believed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabnet_engine.errors import ReportError
from tabnet_engine.report.evidence import (
    DOCUMENT,
    FORMAT,
    FORMAT_VERSION,
    PACK_MANIFEST,
    check_entry_name,
    manifest_digest,
    zip_bytes,
)
from tabnet_engine.runs.parts import is_regular_file, parse_json, sha256_bytes, storage_errors
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["MAX_PACK_BYTES", "Checked", "Pack", "checked_files", "open_pack", "pack_content"]

MAX_PACK_BYTES = 512 * 1024**2
MAX_ENTRIES = 1_000
_ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError, struct.error)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One thing that was checked: its name, whether it holds, and that in a sentence.

    ``is_open`` marks what nothing that is at hand speaks against, and nothing confirms either.
    """

    name: str
    ok: bool
    sentence: str
    is_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Pack:
    """The files of a pack by name, with the manifest read; ``content`` are the bytes of the whole."""

    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    content: bytes

    def json(self, name: str) -> Any:
        """A file of the pack as JSON.

        Raises:
            ValueError: there is no such file, or it holds no JSON.
        """
        if name not in self.files:
            raise ValueError(f"there is no file {name!r}")
        return parse_json(self.files[name])


def pack_content(path: Path) -> bytes:
    """The bytes of a pack.

    Raises:
        ReportError: there is no file, or it is too large for a pack.
        StorageError: the disk refuses.
    """
    if not is_regular_file(path.resolve()):
        raise ReportError(f"there is no evidence pack at {str(path)!r}; give the zip file of a report")
    with storage_errors(f"read {str(path)!r}"), path.open("rb") as file:
        content = file.read(MAX_PACK_BYTES + 1)
    if len(content) > MAX_PACK_BYTES:
        raise ReportError(f"{str(path)!r} is larger than {MAX_PACK_BYTES // 1024**2} MiB and no evidence pack")
    return content


def open_pack(content: bytes) -> Pack:
    """The files of a pack. Entries are stored, not compressed, so that they are never larger than the file itself.

    Raises:
        ReportError: it is no evidence pack, or too damaged to be opened.
    """
    try:
        files = dict(_entries(content))
        manifest = parse_json(files[PACK_MANIFEST])
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ValueError("its manifest is that of something else")
        if manifest["format_version"] != FORMAT_VERSION:
            raise ValueError(f"its format version is {manifest['format_version']!r}")
        if not isinstance(manifest["files"], dict):
            raise TypeError("its manifest lists no files")
    except KeyError as error:
        raise ReportError(f"the file is no evidence pack, or damaged: it lacks {error}") from error
    except (TypeError, *_ZIP_ERRORS) as error:
        raise ReportError(f"the file is no evidence pack, or damaged: {error}") from error
    return Pack(files=files, manifest=manifest, content=content)


def _entries(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise ValueError(f"it has {len(entries):,} entries")
        names = [check_entry_name(entry.filename) for entry in entries]
        if len(set(names)) != len(names):
            raise ValueError("two entries have the same name")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
                raise ValueError(f"its entry {entry.filename!r} is compressed or encrypted, which a pack's are not")
            if entry.file_size > len(content):
                raise ValueError(f"its entry {entry.filename!r} says that it is larger than the file")
        if sum(entry.file_size for entry in entries) > len(content):
            raise ValueError("its entries overlap")
        for entry in entries:
            yield entry.filename, archive.read(entry)


def checked_files(pack: Pack) -> tuple[Checked, ...]:
    """Whether every byte is as the pack was written: each file by its hash, the manifest, and the zip around them."""
    return (*_listed(pack), _manifest(pack), _whole(pack))


def _listed(pack: Pack) -> Iterator[Checked]:
    listed, present = pack.manifest["files"], {name for name in pack.files if name != PACK_MANIFEST}
    for name in sorted(listed):
        if name not in present:
            yield Checked(
                name=name, ok=False, sentence=say("The manifest lists {name!r}, which is missing.", name=name)
            )
    for name in sorted(present - set(listed)):
        sentence = say("The file {name!r} is in the pack and not in its manifest.", name=name)
        yield Checked(name=name, ok=False, sentence=sentence)
    same = 0
    for name in sorted(present & set(listed)):
        if sha256_bytes(pack.files[name]) == listed[name]:
            same += 1
            continue
        sentence = say("The file {name!r} was changed: its SHA-256 is not the one in the manifest.", name=name)
        yield Checked(name=name, ok=False, sentence=sentence)
    if DOCUMENT not in pack.files:
        yield Checked(name=DOCUMENT, ok=False, sentence=say("The pack holds no report."))
    if not same == len(listed) == len(present):
        sentence = say("Not every file is listed and has the SHA-256 that is listed.")
        yield Checked(name="hashes", ok=False, sentence=sentence)
        return
    sentence = say_plural(
        "{count} file has the SHA-256 that the manifest lists.",
        "{count:,} files have the SHA-256 that the manifest lists.",
        same,
    )
    yield Checked(name="hashes", ok=True, sentence=sentence)


def _manifest(pack: Pack) -> Checked:
    ok = pack.manifest.get("digest") == manifest_digest(pack.manifest)
    sentence = (
        say("The manifest is as it was written.")
        if ok
        else say("The manifest was changed: its own digest does not match.")
    )
    return Checked(name=PACK_MANIFEST, ok=ok, sentence=sentence)


def _whole(pack: Pack) -> Checked:
    """The same files make the same zip: what differs lies between them, where no hash looks."""
    ok = zip_bytes(pack.files) == pack.content
    sentence = (
        say("Packing the files again gives this very pack, byte for byte.")
        if ok
        else say("Bytes outside the files were changed: packing the files again gives another pack.")
    )
    return Checked(name="pack", ok=ok, sentence=sentence)
