"""Explanations in a run folder: masks, signed values, background rows and importances. No torch, no shap.

Shapes: B rows, F raw features, S steps, K outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.attribution_store import (
    SHAP,
    attribution_part,
    attribution_rows,
    has_attribution,
    iterate_attribution,
    load_attribution,
    save_attribution,
    save_attribution_parts,
    stored_methods,
)
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.importance import GlobalImportance
from tabnet_engine.explain.masks import MaskExplanation
from tabnet_engine.explain.stored_arrays import (
    FOLDER,
    Arrays,
    has_json,
    has_part,
    iterate_arrays,
    load_arrays,
    load_facts,
    load_json,
    reading,
    save_arrays,
    save_json,
    stored_row_numbers,
)

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "BACKGROUND",
    "IMPORTANCE",
    "MASKS",
    "SHAP",
    "attribution_part",
    "attribution_rows",
    "has_attribution",
    "has_explanations",
    "has_json",
    "iterate_attribution",
    "iterate_masks",
    "load_attribution",
    "load_background",
    "load_importances",
    "load_json",
    "load_masks",
    "save_attribution",
    "save_attribution_parts",
    "save_background",
    "save_importances",
    "save_json",
    "save_masks",
    "stored_methods",
    "stored_rows",
]

MASKS, BACKGROUND = f"{FOLDER}/masks", f"{FOLDER}/background"
IMPORTANCE = f"{FOLDER}/importance.json"
_IMPORTANCE = "importance"
_MOST_STEPS = 1_000

_WORDS = {MASKS: "attention masks", BACKGROUND: "background rows", _IMPORTANCE: "importances"}


def has_explanations(run: Run, name: str) -> bool:
    """Whether the run holds :data:`MASKS`, :data:`SHAP`, :data:`BACKGROUND` or :data:`IMPORTANCE`."""
    if name == IMPORTANCE:
        return has_json(run, _IMPORTANCE)
    return has_attribution(run) if name == SHAP else has_part(run, name)


def save_masks(run: Run, parts: Iterable[MaskExplanation]) -> Run:
    """Store masks and step contributions, chunk by chunk in bounded memory.

    Args:
        run: the run they belong to.
        parts: explanations of consecutive rows, as :func:`~tabnet_engine.explain.masks.iterate_masks` gives.

    Returns:
        The run with the new parts listed.

    Raises:
        ExplanationError: there is no row.
        StorageError: the disk refuses; the run stays as it was.
    """
    described: dict[str, Any] = {}

    def chunks() -> Iterator[Arrays]:
        for part in parts:
            described.setdefault("first", part)
            described["n_rows"] = described.get("n_rows", 0) + part.n_rows
            yield _mask_lists(part)

    def meta() -> dict[str, Any]:
        return _mask_meta(described["first"], described["n_rows"])

    return save_arrays(run, MASKS, chunks(), meta)


def _mask_lists(part: MaskExplanation) -> Arrays:
    n_rows = part.n_rows
    contributions = part.contributions.transpose(1, 0, 2).reshape(n_rows, -1)
    masks = dict(zip(_mask_names(part.n_steps), part.masks, strict=True))
    return {
        "row": part.rows,
        "logits": part.logits,
        "step_sizes": part.step_sizes.T,
        "contributions": contributions,
        **masks,
    }


def _mask_meta(part: MaskExplanation, n_rows: int) -> dict[str, Any]:
    return {
        "features": list(part.features),
        "outputs": list(part.outputs),
        "n_steps": part.n_steps,
        "n_rows": n_rows,
        "base": part.base.tolist(),
        "selection": part.selection,
        "run_id": part.run_id,
    }


def load_masks(run: Run, rows: Sequence[int] | npt.NDArray[np.int64] | None = None) -> MaskExplanation:
    """Stored masks of all rows, or of those of the given row numbers that are stored.

    Raises:
        ExplanationError: the run has no masks, or none for these rows.
        DamagedRunError: what is stored cannot be read.
    """
    facts = load_facts(run, MASKS, _WORDS[MASKS])
    with reading(run, _WORDS[MASKS]):
        names = _mask_names(int(facts["n_steps"]))
    arrays = load_arrays(run, MASKS, _WORDS[MASKS], rows, stacks={"masks": names})
    with reading(run, _WORDS[MASKS]):
        return _masks(arrays, facts)


def iterate_masks(run: Run) -> Iterator[MaskExplanation]:
    """Stored masks, one group of rows after the other, in bounded memory.

    Raises:
        ExplanationError: the run has no masks.
        DamagedRunError: what is stored cannot be read.
    """
    facts = load_facts(run, MASKS, _WORDS[MASKS])
    for arrays in iterate_arrays(run, MASKS, _WORDS[MASKS]):
        with reading(run, _WORDS[MASKS]):
            masks = np.stack([arrays[step] for step in _mask_names(int(facts["n_steps"]))])
            yield _masks({**arrays, "masks": masks}, facts)


def _mask_names(n_steps: int) -> list[str]:
    if not 0 < n_steps <= _MOST_STEPS:  # from a file, before anything else looked at it
        raise ValueError(f"it says that there are {n_steps} steps")
    return [f"mask_{step + 1}" for step in range(n_steps)]


def _masks(arrays: Arrays, facts: dict[str, Any]) -> MaskExplanation:
    n_steps, n_outputs = int(facts["n_steps"]), len(facts["outputs"])
    contributions = arrays["contributions"].reshape(-1, n_steps, n_outputs).transpose(1, 0, 2)
    return MaskExplanation(
        features=tuple(facts["features"]),
        outputs=tuple(facts["outputs"]),
        rows=arrays["row"],
        masks=arrays["masks"],
        step_sizes=np.ascontiguousarray(arrays["step_sizes"].T),
        contributions=np.ascontiguousarray(contributions),
        logits=arrays["logits"],
        base=np.asarray(facts["base"], dtype=np.float64),
        selection=str(facts["selection"]),
        run_id=str(facts["run_id"]),
    )


def save_background(run: Run, sample: BackgroundSample) -> Run:
    """Store the encoded background, so that a run explains new rows without its training table.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    lists: dict[str, npt.NDArray[Any]] = {
        "row": sample.background.rows,
        "numeric": sample.encoded.numeric,
        "categorical": sample.encoded.categorical,
    }
    present = {name: values for name, values in lists.items() if values.ndim == 1 or values.shape[1]}
    return save_arrays(run, BACKGROUND, iter([present]), sample.background.to_mapping)


