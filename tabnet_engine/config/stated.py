"""What only people can say, for reports: who decides, what a model is for. Nothing here is measured or guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tabnet_engine.config.settings import Settings, require
from tabnet_engine.errors import ConfigError

__all__ = ["ConsumerScore", "ModelFacts", "Organisation"]


@dataclass(frozen=True, kw_only=True)
class Organisation(Settings):
    """Who decides and answers for it; an empty text is not stated, and a report says so.

    Attributes:
        name: of the organisation, as it is to stand in a letter.
        address: postal address, lines separated by line breaks.
        contact: where a person reaches a human about a decision: telephone, e-mail, opening hours.
        agency: name and address of the authority that supervises the organisation.
        data_protection: contact for questions about personal data.
        signatory: name and function of who signs letters.
    """

    name: str = ""
    address: str = ""
    contact: str = ""
    agency: str = ""
    data_protection: str = ""
    signatory: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelFacts(Settings):
    """What the owner states about one model; an empty text is not stated, and a report says so.

    Attributes:
        owner: the person or unit that answers for the model.
        provider: who placed it on the market or put it into service, with an address.
        purpose: what it decides or supports, for whom.
        intended_use: where, on whom and by whom it is to be used.
        prohibited_use: where it must not be used.
        foreseeable_misuse: how it could be misused, and what then happens.
        materiality: how much depends on it, and what class of model risk it has.
        assumptions: about people, data and market, on which it rests.
        data_origin: how the data were collected, from whom, under which right to use them.
        design_choices: why this kind of model, these columns and these settings.
        benchmarking: with which other models it was compared, and how it did.
        independent_validation: by whom, when, with which result.
        limitations: what it cannot do.
        controls: what makes up for the limitations.
        human_oversight: who watches its decisions, and how they can be stopped or changed.
        ethical_considerations: who may be harmed, and how.
        cybersecurity: how model and data are protected.
        resources: what it needs to run, for how long it is meant to be used, and its maintenance.
        monitoring: what is watched, how often, and what triggers action.
        change_log: what was changed since the last version.
        retention: how long logs and reports are kept.
    """

    owner: str = ""
    provider: str = ""
    purpose: str = ""
    intended_use: str = ""
    prohibited_use: str = ""
    foreseeable_misuse: str = ""
    materiality: str = ""
    assumptions: str = ""
    data_origin: str = ""
    design_choices: str = ""
    benchmarking: str = ""
    independent_validation: str = ""
    limitations: str = ""
    controls: str = ""
    human_oversight: str = ""
    ethical_considerations: str = ""
    cybersecurity: str = ""
    resources: str = ""
    monitoring: str = ""
    change_log: str = ""
    retention: str = ""


@dataclass(frozen=True, kw_only=True)
class ConsumerScore(Settings):
    """Whether a model reads a score about the person that was bought from someone else, and what must be told of it.

    Attributes:
        use: empty while nobody stated it, "none" where the model reads no such score, "column" where it does.
        column: of the table, that holds the score.
        name: what the score is called.
        provider: who provided it: name, address and telephone, lines separated by line breaks.
        lowest: possible score.
        highest: possible score.
        date_column: of the table, that holds the day on which the score was made.
        factor_columns: of the table, that hold its key factors as its provider told them, the most important first.
        inquiry_column: of the table, that says where the number of inquiries is one of them; it is told beside them.

    Raises:
        ConfigError: a score without its column, or a range that is none.
    """

    use: Literal["", "none", "column"] = ""
    column: str = ""
    name: str = ""
    provider: str = ""
    lowest: float | None = None
    highest: float | None = None
    date_column: str = ""
    factor_columns: tuple[str, ...] = ()
    inquiry_column: str = ""

    def __post_init__(self) -> None:
        if self.use == "column" and not self.column:
            raise ConfigError("a score bought from others is stated without its column; name the column that holds it")
        for name, value in (("lowest", self.lowest), ("highest", self.highest)):
            if value is not None:
                require(name, value, -1e300, 1e300)
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ConfigError(f"lowest must be below highest, got {self.lowest:g} and {self.highest:g}")
