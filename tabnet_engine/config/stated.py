"""What only people can say, for reports: who decides, what a model is for. Nothing here is measured or guessed."""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.config.settings import Settings

__all__ = ["ModelFacts", "Organisation"]


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
