"""What the user should know before training, in sentences with the number measured and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tabnet_engine.data.profiling.associations import LinearRule
from tabnet_engine.data.profiling.profile_records import ColumnProfile, Severity, TableProfile, TableWarning, Topic
from tabnet_engine.data.schema import Kind, Role
from tabnet_engine.data.wording import listed, quoted

__all__ = ["Findings", "Leaks", "find_warnings"]

# Shares of the target's variance that one column predicts alone in rows it has not seen.
_SUSPICIOUS = 0.90
_GIVEN_AWAY = 0.98
_MOSTLY_MISSING = 0.5
_RARE_CLASS = 0.05
_RARE_AMONG_MANY = 0.01
_FEW_ROWS = 20
_PILED_UP = 0.01
_QUANTITY = 100

_ORDER = (Severity.SERIOUS, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What may give away one target.

    ``determined`` gives, for each feature, the share of the target that it predicts alone; ``rule`` a
    weighted sum of ``rule_columns`` that equals the target.
    """

    target: str
    n_checked: int
    determined: Mapping[str, float]
    rule: LinearRule | None = None
    rule_columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was measured on the whole table."""

    leaks: tuple[Leaks, ...] = ()
    same_columns: tuple[tuple[str, ...], ...] = ()
    n_repeated_rows: int = 0


_LEFT_OUT = (
    (
        Kind.IDENTIFIER,
        Topic.IDENTIFIER,
        "Columns that name rows and are left out; choose one as row id to see it beside each row: {names}.",
    ),
    (
        Kind.CONSTANT,
        Topic.CONSTANT,
        "Columns that have the same value, or none, in every row and are left out: {names}.",
    ),
    (
        Kind.TEXT,
        Topic.TEXT,
        "Columns that hold free text and are left out; choose the kind category to use them all the same: {names}.",
    ),
)


def find_warnings(profile: TableProfile, findings: Findings) -> tuple[TableWarning, ...]:
    """Every warning about the table, the most serious first.

    Args:
        profile: the table's profile, without warnings.
        findings: what was measured across columns and rows.
    """
    checks: tuple[Callable[[TableProfile, Findings], Iterator[TableWarning]], ...] = (
        _leaking_sum,
        _leaking_columns,
        _imbalance,
        _capped_target,
        _repeated_rows,
        _same_columns,
        _mostly_missing,
        _left_out,
    )
    found = [warning for check in checks for warning in check(profile, findings)]
    return tuple(sorted(found, key=lambda warning: _ORDER.index(warning.severity)))


def _leaking_sum(_profile: TableProfile, findings: Findings) -> Iterator[TableWarning]:
    for leaks in findings.leaks:
        if leaks.rule is not None and len(leaks.rule_columns) > 1:
            yield _sum_warning(leaks.target, leaks.rule, leaks.rule_columns)


def _sum_warning(target: str, rule: LinearRule, names: tuple[str, ...]) -> TableWarning:
    terms = " + ".join(f"{quoted(name)}" for name in names[:10]) + (" + …" if len(names) > 10 else "")
    formula = terms if rule.is_plain_sum else f"a weighted sum of {listed(names)}"
    return TableWarning(
        Severity.SERIOUS,
        Topic.LEAKAGE,
        names,
        f"The target {quoted(target)} equals {formula} in all {rule.n_rows:,} rows checked: the model "
        "would add up instead of learning. Set these columns to ignored unless all are known before the prediction "
        "is made.",
    )


def _leaking_columns(_profile: TableProfile, findings: Findings) -> Iterator[TableWarning]:
    found = [(share, name, leaks) for leaks in findings.leaks for name, share in leaks.determined.items()]
    for share, name, leaks in sorted(found, key=lambda item: -item[0]):
        if share < _SUSPICIOUS:
            return
        severity = Severity.SERIOUS if share >= _GIVEN_AWAY else Severity.WARNING
        yield TableWarning(
            severity,
            Topic.LEAKAGE,
            (name,),
            f"{quoted(name)} alone predicts {_percent(share)} of the variation of the target "
            f"{quoted(leaks.target)} ({leaks.n_checked:,} rows checked): if it is only known after the "
            "outcome, it leaks. Set it to ignored unless it is known before the prediction is made.",
        )


def _imbalance(profile: TableProfile, _findings: Findings) -> Iterator[TableWarning]:
    for target in profile.targets:
        total = sum(target.class_counts)
        limit = _RARE_CLASS if len(target.classes) == 2 else _RARE_AMONG_MANY
        counted = zip(target.class_counts, target.classes, strict=True)
        rare = sorted((count, name) for count, name in counted if count < max(_FEW_ROWS, limit * total))
        if rare:
            whose = f" of {quoted(target.name)}" if len(profile.targets) > 1 else ""
            yield _imbalance_warning(target.name, whose, rare, total)


def _imbalance_warning(target: str, whose: str, rare: list[tuple[int, str]], total: int) -> TableWarning:
    count, name = rare[0]
    others = f" ({len(rare)} classes are rare: {listed([name for _, name in rare])})" if len(rare) > 1 else ""
    return TableWarning(
        Severity.WARNING,
        Topic.CLASS_IMBALANCE,
        (target,),
        f"Only {count:,} of {total:,} rows ({_percent(count / total)}) have the class {quoted(name)}{whose}{others}: "
        "a high accuracy says little. Look at the AUC and the balanced accuracy, and try balanced class weights.",
    )


def _capped_target(profile: TableProfile, _findings: Findings) -> Iterator[TableWarning]:
    for target in profile.targets:
        column = profile.column(target.name)
        if not target.classes and _is_capped(column, profile.n_rows - column.n_missing):
            yield _capped_warning(column, profile.n_rows - column.n_missing)


def _is_capped(column: ColumnProfile, n_present: int) -> bool:
    if not column.top_counts or column.n_unique < _QUANTITY or column.maximum is None:
        return False
    return float(column.top_values[0]) == column.maximum and column.top_counts[0] >= _PILED_UP * n_present


def _capped_warning(target: ColumnProfile, n_present: int) -> TableWarning:
    return TableWarning(
        Severity.INFO,
        Topic.CAPPED_TARGET,
        (target.name,),
        f"{target.top_counts[0]:,} rows ({_percent(target.top_counts[0] / n_present)}) have the largest value of "
        f"{quoted(target.name)}, {target.top_values[0]}: it looks cut off there, and predictions will stop there too.",
    )


def _repeated_rows(profile: TableProfile, findings: Findings) -> Iterator[TableWarning]:
    n_repeated = findings.n_repeated_rows
    if n_repeated:
        share = n_repeated / profile.n_rows
        targets = "every target" if len(profile.targets) > 1 else "the target"
        yield TableWarning(
            Severity.WARNING if share >= 0.01 else Severity.INFO,
            Topic.DUPLICATED_ROWS,
            (),
            f"{n_repeated:,} of {profile.n_rows:,} rows ({_percent(share)}) repeat an earlier row in every feature and "
            f"{targets}: the same row may be learned and tested. Remove them if they are no separate cases.",
        )


def _same_columns(_profile: TableProfile, findings: Findings) -> Iterator[TableWarning]:
    for names in findings.same_columns:
        yield TableWarning(
            Severity.WARNING,
            Topic.DUPLICATED_COLUMNS,
            names,
            f"{listed(names)} hold the same information: each value of one goes with one value of the others. "
            "Importance will be shared between them at random; keep one and set the others to ignored.",
        )


def _mostly_missing(profile: TableProfile, _findings: Findings) -> Iterator[TableWarning]:
    empty = [c for c in profile.columns if c.missing_share > _MOSTLY_MISSING and c.role in {Role.FEATURE, Role.TARGET}]
    if empty:
        worst = max(empty, key=lambda column: column.missing_share)
        names = [column.name for column in empty]
        yield TableWarning(
            Severity.WARNING,
            Topic.MISSING,
            tuple(names),
            f"More than half of the cells are missing in {listed(names)} (most in {quoted(worst.name)}: "
            f"{_percent(worst.missing_share)}). Missing is learned as a value of its own; ignore the column if it will "
            "be missing for other reasons later.",
        )


def _left_out(profile: TableProfile, _findings: Findings) -> Iterator[TableWarning]:
    for kind, topic, text in _LEFT_OUT:
        names = _names_left_out(profile.columns, kind)
        if names:
            yield TableWarning(Severity.INFO, topic, names, text.format(names=listed(names)))


def _names_left_out(columns: Sequence[ColumnProfile], kind: Kind) -> tuple[str, ...]:
    return tuple(column.name for column in columns if column.kind is kind and column.role is Role.IGNORED)


def _percent(share: float) -> str:
    """A share that never rounds to a full hundred or to nothing."""
    percent = 100 * share
    if percent >= 99.95:
        return f"{percent:.0f} %" if share >= 1 else "more than 99.9 %"
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.2g} %"
