"""Which groups are compared and what counts as being selected: the controls, as settings of a comparison."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import groups_access, kept, measures
from tabnet_engine.config import AuditConfig
from tabnet_engine.data.schema import Kind, Role, Task
from tabnet_engine.errors import UserError
from tabnet_engine.explain.groups.decision import likely_favourable
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabnet_engine.data.schema import Column
    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.explain.groups.audit import GroupAudit
    from tabnet_engine.runs.run import Run

__all__ = ["chosen_settings", "groupable", "is_often_protected", "stored_for", "typed_number"]

_DIVIDING = (Kind.CATEGORY, Kind.BOOLEAN, Kind.NUMBER, Kind.DATETIME)
_ORDERED = (Kind.NUMBER, Kind.DATETIME)
# Columns that laws often protect come first.
_OFTEN_PROTECTED = re.compile(
    r"(^|[^a-z])(sex|gender|age|race|ethnic\w*|nation\w*|religion|marital|disab\w*|birth\w*)([^a-z]|$)", re.IGNORECASE
)
_NOBODY = "-"  # no class has that key: classes go by their number


def groupable(run: Run) -> list[Column]:
    """The columns of the run's table that can divide people, those that are often protected first."""
    columns = [column for column in run.schema.columns if column.role is not Role.TARGET and column.kind in _DIVIDING]
    return sorted(columns, key=lambda column: not is_often_protected(column.name))


def is_often_protected(name: str) -> bool:
    """Whether a column is called like one that laws often protect."""
    return _OFTEN_PROTECTED.search(name) is not None


def chosen_settings(run: Run) -> AuditConfig:
    """Draw the controls.

    Raises:
        UserError: something typed that cannot be read.
    """
    columns = {column.name: column for column in groupable(run)}
    with st.container(border=True):
        first, second, *rest = st.columns(3 if len(run.targets.names) > 1 else 2, vertical_alignment="bottom")
        with first:
            column = kept.choice(
                "group",
                say("Protected column"),
                {name: name for name in columns},
                help_text=say("Whose groups are compared. The model need not read it."),
            )
        with second:
            others = {"": say("no other column")} | {name: name for name in columns if name != column}
            crossed = kept.choice(
                "cross",
                say("Crossed with"),
                others,
                help_text=say("Groups of both columns at once, such as young women. Each then has fewer rows."),
            )
        target = _target(run, rest)
        codec, _ = run.targets.of(target)
        before = stored_for(run, column, crossed, target)
        settings = _decision(codec, before)
        with st.expander(say("More choices"), icon=":material/tune:"):
            settings |= _dividing(columns[column], columns.get(crossed), before)
            settings |= _reference(before)
    return AuditConfig.from_mapping({"column": column, "crossed_with": crossed, "target": target, **settings})


def stored_for(run: Run, column: str, crossed: str, target: str) -> GroupAudit | None:
    """The stored comparison of these columns and this target, whatever else was chosen then."""
    for audit in groups_access.audits(run):
        asked = (audit.settings.get("column", audit.column), audit.settings.get("crossed_with", ""))
        if asked == (column, crossed) and audit.target == target:
            return audit
    return None


def _target(run: Run, places: Sequence[Any]) -> str:
    names = run.targets.names
    if not places:
        return names[0]
    with places[0]:
        return kept.choice(
            "target", say("Target"), {name: name for name in names}, help_text=say("What is decided upon.")
        )


def _before(before: GroupAudit | None, name: str, otherwise: Any) -> Any:
    """What the stored comparison was asked for, so that opening the page again shows it unchanged."""
    return otherwise if before is None else before.settings.get(name, otherwise)


