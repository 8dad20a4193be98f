"""Part C, the reasons: each with value, reference, contribution, ranks and firmness; and what they are measured by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tabnet_engine.explain.estimates import NORMAL_POINT
from tabnet_engine.explain.reasons.records import Contribution, Reason
from tabnet_engine.explain.wording import amount, listed, percent, signed
from tabnet_engine.report.decision.charts import contribution_chart, largest, level_on_axis, reference_chart
from tabnet_engine.report.decision.numbers import share_beside
from tabnet_engine.report.decision.told import DIRECTIONS, Told, bare, method_name, quoted_columns
from tabnet_engine.report.decision.variation import against_words, flip_words, joint_sentence
from tabnet_engine.report.document import Block, Callout, ChartBlock, Facts, Paragraph, Table
from tabnet_engine.report.measured_words import together
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["kept_table", "reasons_table", "reference"]

_FIRM, _SHAKY = 0.9, 0.6  # of repetitions, as for the reasons of a row elsewhere in the product
_FEWEST_REPETITIONS = 5  # of one kind, that show anything
MAX_LINES = 25  # of the table of all contributions; the evidence holds every one


def reasons_table(told: Told) -> tuple[Block, ...]:
    """The principal reasons in full, then every contribution from the reference population to this row."""
    case = told.case
    blocks: list[Block] = []
    if case.reasons:
        blocks += [_reasons(told), _checks(told), *against_words(told), *kept_table(told), *joint_sentence(told)]
    else:
        why = recalled(case.no_reason) or say("No column can be named as a principal reason for this outcome.")
        blocks.append(Callout(tone="warning", text=why))
    if case.left_out:
        blocks.append(_left_out(told))
    notes = (Paragraph(text=text, is_note=True) for text in (told.sign_note, _sum_words(told)) if text)
    return (*blocks, _waterfall(told), _contributions(told), *notes)


def _reasons(told: Told) -> Table:
    rows = tuple(
        (
            f"{reason.rank}",
            reason.column,
            bare(sentence.code),
            told.actual(reason.contribution),
            _reference(reason.contribution),
            say(DIRECTIONS[reason.contribution.direction]),
            _with_error(reason.contribution),
            percent(reason.share),
        )
        for reason, sentence in zip(told.case.reasons, told.sentences, strict=True)
    )
    return Table(
        caption=say("The principal reasons against the reference population"),
        columns=(
            say("Rank"),
            say("Column"),
            say("Code"),
            say("Value of this row"),
            say("Reference"),
            say("This row's value is"),
            say("Contribution"),
            say("Share of its sign"),
        ),
        rows=rows,
        numeric=(0, 6, 7),
        note=say(
            "Contribution: what the column adds to {score}, against the mean of the reference population, ± the 95 % "
            "margin of the estimate. Share of its sign: its part of all contributions with the same sign.",
            score=told.score_name,
        ),
    )


def _checks(told: Told) -> Table:
    """How far each reason can be trusted: what other methods say, and what the model answers when it is changed."""
    methods = (item.method for item in told.case.methods)
    names = [name for name in methods if any(name in reason.ranks for reason in told.case.reasons)]
    rows = tuple(
        (
            f"{reason.rank}",
            reason.column,
            *(_rank(reason, name) for name in names),
            signed(reason.moved),
            flip_words(told, flips=reason.flips),
        )
        for reason in told.case.reasons
    )
    columns = (say("rank"), say("column"), *(say("rank by {method}", method=method_name(name)) for name in names))
    n_columns = len(told.case.features)
    return Table(
        caption=say("The same reasons by other methods, and set to the reference value"),
        columns=(*columns, say("Change of the score"), say("Outcome then")),
        rows=rows,
        numeric=(0, *range(2, 3 + len(names))),
        note=say_plural(
            "Ranks are among {count} column, by size. Change of the score: this column alone set to its reference "
            "value, one answer of the model.",
            "Ranks are among {count:,} columns, by size. Change of the score: this column alone set to its reference "
            "value, one answer of the model.",
            n_columns,
        ),
    )


def _rank(reason: Reason, method: str) -> str:
    return f"{reason.ranks[method]:,}" if method in reason.ranks else "–"


def kept_table(told: Told) -> Iterator[Block]:
    """How often each reason stayed one, with its sign, when the row was explained again, if it was."""
    reasons = told.case.reasons
    causes = list(dict.fromkeys(kept.cause for reason in reasons for kept in reason.kept))
    if not causes:
        if reasons:
            yield Paragraph(text=say("How firm the reasons are was not measured."), is_note=True)
        yield from _outcome_kept(told)
        return
    rows = tuple((f"{reason.rank}", reason.column, *(_kept(reason, cause) for cause in causes)) for reason in reasons)
    yield Table(
        caption=say("How often each reason stayed a principal reason with its sign"),
        columns=(say("Rank"), say("Column"), *(recalled(cause) for cause in causes)),
        rows=rows,
        numeric=(0, *range(2, 2 + len(causes))),
        note=say(
            "The row was explained again, each time with one thing changed; the share of repetitions is given. Copies "
            "of the row that are decided otherwise, or whose prediction moves much, do not count."
        ),
    )
    yield from _firmness(reasons)
    yield from _outcome_kept(told)


def _firmness(reasons: Sequence[Reason]) -> Iterator[Paragraph]:
    """Which reasons are firm under every cause, and which are not under some; few repetitions show neither."""
    shares = {
        reason.column: [kept.share for kept in reason.kept if kept.n_repetitions >= _FEWEST_REPETITIONS]
        for reason in reasons
    }
    firm = [
        reason.column
        for reason in reasons
        if reason.kept and len(shares[reason.column]) == len(reason.kept) and min(shares[reason.column]) >= _FIRM
    ]
    shaky = [column for column, found in shares.items() if found and min(found) < _SHAKY]
    if firm:
        text = say("Firm, kept in at least 9 of 10 repetitions of each kind: {columns}.", columns=quoted_columns(firm))
        yield Paragraph(text=text)
    if shaky:
        text = say(
            "Not firm, lost or turned in more than 4 of 10 repetitions of some kind: {columns}.",
            columns=quoted_columns(shaky),
        )
        yield Paragraph(text=text)


def _outcome_kept(told: Told) -> Iterator[Block]:
    """How often the outcome itself stays when the numbers of the row are moved a little."""
    kept = told.case.outcome_kept
    if kept is None:
        return
    text = say(
        "The outcome itself stayed in {share} of {n:,} copies of the row: {cause}.",
        share=percent(kept.share),
        n=kept.n_repetitions,
        cause=recalled(kept.cause),
    )
    if kept.share >= _FIRM:
        yield Paragraph(text=text)
        return
    warned = say("So small a change may turn it: look at this decision with care.")
    yield Callout(tone="warning", text=together(text, warned))


def _kept(reason: Reason, cause: str) -> str:
    kept = next((item for item in reason.kept if item.cause == cause), None)
    if kept is None:
        return "–"
    return say("{share} of {n:,}", share=percent(kept.share), n=kept.n_repetitions)


def _left_out(told: Told) -> Paragraph:
    return Paragraph(
        text=say(
            "Left out, because their contribution cannot be told from 0 within the error of its estimate: {columns}.",
            columns=quoted_columns(told.case.left_out),
        )
    )


def _reference(item: Contribution) -> str:
    detail, own = recalled(item.reference_detail), bare(recalled(item.reference))
    return say("{reference} ({detail})", reference=own, detail=detail) if detail else own


def _with_error(item: Contribution) -> str:
    if item.standard_error is None:
        return signed(item.value)
    margin = NORMAL_POINT * item.standard_error
    return say("{value} ± {margin}", value=signed(item.value), margin=amount(margin))


def _waterfall(told: Told) -> ChartBlock:
    case = told.case
    leading = largest(case.contributions)[:3]
    alt = say(
        "From {start}, the mean score of the reference population, to {end}, the score of this row. The largest "
        "contributions: {leading}.",
        start=level_on_axis(told, case.reference.mean_score),
        end=level_on_axis(told, case.score.value),
        leading=quoted_steps(leading),
    )
    return ChartBlock(chart=contribution_chart(told), alt=alt, note=_error_note(told))


def quoted_steps(items: list[Contribution]) -> str:
    """Contributions in a sentence.

    >>> quoted_steps([])
    'none'
    """
    if not items:
        return say("none")
    return listed([say("“{column}” {value}", column=item.column, value=signed(item.value)) for item in items])


def _error_note(told: Told) -> str:
    if any(item.standard_error is not None for item in told.case.contributions):
        return say("Bars with a line show the 95 % interval of the estimate.")
    return ""


def _contributions(told: Told) -> Table:
    order = largest(told.case.contributions)
    rows = tuple(
        (item.column, told.actual(item), _reference(item), say(DIRECTIONS[item.direction]), _with_error(item))
        for item in order[:MAX_LINES]
    )
    rest = order[MAX_LINES:]
    note = ""
    if rest:
        note = say(
            "{n_more:,} more columns, together {total}, stand in the evidence pack.",
            n_more=len(rest),
            total=signed(math.fsum(item.value for item in rest)),
        )
    return Table(
        caption=say("Contributions of the columns, the largest first"),
        columns=(
            say("Column"),
            say("Value of this row"),
            say("Reference"),
            say("This row's value is"),
            say("Contribution"),
        ),
        rows=rows,
        numeric=(4,),
        note=note,
    )


_SUM = msg(
    "{start}, the mean score of the reference population, plus all contributions, {total}, make {score} {end}. They "
    "miss it by {error}."
)
_SUM_TURNED = msg(
    "{start}, the mean score of the reference population, minus all contributions, {total}, makes {score} {end}, since "
    "low is favourable. They miss it by {error}."
)


def _sum_words(told: Told) -> str:
    case = told.case
    total = math.fsum(item.value for item in case.contributions)
    told_so = _SUM_TURNED if told.is_turned else _SUM
    return say(
        told_so,
        start=told.level(case.reference.mean_score),
        total=signed(total),
        score=told.score_name,
        end=told.level(case.score.value),
        error=f"{abs(case.reference.mean_score + total - case.score.value):.1e}",
    )


def reference(told: Told) -> tuple[Block, ...]:
    """The approved rows that the reasons are measured against: which, how many, how near the cutoff."""
    own = told.case.reference
    lines = (
        (say("Rows compared with"), f"{len(own.rows):,}"),
        (say("Approved candidates"), f"{own.n_approved:,}"),
        (say("Candidates"), say("{n:,} ({which})", n=own.n_candidates, which=recalled(own.candidates))),
        *zip((say("Lowest of them"), say("Highest of them")), _ends(told), strict=True),
        (say("Mean score"), told.level(own.mean_score)),
    )
    chart = reference_chart(told)
    blocks: list[Block] = [Paragraph(text=recalled(own.words)), Facts(lines=lines)]
    if not own.is_near:
        blocks.append(
            Callout(
                tone="warning",
                text=say(
                    "The farthest of these rows lies well above the cutoff, so that they are approved rows, but not "
                    "all of them barely passed."
                ),
            )
        )
    if chart is not None:
        levels = listed([say("{label}: {value}", label=bar.label, value=bar.text) for bar in chart.bars])
        blocks.append(ChartBlock(chart=chart, alt=levels))
    blocks.append(Paragraph(text=_row_numbers(told), is_note=True))
    return tuple(blocks)


def _ends(told: Told) -> tuple[str, str]:
    """The lowest and the highest of the reference population, as probabilities or quantities."""
    own = told.case.reference
    if told.case.score.share is not None:
        return share_beside(own.low, told.case.score.cutoff_share), share_beside(own.high, told.case.score.cutoff_share)
    ends = (own.high, own.low) if told.is_turned else (own.low, own.high)
    return told.level(ends[0]), told.level(ends[1])


def _row_numbers(told: Told) -> str:
    rows = told.case.reference.rows
    shown = ", ".join(f"{row}" for row in rows[:MAX_LINES])
    if len(rows) <= MAX_LINES:
        return say("Their numbers in the table: {rows}.", rows=shown)
    return say(
        "Their numbers in the table: {rows} and {n_more:,} more, which stand in the evidence pack.",
        rows=shown,
        n_more=len(rows) - MAX_LINES,
    )
