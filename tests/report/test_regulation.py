"""Regulation profiles: data that is read strictly, by version and day, with every citation out of the code."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.config.report import REPORT_KINDS
from tabnet_engine.errors import ReportError
from tabnet_engine.report.profile_words import CHECKS, LETTER_KEYS, SECTION_KEYS
from tabnet_engine.report.regulation import PROFILES, list_profiles, load_profile, profile_for
from tabnet_engine.report.stated_checks import STATED
from tabnet_engine.runs.parts import sha256_file
from tabnet_engine.texts.speaking import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(PROFILES.glob("*.json"))
SOUND = json.loads((PROFILES / "us_adverse_action-2026.1.json").read_text(encoding="utf-8"))


def write(folder: Path, values: object, *, name: str = "us_adverse_action", version: str = "2026.1") -> Path:
    (folder / f"{name}-{version}.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def changed(path: str, value: object) -> dict:
    """The sound profile with one value in another one's place; ``path`` leads there by keys and positions."""
    values = copy.deepcopy(SOUND)
    *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    place = values
    for key in way:
        place = place[key]
    place[last] = value
    return values


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_profile_loads_in_every_language(file, language):
    name, _, version = file.stem.rpartition("-")
    profile = load_profile(name, language, version)
    assert (profile.name, profile.version, profile.sha256) == (name, version, sha256_file(file))
    assert profile.title
    assert profile.retention
    for kind in profile.kinds:
        assert kind == "notice" or [one.key for one in profile.sections(kind)][-1] == "integrity"
        assert "profile.in_force" in profile.required(kind)
        assert set(profile.required(kind)) <= set(CHECKS)


def texts_in(value: object):
    """Every text of a file, in all its languages."""
    if isinstance(value, dict) and set(value) == set(LANGUAGES):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_both_languages_name_the_same_numbers(file):
    """An article, a month or a year that differs between the languages is a mistake in one of them."""
    months = {"February": "2", "April": "4", "December": "12"}
    for text in texts_in(json.loads(file.read_text(encoding="utf-8"))):
        chinese = set(re.findall(r"\d+", text["zh"]))
        spelled = {number for month, number in months.items() if month in text["en"]}
        assert set(re.findall(r"\d+", text["en"])) | spelled == chinese, text


@pytest.mark.parametrize("kind", REPORT_KINDS)
def test_every_kind_of_report_has_a_profile_and_takes_the_first(kind):
    assert profile_for(kind) == list_profiles(kind)[0]
    assert set(list_profiles(kind)) <= set(list_profiles())


def test_the_texts_of_what_people_state_cover_every_field_that_can_be_required():
    assert set(STATED) == {key for key in CHECKS if key.startswith(("organisation.", "facts."))}


def test_sections_with_sources_name_those_that_ask_for_them():
    profile = load_profile("us_adverse_action", "en")
    assert any("9(b)(2)-4" in text for text in profile.sources("reasons"))
    assert profile.sources("settings") == ()
    cited = {key for one in profile.citations for key in one.sections}
    assert cited <= {one.key for one in profile.sections("decision")}


@pytest.mark.parametrize("name", list_profiles())
def test_statements_and_sources_stand_in_sections_that_are_asked_for(name):
    profile = load_profile(name, "en")
    asked = {one.key for kind in profile.kinds for one in profile.sections(kind)}
    assert {key for one in profile.citations for key in one.sections} <= asked
    assert set(profile.statements) <= asked | (set(LETTER_KEYS) if "notice" in profile.kinds else set())


# Newest version that may be used on a day; of none, the newest of all.


def versions(folder: Path, spans: dict[str, tuple[str, str | None]]) -> Path:
    for version, (start, end) in spans.items():
        write(folder, {**SOUND, "version": version, "valid_from": start, "valid_until": end}, version=version)
    return folder


@pytest.mark.parametrize(
    ("on", "version"),
    [
        ("2024-06-01", "1"),
        ("2025-01-01", "2"),
        ("2025-12-31T23:59:00+00:00", "2"),
        ("2026-01-01", "10.1"),
        ("2020-01-01", "10.1"),
        ("", "10.1"),
    ],
)
def test_the_newest_version_in_force_is_taken(tmp_path, on, version):
    folder = versions(
        tmp_path, {"1": ("2024-01-01", "2025-06-30"), "2": ("2025-01-01", "2025-12-31"), "10.1": ("2026-01-01", None)}
    )
    profile = load_profile("us_adverse_action", "en", on=on, folder=folder)
    assert profile.version == version
    assert profile.is_in_force(on or "2026-01-01") == (on != "2020-01-01")
    assert load_profile("us_adverse_action", "en", "1", on=on, folder=folder).version == "1"


@given(st.dates(), st.dates(), st.dates())
def test_a_profile_is_in_force_from_its_first_to_its_last_day(first, last, day):
    import dataclasses

    profile = dataclasses.replace(load_profile_once(), valid_from=first.isoformat(), valid_until=last.isoformat())
    assert profile.is_in_force(day.isoformat()) == (first <= day <= last)


