"""Whether one row's leading reasons stay: measured for this row alone, or taken from the run's certificate.

Shapes: B rows, P players, K outputs, k leading columns of the row.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.signed.methods import explain_rows
from tabnet_engine.explain.subject import ChosenRows
from tabnet_engine.explain.trust.reasons import KeptReasons, kept_reasons
from tabnet_engine.explain.trust.row_values import MASKS, RowValues, looked_at
from tabnet_engine.explain.wording import column_name, joined
from tabnet_engine.texts.recalling import recalled
from tabnet_engine.texts.speaking import msg, say, say_plural

if TYPE_CHECKING:
    from tabnet_engine.data.target_set import TargetCodecs
    from tabnet_engine.explain.background import BackgroundSample
    from tabnet_engine.explain.single_row import RowExplainer
    from tabnet_engine.explain.trust.certificate import Certificate

__all__ = ["RowRobustness", "certified_robustness", "measured_robustness", "robustness_sentences"]

_FRACTION = 0.05  # of a column's standard deviation, as in the certificate
_FIRM, _SHAKY = 0.9, 0.6  # shares of repetitions
_LEADING = 3  # columns that count as the reasons of a row
_LEAST = 3
_CAUSES = (msg("numbers moved by up to 0.05 standard deviations"), msg("background rows drawn again"))


@dataclass(frozen=True, kw_only=True, eq=False)
class RowRobustness:
    """How often each leading reason of one row stayed, for every cause that was tried.

    ``reasons`` hold this row alone. ``is_certified`` says that they come from the certificate of the run.
    """

    row: int
    reasons: tuple[KeptReasons, ...]
    is_certified: bool

    def table(self) -> pd.DataFrame:
        """One line for each leading column, method and cause; shares from 0 to 1."""
        lines = [
            {
                "column": kept.features[leader],
                "method": kept.method,
                "cause": kept.cause,
                "kept": float(kept.kept[0, place]),
                "sign_kept": float(kept.sign_kept[0, place]),
                "repetitions": int(kept.repetitions[0]),
            }
            for kept in self.reasons
            for place, leader in enumerate(kept.leaders[0].tolist())
            if leader >= 0 and np.isfinite(kept.kept[0, place])
        ]
        return pd.DataFrame(lines, columns=["column", "method", "cause", "kept", "sign_kept", "repetitions"])


def certified_robustness(
    certificate: Certificate,
    targets: TargetCodecs,
    logits: npt.NDArray[np.float64],
    row: int,
    output: int,
    method: str = "shap",
) -> RowRobustness | None:
    """What the certificate measured of this row's reasons.

    Args:
        certificate: of the run.
        targets: the run's targets.
        logits: the row's logits (K), which tell the output that the certificate looked at.
        row: its row number in the table.
        output: place of the output whose reasons are asked for.
        method: the signed method whose reasons are asked for, beside the masks.

    Returns:
        None where the row was not among those measured, or another output was.
    """
    target = targets.owner(output)[0].name
    if int(looked_at(targets, logits[None])[target][0]) != output:
        return None
    found = [
        _of_row(kept, int(np.flatnonzero(kept.rows == row)[0]))
        for kept in certificate.reasons
        if kept.target == target and kept.method in (MASKS, method) and row in kept.rows
    ]
    measured = tuple(kept for kept in found if kept.repetitions[0] > 0)
    if not any(kept.method == method for kept in measured):
        return None
    return RowRobustness(row=row, reasons=measured, is_certified=True)


def _of_row(kept: KeptReasons, place: int) -> KeptReasons:
    return KeptReasons(
        cause=kept.cause,
        method=kept.method,
        target=kept.target,
        features=kept.features,
        **{
            name: getattr(kept, name)[[place]]
            for name in ("rows", "leaders", "values", "kept", "sign_kept", "repetitions")
        },
    )


def measured_robustness(
    explainer: RowExplainer,
    targets: TargetCodecs,
    cells: pd.DataFrame,
    row: int,
    output: int,
    *,
    n_repetitions: int = 20,
    seconds: float = 2.0,
    seed: int = 0,
) -> RowRobustness:
    """Explain copies of the row with slightly moved numbers, and the row against other backgrounds.

    Half of the time goes to either; it stops after ``n_repetitions`` or when the time is over, but never before
    three repetitions. How many there were is said by the result. Copies that are decided otherwise than the row do
    not count, so a row at the edge of a decision may have none.

    Args:
        explainer: the network, its background and the method of the values that are shown.
        targets: the run's targets.
        cells: the row's raw cells, one line.
        row: its row number in the table.
        output: place of the output among the K.
        n_repetitions: the most repetitions for each cause.
        seconds: about how long it may take.
        seed: of the moves and of the draws.

    Raises:
        ExplanationError: the row cannot be explained.
        SchemaError: a cell is not what its column's kind holds.
    """
    chosen = ChosenRows(explainer.encoder.transform(cells), np.array([row], dtype=np.int64), f"row {row}")
    again = _Again(explainer, chosen, output, n_repetitions, seconds / 2, seed)
    original = again.values(chosen, explainer.background)
    target = targets.owner(output)[0].name
    found = [
        kept_reasons(original, repetitions, cause=cause, target=target, top_k=_LEADING)
        for cause, repetitions in zip(_CAUSES, (again.moved(targets), again.other_backgrounds()), strict=True)
        if repetitions
    ]
    return RowRobustness(row=row, reasons=tuple(found), is_certified=False)


@dataclass(frozen=True)
class _Again:
    """The row explained again and again; ``seconds`` for each of the two causes."""

    explainer: RowExplainer
    chosen: ChosenRows
    output: int
    n_repetitions: int
    seconds: float
    seed: int

    def values(self, chosen: ChosenRows, background: BackgroundSample) -> RowValues:
        found = explain_rows(self.explainer.subject, chosen, background, self.explainer.method)
        values = RowValues.of_attribution(found, np.array([self.output], dtype=np.int64))
        return dataclasses.replace(values, method=self.explainer.shown_as)

    def moved(self, targets: TargetCodecs) -> list[RowValues]:
        """Of copies with slightly moved numbers; none where no column holds numbers that vary."""
        from tabnet_engine.explain.trust.stability import perturbed_rows

        background = self.explainer.background
        try:
            copies = perturbed_rows(
                self.explainer.subject,
                targets,
                self.chosen,
                background.encoded,
                fraction=_FRACTION,
                n_repetitions=self.n_repetitions,
                seed=self.seed,
            )
        except ExplanationError:
            return []
        return self._until(self.values(copy, background) for copy in copies)

    def other_backgrounds(self) -> list[RowValues]:
        from tabnet_engine.explain.trust.stability import other_backgrounds

        drawn = other_backgrounds(self.explainer.background, n_repetitions=self.n_repetitions, seed=self.seed)
        return self._until(self.values(self.chosen, sample) for sample in drawn)

    def _until(self, repetitions: Iterator[RowValues]) -> list[RowValues]:
        """Repetitions until the time is over, at least three of them; each is made when it is asked for."""
        started, done = time.perf_counter(), list[RowValues]()
        for repetition in repetitions:
            done.append(repetition)
            if len(done) >= _LEAST and time.perf_counter() - started > self.seconds:
                break
        return done


def robustness_sentences(robustness: RowRobustness, *, method: str | None = None) -> tuple[str, ...]:
    """Which leading reasons are firm and which are not, the least over all causes counting; then how it was measured.

    Args:
        robustness: of the row.
        method: whose reasons are told; of all when absent.
    """
    table = robustness.table()
    table = table if method is None else table[table["method"] == method]
    if not len(table):
        return (say("No repetition could be made, so nothing can be said of how firm the reasons of this row are."),)
    least = table.groupby("column", sort=False)["sign_kept"].min()
    firm = [column_name(name) for name in least.index[least >= _FIRM]]
    shaky = [column_name(name) for name in least.index[least < _SHAKY]]
    between = [column_name(name) for name in least.index[(least >= _SHAKY) & (least < _FIRM)]]
    sentences = []
    if firm:
        sentences.append(
            say("Firm, kept with their direction in at least 9 of 10 repetitions: {columns}.", columns=joined(firm))
        )
    if between:
        sentences.append(say("Mostly kept, but not always: {columns}.", columns=joined(between)))
    if shaky:
        sentences.append(
            say("Not firm, lost or turned in more than 4 of 10 repetitions: {columns}.", columns=joined(shaky))
        )
    counts = table.groupby("cause", sort=False)["repetitions"].max()
    for cause, count in counts.items():
        sentences.append(
            say_plural(
                "Measured by {count} repetition: {cause}.",
                "Measured by {count:,} repetitions: {cause}.",
                int(count),
                cause=recalled(str(cause)),
            )
        )
    return tuple(sentences)
