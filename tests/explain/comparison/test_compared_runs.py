"""Two real runs: what they stored and what they say anew are the same; the command and its file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.config import CompareConfig
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.comparison.comparing import comparison_mapping, findings
from tabnet_engine.explain.comparison.evidence import stored_evidence
from tabnet_engine.explain.comparison.predicted import predicted_evidence
from tabnet_engine.explain.comparison.settings import compare_columns, compare_origins, compare_settings
from tabnet_engine.explain.comparison.stored import load_comparison, save_comparison
from tabnet_engine.explain.comparison.targets import shared_targets
from tabnet_engine.runs.artefact import Run, load_run
from tests.twin import twin_run

FEW = CompareConfig(n_reason_rows=8, n_background=4)


@pytest.fixture(scope="module")
def frame(credit_csv: Path) -> pd.DataFrame:
    return pd.read_csv(credit_csv)


@pytest.fixture(scope="module")
def pair(credit_run: Path, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    first = load_run(credit_run)
    return first, twin_run(first, tmp_path_factory.mktemp("twin") / "twin", frame)


def test_stored_scores_and_scores_computed_anew_are_the_same(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    (target,) = shared_targets(pair[0].targets, pair[1].targets)
    stored = stored_evidence(*pair, target, frame)
    anew = predicted_evidence(*pair, frame, FEW, table_sha256=pair[0].manifest.dataset.sha256)
    assert stored.scores is not None
    assert anew.scores is not None
    at = np.searchsorted(anew.scores.rows, stored.scores.rows)
    for name in ("y", "first", "second", "seen", "tested"):
        np.testing.assert_allclose(getattr(anew.scores, name)[at], getattr(stored.scores, name), atol=1e-5)
    assert {one.method for one in anew.reasons} == {"masks", "shap"}
    assert all(one.n_rows == 8 for one in anew.reasons)
    assert "the same 4 background rows" not in anew.reasons[0].notes[0]
    assert "same 4 background rows" in anew.reasons[1].notes[0]
    moved = findings(anew).transitions
    assert moved is not None
    assert moved.n_changed > 0


def test_without_the_table_outcomes_are_known_of_the_stored_rows_only(pair: tuple[Run, Run]) -> None:
    (target,) = shared_targets(pair[0].targets, pair[1].targets)
    scores = stored_evidence(*pair, target).scores
    assert scores is not None
    known = scores.take(scores.known)
    assert 0 < known.n_rows < scores.n_rows
    assert not known.seen.any()


def test_scores_alone_read_no_reasons(pair: tuple[Run, Run]) -> None:
    (target,) = shared_targets(pair[0].targets, pair[1].targets)
    assert stored_evidence(*pair, target, with_reasons=False).reasons == ()
    assert {one.method for one in stored_evidence(*pair, target).reasons} == {"masks", "shap"}


def test_a_comparison_is_kept_with_the_second_run(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    first, second = pair
    foreign = predicted_evidence(first, second, frame, FEW.replace(n_reason_rows=0), table_sha256="another table")
    assert foreign.scores is not None
    assert not foreign.scores.seen.any()
    found = predicted_evidence(first, second, frame, FEW, table_sha256=first.manifest.dataset.sha256)
    assert load_comparison(first, second) is None
    kept = save_comparison(first, second, found, table="credit.csv", table_sha256="s", settings=FEW.to_mapping())
    back = load_comparison(first, kept)
    assert back is not None
    assert (back.table, back.settings["n_reason_rows"]) == ("credit.csv", 8)
    assert found.scores is not None
    assert back.evidence.scores is not None
    for name in ("rows", "y", "first", "second", "seen", "tested"):
        np.testing.assert_array_equal(getattr(back.evidence.scores, name), getattr(found.scores, name))
    assert comparison_mapping(first, kept, back.evidence) == comparison_mapping(first, kept, found)
    assert load_comparison(kept, first) is None


def test_runs_of_different_tables_share_no_row(pair: tuple[Run, Run]) -> None:
    first, second = pair
    (target,) = shared_targets(first.targets, second.targets)
    elsewhere = dataclasses.replace(second.manifest.dataset, sha256="0" * 64)
    moved = Run(second.folder, dataclasses.replace(second.manifest, dataset=elsewhere))
    found = stored_evidence(first, moved, target)
    assert (found.scores, found.reasons) == (None, ())
    assert "different tables" in found.gaps[0]
    assert findings(found).metrics == ()


def test_settings_and_columns_that_differ_are_marked(pair: tuple[Run, Run]) -> None:
    first, second = pair
    assert not any(line.differs for line in compare_settings(pair))
    other = Run(second.folder, second.manifest)
    other.__dict__["training_config"] = second.training_config.replace(seed=99)
    lines = {line.name: line for line in compare_settings((first, other)) if line.differs}
    assert set(lines) == {"seed"}
    assert lines["seed"].values[1] == "99"
    assert {line.name for line in compare_origins(pair) if line.differs} <= {"seconds"}
    assert not any(use.differs for use in compare_columns((first.schema, second.schema)))


def test_a_class_or_target_that_is_not_there_is_refused(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    for change in ({"target": "income"}, {"label": "perhaps"}):
        with pytest.raises(ExplanationError, match=r"income|perhaps"):
            predicted_evidence(*pair, frame, FEW.replace(**change), table_sha256="")


def test_the_command_writes_the_comparison(
    pair: tuple[Run, Run], credit_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [argument for run in pair for argument in ("--run", str(run.folder))]
    out = tmp_path / "comparison.json"
    assert main(["compare", *runs, "--table", str(credit_csv), "--set", "n_reason_rows=0", "--out", str(out)]) == 0
    content = json.loads(out.read_text())
    said = json.loads(capsys.readouterr().out)
    assert [content["first"]["run_id"], content["second"]["run_id"]] == [run.run_id for run in pair]
    assert {metric["name"] for metric in content["metrics"]} == set(said["differences"])
    assert content["changed_rows"]["n_rows"] == said["changed_rows"] > 0
    assert sum(map(sum, content["transitions"]["counts"])) == content["metrics"][0]["difference"]["n"]
    assert main(["compare", *runs, "--out", str(out)]) == 0
    assert {reason["method"] for reason in json.loads(out.read_text())["reasons"]} == {"masks", "shap"}
    assert main(["compare", *runs[:2], "--out", str(out)]) == 2
    assert "needs two runs" in capsys.readouterr().err
