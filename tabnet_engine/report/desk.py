"""What people write for reports, kept in the workspace: who decides, what a model is for, reason codes, letters.

Every file is whole or absent: two writers leave the text of the last one. Every version of the reason codes is
kept under its SHA-256, for a report names the one that it used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import ConfigError, ReportError, StorageError
from tabnet_engine.report.notice.template import MAX_LENGTH, default_template
from tabnet_engine.report.reason_codes import ReasonCodes, code_problems, default_codes
from tabnet_engine.runs.parts import (
    folder_lock,
    json_bytes,
    parse_json,
    storage_errors,
    write_bytes,
    write_json,
    write_whole,
)
from tabnet_engine.texts.speaking import msg

__all__ = ["CodesVersion", "Desk"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_T = TypeVar("_T")
_READ, _SAVE = msg("read what was written for reports"), msg("save what was written for reports")
_SCORE = msg("what is stated about a score bought from others")
_ORGANISATION, _FACTS, _CODES = msg("the organisation"), msg("what is stated about the model"), msg("the reason codes")


@dataclass(frozen=True, kw_only=True)
class CodesVersion:
    """One version of a dictionary that was saved: when (ISO 8601 in UTC), its SHA-256, how many codes, reviewed."""

    number: int
    saved: str
    sha256: str
    n_codes: int
    n_reviewed: int


class Desk:
    """The folder of what people write for reports; nothing is written before something is saved.

    Args:
        folder: ``desk`` of a workspace.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # Who decides, and what the model is for

    def organisation(self) -> Organisation:
        """Who decides; nothing is stated before it is saved.

        Raises:
            StorageError: the file is damaged or cannot be read.
        """
        return _read(self.folder / "organisation.json", Organisation.from_mapping, _ORGANISATION) or Organisation()

    def save_organisation(self, organisation: Organisation) -> None:
        """Keep who decides.

        Raises:
            StorageError: the disk refused.
        """
        self._write(self.folder / "organisation.json", organisation.to_mapping())

    def facts(self, run_id: str) -> ModelFacts:
        """What the owner stated about a run's model; nothing before it is saved.

        Raises:
            ReportError: no run can be called that.
            StorageError: the file is damaged or cannot be read.
        """
        path = self._facts_path(run_id)
        return _read(path, ModelFacts.from_mapping, _FACTS) or ModelFacts()

    def save_facts(self, run_id: str, facts: ModelFacts) -> None:
        """Keep what the owner states about a run's model.

        Raises:
            ReportError: no run can be called that.
            StorageError: the disk refused.
        """
        self._write(self._facts_path(run_id), facts.to_mapping())

    def consumer_score(self, run_id: str) -> ConsumerScore:
        """What is stated of a score that a run's model reads and someone else made; nothing before it is saved.

        Raises:
            ReportError: no run can be called that.
            StorageError: the file is damaged or cannot be read.
        """
        return _read(self._score_path(run_id), ConsumerScore.from_mapping, _SCORE) or ConsumerScore()

    def save_consumer_score(self, run_id: str, stated: ConsumerScore) -> None:
        """Keep what is stated of such a score.

        Raises:
            ReportError: no run can be called that.
            StorageError: the disk refused.
        """
        self._write(self._score_path(run_id), stated.to_mapping())

    # Reason codes

    def codes(self, dataset_id: str, schema: FeatureSchema) -> ReasonCodes:
        """The reason codes of a table as last saved; drafts for the columns of ``schema`` before that.

        Raises:
            ReportError: no table can be called that.
            StorageError: the file is damaged or cannot be read.
        """
        path = self._codes_folder(dataset_id) / "codes.json"
        stored = _read(path, ReasonCodes.from_mapping, _CODES)
        return default_codes(schema) if stored is None else stored

    def save_codes(self, dataset_id: str, codes: ReasonCodes) -> ReasonCodes:
        """Keep reason codes as the newest version; one that did not change is no new version.

        Returns:
            What was saved: a sentence that was changed after its review is a draft again.

        Raises:
            ReportError: no table can be called that, or a code is wrong in itself: names its place.
            StorageError: the disk refused.
        """
        folder = self._codes_folder(dataset_id)
        columns = tuple({code.column: None for code in codes.codes})  # that they are in the table, the caller checks
        for place, problem in code_problems(codes.codes, columns):
            raise ReportError(f"reason code {place + 1}: {problem}")
        with storage_errors(_SAVE):
            folder.mkdir(parents=True, exist_ok=True)
            return self._next_version(dataset_id, codes)

    def codes_versions(self, dataset_id: str) -> tuple[CodesVersion, ...]:
        """Every version that was saved, newest first.

        Raises:
            ReportError: no table can be called that.
            StorageError: a version is damaged or cannot be read.
        """
        files = sorted(self._versions_folder(dataset_id).glob("[0-9]*.json"), reverse=True)
        return tuple(_version(file)[0] for file in files)

    def codes_version(self, dataset_id: str, sha256: str) -> ReasonCodes:
        """The version with this SHA-256, as a report names it.

        Raises:
            ReportError: no such version was saved.
            StorageError: it is damaged or cannot be read.
        """
        for file in self._versions_folder(dataset_id).glob("[0-9]*.json"):
            version, codes = _version(file)
            if version.sha256 == sha256:
                return codes
        raise ReportError(f"no reason codes with the SHA-256 {sha256[:12]!r} were saved for the table {dataset_id!r}")

    # Letters

    def template(self, profile: str, language: str) -> str:
        """The letter for a profile in a language, as edited; else as it comes.

        Raises:
            ReportError: there is no letter for the profile or in the language.
            StorageError: the file is damaged or cannot be read.
        """
        path = self._template_path(profile, language)
        with storage_errors(_READ):
            try:
                return path.read_bytes().decode()
            except FileNotFoundError:
                return default_template(profile, language)
            except UnicodeDecodeError as error:
                raise StorageError(
                    f"the letter of the profile {profile!r} is damaged; reset it or restore the file {path.name}"
                ) from error

    def has_own_template(self, profile: str, language: str) -> bool:
        """Whether the letter was edited."""
        return self._template_path(profile, language).is_file()

    def save_template(self, profile: str, language: str, text: str) -> None:
        """Keep an edited letter; whether it can be used, :func:`.notice.template.check_template` tells.

        Raises:
            ReportError: it is too long, or no profile or language can be called that.
            StorageError: the disk refused.
        """
        path = self._template_path(profile, language)
        if len(text) > MAX_LENGTH:
            raise ReportError(f"the letter has {len(text):,} characters; a letter has at most {MAX_LENGTH:,}")
        content = text.replace("\r\n", "\n").encode(errors="replace")
        with storage_errors(_SAVE):
            write_whole(path, lambda temporary: write_bytes(temporary, content))

    def reset_template(self, profile: str, language: str) -> None:
        """Go back to the letter as it comes.

        Raises:
            ReportError: no profile or language can be called that.
            StorageError: the disk refused.
        """
        path = self._template_path(profile, language)
        with storage_errors(_SAVE):
            path.unlink(missing_ok=True)

    # Files

    def _write(self, path: Path, values: dict[str, Any]) -> None:
        with storage_errors(_SAVE):
            write_json(path, values, indent=1)

    def _next_version(self, dataset_id: str, codes: ReasonCodes) -> ReasonCodes:
        """Write the codes under a lock, so that two writers number their versions one after the other."""
        path = self._codes_folder(dataset_id) / "codes.json"
        with folder_lock(path.parent, exclusive=True):
            previous = _read(path, ReasonCodes.from_mapping, _CODES)
            saved = codes if previous is None else codes.following(previous)
            if saved != previous:
                self._keep_version(dataset_id, saved)
                write_json(path, saved.to_mapping(), indent=1)
        return saved

    def _keep_version(self, dataset_id: str, codes: ReasonCodes) -> None:
        folder = self._versions_folder(dataset_id)
        numbers = [int(file.stem) for file in folder.glob("[0-9]*.json") if file.stem.isdigit()]
        saved = datetime.now(UTC).isoformat(timespec="seconds")
        values = {"saved": saved, "sha256": codes.sha256, **codes.to_mapping()}
        content = json_bytes(values, indent=1)
        path = folder / f"{max(numbers, default=0) + 1:06d}.json"
        write_whole(path, lambda temporary: write_bytes(temporary, content))

    def _facts_path(self, run_id: str) -> Path:
        return self.folder / "facts" / f"{_safe(run_id)}.json"

    def _score_path(self, run_id: str) -> Path:
        return self.folder / "consumer_scores" / f"{_safe(run_id)}.json"

    def _codes_folder(self, dataset_id: str) -> Path:
        return self.folder / "codes" / _safe(dataset_id)

    def _versions_folder(self, dataset_id: str) -> Path:
        return self._codes_folder(dataset_id) / "versions"

    def _template_path(self, profile: str, language: str) -> Path:
        return self.folder / "letters" / f"{_safe(profile)}-{_safe(language)}.txt"


