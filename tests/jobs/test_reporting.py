"""Reports of a workspace's run, made as the page asks for them: one into the register, many into an archive."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import numpy as np
import pytest

from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tables import ReadOptions, read_table
from tabnet_engine.errors import ConfigError, JobCancelledError, ReportError
from tabnet_engine.explain.subject import Subject
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.jobs.reporting import BATCHES, REPORTS, make_reports
from tabnet_engine.report.batch import discard_batch, unfinished_batches
from tabnet_engine.report.batch_record import list_batches
from tabnet_engine.report.dates import moment_words
from tabnet_engine.report.register import ReportRegister
from tabnet_engine.runs.artefact import DatasetRef, Run, save_run
from tabnet_engine.runs.parts import sha256_file
from tabnet_engine.runs.workspace import Workspace
from tabnet_engine.texts.speaking import ENGLISH, speaking
from tabnet_engine.training.experiment import train_model

CHOSEN = {"favourable": "approved", "n_repetitions": 2, "n_counterfactuals": 0, "n_reference": 20}
TIME = "2026-03-01T09:30:00+00:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Run, list[int]]:
    """A workspace with a run, and rows that it declines."""
    from tabnet_engine.config import ModelConfig, TrainingConfig

    root = tmp_path_factory.mktemp("reports")
    path = root / "credit.csv"
    credit_applications(n_rows=400, seed=2)[0].to_csv(path, index=False)
    workspace = Workspace.open(root / "workspace")
    table = read_table(path, ReadOptions())
    schema = set_target(propose_schema(table.frame), table.frame, "decision")
    info = workspace.add_dataset(table, path, schema=schema)
    model = train_model(
        table.frame,
        schema,
        ModelConfig(n_d=4, n_a=4, n_steps=2),
        TrainingConfig(max_epochs=6, batch_size=128),
    )
    run_id, folder = workspace.new_run_folder()
    save_run(model, folder, dataset=DatasetRef.of(table, info.dataset_id), read_options={}, title="Credit")
    run = workspace.run(run_id)
    logits = Subject.of_run(run).logits(run.encoder.transform(table.frame))[:, 0]
    declined = np.argsort(-logits if run.targets.outputs == ("declined",) else logits)
    return workspace, run, declined[:4].tolist()


def payload(run: Run, **more: object) -> ReportPayload:
    config = {**CHOSEN, **more.pop("config", {})}  # type: ignore[dict-item]
    return ReportPayload(run_id=run.run_id, config=config, title="report", **more)  # type: ignore[arg-type]


def test_one_decision_goes_into_the_register(made: tuple[Workspace, Run, list[int]]) -> None:
    workspace, run, declined = made
    steps: list[JobProgress] = []
    asked = payload(run, rows=(declined[0],), config={"time": TIME})
    case_id = make_reports(workspace, asked, "job-1", monitor=Monitor(steps.append))
    register = ReportRegister(workspace.root / REPORTS)
    document = register.document(case_id)
    assert document.identity.row == declined[0]
    assert document.identity.created.startswith("2026-03-01T09:30:00")
    assert set(register.parts(case_id)) >= {
        "case.json",
        "received.parquet",
        "reference.parquet",
        "attributions.parquet",
    }
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    assert make_reports(workspace, asked, "job-2") == case_id
    assert [record.case_id for record in register.list()] == [case_id]


def test_a_report_on_the_model_is_about_no_row(made: tuple[Workspace, Run, list[int]]) -> None:
    workspace, run, _ = made
    case_id = make_reports(workspace, payload(run, config={"kind": "model", "time": TIME}), "job-3")
    identity = ReportRegister(workspace.root / REPORTS).document(case_id).identity
    assert (identity.kind, identity.row) == ("model", None)


def test_a_cancelled_batch_goes_on_where_it_stopped(made: tuple[Workspace, Run, list[int]]) -> None:
    workspace, run, declined = made
    asked = payload(run, rows=(*declined[:3], 10_000), form="html", config={"time": ""})
    folder = workspace.root / BATCHES / "job-5"

    def stop() -> bool:
        return folder.is_dir() and len(list((folder / "lines").glob("*.json"))) == 2

    with pytest.raises(JobCancelledError):
        make_reports(workspace, asked, "job-5", monitor=Monitor(should_cancel=stop))
    begun = json.loads((folder / "plan.json").read_text())["created"]
    (stopped,) = unfinished_batches(folder.parent)
    assert (stopped.batch_id, stopped.rows, stopped.n_done) == ("job-5", asked.rows, 2)
    again = payload(run, config=stopped.request, rows=stopped.rows, form=stopped.form, batch_id=stopped.batch_id)
    make_reports(workspace, again, "job-6")
    assert not (folder.parent / "job-6").exists()
    assert unfinished_batches(folder.parent) == ()
    discard_batch(folder.parent, "job-5")  # finished: it stays
    register = ReportRegister(workspace.root / REPORTS)
    (line,) = (line for line in register.log.lines() if line.action == "archive")
    assert register.verify_log().is_sound
    (record,) = list_batches(workspace.root / BATCHES)
    assert (record.n_rows, record.n_made, record.n_refused, record.created) == (4, 3, 1, begun)
    assert (line.content, line.sequence) == (sha256_file(record.archive), record.line)
    with zipfile.ZipFile(record.archive) as archive:
        lines = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))
        assert [int(line["row"]) for line in lines] == [*declined[:3], 10_000]
        assert "there is no row 10,000" in lines[3]["told"]
        pages = [archive.read(line["file"]).decode() for line in lines if line["file"]]
    with speaking(ENGLISH):
        assert all(moment_words(begun) in page for page in pages)


def test_mistakes_are_sentences(made: tuple[Workspace, Run, list[int]]) -> None:
    workspace, run, _ = made
    with pytest.raises(ReportError, match="no row meets the condition 'age_years > 900'; loosen it"):
        make_reports(workspace, payload(run, where="age_years > 900"), "job-6")
    with pytest.raises(ReportError, match="there is no regulation profile 'no_such'"):
        make_reports(workspace, payload(run, rows=(1,), config={"profile": "no_such"}), "job-7")
    for wrong, words in (
        ({}, "a decision report is about a row"),
        ({"rows": (1,), "where": "age_years > 1"}, "not by both"),
        ({"config": {"kind": "comparison"}}, "needs the run to compare with"),
        ({"rows": (1,), "batch_id": "../x"}, "must be letters, digits and dashes"),
        ({"rows": (1,), "form": "docx"}, "must be one of pdf, html"),
        ({"rows": (1,), "config": {"max_reasons": 5}}, "max_reasons must be between 1 and 4"),
    ):
        with pytest.raises(ConfigError, match=words):
            payload(run, **wrong)


def test_a_payload_survives_the_database(made: tuple[Workspace, Run, list[int]]) -> None:
    _, run, _ = made
    for asked in (
        payload(run, rows=(3,)),
        payload(run, where="age_years > 30", form="html"),
        payload(run, rows=(1, 2), batch_id="job-5"),
    ):
        spec = asked.to_spec()
        spec.check()
        assert ReportPayload.of(type(spec).from_mapping(json.loads(json.dumps(spec.to_mapping())))) == asked
