"""From a run to its certificate: which rows, against what, and what the table allows besides."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine import __version__
from tabnet_engine.config import CertifyConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain import store
from tabnet_engine.explain.background import (
    BackgroundSample,
    draw_background,
    strata,
    stratified_positions,
    substitute_background,
)
from tabnet_engine.explain.evaluation import draw_evaluation, has_evaluation, load_evaluation
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.explain.trust.assessment import Assessment
from tabnet_engine.explain.trust.certificate import Certificate, save_certificate
from tabnet_engine.explain.trust.finding import Family
from tabnet_engine.explain.trust.retraining import Retrained, retrain, why_not_retrained
from tabnet_engine.jobs.monitor import Monitor
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.runs.manifest import utc_now
from tabnet_engine.runs.run import WEIGHTS, Run
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.callbacks import Cancellation, Progress, ProgressReport

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CERTIFYING", "DEFAULT_RETRAININGS", "certify_run"]

# Where each phase starts and ends on the bar; without retrainings the last one is skipped over.
CERTIFYING = {
    "Explaining": (0.0, 0.1),
    msg("Faithfulness"): (0.1, 0.25),
    msg("Randomisation"): (0.25, 0.35),
    msg("Stability"): (0.35, 0.6),
    msg("Retraining"): (0.6, 1.0),
}
DEFAULT_RETRAININGS = 3  # with a table


def certify_run(run: Run, frame: pd.DataFrame | None, config: CertifyConfig, *, monitor: Monitor | None = None) -> Run:
    """Measure how far the run's explanations can be trusted, and store the certificate with the run.

    Args:
        run: a trained or imported run.
        frame: the table that it was trained on; any table with its columns for an imported run. Without it the
            stored evaluation rows are used, and nothing is trained again.
        config: what is measured.
        monitor: follows the work; its phases are set here.

    Raises:
        ExplanationError: a pretraining, no rows to measure on, a budget that cannot be met, or retrainings asked for
            without what they need.
        SchemaError: ``frame`` is not the run's table.
        StorageError: the run folder cannot be written.
        JobCancelledError: the monitor asked to stop; the run stays as it was.
    """
    monitor = dataclasses.replace(monitor or Monitor(), phases=CERTIFYING)
    subject = Subject.of_run(run)
    n_retrainings, gap = _retrainings(run, frame, config)
    chosen, background = _rows(run, frame, config)
    work = Assessment(subject, run.targets, chosen, background, config, _Parts(monitor, _n_parts(config, run)))
    work.agreement()
    work.faithfulness()
    work.randomisation()
    work.perturbations()
    work.backgrounds()
    if frame is not None and n_retrainings:
        trained = list(_retrained(run, frame, chosen, background, n_retrainings, monitor))
        work.seeds([(one.subject, one.chosen, one.background) for one in trained])
    else:
        work.found.miss(Family.STABILITY, "stability to the seed of the training", gap)
        monitor.report(JobProgress(phase="Stability", fraction=1.0, message="done"))
    return save_certificate(run, _certificate(run, work, config.replace(n_retrainings=n_retrainings)))


def _certificate(run: Run, work: Assessment, config: CertifyConfig) -> Certificate:
    facts, found = work.background.background, work.found
    return Certificate(
        run_id=run.run_id,
        title=run.manifest.title,
        weights_sha256=run.manifest.parts[WEIGHTS],
        created=utc_now(),
        versions={"engine": __version__, "python": platform.python_version(), "torch": version("torch")},
        settings=config.to_mapping(),
        rows=work.chosen.selection,
        background=f"a background of {facts.n_rows:,} rows ({facts.description})",
        algorithms=work.algorithms,
        findings=tuple(found.findings),
        not_measured=tuple(found.not_measured),
        agreement=tuple(found.agreement),
        curves=tuple(found.curves),
        faithfulness=tuple(found.faithfulness),
        reasons=tuple(found.reasons),
    )


def _retrainings(run: Run, frame: pd.DataFrame | None, config: CertifyConfig) -> tuple[int, str]:
    """How often to train again, and why not where it is never.

    Raises:
        ExplanationError: the user asked for retrainings that cannot be.
    """
    if frame is None:
        reason = "it needs the table that the run was trained on; give it with --table"
    else:
        reason = why_not_retrained(run) or ""
    if reason:
        if config.n_retrainings:
            raise ExplanationError(
                f"n_retrainings is {config.n_retrainings}, but the run cannot be retrained: {reason}"
            )
        return 0, reason
    wanted = DEFAULT_RETRAININGS if config.n_retrainings is None else config.n_retrainings
    return wanted, "no training from another seed was asked for (n_retrainings is 0)"


def _rows(run: Run, frame: pd.DataFrame | None, config: CertifyConfig) -> tuple[ChosenRows, BackgroundSample]:
    """The rows to measure on, in the order of the table, and the background."""
    if frame is None:
        return _stored_rows(run, config), _fewer(store.load_background(run), config)
    encoded = run.encoder.transform(frame)
    if not len(run.splits.train):
        if len(encoded) == 0:
            raise ExplanationError("the table has no rows to measure on")
        places = np.unique(np.linspace(0, len(encoded) - 1, min(config.n_rows, len(encoded))).astype(np.int64))
        selection = f"{len(places):,} of {len(encoded):,} rows, spread evenly over the table"
        chosen = ChosenRows.from_table(encoded, places, selection)
        return chosen, substitute_background(encoded, n_rows=config.n_background, seed=config.seed)
    if len(frame) != run.manifest.dataset.n_rows:
        raise SchemaError(
            f"the table has {len(frame):,} rows, but the run was trained on one of {run.manifest.dataset.n_rows:,}; "
            "give the table that it was trained on, or none to use the rows that the run holds"
        )
    _check_same_cells(run, encoded)
    chosen = draw_evaluation(run, frame, encoded, n_rows=config.n_rows, seed=config.seed).chosen
    if store.has_explanations(run, store.BACKGROUND):
        return chosen, _fewer(store.load_background(run), config)
    rows = run.splits.train
    y, task, target = strata(run.targets, run.targets.encode(frame, rows=rows))
    n_rows, seed = config.n_background, config.seed
    return chosen, draw_background(encoded, rows, y, task=task, n_rows=n_rows, seed=seed, target=target)


def _check_same_cells(run: Run, encoded: EncodedTable) -> None:
    """Compare the table with the rows that the run keeps: another one of as many rows would be measured in silence.

    Raises:
        SchemaError: a row has other cells.
    """
    kept: list[tuple[npt.NDArray[np.int64], EncodedTable]] = []
    if store.has_explanations(run, store.BACKGROUND):
        sample = store.load_background(run)
        kept.append((sample.background.rows, sample.encoded))
    if has_evaluation(run):
        evaluation = load_evaluation(run).chosen
        kept.append((evaluation.rows, evaluation.table))
    for rows, cells in kept:
        same = np.zeros(len(rows), dtype=bool)
        there = rows < len(encoded)
        now, then = encoded.take(rows[there]), cells.take(np.flatnonzero(there))
        same[there] = _equal(now.numeric, then.numeric) & _equal(now.categorical, then.categorical)
        if not same.all():
            raise SchemaError(
                f"the table is not the one that the run was trained on: its row {rows[~same][0]:,} has other cells; "
                "give the table that it was trained on, or none to use the rows that the run holds"
            )


def _equal(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows are alike in every cell, missing ones included."""
    alike: npt.NDArray[np.bool_] = ((first == second) | (np.isnan(first) & np.isnan(second))).all(axis=1)
    return alike


