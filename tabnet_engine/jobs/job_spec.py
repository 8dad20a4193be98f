"""One job as plain values that survive the database and a restart; what each kind needs is in its payload."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import JobError

__all__ = ["KINDS", "JobSpec", "dataset_of", "refuse_unknown", "schema_of"]

KINDS = ("train", "explain", "pretrain", "worth", "certify", "audit", "compare", "report")


@dataclass(frozen=True)
class JobSpec:
    """One job. ``run_id`` names the run that it makes or works on.

    ``payload`` holds what :class:`TrainPayload`, :class:`ExplainPayload`, :class:`PretrainPayload`,
    :class:`WorthPayload`, :class:`CertifyPayload`, :class:`AuditPayload`, :class:`ComparePayload` or
    :class:`ReportPayload` says, as JSON values.
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
        others = (self.payload.get(name) for name in ("pretrained_run_id", "baseline_run_id"))
        runs = dict.fromkeys(filter(None, (self.run_id, *others)))
        return (*(("dataset", item) for item in datasets), *(("run", item) for item in runs))

    def check(self) -> None:
        """Refuse at once what the worker would refuse later.

        Raises:
            UserError: a part is missing or unknown, or a setting is outside its range.
        """
        from tabnet_engine.jobs.spec import PAYLOADS

        PAYLOADS[self.kind].of(self)

    def to_mapping(self) -> dict[str, Any]:
        """The job as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            JobError: a part is missing or unknown.
        """
        refuse_unknown(values, {item.name for item in dataclasses.fields(cls)})
        try:
            return cls(**{**values, "payload": dict(values["payload"])})
        except (KeyError, TypeError, ValueError) as error:
            raise JobError(f"the job cannot be read: {error}") from error


def dataset_of(spec: JobSpec, what: str) -> str:
    """The dataset that a job names.

    Raises:
        JobError: it names none; ``what`` needs one.
    """
    if spec.dataset_id is None:
        raise JobError(f"{what} needs a dataset; choose one")
    return spec.dataset_id


def schema_of(spec: JobSpec) -> FeatureSchema | None:
    """The schema in a job's payload, if there is one.

    Raises:
        SchemaError: it cannot be read.
    """
    schema = spec.payload.get("schema")
    return None if schema is None else FeatureSchema.from_mapping(schema)


def refuse_unknown(values: Mapping[str, Any], known: set[str]) -> None:
    """Refuse parts that a job does not have.

    Raises:
        JobError: names the first, and those that there are.
    """
    unknown = sorted(set(values) - known)
    if unknown:
        raise JobError(f"a job has no part {unknown[0]!r}; the parts here are {', '.join(sorted(known))}")
