"""The same rows under slightly other conditions: perturbed cells, other background rows, other seeds.

Shapes: B rows, M background rows, P players, K outputs, R repetitions, T targets.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.estimates import Estimate, bootstrap_estimate
from tabnet_engine.explain.subject import ChosenRows, LogitModel
from tabnet_engine.explain.trust.finding import Control, Family, Finding, measure_rows, subject_of
from tabnet_engine.explain.trust.reasons import kept_share, random_repetitions
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.explain.trust.similarity import row_spearman
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import predicted_codes

__all__ = [
    "RANDOM_REASONS",
    "SHUFFLED_ROWS",
    "Cause",
    "decision_findings",
    "decisions_of",
    "importance_finding",
    "kept_finding",
    "other_backgrounds",
    "perturbed_rows",
]

RANDOM_REASONS = msg("values dealt out at random")
SHUFFLED_ROWS = msg("decisions dealt out at random")

_KEPT = msg("share of repetitions that keep the leading {n_leading} columns ({cause})")
_KEPT_SIGNED = msg("share of repetitions that keep the leading {n_leading} columns with their sign ({cause})")
_N_DRAWS = 4  # for each perturbed copy wanted: those that change the prediction are left out
_SAME_PREDICTION = 0.1  # of the spread of a regression's predictions over the background
_N_DEALS = 20

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What differs between repetitions: ``key`` for programs, ``words`` for people, ``how`` as a sentence."""

    key: str
    words: str
    how: str


def perturbed_rows(
    model: LogitModel,
    targets: TargetCodecs,
    chosen: ChosenRows,
    background: EncodedTable,
    *,
    fraction: float,
    n_repetitions: int,
    seed: int,
) -> list[ChosenRows]:
    """Copies of the rows whose numbers are moved a little and whose prediction stays.

    Every number moves by an evenly drawn amount of at most ``fraction`` of its column's standard deviation over the
    background. Categories, dates, missing cells and columns that are constant in the background stay. Copies whose
    predicted class changes, or whose predicted number moves by more than a tenth of the predictions' standard
    deviation, are left out.

    Args:
        model: what is explained.
        targets: what its outputs stand for.
        chosen: the rows (B).
        background: encoded background rows (M), which give each column's scale.
        fraction: of a column's standard deviation.
        n_repetitions: copies of each row.
        seed: of the draws; a row's depend on it and on its row number alone.

    Returns:
        Up to R tables of copies; a row stands in as many as it has copies, so later tables may be shorter.

    Raises:
        ExplanationError: no column holds numbers that could be moved.
    """
    n_draws = _N_DRAWS * n_repetitions
    copies = moved_copies(model.layout, chosen, background, fraction=fraction, n_copies=n_draws, seed=seed)
    same = _same_prediction(model, targets, chosen.table, copies, background).reshape(len(chosen), n_draws)
    # The place of each copy that counts among its row's: 0 for the first, and so on.
    place = np.where(same, np.cumsum(same, axis=1) - 1, -1)
    tables = [_copies_at(place == index, copies, chosen, fraction) for index in range(n_repetitions)]
    return [table for table in tables if len(table)]


def moved_copies(
    layout: InputLayout, chosen: ChosenRows, background: EncodedTable, *, fraction: float, n_copies: int, seed: int
) -> EncodedTable:
    """All copies (B times R, those of one row together) that :func:`perturbed_rows` chooses from.

    Raises:
        ExplanationError: no column holds numbers that could be moved.
    """
    scale = _scales(layout, background)
    if not (scale > 0).any():
        raise ExplanationError("no column holds numbers that vary, so no row can be perturbed a little")
    moves = np.stack([
        np.random.default_rng((seed, int(row), 2)).uniform(-1, 1, (n_copies, len(scale))) for row in chosen.rows
    ])  # fmt: skip
    numeric = chosen.table.numeric[:, None, :] + (fraction * scale * moves).astype(np.float32)
    return EncodedTable(
        numeric.reshape(len(chosen) * n_copies, len(scale)),
        np.repeat(chosen.table.categorical, n_copies, axis=0),
    )


