"""Explaining rows of any table with a run, as the long table of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.targets import usable_rows
from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain import long_table, store
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.attribution_store import MergedFacts
from tabnet_engine.explain.background import BackgroundSample, choose_rows, strata, substitute_background
from tabnet_engine.explain.background_choice import Candidates, choose_background
from tabnet_engine.explain.effects.permutation import FEWEST_ROWS, permutation_importance
from tabnet_engine.explain.evaluation import EvaluationRows, draw_evaluation
from tabnet_engine.explain.masks import iterate_masks
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.resumable import Checkpoint, explain_in_chunks
from tabnet_engine.explain.row_filter import parse_filter
from tabnet_engine.explain.signed.methods import METHODS, REFUSED
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.jobs.explaining import (
    PERMUTATION,
    check_budgets,
    mask_rows,
    method_phase,
    phases_of,
    signed_method,
    spread_rows,
)
from tabnet_engine.jobs.monitor import EXPLAINING, Monitor
from tabnet_engine.runs.artefact import Run
from tabnet_engine.runs.run import WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLE_METHODS", "Asked", "check_methods", "explain_table"]

TABLE_METHODS = ("masks", *METHODS, PERMUTATION)

Facts = Callable[[], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which rows of the table, and how the work is kept.

    ``rows`` are row numbers from 0 and ``where`` conditions that must all hold; without either it is the whole
    table. ``groups`` are columns that move together. ``is_own`` says that the table is the one the run was trained
    on, so that its splits are known. ``checkpoint`` keeps what is explained for going on after an interruption,
    which ``said`` is told.
    """

    rows: tuple[int, ...] = ()
    where: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_own: bool = False
    checkpoint: Path | None = None
    said: Callable[[str], None] = lambda _: None


def explain_table(
    run: Run,
    frame: pd.DataFrame,
    methods: Sequence[str],
    config: ExplainConfig,
    *,
    asked: Asked | None = None,
    monitor: Monitor | None = None,
) -> tuple[Iterator[pd.DataFrame], Facts]:
    """Explain rows of any table with a run.

    Args:
        run: the run; its stored background is used unless ``config`` asks for another, which is then drawn from the
            table. An imported run, which knows no training rows, takes a background from the table.
        frame: the raw table, with the columns the run reads.
        methods: any of :data:`TABLE_METHODS`.
        config: budget and background, and how many rows of a whole table the signed methods explain.
        asked: which rows, and how the work is kept.
        monitor: follows the work.

    Returns:
        The long table in pieces, and the facts to write beside it, which are complete once every piece was taken.

    Raises:
        ConfigError: an unknown method, or one that cannot explain this network.
        ExplanationError: a budget that cannot be met, or no row to explain.
        SchemaError: columns that the run reads are missing or of another type.
    """
    check_methods(methods)
    monitor = (monitor or Monitor(phases=EXPLAINING)).split("Explaining", phases_of(methods))
    work = _Work(run, frame, config, asked or Asked(), monitor)
    work.check(methods)
    return work.pieces(methods), work.facts


def check_methods(methods: Sequence[str]) -> None:
    """Refuse methods that do not exist or cannot explain this network.

    Raises:
        ConfigError: the first that is refused, with the reason.
    """
    for name in methods:
        if name in REFUSED:
            raise ConfigError(f"{name} is refused: {REFUSED[name]}")
    if not methods or not set(methods) <= set(TABLE_METHODS):
        raise ConfigError(f"--methods takes any of {', '.join(TABLE_METHODS)}, got {','.join(methods)!r}")


