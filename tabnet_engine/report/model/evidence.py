"""All that a report about a model rests on: what the run stores, what its table shows, what people wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tabnet_engine.config import ModelConfig
from tabnet_engine.errors import ReportError
from tabnet_engine.explain import store
from tabnet_engine.explain.archetype_store import has_archetypes, load_archetypes
from tabnet_engine.explain.effects.stored import has_effects, load_effects
from tabnet_engine.explain.groups.stored import has_group_audits, has_proxies, load_group_audits, load_proxies
from tabnet_engine.explain.importance_comparison import ImportanceComparison, compare_importances
from tabnet_engine.explain.mask_health import distinct_shares, mask_health
from tabnet_engine.explain.mask_stream import MaskSummary, summarise_stream
from tabnet_engine.explain.trust.certificate import Certificate, has_certificate, load_certificate
from tabnet_engine.report.document import Identity
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.model.judging import JudgedRows, judge
from tabnet_engine.report.model.table_facts import TableFacts, table_facts
from tabnet_engine.runs.run import WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

    from tabnet_engine.explain.archetypes import Archetypes
    from tabnet_engine.explain.effects.overview import EffectOverview
    from tabnet_engine.explain.groups.audit import GroupAudit
    from tabnet_engine.explain.groups.proxies import ProxyReport
    from tabnet_engine.runs.run import Run

__all__ = ["ModelEvidence", "gather"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelEvidence:
    """What is known of a run; what was never computed is None or empty.

    ``table`` is what its table shows, ``judged`` how it does on held-out rows. ``mask_problems`` are the sentences of
    mask health. ``certificate`` is that of the run's own weights; ``has_foreign_certificate`` tells that one of other
    weights is stored, which says nothing.
    """

    run: Run
    identity: Identity
    materials: Materials
    table: TableFacts | None
    judged: JudgedRows | None
    importances: ImportanceComparison | None
    masks: MaskSummary | None
    mask_problems: tuple[str, ...]
    certificate: Certificate | None
    has_foreign_certificate: bool
    audits: tuple[GroupAudit, ...]
    proxies: tuple[ProxyReport, ...]
    archetypes: Archetypes | None
    effects: EffectOverview | None

    @property
    def model_config(self) -> ModelConfig:
        """Settings of the network."""
        return self.run.model_config

    @property
    def is_imported(self) -> bool:
        """Whether the network was not trained here, so that its rows and its history are not known."""
        return not len(self.run.history)

    @property
    def was_tested_elsewhere(self) -> bool:
        """Whether its test scores are those of a second table, which the run does not keep."""
        return "test" in self.run.manifest.metrics and not len(self.run.splits.test)

    @property
    def crossed(self) -> tuple[GroupAudit, ...]:
        """The audits of two columns crossed."""
        return tuple(audit for audit in self.audits if audit.settings.get("crossed_with"))


def gather(run: Run, frame: pd.DataFrame | None, identity: Identity, materials: Materials) -> ModelEvidence:
    """Read and measure everything once.

    Args:
        run: a trained or imported run.
        frame: the table that it was trained on; without it less is known.
        identity: of the report; its seed is that of every resampling.
        materials: what people wrote.

    Raises:
        ReportError: the run is a pretraining, or the table is not the run's own.
        DamagedRunError: what is stored cannot be read.
    """
    if run.is_pretraining:
        raise ReportError(
            f"the run {run.manifest.title!r} is a pretraining, which predicts nothing; train from it, then report on "
            "that run"
        )
    masks = summarise_stream(store.iterate_masks(run)) if store.has_explanations(run, store.MASKS) else None
    distinct = None if frame is None else distinct_shares(frame, run.schema)
    importances = store.load_importances(run) if store.has_explanations(run, store.IMPORTANCE) else ()
    certificate = load_certificate(run) if has_certificate(run) else None
    is_own = certificate is not None and certificate.weights_sha256 == run.manifest.parts[WEIGHTS]
    return ModelEvidence(
        run=run,
        identity=identity,
        materials=materials,
        table=None if frame is None else table_facts(run, frame),
        judged=judge(run, frame, seed=identity.seed),
        importances=compare_importances(importances) if importances else None,
        masks=masks,
        mask_problems=() if masks is None else mask_health(masks, distinct),
        certificate=certificate if is_own else None,
        has_foreign_certificate=certificate is not None and not is_own,
        audits=load_group_audits(run) if has_group_audits(run) else (),
        proxies=load_proxies(run) if has_proxies(run) else (),
        archetypes=load_archetypes(run) if has_archetypes(run) else None,
        effects=load_effects(run) if has_effects(run) else None,
    )
