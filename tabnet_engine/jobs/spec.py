"""What each kind of job needs, typed and checked; carried by a :class:`JobSpec`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tabnet_engine.config import AuditConfig, CertifyConfig, CompareConfig, ExplainConfig, TrainingConfig
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.errors import ConfigError, JobError
from tabnet_engine.explain.autoencoder.explanation import AutoencoderSettings
from tabnet_engine.jobs.job_spec import KINDS, JobSpec, dataset_of, refuse_unknown, schema_of
from tabnet_engine.jobs.report_spec import ReportPayload
from tabnet_engine.jobs.settings import check_pretraining_settings, check_training_settings

__all__ = [
    "KINDS",
    "PAYLOADS",
    "AuditPayload",
    "CertifyPayload",
    "ComparePayload",
    "ExplainPayload",
    "JobSpec",
    "PretrainPayload",
    "ReportPayload",
    "TrainPayload",
    "WorthPayload",
]

# A comparison trains two networks for each budget and seed: beyond this it is a slip of the hand.
MAX_WORTH_TRAININGS = 1_000


@dataclass(frozen=True, kw_only=True)
class TrainPayload:
    """What a training needs.

    ``settings`` are any of model, training and explanation, by name, and ``preset``. ``schema`` is that of the
    dataset when the job was queued: later edits of the columns do not change a job that waits.
    ``pretrained_run_id`` names the pretraining whose encoder the training starts from.
    """

    dataset_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    test_dataset_id: str | None = None
    title: str = ""
    schema: FeatureSchema | None = None
    pretrained_run_id: str | None = None

    def __post_init__(self) -> None:
        check_training_settings(self.settings)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is missing or unknown.
            ConfigError: a setting that does not exist or is outside its range.
            SchemaError: the schema cannot be read.
        """
        refuse_unknown(spec.payload, {"settings", "test_dataset_id", "schema", "pretrained_run_id"})
        return cls(
            dataset_id=dataset_of(spec, "a training"),
            settings=dict(spec.payload.get("settings", {})),
            test_dataset_id=spec.payload.get("test_dataset_id"),
            title=spec.title,
            schema=schema_of(spec),
            pretrained_run_id=spec.payload.get("pretrained_run_id"),
        )

    def to_spec(self, run_id: str) -> JobSpec:
        """The job that trains the run ``run_id``."""
        payload = {
            "settings": self.settings,
            "test_dataset_id": self.test_dataset_id,
            "schema": None if self.schema is None else self.schema.to_mapping(),
            "pretrained_run_id": self.pretrained_run_id,
        }
        return JobSpec("train", self.dataset_id, run_id, self.title, payload)


@dataclass(frozen=True, kw_only=True)
class _RunPayload:
    """What work on a stored run needs; ``settings`` are those of the work, by name."""

    kind: ClassVar[str]
    config: ClassVar[type[ExplainConfig | CertifyConfig | AuditConfig]]

    run_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None
    title: str = ""

    def __post_init__(self) -> None:
        self.config.from_mapping(self.settings)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is unknown.
            ConfigError: a setting that does not exist or is outside its range.
        """
        refuse_unknown(spec.payload, {"settings"})
        settings = dict(spec.payload.get("settings", {}))
        return cls(run_id=spec.run_id, settings=settings, dataset_id=spec.dataset_id, title=spec.title)

    def to_spec(self) -> JobSpec:
        """The job that works on the run."""
        return JobSpec(self.kind, self.dataset_id, self.run_id, self.title, {"settings": self.settings})


class ExplainPayload(_RunPayload):
    """What explaining a stored run anew needs; of a pretraining the settings are those of its reconstructions."""

    kind = "explain"
    config = ExplainConfig

    def __post_init__(self) -> None:
        # Which of the two the run is, only the worker knows: settings of either kind may wait.
        named = set(self.settings)
        of_pretraining = not named <= _names(ExplainConfig) and named <= _names(AutoencoderSettings)
        (AutoencoderSettings if of_pretraining else ExplainConfig).from_mapping(self.settings)


class CertifyPayload(_RunPayload):
    """What certifying a stored run needs; the certificate is stored with the run.

    Without ``dataset_id`` the rows are those that the run holds, and nothing is trained again.
    """

    kind = "certify"
    config = CertifyConfig


class AuditPayload(_RunPayload):
    """What comparing the groups of a protected column needs; the comparison is stored with the run."""

    kind = "audit"
    config = AuditConfig


@dataclass(frozen=True, kw_only=True)
class ComparePayload:
    """What comparing the run ``run_id`` with ``baseline_run_id`` on the rows of a table needs; ``run_id`` keeps it."""

    run_id: str
    baseline_run_id: str
    dataset_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    title: str = ""

    def __post_init__(self) -> None:
        CompareConfig.from_mapping(self.settings)
        if self.run_id == self.baseline_run_id:
            raise JobError("a run cannot be compared with itself; choose another one")

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is missing or unknown.
            ConfigError: a setting that does not exist or is outside its range.
        """
        refuse_unknown(spec.payload, {"settings", "baseline_run_id"})
        return cls(
            run_id=spec.run_id,
            baseline_run_id=str(spec.payload.get("baseline_run_id", "")),
            dataset_id=dataset_of(spec, "a comparison"),
            settings=dict(spec.payload.get("settings", {})),
            title=spec.title,
        )

    def to_spec(self) -> JobSpec:
        """The job that compares the two runs."""
        payload = {"settings": self.settings, "baseline_run_id": self.baseline_run_id}
        return JobSpec("compare", self.dataset_id, self.run_id, self.title, payload)


