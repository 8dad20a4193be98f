"""What people wrote for a report: the profile it follows, who decides, what the model is for, the reason codes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.report.reason_codes import ReasonCodes
from tabnet_engine.report.regulation import RegulationProfile

__all__ = ["Materials"]


@dataclass(frozen=True, kw_only=True)
class Materials:
    """Everything in a report that is not measured.

    Attributes:
        profile: the regulation profile, its texts in the report's language.
        organisation: who decides.
        facts: what the owner states about the model.
        codes: the dictionary of reason codes.
        consumer_score: what is stated of a score that the model reads and someone else made.
        template: of the letter; empty where the report is none.
    """

    profile: RegulationProfile
    organisation: Organisation
    facts: ModelFacts
    codes: ReasonCodes
    consumer_score: ConsumerScore = field(default_factory=ConsumerScore)
    template: str = ""
