"""What a job that makes reports needs: one report, or a batch of them over many rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from tabnet_engine.config import ReportConfig
from tabnet_engine.config.report import ABOUT_ROWS, KIND_WORDS
from tabnet_engine.errors import ConfigError
from tabnet_engine.jobs.job_spec import JobSpec, refuse_unknown

__all__ = ["ReportPayload"]

Form = Literal["pdf", "html"]
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")  # it names a folder


@dataclass(frozen=True, kw_only=True)
class ReportPayload:
    """Reports of the run ``run_id``, kept in the workspace's register; many rows become one archive.

    ``config`` are those of :class:`~tabnet_engine.config.ReportConfig`, by name. A decision report or notice is about
    ``rows``, or about the rows that meet the condition ``where`` (one row alone is a single report, unless
    ``is_batch``). ``baseline_run_id`` is the champion of a comparison. ``form`` is how a batch writes each report.
    ``batch_id`` names a batch that was stopped and is gone on with; else the job begins one.
    """

    run_id: str
    dataset_id: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()
    where: str = ""
    is_batch: bool = False
    baseline_run_id: str | None = None
    form: Form = "pdf"
    batch_id: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        kind = self.settings.kind
        if self.batch_id and not _ID.fullmatch(self.batch_id):
            raise ConfigError(f"the id of a batch must be letters, digits and dashes, got {self.batch_id!r}")
        if self.form not in get_args(Form):
            raise ConfigError(f"the form of a report must be one of {', '.join(get_args(Form))}, got {self.form!r}")
        if kind in ABOUT_ROWS and not (self.rows or self.where):
            raise ConfigError(f"a {KIND_WORDS[kind]} is about a row; name its number, or a condition that rows meet")
        if kind in ABOUT_ROWS and self.rows and self.where:
            raise ConfigError("rows are named by their numbers or by a condition, not by both")
        if kind == "comparison" and not self.baseline_run_id:
            raise ConfigError("a comparison needs the run to compare with; choose it")

    @property
    def settings(self) -> ReportConfig:
        """What is asked for.

        Raises:
            ConfigError: a setting that does not exist or is outside its range.
        """
        return ReportConfig.from_mapping(self.config)

    @property
    def is_single(self) -> bool:
        """Whether it is one report and no batch."""
        return self.settings.kind not in ABOUT_ROWS or (len(self.rows) == 1 and not self.is_batch)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """The typed payload of a job.

        Raises:
            JobError: an unknown part.
            ConfigError: a setting that does not exist or is outside its range, or no row.
        """
        refuse_unknown(spec.payload, {"config", "rows", "where", "is_batch", "baseline_run_id", "form", "batch_id"})
        return cls(
            run_id=spec.run_id,
            dataset_id=spec.dataset_id,
            config=dict(spec.payload.get("config", {})),
            rows=tuple(map(int, spec.payload.get("rows", ()))),
            where=str(spec.payload.get("where", "")),
            is_batch=bool(spec.payload.get("is_batch", False)),
            baseline_run_id=spec.payload.get("baseline_run_id"),
            form=spec.payload.get("form", "pdf"),
            batch_id=str(spec.payload.get("batch_id", "")),
            title=spec.title,
        )

    def to_spec(self) -> JobSpec:
        """The job that makes the reports."""
        payload = {
            "config": self.config,
            "rows": list(self.rows),
            "where": self.where,
            "is_batch": self.is_batch,
            "baseline_run_id": self.baseline_run_id,
            "form": self.form,
            "batch_id": self.batch_id,
        }
        return JobSpec("report", self.dataset_id, self.run_id, self.title, payload)
