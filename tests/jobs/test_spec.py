from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import ConfigError, JobError, SchemaError
from tabnet_engine.jobs.spec import ExplainPayload, JobSpec, TrainPayload

SCHEMA = FeatureSchema(
    columns=(Column(name="$x$", kind=Kind.NUMBER), Column(name="y", kind=Kind.BOOLEAN, role=Role.TARGET)),
    task=Task.BINARY,
    classes=("False", "True"),
)


@given(
    title=st.text(),
    test=st.none() | st.text(min_size=1),
    settings=st.fixed_dictionaries({}, optional={"seed": st.integers(0, 9), "max_epochs": st.just("7")}),
    schema=st.sampled_from([None, SCHEMA]),
)
def test_a_training_survives_the_database(title: str, test: str | None, settings: dict[str, Any], schema: Any) -> None:
    payload = TrainPayload(dataset_id="d", settings=settings, test_dataset_id=test, title=title, schema=schema)
    stored = json.loads(json.dumps(payload.to_spec("run").to_mapping()))
    assert TrainPayload.of(JobSpec.from_mapping(stored)) == payload


def test_an_explanation_survives_the_database() -> None:
    payload = ExplainPayload(run_id="r", settings={"n_shap_rows": 10}, dataset_id="d", title="t")
    stored = json.loads(json.dumps(payload.to_spec().to_mapping()))
    assert ExplainPayload.of(JobSpec.from_mapping(stored)) == payload


def test_what_a_job_uses() -> None:
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
    ],
)
def test_mistakes_are_found_before_the_job_waits(spec: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        JobSpec(*spec).check()


def test_a_job_of_no_known_kind_or_shape_is_refused() -> None:
    with pytest.raises(JobError, match="a job is one of train, explain, got 'delete'"):
        JobSpec("delete", None, "r", "t")
    with pytest.raises(JobError, match="a job has no part 'x'"):
        JobSpec.from_mapping({"kind": "train", "x": 1})
    with pytest.raises(JobError, match="the job cannot be read"):
        JobSpec.from_mapping({"kind": "train"})