def _safe(name: str) -> str:
    """A name that is one plain part of a path.

    Raises:
        ReportError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise ReportError(f"{name!r} is no name of a run, table or profile of this workspace; choose one from the list")
    return name


def _read(path: Path, make: Callable[[Any], _T], what: str) -> _T | None:
    """What ``make`` makes of a JSON file; None where there is no file."""
    with storage_errors(_READ):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return make(parse_json(content))
    except (ValueError, TypeError, AttributeError, ConfigError) as error:
        raise StorageError(
            f"{what} cannot be read, for the file {path.name} is damaged; restore or remove it"
        ) from error


def _version(file: Path) -> tuple[CodesVersion, ReasonCodes]:
    """One stored version; its content must be what its SHA-256 says."""
    stored = _read(file, _version_parts, _CODES)
    if stored is None:
        raise StorageError(f"version {file.stem} of the reason codes is not there any more; reload and try again")
    saved, codes = stored
    version = CodesVersion(
        number=int(file.stem),
        saved=saved,
        sha256=codes.sha256,
        n_codes=len(codes.codes),
        n_reviewed=sum(code.is_reviewed for code in codes.codes),
    )
    return version, codes


def _version_parts(values: Any) -> tuple[str, ReasonCodes]:
    codes = ReasonCodes.from_mapping(values)
    if codes.sha256 != values.get("sha256"):
        raise ValueError("the reason codes are not those that were saved")
    return str(values.get("saved", "")), codes
