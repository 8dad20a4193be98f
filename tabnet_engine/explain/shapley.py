"""Shapley values of raw columns by the ``shap`` package's PermutationExplainer.

Shapes: B explained rows, M background rows, F raw features, K outputs, R orders of the columns.

One raw column is one player: a date's parts, an embedded category, a missing state move as a whole.
The value of a coalition is the mean logit over the background rows with the coalition's columns set to
the explained row's (the interventional game, Lundberg & Lee 2017; antithetic orders as in Mitchell et
al. 2022, "Sampling permutations for Shapley value estimation"). Each order is walked forwards and
backwards, which makes the sum exact and removes the error of all pairwise interactions.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.raw_columns import ColumnMasker, RawColumnCodes, distinct_rows
from tabnet_engine.explain.subject import ChosenRows, LogitModel, Steering

__all__ = [
    "DEFAULT_PERMUTATIONS",
    "MAX_FEATURES",
    "MAX_FORWARDS",
    "MAX_FORWARDS_PER_ROW",
    "check_budget",
    "default_evaluations",
    "shap_values",
    "warm_up",
]

DEFAULT_PERMUTATIONS = 10
MAX_FEATURES = 500
MAX_FORWARDS_PER_ROW = 10_000_000
MAX_FORWARDS = 5_000_000_000
MAX_CELLS = 40_000_000  # shap holds all coalitions of one order at once: (2F + 1) * M * F numbers
CELLS_AT_ONCE = 4_000_000  # coalitions of several orders that go through the network together
CHUNK_ROWS = 256

_ADDITIVITY = 1e-4
# shap draws its orders from numpy's global generator; two threads must not draw from it at once.
_GLOBAL_RANDOMNESS = threading.Lock()
_IMPORTING = threading.Lock()

Floats = npt.NDArray[np.float64]


def default_evaluations(n_features: int) -> int:
    """Ten orders of the columns: ``10 * (2F + 1)`` coalitions for each explained row."""
    return DEFAULT_PERMUTATIONS * (2 * n_features + 1)


def shap_values(
    model: LogitModel,
    chosen: ChosenRows,
    background: BackgroundSample,
    *,
    n_evaluations: int | None = None,
    seed: int = 0,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows.

    Each row's orders depend on ``seed`` and its row number alone, so a row gets the same values alone or
    among others. The standard error comes from the R orders, which are independent repetitions.

    Args:
        model: gives logits of encoded rows.
        chosen: the rows to explain (B).
        background: what replaces the columns that a coalition does not know (M).
        n_evaluations: coalitions per explained row, at least ``2F + 1``; ten orders by default.
        seed: of the orders.
        steering: told the rows done after each row; may cancel.

    Raises:
        ExplanationError: a budget too small, a request beyond the stated bounds, or values that fail their check.
        JobCancelledError: the steering asked to stop.
    """
    steering = steering or Steering()
    n_features = model.layout.n_features
    n_permutations = check_budget(n_features, len(chosen), background.background.n_rows, n_evaluations)
    logits = model.logits(chosen.table)
    base = model.logits(background.encoded).mean(axis=0)
    means, errors = [], []
    steering.step(0, len(chosen))
    for start in range(0, len(chosen), CHUNK_ROWS):
        part = np.arange(start, min(start + CHUNK_ROWS, len(chosen)))
        explainer = _RowExplainer(
            model, RawColumnCodes.build(model.layout, background.encoded, chosen.table.take(part))
        )
        for index in part.tolist():
            repetitions = explainer.explain(index - start, _row_seeds(seed, int(chosen.rows[index]), n_permutations))
            means.append(repetitions.mean(axis=0))
            errors.append(_standard_error(repetitions))
            steering.step(index + 1, len(chosen))
    values = np.stack(means)
    return Attribution(
        method="shap",
        features=model.layout.feature_names,
        outputs=model.outputs,
        rows=chosen.rows,
        values=values,
        base=base,
        logits=logits,
        background=background.background,
        n_evaluations=n_permutations * (2 * n_features + 1),
        n_permutations=n_permutations,
        seed=seed,
        additivity_error=_additivity_error(values, base, logits),
        standard_error=np.stack(errors) if n_permutations > 1 else None,
        selection=chosen.selection,
        run_id=model.run_id,
    )


