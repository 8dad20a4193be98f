"""Reading one file of a regulation profile, strictly: what it holds is checked word by word."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabnet_engine.config.report import REPORT_KINDS
from tabnet_engine.errors import ReportError
from tabnet_engine.report.profile_words import CHECKS, SECTION_KEYS, TEXT_KEYS
from tabnet_engine.runs.parts import parse_json, sha256_bytes, storage_errors
from tabnet_engine.texts.speaking import LANGUAGES, msg

__all__ = ["CitationRead", "ProfileError", "ProfileRead", "read_profile"]

FORMAT_VERSION = 1
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Texts = Mapping[str, str]  # the same text in every language


_WHOLE = msg("the file")
_UNUSABLE = msg("the regulation profile {file!r} cannot be used: {what}")


class ProfileError(ReportError):
    """A file of a regulation profile that is none: what is wrong in it, and its name."""

    def __init__(self, what: str, file: str) -> None:
        super().__init__(_UNUSABLE.format(file=file, what=what))


@dataclass(frozen=True, kw_only=True)
class CitationRead:
    """One source as it stands in the file."""

    key: str
    text: Texts
    about: Texts
    sections: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileRead:
    """One file as it stands, with all languages; ``sections`` are pairs of a part's letter and a key, by kind."""

    name: str
    version: str
    rank: int
    valid_from: str
    valid_until: str | None
    kinds: tuple[str, ...]
    title: Texts
    summary: Texts
    sections: Mapping[str, tuple[tuple[str, str], ...]]
    required: Mapping[str, tuple[str, ...]]
    statements: Mapping[str, Texts]
    citations: tuple[CitationRead, ...]
    retention: Texts
    sha256: str


def read_profile(path: Path, name: str, version: str) -> ProfileRead:
    """Read one file.

    Raises:
        ReportError: it is no profile, or not the one that its name says; the text names the place.
        StorageError: it cannot be read.
    """
    with storage_errors(f"read the regulation profile {path.name!r}"):
        content = path.read_bytes()
    return _Reading(path.name).profile(content, name, version)


