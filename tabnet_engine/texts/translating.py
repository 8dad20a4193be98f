"""Keeping the catalogue of a language in step with the code: ``python -m tabnet_engine.texts.translating``.

Without options the catalogue gets every text of the code, keeps what was translated and loses what is no longer
said. ``--untranslated FOLDER`` writes what still lacks a translation as numbered JSON files; ``--merge FOLDER`` reads
them back, and takes no translation whose places differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tabnet_engine.texts.catalogue import FOLDER, places
from tabnet_engine.texts.gathering import Gathered, gathered

__all__ = ["main", "merge", "untranslated", "update"]

_LANGUAGE = "zh"
_CHUNK = 60


def update(path: Path, texts: Iterable[Gathered]) -> Any:
    """Bring the catalogue file in step with the texts of the code; returns babel's catalogue."""
    from babel.messages.catalog import Catalog

    before = _read(path)
    catalogue = Catalog(
        locale=_LANGUAGE, fuzzy=False, header_comment="# The texts of the dashboard; `make texts` keeps it in step."
    )
    # A text that depends on a number in one place and not in another has one entry, with its singular.
    for text in sorted(texts, key=lambda item: item.one is None):
        key = text.english if text.one is None else (text.one, text.english)
        known = catalogue.get(text.english) or catalogue.get((text.one or "", text.english))
        if known is not None and text.one is None:
            known.locations = sorted({*known.locations, (text.file, 0)})
            continue
        catalogue.add(key, string=_kept(before, text), locations=[(text.file, 0)], flags=_flags(text.english))
    _write(path, catalogue)
    return catalogue


def untranslated(path: Path, folder: Path) -> int:
    """Write the entries without a translation as ``NN.json``; returns how many there are."""
    waiting = [message for message in _read(path) if message.id and not _string(message)]
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(waiting), _CHUNK)):
        chunk = waiting[start : start + _CHUNK]
        content = {_digest(message): _entry(message) for message in chunk}
        (folder / f"{number:02}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1))
    return len(waiting)


def merge(path: Path, folder: Path) -> list[str]:
    """Take the translations of the JSON files over; returns a sentence for each that cannot be taken."""
    catalogue = _read(path)
    by_digest = {_digest(message): message for message in catalogue if message.id}
    refused = []
    for file in sorted(folder.glob("*.json")):
        for digest, entry in json.loads(file.read_text()).items():
            message, chinese = by_digest.get(digest), entry["chinese"].strip()
            if message is None or not chinese:
                continue
            if (fault := fault_of(_english(message), chinese)) is not None:
                refused.append(f"{file.name}: {_english(message)!r}: {fault}")
                continue
            message.string = (chinese,) if isinstance(message.id, tuple) else chinese
    _write(path, catalogue)
    return refused


def fault_of(english: str, shown: str) -> str | None:
    """Why a translation cannot be said; None when it can."""
    try:
        wanted, found = places(english), places(shown)
    except ValueError as error:
        return str(error)
    return None if wanted == found else f"places differ: {sorted(wanted)} and {sorted(found)}"


def _read(path: Path) -> Any:
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    if not path.exists():
        return Catalog(locale=_LANGUAGE)
    with path.open("rb") as file:
        return read_po(file, locale=_LANGUAGE)


def _write(path: Path, catalogue: Any) -> None:
    from babel.messages.pofile import write_po

    with path.open("wb") as file:
        write_po(file, catalogue, width=118, sort_output=True, ignore_obsolete=True, include_lineno=False)


def _kept(before: Any, text: Gathered) -> Any:
    """The translation that the text had, also when it only now depends on a number."""
    known = before.get(text.english) or before.get((text.one or "", text.english))
    shown = "" if known is None else _string(known)
    return shown if text.one is None else (shown,)


def _flags(english: str) -> list[str]:
    return ["python-brace-format"] if "{" in english else []


def _english(message: Any) -> str:
    return str(message.id[-1] if isinstance(message.id, tuple) else message.id)


def _string(message: Any) -> str:
    return str((message.string[0] if isinstance(message.string, tuple) else message.string) or "")


def _digest(message: Any) -> str:
    return hashlib.sha256(_english(message).encode()).hexdigest()[:12]


def _entry(message: Any) -> dict[str, str]:
    one, many = message.id if isinstance(message.id, tuple) else (message.id, "")
    files = ", ".join(sorted({file for file, _ in message.locations}))
    return {"english": str(one), "plural": str(many), "where": files, "chinese": ""}


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 where a translation was refused."""
    parser = argparse.ArgumentParser(prog="python -m tabnet_engine.texts.translating", description=__doc__)
    parser.add_argument("--catalogue", type=Path, default=FOLDER / f"{_LANGUAGE}.po", help="the file to keep")
    parser.add_argument("--untranslated", type=Path, metavar="FOLDER", help="write what lacks a translation there")
    parser.add_argument("--merge", type=Path, metavar="FOLDER", help="take translations from there")
    chosen = parser.parse_args(arguments)
    refused = merge(chosen.catalogue, chosen.merge) if chosen.merge else []
    catalogue = update(chosen.catalogue, gathered())
    waiting = [message for message in catalogue if message.id and not _string(message)]
    if chosen.untranslated:
        untranslated(chosen.catalogue, chosen.untranslated)
    print(f"{len(catalogue)} texts, {len(waiting)} without a translation", *refused, sep="\n")  # noqa: T201 - a command
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