def check_budget(n_features: int, n_rows: int, n_background: int, n_evaluations: int | None) -> int:
    """The number of orders that the budget pays for; made before anything is computed.

    Args:
        n_features: F, raw columns.
        n_rows: rows to explain.
        n_background: background rows.
        n_evaluations: coalitions per explained row; ten orders by default.

    Raises:
        ExplanationError: too few evaluations, or too much work; the text says what to change.
    """
    if n_rows == 0:
        raise ExplanationError("there is no row to explain; choose at least one row")
    if n_features > MAX_FEATURES:
        raise ExplanationError(
            f"SHAP values are computed for at most {MAX_FEATURES:,} columns and this run reads {n_features:,}; "
            "use the masks, or train with fewer columns"
        )
    least = 2 * n_features + 1
    wanted = default_evaluations(n_features) if n_evaluations is None else n_evaluations
    if wanted < least:
        raise ExplanationError(
            f"{wanted:,} evaluations are too few for {n_features:,} columns: at least {least:,} are needed, two for "
            "each column and one more; raise n_evaluations"
        )
    per_row = wanted * n_background
    if per_row > MAX_FORWARDS_PER_ROW:
        raise ExplanationError(
            f"{wanted:,} evaluations over {n_background:,} background rows are {per_row:,} predictions for each "
            f"explained row, at most {MAX_FORWARDS_PER_ROW:,} are allowed; lower n_evaluations or n_background"
        )
    if per_row * n_rows > MAX_FORWARDS:
        raise ExplanationError(
            f"{n_rows:,} rows at {per_row:,} predictions each exceed the {MAX_FORWARDS:,} predictions of one request; "
            "lower n_shap_rows, n_evaluations or n_background"
        )
    if least * n_background * n_features > MAX_CELLS:
        most = MAX_CELLS // (least * n_features)
        raise ExplanationError(
            f"{n_background:,} background rows of {n_features:,} columns need too much memory; "
            f"lower n_background to {most:,} or less"
        )
    return wanted // least


def _row_seeds(seed: int, row: int, n_permutations: int) -> list[int]:
    state: list[int] = np.random.SeedSequence([seed, row]).generate_state(n_permutations).tolist()
    return state


def _standard_error(repetitions: Floats) -> Floats:
    """Standard error (F, K) of the mean of independent repetitions (R, F, K); zero for a single one."""
    n = len(repetitions)
    if n == 1:
        return np.zeros(repetitions.shape[1:])
    error: Floats = repetitions.std(axis=0, ddof=1) / np.sqrt(n)
    return error


def _additivity_error(values: Floats, base: Floats, logits: Floats) -> float:
    """Largest |sum of values + base - logit|.

    Raises:
        ExplanationError: it is beyond rounding, so the values must not be shown. A network in which small
            differences grow from step to step predicts a row differently beside other rows.
    """
    error = float(np.abs(values.sum(axis=1) + base - logits).max())
    scale = max(1.0, float(np.abs(logits).max()), float(np.abs(base).max()))
    if not error <= _ADDITIVITY * scale:
        raise ExplanationError(
            f"the SHAP values failed their own check and are not kept: they miss the score by {error:.2g}, since this "
            "network magnifies rounding; train with fewer n_steps or a smaller learning_rate"
        )
    return error


