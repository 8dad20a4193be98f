"""Where the rows come from, what the columns are and how they are read, as blocks of a model report."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from tabnet_engine.data.profile import Severity
from tabnet_engine.data.schema import Column, Kind
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.report.document import Block, Bullets, Facts, Paragraph, Table
from tabnet_engine.report.measured_words import cell, estimate_text, kind_text, number, share, split_name, together
from tabnet_engine.report.model.draft import Blocks, Draft
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say, say_plural

__all__ = ["class_table", "column_blocks", "dataset_blocks", "split_blocks", "warning_blocks"]

_DEALT = msg(
    "Rows were dealt out at random (seed {seed}): {train} for the training, {validation} for validation, {test} for "
    "the test."
)
_DEALT_BY_CLASS = msg(
    "Rows were dealt out at random (seed {seed}), each part with about the same share of each class: {train} for the "
    "training, {validation} for validation, {test} for the test."
)
MOST_COLUMNS = 25
MOST_CLASSES = 25
_DAY_SECONDS = 86_400


def dataset_blocks(draft: Draft) -> Blocks:
    """The table as received, with its hash and how its file was read."""
    run = draft.evidence.run
    dataset = run.manifest.dataset
    lines = [
        (say("Table"), dataset.name),
        (say("SHA-256 of the file as received"), dataset.sha256 or "–"),
        (say("Rows"), number(dataset.n_rows) if dataset.n_rows else say("not known")),
        (say("Columns"), number(dataset.n_columns)),
    ]
    lines += [(say("Read with “{option}”", option=name), str(value)) for name, value in _options(run.read_options)]
    return (Facts(lines=tuple(lines)),)


def _options(options: dict[str, object]) -> list[tuple[str, object]]:
    return sorted((name, value) for name, value in options.items() if value not in (None, "", [], {}))


def split_blocks(draft: Draft) -> Blocks:
    """How many rows each part has, and how the parts were made."""
    run = draft.evidence.run
    if draft.evidence.is_imported:
        return (Paragraph(text=say("The model was imported: the rows that it was trained on are not known here.")),)
    config = run.training_config
    lines = [(split_name(name), number(count)) for name, count in run.manifest.rows.items()]
    total = max(1, sum(run.manifest.rows.values()))
    shares = {name: share(count / total) for name, count in run.manifest.rows.items()}
    has_classes = any(codec.classes for codec in run.targets.codecs)
    told = say(
        _DEALT_BY_CLASS if has_classes else _DEALT,
        seed=config.seed,
        train=shares.get("train", "–"),
        validation=shares.get("validation", "–"),
        test=shares.get("test", "–"),
    )
    meant = say(
        "Weights, bins and categories come from the training rows alone; the validation rows chose the epoch; the test "
        "rows chose nothing."
    )
    left_out = run.manifest.dataset.n_rows - sum(run.manifest.rows.values())
    blocks: list[Block] = [Facts(lines=tuple(lines)), Paragraph(text=together(told, meant))]
    if left_out > 0:
        blocks.append(
            Paragraph(
                text=say_plural(
                    "{count} row of the table is in none of these parts.",
                    "{count:,} rows of the table are in none of these parts.",
                    left_out,
                )
            )
        )
    return tuple(blocks)


def class_table(draft: Draft) -> tuple[Table, ...]:
    """The shares of the classes among the judged rows."""
    judged = draft.evidence.judged
    if judged is None:
        return ()
    return tuple(
        Table(
            caption=say("Outcomes of “{target}” in {rows}", target=target.codec.name, rows=judged.words),
            columns=(say("Outcome"), say("Share, with its 95 % interval"), say("Rows")),
            rows=tuple(
                (name, estimate_text(found, share), number(round((found.value or 0.0) * found.n)))
                for name, found in list(target.shares.items())[:MOST_CLASSES]
            ),
            numeric=(1, 2),
            note=_further_classes(len(target.shares)),
        )
        for target in judged.targets
        if target.shares
    )


def _further_classes(n_classes: int) -> str:
    if n_classes <= MOST_CLASSES:
        return ""
    return say("{n_more:,} more outcomes are not shown.", n_more=n_classes - MOST_CLASSES)


def warning_blocks(draft: Draft) -> Blocks:
    """What the profile of the table warns of; what could not be looked at without the table."""
    table = draft.evidence.table
    if table is None:
        text = say("The table was not given for this report, so its quality was not looked at again.")
        return (Paragraph(text=text),)
    said = [recalled(item.text) for item in table.profile.warnings if item.severity is not Severity.INFO]
    informed = [recalled(item.text) for item in table.profile.warnings if item.severity is Severity.INFO]
    blocks: list[Block] = []
    if said:
        blocks += [Paragraph(text=say("Warnings about the table"), is_strong=True), Bullets(items=tuple(said))]
    else:
        blocks.append(
            Paragraph(text=say("The profile of the table gives no warning; what else it notes is listed here."))
            if informed
            else Paragraph(text=say("The profile of the table gives no warning."))
        )
    blocks += [Bullets(items=tuple(informed))] if informed else []
    blocks += [Paragraph(text=recalled(note), is_note=True) for note in table.profile.notes]
    return tuple(blocks)


def column_blocks(draft: Draft) -> Blocks:
    """Every column that is read: its kind, what it may hold, and its missing and unseen cells."""
    evidence = draft.evidence
    features = evidence.run.schema.features
    shown = features[:MOST_COLUMNS]
    note = say("Categories are those of the training rows, ranges those of the whole table.")
    if len(features) > len(shown):
        rest = say_plural(
            "{count} more column is in the evidence.",
            "{count:,} more columns are in the evidence.",
            len(features) - len(shown),
        )
        note = together(note, rest)
    if evidence.table is None:
        note = together(note, say("Missing and unseen cells are not known without the table."))
    else:
        note = together(note, say("Missing and unseen cells are those of the rows that the model is judged on."))
    table = Table(
        caption=say("The {n_columns:,} columns that the model reads", n_columns=len(features)),
        columns=(say("Column"), say("Kind"), say("Holds"), say("Missing"), say("Unseen")),
        rows=tuple(_column(draft, column) for column in shown),
        numeric=(3, 4),
        note=note,
    )
    treatment = say(
        "A missing cell and a category that the training never saw are states of their own: neither is filled in with "
        "another value."
    )
    if not evidence.model_config.missing_states:
        treatment = say("The model has no state for missing numbers: a row with one is refused.")
    return (table, Paragraph(text=treatment))


def _column(draft: Draft, column: Column) -> tuple[str, str, str, str, str]:
    table = draft.evidence.table
    if table is None:
        cells = ("–", "–")
    else:
        missing, unseen = (found.get(column.name) for found in (table.missing, table.unseen))
        cells = (_share_of(missing), _share_of(unseen) if column.categories else "–")
    unit = f" {column.unit}" if column.unit else ""
    return (column.name, f"{kind_text(column)}{unit}", _holds(draft, column), *cells)


def _share_of(found: Estimate | None) -> str:
    return share(0.0 if found is None else found.value or 0.0)


def _holds(draft: Draft, column: Column) -> str:
    """Categories by name, or the range of the table."""
    if column.categories:
        return say_plural(
            "{count} category: {names}",
            "{count:,} categories: {names}",
            len(column.categories),
            names=cell(column.categories, 5),
        )
    table = draft.evidence.table
    if table is None:
        return "–"
    found = table.profile.column(column.name)
    if found.minimum is None or found.maximum is None:
        return "–"
    show = _day if column.kind is Kind.DATETIME else number
    return say(
        "{low} to {high}, median {median}", low=show(found.minimum), high=show(found.maximum), median=show(found.median)
    )


def _day(seconds: float | None) -> str:
    """Seconds since 1970 as a date."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=seconds // _DAY_SECONDS)
    except OverflowError:
        return "–"
    return moment.date().isoformat()
