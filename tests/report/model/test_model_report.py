"""The model report: every section that is asked for, measured figures only, what is missing said and how to get it."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ReportError
from tabnet_engine.explain.estimates import Estimate, mean_estimate
from tabnet_engine.explain.groups.auditing import audit_run
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.groups.proxies import Proxy, ProxyReport
from tabnet_engine.explain.groups.stored import keep_group_audit, keep_proxies
from tabnet_engine.explain.row_parts import intersection
from tabnet_engine.explain.trust.certificate import Certificate, save_certificate
from tabnet_engine.explain.trust.finding import Control, Family, Finding
from tabnet_engine.interop.pytorch_tabnet import import_run
from tabnet_engine.report.document import Document, SignatureLines
from tabnet_engine.report.model.judging import judge
from tabnet_engine.report.stated_checks import STATED as STATED_NAMES
from tabnet_engine.runs.artefact import Run, load_run
from tabnet_engine.runs.run import WEIGHTS
from tests.report.model.model_reports import (
    HOSTILE,
    STATED,
    materials_of,
    people,
    report,
    small_run,
    tables,
    texts,
    with_manifest,
)

PROFILES = ("internal_model_risk", "eu_ai_act")
ZIPS = Path(__file__).parents[2] / "interop" / "fixtures"


@pytest.fixture(scope="module")
def frame(credit_csv: Path) -> pd.DataFrame:
    return pd.read_csv(credit_csv)


@pytest.fixture(scope="module")
def measured(credit_run: Path, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run with groups, crossed groups, proxies and a certificate."""
    run = load_run(Path(shutil.copytree(credit_run, tmp_path_factory.mktemp("measured") / "run")))
    region, letters = (groups_of_column(frame, run.schema, name) for name in ("region", "newsletter"))
    decision = Decision(favourable="approved", cutoff=0.5)
    for parts, crossed in ((region, ""), (intersection(region, letters), "newsletter")):
        audit = audit_run(run, frame, parts, decision=decision)
        settings = {"column": "region", "crossed_with": crossed}
        run = keep_group_audit(run, dataclasses.replace(audit, settings=settings))
    strength = Estimate(value=0.3, low=0.2, high=0.4, n=600, how="planted")
    proxies = ProxyReport(
        column="region",
        groups=("north", "south"),
        proxies=(Proxy(column="rent_eur", strength=strength, is_read=True),),
        joint_read=strength,
        joint_all=strength,
        left_out={},
        is_feature=True,
        n_rows=600,
        how="Planted.",
        selection="600 rows",
        seed=0,
    )
    return save_certificate(keep_proxies(run, proxies), _certificate(run.manifest.parts[WEIGHTS]))


@pytest.fixture(scope="module")
def read(measured: Run, frame: pd.DataFrame) -> Callable[..., Document]:
    """The report of that run, made once for each profile and each way to be stated."""

    @functools.cache
    def of(profile: str = "internal_model_risk", *, is_stated: bool = True) -> Document:
        return report(measured, frame, profile, is_stated=is_stated)

    return of


def _certificate(weights: str) -> Certificate:
    better = Control(name="random orders", estimate=mean_estimate([0.1, 0.1]), advantage=mean_estimate([-0.5, 0.6]))
    finding = Finding(
        family=Family.STABILITY,
        key="k",
        name="planted measure",
        subject="SHAP",
        estimate=mean_estimate([0.5, 0.6]),
        controls=(better,),
        how="So.",
        n_rows=2,
        seed=0,
    )
    return Certificate(
        run_id="r",
        title="t",
        weights_sha256=weights,
        created="2026-01-01T00:00:00Z",
        versions={},
        settings={"n_rows": 2},
        rows="2 test rows",
        background="a background of 3 rows",
        algorithms={},
        findings=(finding,),
        not_measured=(),
    )


@pytest.mark.parametrize(("profile", "language"), [(PROFILES[0], "en"), (PROFILES[1], "zh")])
def test_every_section_that_is_asked_for_is_there_in_order(
    profile: str, language: str, measured: Run, frame: pd.DataFrame
) -> None:
    document = report(measured, frame, profile, language=language, is_stated=True)
    asked = materials_of(profile, language=language).profile.sections("model")
    assert [(section.key, section.part) for section in document.sections] == [(one.key, one.part) for one in asked]
    assert all(section.blocks and section.title for section in document.sections)
    assert Document.from_mapping(json.loads(json.dumps(document.to_mapping(), allow_nan=False))) == document
    assert document == report(measured, frame, profile, language=language, is_stated=True)
    assert document.unmet == ()
    assert not document.is_blocked


@pytest.mark.parametrize("profile", PROFILES)
def test_what_nobody_stated_is_said_to_be_missing_and_what_was_stated_stands_word_by_word(
    profile: str, read: Callable[..., Document]
) -> None:
    silent, told = (read(profile, is_stated=is_stated) for is_stated in (False, True))
    required = [key for key in materials_of(profile).profile.required("model") if key in STATED_NAMES]
    assert len(silent.unmet) == len(required)
    assert "Stated by those who answer" not in texts(silent)
    shown = texts(told)
    for key in (key for key in required if key.startswith("facts.")):
        assert getattr(STATED, key.removeprefix("facts.")) in shown
    assert "Not stated" not in shown


def test_what_was_not_measured_is_unmet_until_it_is(
    credit_run: Path, frame: pd.DataFrame, read: Callable[..., Document]
) -> None:
    bare = report(load_run(credit_run), frame, is_stated=True)
    assert len(bare.unmet) == 3
    for words in ("not measured by group", "No two protected columns were crossed", "can be trusted was not measured"):
        assert any(words in sentence for sentence in bare.unmet)
        assert words not in texts(read())


