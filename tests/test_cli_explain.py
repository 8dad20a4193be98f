"""The command line's explanations: methods, rows, conditions, groups, backgrounds; going on after an interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.runs.parts import folder_lock


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--methods", "lime"], "masks, shap"),
        (["--methods", "shap_deep"], "shap_deep is refused"),
        (["--methods", "shap", "--set", "methods=shap"], "named by --methods"),
        (["--row", "600"], "the table has no row 600"),
        (["--row", "1e3"], "invalid int value: '1e3'"),
        (["--methods", ","], "--methods takes any of"),
        (["--set", "n_points=1"], "n_points must be between 8"),
        (["--set", "n_evaluations=1e300"], "got 1e+300"),
        (["--where", "decision ="], "a value was expected"),
        (["--where", "income_eur > 1e12"], "no row of the table meets"),
        (["--where", "nowhere = 1"], "there is no column 'nowhere'"),
        (["--row", "1", "--where", "region = north"], "--row or --where"),
        (["--group", "money"], "--group takes NAME=COLUMN,COLUMN"),
        (["--group", "money=nowhere"], "'nowhere', which is no column that this run reads"),
        (["--background", "class"], "--background takes class=NAME"),
        (["--background", "class=nobody"], "there is no class 'nobody'"),
        (["--background", "where=income_eur > 1e12"], "the background is empty"),
        (["--background", "cutoff=2"], "cutoff must be between 0 and 1"),
        (["--set", "n_evaluations=3"], "too few"),
        (["--set", "n_background=0"], "n_background"),
    ],
)
def test_an_explanation_that_cannot_be_met_is_refused(
    arguments, text, credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "explained.parquet"
    base = ["explain", "--run", str(credit_run), "--table", str(credit_csv), "--out", str(out)]
    assert main([*base, *arguments]) == 2
    assert text in capfd.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def explain(run: Path, table: Path, out: Path, *arguments: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    assert main(["explain", "--run", str(run), "--table", str(table), *arguments, "--out", str(out)]) == 0
    assert not out.with_name(f"{out.name}.partial").exists()
    return pd.read_parquet(out), json.loads(Path(f"{out}.json").read_text())


def test_every_method_of_one_row_or_some(credit_run: Path, credit_csv: Path, tmp_path: Path):
    names = "masks,shap,gradients,integrated_gradients,ablation,sampling"
    table, facts = explain(
        credit_run, credit_csv, tmp_path / "a.parquet", "--methods", names, "--row", "5", "--row", "17"
    )
    explained = {name: set(part["row"]) for name, part in table.groupby("method")}
    assert explained == {name: {5, 17} for name in names.split(",")}
    assert list(facts["methods"]) == names.split(",")
    for name in ("shap", "gradients", "integrated_gradients", "sampling"):
        of_row = table[(table["method"] == name) & (table["row"] == 5)]
        logit = of_row["value"].sum() + next(iter(facts["methods"][name]["base"].values()))
        shap = table[(table["method"] == "shap") & (table["row"] == 5)]
        assert logit == pytest.approx(
            shap["value"].sum() + next(iter(facts["methods"]["shap"]["base"].values())), abs=1e-4
        )


def test_a_condition_a_group_a_background_and_the_whole_table(credit_run: Path, credit_csv: Path, tmp_path: Path):
    frame = pd.read_csv(credit_csv)
    money, near = ["--group", "money=income_eur,loan_amount_eur"], ["--background", "cutoff=0.3"]
    table, facts = explain(
        credit_run,
        credit_csv,
        tmp_path / "a.parquet",
        "--methods",
        "shap",
        "--where",
        "region = north and loan_amount_eur > 20000",
        *money,
        *near,
    )
    assert set(table["row"]) == set(np.flatnonzero((frame["region"] == "north") & (frame["loan_amount_eur"] > 20_000)))
    assert "money" in set(table["feature"])
    assert "income_eur" not in set(table["feature"])
    background = facts["methods"]["shap"]["background"]
    assert background["kind"] == "cutoff"
    assert "training rows, those whose predicted probability" in background["description"], "the table is the run's own"
    table, facts = explain(
        credit_run, credit_csv, tmp_path / "b.parquet", "--methods", "permutation,ablation", "--set", "n_shap_rows=all"
    )
    assert facts["methods"]["ablation"]["selection"] == "all 600 rows"
    assert "test rows" in facts["methods"]["permutation"]["selection"]
    assert table.loc[table["method"] == "permutation", "row"].isna().all()


LONG = ["--methods", "masks,sampling", "--set", "n_shap_rows=128", "--set", "n_evaluations=2300"]
# The last one wins: all 600 rows, so that a busy machine does not finish before it is interrupted.
LONGER = [*LONG, "--set", "n_shap_rows=all"]


def started(run: Path, table: Path, out: Path, options: list[str]) -> subprocess.Popen[str]:
    """An explanation in a process of its own, once its first chunk is finished."""
    command = [sys.executable, "-m", "tabnet_engine", "explain", "--run", str(run), "--table", str(table)]
    # Where the tests run in the background of a shell, all that they start would ignore an interrupt.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([*command, *options, "--out", str(out)], stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 60
    while not list(Path(f"{out}.partial").glob("*/chunk-*.parquet")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_a_killed_explanation_goes_on_and_gives_the_same_bytes(
    credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    explain(credit_run, credit_csv, tmp_path / "whole.parquet", *LONG)
    out = tmp_path / "killed.parquet"
    with started(credit_run, credit_csv, out, LONG) as process:
        process.kill()
    assert not out.exists()
    capfd.readouterr()
    explain(credit_run, credit_csv, out, *LONG)
    assert "going on after" in capfd.readouterr().err
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert Path(f"{out}.json").read_bytes() == (tmp_path / "whole.parquet.json").read_bytes()


def test_an_interrupted_explanation_says_what_it_keeps(credit_run: Path, credit_csv: Path, tmp_path: Path):
    out = tmp_path / "explained.parquet"
    with started(credit_run, credit_csv, out, LONGER) as process:
        process.send_signal(signal.SIGINT)
        words = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert words.splitlines()[-1] == (
        f"error: interrupted; what was finished is kept in {out}.partial, from where the same command goes on"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["explained.parquet.partial"]


def test_what_stands_beside_the_file_is_not_touched(
    credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    mine = tmp_path / "a.parquet.partial" / "mine"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("x")
    base = ["explain", "--run", str(credit_run), "--table", str(credit_csv), "--methods", "shap", "--row", "1"]
    assert main([*base, "--out", str(tmp_path / "a.parquet")]) == 0
    assert (mine / "notes.txt").read_text() == "x"
    (tmp_path / "b.parquet.partial").write_text("x")
    assert main([*base, "--out", str(tmp_path / "b.parquet")]) == 2
    assert "move it away or choose another --out" in capfd.readouterr().err


def test_two_commands_never_mix_what_they_finished(
    credit_run: Path, credit_csv: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "a.parquet"
    one_row = ["explain", "--run", str(credit_run), "--table", str(credit_csv), "--methods", "shap", "--row", "1"]
    partial = Path(f"{out}.partial")
    partial.mkdir()
    with folder_lock(partial, exclusive=True):
        assert main([*one_row, "--out", str(out)]) == 2
    assert "another command writes" in capfd.readouterr().err
    assert not out.exists()
    assert main([*one_row, "--out", str(out)]) == 0
    assert not partial.exists()
