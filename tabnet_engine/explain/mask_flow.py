"""What is read after what: how the reading passes from column to column between a step and the next. numpy only.

Shapes: B rows, S steps, F raw features, C columns named, of which one may be all others together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.explain.mask_paths import LeadingPaths
from tabnet_engine.explain.mask_stream import MaskTotals
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.wording import column_name, joined, percent
from tabnet_engine.texts.speaking import say

__all__ = ["ReadingFlow", "flow_sentences", "path_table", "reading_flow"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadingFlow:
    """Reading by step, and what a step's reading of a column is followed by in the next step.

    ``columns`` (C) are the columns read most; when ``n_other`` is above zero, a last line stands for so many columns
    together. ``shares`` (S, C) are the mean masks of each step, which sum to one. ``links`` (S-1, C, C) share them
    out: of a row's mask of one step and its mask of the next, every pair of columns gets the product, so that each
    link's lines sum to the shares of its step and its columns to those of the next. ``weights`` (S) are the mean
    shares of the steps in the decision.
    """

    columns: tuple[str, ...]
    n_other: int
    shares: Floats
    links: Floats
    weights: Floats
    n_rows: int

    @property
    def n_steps(self) -> int:
        """S, the number of decision steps."""
        return len(self.shares)

    def table(self) -> pd.DataFrame:
        """Every link, the largest of a step first: step, column, next column, share of the reading."""
        names = np.asarray([*self.columns, *([f"{self.n_other} others"] if self.n_other else [])], dtype=object)
        parts = []
        for step, link in enumerate(self.links):
            before, after = np.nonzero(link > 0)
            part = {"step": step + 1, "column": names[before], "next step": step + 2, "next column": names[after]}
            parts.append(pd.DataFrame({**part, "share": link[before, after]}).sort_values("share", ascending=False))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def reading_flow(
    explanation: MaskExplanation, positions: Integers | None = None, *, max_columns: int = 8
) -> ReadingFlow:
    """The flow over rows.

    Args:
        explanation: the rows.
        positions: of the rows wanted, all when absent.
        max_columns: columns named; those read least are put together.
    """
    n_steps, n_features = explanation.n_steps, len(explanation.features)
    totals = MaskTotals(explanation.features, n_steps)
    links = np.zeros((max(n_steps - 1, 0), n_features, n_features))
    for part in explanation.chunks(positions):
        totals.add(part)
        for step in range(n_steps - 1):
            links[step] += part.masks[step].T @ part.masks[step + 1]
    summary = totals.summary()
    links /= max(summary.n_rows, 1)
    read = summary.mean_masks.sum(axis=0)
    order = np.argsort(-read, kind="stable")
    most = max_columns if n_features > max_columns + 1 else n_features  # never one column as "others"
    named = order[:most]
    folding = np.zeros((n_features, most + (n_features > most)))
    folding[named, np.arange(most)] = 1
    folding[order[most:], -1] = 1 if n_features > most else folding[order[most:], -1]
    return ReadingFlow(
        columns=tuple(explanation.features[place] for place in named.tolist()),
        n_other=n_features - most,
        shares=summary.mean_masks @ folding,
        links=np.einsum("fc,sfg,gd->scd", folding, links, folding),
        weights=summary.mean_step_shares,
        n_rows=summary.n_rows,
    )


def flow_sentences(flow: ReadingFlow) -> tuple[str, ...]:
    """What each step reads first of all, and what the step after it reads then: one sentence a step."""
    said = []
    for step in range(flow.n_steps):
        shares = flow.shares[step, : len(flow.columns)]
        leading = [place for place in np.argsort(-shares, kind="stable")[:_MOST_NAMED].tolist() if shares[place] > 0]
        names = joined([_named(flow.columns[place], float(shares[place])) for place in leading])
        if not leading:
            continue
        if step == 0:
            said.append(say("First, step 1 reads {columns}.", columns=names))
        else:
            said.append(say("Then step {step} reads {columns}.", step=step + 1, columns=names))
    return tuple(said)


def _named(column: str, share: float) -> str:
    return say("{column} ({share})", column=column_name(column), share=percent(share))


def path_table(paths: LeadingPaths, *, limit: int = 12) -> pd.DataFrame:
    """The most frequent paths: the column that each step reads most, with rows and share of all rows."""
    columns = paths.columns[:limit]
    steps = {
        f"step {step + 1}": [paths.features[place] for place in columns[:, step].tolist()]
        for step in range(columns.shape[1])
    }
    return pd.DataFrame({**steps, "rows": paths.counts[:limit], "share": paths.shares[:limit]})
