"""The command line from a file to predictions and explanations, and one line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import COMMANDS, main
from tabnet_engine.commands.arguments import OneLineParser
from tabnet_engine.commands.files import replace_file
from tabnet_engine.errors import ConfigError
from tabnet_engine.runs.parts import folder_lock
from tests.cli import SMALL


@pytest.mark.parametrize("text", ["-1", "-1.5", "-.5", "-1.", "-1e3", "-2.5E-3", "-inf", "-nan", "-5,0,5", "-1_000"])
def test_a_negative_number_needs_no_equals_sign(text: str):
    """Of every option of every command the value after a blank is the one after an equals sign."""
    n_options = 0
    for name, (add, _) in COMMANDS.items():
        parser = OneLineParser(prog=name)
        add(parser)
        options = [action for action in parser._actions if action.option_strings and action.nargs is None]
        for action in parser._actions:
            action.required = False
        parser._mutually_exclusive_groups.clear()
        positional = ["pack"] * sum(not action.option_strings for action in parser._actions)
        for action in options:
            option = action.option_strings[0]
            told = [_parsed(parser, [*positional, *words]) for words in ([option, text], [f"{option}={text}"])]
            assert told[0] == told[1], (name, option)
            assert "expected one argument" not in told[0], (name, option)
            n_options += 1
    assert n_options > 80


def _parsed(parser: OneLineParser, words: list[str]) -> str:
    try:
        return str(parser.parse_args(words))  # nan is not equal to itself
    except ConfigError as error:
        return str(error)


def test_an_option_that_does_not_exist_is_no_value(capsys: pytest.CaptureFixture[str]):
    assert main(["report", "--run", "r", "--out", "r.pdf", "--cutoff", "-x"]) == 2
    assert "argument --cutoff: expected one argument" in capsys.readouterr().err


def test_train_ends_with_one_line_of_json(credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    out = tmp_path / "run"
    code = main(["train", "--table", str(credit_csv), "--target", "decision", *SMALL, "--seed", "5", "--out", str(out)])
    shown = capfd.readouterr()
    assert code == 0
    (line,) = shown.out.splitlines()
    summary = json.loads(line)
    assert summary["run"] == str(out)
    assert summary["task"] == "binary"
    assert {"auc", "accuracy", "log_loss"} <= set(summary["test"])
    assert "applicant_id" in shown.err, "what was left out is said"
    assert json.loads((out / "config.json").read_text())["training"]["seed"] == 5


def test_predict_writes_one_row_per_table_row(credit_run: Path, credit_csv: Path, tmp_path: Path):
    out = tmp_path / "predictions.csv"
    assert main(["predict", "--run", str(credit_run), "--table", str(credit_csv), "--out", str(out)]) == 0
    predictions = pd.read_csv(out)
    assert len(predictions) == 600
    positive = next(name.removeprefix("logit_") for name in predictions if name.startswith("logit_"))
    shares = predictions[["probability_approved", "probability_declined"]]
    assert np.allclose(shares.sum(axis=1), 1)
    expected = 1 / (1 + np.exp(-predictions[f"logit_{positive}"]))
    assert np.allclose(predictions[f"probability_{positive}"], expected, atol=1e-6)
    assert (predictions["prediction"] == shares.idxmax(axis=1).str.removeprefix("probability_")).all()


def test_predict_does_not_need_the_target_or_the_order_of_columns(credit_run: Path, credit_csv: Path, tmp_path: Path):
    shuffled = tmp_path / "new.csv"
    frame = pd.read_csv(credit_csv)
    frame.drop(columns="decision")[frame.columns.drop("decision")[::-1]].to_csv(shuffled, index=False)
    answers = []
    for table in (credit_csv, shuffled):
        out = tmp_path / f"{table.stem}.parquet"
        assert main(["predict", "--run", str(credit_run), "--table", str(table), "--out", str(out)]) == 0
        answers.append(pd.read_parquet(out))
    pd.testing.assert_frame_equal(*answers)


def test_explained_values_and_base_are_the_logit(credit_run: Path, credit_csv: Path, tmp_path: Path):
    out, predictions = tmp_path / "explained.parquet", tmp_path / "predictions.parquet"
    settings = ["--set", "n_shap_rows=5"]
    assert main(["explain", "--run", str(credit_run), "--table", str(credit_csv), *settings, "--out", str(out)]) == 0
    assert main(["predict", "--run", str(credit_run), "--table", str(credit_csv), "--out", str(predictions)]) == 0
    table, logits = pd.read_parquet(out), pd.read_parquet(predictions)
    facts = json.loads(Path(f"{out}.json").read_text())
    assert list(table.columns) == ["row", "feature", "method", "step", "output", "value", "standard_error"]

    masks = table[table["method"] == "masks"]
    assert masks["row"].nunique() == 600
    sums = masks.groupby(["row", masks["step"].fillna(0)])["value"].sum()
    assert np.allclose(sums[sums.index.get_level_values(1) > 0], 1, atol=1e-5)

    signed = table[table["method"] == "shap"]
    (output,) = signed["output"].unique()
    total = signed.groupby("row")["value"].sum() + facts["methods"]["shap"]["base"][output]
    assert len(total) == 5
    assert np.allclose(total, logits.loc[total.index, f"logit_{output}"], atol=1e-4)
    assert any("595" in sentence for sentence in facts["rows_left_out"])


def test_a_table_without_header_and_its_test_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(500, 3)).round(3)
    labels = np.where(x[:, 0] + 0.3 * generator.normal(size=500) > 0, ">50K", "<=50K")
    lines = [", ".join([*map(str, row), label]) for row, label in zip(x, labels, strict=True)]
    (tmp_path / "a.data").write_text("\n".join(lines[:400]) + "\n")
    (tmp_path / "a.test").write_text("|1x3 Cross validator\n" + ".\n".join(lines[400:]) + ".\n")
    command = ["train", "--table", str(tmp_path / "a.data"), "--header", "none", "--target", "3"]
    out = str(tmp_path / "run")
    assert main([*command, "--test-table", str(tmp_path / "a.test"), *SMALL, "--out", out]) == 0
    shown = capfd.readouterr()
    assert "|1x3 Cross validator" in shown.err, "the skipped line is quoted"
    assert "<=50K." in shown.err, "the changed labels are quoted"
    assert json.loads(shown.out)["test"]["auc"] > 0.8


def test_columns_named_by_hand_are_kept_for_tables_to_predict(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    lines = [f"{index % 7},{index % 3},{'yes' if index % 7 > 3 else 'no'}" for index in range(200)]
    (tmp_path / "bare.csv").write_text("\n".join(lines) + "\n")
    command = ["train", "--table", str(tmp_path / "bare.csv"), "--header", "none", "--names", "days,shift,late"]
    assert main([*command, "--target", "late", *SMALL, "--out", str(tmp_path / "run")]) == 0
    # Rows to predict come without the last column.
    (tmp_path / "new.csv").write_text("5,1\n1,1\n")
    out = tmp_path / "p.parquet"
    assert (
        main(["predict", "--run", str(tmp_path / "run"), "--table", str(tmp_path / "new.csv"), "--out", str(out)]) == 0
    )
    assert len(pd.read_parquet(out)) == 2
    assert "first 2 of 3 names" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "target", "text"),
    [
        ("", "b", "empty"),
        ("a,b\n", "b", "row"),
        ("a,b\n1,x\n2,x\n3,x\n", "b", "one value only"),
        ("a,b\n1,\n2,\n3,\n", "b", "missing"),
        ("a,b\n1,x\n2,y\n", "c", "'c'"),
        ("b\nx\ny\nx\ny\n", "b", "no column"),
    ],
)
def test_a_bad_table_gives_one_clear_line(content, target, text, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    table = tmp_path / "bad.csv"
    table.write_text(content)
    out = tmp_path / "run"
    assert main(["train", "--table", str(table), "--target", target, "--out", str(out)]) == 2
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--set", "epochs=3"], "unknown setting 'epochs'"),
        (["--set", "max_epochs"], "KEY=VALUE"),
        (["--set", "max_epochs=0"], "max_epochs must be between"),
        (["--seed", "-1"], "seed must be between"),
        (["--task", "guess"], "--task"),
        (["--target", "decision,income"], "no column 'income'"),
        (["--ignore", "nothing"], "'nothing'"),
        (["--test-table", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_wrong_argument_gives_one_clear_line(
    arguments, text, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    base = ["train", "--table", str(credit_csv), "--target", "decision", "--out", str(tmp_path / "run")]
    assert main([*base, *arguments]) == 2
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert text in error
    assert "Traceback" not in error


def test_nothing_is_overwritten(credit_run: Path, credit_csv: Path, capfd: pytest.CaptureFixture[str]):
    before = (credit_run / "manifest.json").read_bytes()
    assert main(["train", "--table", str(credit_csv), "--target", "decision", "--out", str(credit_run)]) == 2
    assert "exists already" in capfd.readouterr().err
    assert (credit_run / "manifest.json").read_bytes() == before


def test_a_changed_weight_file_is_named(
    credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in credit_run.rglob("*"):
        if path.is_file():
            (copy / path.relative_to(credit_run)).parent.mkdir(exist_ok=True)
            (copy / path.relative_to(credit_run)).write_bytes(path.read_bytes())
    weights = bytearray((copy / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(weights)
    out = tmp_path / "p.csv"
    assert main(["predict", "--run", str(copy), "--table", str(credit_csv), "--out", str(out)]) == 1
    assert "'weights.safetensors'" in capfd.readouterr().err
    assert not out.exists()


def test_a_folder_that_does_not_exist_is_said(credit_run: Path, credit_csv: Path, capfd: pytest.CaptureFixture[str]):
    out = "/nowhere/at/all/p.csv"
    assert main(["predict", "--run", str(credit_run), "--table", str(credit_csv), "--out", out]) == 2
    assert "/nowhere/at/all/p.csv cannot be written" in capfd.readouterr().err


def test_a_second_file_may_have_the_header_that_the_first_one_lacked(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)).round(3))
    frame[3] = np.where(frame[0] > 0, "yes", "no")
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    frame.to_csv(train, header=False, index=False)
    frame.to_csv(test, index=False)  # pandas writes the header "0,1,2,3"
    out = tmp_path / "run"
    tables = ["--table", str(train), "--test-table", str(test)]
    assert main(["train", *tables, "--target", "3", *SMALL, "--out", str(out)]) == 0
    assert "test.csv: the first line repeats the names of the columns" in capfd.readouterr().err
    answers = []
    for table in (train, test):
        predictions = tmp_path / f"{table.stem}.parquet"
        assert main(["predict", "--run", str(out), "--table", str(table), "--out", str(predictions)]) == 0
        answers.append(pd.read_parquet(predictions))
    pd.testing.assert_frame_equal(*answers)


@pytest.mark.parametrize("out", ["", ".", "/", ".."])
@pytest.mark.parametrize("command", ["predict", "explain"])
def test_an_output_without_a_name_is_refused(
    command, out, credit_run: Path, credit_csv: Path, capfd: pytest.CaptureFixture[str]
):
    assert main([command, "--run", str(credit_run), "--table", str(credit_csv), "--out", out]) == 2
    assert capfd.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "explanations/mine.parquet"])
@pytest.mark.parametrize("command", ["predict", "explain", "certify"])
def test_no_file_of_a_run_is_written_over(
    command, name, credit_run: Path, credit_csv: Path, capfd: pytest.CaptureFixture[str]
):
    before = {path: path.read_bytes() for path in credit_run.rglob("*") if path.is_file()}
    table = [] if command == "certify" else ["--table", str(credit_csv)]
    assert main([command, "--run", str(credit_run), *table, "--out", str(credit_run / name)]) == 2
    assert "lies within the run" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in credit_run.rglob("*") if path.is_file()} == before


def test_a_run_that_cannot_be_written_is_not_certified_in_vain(
    credit_run: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tabnet_engine.commands.certifying.os.access", lambda path, mode: path != credit_run)
    assert main(["certify", "--run", str(credit_run)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "permission to write into" in line
    assert "certify a copy of the run" in line


def test_what_killed_commands_left_half_written_is_removed(tmp_path: Path):
    old, fresh, held = (tmp_path / f".writing-{name}" for name in ("old", "fresh", "held"))
    for folder in (old, fresh, held):
        folder.mkdir()
        (folder / "part").write_text("x")
    for folder in (old, held):
        os.utime(folder, (0, 0))
    with folder_lock(held, exclusive=True):
        replace_file(tmp_path / "a", lambda path: path.write_text("y"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-fresh", ".writing-held", "a"]


@pytest.mark.parametrize("command", ["predict", "explain"])
@pytest.mark.parametrize("name", ["folder", "pipe", "table", "no/p.csv", "n" * 300, "\udcff.csv"])
def test_an_output_that_is_no_place_for_a_file_is_refused_first(
    command, name, credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "table").write_bytes(credit_csv.read_bytes())
    base = [command, "--run", str(credit_run), "--table", str(tmp_path / "table")]
    assert main([*base, "--out", str(tmp_path / name)]) == 2
    assert capfd.readouterr().err.startswith("error: ")
    assert (tmp_path / "pipe").is_fifo(), "a device is not replaced by a file"
    assert (tmp_path / "table").read_bytes() == credit_csv.read_bytes(), "the table is not overwritten"


@pytest.mark.parametrize("name", ["file/run", "n" * 300, "\udcff"])
def test_a_run_folder_that_cannot_be_made_is_refused_before_training(
    name, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("x")
    base = ["train", "--table", str(credit_csv), "--target", "decision", *SMALL]
    assert main([*base, "--out", str(tmp_path / name)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")


@pytest.mark.parametrize(
    ("stop", "text"), [("training", "interrupted; nothing was written"), ("explaining", "was saved")]
)
def test_an_interrupted_training_says_what_it_leaves(
    stop, text, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    place = {"training": "training.experiment.train_model", "explaining": "jobs.pipeline.explain_run"}[stop]
    monkeypatch.setattr(f"tabnet_engine.{place}", interrupt)
    out = tmp_path / "run"
    assert main(["train", "--table", str(credit_csv), "--target", "decision", *SMALL, "--out", str(out)]) == 130
    assert text in capfd.readouterr().err.splitlines()[-1]
    assert out.exists() == (stop == "explaining")
    assert not list(tmp_path.glob(".*"))


def test_sigterm_ends_it_tidily(credit_csv: Path, tmp_path: Path):
    base = [sys.executable, "-m", "tabnet_engine", "train", "--table", str(credit_csv), "--target", "decision"]
    command = [*base, "--set", "max_epochs=100000", "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("epoch"))
        process.terminate()
        rest = process.communicate(timeout=60)
    assert process.returncode == 143
    assert rest[1].splitlines()[-1] == "error: terminated; nothing was written"
    assert list(tmp_path.iterdir()) == []


def test_an_explanation_that_fails_its_own_check_is_one_line_and_the_run_stays(
    credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tabnet_engine.explain.signed.game.TOLERANCE", -1.0)
    out = tmp_path / "run"
    assert main(["train", "--table", str(credit_csv), "--target", "decision", *SMALL, "--out", str(out)]) == 2
    shown = capfd.readouterr()
    assert "failed their own check" in shown.err.splitlines()[-1]
    assert "was saved" in shown.err.splitlines()[-1]
    assert shown.out == ""


def test_the_file_beside_an_explanation_is_checked_first(credit_run: Path, credit_csv: Path, tmp_path: Path):
    (tmp_path / "e.json").write_bytes(credit_csv.read_bytes())
    base = ["explain", "--run", str(credit_run), "--table", str(tmp_path / "e.json")]
    assert main([*base, "--out", str(tmp_path / "e")]) == 2
    assert (tmp_path / "e.json").read_bytes() == credit_csv.read_bytes()
    assert not (tmp_path / "e").exists()
    assert main([*base, "--out", str(tmp_path / ("n" * 252))]) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_done_to_a_file_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    frame = pd.DataFrame({"a": [1.0, None] * 30, "b": range(60), "c": ["x", "y", "y"] * 20})
    table = tmp_path / "t.csv"
    frame.to_csv(table, index=False)
    assert main(["train", "--table", str(table), "--target", "c", *SMALL, "--out", str(tmp_path / "run")]) == 0
    assert capfd.readouterr().err.count("Read as missing") == 1


def test_the_program_starts_without_torch(tmp_path: Path):
    script = "import sys; from tabnet_engine.__main__ import main; main([]); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
    assert "error: the following arguments are required" in result.stderr
