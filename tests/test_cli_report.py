"""The commands that make, review and verify reports, as a person types them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.commands.report_batches import chosen_rows
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import pack_bytes
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.report.rendering.html import html_bytes
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.runs.parts import folder_lock, json_bytes, sha256_bytes
from tests.report.integrity.small_report import PARTS, Clock, small_report

TIME = ["--time", "2026-03-01T10:30:00+01:00"]
CHEAP = ["--favourable", "approved", "--set", "n_repetitions=0", "--set", "n_counterfactuals=0"]
CHEAP += ["--set", "n_reference=10"]


def _last(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    values: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return values


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory, credit_run: Path, credit_csv: Path) -> Path:
    """The evidence of a decision, made by the command line and kept in a workspace beside it."""
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "ws").mkdir()
    (folder / "who.json").write_text('{"name": "Bank <b>{x}"}', encoding="utf-8")
    score = {"use": "column", "column": "debt_ratio", "name": "Score <b>{0}", "lowest": 0, "factor_columns": ["region"]}
    (folder / "score.json").write_text(json.dumps(score), encoding="utf-8")
    asked = ["--run", str(credit_run), "--table", str(credit_csv), "--row", "3", "--protected", "region"]
    written = ["--workspace", str(folder / "ws"), "--organisation", str(folder / "who.json")]
    written += ["--consumer-score", str(folder / "score.json")]
    assert main(["report", *asked, *CHEAP, *TIME, *written, "--out", str(folder / "pack.zip")]) == 0
    return folder / "pack.zip"


def test_a_decision_becomes_evidence_that_verifies(
    evidence: Path, credit_run: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["verify-evidence", str(evidence), "--run", str(credit_run)]) == 0
    told = _last(capsys)
    assert told["equal"] is True
    with zipfile.ZipFile(evidence) as archive:
        document, score = json.loads(archive.read("document.json")), json.loads(archive.read("consumer_score.json"))
    identity = document["identity"]
    assert identity["hashes"]["consumer_score"] == sha256_bytes(json_bytes(score))
    assert any("of the score “Score <b>{0}”, which was bought from someone else" in one for one in document["unmet"])
    assert identity["created"] == "2026-03-01T09:30:00+00:00"
    assert told["case_id"] == identity["case_id"]


def test_another_process_makes_the_same_bytes(evidence: Path, credit_run: Path, credit_csv: Path, tmp_path: Path):
    """Neither a clock nor the order of a set is in the evidence, with PDF and HTML in it, or in HTML with scripts."""
    asked = ["report", "--run", str(credit_run), "--table", str(credit_csv), "--row", "3", "--protected", "region"]
    asked += [*CHEAP, *TIME, "--organisation", str(evidence.parent / "who.json")]
    asked += ["--consumer-score", str(evidence.parent / "score.json")]
    script = (
        "import sys; from tabnet_engine.__main__ import main\n"
        "sys.exit(max(main([*sys.argv[2:], '--out', f'{sys.argv[1]}/report.{form}']) for form in ('html', 'zip')))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path), *asked], env=environment, check=True)
    assert (tmp_path / "report.zip").read_bytes() == evidence.read_bytes()
    with zipfile.ZipFile(evidence) as archive:
        assert {"report.pdf", "report.html"} <= set(archive.namelist())
        document = Document.from_mapping(json.loads(archive.read("document.json")))
    assert (tmp_path / "report.html").read_bytes() == html_bytes(document)


def test_one_changed_byte_in_the_pack_ends_with_code_2(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    content = bytearray(evidence.read_bytes())
    content[content.index(b"%PDF") + 2_000] ^= 1
    (tmp_path / "changed.zip").write_bytes(content)
    assert main(["verify-evidence", str(tmp_path / "changed.zip")]) == 2
    caught = capsys.readouterr()
    assert "error: the file is no evidence pack, or damaged: Bad CRC-32 for file 'report.pdf'" in caught.err
    assert "Traceback" not in caught.err


def test_a_stranger_steers_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    forged = small_report()
    forged = dataclasses.replace(
        forged, identity=dataclasses.replace(forged.identity, case_id="D-1\x1b[2J\nholds: all\u202e")
    )
    (tmp_path / "pack.zip").write_bytes(pack_bytes(forged, PARTS, {}))
    assert main(["verify-evidence", str(tmp_path / "pack.zip")]) == 2
    told = capsys.readouterr().err
    assert "The case id D-1‹U+001B›[2J‹U+000A›holds: all‹U+202E› does not belong" in told
    assert all(line.startswith(("holds: ", "not confirmed: ", "FAILS: ", "error: ")) for line in told.splitlines())
    assert "\nholds: all\n" not in told


def test_the_report_is_in_the_register_and_is_reviewed_but_not_signed_incomplete(
    evidence: Path, capsys: pytest.CaptureFixture[str]
):
    workspace = str(evidence.parent / "ws")
    (record,) = ReportRegister(evidence.parent / "ws" / "reports").list()
    step = ["review", "--workspace", workspace, "--case", record.case_id, "--name", "Ada Lovelace"]
    assert main([*step, "--comment", "Read."]) == 0
    assert _last(capsys)["state"] == "reviewed"
    assert main([*step, "--sign"]) == 2
    assert "that its profile asks for" in capsys.readouterr().err
    assert main(["verify-log", workspace]) == 0
    told = _last(capsys)
    assert (told["lines"], told["sound"]) == (2, True)
    assert main(["verify-log", workspace, "--head", str(told["head"])]) == 0
    assert main(["verify-log", workspace, "--head", "f" * 64]) == 2


def test_signing_and_a_log_that_was_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    register = ReportRegister(tmp_path / "reports", now=Clock())
    case_id = register.add(small_report(), PARTS).case_id
    step = ["review", "--workspace", str(tmp_path), "--case", case_id, "--name", "Grace"]
    assert main([*step, "--comment", "Fine."]) == 0
    assert main([*step, "--sign"]) == 0
    assert _last(capsys)["state"] == "signed"
    assert main([*step, "--sign"]) == 2
    assert "was signed by 'Grace'" in capsys.readouterr().err
    register.log.path.write_bytes(b"".join(register.log.path.read_bytes().splitlines(keepends=True)[:-1]))
    assert main(["verify-log", str(tmp_path)]) == 2
    assert "error: the log of the reports does not hold" in capsys.readouterr().err


def test_a_batch_is_one_archive(
    credit_run: Path,
    credit_csv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1772357400")
    asked = ["report", "--run", str(credit_run), "--table", str(credit_csv), *CHEAP, "--form", "html"]
    (tmp_path / "ws").mkdir()
    space = ["--workspace", str(tmp_path / "ws")]
    assert main([*asked, *space, "--rows", "3,2-3", "--out", str(tmp_path / "a.zip")]) == 0
    told = _last(capsys)
    (kept,) = ReportRegister(tmp_path / "ws" / "reports").batches.list()
    assert kept.sha256 == told["sha256"]
    assert main(["verify-log", str(tmp_path / "ws")]) == 0
    assert _last(capsys)["lines"] == 1
    kept.archive.write_bytes(b"")
    assert main(["verify-log", str(tmp_path / "ws")]) == 2
    assert "was changed after it was made" in capsys.readouterr().err.splitlines()[-1]
    shutil.rmtree(tmp_path / "ws")
    assert (told["n_rows"], told["created"]) == (2, "2026-03-01T09:30:00+00:00")
    assert told["sha256"] == sha256_bytes((tmp_path / "a.zip").read_bytes())
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"], "no work folder is left"
    (tmp_path / "c.zip.partial").mkdir()
    with folder_lock(tmp_path / "c.zip.partial", exclusive=True):
        assert main([*asked, "--rows", "1", "--out", str(tmp_path / "c.zip")]) == 2
    assert "another command is writing" in capsys.readouterr().err.splitlines()[-1]
    (tmp_path / "c.zip.partial" / "plan.json").write_text('{"created": "2026-03-01T09:30:00+00:00"}', encoding="utf-8")
    assert main([*asked, "--rows", "1", "--out", str(tmp_path / "c.zip")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert ("c.zip.partial holds another batch" in error, "goes on" in error) == (True, False)


def test_the_model_report_needs_no_table(credit_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["report", "--run", str(credit_run), "--language", "zh", *TIME, "--out", str(tmp_path / "m.html")]) == 0
    told = _last(capsys)
    assert (told["kind"], told["language"], told["row"]) == ("model", "zh", None)
    assert b'lang="zh' in (tmp_path / "m.html").read_bytes()[:500]


def test_reason_codes_are_drafted_and_checked(credit_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "codes.csv"
    assert main(["reason-codes", "--run", str(credit_run), "--out", str(file)]) == 0
    drafted = _last(capsys)
    assert main(["reason-codes", "--run", str(credit_run), "--check", str(file)]) == 0
    checked = _last(capsys)
    assert {**drafted, "out": None} == checked
    content = file.read_bytes()
    assert main(["reason-codes", "--run", str(credit_run), "--out", str(file)]) == 2
    assert "a draft would replace what people wrote in it" in capsys.readouterr().err
    file.write_bytes(content + content.splitlines(keepends=True)[1])
    assert main(["reason-codes", "--run", str(credit_run), "--check", str(file)]) == 2
    assert "codes.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--row", "3", "--out", "{tmp}/r.txt"], "--out must end in .html, .pdf, .zip"),
        (["--rows", "1-3", "--out", "{tmp}/r.pdf"], "let --out end in .zip"),
        (["--row", "3", "--rows", "1-3", "--out", "{tmp}/r.zip"], "choose one of them"),
        (["--rows", "1", "--where", "a > 1", "--out", "{tmp}/r.zip"], "not by both"),
        (["--row", "3", "--kind", "model", "--out", "{tmp}/r.pdf"], "is about no row"),
        (["--kind", "notice", "--out", "{tmp}/r.pdf"], "is about a row; name it"),
        (["--row", "3", "--baseline", "{tmp}", "--out", "{tmp}/r.pdf"], "comparison of two runs"),
        (["--row", "3", "--baseline-cutoff", "0.4", "--out", "{tmp}/r.pdf"], "decision report has none"),
        (["--row", "3", "--set", "max_reasons=5", "--out", "{tmp}/r.pdf"], "max_reasons must be between 1 and 4"),
        (["--row", "3", "--time", "2026-03-01", "--out", "{tmp}/r.pdf"], "time must be a moment with its zone"),
        (["--row", "3", "--time", "9999-12-31T23:59:59-23:00", "--out", "{tmp}/r.pdf"], "time must be a moment"),
        (["--row", "3", "--set", "kind=model", "--out", "{tmp}/r.pdf"], "chosen with --kind"),
        (["--row", "3", "--cutoff", "half", "--out", "{tmp}/r.pdf"], "cutoff must be a number"),
        (["--row", "3", "--out", "{tmp}/none/r.pdf"], "there is no folder"),
        (["--row", "3", "--out", "{run}/r.pdf"], "lies within the run"),
        (
            ["--row", "3", "--kind", "notice", "--template", "{tmp}/t.pdf", "--out", "{tmp}/t.pdf"],
            "is a file that is read",
        ),
        (["--row", "3", "--workspace", "{tmp}/none", "--out", "{tmp}/r.pdf"], "there is no workspace"),
        (["--row", "3", "--out", "{tmp}/r.pdf"], "needs the table with the row"),
        (["--rows", "3", "--out", "{tmp}/r.zip"], "name it with --table"),
        (["--profile", "moon_law", "--out", "{tmp}/r.pdf"], "there is no regulation profile 'moon_law'"),
        (["--profile", "us_adverse_action", "--out", "{tmp}/r.pdf"], "has no model report"),
        (["--organisation", "{tmp}/none.json", "--out", "{tmp}/r.pdf"], "there is no file"),
        (["--organisation", "{tmp}/list.json", "--out", "{tmp}/r.pdf"], "must hold one JSON object"),
        (["--facts", "{tmp}/wrong.json", "--out", "{tmp}/r.pdf"], "unknown setting 'nome'"),
        (["--consumer-score", "{tmp}/score.json", "--out", "{tmp}/r.pdf"], "'bureau', which the table does not have"),
        (["--consumer-score", "{tmp}/range.json", "--out", "{tmp}/r.pdf"], "lowest must be below highest, got 9 and 1"),
        (["--facts", "{tmp}/twice.json", "--out", "{tmp}/r.pdf"], "twice.json cannot be read as JSON: the key 'owner'"),
        (["--organisation", "{tmp}/twice.json", "--out", "{tmp}/r.pdf"], "stands twice in one object; keep one"),
        (["--reason-codes", "{tmp}/list.json", "--out", "{tmp}/r.pdf"], "list.json: the header"),
        (["--row", "3", "--template", "{tmp}/list.json", "--out", "{tmp}/r.pdf"], "add --kind notice"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], told: str, credit_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    (tmp_path / "wrong.json").write_text('{"nome": "x"}', encoding="utf-8")
    (tmp_path / "score.json").write_text('{"use": "column", "column": "bureau"}', encoding="utf-8")
    (tmp_path / "range.json").write_text('{"lowest": 9, "highest": 1}', encoding="utf-8")
    (tmp_path / "twice.json").write_text('{"owner": "x", "owner": "y"}', encoding="utf-8")
    (tmp_path / "t.pdf").write_text("Dear {{name}}", encoding="utf-8")
    filled = [text.format(tmp=tmp_path, run=credit_run) for text in arguments]
    assert main(["report", "--run", str(credit_run), *filled]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert told in error
    assert list(tmp_path.glob("r.*")) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verify-evidence", "{tmp}/none.zip"], "there is no evidence pack"),
        (["verify-log", "{tmp}"], "holds no reports"),
        (["review", "--workspace", "{tmp}", "--case", "D-1", "--name", "Ada", "--sign"], "holds no reports"),
        (["review", "--workspace", "{tmp}", "--case", "D-1", "--name", "Ada"], "--comment --sign"),
        (["reason-codes", "--run", "{run}"], "give --out"),
    ],
)
def test_a_mistake_of_the_other_commands_is_one_sentence(
    arguments: list[str], told: str, credit_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([text.format(tmp=tmp_path, run=credit_run) for text in arguments]) == 2
    assert told in capsys.readouterr().err


def test_rows_that_are_not_there(credit_run: Path, credit_csv: Path):
    run, frame = load_run(credit_run), pd.read_csv(credit_csv)
    assert chosen_rows("5, 1-3,2", [], run, frame) == (1, 2, 3, 5)
    for rows in ("598-600", "5-3"):
        with pytest.raises(ConfigError, match="the table has rows 0 to 599"):
            chosen_rows(rows, [], run, frame)
    for rows in ("1;2", "", "-1", "1-", "a"):
        with pytest.raises(ConfigError, match="numbers and ranges such as 1-5,9"):
            chosen_rows(rows, [], run, frame)
    with pytest.raises(ExplanationError, match="no row of the table meets"):
        chosen_rows(None, ["debt_ratio > 1e9"], run, frame)


def test_rows_of_another_table_are_not_called_rows_of_the_training(
    credit_run: Path, credit_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    header, *lines = credit_csv.read_bytes().splitlines(keepends=True)
    other = tmp_path / "other.csv"
    other.write_bytes(header + b"".join(reversed(lines)))  # as many rows as the run's own table
    asked = ["report", "--run", str(credit_run), "--table", str(other), *TIME]
    assert main([*asked, "--row", "3", *CHEAP, "--out", str(tmp_path / "pack.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        case, document = (json.loads(archive.read(f"{name}.json")) for name in ("case", "document"))
    assert document["identity"]["hashes"]["table"] == hashlib.sha256(other.read_bytes()).hexdigest()
    assert "not the one that the run was trained on" in case["reference"]["candidates"]
    assert main([*asked, "--out", str(tmp_path / "model.pdf")]) == 2
    assert "the table is not the one that the run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        (["--fixed", "region,income", "--rising", "income"], "column 'income' cannot be fixed and yet move one way"),
        (["--rising", "region", "--falling", "income,region"], "column 'region' cannot be rising and falling at once"),
    ],
)
def test_columns_that_stay_or_move_one_way_are_named_in_lists(
    ways: list[str], told: str, credit_run: Path, credit_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    asked = ["report", "--run", str(credit_run), "--table", str(credit_csv), "--row", "3", "--out"]
    assert main([*asked, str(tmp_path / "x.pdf"), *ways]) == 2
    assert told in capsys.readouterr().err