def _copies_at(wanted: npt.NDArray[np.bool_], copies: EncodedTable, chosen: ChosenRows, fraction: float) -> ChosenRows:
    owners, _ = np.nonzero(wanted)
    taken = copies.take(np.flatnonzero(wanted.reshape(-1)))
    selection = say(
        "{rows}, numbers moved by up to {fraction:g} standard deviations", rows=chosen.selection, fraction=fraction
    )
    return ChosenRows(taken, chosen.rows[owners], selection)


def _scales(layout: InputLayout, background: EncodedTable) -> Floats:
    """Standard deviation of each numeric slot over the background; 0 for slots that are not a plain number."""
    slots = Counter((*layout.numeric_feature, *layout.categorical_feature))
    scales = np.zeros(len(layout.numeric_feature))
    for slot, feature in enumerate(layout.numeric_feature):
        known = background.numeric[np.isfinite(background.numeric[:, slot]), slot]
        if slots[feature] == 1 and len(known) > 1:
            scales[slot] = known.astype(np.float64).std()
    return scales


def _same_prediction(
    model: LogitModel, targets: TargetCodecs, rows: EncodedTable, copies: EncodedTable, background: EncodedTable
) -> npt.NDArray[np.bool_]:
    """Whether each copy is predicted as its row is, in every target."""
    n_copies = len(copies) // max(1, len(rows))
    own, theirs = model.logits(rows), model.logits(copies)
    spread = model.logits(background).std(axis=0)
    same = np.ones(len(copies), dtype=bool)
    for codec, place in zip(targets.codecs, targets.slices, strict=True):
        before = np.repeat(own[:, place], n_copies, axis=0)
        if codec.task is Task.REGRESSION:
            moved = np.abs(theirs[:, place] - before)
            same &= (moved <= _SAME_PREDICTION * spread[place]).all(axis=1)
        else:
            same &= predicted_codes(codec.task, theirs[:, place]) == predicted_codes(codec.task, before)
    return same


def other_backgrounds(background: BackgroundSample, *, n_repetitions: int, seed: int) -> list[BackgroundSample]:
    """Backgrounds as another draw could have given them: the rows drawn with replacement (the bootstrap)."""
    samples = []
    for repetition in range(n_repetitions):
        facts, n_rows = background.background, len(background.encoded)
        drawn = np.random.default_rng((seed, repetition, 3)).integers(0, n_rows, n_rows)
        described = dataclasses.replace(
            facts,
            description=say("{rows}, drawn again with replacement", rows=facts.description),
            rows=facts.rows[drawn],
        )
        samples.append(BackgroundSample(described, background.encoded.take(drawn)))
    return samples


def kept_finding(
    original: RowValues,
    repetitions: Sequence[RowValues],
    *,
    cause: Cause,
    top_k: int,
    seed: int,
    of_target: str = "",
    useless: Mapping[str, RowValues] | None = None,
) -> Finding:
    """In which share of the repetitions a row's leading columns lead again, with their sign; mean over rows.

    Args:
        original: the explanation whose leading columns are looked at.
        repetitions: explanations of the same rows under other conditions.
        cause: what differs between repetitions.
        top_k: how many columns lead.
        seed: of the random deals.
        of_target: whose values these are, for several targets.
        useless: by name further explanations to put in a repetition's place.
    """
    controls = {RANDOM_REASONS: _mean_of_deals(original, repetitions, top_k, seed)}
    for name, other in (useless or {}).items():
        controls[name] = kept_share(original, [other], top_k=top_k)
    n_leading = min(top_k, len(original.features))
    name = _KEPT_SIGNED if original.is_signed else _KEPT
    return measure_rows(
        kept_share(original, repetitions, top_k=top_k),
        controls,
        bounds=(0.0, 1.0),
        family=Family.STABILITY,
        key=f"kept reasons, {cause.key}",
        name=say(name, n_leading=n_leading, cause=cause.words),
        subject=subject_of(original.method, of_target),
        how=say("{how} Mean over rows of the share of repetitions.", how=cause.how),
        seed=seed,
        best=1.0,
    )


