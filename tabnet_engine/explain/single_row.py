"""One decision, explained at once: masks, step contributions and SHAP values of a single row.

Shapes: F raw features, K outputs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.encoding import CellState, TableEncoder
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.masks import MaskExplanation, explain_masks
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Subject

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = ["RowExplainer", "RowExplanation", "cell_texts", "method_like"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowExplanation:
    """Everything there is to say about one row.

    ``texts`` are the row's cells as the user knows them, by column. ``missing`` and ``unseen`` name the
    columns whose cell was missing, or held a category that training never saw.
    """

    row: int
    texts: dict[str, str]
    missing: tuple[str, ...]
    unseen: tuple[str, ...]
    masks: MaskExplanation
    attribution: Attribution

    @property
    def logits(self) -> npt.NDArray[np.float64]:
        """The row's logits (K)."""
        logits: npt.NDArray[np.float64] = self.masks.logits[0]
        return logits


@dataclass(frozen=True)
class RowExplainer:
    """A loaded network that explains one row after another: a decision page, what-if.

    A row that is also stored with the run gets the same SHAP values here, because the orders of the
    columns depend on the seed and the row number alone.
    """

    subject: Subject
    encoder: TableEncoder
    background: BackgroundSample
    method: SignedMethod
    shown_as: str = "shap"  # the method of the stored values that these stand beside

    @classmethod
    def of_run(cls, run: Run, config: ExplainConfig | None = None, *, like: Attribution | None = None) -> Self:
        """Load network and background of a stored run.

        Args:
            run: the run.
            config: budget and seed; the default ones when absent.
            like: stored values whose method, budget and seed are used instead.

        Raises:
            ExplanationError: the run has no stored background.
            DamagedRunError: a part of the run is damaged.
        """
        from tabnet_engine.explain.store import load_background

        config = config or ExplainConfig()
        method = SignedMethod(n_evaluations=config.n_evaluations, target_error=config.target_error, seed=config.seed)
        if like is not None:
            method = method_like(like)
        shown_as = "shap" if like is None else like.method
        return cls(Subject.of_run(run), run.encoder, load_background(run), method, shown_as)

    def explain(self, cells: pd.DataFrame, *, row: int = 0) -> RowExplanation:
        """Explain a table of one line.

        Args:
            cells: the raw cells, one line.
            row: the row's number in its table, for labels and for the orders of the columns.

        Raises:
            ExplanationError: not exactly one line.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        chosen = self._chosen(cells, row)
        texts, missing, unseen = cell_texts(self.encoder, cells)
        return RowExplanation(
            row=row,
            texts=texts,
            missing=missing,
            unseen=unseen,
            masks=explain_masks(self.subject, chosen),
            attribution=self._attribution(chosen),
        )

    def by_method(self, cells: pd.DataFrame, name: str, *, row: int = 0) -> Attribution:
        """The same line by another method with its default budget, against the same background and column groups.

        Args:
            cells: the raw cells, one line.
            name: a key of ``METHODS`` in :mod:`tabnet_engine.explain.signed.methods`.
            row: the row's number in its table, for labels and for what is drawn at random.

        Raises:
            ConfigError: an unknown method, or one that cannot explain this network.
            ExplanationError: not exactly one line, or a budget that the method cannot meet.
            SchemaError: a column is absent, or a cell is not what its column's kind holds.
        """
        chosen = self._chosen(cells, row)
        method = SignedMethod(name=name, seed=self.method.seed, groups=self.method.groups)
        return explain_rows(self.subject, chosen, self.background, method)

    def _chosen(self, cells: pd.DataFrame, row: int) -> ChosenRows:
        if len(cells) != 1:
            raise ExplanationError(f"one row is explained at a time, got {len(cells):,}")
        return ChosenRows(self.encoder.transform(cells), np.array([row], dtype=np.int64), f"row {row}")

    def _attribution(self, chosen: ChosenRows) -> Attribution:
        found = explain_rows(self.subject, chosen, self.background, self.method)
        return dataclasses.replace(found, method=self.shown_as)


def method_like(stored: Attribution) -> SignedMethod:
    """The request that gives a row the values that it has, or would have, in a stored attribution.

    "shap" decides between exact and sampled values by the budget that was asked for, which may be more than what
    was used: here it is asked for as what it was.
    """
    is_exact = stored.standard_error is None and stored.n_permutations == 0
    name = stored.method
    if name == "shap":
        name = "exact" if is_exact else "sampling"
    return SignedMethod(
        name=name,
        n_evaluations=None if name == "exact" else stored.n_evaluations,
        target_error=stored.target_error,
        seed=stored.seed,
        groups=stored.groups,
    )


def cell_texts(encoder: TableEncoder, cells: pd.DataFrame) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Texts of one row's cells by column, the columns that are missing, those with an unseen category."""
    names = encoder.layout.feature_names
    states = encoder.cell_states(cells)[0]
    shown = encoder.display_values(cells).iloc[0]
    texts = {name: str(shown[name]) for name in names}
    missing = tuple(name for name, state in zip(names, states, strict=True) if state == CellState.MISSING)
    unseen = tuple(name for name, state in zip(names, states, strict=True) if state == CellState.UNSEEN)
    return texts, missing, unseen
