from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.errors import ConfigError, JobError, SchemaError
from tabnet_engine.jobs.spec import (
    CertifyPayload,
    ExplainPayload,
    JobSpec,
    PretrainPayload,
    TrainPayload,
    WorthPayload,
)

SCHEMA = FeatureSchema(
    columns=(Column(name="$x$", kind=Kind.NUMBER), Column(name="y", kind=Kind.BOOLEAN, role=Role.TARGET)),
    task=Task.BINARY,
    classes=("False", "True"),
)
SEVERAL = FeatureSchema(
    columns=(
        Column(name="x", kind=Kind.NUMBER),
        Column(name="y", kind=Kind.BOOLEAN, role=Role.TARGET),
        Column(name="z", kind=Kind.NUMBER, role=Role.TARGET),
    ),
    task=Task.MULTITASK,
    heads=(
        Target(name="y", task=Task.BINARY, classes=("False", "True")),
        Target(name="z", task=Task.REGRESSION),
    ),
)


@given(
    title=st.text(),
    test=st.none() | st.text(min_size=1),
    settings=st.fixed_dictionaries(
        {}, optional={"seed": st.integers(0, 9), "max_epochs": st.just("7"), "preset": st.just("paper")}
    ),
    schema=st.sampled_from([None, SCHEMA, SEVERAL]),
    pretrained=st.none() | st.text(min_size=1),
)
def test_a_training_survives_the_database(
    title: str, test: str | None, settings: dict[str, Any], schema: Any, pretrained: str | None
) -> None:
    payload = TrainPayload(
        dataset_id="d",
        settings=settings,
        test_dataset_id=test,
        title=title,
        schema=schema,
        pretrained_run_id=pretrained,
    )
    stored = json.loads(json.dumps(payload.to_spec("run").to_mapping()))
    assert TrainPayload.of(JobSpec.from_mapping(stored)) == payload


def test_an_explanation_survives_the_database() -> None:
    settings = {"n_shap_rows": 10, "methods": ["shap", "ablation"], "background": "where", "background_where": "a > 1"}
    payload = ExplainPayload(run_id="r", settings=settings, dataset_id="d", title="t")
    assert ExplainPayload.of(through_the_database(payload.to_spec())) == payload


def test_a_certificate_survives_the_database() -> None:
    payload = CertifyPayload(run_id="r", settings={"n_rows": 10}, dataset_id="d", title="t")
    assert CertifyPayload.of(through_the_database(payload.to_spec())) == payload
    assert CertifyPayload(run_id="r").to_spec().uses == (("run", "r"),)


def through_the_database(spec: JobSpec) -> JobSpec:
    return JobSpec.from_mapping(json.loads(json.dumps(spec.to_mapping())))


def test_a_pretraining_survives_the_database() -> None:
    payload = PretrainPayload(
        dataset_id="d", settings={"mask_rate": 0.4, "n_d": 8}, ignore=("id", "a,b"), title="t", schema=SCHEMA
    )
    assert PretrainPayload.of(through_the_database(payload.to_spec("run"))) == payload


def test_a_comparison_survives_the_database() -> None:
    payload = WorthPayload(
        run_id="r", dataset_id="d", schema=SCHEMA, budgets=(100, 500), n_seeds=3, settings={"max_epochs": 3}, title="t"
    )
    assert WorthPayload.of(through_the_database(payload.to_spec())) == payload


def test_a_job_stored_before_there_were_pretrainings_is_still_read() -> None:
    old = JobSpec("train", "d", "r", "t", {"settings": {}, "test_dataset_id": None, "schema": None})
    assert TrainPayload.of(old) == TrainPayload(dataset_id="d", title="t")