def _stored_rows(run: Run, config: CertifyConfig) -> ChosenRows:
    """A stratified sample of the evaluation rows that explaining stored."""
    if not has_evaluation(run):
        raise ExplanationError(
            f"the run {run.manifest.title!r} holds no evaluation rows to measure on; explain it again, or give a "
            "table with --table"
        )
    evaluation = load_evaluation(run)
    y, task, _ = strata(run.targets, evaluation.y)
    places = stratified_positions(y, config.n_rows, task=task, seed=config.seed)
    if len(places) == evaluation.n_rows:
        return evaluation.chosen
    rows = evaluation.take(places).chosen
    return dataclasses.replace(rows, selection=f"{len(rows):,} of: {evaluation.description}")


def _fewer(sample: BackgroundSample, config: CertifyConfig) -> BackgroundSample:
    """At most ``n_background`` of the background rows, which its description then says."""
    facts = sample.background
    if facts.n_rows <= config.n_background:
        return sample
    places = np.linspace(0, facts.n_rows - 1, config.n_background).astype(np.int64)
    described = f"{len(places):,} of: {facts.description}"
    fewer = dataclasses.replace(facts, rows=facts.rows[places], description=described)
    return BackgroundSample(fewer, sample.encoded.take(places))


def _retrained(
    run: Run, frame: pd.DataFrame, chosen: ChosenRows, background: BackgroundSample, n_retrainings: int,
    monitor: Monitor,
) -> Iterator[Retrained]:  # fmt: skip
    for index in range(n_retrainings):

        def follow(report: ProgressReport, index: int = index) -> None:
            # The last tenth is for explaining with the networks that were trained.
            share = 0.9 * (index + report.fraction) / n_retrainings
            message = f"training {index + 1} of {n_retrainings}, epoch {report.epoch}"
            monitor.report(
                JobProgress(phase="Retraining", fraction=monitor.overall("Retraining", share), message=message)
            )

        yield retrain(
            run, frame, chosen, background.background, seed_step=index + 1,
            callbacks=(Cancellation(monitor.should_cancel), Progress(follow)),
        )  # fmt: skip


class _Parts:
    """Phases that consist of several explanations of rows, one after the other on the bar."""

    def __init__(self, monitor: Monitor, n_parts: dict[str, int]) -> None:
        self._monitor, self._n_parts = monitor, n_parts
        self._begun = dict.fromkeys(n_parts, 0)
        self._started = time.monotonic()

    def __call__(self, phase: str, what: str) -> Steering:
        """The steering of the next part of a phase."""
        index = self._begun[phase]
        self._begun[phase] += 1

        def progress(done: int, total: int) -> None:
            share = (index + done / max(total, 1)) / max(self._n_parts[phase], index + 1)
            start = 0.9 if phase == "Retraining" else 0.0
            fraction = self._monitor.overall(phase, start + (1 - start) * share)
            message = say("{part}: {done:,} of {total:,} rows", part=what, done=done, total=total)
            self._monitor.report(JobProgress(phase=phase, fraction=fraction, message=message))

        return Steering(progress, self._monitor.should_cancel)


def _n_parts(config: CertifyConfig, run: Run) -> dict[str, int]:
    """How many parts each phase has, at most."""
    n_methods, n_targets = len(config.methods), len(run.targets.codecs)
    n_retrainings = DEFAULT_RETRAININGS if config.n_retrainings is None else config.n_retrainings
    return {
        "Explaining": 2 * n_methods,
        "Faithfulness": n_targets,
        "Randomisation": 4 * n_methods,
        "Stability": 2 * config.n_repetitions * n_methods,
        "Retraining": n_retrainings * n_methods,
    }