@dataclass(frozen=True)
class _Reading:
    """The reading of one file, which every error names."""

    file: str

    def profile(self, content: bytes, name: str, version: str) -> ProfileRead:
        values = self._json(content)
        keys = (
            *("format_version", "name", "version", "rank", "valid_from", "valid_until", "title", "summary"),
            *("sections", "required", "statements", "citations", "retention"),
        )
        self._exactly(values, keys, _WHOLE)
        if values["format_version"] != FORMAT_VERSION:
            raise ProfileError(
                f"its format_version must be {FORMAT_VERSION}, got {values['format_version']!r}", self.file
            )
        if (values["name"], values["version"]) != (name, version):
            raise ProfileError(
                f"it says that it is {values['name']!r} {values['version']!r}, unlike its file name", self.file
            )
        if type(values["rank"]) is not int:
            raise ProfileError(f"its rank must be a whole number, got {values['rank']!r}", self.file)
        start = self._date(values["valid_from"], "valid_from")
        end = None if values["valid_until"] is None else self._date(values["valid_until"], "valid_until")
        if end is not None and end < start:
            raise ProfileError(f"it ends at {end}, before its start at {start}", self.file)
        sections = self._sections(values["sections"])
        return ProfileRead(
            name=name,
            version=version,
            rank=values["rank"],
            valid_from=start,
            valid_until=end,
            kinds=tuple(sections),
            title=self._text(values["title"], "title"),
            summary=self._text(values["summary"], "summary"),
            sections=sections,
            required=self._required(values["required"], tuple(sections)),
            statements=self._statements(values["statements"]),
            citations=self._citations(values["citations"]),
            retention=self._text(values["retention"], "retention"),
            sha256=sha256_bytes(content),
        )

    def _json(self, content: bytes) -> Mapping[str, Any]:
        try:
            values = parse_json(content)
        except ValueError as error:
            raise ProfileError(f"it is no JSON: {error}", self.file) from error
        if not isinstance(values, dict):
            raise ProfileError("it must be a JSON object", self.file)
        return values

    def _sections(self, values: Any) -> dict[str, tuple[tuple[str, str], ...]]:
        """By kind, a list of parts, each with its letter and the keys of its sections."""
        self._known(values, REPORT_KINDS, "sections")
        return {kind: self._parts(kind, values[kind]) for kind in REPORT_KINDS if kind in values}

    def _parts(self, kind: str, parts: Any) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for part in self._list(parts, f"sections.{kind}"):
            self._exactly(part, ("part", "keys"), f"sections.{kind}")
            for key in self._list(part["keys"], f"sections.{kind}.keys"):
                self._one_of(key, SECTION_KEYS[kind], f"sections.{kind}.keys")
                found.append((str(part["part"]), key))
        keys = [key for _, key in found]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ProfileError(f"sections.{kind} names {twice!r} twice", self.file)
        return tuple(found)

    def _required(self, values: Any, kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
        self._known(values, kinds, "required")
        for kind, checks in values.items():
            for key in self._list(checks, f"required.{kind}"):
                self._one_of(key, CHECKS, f"required.{kind}")
        return {kind: tuple(checks) for kind, checks in values.items()}

    def _statements(self, values: Any) -> dict[str, Texts]:
        self._known(values, TEXT_KEYS, "statements")
        return {key: self._text(text, f"statements.{key}") for key, text in values.items()}

    def _citations(self, values: Any) -> tuple[CitationRead, ...]:
        found = tuple(self._citation(value) for value in self._list(values, "citations"))
        keys = [one.key for one in found]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ProfileError(f"citations name {twice!r} twice", self.file)
        return found

    def _citation(self, value: Any) -> CitationRead:
        self._exactly(value, ("key", "text", "about", "sections"), "citations")
        key = str(value["key"])
        for section in self._list(value["sections"], f"citations.{key}.sections"):
            self._one_of(section, TEXT_KEYS, f"citations.{key}.sections")
        return CitationRead(
            key=key,
            text=self._text(value["text"], f"citations.{key}.text"),
            about=self._text(value["about"], f"citations.{key}.about"),
            sections=tuple(value["sections"]),
        )

    def _text(self, value: Any, place: str) -> Texts:
        self._exactly(value, tuple(LANGUAGES), place)
        for code, text in value.items():
            if not isinstance(text, str) or not text.strip():
                raise ProfileError(f"{place} must have a text in {code!r}, got {text!r}", self.file)
        return dict(value)

    def _date(self, value: Any, place: str) -> str:
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return dt.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
        raise ProfileError(f"{place} must be a date such as 2026-01-31, got {value!r}", self.file)

    def _exactly(self, values: Any, keys: Sequence[str], place: str) -> None:
        self._known(values, keys, place)
        lacking = next((key for key in keys if key not in values), None)
        if lacking is not None:
            raise ProfileError(f"{place} lacks {lacking!r}", self.file)

    def _known(self, values: Any, keys: Sequence[str] | frozenset[str], place: str) -> None:
        if not isinstance(values, dict):
            raise ProfileError(f"{place} must be a JSON object, got {values!r}", self.file)
        unknown = next((key for key in values if key not in keys), None)
        if unknown is not None:
            raise ProfileError(
                f"{place} has the unknown key {unknown!r}; known are {', '.join(sorted(keys))}", self.file
            )

    def _list(self, value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            raise ProfileError(f"{place} must be a list, got {value!r}", self.file)
        return value

    def _one_of(self, key: Any, known: Any, place: str) -> None:
        if not isinstance(key, str) or key not in known:
            raise ProfileError(
                f"{place} names {key!r}, which does not exist; known are {', '.join(sorted(known))}", self.file
            )
