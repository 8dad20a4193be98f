"""What the comparison of runs reads, cached by the parts that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import data_access, explain_access
from tabnet_engine.explain import store, stored_arrays
from tabnet_engine.explain.comparison.comparing import EvidenceFindings, findings
from tabnet_engine.explain.comparison.evidence import Evidence, stored_evidence
from tabnet_engine.explain.comparison.rows import same_table
from tabnet_engine.explain.comparison.stored import (
    ComputedComparison,
    comparison_part,
    has_comparison,
    load_comparison,
)
from tabnet_engine.explain.comparison.targets import SharedTarget, shared_targets
from tabnet_engine.runs.run import WEIGHTS
from tabnet_engine.texts.speaking import ENGLISH, say, speaking

if TYPE_CHECKING:
    from tabnet_engine.runs.run import Run

__all__ = ["Pair", "computed", "pair_of", "run_labels", "tables_for", "targets_of"]

TOP_K = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two runs, what they say of the same rows, and what follows from it; texts are English.

    ``is_own_table`` says whether row numbers are those of the table that both runs know, so that a row can be opened.
    """

    first: Run
    second: Run
    evidence: Evidence
    found: EvidenceFindings
    is_own_table: bool = True


def run_labels(runs: list[Run]) -> list[str]:
    """What each run is called here: its title, with the time where two have the same."""
    titles = [run.manifest.title for run in runs]
    return [
        title if titles.count(title) == 1 else f"{title} · {run.manifest.created[:19].replace('T', ' ')}"
        for run, title in zip(runs, titles, strict=True)
    ]


def targets_of(first: Run, second: Run) -> tuple[SharedTarget, ...]:
    """What both runs predict alike; nothing where one is a pretraining."""
    if first.is_pretraining or second.is_pretraining:
        return ()
    return shared_targets(first.targets, second.targets)


def pair_of(first: Run, second: Run, target: SharedTarget, label: str, *, with_reasons: bool) -> Pair:
    """The rows that both runs stored, and what follows from them."""
    has_table = same_table(first, second) and explain_access.frame(first) is not None
    key = "~".join((_digest(first), _digest(second), str(has_table)))
    with st.spinner(say("Setting the runs side by side")):
        return _stored(key, target, label, with_reasons, first, second)


@st.cache_resource(show_spinner=False, max_entries=3)
def _stored(
    key: str,  # noqa: ARG001 - the key
    target: SharedTarget,
    label: str,
    with_reasons: bool,  # noqa: FBT001 - a part of the key
    _first: Run,
    _second: Run,
) -> Pair:
    with speaking(ENGLISH):
        frame = explain_access.frame(_first) if same_table(_first, _second) else None
        evidence = stored_evidence(_first, _second, target, frame, label=label, with_reasons=with_reasons)
        return Pair(first=_first, second=_second, evidence=evidence, found=findings(evidence, top_k=TOP_K))


def computed(first: Run, second: Run) -> tuple[ComputedComparison, Pair] | None:
    """The comparison that was computed anew and kept with the second run; None when there is none."""
    if not has_comparison(first, second):
        return None
    part = comparison_part(first)
    key = "~".join((first.run_id, second.run_id, second.manifest.parts[f"{part}.parquet"]))
    with st.spinner(say("Reading the comparison")):
        return _computed(key, first, second)


@st.cache_resource(show_spinner=False, max_entries=3)
def _computed(key: str, _first: Run, _second: Run) -> tuple[ComputedComparison, Pair] | None:  # noqa: ARG001 - as above
    with speaking(ENGLISH):
        kept = load_comparison(_first, _second)
        if kept is None:
            return None
        found = findings(kept.evidence, top_k=TOP_K)
        own = all(run.manifest.dataset.sha256 == kept.table_sha256 for run in (_first, _second))
        return kept, Pair(first=_first, second=_second, evidence=kept.evidence, found=found, is_own_table=own)


def tables_for(first: Run, second: Run) -> dict[str, str]:
    """Tables of the workspace that have every column that either run reads, by id; the first run's own comes first."""
    needed = data_access.columns_read(first.run_id) | data_access.columns_read(second.run_id)
    names = data_access.dataset_names()
    fitting = [
        dataset_id
        for dataset_id in names
        if needed <= {column.name for column in data_access.schema(dataset_id).columns}
    ]
    own = first.manifest.dataset.dataset_id
    return {dataset_id: names[dataset_id] for dataset_id in sorted(fitting, key=lambda item: item != own)}


def _digest(run: Run) -> str:
    """Changes with whatever of a run a comparison reads."""
    parts = (f"{store.MASKS}.parquet", *(f"{store.SHAP}{end}" for end in (".parquet", ".json")))
    others = (name for name in run.manifest.parts if name.startswith(f"{stored_arrays.FOLDER}/attribution-"))
    names = dict.fromkeys((WEIGHTS, *parts, *others))
    return "-".join((run.run_id, *(run.manifest.parts.get(name, "")[:12] for name in names)))
