"""Counts and quotations as notes and errors about tables show them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["counted", "listed", "quoted"]

_SHOWN = 60


def counted(n: int, noun: str) -> str:
    """``1 row``, ``2 rows``, ``1,000 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def quoted(text: str) -> str:
    """A user's text in quotation marks, on one line and shortened."""
    flat = " ".join(text.split())
    return f'"{flat}"' if len(flat) <= _SHOWN else f'"{flat[:_SHOWN]}…"'


def listed(texts: Sequence[str], limit: int = 5) -> str:
    """The first few of some texts, quoted, and how many more there are."""
    shown = ", ".join(quoted(text) for text in texts[:limit])
    n_more = len(texts) - limit
    return f"{shown} and {n_more:,} more" if n_more > 0 else shown
