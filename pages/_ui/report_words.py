"""What the parts of the page of reports are called."""

from __future__ import annotations

from tabnet_engine.texts.speaking import msg

__all__ = ["FACTS", "KINDS", "KIND_HELP", "ORGANISATION", "STATES", "STATE_LOOKS", "TABLE_WORDS"]

KINDS = {
    "decision": msg("Decision report"),
    "notice": msg("Letter"),
    "model": msg("Model report"),
    "comparison": msg("Comparison report"),
}
KIND_HELP = {
    "decision": msg("Why one row was decided as it was: its reasons, what they rest on, and how far to trust them."),
    "notice": msg("The plain letter to the person that a row is about, from a template that you can edit."),
    "model": msg("What this model is: purpose, data, performance with intervals, explanations, limits, approvals."),
    "comparison": msg("Champion against challenger on the same rows: which decisions and which reasons changed."),
}
STATES = {
    "draft": msg("Draft"),
    "reviewed": msg("Reviewed"),
    "signed": msg("Signed"),
    "damaged": msg("Damaged"),
}
STATE_LOOKS = {
    "draft": (":material/edit_note:", "gray"),
    "reviewed": (":material/rate_review:", "blue"),
    "signed": (":material/verified:", "green"),
    "damaged": (":material/broken_image:", "red"),
}
TABLE_WORDS = {
    "created": msg("Created (UTC)"),
    "kind": msg("Kind"),
    "title": msg("Run"),
    "row": msg("Row"),
    "profile": msg("Regulation profile"),
    "language": msg("Language"),
    "state": msg("State"),
    "case": msg("Case"),
}

# What is to be written in the fields that people fill in.
ORGANISATION = {
    "name": msg("As it is to stand in a letter."),
    "address": msg("Each line of the address on a line of its own."),
    "contact": msg("Where a person reaches a human about a decision: telephone, e-mail, opening hours."),
    "agency": msg("Name and address of the authority that supervises the organisation."),
    "data_protection": msg("Where questions about personal data are answered."),
    "signatory": msg("Name and function of who signs letters."),
}
FACTS = {
    "owner": msg("The person or unit that answers for the model."),
    "provider": msg("Who placed it on the market or put it into service, with an address."),
    "purpose": msg("What it decides or supports, for whom."),
    "intended_use": msg("Where, on whom and by whom it is to be used."),
    "prohibited_use": msg("Where it must not be used."),
    "foreseeable_misuse": msg("How it could be misused, and what then happens."),
    "materiality": msg("How much depends on it, and what class of model risk it has."),
    "assumptions": msg("About people, data and market, on which it rests."),
    "data_origin": msg("How the data were collected, from whom, under which right to use them."),
    "design_choices": msg("Why this kind of model, these columns and these settings."),
    "benchmarking": msg("With which other models it was compared, and how it did."),
    "independent_validation": msg("By whom, when, with which result."),
    "limitations": msg("What it cannot do."),
    "controls": msg("What makes up for the limitations."),
    "human_oversight": msg("Who watches its decisions, and how they can be stopped or changed."),
    "ethical_considerations": msg("Who may be harmed, and how."),
    "cybersecurity": msg("How model and data are protected."),
    "resources": msg("What it needs to run, for how long it is meant to be used, and its maintenance."),
    "monitoring": msg("What is watched, how often, and what triggers action."),
    "change_log": msg("What was changed since the last version."),
    "retention": msg("How long logs and reports are kept."),
}