def load_background(run: Run) -> BackgroundSample:
    """The stored background.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    background = load_facts(run, BACKGROUND, _WORDS[BACKGROUND])
    lists = load_arrays(run, BACKGROUND, _WORDS[BACKGROUND])
    with reading(run, _WORDS[BACKGROUND]):
        n_rows = len(lists["row"])
        numeric = lists.get("numeric", np.zeros((n_rows, 0), dtype=np.float32))
        categorical = lists.get("categorical", np.zeros((n_rows, 0), dtype=np.int64))
        return BackgroundSample(Background.from_mapping(background), EncodedTable(numeric, categorical))


def save_importances(run: Run, importances: Sequence[GlobalImportance]) -> Run:
    """Store global importances, one for each method.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_json(run, _IMPORTANCE, {"importances": [importance.to_mapping() for importance in importances]})


def load_importances(run: Run) -> tuple[GlobalImportance, ...]:
    """Stored global importances.

    Raises:
        ExplanationError: the run has none.
        DamagedRunError: what is stored cannot be read.
    """
    content = load_json(run, _IMPORTANCE, _WORDS[_IMPORTANCE])
    with reading(run, _WORDS[_IMPORTANCE]):
        return tuple(GlobalImportance.from_mapping(item) for item in content["importances"])


def stored_rows(run: Run, name: str) -> npt.NDArray[np.int64]:
    """Row numbers for which :data:`MASKS` or :data:`SHAP` are stored; none when the run has no such part."""
    return attribution_rows(run) if name == SHAP else stored_row_numbers(run, name, _WORDS.get(name, name))
