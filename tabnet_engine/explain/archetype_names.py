"""Names for step paths, made in plain words from what the steps read.

Example: "reads debt_ratio, then income_eur and age_years".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tabnet_engine.explain.archetypes import StepRead
from tabnet_engine.explain.wording import column_name, joined
from tabnet_engine.texts.speaking import msg, say

__all__ = ["SILENT_NAME", "path_names"]

SILENT_NAME = msg("no step active")
_TOOK_PART = 0.1  # a step below this share of the decision is not named
_READ_ALONE = 0.5  # one column above this share of a step's mask stands for the step
_MOST_COLUMNS = 5


def path_names(paths: Sequence[Sequence[StepRead]]) -> tuple[str, ...]:
    """A name for each path; those that would be called the same tell more columns, then get a number.

    >>> one = StepRead(step=1, share=0.9, columns=(("age", 0.8), ("job", 0.2)))
    >>> two = StepRead(step=2, share=0.1, columns=(("job", 0.6), ("age", 0.4)))
    >>> path_names([[one, two]])
    ('reads age, then job',)
    """
    names = [_path_name(path, 0) for path in paths]
    for more in range(1, _MOST_COLUMNS):
        counts = Counter(names)
        names = [_path_name(path, more) if counts[name] > 1 else name for path, name in zip(paths, names, strict=True)]
    return tuple(_numbered(names))


def _path_name(path: Sequence[StepRead], more: int) -> str:
    steps: list[str] = []
    largest = max(step.share for step in path)
    for step in path:
        if step.share < _TOOK_PART and step.share < largest:
            continue
        said = _columns_said(step, more)
        if not steps or steps[-1] != said:
            steps.append(said)
    return say("reads {columns}", columns=_then(steps))


def _then(steps: Sequence[str]) -> str:
    if len(steps) == 1:
        return steps[0]
    if len(steps) == 2:
        return say("{first}, then {second}", first=steps[0], second=steps[1])
    if len(steps) == 3:
        return say("{first}, then {second}, then {third}", first=steps[0], second=steps[1], third=steps[2])
    return say("{first}, then {rest}", first=steps[0], rest=_then(steps[1:]))


def _columns_said(step: StepRead, more: int) -> str:
    if not step.columns:
        return say("no column")
    n_named = (1 if step.columns[0][1] >= _READ_ALONE else 2) + more
    return joined([column_name(name) for name, _ in step.columns[:n_named]])


def _numbered(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    for name in names:
        number, wanted = 1, name
        while wanted in unique:
            number += 1
            wanted = f"{name} ({number})"
        unique.append(wanted)
    return unique