@dataclass(frozen=True, kw_only=True)
class PretrainPayload:
    """What a pretraining needs.

    ``settings`` are any of model and pretraining, by name, and ``preset``. ``ignore`` names columns to leave
    out beside those that ``schema`` leaves out; targets of the schema are left out too, so that a training can
    start from the pretraining.
    """

    dataset_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    title: str = ""
    schema: FeatureSchema | None = None

    def __post_init__(self) -> None:
        check_pretraining_settings(self.settings)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is missing or unknown.
            ConfigError: a setting that does not exist or is outside its range.
            SchemaError: the schema cannot be read.
        """
        refuse_unknown(spec.payload, {"settings", "ignore", "schema"})
        return cls(
            dataset_id=dataset_of(spec, "a pretraining"),
            settings=dict(spec.payload.get("settings", {})),
            ignore=tuple(map(str, spec.payload.get("ignore", ()))),
            title=spec.title,
            schema=schema_of(spec),
        )

    def to_spec(self, run_id: str) -> JobSpec:
        """The job that pretrains the run ``run_id``."""
        payload = {
            "settings": self.settings,
            "ignore": list(self.ignore),
            "schema": None if self.schema is None else self.schema.to_mapping(),
        }
        return JobSpec("pretrain", self.dataset_id, run_id, self.title, payload)


@dataclass(frozen=True, kw_only=True)
class WorthPayload:
    """What measuring the worth of a pretraining needs; the result is stored with the pretraining ``run_id``.

    ``schema`` says what is predicted. For each of ``budgets`` (labelled training rows) and ``n_seeds`` seeds one
    network is trained from the pretraining and one from nothing. ``settings`` are those of the training, by name.
    """

    run_id: str
    dataset_id: str
    schema: FeatureSchema | None = None
    budgets: tuple[int, ...] = (500, 2_000)
    n_seeds: int = 5
    settings: dict[str, Any] = field(default_factory=dict)
    title: str = ""

    def __post_init__(self) -> None:
        TrainingConfig.from_mapping(self.settings)
        if not self.budgets:
            raise ConfigError("budgets must name at least one number of labelled rows, such as 500")
        for budget in self.budgets:
            if budget < 10:
                raise ConfigError(f"a budget must be at least 10 labelled rows, got {budget:,}")
        if self.n_seeds < 1:
            raise ConfigError(f"n_seeds must be at least 1, got {self.n_seeds}")
        n_trainings = 2 * len(self.budgets) * self.n_seeds
        if n_trainings > MAX_WORTH_TRAININGS:
            raise ConfigError(
                f"{len(self.budgets):,} budgets and {self.n_seeds:,} seeds are {n_trainings:,} trainings, at most "
                f"{MAX_WORTH_TRAININGS:,} are allowed; choose fewer"
            )

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: a part is missing or unknown.
            ConfigError: a setting that does not exist or is outside its range.
            SchemaError: the schema cannot be read.
        """
        refuse_unknown(spec.payload, {"settings", "schema", "budgets", "n_seeds"})
        return cls(
            run_id=spec.run_id,
            dataset_id=dataset_of(spec, "a comparison"),
            schema=schema_of(spec),
            budgets=tuple(map(int, spec.payload.get("budgets", cls.budgets))),
            n_seeds=int(spec.payload.get("n_seeds", cls.n_seeds)),
            settings=dict(spec.payload.get("settings", {})),
            title=spec.title,
        )

    def to_spec(self) -> JobSpec:
        """The job that measures what the pretraining was worth."""
        payload = {
            "schema": None if self.schema is None else self.schema.to_mapping(),
            "budgets": list(self.budgets),
            "n_seeds": self.n_seeds,
            "settings": self.settings,
        }
        return JobSpec("worth", self.dataset_id, self.run_id, self.title, payload)


_Payload = (
    TrainPayload
    | ExplainPayload
    | PretrainPayload
    | WorthPayload
    | CertifyPayload
    | AuditPayload
    | ComparePayload
    | ReportPayload
)
PAYLOADS: dict[str, type[_Payload]] = {
    "train": TrainPayload,
    "explain": ExplainPayload,
    "pretrain": PretrainPayload,
    "worth": WorthPayload,
    "certify": CertifyPayload,
    "audit": AuditPayload,
    "compare": ComparePayload,
    "report": ReportPayload,
}


def _names(settings: type[ExplainConfig | AutoencoderSettings]) -> set[str]:
    return {item.name for item in dataclasses.fields(settings)}
