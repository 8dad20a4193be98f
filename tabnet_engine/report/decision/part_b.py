"""Part B: what a person may ask to be told. Procedure, data, variation, roles, fairness, safety, a human to turn to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.reasons.records import Contribution
from tabnet_engine.explain.wording import percent
from tabnet_engine.report.decision.part_c_evidence import agreement_words, calibration_table
from tabnet_engine.report.decision.part_c_reasons import kept_table
from tabnet_engine.report.decision.told import CELL_STATES, Told, bare, quoted_columns
from tabnet_engine.report.decision.unmet import link_sentence
from tabnet_engine.report.decision.variation import (
    against_words,
    joint_sentence,
    limit_words,
    moves_table,
    proposals,
)
from tabnet_engine.report.document import Block, Bullets, Callout, Paragraph, Table
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["data_used", "fairness", "human_review", "outcome_role", "procedure", "safety", "variation"]


def procedure(told: Told) -> tuple[Block, ...]:
    """How this decision came about, step by step, in plain words."""
    return (
        Paragraph(text=say("This is how this decision came about:")),
        Bullets(items=tuple(_procedure(told)), is_numbered=True),
        Paragraph(
            text=say("The same rule and the same model hold for every row; what differs from row to row is the data."),
            is_note=True,
        ),
    )


def _procedure(told: Told) -> Iterator[str]:
    case = told.case
    n_read = sum(cell.is_read for cell in case.cells)
    yield say_plural(
        "The model was given {count} item of information about this case; this report lists them.",
        "The model was given {count:,} items of information about this case; this report lists them.",
        n_read,
    )
    yield say_plural(
        "It read them in {count} step. A step picks the items that it reads and adds something to the score.",
        "It read them in {count} steps, one after the other. Each step picks the items that it reads and adds "
        "something to the score.",
        len(case.timeline.steps),
    )
    yield say(
        "A fixed start and what the steps add sum to the score: {score} is {value}.",
        score=told.score_name,
        value=told.level_with_share(case.score.value, case.score.share),
    )
    yield say("The score is compared with a fixed rule: a row is approved where {rule}.", rule=told.rule)
    yield told.outcome
    yield say_plural(
        "To find the reasons, the case was compared with {count} approved case that passed by the least: what each "
        "item adds to or takes from the score, compared with that case, was computed for all items together.",
        "To find the reasons, the case was compared with {count:,} approved cases that passed by the least: what "
        "each item adds to or takes from the score, compared with them, was computed for all items together.",
        len(case.reference.rows),
    )


def data_used(told: Told) -> tuple[Block, ...]:
    """Every item of the person's data, with its value, and whether the model used it."""
    case = told.case
    added = {item.column: item for item in case.contributions}
    read = [cell for cell in case.cells if cell.is_read]
    rows = tuple(
        (cell.column, bare(cell.shown), say(CELL_STATES[cell.state]), _part(added, cell.column)) for cell in read
    )
    table = Table(
        caption=say("The data about this case that the model used"),
        columns=(say("Item"), say("Value"), say("State"), say("Part in this decision")),
        rows=rows,
        note=say(
            "Whether an item speaks for or against approval is measured against approved cases; the principal "
            "reasons name the largest ones."
        ),
    )
    unused = [cell.column for cell in case.cells if not cell.is_read]
    blocks: list[Block] = [*told.stated("facts.data_origin"), table]
    if unused:
        blocks.append(
            Paragraph(text=say("In the table, but not used by the model: {columns}.", columns=quoted_columns(unused)))
        )
    return (*blocks, *_gaps(told))


def _part(added: Mapping[str, Contribution], column: str) -> str:
    item = added.get(column)
    if item is None or item.value == 0:
        return say("moved nothing")
    if item.standard_error is not None and abs(item.value) <= NORMAL_POINT * item.standard_error:
        return say("cannot be told from nothing")
    return say("speaks for it") if item.value > 0 else say("speaks against it")


def _gaps(told: Told) -> Iterator[Block]:
    if told.case.missing:
        yield Callout(
            tone="note",
            text=say(
                "No value was given for {columns}. The model treats a missing value as a state of its own and puts no "
                "other in its place.",
                columns=quoted_columns(told.case.missing),
            ),
        )
    if told.case.unseen:
        yield Callout(
            tone="warning",
            text=say(
                "The value of {columns} did not occur in the training data; the model has learned nothing about it.",
                columns=quoted_columns(told.case.unseen),
            ),
        )


