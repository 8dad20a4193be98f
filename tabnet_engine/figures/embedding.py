"""Figures inside a file that stands alone: Plotly's own script, and a figure as JSON that is safe within a page."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import plotly.graph_objects as go

__all__ = ["figure_json", "plotly_script", "plotly_styles"]

# What would end a script, open a comment or, in old browsers, end a line of it.
_UNSAFE = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})

_SHEET = re.compile(r"""\.textContent='((?:[^'\\]|\\.)*)'""")


@functools.cache
def plotly_script() -> str:
    """The script that draws figures in a browser, as the installed Plotly brings it; it fetches nothing.

    Raises:
        RuntimeError: it cannot stand within a page, which a new version of Plotly would bring about.
    """
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    # A page's parser would end the script there, or read its line ends as others than were hashed.
    if "</script" in script.lower() or "<!--" in script or "\r" in script:
        raise RuntimeError("Plotly's script holds marks that cannot stand within a page")
    return script


def plotly_styles() -> tuple[str, ...]:
    """The style sheets that Plotly's script adds to a page, for a policy that lets no others in.

    One is empty, to which rules are added one by one; others come from the map library within.
    """
    found = _SHEET.findall(plotly_script())
    return ("", *(text for text in found if "\\" not in text))


def figure_json(figure: go.Figure) -> str:
    r"""Data and layout of a figure, equal bytes for equal figures, safe between the tags of a page.

    Plotly's template is left out: it is 7 kB in each figure, and :func:`tabnet_engine.figures.theme.finish` says what
    differs from a bare one. What is not a number is null.

    >>> figure_json(go.Figure(go.Bar(x=[1.5], name="</script>")))
    '{"data":[{"name":"\\u003c/script\\u003e","x":[1.5],"type":"bar"}],"layout":{}}'
    """
    # The engine is named, for the one that Plotly finds by itself depends on what else is installed.
    from plotly.io import to_json

    values: dict[str, Any] = json.loads(to_json(figure, engine="json", validate=False))
    layout = {key: value for key, value in values.get("layout", {}).items() if key != "template"}
    kept = {"data": values["data"], "layout": layout}
    return json.dumps(kept, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)
