"""From a run, a row and what people wrote to a finished report: the one path of page, job and command line."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tabnet_engine.config import CompareConfig, ReportConfig
from tabnet_engine.config.report import KIND_WORDS, kind_words
from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.errors import ReportError
from tabnet_engine.report.document import Document
from tabnet_engine.report.identity import identity_of
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.notice.template import default_template
from tabnet_engine.report.reason_codes import codes_to_csv, default_codes
from tabnet_engine.report.received_score import check_consumer_score
from tabnet_engine.report.regulation import PROFILES, load_profile, profile_for
from tabnet_engine.runs.manifest import MANIFEST
from tabnet_engine.runs.parts import json_bytes, sha256_bytes
from tabnet_engine.runs.run import CORE_PARTS
from tabnet_engine.texts.recalling import keep_words
from tabnet_engine.texts.speaking import ENGLISH, speaking

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.reasons.case_explaining import CaseExplainer
    from tabnet_engine.explain.reasons.records import DecisionCase
    from tabnet_engine.explain.subject import Steering
    from tabnet_engine.report.desk import Desk
    from tabnet_engine.report.document import Identity
    from tabnet_engine.runs.run import Run

__all__ = ["MODEL_PREFIX", "MadeReport", "ReportMaker", "codes_id", "desk_materials", "report_time"]

MODEL_PREFIX = "model/"  # the run's own parts within the evidence
_LARGEST_PART = 16 * 1024**2  # of a run's measured parts that go into the evidence of a model report


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeReport:
    """A report, the evidence beside it by file name, and the case it is about, if it is about one."""

    document: Document
    parts: Mapping[str, bytes]
    case: DecisionCase | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportMaker:
    """Makes reports of one kind from one run; what many rows share is prepared once.

    ``created`` is the time that all its reports carry, ISO 8601 in UTC. ``table_sha256`` is that of the file that
    ``frame`` was read from; empty where it is the run's own table. ``champion_sha256`` is what an earlier report, made
    again, called the baseline by; empty for what it is now.
    """

    run: Run
    frame: pd.DataFrame | None
    config: ReportConfig
    materials: Materials
    created: str
    explainer: CaseExplainer | None = None
    baseline: Run | None = None
    comparison: Mapping[str, Any] = field(default_factory=dict)
    table_sha256: str = ""
    champion_sha256: str = ""

    @classmethod
    def of(
        cls,
        run: Run,
        frame: pd.DataFrame | None,
        config: ReportConfig,
        materials: Materials,
        *,
        baseline: Run | None = None,
        table_sha256: str = "",
        steering: Steering | None = None,
    ) -> ReportMaker:
        """Prepare reports.

        Args:
            run: a trained or imported run; the challenger of a comparison.
            frame: the table whose rows are reported on; None where the kind needs none and there is none.
            config: what is asked for.
            materials: what people wrote, and the regulation profile.
            baseline: the champion that a comparison is made against.
            table_sha256: of the file that ``frame`` was read from; the run's own table where empty.
            steering: follows the preparation.

        Raises:
            ReportError: the run predicts nothing, the table or the other run is missing, a model report is asked for
                on another table than the run's, the profile has no report of this kind, or a score bought from others
                is stated with a column that is not there.
            UserError: the decision cannot be made or explained as asked.
        """
        if run.is_pretraining:
            raise ReportError(
                f"the run {run.manifest.title!r} is a pretraining, which decides nothing; train from it, then report "
                "on that run"
            )
        if config.kind not in materials.profile.kinds:
            raise ReportError(
                f"the profile {materials.profile.name!r} has no {KIND_WORDS[config.kind]}; it has: "
                f"{kind_words(materials.profile.kinds)}"
            )
        columns = () if frame is None else tuple(map(str, frame.columns))
        check_consumer_score(materials.consumer_score, run.schema, columns)
        keep_words(run.schema.own_words)
        prepared = cls(
            run=run,
            frame=frame,
            config=config,
            materials=materials,
            created=report_time(config),
            table_sha256="" if frame is None or table_sha256 == run.manifest.dataset.sha256 else table_sha256,
        )
        with speaking(ENGLISH):  # what is computed is stored, and said in the language of the report later
            return prepared._with_findings(baseline, steering)

    def _with_findings(self, baseline: Run | None, steering: Steering | None) -> ReportMaker:
        if self.config.kind == "comparison":
            if baseline is None:
                raise ReportError("a comparison needs the run to compare with; name it as the baseline")
            digest = self.table_sha256 or self.run.manifest.dataset.sha256
            comparison = _compared(baseline, self.run, self.frame, self.config, digest, steering)
            return dataclasses.replace(self, baseline=baseline, comparison=comparison)
        if self.config.kind == "model":
            if self.table_sha256 and self.run.splits.train.size:
                raise ReportError(
                    f"the table is not the one that the run {self.run.manifest.title!r} was trained on, and a model "
                    "report measures the rows that were held out of that one; give that table, or leave it out"
                )
            return self
        if self.frame is None:
            raise ReportError(
                f"a {KIND_WORDS[self.config.kind]} needs the table with the row, and the table of the run "
                f"{self.run.manifest.title!r} is not there; give the table"
            )
        from tabnet_engine.explain.reasons.case_explaining import CaseExplainer

        explainer = CaseExplainer.of_run(
            self.run, self.frame, self.config, is_own_table=not self.table_sha256, steering=steering
        )
        return dataclasses.replace(self, explainer=explainer)

    def make(self, row: int | None = None) -> MadeReport:
        """One report.

        Args:
            row: the row's number in the table, for a decision report or a notice.

        Raises:
            ReportError: no row is named where one is needed, or a notice cannot be sent.
            UserError: the row is not there, or cannot be explained.
        """
        makers: Mapping[str, Callable[[int | None], MadeReport]] = {
            "decision": self._about_row,
            "notice": self._about_row,
            "model": self._model,
            "comparison": self._comparison,
        }
        keep_words(self.run.schema.own_words)
        return makers[self.config.kind](row)

    def _about_row(self, row: int | None) -> MadeReport:
        if row is None or self.explainer is None:
            raise ReportError(f"a {KIND_WORDS[self.config.kind]} is about one row; name its number in the table")
        with speaking(ENGLISH):
            case = self.explainer.explain(row)
        parts = self._row_parts(row, case)
        # Of the row's cells too: the same row number of another table is another case.
        identity = self._identity(row, {"received": sha256_bytes(parts["received.parquet"])})
        with speaking(self.config.language):
            document = self._build(case, identity)
        return MadeReport(document=document, parts=parts, case=case)

    def _build(self, case: DecisionCase, identity: Identity) -> Document:
        if self.config.kind == "notice":
            from tabnet_engine.report.notice.letter import notice_document

            return notice_document(case, identity, self.materials)
        from tabnet_engine.report.decision.content import decision_document

        return decision_document(case, identity, self.materials)

    def _model(self, row: int | None) -> MadeReport:  # noqa: ARG002 - all kinds are made alike
        from tabnet_engine.report.model.content import model_document

        with speaking(self.config.language):
            document = model_document(self.run, self.frame, self._identity(None), self.materials)
        return MadeReport(document=document, parts={**self._shared_parts, **_measured_parts(self.run)})

    def _comparison(self, row: int | None) -> MadeReport:  # noqa: ARG002 - as above
        from tabnet_engine.report.comparison.content import comparison_document

        if self.baseline is None:
            raise ReportError("a comparison needs the run to compare with; name it as the baseline")
        named = self.champion_sha256 or sha256_bytes(_manifest_bytes(self.baseline))
        identity = self._identity(None, {"baseline": named})
        with speaking(self.config.language):
            document = comparison_document(self.baseline, self.run, self.comparison, identity, self.materials)
        parts = {**self._shared_parts, "comparison.json": json_bytes(dict(self.comparison), indent=1)}
        return MadeReport(document=document, parts=parts)

    @property
    def made_from(self) -> dict[str, str]:
        """The SHA-256 of what people wrote, and of the table where it is not the run's own, by name."""
        written = {
            "reason_codes": self.materials.codes.sha256,
            "organisation": sha256_bytes(json_bytes(self.materials.organisation.to_mapping())),
            "stated_facts": sha256_bytes(json_bytes(self.materials.facts.to_mapping())),
            "consumer_score": sha256_bytes(json_bytes(self.materials.consumer_score.to_mapping())),
        }
        if self.config.kind == "notice":
            written["template"] = sha256_bytes(self.materials.template.encode())
        if self.table_sha256:
            written["table"] = self.table_sha256
        return written

    def _identity(self, row: int | None, extra: Mapping[str, str] | None = None) -> Identity:
        return identity_of(
            self.run,
            self.config,
            profile=self.materials.profile,
            created=self.created,
            row=row,
            extra={**self.made_from, **(extra or {})},
        )

    @cached_property
    def _shared_parts(self) -> dict[str, bytes]:
        """What the evidence of every report holds, read once for all rows: request, what people wrote, the model."""
        request = self.config.replace(time=self.created).to_mapping()
        own = {name: self.run.read(name) for name in CORE_PARTS}
        profile = self.materials.profile
        return {
            "request.json": json_bytes(request, indent=1),
            "profile.json": (PROFILES / f"{profile.name}-{profile.version}.json").read_bytes(),
            "reason_codes.csv": codes_to_csv(self.materials.codes),
            "organisation.json": json_bytes(self.materials.organisation.to_mapping(), indent=1),
            "stated_facts.json": json_bytes(self.materials.facts.to_mapping(), indent=1),
            "consumer_score.json": json_bytes(self.materials.consumer_score.to_mapping(), indent=1),
            f"{MODEL_PREFIX}{MANIFEST}": _manifest_bytes(self.run),
            **{f"{MODEL_PREFIX}{name}": content for name, content in own.items()},
        }

    def _row_parts(self, row: int, case: DecisionCase) -> dict[str, bytes]:
        """The evidence of one decision: what came in, what it was measured against, what was found."""
        if self.explainer is None:
            raise ValueError("only a decision has a row")
        parts = {
            **self._shared_parts,
            "case.json": json_bytes(case.to_mapping(), indent=1),
            "received.parquet": _parquet(self.explainer.received(row)),
            "reference.parquet": _parquet(self.explainer.reference_rows(row)),
            "attributions.parquet": _parquet(_attributions(case)),
        }
        if self.config.kind == "notice":
            parts["template.txt"] = self.materials.template.encode()
        return parts


