"""The benchmark of explanations works from end to end; its numbers are measured elsewhere."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

METHODS = {"masks", "shap", "gradients", "integrated_gradients", "ablation", "permutation"}
SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "explain.py"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    out = tmp_path_factory.mktemp("benchmark") / "explain.json"
    command = [sys.executable, str(SCRIPT), "--quick", "--tables", "syn1", "--out", str(out)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(out.read_text()), done.stdout


def test_every_part_is_measured_and_shown(quick):
    result, shown = quick
    assert {"masks", "memory", "shapley", "truth", "versions"} <= set(result)
    assert [one["table"] for one in result["truth"]] == ["syn1"]
    for words in ("rows a second", "beyond the model", "equal standard error", "per row / overall"):
        assert words in shown
    assert ("no ratio" in shown) == (result["masks"]["ratio"] is None)


def test_brute_force_and_the_engine_agree(quick):
    narrow, wide = quick[0]["shapley"]
    assert (narrow["columns"], wide["columns"]) == (11, 40)
    assert narrow["exact_largest_error"] < 1e-9
    assert "relative_error" not in wide


def test_truth_is_a_share_and_chance_is_stated(quick):
    for one in quick[0]["truth"]:
        assert all(0 <= found["value"] <= 1 for found in one["found_per_row"].values())
        assert all(0 <= share <= 1 for share in one["found_overall"].values())
        assert 0 < one["chance"]["per_row"] < 1
        assert set(one["found_overall"]) == METHODS
        assert one["deletion_area"]["random"] > 0


def test_an_unknown_table_is_refused(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--tables", "syn9"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "syn9: choose from" in capsys.readouterr().err
