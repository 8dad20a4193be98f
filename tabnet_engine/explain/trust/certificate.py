"""All that was measured about how far a run's explanations can be trusted, in one record. No torch: pages read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.stored_arrays import FOLDER, has_json, reading, save_json
from tabnet_engine.explain.trust.faithfulness import Curve
from tabnet_engine.explain.trust.finding import Family, Finding, NotMeasured
from tabnet_engine.explain.trust.method_agreement import PairAgreement
from tabnet_engine.explain.trust.reasons import KeptReasons
from tabnet_engine.explain.wording import listed
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "CERTIFICATE",
    "FORMAT",
    "Certificate",
    "RowFaithfulness",
    "has_certificate",
    "load_certificate",
    "save_certificate",
]

_NAME = "certificate"
CERTIFICATE = f"{FOLDER}/{_NAME}.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class RowFaithfulness:
    """For single rows: the deletion area of one method, and that of random orders of the same row's columns."""

    method: str
    target: str
    rows: tuple[int, ...]
    area: tuple[float, ...]
    random: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.area) == len(self.random):
            raise ValueError("every row must have its area and that of random orders")

    def to_mapping(self) -> dict[str, Any]:
        """The areas as plain JSON values."""
        return {
            "method": self.method,
            "target": self.target,
            "rows": list(self.rows),
            "area": list(self.area),
            "random": list(self.random),
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote."""
        return cls(
            method=str(values["method"]),
            target=str(values["target"]),
            rows=tuple(map(int, values["rows"])),
            area=tuple(map(float, values["area"])),
            random=tuple(map(float, values["random"])),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """One per run: every figure with its interval, its controls, its rows and its seed, and what is missing and why.

    ``weights_sha256`` is that of the weights that were looked at: a certificate of other weights says nothing.
    ``rows`` and ``background`` say in words on which rows and against what was measured; ``algorithms`` how each
    method was computed; ``curves`` are for figures; ``agreement``, ``faithfulness`` and ``reasons``
    for single rows.

    Raises:
        ValueError: nothing was measured.
    """

    run_id: str
    title: str
    weights_sha256: str
    created: str
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    rows: str
    background: str
    algorithms: Mapping[str, str]
    findings: tuple[Finding, ...]
    not_measured: tuple[NotMeasured, ...]
    agreement: tuple[PairAgreement, ...] = ()
    curves: tuple[Curve, ...] = ()
    faithfulness: tuple[RowFaithfulness, ...] = ()
    reasons: tuple[KeptReasons, ...] = ()

    def __post_init__(self) -> None:
        if not any(finding.estimate.value is not None for finding in self.findings):
            raise ValueError("a certificate must hold at least one measured figure")

    def of_family(self, family: Family) -> tuple[Finding, ...]:
        """The figures that answer one kind of question."""
        return tuple(finding for finding in self.findings if finding.family is family)

    @property
    def standing(self) -> tuple[Finding, ...]:
        """Figures that are told apart from every useless explanation they were compared with, and not just barely."""
        return tuple(finding for finding in self.findings if finding.stands)

    @property
    def note(self) -> str:
        """What the certificate rests on and what it found, for beside every figure of it."""
        facts = {
            "standing": len(self.standing),
            "findings": len(self.findings),
            "rows": recalled(self.rows),
            "background": recalled(self.background),
        }
        if not self.not_measured:
            return say(
                "{standing} of {findings} figures are told apart, for the better, from every useless explanation that "
                "they were compared with, on {rows} against {background}.",
                **facts,
            )
        return say(
            "{standing} of {findings} figures are told apart, for the better, from every useless explanation that "
            "they were compared with, on {rows} against {background}; not measured: {gaps}.",
            gaps=listed([recalled(gap.name) for gap in self.not_measured]),
            **facts,
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every figure in words, then every gap."""
        gaps = tuple(
            say("Not measured: {gap}, since {reason}.", gap=recalled(gap.name), reason=recalled(gap.reason))
            for gap in self.not_measured
        )
        return (*(finding.sentence for finding in self.findings), *gaps)

    def to_mapping(self) -> dict[str, Any]:
        """The certificate as plain JSON values."""
        return {
            "format": FORMAT,
            "run_id": self.run_id,
            "title": self.title,
            "weights_sha256": self.weights_sha256,
            "created": self.created,
            "versions": dict(self.versions),
            "settings": dict(self.settings),
            "rows": self.rows,
            "background": self.background,
            "algorithms": dict(self.algorithms),
            "note": self.note,
            "findings": [finding.to_mapping() for finding in self.findings],
            "not_measured": [gap.to_mapping() for gap in self.not_measured],
            "agreement": [pair.to_mapping() for pair in self.agreement],
            "curves": [curve.to_mapping() for curve in self.curves],
            "faithfulness": [areas.to_mapping() for areas in self.faithfulness],
            "reasons": [kept.to_mapping() for kept in self.reasons],
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote.

        Raises:
            ValueError: written in a format that this version does not know.
        """
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}, this version reads {FORMAT}")
        return cls(
            run_id=str(values["run_id"]),
            title=str(values["title"]),
            weights_sha256=str(values["weights_sha256"]),
            created=str(values["created"]),
            versions={str(name): str(version) for name, version in values["versions"].items()},
            settings=dict(values["settings"]),
            rows=str(values["rows"]),
            background=str(values["background"]),
            algorithms={str(name): str(text) for name, text in values["algorithms"].items()},
            findings=tuple(Finding.from_mapping(item) for item in values["findings"]),
            not_measured=tuple(NotMeasured.from_mapping(item) for item in values["not_measured"]),
            agreement=tuple(PairAgreement.from_mapping(item) for item in values["agreement"]),
            curves=tuple(Curve.from_mapping(item) for item in values["curves"]),
            faithfulness=tuple(RowFaithfulness.from_mapping(item) for item in values["faithfulness"]),
            reasons=tuple(KeptReasons.from_mapping(item) for item in values["reasons"]),
        )

    def to_json(self) -> str:
        """The certificate as one line of JSON."""
        return json.dumps(self.to_mapping(), ensure_ascii=False, allow_nan=False)


def has_certificate(run: Run) -> bool:
    """Whether the run holds a certificate."""
    return has_json(run, _NAME)


def save_certificate(run: Run, certificate: Certificate) -> Run:
    """Store the certificate with the run, in place of an earlier one.

    Returns:
        The run with the part listed.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _NAME, certificate.to_mapping())


def load_certificate(run: Run) -> Certificate:
    """The stored certificate.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    if not has_certificate(run):
        raise ExplanationError(
            "this run has no certificate yet; certify it with `python -m tabnet_engine certify --run RUN`"
        )
    with reading(run, _NAME, "certify it again"):
        return Certificate.from_mapping(json.loads(run.read(CERTIFICATE)))
