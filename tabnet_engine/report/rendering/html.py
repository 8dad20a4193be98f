"""A report as one HTML file: readable without scripts and on paper, with figures to explore where scripts run.

The file fetches nothing: a policy in it forbids every address, and every script whose SHA-256 it does not name.
Plotly's own script is packed (2 MB instead of 4.8), unpacked by the browser and checked against its SHA-256 like ours.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tabnet_engine.errors import ReportError
from tabnet_engine.report.document import Document
from tabnet_engine.report.rendering.html_charts import Charts
from tabnet_engine.report.rendering.html_markup import Markup, joined, tag
from tabnet_engine.report.rendering.html_page import page_body, page_rule
from tabnet_engine.texts.speaking import say, speaking

__all__ = ["MOST_BYTES", "html_bytes"]

MOST_BYTES = 6_000_000  # what a report may weigh, however long its tables are
_FIGURE_BYTES = 1_500_000  # of it, figures for browsers with scripts
_FEWER_ROWS = (None, 2_000, 200, 20)  # rows shown of each table, until the file is small enough
_ASSETS = Path(__file__).resolve().parents[3] / "assets"


def html_bytes(document: Document, *, is_interactive: bool = True) -> bytes:
    """The report as a file that stands alone; equal documents give equal bytes.

    Args:
        document: what is said.
        is_interactive: without it there is no script at all, and the file is as small as its text.

    Raises:
        ReportError: its texts alone are larger than a report may be.
    """
    with speaking(document.language):
        before = 0
        for most_rows in _FEWER_ROWS:
            page = _page(document, is_interactive=is_interactive, most_rows=most_rows)
            if len(page) < MOST_BYTES:
                return page
            if len(page) == before:
                break  # no table is left that could be shorter
            before = len(page)
        raise ReportError(
            say(
                "The report would be larger than {n_megabytes} MB as HTML, even with short tables. Take it as PDF, "
                "or shorten the longest texts in it.",
                n_megabytes=MOST_BYTES // 1_000_000,
            )
        )


def _page(document: Document, *, is_interactive: bool, most_rows: int | None) -> bytes:
    charts = Charts(is_interactive=is_interactive, most_bytes=_FIGURE_BYTES, most_rows=most_rows)
    body = page_body(document, charts, most_rows=most_rows)
    # Without a figure there is nothing for a script to do.
    programs = _programs() if charts.figures else None
    style = _asset("report.css") + page_rule(document) + "\n"
    scripts = [] if programs is None else [*charts.figures, programs.packed, tag("script", Markup(programs.own))]
    page = [
        Markup("<!DOCTYPE html>\n"),
        Markup(f'<html lang="{document.language}">\n'),
        _head(document, style, programs),
        Markup("\n"),
        Markup(body.removesuffix("</body>")),
        *scripts,
        Markup("</body>\n</html>\n"),
    ]
    return joined(page).encode()


def _head(document: Document, style: str, programs: _Programs | None) -> Markup:
    title = " – ".join(text for text in (document.title, document.identity.case_id) if text)
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, programs)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"TabNet dashboard {document.identity.engine_version}"),
        tag("title", title),
        # Browsers ask the server for an icon where the page names none.
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),
    )


def _policy(style: str, programs: _Programs | None) -> str:
    """Nothing from anywhere; the styles and scripts of this file alone."""
    scripts = "'none'" if programs is None else f"{_hash(programs.own)} {_hash(programs.plotly)}"
    styles = f"style-src {_hash(style)}"
    if programs is not None:
        # Plotly adds sheets and styles elements of its own. The first words are for browsers that know no others.
        sheets = " ".join(map(_hash, (style, *programs.sheets)))
        styles = f"style-src 'unsafe-inline'; style-src-elem {sheets}; style-src-attr 'unsafe-inline'"
    return f"default-src 'none'; script-src {scripts}; {styles}; img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@dataclass(frozen=True)
class _Programs:
    """The scripts of an interactive page: our own, Plotly's with the style sheets it adds, and it packed."""

    own: str
    plotly: str
    sheets: tuple[str, ...]
    packed: Markup


@functools.cache
def _programs() -> _Programs:
    from tabnet_engine.figures.embedding import plotly_script, plotly_styles

    plotly = plotly_script()
    packed = base64.b64encode(gzip.compress(plotly.encode(), 9, mtime=0)).decode()
    element = tag("script", Markup(packed), type="application/octet-stream", id="plotly")
    return _Programs(own=_asset("report.js"), plotly=plotly, sheets=plotly_styles(), packed=element)


@functools.cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
