"""The report about two runs on the same rows: their settings, scores, decisions and reasons, and the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tabnet_engine.report.asked import asked_for
from tabnet_engine.report.comparison.approval_words import approval_limits
from tabnet_engine.report.comparison.compared import Compared, ComparedRuns
from tabnet_engine.report.comparison.decision_blocks import decision_blocks, decision_sentences
from tabnet_engine.report.comparison.metric_blocks import metric_blocks, metric_sentences
from tabnet_engine.report.comparison.reason_blocks import reason_blocks, reason_sentences
from tabnet_engine.report.comparison.setting_blocks import setting_blocks
from tabnet_engine.report.document import Block, Bullets, Callout, Document, Facts, Identity, Paragraph, Section, Table
from tabnet_engine.report.integrity_section import integrity_section
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.measured_words import number, task_text
from tabnet_engine.report.regulation import AskedSection
from tabnet_engine.report.stated_checks import STATED, profile_unmet, stated_or_not, stated_unmet
from tabnet_engine.runs.run import CONFIG, SCHEMA, WEIGHTS
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["comparison_document"]

TITLES: Mapping[str, str] = {
    "summary": msg("The two runs"),
    "settings": msg("Settings, rows and columns"),
    "metrics": msg("Scores on the same rows"),
    "decisions": msg("Changed decisions"),
    "reasons": msg("Changed reasons"),
    "limits": msg("Limits of this comparison"),
}

_NO_ROWS = msg(
    "There is no row that both runs score and neither learned from, so neither scores nor decisions were compared. "
    "Give a table that has the columns of both and whose rows are new to both."
)
_NO_REASONS = msg(
    "No row is explained in both runs, so their reasons were not compared. Give a table: both are then explained on "
    "the same rows."
)


def comparison_document(
    first: Run, second: Run, comparison: Mapping[str, Any], identity: Identity, materials: Materials
) -> Document:
    """Write the comparison of two runs, in the language that is being spoken.

    Args:
        first: the champion.
        second: its challenger.
        comparison: what :func:`~tabnet_engine.explain.comparison.comparing.comparison_mapping` gives of the two.
        identity: of the report.
        materials: the profile, and what the owner states.

    Raises:
        ReportError: the profile has no report that compares runs.
        ValueError: ``comparison`` is of other runs, or of another format.
    """
    asked = materials.profile.sections("comparison")
    compared = Compared.of(ComparedRuns(first, second), comparison)
    return Document(
        title=say("Comparison report: {second} against {first}", first=compared.names[0], second=compared.names[1]),
        subtitle=materials.profile.title,
        language=identity.language,
        identity=identity,
        summary=(_who(compared), Bullets(items=_told(compared))),
        sections=tuple(_section(compared, identity, materials, one) for one in asked),
        unmet=_unmet(compared, identity, materials),
    )


def _section(compared: Compared, identity: Identity, materials: Materials, asked: AskedSection) -> Section:
    if asked.key == "integrity":
        return integrity_section(identity, materials.profile, part=asked.part)
    builders: Mapping[str, Callable[[], tuple[Block, ...]]] = {
        "summary": lambda: _summary(compared, materials),
        "settings": lambda: setting_blocks(compared),
        "metrics": lambda: _with_rows(compared, metric_blocks(compared)),
        "decisions": lambda: _with_rows(compared, decision_blocks(compared)),
        "reasons": lambda: reason_blocks(compared) if compared.reasons else _missing(compared, _NO_REASONS),
        "limits": lambda: (Bullets(items=_limits(compared)),),
    }
    blocks = (*asked_for(materials.profile, asked.key), *builders[asked.key]())
    return Section(key=asked.key, title=say(TITLES[asked.key]), part=asked.part, blocks=blocks)


def _with_rows(compared: Compared, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """What was measured, under the sentence that says on which rows; or why nothing was."""
    if not compared.has_rows:
        return _missing(compared, _NO_ROWS)
    return (Paragraph(text=recalled(compared.rows)), *blocks)


def _missing(compared: Compared, text: str) -> tuple[Block, ...]:
    gaps = tuple(map(recalled, compared.gaps))
    callout = Callout(tone="warning", text=say(text))
    return (callout, Bullets(items=gaps)) if gaps else (callout,)


def _who(compared: Compared) -> Facts:
    first, second = compared.names
    return Facts(
        lines=(
            (say("Champion"), first),
            (say("Challenger"), second),
            (say("Compared on"), say("{target} ({task})", target=compared.target, task=task_text(compared.task))),
        )
    )


def _told(compared: Compared) -> tuple[str, ...]:
    """What a reader must know first."""
    if not compared.has_rows:
        return (say(_NO_ROWS),)
    reasons = [sentence for changes in compared.reasons for sentence in reason_sentences(compared, changes)[:1]]
    return (*metric_sentences(compared), *decision_sentences(compared), *(reasons or [say(_NO_REASONS)]))


def _summary(compared: Compared, materials: Materials) -> tuple[Block, ...]:
    runs = compared.runs
    lines = [
        (say("Run"), *(run.run_id for run in runs)),
        (say("SHA-256 of the weights"), *(run.manifest.parts[WEIGHTS] for run in runs)),
        (say("SHA-256 of the settings"), *(run.manifest.parts[CONFIG] for run in runs)),
        (say("SHA-256 of the columns"), *(run.manifest.parts[SCHEMA] for run in runs)),
        (say("Table"), *(run.manifest.dataset.name for run in runs)),
        (say("SHA-256 of the table"), *(run.manifest.dataset.sha256 for run in runs)),
    ]
    table = Table(
        caption=say("Champion and challenger"),
        columns=(say("Fact"), *compared.names),
        rows=tuple(lines),
    )
    keys = ("facts.owner", "facts.purpose")
    stated = Facts(lines=tuple((say(STATED[key]), stated_or_not(materials, key)) for key in keys))
    return (table, stated)


def _limits(compared: Compared) -> tuple[str, ...]:
    """What this comparison does not say."""
    limits = [recalled(gap) for gap in compared.gaps]
    others = [name for name in compared.runs.first.targets.names if name != compared.target]
    if others:
        limits.append(say("Of several targets only “{target}” was compared.", target=compared.target))
    if compared.has_rows:
        limits.append(
            say(
                "The intervals hold for these two trainings on rows like these. Another seed or another split of the "
                "rows would give other trainings, and another difference."
            )
        )
        n_judged = max((metric.difference.n for metric in compared.metrics), default=0)
        if not n_judged:
            limits.append(
                say("No outcome of these rows is known, so which run is right where they differ cannot be said.")
            )
        else:
            limits.append(say("The outcome is known of {n_rows} of these rows.", n_rows=number(n_judged)))
        limits.append(say("The intervals are not widened for looking at several scores: of many, some miss by chance."))
    if compared.approvals is not None:
        limits += approval_limits(compared.approvals)
    elif compared.transitions is not None:
        limits.append(
            say("Decisions are compared at the class of the highest probability; at another cutoff other rows change.")
        )
    if any(changes.method == "masks" for changes in compared.reasons):
        limits.append(say("By the masks, a changed reason is a change of what was read, not of what moved the score."))
    limits.append(say("Nothing is said about later data, or about people who are not in the table."))
    return tuple(dict.fromkeys(limits))


def _unmet(compared: Compared, identity: Identity, materials: Materials) -> tuple[str, ...]:
    required = materials.profile.required("comparison")
    lacking = []
    if "comparison.same_rows" in required and not compared.has_rows:
        lacking.append(say(_NO_ROWS))
    if "comparison.reasons" in required and not compared.reasons:
        lacking.append(say(_NO_REASONS))
    found = compared.approvals
    if "favourable.chosen" in required and found is not None and found.is_assumed:
        lacking.append(
            say(
                "Nobody chose which outcome is favourable; this report takes “{name}” for it. Choose the favourable "
                "outcome, and make the report again.",
                name=found.decisions[1].favourable,
            )
        )
    stated = stated_unmet(materials, "comparison")
    return tuple(dict.fromkeys((*profile_unmet(materials.profile, identity), *lacking, *stated)))