def load_profile_once(_cache: list = []):  # noqa: B006 - read once for all examples
    if not _cache:
        _cache.append(load_profile("us_adverse_action", "en"))
    return _cache[0]


# What is asked for wrongly is one clear sentence.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "en"), "there is no regulation profile 'nowhere'; the profiles are eu_ai_act, "),
        (("../profiles/eu_ai_act", "en"), "there is no regulation profile"),
        (("eu_ai_act", "fr"), "one of en, zh, got 'fr'"),
        (("eu_ai_act", "en", "1999.1"), "no version '1999.1'; its versions are 2026.1"),
    ],
)
def test_a_profile_that_is_not_there_is_said_with_those_that_are(arguments, words):
    with pytest.raises(ReportError) as error:
        load_profile(*arguments)
    assert words in str(error.value)


def test_a_kind_that_a_profile_lacks_is_refused():
    with pytest.raises(ReportError, match="has no model report; it has: decision report, notice"):
        load_profile("us_adverse_action", "en").sections("model")


# Strictness: whatever is wrong with a file is named.


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("extra", 1, "the file has the unknown key 'extra'"),
        ("format_version", 2, "format_version must be 1, got 2"),
        ("name", "other", "unlike its file name"),
        ("rank", True, "rank must be a whole number"),
        ("valid_from", "2026-02-30", "valid_from must be a date such as 2026-01-31, got '2026-02-30'"),
        ("valid_from", "20260201", "valid_from must be a date"),
        ("valid_until", "2025-01-01", "ends at 2025-01-01, before its start"),
        ("title", {"en": "only"}, "title lacks 'zh'"),
        ("title/zh", " ", "title must have a text in 'zh'"),
        ("title/fr", "x", "title has the unknown key 'fr'"),
        ("sections/letters", [], "sections has the unknown key 'letters'"),
        ("sections/decision/0/keys/0", "nonsense", "sections.decision.keys names 'nonsense', which does not exist"),
        ("sections/decision/0/keys/0", "score", "sections.decision names 'score' twice"),
        ("sections/decision/0/keys", "action", "must be a list"),
        ("required/decision/0", "facts.nothing", "required.decision names 'facts.nothing', which"),
        ("required/model", [], "required has the unknown key 'model'"),
        ("statements/nonsense", {"en": "a", "zh": "b"}, "statements has the unknown key 'nonsense'"),
        ("citations/0/sections/0", "nonsense", "citations.ecoa.sections names 'nonsense', which"),
        ("citations/1/key", "ecoa", "citations name 'ecoa' twice"),
        ("citations/0", {"key": "x"}, "citations lacks 'text'"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, path, value, words):
    folder = write(tmp_path, changed(path, value))
    with pytest.raises(ReportError) as error:
        load_profile("us_adverse_action", "en", folder=folder)
    assert words in str(error.value)
    assert "us_adverse_action-2026.1.json" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b"{"])
def test_a_file_that_holds_no_profile_is_refused(tmp_path, content):
    (tmp_path / "us_adverse_action-2026.1.json").write_bytes(content)
    with pytest.raises(ReportError, match="cannot be used"):
        list_profiles(folder=tmp_path)


def test_a_folder_without_profiles_says_what_to_do(tmp_path):
    assert list_profiles(folder=tmp_path) == ()
    with pytest.raises(ReportError, match="no regulation profile has a decision report"):
        profile_for("decision", folder=tmp_path)


# The law is data: no source is named in the code of the reports.

_CITED = re.compile(
    r"\bGDPR\b|\bECOA\b|\bFCRA\b|\bCFPB\b|\bCFR\b|\bU\.S\.C\b|\bSR \d\d-\d|\bAI Act\b|\bRegulation [A-Z(]|\bReg B\b|"
    r"\b[Aa]rt(?:icle|\.) ?\d|\bFederal Reserve\b|\bConsumer Financial\b|§|2016/679|2024/1689|\bC-203\b|\bICO\b"
)


def test_no_citation_stands_in_the_code_of_the_reports():
    rooms = [ROOT / "tabnet_engine" / room for room in ("report", "jobs", "commands", "explain/reasons", "config")]
    files = [file for room in rooms for file in room.rglob("*.py")]
    files += [ROOT / "pages" / "report.py", *(ROOT / "pages" / "_ui").glob("report*.py")]
    assert len(files) > 30
    cited = {str(file.relative_to(ROOT)): _CITED.findall(file.read_text("utf-8")) for file in files if file.exists()}
    assert {file: found for file, found in cited.items() if found} == {}


def test_the_check_of_citations_finds_one():
    for text in ("12 CFR 1002.9", "see SR 11-7", "Article 13(3)", "Regulation B", "the GDPR"):
        assert _CITED.search(text), text


def test_every_section_of_every_kind_is_asked_for_by_some_profile():
    asked = {(kind, one.key) for name in list_profiles() for kind in REPORT_KINDS for one in sections(name, kind)}
    assert asked == {(kind, key) for kind, keys in SECTION_KEYS.items() for key in keys}


def sections(name: str, kind):
    profile = load_profile(name, "en")
    return profile.sections(kind) if kind in profile.kinds else ()
