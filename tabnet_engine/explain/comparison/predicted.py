"""Both runs asked anew about the rows of one table: any table that has the columns of both.

Shapes: B rows, K outputs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.config.compare import CompareConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample, stratified_positions
from tabnet_engine.explain.comparison.evidence import Evidence, explained_label
from tabnet_engine.explain.comparison.reasons import PairedReasons, paired_masks, paired_values
from tabnet_engine.explain.comparison.rows import PairedScores, outcomes_of, seen_by
from tabnet_engine.explain.comparison.targets import SharedTarget, shared_targets, why_not_shared
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.data.encoding import EncodedTable
    from tabnet_engine.runs.run import Run

__all__ = ["CHUNK_ROWS", "choose_target", "predicted_evidence"]

CHUNK_ROWS = 65_536

Floats = npt.NDArray[np.float64]


def choose_target(first: Run, second: Run, config: CompareConfig) -> SharedTarget:
    """The target to compare: the one that is named, else the first that both predict.

    Raises:
        ExplanationError: there is none, or the named one is not shared, or has no such class.
    """
    shared = shared_targets(first.targets, second.targets)
    if not shared:
        raise ExplanationError(
            f"the runs {first.manifest.title!r} and {second.manifest.title!r} predict nothing in common: "
            f"{' '.join(why_not_shared(first.targets, second.targets))}"
        )
    found = {target.name: target for target in shared}
    if config.target and config.target not in found:
        raise ExplanationError(f"{config.target!r} is no target of both runs; those are {', '.join(found)}")
    chosen = found[config.target] if config.target else shared[0]
    if config.label and config.label not in chosen.classes:
        raise ExplanationError(
            f"{config.label!r} is no class of {chosen.name!r}; its classes are {', '.join(chosen.classes)}"
        )
    return chosen


def predicted_evidence(
    first: Run,
    second: Run,
    frame: pd.DataFrame,
    config: CompareConfig,
    *,
    table_sha256: str,
    scoring: Steering | None = None,
    explaining: Steering | None = None,
) -> Evidence:
    """Score every row with both runs, and explain a sample of the held-out ones against the same background.

    Args:
        first: a trained run.
        second: another one.
        frame: a table with the columns of both; the target may be missing.
        config: which target and class, how many rows are explained, against how many.
        table_sha256: that of the table's file, to know the rows that a run learned from.
        scoring: follows the scoring, in rows of both runs together.
        explaining: follows the explaining, in rows of both runs together.

    Raises:
        SchemaError: the table lacks a column that one of the runs reads.
        ExplanationError: the runs share no target, or the table has no row.
        JobCancelledError: a steering asked to stop.
    """
    target = choose_target(first, second, config)
    if not len(frame):
        raise ExplanationError("the table has no rows to compare the runs on")
    runs = (first, second)
    encoded = [run.encoder.transform(frame) for run in runs]
    subjects = [Subject.of_run(run) for run in runs]
    logits = _score(subjects, encoded, scoring or Steering())
    rows = np.arange(len(frame), dtype=np.int64)
    owners = [run for run in runs if run.manifest.dataset.sha256 == table_sha256]
    seen, tested = _parts(owners, rows)
    codec, _ = first.targets.of(target.name)
    scores = PairedScores(
        target=target,
        rows=rows,
        y=outcomes_of(codec, target, frame, rows),
        first=target.common(first.targets, logits[0]),
        second=target.common(second.targets, logits[1]),
        seen=seen,
        tested=tested,
        origin=say("All {n_rows:,} rows of the table were scored anew by both runs.", n_rows=len(rows)),
    )
    label = explained_label(target, config.label)
    reasons = _reasons(runs, subjects, encoded, scores, label, config, explaining or Steering())
    gaps = tuple(_unknown_table(run) for run in runs if len(owners) == 1 and run not in owners)
    return Evidence(target=target, label=label, scores=scores, reasons=reasons, gaps=gaps)


def _unknown_table(run: Run) -> str:
    return say(
        "{title} was trained on another table; whether it learned from some of these rows is not known.",
        title=run.manifest.title,
    )


def _parts(owners: list[Run], rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Rows that an owner of the table learned from, and the test rows of all of its owners."""
    if not owners:
        return np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    return seen_by(owners[0], owners[-1], len(rows), rows)