class _Work:
    """One request: everything that can be refused is refused when it is made."""

    def __init__(self, run: Run, frame: pd.DataFrame, config: ExplainConfig, asked: Asked, monitor: Monitor) -> None:
        self._run, self._frame, self._config, self._asked, self._monitor = run, frame, config, asked, monitor
        self._subject = Subject.of_run(run)
        self._encoded = run.encoder.transform(frame)
        if len(self._encoded) == 0:
            raise ExplanationError("the table has no rows to explain")
        self._players = Players.grouped(self._subject.features, asked.groups)
        self._chosen = _chosen_rows(run, frame, self._encoded, asked)
        self._facts: dict[str, dict[str, Any]] = {}

    def check(self, methods: Sequence[str]) -> None:
        """Refuse what the signed methods would refuse only after others had their turn."""
        signed = [name for name in methods if name in METHODS]
        if not signed:
            return
        if self._chosen is None and self._config.n_shap_rows == 0:
            raise ExplanationError(
                f"n_shap_rows is 0, so {signed[0]} would explain no row; raise it, or leave {signed[0]} out of "
                "--methods"
            )
        check_budgets(signed, self._config, len(self._players), n_background=len(self._background.encoded))

    def pieces(self, methods: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The long table, piece by piece, in the order of the methods; rows and background are chosen at once."""
        return chain.from_iterable([self._pieces_of(name) for name in dict.fromkeys(methods)])

    def _pieces_of(self, name: str) -> Iterator[pd.DataFrame]:
        if name == "masks":
            return self._mask_pieces()
        if name == PERMUTATION:
            return self._permutation(self._evaluation())
        return self._signed_pieces(name, self._background)

    def facts(self) -> dict[str, Any]:
        """What a reader needs to know beside the table."""
        return long_table.sidecar(self._run.run_id, self._facts)

    def _mask_pieces(self) -> Iterator[pd.DataFrame]:
        rows = self._chosen or mask_rows(self._run, self._encoded, self._config)
        for part in iterate_masks(self._subject, rows, steering=self._monitor.steering(method_phase("masks"))):
            self._facts["masks"] = long_table.mask_facts(part, len(rows), self._left_out(rows, "max_mask_rows"))
            yield long_table.mask_table(part)

    def _signed_pieces(self, name: str, background: BackgroundSample) -> Iterator[pd.DataFrame]:
        rows = self._chosen or spread_rows(self._encoded, self._config.n_shap_rows)
        asked, merged = self._asked, None
        parts = explain_in_chunks(
            self._subject,
            rows,
            background,
            signed_method(name, self._config, dict(asked.groups)),
            checkpoint=None if asked.checkpoint is None else Checkpoint(asked.checkpoint / name, asked.said),
            weights=self._run.manifest.parts[WEIGHTS],
            steering=self._monitor.steering(method_phase(name)),
        )
        for part in parts:
            merged = merged or MergedFacts(part)
            merged.add(part)
            yield long_table.attribution_table(part)
        if merged is not None:
            self._facts[name] = long_table.method_facts(
                merged.to_mapping(), self._left_out(rows, "n_shap_rows"), _error_words(part)
            )

    def _permutation(self, evaluation: EvaluationRows) -> Iterator[pd.DataFrame]:
        found = permutation_importance(
            self._subject,
            self._run.targets,
            evaluation.chosen,
            evaluation.y,
            players=self._players,
            seed=self._config.seed,
            steering=self._monitor.steering(method_phase(PERMUTATION), "columns"),
        )
        missing = len(self._encoded) - len(found.rows)
        left_out = [f"{missing:,} of {len(self._encoded):,} rows: it is measured on {evaluation.description}"]
        self._facts[PERMUTATION] = long_table.permutation_facts(found, left_out if missing else ())
        yield long_table.permutation_table(found)

    def _left_out(self, rows: ChosenRows, setting: str) -> list[str]:
        """Why rows of the table are not explained by a method, one sentence each."""
        missing = len(self._encoded) - len(rows)
        if missing == 0:
            return []
        if self._chosen is not None:
            return [f"{missing:,} of {len(self._encoded):,} rows, which were not asked for"]
        return [f"{missing:,} of {len(self._encoded):,} rows, since {setting} is {len(rows):,} (spread evenly)"]

    @cached_property
    def _background(self) -> BackgroundSample:
        """The run's own background, or one drawn from the table as the settings ask."""
        run, config = self._run, self._config
        asks, is_kept = config.background != "training", store.has_explanations(run, store.BACKGROUND)
        if is_kept and not asks:
            return store.load_background(run)
        if asks or (self._asked.is_own and len(run.splits.train)):
            return choose_background(self._subject, run.targets, run.schema, self._candidates(), config)
        if len(run.splits.train):
            raise ExplanationError(
                f"the run {run.manifest.title!r} holds no background rows, since it was never explained; give the "
                "table that it was trained on, or choose a background from this one with --background"
            )
        return substitute_background(self._encoded, n_rows=config.n_background, seed=config.seed)

    def _candidates(self) -> Candidates:
        if self._asked.is_own and len(self._run.splits.train):
            return Candidates(frame=self._frame, encoded=self._encoded, rows=self._run.splits.train)
        everything = np.arange(len(self._encoded), dtype=np.int64)
        return Candidates(frame=self._frame, encoded=self._encoded, rows=everything, name="rows of the explained table")

    def _evaluation(self) -> EvaluationRows:
        """The rows for permutation, enough of them."""
        found = self._drawn_evaluation()
        if found.n_rows < FEWEST_ROWS:
            raise ExplanationError(
                f"permutation needs at least {FEWEST_ROWS} rows with a known target, got {found.n_rows}; choose more "
                "rows, raise n_importance_rows or leave permutation out of --methods"
            )
        return found

    def _drawn_evaluation(self) -> EvaluationRows:
        """The rows asked for, the held-out ones of the run's own table, else any."""
        run, config = self._run, self._config
        if self._chosen is None and self._asked.is_own and len(run.splits.train):
            return draw_evaluation(run, self._frame, self._encoded, n_rows=config.n_importance_rows, seed=config.seed)
        labelled, _ = usable_rows(self._frame, run.schema)
        if self._chosen is not None:
            rows = labelled[np.isin(labelled, self._chosen.rows)]
            if len(rows) == 0:
                raise ExplanationError("permutation needs the target, which is missing in all of the chosen rows")
            everything = run.targets.encode(self._frame, rows=rows)
            chosen = ChosenRows.from_table(self._encoded, rows, self._chosen.selection)
            return EvaluationRows(chosen=chosen, y=everything, description=chosen.selection)
        everything = run.targets.encode(self._frame, rows=labelled)
        y, task, target = strata(run.targets, everything)
        drawn = choose_rows(
            self._encoded,
            labelled,
            y,
            task=task,
            n_rows=config.n_importance_rows,
            seed=config.seed,
            name="rows of the explained table",
            target=target,
        )
        places = np.searchsorted(labelled, drawn.rows)
        return EvaluationRows(chosen=drawn, y=everything[places], description=drawn.selection)


def _chosen_rows(run: Run, frame: pd.DataFrame, encoded: EncodedTable, asked: Asked) -> ChosenRows | None:
    """The rows asked for by number or by conditions; None for the whole table.

    Raises:
        ExplanationError: a row that the table does not have, both ways of asking, or conditions that no row meets.
    """
    if asked.rows and asked.where:
        raise ExplanationError("rows are chosen by number or by a condition, not by both; give --row or --where")
    if asked.where:
        condition = parse_filter(asked.where, run.schema)
        rows = condition.positions(frame)
        return ChosenRows.from_table(encoded, rows, f"{len(rows):,} of {len(encoded):,} rows, with {condition}")
    if not asked.rows:
        return None
    wrong = [row for row in asked.rows if not 0 <= row < len(encoded)]
    if wrong:
        raise ExplanationError(
            f"the table has no row {wrong[0]:,}; its rows are numbered from 0 to {len(encoded) - 1:,}"
        )
    rows = np.unique(np.array(asked.rows, dtype=np.int64))
    shown = ", ".join(f"{row}" for row in rows[:5].tolist()) + (", …" if len(rows) > 5 else "")
    return ChosenRows.from_table(encoded, rows, f"row {shown}" if len(rows) == 1 else f"rows {shown}")


def _error_words(part: Attribution) -> str | None:
    return "of the sampling of column orders" if part.standard_error is not None else None
