"""Finding archetypes and describing their rows, in memory or chunk by chunk for a table of any length.

Shapes: B rows, S steps, F raw features, A archetypes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.archetype_clusters import MAX_SAMPLE, PathClusters, cluster_paths
from tabnet_engine.explain.archetype_names import SILENT_NAME, path_names
from tabnet_engine.explain.archetypes import Archetype, Archetypes, StepRead, TargetRates
from tabnet_engine.explain.estimates import Estimate, mean_estimate, proportion_estimate
from tabnet_engine.explain.masks import CHUNK_ROWS, MaskExplanation, explain_masks, iterate_masks
from tabnet_engine.explain.row_outcomes import SPLIT_NAMES, RowOutcomes
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject

__all__ = ["describe_archetypes", "find_archetypes", "find_archetypes_of_rows"]

_NAMED_COLUMNS = 6
_SAMPLE_CELLS, _FEWEST_SAMPLE = 2_000_000, 500  # a bound on the work for tables of hundreds of columns

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def find_archetypes(
    explanation: MaskExplanation,
    outcomes: Mapping[str, RowOutcomes] | None = None,
    *,
    n_archetypes: int | None = None,
    seed: int = 0,
) -> Archetypes:
    """Archetypes of explained rows that are in memory; found on at most :data:`MAX_SAMPLE` of them.

    Args:
        explanation: the rows (B).
        outcomes: prediction and outcome of exactly these rows, by target; without them no rates are given.
        n_archetypes: how many; None chooses, as :func:`cluster_paths` says.
        seed: of the sample and of the clusters' starts.

    Raises:
        ExplanationError: no row, or a number of archetypes that these rows do not have.
        ValueError: the outcomes are of other rows.
    """
    if explanation.n_rows == 0:
        raise ExplanationError("there is no explained row to find archetypes in; explain at least one row")
    sample = explanation.take(_sample(explanation.n_rows, explanation.n_steps * len(explanation.features), seed))
    clusters = cluster_paths(sample, n_archetypes=n_archetypes, seed=seed)
    return describe_archetypes(_chunks(explanation), clusters, outcomes)


def find_archetypes_of_rows(
    subject: Subject,
    chosen: ChosenRows,
    outcomes: Mapping[str, RowOutcomes] | None = None,
    *,
    n_archetypes: int | None = None,
    seed: int = 0,
    steering: Steering | None = None,
) -> Archetypes:
    """The same for rows whose masks are computed here and never held together: memory for a chunk is enough.

    Raises:
        ExplanationError: as :func:`find_archetypes`.
        JobCancelledError: the steering asked to stop.
    """
    positions = _sample(len(chosen), subject.network.encoder.n_steps * len(subject.features), seed)
    drawn = ChosenRows(chosen.table.take(positions), chosen.rows[positions], chosen.selection)
    clusters = cluster_paths(explain_masks(subject, drawn), n_archetypes=n_archetypes, seed=seed)
    return describe_archetypes(iterate_masks(subject, chosen, steering=steering), clusters, outcomes)


def describe_archetypes(
    parts: Iterable[MaskExplanation], clusters: PathClusters, outcomes: Mapping[str, RowOutcomes] | None = None
) -> Archetypes:
    """Give every row its cluster and say what each cluster reads and how its rows fare.

    Raises:
        ExplanationError: there is no row.
        ValueError: the outcomes are of other rows.
    """
    totals: _Totals | None = None
    for part in parts:
        totals = totals or _Totals(part, clusters)
        totals.add(part)
    if totals is None:
        raise ExplanationError("there is no explained row to find archetypes in; explain at least one row")
    order, codes = _by_size(np.concatenate(totals.codes), totals.n_clusters)
    rows = np.concatenate(totals.rows)
    for name, known in (outcomes or {}).items():
        if not np.array_equal(known.rows, rows):
            raise ValueError(f"the outcomes of {name!r} must be those of exactly the explained rows")
    paths = [totals.path(cluster) for cluster in order]
    loud = path_names([path for path, cluster in zip(paths, order, strict=True) if cluster < totals.n_clusters])
    names = [*loud, SILENT_NAME][: len(order)]
    archetypes = tuple(
        _archetype(name, path, totals, cluster, np.flatnonzero(codes == place), outcomes or {})
        for place, (name, path, cluster) in enumerate(zip(names, paths, order, strict=True))
    )
    return Archetypes(
        archetypes=archetypes,
        rows=rows,
        codes=codes,
        n_sample=clusters.n_sample,
        seed=clusters.seed,
        rule=clusters.rule,
        silhouette=clusters.silhouette,
        selection=totals.selection,
        run_id=totals.run_id,
    )


def _sample(n_rows: int, width: int, seed: int) -> Integers:
    """Positions of the rows to find clusters on; fewer where their paths are wide."""
    most = min(MAX_SAMPLE, max(_FEWEST_SAMPLE, _SAMPLE_CELLS // width))
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:most]).astype(np.int64)


def _chunks(explanation: MaskExplanation) -> Iterator[MaskExplanation]:
    for start in range(0, explanation.n_rows, CHUNK_ROWS):
        yield explanation.take(np.arange(start, min(start + CHUNK_ROWS, explanation.n_rows)))


class _Totals:
    """Sums for each cluster, and for the rows without an active step, which come last."""

    def __init__(self, part: MaskExplanation, clusters: PathClusters) -> None:
        self.clusters, self.n_clusters = clusters, len(clusters.centres)
        self.features, self.selection, self.run_id = part.features, part.selection, part.run_id
        self.codes: list[Integers] = []
        self.rows: list[Integers] = []
        self.nearest = np.full(self.n_clusters + 1, np.inf)
        self.medoids = np.zeros(self.n_clusters + 1, dtype=np.int64)
        self.counts = np.zeros(self.n_clusters + 1)
        self.reading = np.zeros((self.n_clusters + 1, part.n_steps, len(part.features)))
        self.shares = np.zeros((self.n_clusters + 1, part.n_steps))

    def add(self, part: MaskExplanation) -> None:
        """Count the rows of one explanation in."""
        nearest, distance = self.clusters.assign(part)
        codes = np.where(nearest < 0, self.n_clusters, nearest)
        step_shares = part.step_shares
        for cluster in np.unique(codes).tolist():
            members = np.flatnonzero(codes == cluster)
            self.counts[cluster] += len(members)
            weights = step_shares[:, members].astype(np.float64)
            if cluster == self.n_clusters:  # no step weighed anything: their masks count alike
                weights = np.ones_like(weights)
            self.reading[cluster] += np.einsum("sb,sbf->sf", weights, part.masks[:, members])
            self.shares[cluster] += weights.sum(axis=1)
            closest = members[distance[members].argmin()]
            if distance[closest] < self.nearest[cluster]:
                self.nearest[cluster], self.medoids[cluster] = distance[closest], part.rows[closest]
        self.codes.append(codes)
        self.rows.append(part.rows)

    def path(self, cluster: int) -> tuple[StepRead, ...]:
        """What the steps read in a cluster."""
        silent = cluster == self.n_clusters
        mean_shares = np.zeros(len(self.shares[cluster])) if silent else self.shares[cluster] / self.counts[cluster]
        return tuple(
            StepRead(step=step + 1, share=float(mean_shares[step]), columns=self._columns(cluster, step))
            for step in range(len(mean_shares))
        )

    def _columns(self, cluster: int, step: int) -> tuple[tuple[str, float], ...]:
        total = self.shares[cluster, step]
        mask = self.reading[cluster, step] / total if total > 0 else np.zeros(len(self.features))
        leading = np.argsort(-mask, kind="stable")[:_NAMED_COLUMNS].tolist()
        return tuple((self.features[place], float(mask[place])) for place in leading if mask[place] > 0)


def _by_size(codes: Integers, n_clusters: int) -> tuple[list[int], Integers]:
    """Clusters that have rows, the largest first and the silent one last; and each row's place among them."""
    counts = np.bincount(codes, minlength=n_clusters + 1)
    present = [cluster for cluster in range(n_clusters) if counts[cluster]]
    order = sorted(present, key=lambda cluster: -counts[cluster])
    if counts[n_clusters]:
        order.append(n_clusters)
    place = np.full(n_clusters + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return order, place[codes]


def _archetype(
    name: str,
    path: tuple[StepRead, ...],
    totals: _Totals,
    cluster: int,
    members: Integers,
    outcomes: Mapping[str, RowOutcomes],
) -> Archetype:
    n_all = sum(map(len, totals.codes))
    return Archetype(
        made_name=name,
        path=path,
        size=proportion_estimate(len(members), n_all),
        n_rows=len(members),
        medoid=int(totals.medoids[cluster]),
        rates=tuple(_rates(target, known.take(members)) for target, known in outcomes.items()),
        is_silent=cluster == totals.n_clusters,
    )


def _rates(target: str, outcomes: RowOutcomes) -> TargetRates:
    # Rows that the training learned from would make the error look smaller than it is.
    unlearned = outcomes.known & (outcomes.split != SPLIT_NAMES.index("training"))
    if outcomes.task is Task.REGRESSION:
        error = mean_estimate(outcomes.error[unlearned])
    else:
        error = proportion_estimate(int(outcomes.wrong[unlearned].sum()), int(unlearned.sum()))
    return TargetRates(
        target=target,
        task=outcomes.task,
        actual=_spread_of(outcomes, outcomes.actual[outcomes.known]),
        predicted=_spread_of(outcomes, outcomes.predicted),
        error=error,
    )


def _spread_of(outcomes: RowOutcomes, values: Floats) -> dict[str, Estimate]:
    """The share of each class, or the mean of a quantity."""
    if outcomes.task is Task.REGRESSION:
        return {"mean": mean_estimate(values)}
    counts = np.bincount(values.astype(np.int64), minlength=len(outcomes.classes)).tolist()
    return {name: proportion_estimate(count, len(values)) for name, count in zip(outcomes.classes, counts, strict=True)}
