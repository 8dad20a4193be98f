"""The real tasks in this process: what a page submits becomes a run, a measurement or one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tabnet_engine.config import CertifyConfig
from tabnet_engine.data.kinds import propose_schema, set_target, set_targets
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import read_table
from tabnet_engine.explain import store
from tabnet_engine.explain.trust.certificate import has_certificate
from tabnet_engine.jobs import worker
from tabnet_engine.jobs.pretraining import load_worth
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.records import JobRecord, JobState
from tabnet_engine.jobs.spec import (
    AuditPayload,
    CertifyPayload,
    ExplainPayload,
    JobSpec,
    PretrainPayload,
    TrainPayload,
    WorthPayload,
)
from tabnet_engine.jobs.tasks import TASKS
from tabnet_engine.runs.artefact import DatasetRef, save_run
from tabnet_engine.runs.workspace import Workspace
from tests.jobs.test_queue import change

SHAPE = {"n_steps": 2, "n_d": 4, "n_a": 4}
QUICK = {"max_epochs": 1, "device": "cpu"}
EXPLAINED = {"n_shap_rows": 2, "n_background": 3}


def run(queue: JobQueue, spec: JobSpec) -> JobRecord:
    job_id = queue.submit(spec)
    worker.run_job(queue, queue.claim(job_id), TASKS)
    return queue.job(job_id)


@pytest.fixture
def dataset(workspace: Workspace, tmp_path: Path) -> str:
    """A table whose columns were proposed, without a target."""
    path = tmp_path / "credit.csv"
    credit_applications(n_rows=300, seed=4)[0].to_csv(path, index=False)
    table = read_table(path)
    return workspace.add_dataset(table, path, schema=propose_schema(table.frame)).dataset_id


@pytest.fixture
def pretrained(queue: JobQueue, dataset: str) -> str:
    payload = PretrainPayload(dataset_id=dataset, settings={**QUICK, **SHAPE}, ignore=("decision",), title="encoder")
    record = run(queue, payload.to_spec("encoder"))
    assert record.state == "succeeded", record.error
    return "encoder"


def test_pretrain_then_train_from_it_then_measure_its_worth(
    queue: JobQueue, workspace: Workspace, dataset: str, pretrained: str
) -> None:
    stored = workspace.run(pretrained)
    assert (stored.is_pretraining, stored.manifest.title) == (True, "encoder")
    assert stored.manifest.dataset.dataset_id == dataset

    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    settings = {**QUICK, **EXPLAINED}
    payload = TrainPayload(dataset_id=dataset, settings=settings, schema=schema, pretrained_run_id=pretrained)
    record = run(queue, payload.to_spec("fine"))
    assert record.state == "succeeded", record.error
    assert "trained from the pretraining 'encoder'" in workspace.run("fine").manifest.notes

    worth = WorthPayload(
        run_id=pretrained, dataset_id=dataset, schema=schema, budgets=(40,), n_seeds=1, settings=QUICK, title="worth"
    )
    record = run(queue, worth.to_spec())
    assert record.state == "succeeded", record.error
    measured = load_worth(workspace.run(pretrained))
    assert measured is not None
    assert (measured.target, measured.budgets) == ("decision", (40,))


@pytest.mark.parametrize("kind", ["train", "pretrain"])
def test_an_attempt_that_finds_its_run_saved_keeps_the_curve(
    queue: JobQueue, workspace: Workspace, dataset: str, kind: str
) -> None:
    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    settings = {**QUICK, **SHAPE, "max_epochs": 2}
    spec = (
        TrainPayload(dataset_id=dataset, settings={**settings, **EXPLAINED}, schema=schema).to_spec("r")
        if kind == "train"
        else PretrainPayload(dataset_id=dataset, settings=settings, schema=schema).to_spec("r")
    )
    job_id = queue.submit(spec)
    worker.run_job(queue, queue.claim(job_id), TASKS)
    weights = workspace.run("r").read("weights.safetensors")
    change(queue, job_id, state=JobState.FAILED)
    queue.retry(job_id)
    worker.run_job(queue, queue.claim(job_id), TASKS)
    assert queue.job(job_id).state == "succeeded"
    assert [record.epoch for record in queue.epochs(job_id)] == [1, 2]
    assert workspace.run("r").read("weights.safetensors") == weights


def test_several_targets_are_trained_and_explained(queue: JobQueue, workspace: Workspace, dataset: str) -> None:
    frame = workspace.load_frame(dataset)
    schema = set_targets(propose_schema(frame), frame, ["decision", "loan_amount_eur", "region"])
    payload = TrainPayload(dataset_id=dataset, settings={**QUICK, **SHAPE, **EXPLAINED}, schema=schema)
    record = run(queue, payload.to_spec("several"))
    assert record.state == "succeeded", record.error
    done = workspace.run("several")
    assert done.manifest.task == "multitask"
    assert store.load_attribution(done).outputs == done.targets.outputs
    again = run(queue, payload.to_spec("several"))
    assert again.state == "succeeded", "a run that was saved is only explained again"


def test_a_run_is_explained_by_other_methods_then_certified(
    queue: JobQueue, workspace: Workspace, dataset: str
) -> None:
    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    settings = {**QUICK, **SHAPE, **EXPLAINED, "methods": ["permutation"], "n_importance_rows": 20}
    record = run(queue, TrainPayload(dataset_id=dataset, settings=settings, schema=schema).to_spec("own"))
    assert record.state == "succeeded", record.error
    assert store.stored_methods(workspace.run("own")) == ()
    again = ExplainPayload(run_id="own", settings={**EXPLAINED, "methods": ["ablation"]}, title="t")
    record = run(queue, again.to_spec())
    assert record.state == "succeeded", record.error
    assert store.stored_methods(workspace.run("own")) == ("ablation",)
    assert not (workspace.root / "checkpoints" / record.job_id / "explanations").exists()

    small = {"methods": ["masks", "ablation"], "n_rows": 8, "n_stability_rows": 4, "n_background": 3}
    few = {"n_random_orders": 2, "n_repetitions": 2, "top_k": 2}
    payload = CertifyPayload(run_id="own", settings={**small, **few}, title="certify")
    record = run(queue, payload.to_spec())
    assert record.state == "succeeded", record.error
    assert record.progress.fraction == 1.0
    assert has_certificate(workspace.run("own"))


def test_a_certificate_of_a_wide_table_takes_the_suggested_rows(
    queue: JobQueue, workspace: Workspace, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    payload = TrainPayload(dataset_id=dataset, settings={**QUICK, **SHAPE, "n_shap_rows": 0}, schema=schema)
    assert run(queue, payload.to_spec("own")).error is None
    asked: list[CertifyConfig] = []
    monkeypatch.setattr("tabnet_engine.jobs.tasks.certify_run", lambda run, frame, config, **_: asked.append(config))
    monkeypatch.setattr("tabnet_engine.config.certify._FORWARDS", 100_000)
    assert run(queue, CertifyPayload(run_id="own", settings={"n_repetitions": 7}, title="t").to_spec()).error is None
    suggested = CertifyConfig.suggest(n_features=11)
    assert suggested.n_rows < CertifyConfig().n_rows
    assert asked == [suggested.replace(n_repetitions=7)]


def test_the_papers_preset_reaches_the_network(queue: JobQueue, workspace: Workspace, dataset: str) -> None:
    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    settings = {**QUICK, **EXPLAINED, "preset": "paper"}
    record = run(queue, TrainPayload(dataset_id=dataset, settings=settings, schema=schema).to_spec("paper"))
    assert record.state == "succeeded", record.error
    done = workspace.run("paper")
    assert (done.model_config.n_steps, done.model_config.two_logits) == (5, True)
    assert len(done.manifest.outputs) == 2


def test_a_pretraining_whose_columns_were_never_proposed(queue: JobQueue, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    credit_applications(n_rows=80, seed=4)[0].to_csv(path, index=False)
    dataset_id = workspace.add_dataset(read_table(path), path).dataset_id
    record = run(queue, PretrainPayload(dataset_id=dataset_id, settings={**QUICK, **SHAPE}).to_spec("bare"))
    assert record.state == "succeeded", record.error


def test_what_cannot_be_explained_says_so(queue: JobQueue, workspace: Workspace, dataset: str, pretrained: str) -> None:
    record = run(queue, ExplainPayload(run_id=pretrained, settings={"n_shap_rows": 5}, title="t").to_spec())
    assert record.state == "failed"
    assert record.error is not None
    assert "unknown setting 'n_shap_rows'" in record.error  # a pretraining has settings of its own
    record = run(queue, AuditPayload(run_id=pretrained, settings={"column": "region"}, title="t").to_spec())
    assert (record.state, record.error) == (
        "failed",
        "the run 'encoder' is a pretraining, which decides nothing; train from it first",
    )
    frame = workspace.load_frame(dataset)
    schema = set_target(propose_schema(frame), frame, "decision")
    settings = {**QUICK, **SHAPE, "n_shap_rows": 0}
    assert run(queue, TrainPayload(dataset_id=dataset, settings=settings, schema=schema).to_spec("own")).error is None
    elsewhere = DatasetRef("0" * 64, "elsewhere.csv", 300, 13)
    folder = workspace.run_folder("foreign")
    save_run(workspace.run("own").model(), folder, dataset=elsewhere, read_options={}, title="foreign")
    record = run(queue, ExplainPayload(run_id="foreign", title="t").to_spec())
    assert record.error is not None
    assert record.error.startswith("the run 'foreign' was not trained on a table of this workspace")


def test_a_training_from_a_pretraining_of_other_columns_is_one_sentence(
    queue: JobQueue, workspace: Workspace, pretrained: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.csv"
    frame = credit_applications(n_rows=80, seed=4)[0].drop(columns="income_eur")
    frame.to_csv(path, index=False)
    table = read_table(path)
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    other = workspace.add_dataset(table, path, schema=schema).dataset_id
    payload = TrainPayload(dataset_id=other, settings=QUICK, schema=schema, pretrained_run_id=pretrained)
    record = run(queue, payload.to_spec("wrong"))
    assert record.state == "failed"
    assert record.error is not None
    assert "'income_eur'" in record.error
    gone = TrainPayload(dataset_id=other, settings=QUICK, schema=schema, pretrained_run_id="nobody")
    record = run(queue, gone.to_spec("orphan"))
    assert record.error is not None
    assert "there is no run 'nobody'" in record.error
