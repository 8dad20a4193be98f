"""How other data would have changed the outcome: proposals that the model confirmed, and moves to the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from tabnet_engine.explain.counterfactual.constraints import Direction
from tabnet_engine.explain.counterfactual.proposals import check_table, proposal_table
from tabnet_engine.explain.counterfactual.result import CounterfactualResult
from tabnet_engine.explain.wording import signed
from tabnet_engine.report.decision.told import Told, bare, quoted_columns
from tabnet_engine.report.document import Block, Bullets, Callout, Paragraph, Table
from tabnet_engine.report.measured_words import together
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.setting import one_text
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["against_words", "flip_words", "joint_sentence", "limit_words", "moves_table", "proposals"]


def proposals(told: Told) -> Iterator[Block]:
    """The changes that would have given the other outcome, each scored again by the model; or why there are none."""
    result = told.case.counterfactual
    if result is None:
        why = recalled(told.case.why_no_counterfactual) or say("They were not asked for.")
        yield Callout(tone="note", text=say("There are no proposals of a change: {why}", why=why))
        return
    if result.counterfactuals:
        yield Paragraph(text=_head(told))
        yield Bullets(items=tuple(item.sentence for item in result.counterfactuals), is_numbered=True)
        yield _of_frame(proposal_table(result), say("What each proposal changes"), note=_checked(result))
    for reason in result.reasons:
        yield Paragraph(text=reason)
    if not result.counterfactuals and result.is_exhaustive:
        yield Paragraph(text=say("Every open combination was tried: no change within these limits gives it."))
    yield Paragraph(text=_caution(told), is_note=True)


def _head(told: Told) -> str:
    if told.is_favourable:
        return say("The outcome would have been lost with any one of these changes:")
    return say("The outcome would have been favourable with any one of these changes, all else being as it is:")


def _caution(told: Told) -> str:
    if told.is_favourable:
        return say("These are answers of the model to changed data; they are no forecast.")
    return say(
        "These are answers of the model to changed data. They are no advice and no promise: changing one thing in life "
        "changes others, and a later application is decided by the data and the model of its own day."
    )


def _checked(result: CounterfactualResult) -> str:
    checks = check_table(result)
    said = checks.set_index(checks.columns[0]).iloc[0].tolist()
    texts = (
        say("Proposal {number}, scored again by the model: {outcome}.", number=place, outcome=outcome)
        for place, outcome in enumerate(said, start=1)
    )
    return one_text(texts)


def _of_frame(frame: pd.DataFrame, caption: str, *, note: str = "") -> Table:
    rows = tuple(tuple(bare(str(cell)) for cell in line) for line in frame.itertuples(index=False, name=None))
    return Table(caption=caption, columns=tuple(map(str, frame.columns)), rows=rows, note=note)


# What columns of a direction may become; a truth value goes up from the first of its two to the second.
_ONE_WAY: Mapping[Direction, str] = {
    Direction.UP: msg(
        "A proposal changes {columns} upwards only: to a larger number, a later date, or from no to yes."
    ),
    Direction.DOWN: msg(
        "A proposal changes {columns} downwards only: to a smaller number, an earlier date, or from yes to no."
    ),
}


def limit_words(told: Told) -> Iterator[Block]:
    """Under which limits proposals were looked for: how many changes, what stays, what moves one way only."""
    result = told.case.counterfactual
    if result is None:
        return
    limits = result.constraints.columns
    fixed = [item.column for item in limits if item.fixed]
    sentences = [
        say_plural(
            "A proposal changes at most {count} column.",
            "A proposal changes at most {count:,} columns.",
            result.settings.max_changes,
        )
    ]
    if fixed:
        sentences.append(say("No proposal changes {columns}.", columns=quoted_columns(fixed)))
    for direction, words in _ONE_WAY.items():
        columns = [item.column for item in limits if item.direction is direction]
        if columns:
            sentences.append(say(words, columns=quoted_columns(columns)))
    yield Paragraph(text=one_text(sentences), is_note=True)


def moves_table(told: Told) -> Iterator[Block]:
    """What the score becomes when one principal reason is set to its reference value, by one forward each."""
    if not told.case.reasons:
        return
    before = told.case.score.value
    rows = tuple(
        (
            reason.column,
            told.actual(reason.contribution),
            bare(recalled(reason.contribution.reference)),
            signed(reason.moved),
            told.level(before + reason.moved),
            flip_words(told, flips=reason.flips),
        )
        for reason in told.case.reasons
    )
    note = say(
        "Each line is one answer of the model to the changed row. It need not equal the contribution, which shares "
        "out what columns do together over all of them."
    )
    yield Table(
        caption=say("Each principal reason set to its reference value, all else being as it is"),
        columns=(
            say("Column"),
            say("Value of this row"),
            say("Reference value"),
            say("Change of the score"),
            say("Score then"),
            say("Outcome then"),
        ),
        rows=rows,
        numeric=(3, 4),
        note=together(note, told.sign_note) if told.sign_note else note,
    )


def against_words(told: Told) -> Iterator[Block]:
    """Which reasons, changed alone, move the score the other way: what they do rests on other columns."""
    turned = [reason.column for reason in told.case.reasons if reason.moved * reason.contribution.value > 0]
    if turned:
        yield Callout(
            tone="note",
            text=say_plural(
                "Set to its reference value alone, {columns} moves the score the other way than its contribution says: "
                "what it does here depends on other columns.",
                "Each set to its reference value alone, {columns} move the score the other way than their "
                "contributions say: what they do here depends on other columns.",
                len(turned),
                columns=quoted_columns(turned),
            ),
        )


def joint_sentence(told: Told) -> Iterator[Block]:
    """What the score becomes when all principal reasons are set to their reference values at once."""
    joint = told.case.joint
    if joint is None:
        return
    yield Paragraph(
        text=say(
            "With {columns} all set to their reference values at once, the score goes from {before} to {after}: "
            "{outcome}.",
            columns=quoted_columns(joint.columns),
            before=told.level(joint.before),
            after=told.level(joint.after),
            outcome=flip_words(told, flips=joint.flips),
        )
    )


_FLIPS = {
    (True, True): msg("the outcome would not be favourable"),
    (True, False): msg("the outcome stays favourable"),
    (False, True): msg("the outcome would be favourable"),
    (False, False): msg("the outcome stays not favourable"),
}


def flip_words(told: Told, *, flips: bool) -> str:
    """What a change makes of the outcome."""
    return say(_FLIPS[told.is_favourable, flips])
