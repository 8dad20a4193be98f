"""What people write for reports is kept whole, found again, and refused where it is damaged."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.data.schema import Column, FeatureSchema, Kind
from tabnet_engine.errors import ReportError, StorageError
from tabnet_engine.report.desk import Desk
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.reason_codes import ReasonCode, ReasonCodes, default_codes
from tabnet_engine.runs import parts

SCHEMA = FeatureSchema(columns=(Column(name="income", kind=Kind.NUMBER),))
CODES = ReasonCodes(
    (ReasonCode("R1", "income", "any", "Your income {x} <b>\ud800.", "您的收入。", "Ann", "2026-03-01"),)
)
NAMES = ["../x", "", "a/b", ".hidden", "x" * 200, "run\n1", "id\x00"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "workspace" / "desk")


def test_nothing_is_stated_and_nothing_written_before_something_is_saved(desk: Desk) -> None:
    assert desk.organisation() == Organisation()
    assert desk.facts("run-1") == ModelFacts()
    assert desk.codes("table-1", SCHEMA) == default_codes(SCHEMA)
    assert desk.codes_versions("table-1") == ()
    assert desk.template("us_adverse_action", "en") == default_template("us_adverse_action", "en")
    desk.reset_template("us_adverse_action", "en")
    assert not desk.folder.exists()


def test_what_was_saved_is_found_again(desk: Desk) -> None:
    organisation = Organisation(name="Bank {{date}} <b>", address="1 Road\nTown")
    desk.save_organisation(organisation)
    desk.save_facts("run-1", ModelFacts(owner="Credit risk"))
    desk.save_facts("run-2", ModelFacts(owner="Fraud"))
    score = ConsumerScore(use="column", column="a, b", lowest=0.5, factor_columns=("x", "y, z"))
    desk.save_consumer_score("run-2", score)
    desk.save_template("us_adverse_action", "zh", "# 信\r\n\r\n{{reasons}}")
    again = Desk(desk.folder)
    assert again.organisation() == organisation
    assert again.facts("run-1").owner == "Credit risk"
    assert (again.consumer_score("run-1"), again.consumer_score("run-2")) == (ConsumerScore(), score)
    assert again.template("us_adverse_action", "zh") == "# 信\n\n{{reasons}}"
    assert again.has_own_template("us_adverse_action", "zh")
    assert not again.has_own_template("us_adverse_action", "en")
    again.reset_template("us_adverse_action", "zh")
    assert again.template("us_adverse_action", "zh") == default_template("us_adverse_action", "zh")


def test_every_version_of_the_codes_is_kept(desk: Desk) -> None:
    first = desk.save_codes("table-1", CODES)
    assert desk.save_codes("table-1", CODES) == first
    changed = ReasonCodes((dataclasses.replace(CODES.codes[0], text_en="Another sentence."),))
    second = desk.save_codes("table-1", changed)
    assert not second.codes[0].is_reviewed
    assert desk.codes("table-1", SCHEMA) == second
    versions = desk.codes_versions("table-1")
    assert [(one.number, one.sha256, one.n_reviewed) for one in versions] == [
        (2, second.sha256, 0),
        (1, first.sha256, 1),
    ]
    assert desk.codes_version("table-1", first.sha256) == first
    with pytest.raises(ReportError, match="no reason codes with the SHA-256"):
        desk.codes_version("table-1", "0" * 64)


def test_codes_that_clash_are_not_saved(desk: Desk) -> None:
    twice = ReasonCodes((CODES.codes[0], dataclasses.replace(CODES.codes[0], when="below")))
    with pytest.raises(ReportError, match="reason code 2: the code 'R1' stands twice"):
        desk.save_codes("table-1", twice)
    assert desk.codes("table-1", SCHEMA) == default_codes(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_leaves_the_folder(desk: Desk, name: str) -> None:
    for use in (
        lambda: desk.facts(name),
        lambda: desk.save_facts(name, ModelFacts()),
        lambda: desk.consumer_score(name),
        lambda: desk.save_consumer_score(name, ConsumerScore()),
        lambda: desk.codes(name, SCHEMA),
        lambda: desk.save_codes(name, CODES),
        lambda: desk.codes_versions(name),
        lambda: desk.template(name, "en"),
        lambda: desk.save_template("us_adverse_action", name, "x"),
    ):
        with pytest.raises(ReportError):
            use()
    assert not desk.folder.exists()


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"codes": [1]}', b"\xff", b"null", b'{"unknown": ""}', b'{"name": 1}']
)
def test_a_damaged_file_is_named(desk: Desk, content: bytes) -> None:
    desk.save_organisation(Organisation())
    desk.save_codes("table-1", CODES)
    (desk.folder / "organisation.json").write_bytes(content)
    (desk.folder / "codes" / "table-1" / "codes.json").write_bytes(content)
    with pytest.raises(StorageError, match=r"organisation\.json"):
        desk.organisation()
    with pytest.raises(StorageError, match=r"codes\.json"):
        desk.codes("table-1", SCHEMA)


def test_a_changed_version_is_found(desk: Desk) -> None:
    desk.save_codes("table-1", CODES)
    file = desk.folder / "codes" / "table-1" / "versions" / "000001.json"
    values = json.loads(file.read_bytes())
    values["codes"][0]["text_en"] = "Something else."
    file.write_text(json.dumps(values))
    with pytest.raises(StorageError, match="damaged"):
        desk.codes_versions("table-1")


def test_a_write_that_fails_leaves_what_was_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.save_organisation(Organisation(name="Before"))

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts, "confirm", full)
    with pytest.raises(StorageError, match="the disk is full"):
        desk.save_organisation(Organisation(name="After"))
    assert desk.organisation().name == "Before"
    assert [path.name for path in desk.folder.iterdir()] == ["organisation.json"]


def test_two_writers_leave_every_version(desk: Desk) -> None:
    def save(number: int) -> ReasonCodes:
        return desk.save_codes("table-1", ReasonCodes((ReasonCode("R1", "income", "any", f"Sentence {number}.", ""),)))

    with ThreadPoolExecutor(4) as pool:
        saved = list(pool.map(save, range(8)))
    assert {one.sha256 for one in desk.codes_versions("table-1")} == {one.sha256 for one in saved}
    assert desk.codes("table-1", SCHEMA) in saved
