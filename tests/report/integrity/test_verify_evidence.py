"""An evidence pack of a real decision: it verifies, and whatever is forged in it, with hashes that fit, is found."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabnet_engine.config import ReportConfig
from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.explain.reasons.replaying import counterfactual_differences
from tabnet_engine.report import evidence, pack_checks, pack_tables
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import pack_bytes
from tabnet_engine.report.held import Held
from tabnet_engine.report.identity import case_id_of
from tabnet_engine.report.making import MadeReport, ReportMaker
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.pack_checks import checked_contents
from tabnet_engine.report.pack_reading import open_pack, pack_content
from tabnet_engine.report.reason_codes import default_codes
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.report.regulation import load_profile
from tabnet_engine.report.replay import verify_pack
from tabnet_engine.runs.artefact import Run, load_run
from tests.report.integrity.forging import Files, forged, in_json
from tests.report.integrity.small_report import Clock


def _maker(run: Run, frame: pd.DataFrame, **settings: Any) -> ReportMaker:
    config = ReportConfig(
        favourable="approved",
        n_repetitions=0,
        n_counterfactuals=1,
        n_reference=20,
        time="2026-03-01T09:30:00+00:00",
        **settings,
    )
    materials = Materials(
        profile=load_profile("us_adverse_action", config.language),
        organisation=Organisation(name="Bank {x} <b>"),
        facts=ModelFacts(),
        codes=default_codes(run.schema),
    )
    return ReportMaker.of(run, frame, config, materials)


@pytest.fixture(scope="module")
def run(credit_run: Path) -> Run:
    return load_run(credit_run)


@pytest.fixture(scope="module")
def maker(run: Run, credit_csv: Path) -> ReportMaker:
    return _maker(run, pd.read_csv(credit_csv))


@pytest.fixture(scope="module")
def made(maker: ReportMaker) -> MadeReport:
    return next(made for made in map(maker.make, range(20)) if made.case and made.case.reasons)


@pytest.fixture(scope="module")
def pack(made: MadeReport) -> bytes:
    return pack_bytes(made.document, made.parts)


def test_a_pack_as_it_was_made_is_equal(pack: bytes, run: Run, tmp_path: Path):
    (tmp_path / "pack.zip").write_bytes(pack)
    verdict = verify_pack(open_pack(pack_content(tmp_path / "pack.zip")), Held(run=run))
    assert verdict.problems == ()
    assert verdict.is_equal
    assert {"decision", "counterfactual", "attributions", "report", "model", "review"} <= {
        line.name for line in verdict.lines
    }


def test_the_same_report_twice_is_byte_identical(made: MadeReport, maker: ReportMaker, pack: bytes):
    assert made.document.identity.row is not None
    again = maker.make(made.document.identity.row)
    assert pack_bytes(again.document, again.parts) == pack


def _in_table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Files], None]:
    def forge(files: Files) -> None:
        table = change(pd.read_parquet(io.BytesIO(files[name])))
        files[name] = table.to_parquet(index=False, compression="zstd")

    return forge


def _other_case(case: Any) -> None:
    case["score"]["value"] += 1e-3
    case["contributions"][0]["value"] += 0.5
    case["reasons"] = case["reasons"][::-1]


def _other_document(document: Any) -> None:
    paragraph = {"kind": "paragraph", "text": "All is well.", "is_note": False, "is_strong": False}
    document["sections"][0]["blocks"].append(paragraph)
    document["blocked"] = ["x"]
    document["identity"]["run_title"] = "Another"


def _other_weight(files: Files) -> None:
    content = bytearray(files["model/weights.safetensors"])
    content[-3] ^= 0x40
    files["model/weights.safetensors"] = bytes(content)
    del files["case.json"]


def _other_codes(files: Files) -> None:
    files["reason_codes.csv"] = files["reason_codes.csv"].replace(b"than is usual", b"than usual")


def _other_row(document: Any) -> None:
    document["identity"]["row"] += 1


@pytest.mark.parametrize(
    ("forges", "told"),
    [
        (
            [
                in_json("case.json", _other_case),
                in_json("document.json", _other_document),
                in_json("request.json", lambda request: request.update(max_reasons=3, time="")),
                in_json("organisation.json", lambda stated: stated.update(name="Other")),
                in_json("consumer_score.json", lambda stated: stated.update(use="none")),
            ],
            [
                "The evidence says",
                "does not hold the numbers",
                "not the one that follows from the case",
                "does not belong",
                "another 'request'",
                "request in the pack is not",
                "another 'organisation'",
                "another 'consumer_score'",
            ],
        ),
        (
            [
                in_json("document.json", _other_row),
                _in_table("received.parquet", lambda table: table.assign(debt_ratio=table["debt_ratio"] + 0.3)),
                _other_codes,
            ],
            ["The case in the pack is not that", "The evidence says", "names other reason codes"],
        ),
        ([_in_table("reference.parquet", lambda table: table.iloc[1:])], ["The evidence says"]),
        ([lambda files: files.update({"received.parquet": b"no table"})], ["could not be checked"]),
        ([_other_weight], ["another 'model'", "model: this could not", "decision: this could not"]),
    ],
)
def test_what_is_forged_with_hashes_that_fit_is_found(
    pack: bytes, forges: list[Callable[[Files], None]], told: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pack_checks, "rendered_files", lambda _: {"report.pdf": b"%PDF"})

    def forge(files: Files) -> None:
        for one in forges:
            one(files)

    problems = verify_pack(open_pack(forged(pack, forge))).problems
    assert "report.pdf is not what the stored report gives." in problems
    assert [what for what in told if not any(what in problem for problem in problems)] == [], problems


def _beside_the_reasons(case: Any) -> None:
    """What no score tells: changed by somebody who would then write the whole report again with this program."""
    link = {"column": "region", "protected": "region", "is_itself": True, "strength": None}
    case["protection"].update(links=[link], proxy_strength=0.9)  # nobody declared it
    case["cells"][1]["received"] = "999999"
    case["timeline"]["steps"][0]["share"] = 0.001
    case["methods"][1]["ranks"] = case["methods"][1]["ranks"][::-1]
    case["reasons"][0]["kept"] = [{"cause": "reference rows drawn again", "share": 1.0, "n_repetitions": 50}]
    case["reference"].update(n_candidates=10**9, is_near=not case["reference"]["is_near"])
    case["reference"]["rows"][0] = case["reference"]["rows"][1]
    case["decision"]["cutoff"] = 0.1
    case["settings"]["n_evaluations"] = 10**9
    case["notes"].append("The authority approved of it.")
    case["agreement"] = 0.999


def test_what_stands_beside_the_reasons_is_computed_again_too(pack: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_checks, "rendered_files", lambda _: {})
    problems = verify_pack(open_pack(forged(pack, in_json("case.json", _beside_the_reasons)))).problems
    (told,) = [problem for problem in problems if "come out otherwise" in problem]
    parts = set(told.removesuffix(".").split(": ")[1].split(", "))
    assert parts == {
        *("agreement", "cells", "decision", "methods", "notes", "protection", "reasons", "reference", "settings"),
        *("timeline", "reference.rows", "protection.links"),
    }


def test_what_the_report_names_and_the_pack_lacks_is_told(pack: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_checks, "rendered_files", lambda _: {})

    def forge(files: Files) -> None:
        for name in ("profile.json", "organisation.json"):
            del files[name]
        files["document.json"] = json.dumps(json.loads(files["document.json"])).encode()

    problems = [line.sentence for line in checked_contents(open_pack(forged(pack, forge))) if not line.ok]
    for name in ("profile", "organisation"):
        assert f"The report names {name!r}, and the pack does not hold it." in problems
    assert any("not written as a report is" in problem for problem in problems)


def test_a_table_that_unpacks_to_more_than_it_says_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_tables, "_MOST_BYTES", 32 * 1024**2)
    bomb = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [bytes(70_000_000)]}), bomb, compression="zstd", write_statistics=False)
    with pytest.raises(MemoryError):
        pack_tables.small_table(bomb.getvalue().to_pybytes())


def test_a_table_that_fits_into_memory_and_is_in_no_pack_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_tables, "_MOST_BYTES", 128 * 1024**2)
    large = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [bytes(20_000_000)]}), large, compression="zstd", write_statistics=False)
    with pytest.raises(MemoryError, match="bytes is in no pack"):
        pack_tables.small_table(large.getvalue().to_pybytes())


def test_another_run_is_told(pack: bytes, run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_checks, "rendered_files", lambda _: {})
    other = dataclasses.replace(
        run, manifest=dataclasses.replace(run.manifest, parts={**run.manifest.parts, "weights.safetensors": "0" * 64})
    )
    problems = verify_pack(open_pack(forged(pack, lambda files: files.pop("case.json"))), Held(run=other)).problems
    assert any("is not the one of the report: weights.safetensors" in problem for problem in problems)


def test_a_signed_report_has_its_review_in_the_pack(made: MadeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (pack_checks, evidence):
        monkeypatch.setattr(module, "rendered_files", lambda _: {"report.pdf": b"%PDF"})
    document: Document = dataclasses.replace(made.document, blocked=(), unmet=())
    register = ReportRegister(tmp_path / "reports", now=Clock())
    case_id = register.add(document, made.parts).case_id
    register.review(case_id, "Ada <b>", "Read it {x}.")
    register.sign(case_id, "Grace")
    pack = register.pack(case_id)
    assert register.pack(case_id) == pack
    (review,) = [line for line in checked_contents(open_pack(pack)) if line.name == "review"]
    assert review.ok, review.sentence
    assert register.log.lines()[-1].hash in review.sentence

    def other_signer(values: Any) -> None:
        values["review"][-1]["name"] = "Mallory"

    signed = checked_contents(open_pack(forged(pack, in_json("document.json", other_signer))))
    assert any("not those that the lines of the log record" in line.sentence for line in signed if not line.ok)
    swapped = checked_contents(open_pack(forged(pack, lambda files: files.update({"case.json": b"{}"}))))
    assert any("not the one that the log recorded" in line.sentence for line in swapped if not line.ok)


def test_a_draft_that_was_deleted_and_made_again_has_its_own_steps(
    made: MadeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in (pack_checks, evidence):
        monkeypatch.setattr(module, "rendered_files", lambda _: {"report.pdf": b"%PDF"})
    register = ReportRegister(tmp_path / "reports", now=Clock())
    register.delete(register.add(made.document, made.parts).case_id)
    case_id = register.add(made.document, made.parts).case_id
    assert [line.sentence for line in checked_contents(open_pack(register.pack(case_id))) if not line.ok] == []


def test_the_identity_names_all_that_was_used(made: MadeReport, run: Run):
    identity = made.document.identity
    assert identity.case_id == case_id_of(identity)
    assert identity.hashes["model"] == run.manifest.parts["weights.safetensors"]
    assert identity.hashes["data"] == run.manifest.dataset.sha256
    named = {"model", "data", "configuration", "schema", "manifest", "request", "profile", "reason_codes"}
    assert named <= set(identity.hashes)


def test_proposals_beyond_the_limits_of_the_request_are_found(made: MadeReport, run: Run):
    assert made.case is not None
    assert made.case.counterfactual is not None
    cells = pd.read_parquet(io.BytesIO(made.parts["received.parquet"]))
    stored = json.loads(made.parts["case.json"])["counterfactual"]
    request = ReportConfig.from_mapping(json.loads(made.parts["request.json"]))
    assert counterfactual_differences(run, cells, request, stored) == ()
    (item,) = made.case.counterfactual.counterfactuals
    for asked in ("fixed", "protected"):
        told = counterfactual_differences(run, cells, request.replace(**{asked: (item.changes[0].column,)}), stored)
        assert "The limits that the changes are said to keep are not those of the request." in told
        assert f"Proposal 1 changes {item.changes[0].column!r} in a way that the request does not allow." in told