class _RowExplainer:
    """shap's explainer over the codes of one chunk of rows."""

    def __init__(self, model: LogitModel, codes: RawColumnCodes) -> None:
        self._shap = warm_up()
        self._model = model
        self._codes = codes
        self._masker = ColumnMasker(codes.background)

    def explain(self, index: int, seeds: list[int]) -> Floats:
        """One repetition (F, K) for each seed, each from one order of the columns that differ."""
        row = self._codes.explained[index]
        n_varying = int((row != self._codes.background).any(axis=0).sum())
        per_order = (2 * n_varying + 1) * self._codes.background.size
        size = max(1, CELLS_AT_ONCE // per_order)
        groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
        return np.concatenate([self._explain_at_once(row, n_varying, group) for group in groups])

    def _explain_at_once(self, row: Floats, n_varying: int, seeds: list[int]) -> Floats:
        """Repetitions (R, F, K). shap evaluates one order after the other, in batches too small for a network.

        It is therefore run twice: first to hear what it asks, then, with all questions of all orders
        answered by one forward pass, for the values. The seeds make both runs ask the same.
        """
        sheet = _AnswerSheet(self._model, self._codes)
        for seed in seeds:
            self._one_order(sheet.ask, row, n_varying, seed)
        sheet.fill()
        return np.stack([self._one_order(sheet.answer, row, n_varying, seed) for seed in seeds])

    def _one_order(self, evaluate: Callable[[Floats], Floats], row: Floats, n_varying: int, seed: int) -> Floats:
        with _restored_global_randomness():
            explainer = self._shap.PermutationExplainer(evaluate, self._masker, seed=seed)
            explanation = explainer(row[None, :], max_evals=2 * n_varying + 1, silent=True)
        # shap drops the axis of the outputs when there is only one.
        return np.asarray(explanation.values, dtype=np.float64).reshape(len(row), len(self._model.outputs))


class _AnswerSheet:
    """Questions (mixtures of codes) in the order asked, and their answers (logits)."""

    def __init__(self, model: LogitModel, codes: RawColumnCodes) -> None:
        self._model = model
        self._codes = codes
        self._questions: list[Floats] = []
        self._answers: list[Floats] = []

    def ask(self, mixed: Floats) -> Floats:
        """Note a question (B, F); the reply is a placeholder."""
        self._questions.append(mixed)
        return np.zeros((len(mixed), len(self._model.outputs)))

    def fill(self) -> None:
        """Answer every different question once."""
        everything = np.concatenate(self._questions)
        first, inverse = distinct_rows(everything)
        logits = self._evaluate(everything[first])[inverse]
        ends = np.cumsum([len(question) for question in self._questions])[:-1]
        self._answers = np.split(logits, ends)

    def answer(self, mixed: Floats) -> Floats:
        """The answer to the next question; another one than expected is evaluated on the spot.

        That happens when another thread draws from numpy's global generator at the same time.
        """
        expected, answer = self._questions.pop(0), self._answers.pop(0)
        return answer if np.array_equal(expected, mixed) else self._evaluate(mixed)

    def _evaluate(self, mixed: Floats) -> Floats:
        return self._model.logits(self._codes.decode(mixed))


@contextmanager
def _restored_global_randomness() -> Iterator[None]:
    """Undo what shap does: it seeds numpy's global generator, which the caller may draw from."""
    with _GLOBAL_RANDOMNESS:
        before: Any = np.random.get_state()  # noqa: NPY002  # the legacy global state is the one shap overwrites
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002  # as above


def warm_up() -> Any:
    """Import shap, some two seconds, so that the first explanation does not wait; safe from any thread.

    shap's kernels stay uncompiled: compiling takes numba 4 to 13 seconds in every process and saves a
    tenth of a millisecond for each order of the columns, because :class:`ColumnMasker` does their work.

    Returns:
        The module.
    """
    config: Any = importlib.import_module("numba").config
    with _IMPORTING:
        before = config.DISABLE_JIT
        config.DISABLE_JIT = True
        try:
            return importlib.import_module("shap")
        finally:
            config.DISABLE_JIT = before
