"""All else that a case says, found again: cells, ranks, other methods, steps, how firm the reasons are, what blocks it.

Only what needs the whole table is believed as it was told: how many rows were candidates, which columns are proxies of
a protected one, the search for changes of the row, and the calibration (:data:`BELIEVED`). torch is imported where the
network runs.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tabnet_engine.explain.reasons.case_explaining import case_of
from tabnet_engine.explain.reasons.protecting import ProtectedColumns
from tabnet_engine.texts.speaking import ENGLISH, speaking

if TYPE_CHECKING:
    from tabnet_engine.explain.reasons.measuring import Measured
    from tabnet_engine.explain.reasons.records import DecisionCase, ProxyLink

__all__ = ["BELIEVED", "SENTENCES", "alike", "parts_found_otherwise", "parts_otherwise"]

# Parts of a case that nothing but the table can show.
BELIEVED = ("calibration", "evaluation", "counterfactual", "why_no_counterfactual")
# Of the largest number of a list: other methods work in single precision, and another machine sums in another order.
_TOLERANCE = 1e-4
SENTENCES, _ROUNDED = ("settings", "notes", "reference"), 1e-2  # parts whose sentences hold rounded numbers
# Numbers that were asked for or received: no machine rounds them.
_STATED, _LAST_BIT = frozenset({"cutoff", "actual"}), 1e-12
_TINY = 1e-6
# How a sum is said to be exact, and to miss by so much; stored texts are English.
_EXACT = "values and base add up to the score"
_MISSED = re.compile(r"values and base miss the score by at most (\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
_NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[+-]?\d+)?")


def parts_found_otherwise(measured: Measured, stored: DecisionCase) -> tuple[str, ...]:
    """The names of the parts of a stored case that come out otherwise.

    Args:
        measured: the row against its reference, both from the evidence.
        stored: the case of the evidence.

    Raises:
        ExplanationError: a method's values fail their own check.
    """
    with speaking(ENGLISH):
        again = _found(measured, stored)
    mine, theirs = (json.loads(json.dumps(case.to_mapping())) for case in (again, stored))
    return (*parts_otherwise(mine, theirs, rounded_in=SENTENCES), *_impossible(measured, stored))


def parts_otherwise(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], *, rounded_in: Collection[str] = ()
) -> tuple[str, ...]:
    """The names of the parts that two cases, or two comparisons, do not have alike but for rounding.

    Args:
        mine: as JSON gives it back.
        theirs: likewise.
        rounded_in: the parts whose texts are sentences with rounded numbers: :data:`SENTENCES` of cases; those of a
            comparison hold hashes and settings, and must be the same.
    """
    one, other = (_without_rounding_itself(values) for values in (mine, theirs))
    names = dict.fromkeys((*one, *other))
    return tuple(name for name in names if not alike(one.get(name), other.get(name), is_rounded=name in rounded_in))


def _without_rounding_itself(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is of rounding itself, and another on every machine: by how little a sum misses the score."""
    settings = values.get("settings")
    if not isinstance(settings, Mapping):
        return dict(values)
    kept = {name: value for name, value in settings.items() if name != "additivity_error"}
    if isinstance(kept.get("contributions"), str):
        kept["contributions"] = _MISSED.sub(_missed, kept["contributions"])
    return {**values, "settings": kept}


def _missed(found: re.Match[str]) -> str:
    return _EXACT if float(found[1]) < _TINY else found[0]


def _found(measured: Measured, stored: DecisionCase) -> DecisionCase:
    config, told = measured.model.config, stored.protection
    declared = tuple(dict.fromkeys(config.protected))
    protected = ProtectedColumns(
        declared=declared,
        links=told.links,
        not_examined=dict(told.not_examined),
        how=dict(stored.settings.get("proxies", {})),
        proxy_strength=config.proxy_strength,
    )
    return case_of(
        measured,
        population=dataclasses.replace(measured.reference.population, mean_score=measured.mean_score),
        protected=protected,
        changes=(stored.counterfactual, stored.why_no_counterfactual),
        calibration=stored.calibration,
        evaluation=stored.evaluation,
    )


def _impossible(measured: Measured, stored: DecisionCase) -> Iterator[str]:
    """What no report can say, whatever the table holds."""
    logits = measured.model.subject.logits(measured.reference.background.encoded)
    population, rows = stored.reference, np.asarray(stored.reference.rows)
    is_fit = bool((measured.score.margin(logits) >= -_TINY).all()) and stored.row not in population.rows
    if (
        not is_fit
        or len(rows) != len(logits)
        or (np.diff(rows) <= 0).any()
        or not len(rows) <= population.n_approved <= population.n_candidates
    ):
        yield "reference.rows"
    declared = set(measured.model.config.protected)
    own = {link.column for link in stored.protection.links if link.is_itself and link.column == link.protected}
    examined = declared - set(stored.protection.not_examined)
    has_links = all(_is_link(link, declared, stored.protection.proxy_strength) for link in stored.protection.links)
    if own != declared or not examined <= set(stored.settings.get("proxies", {})) or not has_links:
        yield "protection.links"


def _is_link(link: ProxyLink, declared: set[str], least: float) -> bool:
    strength = None if link.strength is None else link.strength.value
    return link.protected in declared and (link.is_itself or (strength is not None and strength >= least))


def alike(mine: Any, theirs: Any, scale: float = 0.0, *, is_rounded: bool) -> bool:
    """Whether two JSON values are the same, but for the last digits of their numbers.

    Args:
        mine: one value.
        theirs: the other.
        scale: the largest of the numbers among which these two stand.
        is_rounded: whether numbers within texts may differ too, by their rounding.
    """
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return mine.keys() == theirs.keys() and all(
            _as_stated(value, theirs[key]) if key in _STATED else alike(value, theirs[key], is_rounded=is_rounded)
            for key, value in mine.items()
        )
    if isinstance(mine, list) and isinstance(theirs, list):
        largest = max((abs(item) for item in mine if _is_number(item)), default=0.0)
        return len(mine) == len(theirs) and all(
            alike(*pair, largest, is_rounded=is_rounded) for pair in zip(mine, theirs, strict=True)
        )
    if is_rounded and isinstance(mine, str) and isinstance(theirs, str):
        return _same_words(mine, theirs)
    if isinstance(mine, float) and _is_number(theirs):
        return math.isclose(mine, theirs, rel_tol=_TOLERANCE, abs_tol=max(_TOLERANCE * scale, _TINY))
    return type(mine) is type(theirs) and bool(mine == theirs)


def _as_stated(mine: Any, theirs: Any) -> bool:
    """Whether two numbers are the same but for the last bit of a logarithm."""
    if _is_number(mine) and _is_number(theirs):
        return math.isclose(mine, theirs, rel_tol=_LAST_BIT, abs_tol=_LAST_BIT)
    return bool(mine == theirs)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_words(mine: str, theirs: str) -> bool:
    """Whether two sentences say the same, with numbers that are the same but for rounding."""
    if _NUMBER.split(mine) != _NUMBER.split(theirs):
        return False
    return all(map(_same_number, _NUMBER.findall(mine), _NUMBER.findall(theirs)))


def _same_number(mine: str, theirs: str) -> bool:
    """Whether two numbers of sentences are the same; whole ones are counts, which nothing rounds."""
    if mine.replace(",", "").isdigit() and theirs.replace(",", "").isdigit():
        return mine == theirs
    one, other = (float(text.replace(",", "")) for text in (mine, theirs))
    return math.isclose(one, other, rel_tol=_ROUNDED, abs_tol=_TINY)
