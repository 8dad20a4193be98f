"""The whole path: what a training stores, what it says of the truth, and what a cancel leaves behind."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ExplainConfig, choose_settings
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.samples import load_sample, sample_schema
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import read_table
from tabnet_engine.errors import ConfigError, ExplanationError, JobCancelledError, SchemaError
from tabnet_engine.explain import store
from tabnet_engine.explain.agreement import disagreement_sentences, rank_agreement
from tabnet_engine.jobs.monitor import EXPLAINING, Monitor
from tabnet_engine.jobs.pipeline import Source, explain_run, explain_table, explanation_settings, train_run
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobProgress, JobState
from tabnet_engine.jobs.spec import ExplainPayload, TrainPayload
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run, save_run
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.training.history import History

QUICK = {"max_epochs": 1, "n_shap_rows": 4, "n_background": 5, "n_steps": 2, "n_d": 4, "n_a": 4}
REF = DatasetRef("0" * 64, "credit.csv", 300, 13)


def source(n_rows: int = 300, seed: int = 4) -> Source:
    frame, _ = credit_applications(n_rows=n_rows, seed=seed)
    return Source(frame, set_target(propose_schema(frame), frame, "decision"), REF)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_run(source(), tmp_path_factory.mktemp("pipeline") / "run", QUICK, title="credit")


def test_a_training_stores_everything_the_pages_read(run: Run):
    loaded = load_run(run.folder)
    for part in (store.MASKS, store.SHAP, store.BACKGROUND, store.IMPORTANCE):
        assert store.has_explanations(loaded, part)
    masks, values = store.load_masks(loaded), store.load_attribution(loaded)
    assert masks.n_rows == 300
    assert set(values.rows) <= set(loaded.splits.test)
    assert set(values.background.rows) <= set(loaded.splits.train), "the background is of training rows alone"
    assert {importance.method for importance in store.load_importances(loaded)} == {"masks", "shap"}


def test_the_stored_logits_are_those_of_a_prediction(run: Run):
    from tabnet_engine.training.prediction import predict_frame

    logits = store.load_masks(run).logits[:, 0]
    predicted = predict_frame(run.model(), source().frame)[f"logit_{run.codec.outputs[0]}"]
    np.testing.assert_allclose(logits, predicted, atol=1e-5)


def test_progress_only_grows_and_reaches_the_end(tmp_path: Path):
    seen: list[JobProgress] = []
    epochs: list[int] = []
    monitor = Monitor(seen.append, lambda record: epochs.append(record.epoch))
    train_run(source(), tmp_path / "run", {**QUICK, "max_epochs": 3}, title="t", monitor=monitor)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert epochs == [1, 2, 3]
    assert [*dict.fromkeys(progress.phase for progress in seen)] == ["Training", "Masks", "SHAP"]


def test_explaining_alone_fills_the_whole_bar(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    seen: list[float] = []
    monitor = Monitor(lambda progress: seen.append(progress.fraction), phases=EXPLAINING)
    explain_run(copy, source().frame, ExplainConfig(n_shap_rows=3), monitor=monitor)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (pytest.approx(0), pytest.approx(1))


@pytest.mark.parametrize(("phase", "kept"), [("Training", False), ("Masks", True), ("SHAP", True)])
def test_a_cancel_keeps_what_was_finished(phase: str, kept: bool, tmp_path: Path):
    phases: list[str] = []
    monitor = Monitor(lambda progress: phases.append(progress.phase), should_cancel=lambda: phase in phases)
    with pytest.raises(JobCancelledError):
        train_run(source(), tmp_path / "run", QUICK, title="t", monitor=monitor)
    assert (tmp_path / "run").exists() == kept
    assert list(tmp_path.iterdir()) == ([tmp_path / "run"] if kept else [])
    if kept:
        assert store.has_explanations(load_run(tmp_path / "run"), store.MASKS) == (phase == "SHAP")


def test_a_run_is_explained_anew_with_another_budget(run: Run, tmp_path: Path):
    copy = load_run(shutil.copytree(run.folder, tmp_path / "copy"))
    again = explain_run(copy, source().frame, ExplainConfig(n_shap_rows=3, n_background=7, seed=1))
    values = store.load_attribution(again)
    assert (values.n_rows, values.background.n_rows, values.seed) == (3, 7, 1)
    without = explain_run(again, source().frame, ExplainConfig(n_shap_rows=0))
    assert store.load_attribution(without).n_rows == 3, "asking for none computes none and loses none"


def test_caps_are_said(run: Run):
    config = ExplainConfig(max_mask_rows=100, n_shap_rows=2)
    pieces, facts = explain_table(run, source().frame, ["masks", "shap"], config)
    table = pd.concat(list(pieces))
    assert table.loc[table["method"] == "masks", "row"].nunique() == 100
    assert [sentence.split(":")[0] for sentence in facts()["rows_left_out"]] == ["masks", "shap"]
    assert "200 of 300" in facts()["rows_left_out"][0]
    pieces, facts = explain_table(run, source().frame, ["masks"], ExplainConfig())
    assert set(pd.concat(list(pieces))["method"]) == {"masks"}
    assert facts()["rows_left_out"] == []


def test_a_table_too_wide_for_shap_is_trained_and_says_so(tmp_path: Path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(60, 501)), columns=[f"x{index}" for index in range(501)])
    frame["y"] = np.where(frame["x0"] > 0, "a", "b")
    wide = Source(frame, set_target(propose_schema(frame), frame, "y"), REF)
    run = train_run(wide, tmp_path / "run", QUICK, title="wide")
    assert store.has_explanations(run, store.MASKS)
    assert not store.has_explanations(run, store.SHAP)
    assert any("at most 500 columns" in note for note in run.manifest.notes)
    assert explanation_settings(run, {"preset": "best"}).n_shap_rows == 0, "a second attempt asks for none either"


def test_a_budget_that_cannot_be_met_is_refused_before_training(tmp_path: Path):
    with pytest.raises(ExplanationError, match="too few"):
        train_run(source(), tmp_path / "run", {**QUICK, "n_evaluations": 3}, title="t")
    assert not (tmp_path / "run").exists()


def test_values_that_fail_their_check_are_one_sentence_and_the_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tabnet_engine.explain.shapley._ADDITIVITY", -1.0)
    with pytest.raises(ExplanationError, match=r"failed their own check and are not kept.* train with fewer n_steps"):
        train_run(source(), tmp_path / "run", QUICK, title="t")
    kept = load_run(tmp_path / "run")
    assert store.has_explanations(kept, store.MASKS)
    assert not store.has_explanations(kept, store.SHAP)


def test_an_imported_run_is_explained_against_the_table_it_is_asked_about(run: Run, tmp_path: Path):
    imported = without_rows(run, tmp_path / "imported")
    pieces, facts = explain_table(imported, source().frame, ["masks", "shap"], ExplainConfig(n_shap_rows=2))
    assert set(pd.concat(list(pieces))["method"]) == {"masks", "shap"}
    assert "of the explained table" in facts()["methods"]["shap"]["background"]["description"]
    with pytest.raises(ExplanationError, match="imported without the rows it was trained on and has no attention"):
        store.load_masks(imported)
    with pytest.raises(ExplanationError, match="was imported without the rows it was trained on"):
        explain_run(imported, source().frame, ExplainConfig())


def test_a_trained_run_without_background_is_not_given_another(run: Run, tmp_path: Path):
    model, reference = run.model(), run.manifest.dataset
    bare = save_run(model, tmp_path / "bare", dataset=reference, read_options={}, title="bare")
    with pytest.raises(ExplanationError, match="has no background rows yet; explain the run first"):
        explain_table(bare, source().frame, ["masks", "shap"], ExplainConfig(n_shap_rows=2))
    pieces, _ = explain_table(bare, source().frame, ["masks"], ExplainConfig())
    assert len(list(pieces)) == 1


def without_rows(run: Run, folder: Path) -> Run:
    """The run as an import makes one: nothing is known of the rows it was trained on."""
    nothing = np.zeros(0, dtype=np.int64)
    model = dataclasses.replace(
        run.model(), splits=Splits(nothing, nothing, nothing), history=History((), 0), metrics={}
    )
    return save_run(model, folder, dataset=run.manifest.dataset, read_options={}, title="imported")


def test_a_table_without_rows_is_refused(run: Run):
    with pytest.raises(ExplanationError, match="no rows"):
        explain_table(run, source().frame.head(0), ["masks"], ExplainConfig())


def test_no_feature_and_unknown_settings_are_refused(tmp_path: Path):
    frame = pd.DataFrame({"y": ["a", "b"] * 20})
    alone = Source(frame, set_target(propose_schema(frame), frame, "y"), REF)
    with pytest.raises(SchemaError, match="no column is left"):
        train_run(alone, tmp_path / "run", {}, title="t")
    with pytest.raises(ConfigError, match="'epochs'"):
        choose_settings({"epochs": 1}, n_rows=10, n_features=2)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def stored(workspace: Workspace, tmp_path: Path, name: str = "credit", seed: int = 4) -> str:
    path = tmp_path / f"{name}.csv"
    credit_applications(n_rows=300, seed=seed)[0].to_csv(path, index=False)
    table = read_table(path)
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    return workspace.add_dataset(table, path, schema=schema).dataset_id


def wait(queue: JobQueue, job_id: str) -> JobState:
    deadline = time.monotonic() + 120
    while not queue.job(job_id).ended and time.monotonic() < deadline:
        time.sleep(0.1)
        queue.reconcile()
    return queue.job(job_id).state


def test_a_real_worker_trains_then_explains_anew(workspace: Workspace, tmp_path: Path):
    queue = JobQueue(workspace)
    dataset_id, test_id = stored(workspace, tmp_path), stored(workspace, tmp_path, "later", seed=9)
    run_id, _ = workspace.new_run_folder()
    payload = TrainPayload(dataset_id=dataset_id, settings=QUICK, title="mine", test_dataset_id=test_id)
    job_id = queue.submit(payload.to_spec(run_id))
    assert wait(queue, job_id) is JobState.SUCCEEDED, queue.log_text(job_id)
    run = workspace.run(run_id)
    assert run.manifest.title == "mine"
    assert run.manifest.dataset.dataset_id == dataset_id
    assert len(run.splits.test) == 0
    assert "auc" in run.manifest.metrics["test"]
    assert any("later.csv" in note for note in run.manifest.notes)
    assert len(queue.epochs(job_id)) == 1

    again = queue.submit(ExplainPayload(run_id=run_id, settings={"n_shap_rows": 2}, title="again").to_spec())
    assert wait(queue, again) is JobState.SUCCEEDED, queue.log_text(again)
    assert store.load_attribution(workspace.run(run_id)).n_rows == 2


def test_a_second_attempt_only_explains_a_run_that_was_saved(workspace: Workspace, tmp_path: Path):
    queue = JobQueue(workspace)
    run_id, folder = workspace.new_run_folder()
    spec = TrainPayload(dataset_id=stored(workspace, tmp_path), settings=QUICK, title="t").to_spec(run_id)
    assert wait(queue, queue.submit(spec)) is JobState.SUCCEEDED
    weights = (folder / "weights.safetensors").stat()
    assert wait(queue, queue.submit(spec)) is JobState.SUCCEEDED
    assert (folder / "weights.safetensors").stat() == weights


def test_on_the_credit_sample_the_deciding_columns_lead_by_shap(tmp_path: Path):
    """The sample's rule is known, so the explanation is compared with the truth, not with itself."""
    sample = load_sample("credit")
    assert sample.truth is not None
    frame = Source(sample.frame, sample_schema(sample), REF)
    run = train_run(frame, tmp_path / "run", {"n_shap_rows": 100, "n_background": 30}, title="credit")
    masks, shap = store.load_importances(run)
    order = [shap.features[index] for index in np.argsort(-shap.values)]
    deciding = set(sample.truth.deciding)
    assert set(order[: len(deciding)]) == deciding
    assert order[0] in sample.truth.deciding[:2]
    assert run.manifest.metrics["test"]["auc"] > 0.85

    both = rank_agreement(masks, shap)
    sentences = disagreement_sentences(both)
    leading = np.minimum(both.first_rank, both.second_rank) <= 5
    far_apart = [
        name for name, gap in zip(both.features, np.abs(both.rank_difference) * leading, strict=True) if gap >= 5
    ]
    assert all(any(name in sentence for sentence in sentences) for name in far_apart), (far_apart, sentences)


def test_missing_and_unseen_cells_are_explained_like_others(run: Run):
    frame = source().frame.head(3).copy()
    frame.loc[0, "income_eur"] = np.nan
    frame["loan_purpose"] = frame["loan_purpose"].astype("str")
    frame.loc[1, "loan_purpose"] = "never seen before"
    encoder: TableEncoder = run.encoder
    states = pd.DataFrame(encoder.cell_states(frame), columns=list(encoder.schema.feature_names))
    assert (states.loc[0, "income_eur"], states.loc[1, "loan_purpose"]) == (1, 2)
    pieces, _ = explain_table(run, frame, ["masks", "shap"], ExplainConfig())
    assert np.isfinite(pd.concat(list(pieces))["value"]).all()
