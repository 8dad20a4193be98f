"""From a run to its certificate: with and without a table, several targets, imported runs, refusals, cancelling."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.config import CertifyConfig, ModelConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema, set_target, set_targets
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.errors import ExplanationError, JobCancelledError, SchemaError
from tabnet_engine.explain import store
from tabnet_engine.explain.background import draw_background, strata
from tabnet_engine.explain.evaluation import draw_evaluation, save_evaluation
from tabnet_engine.explain.trust.certificate import has_certificate, load_certificate
from tabnet_engine.explain.trust.faithfulness import RANDOM_WEIGHTS
from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.jobs.certifying import certify_run
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.runs.artefact import DatasetRef, load_run, save_run
from tabnet_engine.training.experiment import train_model

MODEL = ModelConfig(n_d=8, n_a=8, n_steps=2, n_bins=8)
TRAINING = TrainingConfig(max_epochs=12, batch_size=64, device="cpu", learning_rate=0.02)
QUICK = CertifyConfig(
    methods=("masks", "shap"), n_rows=24, n_stability_rows=10, n_background=8, n_random_orders=4, n_repetitions=2
)


def save(frame, schema, folder, training=TRAINING, model=MODEL):
    """A trained run with what explaining stores."""
    trained = train_model(frame, schema, model, training)
    reference = DatasetRef("0" * 64, "credit.csv", len(frame), frame.shape[1])
    run = save_run(trained, folder, dataset=reference, read_options={}, title="credit")
    encoded = run.encoder.transform(frame)
    rows = run.splits.train
    y, task, target = strata(run.targets, run.targets.encode(frame, rows=rows))
    background = draw_background(encoded, rows, y, task=task, n_rows=12, seed=0, target=target)
    run = store.save_background(run, background)
    return save_evaluation(run, draw_evaluation(run, frame, encoded, n_rows=60, seed=0))


@pytest.fixture(scope="module")
def credit():
    frame, _ = credit_applications(n_rows=500, seed=4)
    return frame


@pytest.fixture(scope="module")
def stored(credit, tmp_path_factory):
    return save(
        credit, set_target(propose_schema(credit), credit, "decision"), tmp_path_factory.mktemp("certify") / "run"
    )


@pytest.fixture
def run(stored, tmp_path):
    return load_run(shutil.copytree(stored.folder, tmp_path / "run"))


@pytest.fixture(scope="module")
def certified(stored, credit, tmp_path_factory):
    """Certified with its table, and what was reported on the way."""
    seen = []
    run = load_run(shutil.copytree(stored.folder, tmp_path_factory.mktemp("certified") / "run"))
    run = certify_run(run, credit, QUICK.replace(n_retrainings=2), monitor=Monitor(seen.append))
    return load_certificate(load_run(run.folder)), seen


def keys(certificate, family):
    return {(finding.subject, finding.key) for finding in certificate.of_family(family)}


def test_every_family_is_measured_and_nothing_is_missing_that_could_be_there(certified):
    certificate, _ = certified
    assert keys(certificate, Family.AGREEMENT) == {
        ("attention masks and SHAP", key) for key in ("spearman", "rank_biased_overlap", "jaccard")
    }
    faithful = keys(certificate, Family.FAITHFULNESS)
    assert {("attention masks", "deletion"), ("SHAP", "signed_insertion"), ("SHAP", "sufficiency")} <= faithful
    assert ("SHAP", "spearman after embedding") in keys(certificate, Family.RANDOMISATION)
    assert {
        ("SHAP", "kept reasons, perturbation"),
        ("attention masks", "kept reasons, perturbation"),
        ("SHAP", "kept reasons, background"),
        ("SHAP", "kept reasons, seed"),
        ("attention masks", "importance ranks, seed"),
        ("predicted class of 'decision'", "decisions, seed"),
    } <= keys(certificate, Family.STABILITY)
    assert {gap.name for gap in certificate.not_measured} == {
        "attention masks once the head is random",
        "stability to the background of attention masks",
    }


def test_every_figure_says_its_rows_its_interval_and_its_controls(certified):
    certificate, _ = certified
    for finding in certificate.findings:
        assert 1 < finding.n_rows <= 24
        assert finding.estimate.low is not None, finding.key
        assert finding.estimate.low <= finding.estimate.value <= finding.estimate.high, finding.key
        assert finding.how.endswith(".")
        assert finding.sentence.endswith(".")
    assert certificate.settings["n_retrainings"] == 2
    assert "24 of" in certificate.rows
    assert "a background of 8 rows (8 of: 12 of" in certificate.background
    assert set(certificate.algorithms) == {"masks", "shap"}
    assert len(certificate.curves) == 6
    assert [(pair.first, pair.second, len(pair.rows)) for pair in certificate.agreement] == [("masks", "shap", 24)]
    causes = {(kept.cause, kept.method) for kept in certificate.reasons}
    assert len(causes) == 5
    assert {kept.repetitions.max() for kept in certificate.reasons} == {2}


def test_shap_is_faithful_here_and_follows_the_weights(certified):
    found = {(finding.subject, finding.key): finding for finding in certified[0].findings}
    for key in ("insertion", "signed_deletion", "signed_insertion"):
        assert found["SHAP", key].stands, key
    assert found["SHAP", "spearman after embedding"].stands
    assert found["SHAP", "kept reasons, perturbation"].stands


def test_every_measure_falls_when_the_weights_are_random(certified):
    compared = 0
    for finding in certified[0].findings:
        useless = [control.estimate.value for control in finding.controls if control.name == RANDOM_WEIGHTS]
        for value in useless:
            compared += 1
            fallen = finding.estimate.value - value if finding.higher_is_better else value - finding.estimate.value
            assert fallen > 0, (finding.subject, finding.key)
        if finding.key.endswith("after embedding"):
            assert finding.estimate.high < 1, (finding.subject, finding.key)
    assert compared == 18, "agreement, faithfulness and stability"


def test_progress_only_grows_and_ends(certified):
    fractions = [progress.fraction for progress in certified[1]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    phases = [*dict.fromkeys(progress.phase for progress in certified[1])]
    assert phases == ["Explaining", "Faithfulness", "Randomisation", "Stability", "Retraining"]


def test_without_a_table_the_stored_rows_serve_and_retraining_is_said_to_be_missing(run, certified):
    again = certify_run(run, None, QUICK)
    certificate = load_certificate(again)
    gap = next(gap for gap in certificate.not_measured if "seed" in gap.name)
    assert gap.reason == "it needs the table that the run was trained on; give it with --table"
    assert certificate.settings["n_retrainings"] == 0
    assert "24 of: 60 of 100 test rows" in certificate.rows
    assert certificate.weights_sha256 == certified[0].weights_sha256
    repeated = load_certificate(certify_run(again, None, QUICK))
    same = [{**one.to_mapping(), "created": ""} for one in (certificate, repeated)]
    assert same[0] == same[1], "the same request gives the same figures"


def test_what_cannot_be_met_is_refused_in_one_sentence(run, credit, tmp_path):
    with pytest.raises(ExplanationError, match="n_retrainings is 2, but the run cannot be retrained: it needs"):
        certify_run(run, None, QUICK.replace(n_retrainings=2))
    with pytest.raises(SchemaError, match="the table has 300 rows, but the run was trained on one of 500"):
        certify_run(run, credit.head(300), QUICK)
    for other in (credit.iloc[::-1].reset_index(drop=True), credit_applications(n_rows=500, seed=9)[0]):
        with pytest.raises(SchemaError, match=r"not the one that the run was trained on: its row .* has other cells"):
            certify_run(run, other, QUICK)
    bare = save_bare(run, tmp_path / "bare")
    with pytest.raises(ExplanationError, match="holds no evaluation rows to measure on; explain it again"):
        certify_run(bare, None, QUICK)
    assert not has_certificate(load_run(bare.folder))


def save_bare(run, folder, splits=None):
    """The run without what explaining stored; with other splits, as an imported run has none."""
    import dataclasses

    model = run.model()
    if splits is not None:
        model = dataclasses.replace(model, splits=splits)
    return save_run(model, folder, dataset=run.manifest.dataset, read_options={}, title="bare")


def test_an_imported_run_is_measured_on_any_table(run, credit, tmp_path):
    nothing = np.zeros(0, dtype=np.int64)
    imported = save_bare(run, tmp_path / "imported", Splits(train=nothing, validation=nothing, test=nothing))
    certificate = load_certificate(certify_run(imported, credit.head(40), QUICK.replace(n_repetitions=1)))
    assert certificate.rows == "24 of 40 rows, spread evenly over the table"
    assert "of the explained table, since the run was imported" in certificate.background
    gap = next(gap for gap in certificate.not_measured if "seed" in gap.name)
    assert "imported without the rows it was trained on" in gap.reason
    with pytest.raises(ExplanationError, match="cannot be retrained"):
        certify_run(imported, credit.head(40), QUICK.replace(n_retrainings=1))


def test_several_targets_are_measured_each(credit, tmp_path):
    frame = credit.drop(columns=["decision"]).assign(
        paid=credit["decision"],
        score=credit.select_dtypes("number").iloc[:, 0].fillna(0) * 2.0 + 1e5,
        grade=np.array(["a", "b", "c"])[np.arange(len(credit)) % 3],
    )
    schema = set_targets(propose_schema(frame), frame, ("paid", "score", "grade"))
    run = save(frame, schema, tmp_path / "several", TRAINING.replace(max_epochs=2))
    quick = QUICK.replace(n_rows=8, n_stability_rows=4, n_repetitions=1, methods=("masks", "shap"), n_retrainings=1)
    certificate = load_certificate(certify_run(run, frame, quick))
    subjects = {finding.subject for finding in certificate.of_family(Family.FAITHFULNESS)}
    assert subjects == {
        f"{method} for {target!r}" for method in ("attention masks", "SHAP") for target in ("paid", "score", "grade")
    }
    decided = {finding.subject for finding in certificate.findings if finding.key == "decisions, seed"}
    assert decided == {"predicted class of 'paid'", "predicted class of 'grade'"}
    assert {curve.target for curve in certificate.curves} == {"paid", "score", "grade"}


def test_one_column_of_categories_gives_what_can_be_measured_and_says_the_rest(tmp_path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"job": generator.choice(["clerk", "nurse", "cook"], 200), "price": 0.0})
    frame["price"] = frame["job"].map({"clerk": 1e4, "nurse": 2e4, "cook": 4e4}) + generator.normal(size=200)
    run = save(frame, set_target(propose_schema(frame), frame, "price"), tmp_path / "one", TRAINING)
    certificate = load_certificate(certify_run(run, frame, QUICK.replace(n_retrainings=1, methods=("masks", "shap"))))
    assert not any(finding.stands for finding in certificate.of_family(Family.FAITHFULNESS)), "there is one order only"
    gaps = {gap.name: gap.reason for gap in certificate.not_measured}
    assert gaps["stability to small perturbations"].startswith("no column holds numbers that vary")
    assert "defines it" in gaps["attention masks and SHAP, Spearman's rank correlation"]


def test_one_method_and_no_repetition_are_told_not_hidden(run):
    config = QUICK.replace(methods=("shap",), n_repetitions=0, n_rows=6, n_stability_rows=4)
    gaps = {gap.name: gap.reason for gap in load_certificate(certify_run(run, None, config)).not_measured}
    assert gaps["agreement of methods"].startswith("only one method was chosen")
    assert gaps["stability to small perturbations"] == "n_repetitions is 0"
    assert gaps["stability to the background"] == "n_repetitions is 0"


def test_a_cancel_leaves_the_run_as_it_was(run, credit):
    seen = []

    def stop():
        return bool(seen) and seen[-1].phase == "Stability"

    with pytest.raises(JobCancelledError):
        certify_run(run, credit, QUICK, monitor=Monitor(seen.append, should_cancel=stop))
    assert not has_certificate(load_run(run.folder))
    retraining = []

    def stop_training():
        return bool(retraining) and retraining[-1].phase == "Retraining"

    quick = QUICK.replace(n_repetitions=0, n_rows=4, n_stability_rows=2)
    with pytest.raises(JobCancelledError):
        certify_run(run, credit, quick, monitor=Monitor(retraining.append, should_cancel=stop_training))


SETTINGS = ["n_rows=8", "n_stability_rows=4", "n_repetitions=1", "methods=masks,shap", "n_background=5"]


def test_the_command_prints_a_table_and_one_line_of_json(run, tmp_path, capsys):
    out = tmp_path / "certificate.json"
    options = [part for pair in SETTINGS for part in ("--set", pair)]
    assert main(["certify", "--run", str(run.folder), *options, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert summary["run"] == str(run.folder)
    assert summary["measured"] == len(summary["findings"]) > 10
    assert "stability to the seed of the training" in summary["not_measured"]
    assert "faithfulness:" in printed.err
    assert "not measured: stability to the seed of the training, since it needs the table" in printed.err
    assert json.loads(out.read_text(encoding="utf-8")) == load_certificate(load_run(run.folder)).to_mapping()


def test_the_command_takes_the_table_and_refuses_in_one_line(run, credit, tmp_path, capsys):
    table = tmp_path / "credit.csv"
    credit.to_csv(table, index=False)
    options = [part for pair in (*SETTINGS, "n_retrainings=1") for part in ("--set", pair)]
    assert main(["certify", "--run", str(run.folder), "--table", str(table), *options]) == 0
    keys = {finding["key"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert {"kept reasons, seed", "decisions, seed"} <= keys
    assert main(["certify", "--run", str(run.folder), "--set", "methods=tea"]) == 2
    assert "methods must be any of masks, shap" in capsys.readouterr().err
    assert main(["certify", "--run", str(run.folder), "--set", "n_retrainings=1"]) == 2
    assert "it needs the table" in capsys.readouterr().err
    assert main(["certify", "--run", str(run.folder), "--table", str(table), "--out", str(table)]) == 2
    assert "is a file that is read" in capsys.readouterr().err
