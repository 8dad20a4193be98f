"""All that a comparison of two runs is computed from, and what the runs have stored of it. No torch: pages import this.

Shapes: B rows, F columns, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain import store
from tabnet_engine.explain.comparison.reasons import PairedReasons, paired_masks, paired_values
from tabnet_engine.explain.comparison.rows import PairedScores, same_table, stored_scores
from tabnet_engine.explain.comparison.targets import SharedTarget
from tabnet_engine.explain.stored_arrays import ROW_GROUP
from tabnet_engine.texts.speaking import say, say_plural

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.attribution import Attribution
    from tabnet_engine.runs.run import Run

__all__ = ["MOST_MASK_ROWS", "Evidence", "explained_label", "stored_evidence", "stretches"]

MOST_MASK_ROWS = 8_000  # of which, about, the masks of both runs are compared


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What two runs say of the same rows, for one target.

    ``scores`` is None where they share no scored row, ``reasons`` holds one entry for each method that explains rows
    in both, ``label`` is the class whose score the signed ones explain (empty for a quantity), ``gaps`` say in
    sentences what cannot be compared and why.
    """

    target: SharedTarget
    label: str
    scores: PairedScores | None
    reasons: tuple[PairedReasons, ...]
    gaps: tuple[str, ...]


def explained_label(target: SharedTarget, wanted: str = "") -> str:
    """The class whose score is explained: the wanted one, else the positive one, with several classes the first."""
    if not target.classes or wanted in target.classes:
        return wanted if target.classes else ""
    return target.classes[1] if len(target.classes) == 2 else target.classes[0]


def stored_evidence(
    first: Run, second: Run, target: SharedTarget, frame: pd.DataFrame | None = None, *, label: str = "",
    with_reasons: bool = True,
) -> Evidence:  # fmt: skip
    """What both runs stored when they were trained and explained; nothing is computed anew.

    Args:
        first: a trained run.
        second: another one.
        target: what both predict.
        frame: the table of both, for the outcomes of all rows.
        label: the class whose score is explained; see :func:`explained_label`.
        with_reasons: whether masks and signed values are read too, which takes longer.
    """
    shown = explained_label(target, label)
    if not same_table(first, second):
        gap = say(
            "The runs were trained on different tables, so no row of one is a row of the other: their scores, "
            "decisions and reasons can be compared on the rows of one table only, computed anew for both."
        )
        return Evidence(target=target, label=shown, scores=None, reasons=(), gaps=(gap,))
    scores = stored_scores(first, second, target, frame)
    gaps = () if scores is not None else (_no_scores(first, second),)
    if not with_reasons:
        return Evidence(target=target, label=shown, scores=scores, reasons=(), gaps=gaps)
    reasons = []
    masks = _stored_masks(first, second, scores)
    if masks is not None:
        reasons.append(masks)
    values = _stored_values(first, second, target, shown)
    reasons += values[0]
    return Evidence(target=target, label=shown, scores=scores, reasons=tuple(reasons), gaps=(*gaps, *values[1]))


def stretches(rows: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """About ``most`` of the rows: all within some stretches of the table, which lie evenly over it.

    Stretches are as long as the groups in which masks are stored, so that few groups are read instead of all.
    """
    if len(rows) <= most:
        return rows
    groups, which = np.unique(rows // ROW_GROUP, return_inverse=True)
    n_wanted = max(1, round(len(groups) * most / len(rows)))
    wanted = np.zeros(len(groups), dtype=bool)
    wanted[np.linspace(0, len(groups) - 1, n_wanted).astype(np.int64)] = True
    return np.asarray(rows[wanted[which]])


def _no_scores(first: Run, second: Run) -> str:
    silent = [run.manifest.title for run in (first, second) if not store.has_explanations(run, store.MASKS)]
    if len(silent) == 1:
        return say("{title} is not explained yet, so the rows that both know cannot be compared.", title=silent[0])
    if silent:
        return say("Neither run is explained yet, so the rows that both know cannot be compared.")
    return say("The runs explain different rows of the table; none is explained in both.")


def _stored_masks(first: Run, second: Run, scores: PairedScores | None) -> PairedReasons | None:
    """The masks of held-out rows that both explain, a stated sample where they are many."""
    if scores is None:
        return None
    judged, _ = scores.held_out()
    if not judged.n_rows:
        return None
    rows = stretches(judged.rows, MOST_MASK_ROWS)
    found = paired_masks(store.load_masks(first, rows), store.load_masks(second, rows))
    return None if found is None else _noted(found, judged.n_rows)


def _noted(pair: PairedReasons, n_all: int) -> PairedReasons:
    if pair.n_rows == n_all:
        note = say_plural(
            "Masks of {count} held-out row.", "Masks of all {count:,} held-out rows that both explain.", n_all
        )
    else:
        note = say(
            "Masks of {n_rows:,} of {n_all:,} held-out rows: all of some stretches that lie evenly over the table.",
            n_rows=pair.n_rows,
            n_all=n_all,
        )
    return PairedReasons(
        method=pair.method, features=pair.features, rows=pair.rows, first=pair.first, second=pair.second, notes=(note,)
    )


def _stored_values(
    first: Run, second: Run, target: SharedTarget, label: str
) -> tuple[list[PairedReasons], tuple[str, ...]]:
    """Signed values of rows that both explain, one entry a method; and why SHAP is missing where it is."""
    outputs = (target.output(first.targets, label), target.output(second.targets, label))
    pairs: list[PairedReasons] = []
    gaps: list[str] = []
    shared = [name for name in store.stored_methods(first) if name in store.stored_methods(second)]
    if "shap" not in shared:
        gaps.append(say("Not both runs hold SHAP values, so which reasons changed is compared by the masks only."))
    for method in shared:
        found = [store.load_attribution(run, method=method) for run in (first, second)]
        pair = paired_values(found[0], found[1], outputs=outputs)
        if pair is None:
            gaps.append(say("No row has values of {method} in both runs.", method=method))
        else:
            pairs.append(_explained(pair, found))
    return pairs, tuple(gaps)


def _explained(pair: PairedReasons, found: Sequence[Attribution]) -> PairedReasons:
    """With the sentences that say how far the two sides compare."""
    notes = [
        say_plural(
            "Values of {count} row that is explained in both runs.",
            "Values of {count:,} rows that are explained in both runs.",
            pair.n_rows,
        )
    ]
    backgrounds = [one.background for one in found]
    if not np.array_equal(np.sort(backgrounds[0].rows), np.sort(backgrounds[1].rows)):
        notes.append(
            say(
                "Each run is explained against background rows of its own ({n_first:,} and {n_second:,}), so a part of "
                "the difference may come from these; comparing anew uses the same rows for both.",
                n_first=backgrounds[0].n_rows,
                n_second=backgrounds[1].n_rows,
            )
        )
    return PairedReasons(
        method=pair.method,
        features=pair.features,
        rows=pair.rows,
        first=pair.first,
        second=pair.second,
        notes=tuple(notes),
    )
