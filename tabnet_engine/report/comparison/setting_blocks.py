"""What two runs were trained with and on, the differences first, as blocks of their comparison."""

from __future__ import annotations

from collections.abc import Sequence

from tabnet_engine.data.schema import KIND_NAMES, Kind
from tabnet_engine.explain.comparison.settings import AUTOMATIC, ORIGIN_NAMES
from tabnet_engine.report.comparison.compared import Compared, SettingPair
from tabnet_engine.report.document import Block, Paragraph, Table
from tabnet_engine.texts.speaking import say, say_plural

__all__ = ["setting_blocks"]

_MOST_COLUMNS = 40


def setting_blocks(compared: Compared) -> tuple[Block, ...]:
    """Origins whole, of the settings those that differ, and the columns that are not read alike."""
    origin = [pair for pair in compared.settings if pair.section == "origin"]
    others = [pair for pair in compared.settings if pair.section != "origin"]
    different = [pair for pair in others if pair.differs]
    blocks: list[Block] = [_table(compared, say("Table, rows and time"), origin)]
    if different:
        blocks.append(_table(compared, say("Settings that differ"), different))
        told = say(
            "{n_different} of {n_all} settings differ; all of them are in the evidence.",
            n_different=len(different),
            n_all=len(others),
        )
    else:
        told = say("Every setting is the same.")
    return (*blocks, Paragraph(text=told), *_columns(compared))


def _table(compared: Compared, caption: str, pairs: Sequence[SettingPair]) -> Table:
    return Table(
        caption=caption,
        columns=(say("Setting"), *compared.names, say("Differs")),
        rows=tuple(
            (_name(pair), _value(pair.first), _value(pair.second), say("yes") if pair.differs else say("no"))
            for pair in pairs
        ),
    )


def _name(pair: SettingPair) -> str:
    return say(ORIGIN_NAMES[pair.name]) if pair.name in ORIGIN_NAMES else pair.name


def _value(value: str | None) -> str:
    if value is None:
        return "–"
    return say(AUTOMATIC) if value == AUTOMATIC else value


def _columns(compared: Compared) -> tuple[Block, ...]:
    if not compared.columns:
        return (Paragraph(text=say("Both runs read the same columns alike.")),)
    shown = compared.columns[:_MOST_COLUMNS]
    rest = len(compared.columns) - len(shown)
    note = ""
    if rest:
        note = say_plural(
            "{count} more column is in the evidence.", "{count:,} more columns are in the evidence.", rest
        )
    table = Table(
        caption=say("Columns that are not read alike"),
        columns=(say("Column"), *compared.names),
        rows=tuple((name, _kind(first), _kind(second)) for name, first, second in shown),
        note=note,
    )
    return (table,)


def _kind(kind: str | None) -> str:
    return say("not read") if kind is None else say(KIND_NAMES[Kind(kind)])
