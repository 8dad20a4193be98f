"""Numbers and lists as a reader expects them in a sentence."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from tabnet_engine.texts.speaking import say

__all__ = [
    "additivity_words",
    "amount",
    "class_name",
    "column_name",
    "joined",
    "listed",
    "percent",
    "probability",
    "signed",
]


_ALL = 1e-6  # the error of a sum of shares that is one


def percent(share: float) -> str:
    """A share as a percentage; a small one is not rounded to nothing, a large one not to all.

    >>> [percent(share) for share in (0.624, 1.0, 0.0, 0.002, 0.9997)]
    ['62 %', '100 %', '0 %', 'under 1 %', 'over 99 %']
    """
    if 0 < share < 0.005:
        return say("under 1 %")
    if 0.995 <= share < 1 - _ALL:
        return say("over 99 %")
    return f"{share * 100:.0f} %"


def probability(share: float) -> str:
    """A probability with one decimal; never rounded to certainty.

    >>> [probability(share) for share in (0.6241, 0.99973, 0.0002, 0.08)]
    ['62.4 %', 'over 99.9 %', 'under 0.1 %', '8.0 %']
    """
    if share < 0.0005:
        return say("under 0.1 %")
    if share >= 0.9995:
        return say("over 99.9 %")
    return f"{share * 100:.1f} %"


def additivity_words(error: float) -> str:
    """How well SHAP values and base make up the score.

    >>> additivity_words(1.8e-9), additivity_words(23.4)
    ('values and base miss the score by at most 1.8e-09', 'values and base miss the score by at most 23.4')
    >>> additivity_words(0.0)
    'values and base add up to the score'
    """
    if error:
        return say("values and base miss the score by at most {error}", error=amount(error))
    return say("values and base add up to the score")


def amount(value: float) -> str:
    """The size of a number with digits that fit it; the sign is left out.

    >>> [amount(value) for value in (0.8149, -12.3, 1234567.8, 0.00123, 0.0)]
    ['0.81', '12.3', '1,234,568', '0.0012', '0.00']
    """
    size = abs(value)
    if size == 0:
        return "0.00"
    if size >= 100:
        return f"{size:,.0f}"
    if size >= 10:
        return f"{size:.1f}"
    if size >= 0.1:
        return f"{size:.2f}"
    digits = 1 - math.floor(math.log10(size))
    return f"{size:.{digits}f}" if digits <= 6 else f"{size:.1e}"


def signed(value: float) -> str:
    """As :func:`amount`, with the sign always shown.

    >>> signed(0.8149), signed(-12.3)
    ('+0.81', '−12.3')
    """
    return ("−" if value < 0 else "+") + amount(value)


def column_name(name: str, *, start: bool = False) -> str:
    """A column in a sentence; a name that is only a number, as in a table without header, is introduced.

    Args:
        name: the user's own name for it.
        start: whether the sentence starts with it.

    >>> column_name("age"), column_name("9"), column_name("9", start=True)
    ('age', 'column 9', 'Column 9')
    """
    if not name.isdecimal():
        return name
    return say("Column {number}", number=name) if start else say("column {number}", number=name)


def class_name(name: str) -> str:
    """A class in a sentence; one that is called by a number must not look like a quantity.

    >>> class_name(">50K"), class_name("2")
    ('>50K', 'class 2')
    """
    return say("class {number}", number=name) if name.isdecimal() else name


def joined(parts: Sequence[str]) -> str:
    """A list in a sentence.

    >>> joined(["age"]), joined(["age", "hours"]), joined(["age", "hours", "sex"])
    ('age', 'age and hours', 'age, hours and sex')
    """
    if len(parts) <= 1:
        return "".join(parts)
    return say("{listed} and {last}", listed=listed(parts[:-1]), last=parts[-1])


def listed(parts: Sequence[str]) -> str:
    """A list that needs no "and": parts between the commas of the reader's language.

    >>> listed(["age", "hours", "sex"])
    'age, hours, sex'
    """
    if not parts:
        return ""
    return functools.reduce(lambda before, part: say("{listed}, {next}", listed=before, next=part), parts)


def clauses(parts: Sequence[str]) -> str:
    """Parts that have commas of their own, between the semicolons of the reader's language.

    >>> clauses(["50 rows, drawn", "all columns"])
    '50 rows, drawn; all columns'
    """
    if not parts:
        return ""
    return functools.reduce(lambda before, part: say("{clauses}; {next}", clauses=before, next=part), parts)
