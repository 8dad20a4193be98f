"""Names of controls: Streamlit shows them as Markdown, but reads them to a screen reader letter by letter."""

from __future__ import annotations

import re

from pages._ui import widgets

__all__ = ["label"]

_PLAIN = re.compile(r"[^\W_]+(?:[ _][^\W_]+)*")  # Markdown finds nothing to set in such a name


def label(name: str) -> str:
    r"""The user's name of a column for the label of a control: escaped only where Markdown would read it.

    >>> label("age_years"), label("_age_"), label("![](x)")
    ('age_years', '\\_age\\_', '\\!\\[\\]\\(x\\)')
    """
    return name if _PLAIN.fullmatch(name) else widgets.md(name)
