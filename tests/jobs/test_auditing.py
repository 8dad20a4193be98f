"""Comparing groups of a run: what is asked for is what is measured, kept with the run, and said by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.config import AuditConfig
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.groups.stored import load_group_audits, load_proxies
from tabnet_engine.jobs.auditing import MeasuredGroups, measure_groups, store_groups
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.spec import AuditPayload, ExplainPayload, JobSpec
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.runs.run import Run


@pytest.fixture(scope="module")
def credit(credit_run: Path, credit_csv: Path) -> tuple[Run, pd.DataFrame]:
    from tabnet_engine.data.tables import ReadOptions, read_table

    run = load_run(credit_run)
    return run, read_table(credit_csv, ReadOptions.from_mapping(run.read_options)).frame


@pytest.fixture(scope="module")
def by_region(credit) -> MeasuredGroups:
    return measure_groups(*credit, AuditConfig(column="region", favourable="approved", cutoff=0.4))


def test_every_held_out_row_is_in_one_group_and_the_settings_travel(credit, by_region):
    run, frame = credit
    audit = by_region.audit
    held_out = frame["region"].iloc[run.splits.test].astype("string").fillna("missing")
    assert {group.name: group.n_rows for group in audit.groups} == held_out.value_counts().to_dict()
    assert AuditConfig.from_mapping(audit.settings) == AuditConfig(column="region", favourable="approved", cutoff=0.4)
    assert audit.decision == "the probability of approved is at least 0.4"
    assert audit.attribution is not None  # the run holds SHAP values
    assert by_region.proxies is not None
    assert by_region.proxies.column == "region"


def test_a_cutoff_near_certainty_selects_nobody_and_near_nothing_everybody(credit):
    for cutoff, rate in ((0.999999, 0.0), (1e-6, 1.0)):
        config = AuditConfig(column="newsletter", favourable="approved", cutoff=cutoff, proxies=False)
        measured = measure_groups(*credit, config)
        assert measured.proxies is None
        assert {group.measures["selection_rate"].value for group in measured.audit.groups} == {rate}


def test_crossed_groups_are_cut_where_the_user_says(credit):
    run, frame = credit
    config = AuditConfig(column="age_years", cuts=("30", "50"), crossed_with="newsletter", favourable="approved")
    audit = measure_groups(run, frame, config).audit
    of_age = frame["age_years"].iloc[run.splits.test]
    young = [group.n_rows for group in audit.groups if group.name.startswith("age_years = under 30")]
    assert sum(young) == int((of_age < 30).sum())
    assert any("age_years = 30 to under 50, newsletter = " in group.name for group in audit.groups)


def test_progress_goes_forward_to_the_last_phase(credit):
    seen = []
    monitor = Monitor(report=lambda progress: seen.append(progress.fraction))
    measure_groups(*credit, AuditConfig(column="newsletter"), monitor=monitor)
    assert seen == sorted(seen)
    assert seen[-1] >= 0.7


def test_comparisons_of_other_columns_are_kept_and_of_the_same_replaced(credit_run, credit, by_region, tmp_path):
    shutil.copytree(credit_run, tmp_path / "run")
    run = store_groups(load_run(tmp_path / "run"), by_region)
    other = measure_groups(*credit, AuditConfig(column="newsletter", favourable="approved"))
    run = store_groups(run, other)
    again = measure_groups(*credit, AuditConfig(column="region", favourable="declined", proxies=False))
    run = store_groups(run, again)
    kept = load_group_audits(load_run(tmp_path / "run"))
    assert [(audit.column, audit.settings["favourable"]) for audit in kept] == [
        ("region", "declined"),
        ("newsletter", "approved"),
    ]
    assert [report.column for report in load_proxies(run)] == ["newsletter", "region"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"column": "region", "favourable": "granted"}, "'granted' is no class"),
        ({"column": "region", "cutoff": 2.0}, "between 0 and 1"),
        ({"column": "nowhere"}, "no column 'nowhere'"),
        ({"column": "region", "cuts": ("a",)}, "no order to cut"),
        ({"column": "age_years", "cuts": ("50", "30")}, "ascending order"),
        ({"column": "region", "reference": "moon"}, "'moon' is no group"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(credit, settings, words):
    with pytest.raises(ExplanationError, match=words):
        measure_groups(*credit, AuditConfig(**settings))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "column"),
        ({"column": ""}, "must name the protected column"),
        ({"column": "a", "crossed_with": "a"}, "crossed with itself"),
        ({"column": "a", "crossed_cuts": ["3"]}, "none is named"),
        ({"column": "a", "n_ranges": 1}, "n_ranges"),
        ({"column": "a", "cutoff": float("nan")}, "cutoff"),
        ({"column": "a", "sex": 1}, "unknown setting 'sex'"),
    ],
)
def test_settings_that_mean_nothing_are_refused_before_the_job_waits(settings, words):
    with pytest.raises((ConfigError, TypeError), match=words):
        JobSpec("audit", None, "r", "t", {"settings": settings}).check()


def test_a_job_survives_the_database_with_its_lists():
    settings = AuditConfig(column="age, in years", cuts=("30", "50")).to_mapping()
    spec = AuditPayload(run_id="r", settings=settings, dataset_id="d", title="t").to_spec()
    read = JobSpec.from_mapping(json.loads(json.dumps(spec.to_mapping())))
    assert AuditConfig.from_mapping(AuditPayload.of(read).settings).cuts == ("30", "50")


def test_explaining_takes_the_settings_of_a_pretraining_too_but_no_mixture():
    ExplainPayload(run_id="r", settings={"n_rows": 60, "n_shapley_rows": 0})
    ExplainPayload(run_id="r", settings={"n_shap_rows": 5})
    for mixed in ({"n_rows": 60, "n_shap_rows": 5}, {"tea": 1}):
        with pytest.raises(ConfigError, match="unknown setting"):
            ExplainPayload(run_id="r", settings=mixed)
    with pytest.raises(ConfigError, match="n_rows must be at least 2"):
        ExplainPayload(run_id="r", settings={"n_rows": 1})


def test_the_command_says_what_the_function_measures(credit_run, credit_csv, by_region, tmp_path, capfd):
    out = tmp_path / "groups.json"
    base = ["audit", "--run", str(credit_run), "--table", str(credit_csv), "--out", str(out)]
    assert main([*base, "--column", "region", "--favourable", "approved", "--cutoff", "0.4"]) == 0
    assert json.loads(out.read_text()) == json.loads(json.dumps(by_region.to_mapping()))
    said = capfd.readouterr()
    assert all(sentence in said.err for sentence in by_region.audit.sentences)
    summary = json.loads(said.out)
    rates = {name: group["selection_rate"] for name, group in summary["groups"].items()}
    assert rates == {group.name: group.measures["selection_rate"].value for group in by_region.audit.groups}
    assert np.isfinite(list(rates.values())).all()


def test_the_command_refuses_in_one_line(credit_run, credit_csv, tmp_path, capfd):
    base = ["audit", "--run", str(credit_run), "--table", str(credit_csv), "--out", str(tmp_path / "x.json")]
    assert main([*base, "--column", "nowhere"]) == 2
    assert "no column 'nowhere'" in capfd.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