def variation(told: Told) -> tuple[Block, ...]:
    """How other data would have changed the outcome: changes that were tried on the model itself."""
    return (*proposals(told), *limit_words(told), *moves_table(told), *against_words(told), *joint_sentence(told))


def outcome_role(told: Told) -> tuple[Block, ...]:
    """Who answers for the decision, and what part the model has in it."""
    keys = ("organisation.name", "facts.owner", "facts.provider", "facts.purpose", "facts.human_oversight")
    return (
        *told.stated(*keys),
        Paragraph(
            text=say(
                "The part of the model “{run}” is to compute a score from the data listed in this report and to give "
                "an outcome by the rule: a row is approved where {rule}.",
                run=told.identity.run_title,
                rule=told.rule,
            )
        ),
        Paragraph(text=told.outcome),
        Paragraph(
            text=say(
                "What a person did with this outcome is not known to the model. The record of review at the end of "
                "this report says who has looked at it."
            ),
            is_note=True,
        ),
    )


def fairness(told: Told) -> tuple[Block, ...]:
    """Which columns must not be reasons, what stands in for them, and what that leaves open."""
    protection = told.case.protection
    blocks: list[Block] = []
    if not protection.declared:
        blocks.append(
            Callout(
                tone="warning",
                text=say("No protected column was declared, so nothing was checked here."),
            )
        )
    else:
        blocks.append(
            Paragraph(
                text=say(
                    "Protected, so that neither they nor their proxies may be a principal reason: {columns}.",
                    columns=quoted_columns(protection.declared),
                )
            )
        )
        blocks += _links(told)
    blocks += [
        Callout(
            tone="warning", text=say("Proxies of “{column}” were not looked for: {why}", column=name, why=recalled(why))
        )
        for name, why in protection.not_examined.items()
    ]
    blocks.append(
        Paragraph(
            text=say(
                "That no principal reason is protected does not show that the model treats groups alike: a model may "
                "put many columns together. How its decisions differ between groups stands in the model report."
            ),
            is_note=True,
        )
    )
    return (*told.stated("facts.ethical_considerations"), *blocks)


def _links(told: Told) -> Iterator[Block]:
    protection = told.case.protection
    if protection.offending:
        for link in protection.offending:
            yield Callout(
                tone="block", text=say("A principal reason must not be used: {because}", because=link_sentence(link))
            )
    else:
        yield Paragraph(text=say("No principal reason is a protected column or counts as a proxy of one."))
    if protection.links:
        yield Paragraph(text=say("All columns that count as protected or as a proxy:"))
        yield Bullets(items=tuple(link_sentence(link) for link in protection.links))
    yield Paragraph(
        text=say(
            "A column counts as a proxy where it alone tells at least {share} of the variance of a protected column, "
            "and its whole interval lies above 0.",
            share=percent(protection.proxy_strength),
        ),
        is_note=True,
    )


def safety(told: Told) -> tuple[Block, ...]:
    """How accurate and how firm: calibration, how often the reasons stay, whether the methods agree."""
    blocks: list[Block] = [*calibration_table(told), *kept_table(told)]
    agreement = agreement_words(told)
    if agreement:
        blocks.append(Paragraph(text=agreement))
    return (*blocks, *told.stated("facts.cybersecurity"), *_gaps(told))


def human_review(told: Told) -> tuple[Block, ...]:
    """Where a person turns to reach a human, to be heard, and to contest the decision."""
    contacts = ("organisation.name", "organisation.contact", "organisation.data_protection", "facts.human_oversight")
    return (
        *told.stated(*contacts),
        Paragraph(text=say("A person who asks for a review should be able to:")),
        Bullets(
            items=(
                say("see the data in this report and have wrong ones put right;"),
                say("say what the data do not show;"),
                say("have a human look at the case who may decide otherwise;"),
                say("be told the result of that review and its reasons."),
            )
        ),
        Paragraph(
            text=say("If data are put right, the case is to be decided anew; this report then no longer holds."),
            is_note=True,
        ),
    )
