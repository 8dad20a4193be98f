"""The comparison report: what the runs themselves say, the same from the other side, and never more than that."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import CompareConfig, ReportConfig
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
from tabnet_engine.explain.comparison.comparing import comparison_mapping
from tabnet_engine.explain.comparison.evidence import stored_evidence
from tabnet_engine.explain.comparison.predicted import predicted_evidence
from tabnet_engine.explain.comparison.targets import shared_targets
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.subject import Subject
from tabnet_engine.report.comparison.content import comparison_document
from tabnet_engine.report.document import ChartBlock, Document
from tabnet_engine.report.making import ReportMaker
from tabnet_engine.report.rendering.html import html_bytes
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


def decided(pair: tuple[Run, Run], frame: pd.DataFrame | None, **asked: Any) -> tuple[Document, dict[str, Any]]:
    """A report with approvals, and the comparison that it is made of."""
    (target,) = shared_targets(pair[0].targets, pair[1].targets)
    rules = ApprovalRules.of(target, ReportConfig(kind="comparison", **asked))
    values = comparison_mapping(*pair, stored_evidence(*pair, target, frame), rules=rules)
    return document_of(*pair, values), values


def test_approvals_are_those_of_the_rule_at_the_cutoff_of_each_run(pair: tuple[Run, Run], frame: pd.DataFrame) -> None:
    document, values = decided(pair, frame, favourable="approved", cutoff=0.3, baseline_cutoff=0.6)
    approved = []
    for run, cutoff in zip(pair, (0.6, 0.3), strict=True):
        decision = Decision(favourable="approved", cutoff=cutoff)
        approved.append(decision.selected(run.codec, Subject.of_run(run).logits(run.encoder.transform(frame))))
    judged = sorted(set(pair[0].splits.test.tolist()) & set(pair[1].splits.test.tolist()))
    counts = Counter((bool(approved[0][row]), bool(approved[1][row])) for row in judged)
    came = Counter((bool(approved[0][row]), bool(approved[1][row]), frame["decision"][row]) for row in judged)
    (cells,) = tables(document, "Approved and declined by both")
    for line in cells.rows:
        key = (line[0] == "approved", line[1] == "approved")
        assert int(line[2]) == counts[key]
        assert list(map(int, line[4:])) == [came[*key, "approved"], came[*key, "declined"], 0]
    (rows,) = tables(document, "Rows that are approved by one run alone")
    assert "(cutoff 60 %)" in rows.columns[2]
    assert "(cutoff 30 %)" in rows.columns[3]
    changed = {row for row in judged if approved[0][row] != approved[1][row]}
    assert values["approvals"]["changed_rows"]["n_rows"] == len(changed) > 0
    named = [int(line[0].replace(",", "")) for line in rows.rows]
    assert set(named) <= changed
    assert len(named) == min(50, len(changed))
    for row, line in zip(named, rows.rows, strict=True):
        assert line[1] == ("newly approved" if approved[1][row] else "newly declined")
        assert line[5] == frame["decision"][row]
    told = f"{len(changed)} of {len(judged)} rows are decided otherwise by Twin: {counts[False, True]} newly approved"
    assert told in texts(dataclasses.replace(document, sections=()))
    assert document.unmet == ()


def test_rates_are_drawn_by_run_and_what_came_is_told_by_count(pair: tuple[Run, Run]) -> None:
    document, values = decided(pair, None, favourable="approved", cutoff=0.3, baseline_cutoff=0.6)
    found = values["approvals"]
    n_rows, counts = sum(map(sum, found["counts"])), found["counts"]
    charts = [block.chart for section in document.sections for block in section.blocks if isinstance(block, ChartBlock)]
    (rates,) = (chart for chart in charts if chart.title == "Approved rows")
    assert [round(bar.value * n_rows) for bar in rates.bars] == [sum(counts[1]), counts[0][1] + counts[1][1]]
    assert counts[0][1] != counts[1][0]
    found["changed_rows"]["rows"] = (found["changed_rows"]["rows"] * 60)[:60]
    found.update(counts=[[100, 50], [20, 30]], outcomes=[[[0, 0], [12, 38]], [[16, 4], [0, 0]]])
    shown = texts(document_of(*pair, values))
    assert "Of the newly approved rows, 38 turned out favourable and 12 did not." in shown
    assert "Of the newly declined rows, 4 turned out favourable and 16 did not." in shown
    assert "54 wrong decisions became right and 16 right ones became wrong." in shown
    assert "As uneven a split would hardly come by chance (exact McNemar test, p < 0.001)." in shown
    assert "20 more rows changed, of which 10 are listed in the evidence." in shown
    found["outcomes"] = [[[0, 0], [3, 2]], [[2, 4], [0, 0]]]
    assert "may well come by chance (exact McNemar test, p = 0.549)" in texts(document_of(*pair, values))


def test_at_one_half_nothing_is_told_twice_and_elsewhere_the_classes_follow(
    pair: tuple[Run, Run], frame: pd.DataFrame
) -> None:
    for favourable in ("approved", "declined"):
        even, values = decided(pair, frame, favourable=favourable)
        assert tables(even, "Rows that are approved by one run alone")
        assert not tables(even, "From class to class")
        assert "likeliest" not in texts(even)
        values["approvals"]["counts"][1][1] += 1  # in a tie the row is approved, whichever class is the first
        assert tables(document_of(*pair, values), "From class to class")
    near, _ = decided(pair, frame, favourable="declined", cutoff=0.5 + 1e-12)  # the same rows by another rule
    assert tables(near, "From class to class")
    other, _ = decided(pair, frame, favourable="declined", baseline_cutoff=0.4)
    assert tables(other, "From class to class")
    assert tables(other, "Rows whose likeliest class is another")
    shown = texts(other)
    assert "probability of declined is at least 0.4; Twin approves it where" in shown
    assert shown.count("rows are decided otherwise by Twin") == 2  # in the summary and with the decisions
    assert "counts a wrong approval and a wrong refusal alike" in shown
    assert "class of the highest probability" not in shown


def test_who_is_favoured_is_assumed_aloud(pair: tuple[Run, Run]) -> None:
    document, _ = decided(pair, None, cutoff=1 - 1e-9)
    (unmet,) = document.unmet
    assert unmet.startswith("Nobody chose which outcome is favourable; this report takes “approved” for it. Choose")
    shown = texts(dataclasses.replace(document, unmet=()))
    assert "Nobody chose which outcome is favourable; this report takes “approved” for it." in shown
    assert "Neither run approves any of these rows" in shown
    assert "No row is approved by one run and declined by the other." in shown
    assert html_bytes(document, is_interactive=False).startswith(b"<!DOCTYPE html>")


def test_a_rule_that_does_not_fit_is_refused_before_the_work(pair: tuple[Run, Run]) -> None:
    materials = materials_of("internal_model_risk")
    for asked, words in (({"baseline_cutoff": 1.5}, "got 1.5"), ({"favourable": "maybe"}, "'maybe' is no class")):
        config = ReportConfig(kind="comparison", **asked)
        with pytest.raises(ExplanationError, match=words):
            ReportMaker.of(pair[1], None, config, materials, baseline=pair[0])
    config = ReportConfig(kind="comparison", favourable="approved", cutoff=0.4, time="2026-11-21T20:00:00+00:00")
    made = ReportMaker.of(pair[1], None, config, materials, baseline=pair[0]).make()
    kept = json.loads(made.parts["comparison.json"])["approvals"]
    assert [one["cutoff"] for one in kept["decisions"]] == [0.4, 0.4]
    assert "where the probability of approved is at least 0.4, by both runs alike" in texts(made.document)


@pytest.mark.parametrize(
    ("target", "asked", "why", "rule", "further"),
    [
        ("price", {"cutoff": 0.1}, "price is a quantity and nobody said", "prediction is at least 0.1", "moved most"),
        ("kind", {"favourable": "c{x}"}, "kind has several classes", "predicted class is c{x}", "likeliest class"),
    ],
)
def test_a_quantity_and_several_classes_need_a_word(
    target: str, asked: dict[str, Any], why: str, rule: str, further: str, tmp_path: Path
) -> None:
    table = people()
    runs = [small_run(tmp_path / name, table, (target,), seed=seed) for seed, name in enumerate("ab")]
    config = CompareConfig(n_reason_rows=0)
    evidence = predicted_evidence(*runs, table, config, table_sha256=runs[0].manifest.dataset.sha256)
    (shared,) = shared_targets(runs[0].targets, runs[1].targets)
    silent = document_of(*runs, comparison_mapping(*runs, evidence))
    assert texts(silent).count(why) == 2  # in the summary and with the decisions
    assert not tables(silent, "Approved and declined")
    rules = ApprovalRules.of(shared, ReportConfig(kind="comparison", **asked))
    document = document_of(*runs, comparison_mapping(*runs, evidence, rules=rules))
    shown = texts(document)
    assert why not in shown
    assert rule in shown
    (cells,) = tables(document, "Approved and declined by both")
    assert sum(int(line[2]) for line in cells.rows) == evidence.scores.held_out()[0].n_rows
    assert any(further in one.caption for one in tables(document, ""))
