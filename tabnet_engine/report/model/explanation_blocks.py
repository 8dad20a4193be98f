"""What leads the model by every method side by side, how far methods agree, and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from tabnet_engine.explain.agreement import RankAgreement, rank_agreement
from tabnet_engine.explain.effects.curve import EffectCurve
from tabnet_engine.explain.importance_comparison import ImportanceComparison
from tabnet_engine.explain.mask_stream import MaskSummary
from tabnet_engine.explain.trust.certificate import Certificate
from tabnet_engine.explain.trust.finding import Family, Finding
from tabnet_engine.explain.wording import clauses, listed
from tabnet_engine.figures.plain import Bar, BarChart, HeatChart
from tabnet_engine.report.document import Block, Bullets, ChartBlock, Paragraph, Table
from tabnet_engine.report.measured_words import cell, estimate_text, number, share, signed_text, together
from tabnet_engine.report.model.draft import Blocks, Draft
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["UNDERSTANDING", "certificate_blocks", "effect_blocks", "importance_blocks", "mask_blocks"]

MOST_COLUMNS = 25
UNDERSTANDING = (Family.AGREEMENT, Family.FAITHFULNESS, Family.RANDOMISATION)  # all but stability
_CHARTED = 6
_MOST_EFFECTS = 30

_NO_IMPORTANCE = msg(
    "Which columns matter was not computed. Explain the run on the page “Importance”, or with "
    "`python -m tabnet_engine explain --run RUN --table FILE`."
)
_ONE_METHOD = msg(
    "One method only was computed, so nothing is known of agreement. Compute others on the page “Importance”."
)
_NO_CERTIFICATE = msg(
    "How far explanations can be trusted was not measured. Certify the run on the page “Masks and SHAP”, or with "
    "`python -m tabnet_engine certify --run RUN --table FILE`."
)
_FOREIGN = msg(
    "The certificate that is stored belongs to other weights and says nothing about these; certify the run again."
)
_NO_EFFECTS = msg("How the score moves with single columns was not computed; explain the run on the page “Importance”.")
_MASKS_ARE = msg("Masks say what was read; they are not reasons, and not signed.")


def importance_blocks(draft: Draft) -> Blocks:
    """Ranks and shares of each column by every method, with a chart, and the agreement of each pair of methods."""
    found = draft.evidence.importances
    if found is None:
        said = say(_NO_IMPORTANCE)
        draft.missing("measured.agreement", said)
        return (draft.missing("measured.importances", said),)
    blocks: list[Block] = [_ranks(found), _chart(found)]
    notes = [_named(importance.name, recalled(importance.note)) for importance in found.methods]
    blocks.append(Bullets(items=tuple(notes)))
    if found.left_out:
        left = listed(list(found.left_out))
        blocks.append(Paragraph(text=say("Measured over other columns and left out here: {methods}.", methods=left)))
    if len(found.methods) < 2:
        said = say(_ONE_METHOD)
        draft.missing("measured.agreement", said)
        blocks.append(draft.missing("measured.importances", said))
    else:
        blocks.append(_agreements(found))
    return tuple(blocks)


def mask_blocks(draft: Draft) -> Blocks:
    """What each step reads on average, what is odd about it, and the ways of reading where they were found."""
    evidence = draft.evidence
    if evidence.masks is None:
        return (Paragraph(text=say("What the steps read was not computed; explain the run on the page “Masks”.")),)
    blocks: list[Block] = [Paragraph(text=say(_MASKS_ARE)), _mask_map(evidence.masks)]
    if evidence.mask_problems:
        blocks.append(Bullets(items=evidence.mask_problems))
    else:
        blocks.append(Paragraph(text=say("No step's mask and no column's reading deserves a second look.")))
    if evidence.archetypes is not None:
        said = [archetype.sentences[0] for archetype in evidence.archetypes.archetypes]
        blocks.append(Paragraph(text=evidence.archetypes.note))
        blocks.append(Bullets(items=tuple(said)))
    return tuple(blocks)


def certificate_blocks(draft: Draft, families: Sequence[Family]) -> Blocks:
    """The figures of the certificate of some kinds, each with what useless explanations score."""
    found = draft.evidence.certificate
    if found is None:
        said = say(_FOREIGN) if draft.evidence.has_foreign_certificate else say(_NO_CERTIFICATE)
        return (draft.missing("measured.certificate", said),)
    blocks: list[Block] = []
    for family in families:
        findings = found.of_family(family)
        if findings:
            blocks.append(_findings(family, findings))
    gaps = [_gap(gap.name, gap.reason) for gap in found.not_measured if gap.family in families]
    if gaps:
        blocks.append(Bullets(items=tuple(gaps)))
    if not draft.is_first("certificate as a whole"):
        return tuple(blocks)
    return (Paragraph(text=found.note), *blocks, Paragraph(text=_settings(found), is_note=True))


def effect_blocks(draft: Draft) -> Blocks:
    """How the score moves with the leading columns: from where to where, by accumulated local effects."""
    effects = draft.evidence.effects
    if effects is None:
        return (Paragraph(text=say(_NO_EFFECTS)),)
    curves = [effects.curve(feature, "ale") or effects.curve(feature, "pdp") for feature in effects.columns]
    rows = [_effect(curve, output) for curve in curves if curve for output in range(len(curve.outputs))]
    return (
        Table(
            caption=say("How far the score moves with each leading column"),
            columns=(say("Column"), say("Output"), say("Lowest"), say("at"), say("Highest"), say("at"), say("Rows")),
            rows=tuple(rows[:_MOST_EFFECTS]),
            numeric=(2, 4, 6),
            note=_effect_note(len(rows)),
        ),
    )


def _effect_note(n_rows: int) -> str:
    note = say(
        "Mean effects on the score as deviations from its mean, with 95 % intervals; not what happens when one person "
        "changes."
    )
    if n_rows <= _MOST_EFFECTS:
        return note
    return together(note, say("{n_more:,} more lines are in the evidence.", n_more=n_rows - _MOST_EFFECTS))


def _ranks(found: ImportanceComparison) -> Table:
    order = found.order("mean").tolist()
    shown = order[:MOST_COLUMNS]
    note = say("Rank, and share of the sum of the method. Sorted by the mean rank; equals share the better rank.")
    if len(order) > len(shown):
        rest = say_plural(
            "{count} more column is in the evidence.",
            "{count:,} more columns are in the evidence.",
            len(order) - len(shown),
        )
        note = together(note, rest)
    return Table(
        caption=say("Importance of the columns by every method"),
        columns=(say("Column"), *(importance.name for importance in found.methods), say("Places apart")),
        rows=tuple(
            (
                found.features[place],
                *(
                    say("{rank:,} ({share})", rank=int(ranks[place]), share=share(float(shares[place])))
                    for ranks, shares in zip(found.ranks, found.shares, strict=True)
                ),
                number(float(found.rank_spread[place])),
            )
            for place in shown
        ),
        numeric=tuple(range(1, len(found.methods) + 2)),
        note=note,
    )


def _chart(found: ImportanceComparison) -> ChartBlock:
    order = found.order("mean").tolist()[:_CHARTED]
    bars = tuple(
        Bar(
            label=found.features[place],
            value=float(found.shares[method, place]),
            low=_finite(found.low[method, place]),
            high=_finite(found.high[method, place]),
            text=share(float(found.shares[method, place])),
            series=importance.name,
        )
        for place in order
        for method, importance in enumerate(found.methods)
    )
    leading = cell((found.features[place] for place in order), 5)
    return ChartBlock(
        chart=BarChart(
            title=say("Shares of importance by method"),
            unit=say("share of the sum of each method, with 95 % intervals"),
            bars=bars,
        ),
        alt=say("The leading columns by their mean rank over all methods: {columns}.", columns=leading),
        note=say(
            "The {n_shown} columns with the best mean rank of {n_all:,}.", n_shown=len(order), n_all=len(found.features)
        ),
    )


def _finite(value: float) -> float | None:
    return float(value) if value == value else None  # noqa: PLR0124 - NaN where there is no interval


def _agreements(found: ImportanceComparison) -> Table:
    pairs = [(first, second, rank_agreement(first, second)) for first, second in combinations(found.methods, 2)]
    return Table(
        caption=say("Agreement of the methods over the columns"),
        columns=(say("Method"), say("and"), say("Rank correlation (Spearman)"), say("Leading columns shared")),
        rows=tuple((first.name, second.name, _correlation(one), _shared(one)) for first, second, one in pairs),
        numeric=(2, 3),
        note=say(
            "1 is the same order of the columns, 0 no relation, −1 the reverse. Masks say what was read, the other "
            "methods what moved the score or the loss: they need not agree, and agreement is no proof that either is "
            "right."
        ),
    )


def _correlation(one: RankAgreement) -> str:
    return "–" if one.spearman is None else f"{one.spearman:.2f}".replace("-", "−")


def _shared(one: RankAgreement) -> str:
    return say("{n_shared} of {top_k}", n_shared=one.n_shared, top_k=one.top_k)


def _mask_map(masks: MaskSummary) -> ChartBlock:
    order = masks.order.tolist()[:MOST_COLUMNS]
    columns = tuple(masks.features[place] for place in order)
    steps = range(masks.n_steps)
    weights = [
        say("step {step}: {share}", step=step + 1, share=share(float(masks.mean_step_shares[step]))) for step in steps
    ]
    return ChartBlock(
        chart=HeatChart(
            title=say("What each step reads, on average"),
            unit=say("share of the step's mask"),
            rows=columns,
            columns=tuple(say("Step {step}", step=step + 1) for step in steps),
            values=tuple(tuple(float(masks.mean_masks[step, place]) for step in steps) for place in order),
            texts=tuple(tuple(share(float(masks.mean_masks[step, place])) for step in steps) for place in order),
        ),
        alt=say("Read most over all steps: {columns}.", columns=cell(columns, 5)),
        note=say(
            "Means over {n_rows:,} rows. How much of the decision each step makes: {shares}.",
            n_rows=masks.n_rows,
            shares=listed(weights),
        ),
    )


_FAMILIES = {
    Family.AGREEMENT: msg("Agreement of the methods, row by row"),
    Family.FAITHFULNESS: msg("Faithfulness: whether the columns named move the score"),
    Family.RANDOMISATION: msg("Randomisation: whether explanations follow what was learned"),
    Family.STABILITY: msg("Stability under small changes"),
}


def _findings(family: Family, findings: Sequence[Finding]) -> Table:
    return Table(
        caption=say(_FAMILIES[family]),
        columns=(
            say("About"),
            say("Measure"),
            say("Value"),
            say("Useless explanations"),
            say("What it says"),
            say("Rows"),
        ),
        rows=tuple(
            (
                recalled(finding.subject),
                recalled(finding.name),
                estimate_text(finding.estimate),
                clauses([_named(recalled(item.name), estimate_text(item.estimate)) for item in finding.controls]),
                finding.reading,
                number(finding.n_rows),
            )
            for finding in findings
        ),
        numeric=(2, 5),
        note=say("Values with 95 % intervals. A figure says little by itself: it is read beside useless explanations."),
    )


def _named(name: str, value: str) -> str:
    return say("{name}: {value}", name=name, value=value)


def _gap(name: str, reason: str) -> str:
    return say("Not measured: {gap}, since {reason}.", gap=recalled(name), reason=recalled(reason))


def _settings(found: Certificate) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in sorted(found.settings.items()))
    return say("Settings of the certificate: {settings}", settings=settings)


def _effect(curve: EffectCurve, output: int) -> tuple[str, ...]:
    values = curve.effect.values[:, output]
    labels = curve.points.shown_labels
    ends = (int(values.argmin()), int(values.argmax()))
    cells = []
    for place in ends:
        found = curve.effect.estimate((place, output), n=curve.n_rows, how="")
        cells += [estimate_text(found, signed_text), labels[place]]
    return (curve.feature, curve.outputs[output], *cells, number(curve.n_rows))
