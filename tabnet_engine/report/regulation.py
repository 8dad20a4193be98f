"""Regulation profiles: what each kind of report must hold, in versioned data files with a validity date.

The law moves, so all that it says lives in ``profiles/NAME-VERSION.json``, in every language at once: the sections
asked for, the statements that stand in them, the sources, what must be known before a report is complete. A file is
read strictly: an unknown key, section or check, or a text without one of its languages, is refused by its name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tabnet_engine.config.report import KIND_WORDS, REPORT_KINDS, ReportKind, kind_words
from tabnet_engine.errors import ReportError
from tabnet_engine.report.profile_reading import read_profile
from tabnet_engine.report.profile_words import CHECKS, SECTION_KEYS
from tabnet_engine.texts.speaking import LANGUAGES

__all__ = [
    "CHECKS",
    "PROFILES",
    "SECTION_KEYS",
    "AskedSection",
    "Citation",
    "RegulationProfile",
    "list_profiles",
    "load_profile",
    "profile_for",
]

PROFILES = Path(__file__).parent / "profiles"
_FILE = re.compile(r"(?P<name>[a-z][a-z_]*)-(?P<version>\d+(?:\.\d+)*)\.json")


@dataclass(frozen=True, kw_only=True)
class AskedSection:
    """One section that a profile asks for: its key, and the letter of the part it belongs to."""

    key: str
    part: str


@dataclass(frozen=True, kw_only=True)
class Citation:
    """One source: how it is cited (``text``), what it asks for (``about``), and the sections that answer it."""

    key: str
    text: str
    about: str
    sections: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RegulationProfile:
    """One version of one profile, its texts in one language.

    ``valid_from`` and ``valid_until`` are dates (ISO 8601, both included) between which this version may be used;
    None where no end is known. ``rank`` orders profiles. ``asked`` maps a kind of report to its sections in order,
    ``checks`` to the keys of :data:`CHECKS` that must hold; ``statements`` maps a section's key to what the profile
    says there. ``retention`` says how long the report is kept. ``sha256`` is that of the file.
    """

    name: str
    version: str
    language: str
    title: str
    summary: str
    valid_from: str
    valid_until: str | None
    rank: int
    kinds: tuple[ReportKind, ...]
    asked: Mapping[str, tuple[AskedSection, ...]]
    checks: Mapping[str, tuple[str, ...]]
    statements: Mapping[str, str]
    citations: tuple[Citation, ...]
    retention: str
    sha256: str

    def sections(self, kind: ReportKind) -> tuple[AskedSection, ...]:
        """The sections of one kind of report, in order.

        Raises:
            ReportError: the profile has no such report.
        """
        self._require(kind)
        return self.asked.get(kind, ())

    def required(self, kind: ReportKind) -> tuple[str, ...]:
        """The keys of :data:`CHECKS` that must hold for a report to be complete.

        Raises:
            ReportError: the profile has no such report.
        """
        self._require(kind)
        return self.checks.get(kind, ())

    def statement(self, key: str) -> str:
        """What the profile says in a section; empty where it says nothing there."""
        return self.statements.get(key, "")

    def sources(self, key: str) -> tuple[str, ...]:
        """How the sources that ask for a section are cited."""
        return tuple(citation.text for citation in self.citations if key in citation.sections)

    def is_in_force(self, moment: str) -> bool:
        """Whether this version may be used at a moment (ISO 8601, a date or more)."""
        day = dt.datetime.fromisoformat(moment).date().isoformat()
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def _require(self, kind: ReportKind) -> None:
        if kind not in self.kinds:
            raise ReportError(f"the profile {self.name!r} has no {KIND_WORDS[kind]}; it has: {kind_words(self.kinds)}")


def load_profile(
    name: str, language: str, version: str = "", *, on: str = "", folder: Path = PROFILES
) -> RegulationProfile:
    """A profile with its texts in one language.

    Args:
        name: of the profile, such as those of :func:`list_profiles`.
        language: a key of :data:`tabnet_engine.texts.speaking.LANGUAGES`.
        version: the newest that suits when empty.
        on: a moment (ISO 8601); the newest version in force then is taken, or the newest of all where none is, which
            :meth:`RegulationProfile.is_in_force` tells.
        folder: where the files are.

    Raises:
        ReportError: no such profile, version or language, or a file that is no profile.
    """
    if language not in LANGUAGES:
        raise ReportError(f"a report is written in one of {', '.join(LANGUAGES)}, got {language!r}")
    files = _files(folder)
    if name not in files:
        raise ReportError(f"there is no regulation profile {name!r}; the profiles are {', '.join(sorted(files))}")
    versions = files[name]
    if version:
        if version not in versions:
            raise ReportError(
                f"the regulation profile {name!r} has no version {version!r}; its versions are {', '.join(versions)}"
            )
        return _profile(versions[version], name, version, language)
    known = [_profile(path, name, each, language) for each, path in versions.items()]
    in_force = [profile for profile in known if on and profile.is_in_force(on)]
    return (in_force or known)[-1]


def list_profiles(kind: ReportKind | None = None, *, folder: Path = PROFILES) -> tuple[str, ...]:
    """The names of all profiles, or of those that have one kind of report, in their order.

    Raises:
        ReportError: a file that is no profile.
    """
    newest = [load_profile(name, next(iter(LANGUAGES)), folder=folder) for name in _files(folder)]
    fitting = [profile for profile in newest if kind is None or kind in profile.kinds]
    return tuple(profile.name for profile in sorted(fitting, key=lambda profile: (profile.rank, profile.name)))


def profile_for(kind: ReportKind, *, folder: Path = PROFILES) -> str:
    """The name of the profile that a kind of report takes where none is chosen.

    Raises:
        ReportError: no profile has such a report.
    """
    found = list_profiles(kind, folder=folder)
    if not found:
        raise ReportError(f"no regulation profile has a {KIND_WORDS[kind]}; add one to the folder {folder.name!r}")
    return found[0]


def _files(folder: Path) -> dict[str, dict[str, Path]]:
    """The files by name, then by version, the oldest first."""
    found: dict[str, dict[str, Path]] = {}
    matches = [(match, path) for path in folder.glob("*.json") if (match := _FILE.fullmatch(path.name))]
    for match, path in sorted(matches, key=lambda item: (item[0]["name"], _number(item[0]["version"]))):
        found.setdefault(match["name"], {})[match["version"]] = path
    return found


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _profile(path: Path, name: str, version: str, language: str) -> RegulationProfile:
    read = read_profile(path, name, version)
    return RegulationProfile(
        name=read.name,
        version=read.version,
        language=language,
        title=read.title[language],
        summary=read.summary[language],
        valid_from=read.valid_from,
        valid_until=read.valid_until,
        rank=read.rank,
        kinds=tuple(kind for kind in REPORT_KINDS if kind in read.kinds),
        asked={
            kind: tuple(AskedSection(key=key, part=part) for part, key in sections)
            for kind, sections in read.sections.items()
        },
        checks=read.required,
        statements={key: text[language] for key, text in read.statements.items()},
        citations=tuple(
            Citation(key=one.key, text=one.text[language], about=one.about[language], sections=one.sections)
            for one in read.citations
        ),
        retention=read.retention[language],
        sha256=read.sha256,
    )
