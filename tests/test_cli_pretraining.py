"""Pretraining, training from it, its worth, and imported models on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.data.synthetic import credit_applications

FIXTURES = Path(__file__).parent / "interop" / "fixtures"
QUICK = ["--set", "max_epochs=1"]
SHAPE = ["--set", "n_steps=2", "--set", "n_d=4", "--set", "n_a=4"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    frame = credit_applications(n_rows=300, seed=1)[0]
    frame.to_csv(folder / "labelled.csv", index=False)
    frame.drop(columns="decision").to_csv(folder / "unlabelled.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def pretrained(tables: Path) -> Path:
    out = tables / "encoder"
    table = ["--table", str(tables / "unlabelled.csv"), "--ignore", "newsletter", "--seed", "3"]
    assert main(["pretrain", *table, *QUICK, *SHAPE, "--out", str(out)]) == 0
    return out


def test_a_pretraining_ends_with_one_line_of_json(tables: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    out = tmp_path / "encoder"
    command = ["pretrain", "--table", str(tables / "unlabelled.csv"), "--ignore", "newsletter", *QUICK, *SHAPE]
    assert main([*command, "--seed", "3", "--set", "mask_rate=0.5", "--out", str(out)]) == 0
    shown = capfd.readouterr()
    (line,) = shown.out.splitlines()
    summary = json.loads(line)
    assert (summary["run"], summary["task"]) == (str(out), "pretraining")
    assert summary["validation"]["reconstruction_error"] > 0
    assert "income_eur" in summary["columns"]
    assert not {"newsletter", "applicant_id"} & set(summary["columns"])
    assert "column 'newsletter' is left out: Ignored, by the user's choice." in shown.err
    assert "column 'applicant_id' is left out" in shown.err
    settings = json.loads((out / "config.json").read_text())["pretraining"]
    assert (settings["seed"], settings["mask_rate"]) == (3, 0.5)


def train(tables: Path, out: Path, *more: str) -> int:
    base = ["train", "--table", str(tables / "labelled.csv"), "--target", "decision", "--set", "n_shap_rows=0"]
    return main([*base, *QUICK, *more, "--out", str(out)])


def test_a_training_starts_from_it(tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    assert train(tables, tmp_path / "run", "--pretrained", str(pretrained)) == 0
    shown = capfd.readouterr()
    assert json.loads(shown.out)["task"] == "binary"
    assert "trained from the pretraining 'unlabelled'" in shown.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["model"]["n_steps"], config["model"]["n_d"]) == (2, 4)


def test_what_it_was_worth_is_written_as_json(
    tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "worth.json"
    run = ["--run", str(pretrained), "--table", str(tables / "labelled.csv"), "--target", "decision"]
    amount = ["--budgets", "60,40", "--n-seeds", "2", "--seed", "5"]
    assert main(["pretraining-worth", *run, *amount, *QUICK, "--out", str(out)]) == 0
    shown = capfd.readouterr()
    assert "Comparing: 8 of 8 trainings" in shown.err
    summary = json.loads(shown.out)
    assert [item["budget"] for item in summary["worth"]] == [40, 60]
    records = json.loads(out.read_text())["records"]
    assert {(item["budget"], item["seed"]) for item in records} == {(40, 5), (40, 6), (60, 5), (60, 6)}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--budgets", "many"], "--budgets takes numbers of rows"),
        (["--budgets", "3"], "at least 10 labelled rows, got 3"),
        (["--n-seeds", "0"], "n_seeds must be at least 1"),
        (["--budgets", "100000"], "more than the table has"),
        (["--set", "n_d=8"], "unknown setting 'n_d'"),
        (["--target", "income_eur", "--budgets", "50"], "pretrain again with 'income_eur' ignored"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_one_line(
    more: list[str], text: str, tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    run = ["--run", str(pretrained), "--table", str(tables / "labelled.csv"), "--target", "decision"]
    assert main(["pretraining-worth", *run, *more, "--out", str(tmp_path / "w.json")]) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error
    assert not (tmp_path / "w.json").exists()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--set", "schedule=cosine"], "unknown setting 'schedule'"),
        (["--set", "mask_rate=2"], "mask_rate must be between"),
        (["--ignore", "nothing"], "'nothing'"),
        (["--table", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_pretraining_that_cannot_be_made_is_one_line(
    more: list[str], text: str, tables: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    command = ["pretrain", "--table", str(tables / "unlabelled.csv"), *more, "--out", str(tmp_path / "run")]
    assert main(command) == 2
    assert text in capfd.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_a_pretraining_predicts_nothing_and_says_what_to_do(
    tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    base = ["predict", "--run", str(pretrained), "--table", str(tables / "labelled.csv")]
    assert main([*base, "--out", str(tmp_path / "out")]) == 2
    assert "is a pretraining, which predicts nothing; train from it first" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_reconstructions_of_a_pretraining_are_explained(
    tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    run, out = tmp_path / "run", tmp_path / "e.parquet"
    shutil.copytree(pretrained, run)
    base = ["explain", "--run", str(run), "--table", str(tables / "labelled.csv"), "--out", str(out)]
    for option in (["--row", "1"], ["--methods", "shap"], ["--where", "a = 1"], ["--background", "cutoff=0.5"]):
        assert main([*base, *option]) == 2
        assert f"is a pretraining, which decides nothing: {WHOLE} {option[0]}" in capfd.readouterr().err
    few = ["n_rows=30", "n_shapley_rows=2", "n_background=4", "n_repeats=2", "n_null=19"]
    assert main([*base, *(word for pair in few for word in ("--set", pair))]) == 0
    table = pd.read_parquet(out)
    assert list(table.columns) == ["row", "feature", "method", "step", "output", "value", "standard_error"]
    assert {"reconstruction_permutation", "reconstruction_zeroing"} <= set(table["method"])
    assert "permutation" in json.loads((tmp_path / "e.parquet.json").read_text())


WHOLE = "its reconstructions are explained as a whole, so leave out"


def test_a_training_from_something_else_is_refused_before_the_table_is_read(
    tables: Path, pretrained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert train(tables, tmp_path / "run") == 0
    capfd.readouterr()
    assert train(tables, tmp_path / "again", "--pretrained", str(tmp_path / "run")) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "is no pretraining" in line
    assert train(tables, tmp_path / "again", "--pretrained", str(pretrained), "--set", "n_steps=4") == 2
    assert "n_steps is 2 in the pretraining and cannot be 4" in capfd.readouterr().err


def test_a_model_of_pytorch_tabnet_becomes_a_run_that_predicts_and_explains(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out, names = tmp_path / "run", [f"c{index}" for index in range(6)]
    archive = FIXTURES / "multitask_groups.zip"
    assert main(["import-pytorch-tabnet", str(archive), "--names", ",".join(names), "--out", str(out)]) == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["run"], summary["task"], summary["columns"]) == (str(out), "multitask", names)

    expected = np.load(FIXTURES / "multitask_groups.npz")
    table = tmp_path / "rows.csv"
    pd.DataFrame(expected["x"], columns=names).to_csv(table, index=False)
    common = ["--run", str(out), "--table", str(table), "--out"]
    assert main(["predict", *common, str(tmp_path / "p.csv")]) == 0
    shares = [f"probability_{name}" for name in summary["outputs"][:3]]
    np.testing.assert_allclose(pd.read_csv(tmp_path / "p.csv")[shares], expected["probabilities_0"], atol=1e-5)

    assert main(["explain", *common, str(tmp_path / "e.parquet"), "--set", "n_shap_rows=2"]) == 0
    explained = pd.read_parquet(tmp_path / "e.parquet")
    masks = explained[(explained["method"] == "masks") & (explained["step"] == 1)]
    np.testing.assert_allclose(masks["value"].to_numpy().reshape(-1, 6), expected["masks"][0], atol=1e-5)
    assert set(explained.loc[explained["method"] == "shap", "output"]) == set(summary["outputs"])


@pytest.mark.parametrize(
    ("archive", "more", "text"),
    [
        ("missing.zip", (), "missing.zip"),
        ("binary.npz", (), "error: "),
        ("binary.zip", ("--names", "a,b"), "6 columns, but 2 names"),
        ("pretrainer.zip", (), "predicts nothing"),
    ],
)
def test_an_archive_that_cannot_be_imported_is_one_line(
    archive: str, more: tuple[str, ...], text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert main(["import-pytorch-tabnet", str(FIXTURES / archive), *more, "--out", str(tmp_path / "run")]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert text in line
    assert not (tmp_path / "run").exists()