def _mean_of_deals(original: RowValues, repetitions: Sequence[RowValues], top_k: int, seed: int) -> Floats:
    deals = [
        kept_share(original, random_repetitions(repetitions, seed=seed + deal * len(repetitions)), top_k=top_k)
        for deal in range(_N_DEALS)
    ]
    return np.asarray(np.mean(deals, axis=0))


def importance_finding(trainings: Sequence[RowValues], *, of_target: str = "", seed: int) -> Finding:
    """Rank correlation of the mean sizes of the columns, averaged over all pairs of trainings.

    Args:
        trainings: the same method's values for the same rows, of each training.
        of_target: whose values these are, for several targets.
        seed: of the bootstrap over rows and of the random deals.
    """
    sizes = np.stack([training.sizes for training in trainings])
    generator = np.random.default_rng(seed)
    dealt = np.stack([generator.permuted(sizes.mean(axis=1), axis=1) for _ in range(_N_DEALS)])
    control = np.mean([_mean_correlation(deal) or 0.0 for deal in dealt])

    def measured(rows: Ints) -> float | None:
        return _mean_correlation(sizes[:, rows].mean(axis=1))

    estimate = bootstrap_estimate(measured, sizes.shape[1], seed=seed)
    return Finding(
        family=Family.STABILITY,
        key="importance ranks, seed",
        name=say("rank correlation of the global importances between trainings"),
        subject=subject_of(trainings[0].method, of_target),
        estimate=estimate,
        controls=(_constant_control(RANDOM_REASONS, float(control), estimate),),
        how=say(
            "Mean size of each column over the rows for each of {n_trainings} trainings; Spearman's rank correlation "
            "averaged over all pairs of trainings, bootstrapped over rows.",
            n_trainings=len(trainings),
        ),
        n_rows=sizes.shape[1],
        seed=seed,
        best=1.0,
    )


def _mean_correlation(importances: Floats) -> float | None:
    """Mean rank correlation over all pairs of importances (R, P); None where no pair has one."""
    pairs = list(combinations(range(len(importances)), 2))
    first, second = (importances[[pair[side] for pair in pairs]] for side in (0, 1))
    correlations = row_spearman(first, second)
    known = correlations[np.isfinite(correlations)]
    return float(known.mean()) if len(known) else None


def _constant_control(name: str, value: float, estimate: Estimate) -> Control:
    """A control that is known without error beside the estimate's."""
    shifted = {
        edge: None if getattr(estimate, edge) is None else getattr(estimate, edge) - value
        for edge in ("value", "low", "high")
    }
    return Control(
        name=name,
        estimate=Estimate(value=value, n=estimate.n, how=say("mean over random deals")),
        advantage=Estimate(**shifted, n=estimate.n, how=estimate.how),
    )


def decisions_of(targets: TargetCodecs, logits: Floats) -> dict[str, Ints]:
    """The predicted class (B,) of every target that has classes."""
    return {
        codec.name: predicted_codes(codec.task, logits[:, place])
        for codec, place in zip(targets.codecs, targets.slices, strict=True)
        if codec.task is not Task.REGRESSION
    }


def decision_findings(
    trained: Mapping[str, Ints], again: Sequence[Mapping[str, Ints]], *, seed: int
) -> tuple[Finding, ...]:
    """In which share of the retrainings a row is decided as by the run, for each target with classes.

    Args:
        trained: by target the run's decisions (B,).
        again: the same of each retraining.
        seed: of the shuffled control.
    """
    found = []
    generator = np.random.default_rng(seed)
    for target, own in trained.items():
        others = np.stack([decisions[target] for decisions in again])
        shuffled = np.stack([(generator.permutation(own) == others).mean(axis=0) for _ in range(_N_DEALS)])
        found.append(
            measure_rows(
                (others == own).mean(axis=0),
                {SHUFFLED_ROWS: shuffled.mean(axis=0)},
                bounds=(0.0, 1.0),
                family=Family.STABILITY,
                key="decisions, seed",
                name=say("share of retrainings that decide as the run does"),
                subject=say("predicted class of '{target}'", target=target),
                how=say(
                    "Each row's predicted class by {n_networks} networks trained anew with other seeds, which also "
                    "split the table anew; mean over rows.",
                    n_networks=len(again),
                ),
                seed=seed,
                best=1.0,
            )
        )
    return tuple(found)
