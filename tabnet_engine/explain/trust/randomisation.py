"""Explanations of a network whose weights were drawn anew: an explanation of the model must not survive that.

Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.1: cascading randomisation, from the logits down
towards the inputs. Shapes: B rows, P players.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.subject import Subject
from tabnet_engine.explain.trust.finding import Family, Finding, measure_rows, subject_of
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.explain.trust.similarity import row_jaccard, row_spearman
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.model.tabnet import TabNet

__all__ = ["STAGES", "UNMOVED", "cascade_findings", "randomised"]

UNMOVED = msg("an explanation that does not look at the weights")

# From the logits down to the inputs: the parameters, by the beginning of their names, that each stage draws anew.
STAGES: Mapping[str, tuple[str, ...]] = {
    "head": ("head",),
    "layers of each step": ("encoder.transformer.independent", "encoder.transformer.norm"),
    "shared layers": ("encoder.transformer.shared", "encoder.transformer.entry"),
    "attention": ("encoder.attention",),
    "embedding": ("embedding", "encoder.input_norm"),
}

_EXTENTS = {
    "head": msg("of the head"),
    "layers of each step": msg("from the head down to the layers of each step"),
    "shared layers": msg("from the head down to the shared layers"),
    "attention": msg("from the head down to the attention"),
    "embedding": msg("of the whole network"),
}


def randomised(subject: Subject, background: EncodedTable, *, stage: str = "embedding", seed: int = 0) -> Subject:
    """The subject with the weights from the head down to a stage drawn anew, as before training.

    The statistics of the norms behind the new weights are taken from the background rows: with those of the trained
    weights the random network's activations would fade or blow up, which no untrained network's do. Units of the
    outputs stay.

    Args:
        subject: the trained network.
        background: encoded rows, at least two for statistics; with one the statistics stay as they were.
        stage: the last of :data:`STAGES` that is drawn anew; the default is the whole network.
        seed: of the new weights; the global random state stays as it was.

    Raises:
        ValueError: no such stage.
    """
    if stage not in STAGES:
        raise ValueError(f"a stage is one of {', '.join(STAGES)}, got {stage!r}")
    names = list(STAGES)
    redrawn = tuple(part for name in names[: names.index(stage) + 1] for part in STAGES[name])
    network = _redraw(subject, redrawn, seed)
    if len(background) > 1 and stage != "head":
        _calibrate(network, background, redrawn)
    return dataclasses.replace(subject, network=network)


def _redraw(subject: Subject, redrawn: tuple[str, ...], seed: int) -> TabNet:
    """A copy of the network with some parameters of a fresh one."""
    import copy

    import torch

    from tabnet_engine.model.tabnet import TabNet

    network = copy.deepcopy(subject.network).eval()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        fresh = dict(TabNet(subject.layout, len(subject.outputs), network.config).named_parameters())
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith(redrawn):
                parameter.copy_(fresh[name])
    return network


def _calibrate(network: TabNet, background: EncodedTable, redrawn: tuple[str, ...]) -> None:
    """Give the norms of redrawn parts the statistics of the background rows; all others keep theirs."""
    import torch

    from tabnet_engine.model.norm import GhostBatchNorm

    norms = {name: module for name, module in network.named_modules() if isinstance(module, GhostBatchNorm)}
    settings = {name: (norm.virtual_batch_size, norm.momentum) for name, norm in norms.items()}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for norm in norms.values():
        norm.virtual_batch_size, norm.momentum = None, 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(background.numeric), torch.from_numpy(background.categorical))
    network.eval()
    for name, norm in norms.items():
        norm.virtual_batch_size, norm.momentum = settings[name]
        if not name.startswith(redrawn):
            norm.running_mean.copy_(before[f"{name}.running_mean"])
            norm.running_var.copy_(before[f"{name}.running_var"])


def cascade_findings(
    original: RowValues, stages: Mapping[str, RowValues], *, of_target: str = "", top_k: int, seed: int
) -> tuple[Finding, ...]:
    """How alike the explanations of the trained network and of partly random ones are; they must not be.

    The control is an explanation that says the same whatever the weights are: it scores 1.

    Args:
        original: one method's values of the trained network.
        stages: by the last stage drawn anew, the same method's values for the same rows.
        of_target: whose values these are, for several targets.
        top_k: how many leading columns are compared.
        seed: of the random weights.
    """
    whole = list(STAGES)[-1]
    return tuple(
        measure_rows(
            values,
            {UNMOVED: np.where(np.isfinite(values), 1.0, np.nan)},
            bounds=(0.0, 1.0) if key == "jaccard" else (-1.0, 1.0),
            family=Family.RANDOMISATION,
            key=f"{key} after {stage}",
            name=say("{measure} once the weights {extent} are random", measure=name, extent=_extent(stage)),
            subject=subject_of(original.method, of_target),
            how=say(
                "For each row the {measure} with the explanation of a copy whose weights {extent} were drawn anew as "
                "before training (Adebayo et al. 2018); mean over rows; small means that the explanation follows the "
                "weights.",
                measure=name,
                extent=_extent(stage),
            ),
            seed=seed,
            higher_is_better=False,
            best=0.0,
        )
        for stage, other in stages.items()
        for key, name, values in _similarities(original, other, top_k, is_whole=stage == whole)
    )


def _similarities(
    first: RowValues, second: RowValues, top_k: int, *, is_whole: bool
) -> list[tuple[str, str, npt.NDArray[np.float64]]]:
    """Likeness of the sizes for every stage; that of leaders and signs for the whole network."""
    found = [("spearman", say("rank correlation of the sizes"), row_spearman(first.sizes, second.sizes))]
    if is_whole:
        shared = row_jaccard(first.sizes, second.sizes, top_k)
        found.append(("jaccard", say("overlap of the leading {top_k} columns (Jaccard)", top_k=top_k), shared))
    if is_whole and first.is_signed:
        found.append(
            ("signed_spearman", say("rank correlation of the signed values"), row_spearman(first.values, second.values))
        )
    return found


def _extent(stage: str) -> str:
    return say(_EXTENTS[stage])