def test_what_a_job_uses() -> None:
    assert TrainPayload(dataset_id="a", pretrained_run_id="p").to_spec("r").uses == (
        ("dataset", "a"),
        ("run", "r"),
        ("run", "p"),
    )
    assert PretrainPayload(dataset_id="a").to_spec("r").uses == (("dataset", "a"), ("run", "r"))
    assert WorthPayload(run_id="p", dataset_id="a").to_spec().uses == (("dataset", "a"), ("run", "p"))
    assert TrainPayload(dataset_id="a", test_dataset_id="b").to_spec("r").uses == (
        ("dataset", "a"),
        ("dataset", "b"),
        ("run", "r"),
    )
    assert TrainPayload(dataset_id="a", test_dataset_id="a").to_spec("r").uses == (("dataset", "a"), ("run", "r"))
    assert ExplainPayload(run_id="r").to_spec().uses == (("run", "r"),)


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (("train", None, "r", "t", {}), JobError, "a training needs a dataset"),
        (("train", "d", "r", "t", {"settngs": {}}), JobError, "a job has no part 'settngs'"),
        (("train", "d", "r", "t", {"settings": {"epochs": 3}}), ConfigError, "unknown setting 'epochs'"),
        (("train", "d", "r", "t", {"settings": {"seed": -1}}), ConfigError, "seed must be between 0"),
        (("train", "d", "r", "t", {"schema": {"columns": 1}}), SchemaError, "the schema cannot be read"),
        (("explain", None, "r", "t", {"settings": {"n_steps": 3}}), ConfigError, "unknown setting 'n_steps'"),
        (("explain", None, "r", "t", {"rows": 3}), JobError, "a job has no part 'rows'"),
        (("explain", None, "r", "t", {"settings": {"methods": ["lime"]}}), ConfigError, "got 'lime'"),
        (("explain", None, "r", "t", {"settings": {"background": "class"}}), ConfigError, "needs background_class"),
        (("certify", None, "r", "t", {"rows": 3}), JobError, "a job has no part 'rows'"),
        (("certify", None, "r", "t", {"settings": {"n_rows": 1}}), ConfigError, "n_rows must be between 2"),
        (("train", "d", "r", "t", {"settings": {"preset": "best of all"}}), ConfigError, "preset must be one of"),
        (("pretrain", None, "r", "t", {}), JobError, "a pretraining needs a dataset"),
        (("pretrain", "d", "r", "t", {"budgets": [1]}), JobError, "a job has no part 'budgets'"),
        (("pretrain", "d", "r", "t", {"settings": {"schedule": "cosine"}}), ConfigError, "setting 'schedule'"),
        (("pretrain", "d", "r", "t", {"settings": {"mask_rate": 1}}), ConfigError, "mask_rate must be between"),
        (("pretrain", "d", "r", "t", {"settings": {"preset": "x"}}), ConfigError, "preset must be one of best, paper"),
        (("worth", None, "r", "t", {}), JobError, "a comparison needs a dataset"),
        (("worth", "d", "r", "t", {"budgets": []}), ConfigError, "at least one number of labelled rows"),
        (("worth", "d", "r", "t", {"budgets": [9]}), ConfigError, "at least 10 labelled rows, got 9"),
        (("worth", "d", "r", "t", {"n_seeds": 0}), ConfigError, "n_seeds must be at least 1, got 0"),
        (("worth", "d", "r", "t", {"n_seeds": 251}), ConfigError, "2 budgets and 251 seeds are 1,004 trainings"),
        (("worth", "d", "r", "t", {"settings": {"n_d": 8}}), ConfigError, "unknown setting 'n_d'"),
    ],
)
def test_mistakes_are_found_before_the_job_waits(spec: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        JobSpec(*spec).check()


def test_a_job_of_no_known_kind_or_shape_is_refused() -> None:
    kinds = "train, explain, pretrain, worth, certify, audit, compare, report"
    with pytest.raises(JobError, match=f"a job is one of {kinds}, got 'delete'"):
        JobSpec("delete", None, "r", "t")
    with pytest.raises(JobError, match="a job has no part 'x'"):
        JobSpec.from_mapping({"kind": "train", "x": 1})
    with pytest.raises(JobError, match="the job cannot be read"):
        JobSpec.from_mapping({"kind": "train"})
