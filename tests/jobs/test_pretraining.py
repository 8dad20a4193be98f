"""From a table without a target to a pretraining, a training from it, and what it was worth."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tabnet_engine.config import ExplainConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema, set_role, set_target
from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.errors import (
    ConfigError,
    DamagedRunError,
    ExplanationError,
    JobCancelledError,
    SchemaError,
    UserError,
)
from tabnet_engine.explain import store
from tabnet_engine.jobs.monitor import COMPARING, PRETRAINING, Monitor
from tabnet_engine.jobs.pipeline import explain_run, explain_table, train_run
from tabnet_engine.jobs.pretraining import (
    WORTH,
    fine_tuning_schema,
    load_worth,
    measure_worth,
    pretrain_run,
    pretraining_schema,
    worth_run,
)
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.jobs.source import Source
from tabnet_engine.runs.artefact import DatasetRef, Run, add_part, load_run

SHAPE = {"n_steps": 2, "n_d": 4, "n_a": 4}
QUICK = {**SHAPE, "max_epochs": 2}
REF = DatasetRef("0" * 64, "credit.csv", 300, 13)


def unlabelled(n_rows: int = 300) -> Source:
    frame = credit_applications(n_rows=n_rows, seed=4)[0].drop(columns="decision")
    return Source(frame.assign(same=1), propose_schema(frame.assign(same=1)), REF, notes=("read with care",))


def labelled(n_rows: int = 300) -> Source:
    frame = credit_applications(n_rows=n_rows, seed=4)[0].assign(same=1)
    return Source(frame, set_target(propose_schema(frame), frame, "decision"), REF)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pretraining") / "run"
    return load_run(pretrain_run(unlabelled(), folder, QUICK, ignore=("age_years",), title="encoder").folder)


def test_a_pretraining_keeps_its_columns_and_how_well_each_is_filled_in(pretrained: Run):
    assert pretrained.is_pretraining
    assert "age_years" not in pretrained.schema.feature_names
    named = [column.name for column in pretrained.reconstruction.columns]
    assert set(pretrained.schema.feature_names) <= set(named)
    assert pretrained.manifest.metrics["validation"]["reconstruction_error"] == pytest.approx(
        pretrained.reconstruction.overall
    )
    assert pretrained.manifest.notes[0] == "read with care"


def test_its_progress_fills_the_bar_and_ends_with_every_epoch(tmp_path: Path):
    seen: list[JobProgress] = []
    epochs: list[int] = []
    monitor = Monitor(seen.append, lambda record: epochs.append(record.epoch), phases=PRETRAINING)
    pretrain_run(unlabelled(), tmp_path / "run", QUICK, title="t", monitor=monitor)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {progress.phase for progress in seen} == {"Pretraining"}
    assert epochs == [1, 2]


def test_a_cancelled_pretraining_leaves_nothing(tmp_path: Path):
    with pytest.raises(JobCancelledError):
        pretrain_run(
            unlabelled(),
            tmp_path / "run",
            QUICK,
            title="t",
            monitor=Monitor(should_cancel=lambda: True, phases=PRETRAINING),
        )
    assert list(tmp_path.iterdir()) == []


def test_targets_are_never_learned_from_and_nothing_left_is_said():
    schema = pretraining_schema(labelled().schema, ("decision", "age_years"))
    assert schema.column("decision").role is Role.TARGET
    assert "age_years" not in schema.feature_names
    with pytest.raises(SchemaError, match="'nothing'"):
        pretraining_schema(schema, ("nothing",))
    with pytest.raises(SchemaError, match="no column is left"):
        pretraining_schema(schema, schema.feature_names)


def test_a_training_starts_from_it_and_says_so(pretrained: Run, tmp_path: Path):
    settings = {"max_epochs": 1, "n_shap_rows": 2, "n_background": 3, "freeze_epochs": 1}
    run = train_run(labelled(), tmp_path / "run", settings, title="t", pretrained=pretrained)
    assert run.model_config == pretrained.model_config
    assert set(run.schema.feature_names) == set(pretrained.schema.feature_names)
    assert "trained from the pretraining 'encoder'" in run.manifest.notes
    assert any("test rows are new in their labels only" in note for note in run.manifest.notes)
    frozen = run.network().state_dict()
    given = pretrained.pretrained().network.encoder.state_dict()
    weights = {name: value for name, value in given.items() if "running" not in name and "batches" not in name}
    assert weights
    assert all((frozen[f"encoder.{name}"] == value).all() for name, value in weights.items()), "it was frozen"
    assert store.load_masks(run).n_rows == 300


def test_a_training_from_it_with_another_network_is_refused_before_it_starts(pretrained: Run, tmp_path: Path):
    with pytest.raises(ConfigError, match="n_steps is 2 in the pretraining and cannot be 5"):
        train_run(labelled(), tmp_path / "run", {"n_steps": 5}, title="t", pretrained=pretrained)
    assert not (tmp_path / "run").exists()


def test_a_column_with_one_value_in_a_small_table_is_read_as_the_pretraining_did(pretrained: Run, tmp_path: Path):
    frame = labelled(60).frame.assign(loan_purpose="car", age_years=1)
    schema = set_target(propose_schema(frame), frame, "decision")
    assert schema.column("loan_purpose").kind is Kind.CONSTANT
    read = fine_tuning_schema(schema, pretrained.schema)
    assert read.column("loan_purpose") == pretrained.schema.column("loan_purpose")
    assert read.column("age_years").kind is Kind.CONSTANT, "the pretraining did not read it either"
    run = train_run(
        Source(frame, schema, dataclasses.replace(REF, sha256="1" * 64)),
        tmp_path / "run",
        {"max_epochs": 1, "n_shap_rows": 0},
        title="t",
        pretrained=pretrained,
    )
    assert "loan_purpose" in run.schema.feature_names
    assert not any("the pretraining read this table too" in note for note in run.manifest.notes)


def test_what_the_user_left_out_stays_left_out(pretrained: Run):
    schema = set_role(labelled().schema, "income_eur", Role.IGNORED)
    assert fine_tuning_schema(schema, pretrained.schema) == schema


def test_a_pretraining_cannot_be_explained_and_says_what_to_do(pretrained: Run):
    for ask in (explain_run, lambda run, frame, config: explain_table(run, frame, ["masks"], config)):
        with pytest.raises(ExplanationError, match=r"'encoder' is a pretraining .* train from it first"):
            ask(pretrained, unlabelled().frame, ExplainConfig())


def test_a_trained_run_is_no_pretraining_to_start_from(pretrained: Run, tmp_path: Path):
    settings = {**QUICK, "n_shap_rows": 0}
    run = train_run(labelled(), tmp_path / "run", settings, title="mine", pretrained=None)
    for ask in (
        lambda: train_run(labelled(), tmp_path / "again", QUICK, title="t", pretrained=run),
        lambda: measure_worth(run, labelled().frame, labelled().schema, budgets=(50,), n_seeds=1, settings={}),
    ):
        with pytest.raises(UserError, match="the run 'mine' is no pretraining"):
            ask()


def test_what_it_was_worth_is_kept_with_it_and_replaced_by_a_newer_answer(pretrained: Run, tmp_path: Path):
    import shutil

    run = load_run(Path(shutil.copytree(pretrained.folder, tmp_path / "copy")))
    assert load_worth(run) is None
    seen: list[JobProgress] = []
    table = labelled()
    monitor = Monitor(seen.append, phases=COMPARING)
    settings = {"max_epochs": 1, "seed": 7}
    run = worth_run(run, table.frame, table.schema, budgets=(40, 80), n_seeds=2, settings=settings, monitor=monitor)
    worth = load_worth(load_run(run.folder))
    assert worth is not None
    assert (worth.target, worth.budgets, worth.seeds) == ("decision", (40, 80), (7, 8))
    assert [progress.fraction for progress in seen] == sorted(progress.fraction for progress in seen)
    assert (seen[-1].fraction, seen[-1].message) == (1.0, "8 of 8 trainings")
    again = worth_run(run, table.frame, table.schema, budgets=(40,), n_seeds=1, settings={"max_epochs": 1})
    newer = load_worth(again)
    assert newer is not None
    assert newer.budgets == (40,)


def test_its_worth_is_measured_with_the_settings_a_training_would_get(pretrained: Run, monkeypatch: pytest.MonkeyPatch):
    asked: list[TrainingConfig] = []

    def instead(frame, schema, model, training_config, *, budgets, **_):
        asked.extend(training_config(budget) for budget in budgets)

    monkeypatch.setattr("tabnet_engine.training.pretraining_worth.pretraining_worth", instead)
    monkeypatch.setattr(type(pretrained.schema), "n_categorical", len(pretrained.schema.features))
    table = labelled()
    measure_worth(pretrained, table.frame, table.schema, budgets=(3_000,), n_seeds=1, settings={"batch_size": 128})
    n_features = len(pretrained.schema.features)
    suggested = TrainingConfig.suggest(n_rows=3_000, n_features=n_features, n_categorical=n_features)
    assert suggested != TrainingConfig.suggest(n_rows=3_000), "a table of categories only is learned otherwise"
    assert asked == [suggested.replace(batch_size=128).for_fine_tuning()]


def test_a_stored_answer_that_is_none_is_a_damaged_run(pretrained: Run, tmp_path: Path):
    import shutil

    run = load_run(Path(shutil.copytree(pretrained.folder, tmp_path / "copy")))

    def write(path: Path) -> None:
        path.write_text(json.dumps({"records": 3}), encoding="utf-8")

    with pytest.raises(DamagedRunError, match=r"pretraining_worth\.json"):
        load_worth(add_part(run, WORTH, write))


def test_worth_of_more_labels_than_there_are_is_refused(pretrained: Run):
    table = labelled()
    with pytest.raises(ConfigError, match="more than the table has"):
        measure_worth(pretrained, table.frame, table.schema, budgets=(10_000,), n_seeds=1, settings={})


def test_settings_follow_the_labelled_rows_not_the_whole_table(tmp_path: Path):
    source = labelled(2_400)
    few = source.frame["decision"].where(source.frame.index < 240)
    source = dataclasses.replace(source, frame=source.frame.assign(decision=few))
    run = train_run(source, tmp_path / "run", {**SHAPE, "max_epochs": 1, "n_shap_rows": 0}, title="t")
    assert run.training_config == TrainingConfig.suggest(n_rows=240).replace(max_epochs=1)
    assert run.training_config != TrainingConfig.suggest(n_rows=2_400).replace(max_epochs=1)