def _decision(codec: TargetCodec, before: GroupAudit | None) -> dict[str, Any]:
    left, right = st.columns(2, vertical_alignment="bottom")
    if codec.task is Task.REGRESSION:
        return _limit(left, right, before)
    classes = {str(code): name for code, name in enumerate(codec.classes)}
    asked = _before(before, "favourable", "")
    wished = asked if asked in codec.classes else likely_favourable(codec) or codec.classes[1]
    start = str(codec.classes.index(wished))
    several = codec.task is Task.MULTICLASS
    if several:
        classes = {_NOBODY: say("none: leave selection out")} | classes
        start = start if asked else _NOBODY
    with left:
        chosen = kept.choice(
            "favourable",
            say("Favourable outcome"),
            classes,
            default=start,
            help_text=say("The class that is decided in a person's favour, such as a loan that is granted."),
        )
    if chosen == _NOBODY:
        return {}
    name = codec.classes[int(chosen)]
    cutoff = _before(before, "cutoff", None)
    with right:
        if several:
            typed = kept.text(
                "cutoff",
                say("Cutoff"),
                default="" if cutoff is None else f"{cutoff:.12g}",
                placeholder=say("the predicted class"),
                help_text=say("The probability from which a row is selected; empty: where it is the likeliest class."),
            )
            return {"favourable": name, "cutoff": typed_number(typed)}
        share = kept.amount(
            "cutoff",
            say("Cutoff"),
            0.01,
            0.99,
            default=0.5 if cutoff is None else cutoff,
            help_text=say("The probability of the favourable outcome from which a row is selected."),
        )
    return {"favourable": name, "cutoff": share}


def _limit(left: Any, right: Any, before: GroupAudit | None) -> dict[str, Any]:
    """When a predicted quantity is favourable; left out while no cutoff is given."""
    cutoff = _before(before, "cutoff", None)
    with left:
        typed = kept.text(
            "cutoff",
            say("Cutoff"),
            default="" if cutoff is None else f"{cutoff:.12g}",
            placeholder=say("none: leave selection out"),
            help_text=say("The prediction, in the target's own unit, from which a row is selected."),
        )
    with right:
        high = kept.toggle(
            "high", say("High is favourable"), default=_before(before, "is_high_favourable", otherwise=True)
        )
    return {"cutoff": typed_number(typed), "is_high_favourable": high}


def typed_number(typed: str) -> float | None:
    """The cutoff that was typed; None for an empty text.

    Raises:
        UserError: it is no number.
    """
    if not typed.strip():
        return None
    try:
        return float(typed.replace(",", "."))
    except ValueError:
        raise UserError(f"the cutoff must be a number such as 0.5, got {typed!r}") from None


def _dividing(column: Column, crossed: Column | None, before: GroupAudit | None) -> dict[str, Any]:
    """How numbers and dates are cut; nothing to choose for categories."""
    settings: dict[str, Any] = {}
    ordered = [item for item in (column, crossed) if item is not None and item.kind in _ORDERED]
    if ordered:
        settings["n_ranges"] = kept.number(
            "ranges",
            say("Ranges of a number"),
            2,
            12,
            default=int(_before(before, "n_ranges", 4)),
            help_text=say("Numbers and dates are cut into so many ranges of about equally many rows."),
        )
    for item, name, key in ((column, "cuts", "cuts"), (crossed, "crossed_cuts", "ccuts")):
        if item is not None and item.kind in _ORDERED:
            typed = kept.text(
                key,
                say("Own cuts of {column}", column=item.name),
                default="; ".join(_before(before, name, ())),
                placeholder="2020-01-31; 2021-01-31" if item.kind is Kind.DATETIME else "30; 50",
                help_text=say("A range starts at each cut; separate them by semicolons. Empty: equally many rows."),
            )
            settings[name] = tuple(part.strip() for part in typed.split(";") if part.strip())
    return settings


def _reference(before: GroupAudit | None) -> dict[str, Any]:
    names = {} if before is None else {group.name: before.name_shown(group.name) for group in before.groups}
    default = str(_before(before, "reference", ""))
    reference = kept.choice(
        "reference",
        say("Reference group"),
        {"": say("the largest")} | names,
        default=default,
        help_text=measures.help_text("selection_ratio"),
    )
    return {"reference": reference}
