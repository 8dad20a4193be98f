"""Labels of a second file, written slightly otherwise than those of the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from tabnet_engine.data.values import factorise
from tabnet_engine.data.wording import quoted

__all__ = ["align_labels"]

_RULES: Mapping[str, Callable[[str], str]] = {
    "surrounding blanks were removed": str.strip,
    "the final dot was removed": lambda text: text.strip().removesuffix("."),
    "upper and lower case were ignored": lambda text: text.strip().casefold(),
    "the final dot was removed and case was ignored": lambda text: text.strip().removesuffix(".").casefold(),
}


def align_labels(values: pd.Series[Any], classes: tuple[str, ...]) -> tuple[pd.Series[Any], str | None]:
    """Read labels that differ from the known classes in a final dot, in blanks or in case only.

    Nothing is touched when any label matches as it stands, or when one rule does not explain them all:
    then a label is unknown in earnest and encoding says so.

    Args:
        values: the target of the second table (B).
        classes: the classes that training knew.

    Returns:
        The labels as text (B), and one sentence about what was done to how many, or None.
    """
    codes, texts = factorise(values)
    if not texts or set(texts) & set(classes):
        return values, None
    for deed, rule in _RULES.items():
        known = {rule(name): name for name in classes}
        if len(known) == len(classes) and all(rule(text) in known for text in texts):
            fixed = pd.array([known[rule(text)] for text in texts], dtype="str").take(codes, allow_fill=True)
            n_changed = int((codes >= 0).sum())
            note = (
                f"labels of {values.name!r} differ from those of training: {deed} in {n_changed:,} rows "
                f"({quoted(texts[0])} is read as {quoted(known[rule(texts[0])])})"
            )
            return pd.Series(fixed, index=values.index, name=values.name), note
    return values, None