def _score(subjects: list[Subject], encoded: list[EncodedTable], steering: Steering) -> list[Floats]:
    total, done, found = 2 * len(encoded[0]), 0, []
    for subject, table in zip(subjects, encoded, strict=True):
        parts = []
        for start in range(0, len(table), CHUNK_ROWS):
            steering.step(done, total)
            places = np.arange(start, min(start + CHUNK_ROWS, len(table)))
            parts.append(subject.logits(table.take(places)))
            done += len(places)
        found.append(np.concatenate(parts))
    steering.step(total, total)
    return found


def _reasons(
    runs: tuple[Run, Run],
    subjects: list[Subject],
    encoded: list[EncodedTable],
    scores: PairedScores,
    label: str,
    config: CompareConfig,
    steering: Steering,
) -> tuple[PairedReasons, ...]:
    """Masks and SHAP values of the same rows by both runs, against the same background."""
    judged, _ = scores.held_out()
    if config.n_reason_rows == 0 or not judged.n_rows:
        return ()
    places = _draw(judged, config.n_reason_rows, config.seed)
    rows = judged.rows[places]
    chosen = [ChosenRows.from_table(table, rows) for table in encoded]
    background = _background(scores, config)
    masks = paired_masks(*(explain_masks(one, some) for one, some in zip(subjects, chosen, strict=True)))
    method = SignedMethod(name="shap", n_evaluations=config.n_evaluations, seed=config.seed)
    values = [
        explain_rows(
            subject,
            some,
            BackgroundSample(background, table.take(background.rows)),
            method,
            steering=_half(steering, half),
        )
        for half, (subject, some, table) in enumerate(zip(subjects, chosen, encoded, strict=True))
    ]
    outputs = (scores.target.output(runs[0].targets, label), scores.target.output(runs[1].targets, label))
    pairs = (masks, paired_values(values[0], values[1], outputs=outputs))
    counts = {"n_rows": len(places), "n_all": judged.n_rows}
    read = say("Masks of {n_rows:,} of {n_all:,} held-out rows, drawn at random.", **counts)
    moved = say(
        "SHAP values of {n_rows:,} of {n_all:,} held-out rows, drawn at random, of both runs against the same "
        "{n_background:,} background rows ({background}).",
        n_background=background.n_rows,
        background=background.description,
        **counts,
    )
    found = zip(pairs, (read, moved), strict=True)
    return tuple(dataclasses.replace(pair, notes=(note,)) for pair, note in found if pair is not None)


def _half(steering: Steering, half: int) -> Steering:
    """The first (0) or second (1) of two equally long parts of the work that is followed."""

    def progress(done: int, total: int) -> None:
        steering.progress(half * total + done, 2 * total)

    return Steering(progress, steering.should_cancel)


def _draw(scores: PairedScores, n_rows: int, seed: int) -> npt.NDArray[np.int64]:
    """Positions drawn in the shares of the outcomes where all are known, else of the first run's decisions."""
    y: npt.NDArray[Any] = scores.y if scores.known.all() else scores.first.argmax(axis=1)
    task = scores.target.task if scores.known.all() else Task.BINARY
    return stratified_positions(y, n_rows, task=task, seed=seed)


def _background(scores: PairedScores, config: CompareConfig) -> Background:
    """Rows that a run learned from, else any rows of the table, drawn at random."""
    population = scores.rows[scores.seen] if scores.seen.any() else scores.rows
    places = stratified_positions(np.zeros(len(population)), config.n_background, task=Task.BINARY, seed=config.seed)
    counts = {"n_rows": len(places), "n_all": len(population)}
    if scores.seen.any():
        description = say("{n_rows:,} of {n_all:,} rows that a run learned from, drawn at random", **counts)
    else:
        description = say("{n_rows:,} of {n_all:,} rows of the table, drawn at random", **counts)
    return Background(description=description, rows=population[places], n_population=len(population), kind="explained")
