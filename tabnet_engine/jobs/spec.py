"""What a job is to do: plain values that survive the database and a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tabnet_engine.config import ExplainConfig, ModelConfig, TrainingConfig, split_settings
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import JobError

__all__ = ["KINDS", "ExplainPayload", "JobSpec", "TrainPayload"]

KINDS = ("train", "explain")


@dataclass(frozen=True)
class JobSpec:
    """One job. ``run_id`` names the run that it makes or works on.

    ``payload`` holds what :class:`TrainPayload` or :class:`ExplainPayload` says, as JSON values.
    """

    kind: str
    dataset_id: str | None
    run_id: str
    title: str
    payload: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise JobError(f"a job is one of {', '.join(KINDS)}, got {self.kind!r}")

    @property
    def uses(self) -> tuple[tuple[str, str], ...]:
        """The datasets and runs, as (kind, id), that must not be deleted while the job waits or works."""
        datasets = dict.fromkeys(filter(None, (self.dataset_id, self.payload.get("test_dataset_id"))))
        return (*(("dataset", item) for item in datasets), ("run", self.run_id))

    def check(self) -> None:
        """Refuse at once what the worker would refuse later.

        Raises:
            UserError: a part is missing or unknown, or a setting is outside its range.
        """
        TrainPayload.of(self) if self.kind == "train" else ExplainPayload.of(self)

    def to_mapping(self) -> dict[str, Any]:
        """The job as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            JobError: a part is missing or unknown.
        """
        _refuse_unknown(values, {item.name for item in dataclasses.fields(cls)})
        try:
            return cls(**{**values, "payload": dict(values["payload"])})
        except (KeyError, TypeError, ValueError) as error:
            raise JobError(f"the job cannot be read: {error}") from error


@dataclass(frozen=True, kw_only=True)
class TrainPayload:
    """What a training needs.

    ``settings`` are any of model, training and explanation, by name. ``schema`` is that of the dataset
    when the job was queued: later edits of the columns do not change a job that waits.
    """

    dataset_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    test_dataset_id: str | None = None
    title: str = ""
    schema: FeatureSchema | None = None

    def __post_init__(self) -> None:
        model, training, explanation = split_settings(self.settings)
        ModelConfig.from_mapping(model)
        TrainingConfig.from_mapping(training)
        ExplainConfig.from_mapping(explanation)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is missing or unknown.
            ConfigError: a setting that does not exist or is outside its range.
            SchemaError: the schema cannot be read.
        """
        if spec.dataset_id is None:
            raise JobError("a training needs a dataset; choose one")
        _refuse_unknown(spec.payload, {"settings", "test_dataset_id", "schema"})
        schema = spec.payload.get("schema")
        return cls(
            dataset_id=spec.dataset_id,
            settings=dict(spec.payload.get("settings", {})),
            test_dataset_id=spec.payload.get("test_dataset_id"),
            title=spec.title,
            schema=None if schema is None else FeatureSchema.from_mapping(schema),
        )

    def to_spec(self, run_id: str) -> JobSpec:
        """The job that trains the run ``run_id``."""
        payload = {
            "settings": self.settings,
            "test_dataset_id": self.test_dataset_id,
            "schema": None if self.schema is None else self.schema.to_mapping(),
        }
        return JobSpec("train", self.dataset_id, run_id, self.title, payload)


@dataclass(frozen=True, kw_only=True)
class ExplainPayload:
    """What explaining a stored run anew needs. ``settings`` are those of the explanation, by name."""

    run_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None
    title: str = ""

    def __post_init__(self) -> None:
        ExplainConfig.from_mapping(self.settings)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is unknown.
            ConfigError: a setting that does not exist or is outside its range.
        """
        _refuse_unknown(spec.payload, {"settings"})
        settings = dict(spec.payload.get("settings", {}))
        return cls(run_id=spec.run_id, settings=settings, dataset_id=spec.dataset_id, title=spec.title)

    def to_spec(self) -> JobSpec:
        """The job that explains the run."""
        return JobSpec("explain", self.dataset_id, self.run_id, self.title, {"settings": self.settings})


def _refuse_unknown(values: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise JobError(f"a job has no part {unknown[0]!r}; the parts here are {', '.join(sorted(known))}")
