"""The words that Plotly itself shows: of the buttons above a chart, of dates along an axis, of its hints."""

from __future__ import annotations

from typing import Any

from tabnet_engine.texts.speaking import ENGLISH, language, msg, say

__all__ = ["chart_words"]

# Plotly asks for the words of a locale by their English ones.
_WORDS = (
    msg("Download plot as a PNG"),
    msg("Download plot"),
    msg("Zoom"),
    msg("Pan"),
    msg("Zoom in"),
    msg("Zoom out"),
    msg("Reset axes"),
    msg("Autoscale"),
    msg("Box Select"),
    msg("Lasso Select"),
    msg("Reset"),
    msg("Taking snapshot - this may take a few seconds"),
    msg("Snapshot succeeded"),
    msg("Double-click to zoom back out"),
    msg("Double-click on legend to isolate one trace"),
)
_DATES = {
    "zh": {
        "shortMonths": [f"{month} 月" for month in range(1, 13)],
        "months": [f"{month} 月" for month in range(1, 13)],
        "days": [f"星期{day}" for day in "日一二三四五六"],
        "shortDays": [f"周{day}" for day in "日一二三四五六"],
        "date": "%Y-%m-%d",
        "year": "%Y",
        "month": "%Y-%m",  # short, so that it stays level on a narrow screen
        "dayMonth": "%m-%d",
        "dayMonthYear": "%Y-%m-%d",
    }
}


def chart_words() -> dict[str, Any]:
    """What a chart's configuration needs so that Plotly speaks the reader's language; nothing for English."""
    code = language()
    if code == ENGLISH:
        return {}
    words = {word: say(word) for word in _WORDS}
    return {"locale": code, "locales": {code: {"dictionary": words, "format": _DATES.get(code, {})}}}