def test_a_certificate_of_other_weights_says_nothing(measured: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    copied = load_run(Path(shutil.copytree(measured.folder, tmp_path / "run")))
    document = report(save_certificate(copied, _certificate("cd" * 32)), frame)
    assert "planted measure" not in texts(document)
    assert any("belongs to other weights" in sentence for sentence in document.unmet)


def test_no_figure_stands_that_is_told_from_nothing_is_a_limit(read: Callable[..., Document]) -> None:
    limits = texts(read())
    assert "planted measure" in limits
    assert "The model reads columns that tell “region” in part: rent_eur" in limits
    assert "No measured figure of stability is told apart" in limits
    assert "nothing was measured on later data" in limits
    assert "groups have fewer than 50 rows" in limits


def test_every_trigger_is_an_end_of_an_interval_measured_now(
    measured: Run, frame: pd.DataFrame, read: Callable[..., Document]
) -> None:
    (plan,) = tables(read(), "Proposed monitoring")
    lines = {line[0]: line for line in plan.rows}
    judged = judge(measured, frame)
    assert judged is not None
    scores = judged.targets[0].scores
    assert lines["AUC"][3] == f"below {scores['auc'].low:.3f}"
    assert lines["log loss"][3] == f"above {scores['log_loss'].high:.3f}"
    ratios = [name for name in lines if name.startswith("selection of")]
    groups = tables(read(), "Groups of “region” in “decision”: decisions")[0].rows
    assert 0 < len(ratios) < len(groups)


def test_groups_and_crossed_groups_stand_with_intervals(read: Callable[..., Document]) -> None:
    document = read()
    (alone,) = tables(document, "Groups of “region” in “decision”: scores")
    (crossed,) = tables(document, "Groups of “region and newsletter” in “decision”: scores")
    counts = [int(line[1].replace(",", "")) for line in alone.rows]
    assert sum(counts[:-1]) == counts[-1] == 60 * 2
    assert len(crossed.rows) > len(alone.rows)
    assert all(" to " in cell for cell in alone.rows[-1][2:])


def test_the_same_part_is_written_once_and_pointed_at(read: Callable[..., Document]) -> None:
    document = read()
    captions = [block.caption for section in document.sections for block in section.blocks if block.kind == "table"]
    assert len(captions) == len(set(captions))
    (pointer,) = {
        block.text for block in document.section("outcomes_analysis").blocks if "See the section" in block.text
    }
    assert "Quantitative analyses" in pointer
    assert any(isinstance(block, SignatureLines) for block in document.section("approvals").blocks)


def test_without_the_table_less_is_known_and_said(measured: Run) -> None:
    shown = texts(report(measured, None))
    assert "The table was not given for this report" in shown
    assert "Missing and unseen cells are not known without the table" in shown
    assert tables(report(measured, None), "Scores for “decision”")


@pytest.mark.parametrize("targets", [("price",), ("kind",), ("price", "bought")])
def test_every_task_has_its_report(targets: tuple[str, ...], tmp_path: Path) -> None:
    frame = people()
    run = small_run(tmp_path / "run", frame, targets)
    for profile in PROFILES:
        document = report(run, frame, profile)
        shown = texts(document)
        assert {name for name in targets if tables(document, f"Scores for “{name}”")} == set(targets)
        assert HOSTILE in shown
        assert "15.0 %" in shown or "missing cells" in shown or profile == "eu_ai_act"
    assert texts(report(run, None))


def test_a_run_without_test_rows_says_so(tmp_path: Path) -> None:
    frame = people()
    run = small_run(tmp_path / "run", frame, ("bought",), test_fraction=0.0)
    shown = texts(report(run, frame))
    assert "validation rows, by which the epoch was chosen" in shown
    assert "0.0 % for the test" in shown or "– for the test" in shown
    scored = with_manifest(run, metrics={**run.manifest.metrics, "test": {"auc": 0.625}})
    shown = texts(report(scored, frame))
    assert "a second table was given for the test" in shown
    assert "0.625" in shown


def test_an_imported_run_knows_no_rows(tmp_path: Path) -> None:
    run = import_run(ZIPS / "binary.zip", tmp_path / "run", title="imported")
    bare = report(run, None)
    assert any("was not tested here" in sentence for sentence in bare.unmet)
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(60, len(run.schema.features))), columns=list(run.schema.feature_names))
    frame[run.codec.name] = generator.choice(run.codec.classes, 60)
    shown = report(run, frame)
    assert any("these scores may flatter it" in sentence for sentence in shown.unmet)
    assert "which of them trained the model is not known" in texts(shown)


def test_of_many_columns_the_rest_is_counted(tmp_path: Path) -> None:
    frame = people(60, 499)
    run = small_run(tmp_path / "run", frame, ("bought",))
    (table,) = tables(report(run, frame), "The 500 columns")
    assert len(table.rows) == 25
    assert "475 more columns are in the evidence" in table.note


def test_a_pretraining_is_refused(credit_run: Path) -> None:
    run = load_run(credit_run)
    with pytest.raises(ReportError, match="train from it"):
        report(with_manifest(run, task=Task.PRETRAINING), None)


def test_outcomes_above_every_prediction_and_scores_of_another_table_are_told(tmp_path: Path) -> None:
    frame = people()
    run = small_run(tmp_path / "run", frame, ("price",))
    moved = frame.copy()
    moved.loc[run.splits.test, "price"] += 50
    document = report(run, moved, is_stated=True)
    assert "Predictions that are too low on average (in brackets the outcome minus the prediction): “price”" in texts(
        document
    )
    assert any("not those that the training stored" in sentence for sentence in document.unmet)
    assert "not those that the training stored" not in texts(report(run, frame))
