"""Which rows may stand for "not knowing a column": all training rows, a class, a slice, cases near the cutoff.

Shapes: B candidate rows, M rows drawn. Whatever is chosen is said in :attr:`Background.description`; a choice
that no row fits is refused, never widened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample, draw_background, strata, stratified_positions
from tabnet_engine.explain.row_filter import parse_filter
from tabnet_engine.explain.subject import LogitModel
from tabnet_engine.texts.speaking import msg, say
from tabnet_engine.training.probabilities import class_probabilities

__all__ = ["Candidates", "choose_background"]

Rows = npt.NDArray[np.int64]

# What was drawn, by what was asked for and by whether these are all.
_DRAWN = {
    ("class", True): msg("all {n_rows:,} {rows} of the class '{label}' of '{target}'"),
    ("class", False): msg("{n_drawn:,} of {n_rows:,} {rows} of the class '{label}' of '{target}', drawn at random"),
    ("where", True): msg("all {n_rows:,} {rows} with {condition}"),
    ("where", False): msg("{n_drawn:,} of {n_rows:,} {rows} with {condition}, drawn at random"),
}
_PREDICTED = {
    "both": msg("is predicted '{label}' with a probability near {cutoff:g}"),
    "above": msg("is predicted '{label}' with a probability above {cutoff:g}"),
    "below": msg("is predicted '{label}' with a probability below {cutoff:g}"),
}
_NEAREST = {
    "both": msg(
        "{n_drawn:,} of {n_rows:,} {rows}, those whose predicted probability of '{label}' is nearest to {cutoff:g} "
        "({low:.3g} to {high:.3g})"
    ),
    "above": msg(
        "{n_drawn:,} of {n_rows:,} {rows}, those whose predicted probability of '{label}' is nearest to {cutoff:g} and "
        "above it ({low:.3g} to {high:.3g})"
    ),
    "below": msg(
        "{n_drawn:,} of {n_rows:,} {rows}, those whose predicted probability of '{label}' is nearest to {cutoff:g} and "
        "below it ({low:.3g} to {high:.3g})"
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """The rows that a background may be drawn from.

    ``frame`` and ``encoded`` are the same whole table; ``rows`` (B) are positions in it, ``name`` says what these
    are ("training rows").
    """

    frame: pd.DataFrame
    encoded: EncodedTable
    rows: Rows
    name: str = msg("training rows")

    def within(self, found: Rows, described: str) -> Rows:
        """Those of ``found`` that are candidates.

        Raises:
            ExplanationError: none is; ``described`` names them.
        """
        kept = self.rows[np.isin(self.rows, found)]
        if len(kept) == 0:
            raise ExplanationError(f"the background is empty: none of the {len(self.rows):,} {self.name} {described}")
        return kept


def choose_background(
    model: LogitModel, targets: TargetCodecs, schema: FeatureSchema, candidates: Candidates, config: ExplainConfig
) -> BackgroundSample:
    """Draw the background that the settings ask for.

    Args:
        model: predicts, for cases near the cutoff.
        targets: what it predicts.
        schema: knows the columns that a slice names.
        candidates: the rows to draw from.
        config: which of them, and how many.

    Raises:
        ExplanationError: no row fits, there is no such class, or the target has no classes.
        SchemaError: a column that does not exist.
    """
    chosen: dict[str, Callable[[], BackgroundSample]] = {
        "training": lambda: _all(targets, candidates, config),
        "class": lambda: _of_class(targets, candidates, config),
        "where": lambda: _where(schema, candidates, config),
        "cutoff": lambda: _near_cutoff(model, targets, candidates, config),
    }
    return chosen[config.background]()


def _all(targets: TargetCodecs, candidates: Candidates, config: ExplainConfig) -> BackgroundSample:
    y, task, target = strata(targets, targets.encode(candidates.frame, rows=candidates.rows))
    return draw_background(
        candidates.encoded,
        candidates.rows,
        y,
        task=task,
        n_rows=config.n_background,
        seed=config.seed,
        target=target,
        name=candidates.name,
    )


def _of_class(targets: TargetCodecs, candidates: Candidates, config: ExplainConfig) -> BackgroundSample:
    codec, _, code = _class(targets, str(config.background_class))
    if codec.name not in candidates.frame.columns:
        raise ExplanationError(
            f"the background of a class needs the column {codec.name!r}, which the table does not have; add it, or "
            "choose another background"
        )
    label = codec.classes[code]
    labelled = candidates.rows[candidates.frame[codec.name].notna().to_numpy()[candidates.rows]]
    found = labelled[codec.encode(candidates.frame, rows=labelled) == code]
    within = candidates.within(found, say("has the class '{label}' of '{target}'", label=label, target=codec.name))
    return _at_random(candidates, within, "class", config, label=label, target=codec.name)


def _where(schema: FeatureSchema, candidates: Candidates, config: ExplainConfig) -> BackgroundSample:
    condition = parse_filter(str(config.background_where), schema)
    found = np.flatnonzero(condition.mask(candidates.frame)).astype(np.int64)
    within = candidates.within(found, say("meets the condition '{condition}'; loosen it", condition=condition))
    return _at_random(candidates, within, "where", config, condition=str(condition))


def _near_cutoff(
    model: LogitModel, targets: TargetCodecs, candidates: Candidates, config: ExplainConfig
) -> BackgroundSample:
    """The M candidates whose predicted probability is nearest to the cutoff; the earlier row wins a tie."""
    codec, place, code = _cutoff_class(targets, config.background_class)
    logits = model.logits(candidates.encoded.take(candidates.rows))[:, place]
    probability = class_probabilities(codec.task, logits)[:, code]
    on_side = {
        "both": np.ones(len(probability), dtype=bool),
        "above": probability >= config.cutoff,
        "below": probability < config.cutoff,
    }[config.background_side]
    label = codec.classes[code]
    asked = say(_PREDICTED[config.background_side], label=label, cutoff=config.cutoff)
    candidates.within(candidates.rows[on_side], asked)
    positions = np.flatnonzero(on_side)
    nearest = positions[np.argsort(np.abs(probability[positions] - config.cutoff), kind="stable")]
    taken = np.sort(nearest[: config.n_background])
    low, high = probability[taken].min(), probability[taken].max()
    description = say(
        _NEAREST[config.background_side],
        n_drawn=len(taken),
        n_rows=len(candidates.rows),
        rows=candidates.name,
        label=label,
        cutoff=config.cutoff,
        low=low,
        high=high,
    )
    return _sample(candidates, candidates.rows[taken], description, "cutoff", len(candidates.rows))


def _cutoff_class(targets: TargetCodecs, wanted: str | None) -> tuple[TargetCodec, slice, int]:
    """The class whose probability a cutoff is about: the named one, else the positive one of two."""
    if wanted is not None:
        return _class(targets, wanted)
    binary = [
        (codec, place)
        for codec, place in zip(targets.codecs, targets.slices, strict=True)
        if codec.task is not Task.REGRESSION and len(codec.classes) == 2
    ]
    if len(binary) != 1 or len(targets.codecs) > 1:
        raise ExplanationError(
            "a background near the cutoff needs a class: say which one with background_class; a target that is a "
            "number has none"
        )
    return (*binary[0], 1)


def _class(targets: TargetCodecs, wanted: str) -> tuple[TargetCodec, slice, int]:
    """The target that has a class, where its logits lie, and the class's code.

    ``wanted`` is the class, or ``target=class`` where several targets have one of that name.

    Raises:
        ExplanationError: no target has it, or several have.
    """
    found = [
        (codec, place, codec.classes.index(label))
        for codec, place in zip(targets.codecs, targets.slices, strict=True)
        for label in codec.classes
        if wanted in {label, f"{codec.name}={label}"}
    ]
    known = ", ".join(repr(label) for codec in targets.codecs for label in codec.classes)
    if not found:
        what = f"the classes are {known}" if known else "a target that is a number has none"
        raise ExplanationError(f"there is no class {wanted!r}; {what}")
    if len(found) > 1:
        names = " or ".join(f"'{codec.name}={wanted}'" for codec, _, _ in found)
        raise ExplanationError(f"several targets have a class {wanted!r}; write {names}")
    return found[0]


def _at_random(candidates: Candidates, within: Rows, kind: str, config: ExplainConfig, **what: str) -> BackgroundSample:
    """Rows drawn at random from those that fit."""
    drawn = within[stratified_positions(np.zeros(len(within)), config.n_background, task=Task.BINARY, seed=config.seed)]
    template = _DRAWN[kind, len(drawn) == len(within)]
    description = say(template, n_drawn=len(drawn), n_rows=len(within), rows=candidates.name, **what)
    return _sample(candidates, drawn, description, kind, len(within))


def _sample(candidates: Candidates, rows: Rows, description: str, kind: str, n_population: int) -> BackgroundSample:
    background = Background(description=description, rows=rows, n_population=n_population, kind=kind)
    return BackgroundSample(background, candidates.encoded.take(rows))
