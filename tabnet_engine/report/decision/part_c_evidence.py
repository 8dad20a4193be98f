"""Part C, what the case rests on: counterfactuals, calibration, the settings of every method, the record of review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tabnet_engine.explain.wording import amount, class_name
from tabnet_engine.report.dates import moment_words
from tabnet_engine.report.decision.setting_words import setting_lines
from tabnet_engine.report.decision.told import Told
from tabnet_engine.report.decision.variation import proposals
from tabnet_engine.report.document import Block, Bullets, Callout, Facts, Paragraph, SignatureLines, Table
from tabnet_engine.report.measured_words import estimate_text, metric_text
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["agreement_words", "calibration", "calibration_table", "counterfactual", "review", "settings"]

_STRONG, _MODERATE = 0.8, 0.5  # rank correlations, as everywhere else in the product
_AGREEMENT = {
    "strong": msg("The methods largely agree on this row (median rank correlation {correlation} over all pairs)."),
    "moderate": msg("The methods agree in part on this row (median rank correlation {correlation} over all pairs)."),
    "weak": msg("The methods agree little on this row (median rank correlation {correlation} over all pairs)."),
    "none": msg("The methods do not agree on this row (median rank correlation {correlation} over all pairs)."),
}
# What a measure of calibration says, by the start of its name.
_MEANING: Mapping[str, str] = {
    "calibration_in_the_large": msg(
        "outcome minus prediction, on average; 0 is right, above 0 the model predicts too low"
    ),
    "calibration_slope": msg("1 is right; below 1 the predictions are too extreme"),
    "calibration_error_by_chance": msg("what perfectly calibrated predictions would show on as many rows"),
    "calibration_error": msg("how far predicted and observed lie apart, over bins of equally many rows"),
}


def agreement_words(told: Told) -> str:
    """How far the methods agree on the row, in a sentence; empty where they were not compared."""
    median = told.case.agreement
    if median is None:
        return say("The methods cannot be compared on this row.") if told.case.methods else ""
    key = "strong" if median >= _STRONG else "moderate" if median >= _MODERATE else "weak" if median > 0 else "none"
    return say(_AGREEMENT[key], correlation=f"{median:.2f}".replace("-", "−"))


def counterfactual(told: Told) -> tuple[Block, ...]:
    """Proposals in full: what changes, what the model said of each, how usual it is, and how they were sought."""
    from tabnet_engine.explain.counterfactual.proposals import check_table

    result = told.case.counterfactual
    blocks: list[Block] = list(proposals(told))
    if result is None:
        return tuple(blocks)
    if result.counterfactuals:
        frame = check_table(result)
        lines = tuple(tuple(map(str, line)) for line in frame.itertuples(index=False, name=None))
        blocks.append(
            Table(caption=say("How each proposal was checked"), columns=tuple(map(str, frame.columns)), rows=lines)
        )
        likeness = tuple(item.likeness.sentence for item in result.counterfactuals)
        blocks.append(Bullets(items=likeness, is_numbered=True))
    blocks.append(Paragraph(text=say("Asked for: {wanted}.", wanted=result.wanted.words)))
    blocks.append(Paragraph(text=result.note, is_note=True))
    return tuple(blocks)


def calibration(told: Told) -> tuple[Block, ...]:
    """Whether predictions are as high as outcomes are, on rows that no weight was fitted to."""
    text = say(
        "Calibration tells of many rows together: of the cases with a predicted probability of 30 %, about 30 of 100 "
        "should turn out so. It says nothing certain about a single one."
    )
    if told.is_quantity:
        text = say("Calibration tells of many rows together. It says nothing certain about a single one.")
    return (*calibration_table(told), Paragraph(text=text, is_note=True))


def calibration_table(told: Told) -> Iterator[Block]:
    """The measures with their intervals, or that there are none."""
    known = {name: item for name, item in told.case.calibration.items() if item.value is not None}
    which = recalled(told.case.evaluation)
    if not known:
        yield Callout(tone="warning", text=say("The calibration of the model is not known."))
        if which:
            yield Paragraph(text=which, is_note=True)
        return
    rows = tuple(
        (metric_text(name), estimate_text(item, _three), f"{item.n:,}", _meaning(name)) for name, item in known.items()
    )
    yield Table(
        caption=say("Calibration, with 95 % intervals"),
        columns=(say("Measure"), say("Value (interval)"), say("Rows"), say("How to read it")),
        rows=rows,
        numeric=(1, 2),
        note=say("Measured on: {which}.", which=which) if which else "",
    )
    if not told.is_quantity and told.case.score.cutoff is not None:
        text = say("These measures are of the probability of {output}.", output=class_name(told.case.output))
        yield Paragraph(text=text, is_note=True)


def _three(value: float) -> str:
    """A measure with three decimals, or with the digits that its size asks for; never rounded to nothing."""
    sign = "−" if value < 0 else ""
    size = abs(value)
    return f"{sign}{size:.3f}" if size == 0 or 0.001 <= size < 1000 else f"{sign}{amount(value)}"


def _meaning(name: str) -> str:
    key = name.partition(": ")[0]
    return say(_MEANING[key]) if key in _MEANING else ""


def settings(told: Told) -> tuple[Block, ...]:
    """How everything was computed, and with which error."""
    case = told.case
    errors = [item.standard_error for item in case.contributions if item.standard_error is not None]
    worst = (
        say("the largest standard error of a contribution is {error}", error=amount(max(errors)))
        if errors
        else say("the contributions have no sampling error")
    )
    lines = tuple(setting_lines(case.settings))
    return (
        Paragraph(text=say("What is given here, with the data, the model and the seed, gives the same numbers again.")),
        *((Facts(lines=lines),) if lines else ()),
        Paragraph(text=say("Error of the reasons: {worst}.", worst=worst)),
        *told.notes(case.notes),
    )


def review(told: Told) -> tuple[Block, ...]:
    """What a reviewer answers for, and where they sign; the steps of the review follow when there are any."""
    return (
        Paragraph(
            text=say(
                "A report is a draft until a person has reviewed it with a comment, and final when it is signed with "
                "name and time. It was made on {made}; its later steps stand at its end.",
                made=moment_words(told.identity.created),
            )
        ),
        Paragraph(text=say("Whoever reviews this report answers for having checked that:")),
        Bullets(
            items=(
                say("the inputs are those of the case, as they were received;"),
                say("the sentences of the reasons are true of this case and can be understood;"),
                say("no reason is protected, or stands in for something protected;"),
                say("warnings and missing parts named in this report were dealt with."),
            )
        ),
        *told.stated("facts.retention"),
        SignatureLines(roles=(say("Reviewer"), say("Approver"))),
    )
