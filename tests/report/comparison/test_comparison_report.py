"""The comparison report: what the runs themselves say, the same from the other side, and never more than that."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import CompareConfig
from tabnet_engine.explain.comparison.comparing import comparison_mapping
from tabnet_engine.explain.comparison.evidence import stored_evidence
from tabnet_engine.explain.comparison.predicted import predicted_evidence
from tabnet_engine.explain.comparison.targets import shared_targets
from tabnet_engine.explain.subject import Subject
from tabnet_engine.report.comparison.content import comparison_document
from tabnet_engine.report.document import Document
from tabnet_engine.runs.artefact import Run, load_run
from tests.report.model.model_reports import (
    HOSTILE,
    identity_for,
    materials_of,
    people,
    small_run,
    tables,
    texts,
    with_manifest,
)
from tests.twin import twin_run


@pytest.fixture(scope="module")
def frame(credit_csv: Path) -> pd.DataFrame:
    return pd.read_csv(credit_csv)


@pytest.fixture(scope="module")
def pair(credit_run: Path, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    first = load_run(credit_run)
    return first, twin_run(first, tmp_path_factory.mktemp("twin") / "twin", frame)


def compared(first: Run, second: Run, frame: pd.DataFrame | None = None) -> dict[str, Any]:
    (target,) = shared_targets(first.targets, second.targets)
    return comparison_mapping(first, second, stored_evidence(first, second, target, frame))


def document_of(first: Run, second: Run, values: dict[str, Any], *, is_stated: bool = True) -> Document:
    materials = materials_of("internal_model_risk", is_stated=is_stated)
    return comparison_document(first, second, values, identity_for(second, "comparison", materials), materials)


def test_every_section_that_is_asked_for_is_there_and_travels_as_json(
    pair: tuple[Run, Run], frame: pd.DataFrame
) -> None:
    document = document_of(*pair, compared(*pair, frame))
    asked = materials_of("internal_model_risk").profile.sections("comparison")
    assert [(section.key, section.part) for section in document.sections] == [(one.key, one.part) for one in asked]
    assert all(section.blocks and section.title for section in document.sections)
    assert Document.from_mapping(json.loads(json.dumps(document.to_mapping(), allow_nan=False))) == document
    assert document.unmet == ()
    silent = document_of(*pair, compared(*pair, frame), is_stated=False)
    assert len(silent.unmet) == 3
    again = json.loads(json.dumps(compared(*pair, frame)))
    assert document_of(*pair, again) == document


def test_the_rows_that_are_named_are_those_whose_class_changed(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    first, second = pair
    values = compared(first, second, frame)
    (table,) = tables(document_of(first, second, values), "Rows that are decided otherwise")
    codes = [Subject.of_run(run).logits(run.encoder.transform(frame))[:, 0] > 0 for run in pair]
    changed = set(np.flatnonzero(codes[0] != codes[1]).tolist()) & set(first.splits.test.tolist())
    named = [int(line[0].replace(",", "")) for line in table.rows]
    assert set(named) <= changed
    assert values["changed_rows"]["n_rows"] == len(changed)
    assert len(named) == min(50, len(changed)) > 0
    for row, line in zip(named, table.rows, strict=True):
        assert line[1:4] == (*(first.codec.classes[int(code[row])] for code in codes), frame["decision"][row])


def test_from_the_other_side_the_same_is_turned_round(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    first, second = pair
    here = document_of(first, second, compared(first, second, frame))
    there = document_of(second, first, compared(second, first, frame))
    moves, back = (tables(one, "From class to class")[0] for one in (here, there))
    assert {(line[0], line[1], line[2]) for line in moves.rows} == {(line[1], line[0], line[2]) for line in back.rows}
    scores, turned = (tables(one, "Scores of both runs")[0] for one in (here, there))
    for mine, yours in zip(scores.rows, turned.rows, strict=True):
        assert (mine[1], mine[2]) == (yours[2], yours[1])
        value, other = mine[3].split()[0], yours[3].split()[0]
        assert value in {other.replace("+", "−"), other.replace("−", "+"), "0"}
        assert {mine[4], yours[4]} in ({"better", "worse"}, {"not told apart"}, {"no interval"})


def test_a_run_does_not_differ_from_itself(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    first, _ = pair
    document = document_of(first, first, compared(first, first, frame))
    shown = texts(document)
    assert "No score tells the two runs apart" in shown
    assert "No row is decided otherwise." in shown
    assert "Every setting is the same." in shown
    assert "the leading column is the same in 100.0 %" in shown


def test_runs_of_one_title_are_told_apart(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    first, second = pair
    named = with_manifest(second, title=first.manifest.title)
    document = document_of(first, named, compared(first, named, frame))
    (table,) = tables(document, "Champion and challenger")
    assert len(set(table.columns)) == 3


def test_without_a_shared_row_it_is_unmet_and_said_why(pair: tuple[Run, Run]) -> None:
    first, second = pair
    elsewhere = dataclasses.replace(second.manifest.dataset, sha256="0" * 64)
    moved = with_manifest(second, dataset=elsewhere)
    document = document_of(first, moved, compared(first, moved))
    assert len(document.unmet) == 2
    for key in ("metrics", "decisions", "reasons"):
        assert "different tables" in texts(dataclasses.replace(document, sections=(document.section(key),)))


def test_a_comparison_of_other_runs_is_refused(pair: tuple[Run, Run]) -> None:
    first, second = pair
    values = compared(first, second)
    with pytest.raises(ValueError, match="the comparison is of"):
        document_of(second, first, values)
    with pytest.raises(ValueError, match="format 99"):
        document_of(first, second, {**values, "format": 99})


def test_a_quantity_has_a_shift_and_no_decision(tmp_path: Path) -> None:
    table = people()
    runs = [small_run(tmp_path / name, table, ("price", "bought"), seed=seed) for seed, name in enumerate("ab")]
    config = CompareConfig(target="price", n_reason_rows=4, n_background=2)
    evidence = predicted_evidence(*runs, table, config, table_sha256=runs[0].manifest.dataset.sha256)
    document = document_of(runs[0], runs[1], comparison_mapping(*runs, evidence))
    shown = texts(document)
    assert tables(document, "Rows whose prediction moved most")
    assert "Of several targets only “price” was compared." in shown
    assert "McNemar" not in shown
    assert HOSTILE in shown
    assert "(79.0 % to 1" not in shown