def report_time(config: ReportConfig) -> str:
    """The time that a report carries: the one that was asked for, else now; ISO 8601 in UTC, to the second."""
    moment = datetime.fromisoformat(config.time) if config.time else datetime.now(UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def desk_materials(desk: Desk | None, run: Run, config: ReportConfig) -> Materials:
    """What people wrote in a workspace for reports of a run, with the regulation profile that is asked for.

    Args:
        desk: of the workspace; None for nothing stated, drafts of the codes, and the letter as it comes.
        run: what is reported on.
        config: what is asked for.

    Raises:
        ReportError: there is no such profile.
        StorageError: what was written is damaged.
    """
    name = config.profile or profile_for(config.kind)
    profile, is_letter = load_profile(name, config.language, on=report_time(config)), config.kind == "notice"
    if desk is None:
        return Materials(
            profile=profile,
            organisation=Organisation(),
            facts=ModelFacts(),
            codes=default_codes(run.schema),
            consumer_score=ConsumerScore(),
            template=default_template(profile.name, config.language) if is_letter else "",
        )
    return Materials(
        profile=profile,
        organisation=desk.organisation(),
        facts=desk.facts(run.run_id),
        codes=desk.codes(codes_id(run), run.schema),
        consumer_score=desk.consumer_score(run.run_id),
        template=desk.template(profile.name, config.language) if is_letter else "",
    )


def codes_id(run: Run) -> str:
    """Under which id the reason codes of a run are kept: runs of one table share them."""
    return run.manifest.dataset.dataset_id or run.run_id


def _compared(
    first: Run, second: Run, frame: pd.DataFrame | None, config: ReportConfig, digest: str, steering: Steering | None
) -> Mapping[str, Any]:
    """Champion and challenger: on the rows of a table where there is one, else on what both have stored."""
    from tabnet_engine.explain.comparison.approval_rules import ApprovalRules
    from tabnet_engine.explain.comparison.comparing import comparison_mapping
    from tabnet_engine.explain.comparison.evidence import stored_evidence
    from tabnet_engine.explain.comparison.predicted import choose_target, predicted_evidence
    from tabnet_engine.explain.comparison.targets import require_trained

    for run in (first, second):
        require_trained(run)
    target = choose_target(first, second, CompareConfig(target=config.target))
    rules = ApprovalRules.of(target, config)  # a mistake is told before the work
    label = "" if rules is None else rules.favourable
    asked = CompareConfig(target=config.target, label=label, seed=config.seed)
    if frame is None:
        evidence = stored_evidence(first, second, target, label=asked.label)
    else:
        evidence = predicted_evidence(first, second, frame, asked, table_sha256=digest, explaining=steering)
    return comparison_mapping(first, second, evidence, top_k=asked.top_k, rules=rules)


def _measured_parts(run: Run) -> dict[str, bytes]:
    """What was measured of a run and stored with it as JSON, by name."""
    names = [name for name in sorted(run.manifest.parts) if name.endswith(".json") and name not in CORE_PARTS]
    small = [name for name in names if run.path(name).stat().st_size <= _LARGEST_PART]
    return {f"{MODEL_PREFIX}{name}": run.read(name) for name in small}


def _manifest_bytes(run: Run) -> bytes:
    return (run.folder / MANIFEST).read_bytes()


def _attributions(case: DecisionCase) -> pd.DataFrame:
    """Every method's value of every column, long; signed ones are towards the favourable outcome."""
    import pandas as pd

    reasons = {item.column: item for item in case.contributions}
    principal = pd.DataFrame(
        {
            "row": case.row,
            "feature": list(reasons),
            "method": "principal",
            "value": [item.value for item in reasons.values()],
            "standard_error": [item.standard_error for item in reasons.values()],
        }
    )
    others = [
        pd.DataFrame(
            {
                "row": case.row,
                "feature": list(case.features),
                "method": method.method,
                "value": list(method.values),
                "standard_error": None,
            }
        )
        for method in case.methods
    ]
    table = pd.concat([principal, *(other.astype({"standard_error": "float64"}) for other in others)])
    return table.astype({"standard_error": "float64"}).reset_index(drop=True)


def _parquet(frame: pd.DataFrame) -> bytes:
    """A table as Parquet bytes, the same for the same table."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, compression="zstd", index=False)
    return buffer.getvalue()
