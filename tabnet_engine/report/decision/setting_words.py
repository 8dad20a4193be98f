"""The settings of the methods as names and values: every one that was stored, also those without words of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tabnet_engine.explain.wording import listed
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say

__all__ = ["setting_lines"]

_MOST_LISTED = 20
# What the settings of a case are called; any other one is shown by its own name.
_NAMES: Mapping[str, str] = {
    "score": msg("what the score is"),
    "contributions": msg("how the contributions were made"),
    "method": msg("method"),
    "algorithm": msg("algorithm"),
    "n_evaluations": msg("evaluations a row"),
    "largest_standard_error": msg("largest standard error of a contribution"),
    "additivity_error": msg("by how much contributions and base miss the score"),
    "n_reference": msg("rows of the reference population"),
    "n_reference_asked": msg("rows of the reference population that were asked for"),
    "seed": msg("seed"),
    "robustness": msg("how firmness was measured"),
    "proxies": msg("how proxies were looked for"),
    "proposals": msg("limits of the proposals"),
    "n_proposals": msg("proposals asked for"),
    "max_changes": msg("changes in a proposal at most"),
    "fixed": msg("columns that stay"),
    "rising": msg("columns that change upwards only"),
    "falling": msg("columns that change downwards only"),
}
_UNSET, _YES, _NO = msg("not set"), msg("yes"), msg("no")


def setting_lines(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and value of each setting; of settings within settings with the names of both."""
    for key, value in settings.items():
        name = say(_NAMES[key]) if key in _NAMES else str(key)
        title = say("{label}: {value}", label=prefix, value=name) if prefix else name
        if isinstance(value, Mapping):
            yield from setting_lines(value, title)
        else:
            yield title, _value(value)


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return say({None: _UNSET, True: _YES, False: _NO}[value])
    if isinstance(value, str):
        return recalled(value) or "–"
    if isinstance(value, list | tuple):
        shown = [_value(item) for item in value[:_MOST_LISTED]]
        if len(value) > _MOST_LISTED:
            return say("{names} and {n_more:,} more", names=listed(shown), n_more=len(value) - _MOST_LISTED)
        return listed(shown) or "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else str(value)
