"""Signed values in a run folder and in files, one pair of files for each method, whole or chunk by chunk.

Shapes: B rows, P players, K outputs. ``value_k`` (B, P) holds the values of output k, ``error_k`` their standard
errors, ``evaluations`` (B) what each row cost where a method stops early.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution import Attribution, Background
from tabnet_engine.explain.importance import METHOD_NAMES
from tabnet_engine.explain.stored_arrays import (
    FOLDER,
    Arrays,
    has_part,
    iterate_arrays,
    load_arrays,
    load_facts,
    read_arrays,
    reading,
    save_arrays,
    stored_row_numbers,
    write_arrays,
)

if TYPE_CHECKING:
    from tabnet_engine.runs.artefact import Run

__all__ = [
    "SHAP",
    "attribution_part",
    "attribution_rows",
    "has_attribution",
    "iterate_attribution",
    "load_attribution",
    "read_attribution",
    "save_attribution",
    "save_attribution_parts",
    "stored_methods",
    "write_attribution",
]

_PREFIX = f"{FOLDER}/attribution-"
SHAP = f"{_PREFIX}shap"
_OLD_SHAP = f"{FOLDER}/shap"  # where runs before several methods keep the only one

# What must not differ between the chunks of one attribution.
_SHARED = ("method", "features", "outputs", "seed", "selection", "run_id", "is_complete", "target_error", "groups")


def attribution_part(run: Run, method: str = "shap") -> str | None:
    """The name, without suffix, of the part that holds a method's values; None when the run has none."""
    names = [f"{_PREFIX}{method}", *([_OLD_SHAP] if method == "shap" else [])]
    return next((name for name in names if has_part(run, name)), None)


def has_attribution(run: Run, method: str = "shap") -> bool:
    """Whether the run holds values of a method."""
    return attribution_part(run, method) is not None


def stored_methods(run: Run) -> tuple[str, ...]:
    """The signed methods whose values the run holds, ``shap`` first, the others by name."""
    found = {
        name.removeprefix(_PREFIX).removesuffix(".json")
        for name in run.manifest.parts
        if name.startswith(_PREFIX) and name.endswith(".json")
    }
    found = {method for method in found | {"shap"} if has_attribution(run, method)}
    return tuple(sorted(found, key=lambda method: (method != "shap", method)))


def save_attribution(run: Run, attribution: Attribution) -> Run:
    """Store the values of one method with their provenance, in place of what the run had of it.

    Returns:
        The run with the new parts listed.

    Raises:
        StorageError: the disk refuses; the run stays as it was.
    """
    return save_attribution_parts(run, iter([attribution]))


def save_attribution_parts(run: Run, parts: Iterable[Attribution]) -> Run:
    """Store the values of one method as they are computed, in bounded memory.

    Args:
        run: the run they belong to.
        parts: attributions of consecutive rows, alike in everything but their rows.

    Returns:
        The run with the new parts listed.

    Raises:
        ExplanationError: there is no row.
        StorageError: the disk refuses; the run stays as it was.
    """
    remaining = iter(parts)
    first = next(remaining, None)
    if first is None:
        raise ExplanationError("there is no explained row to store")
    merged = MergedFacts(first)
    return save_arrays(run, f"{_PREFIX}{first.method}", merged.follow(first, remaining), merged.to_mapping)


class MergedFacts:
    """What chunks of one attribution say together, gathered while they pass."""

    def __init__(self, first: Attribution) -> None:
        self._first = first
        self._n_rows = 0
        self._additivity_error = 0.0
        self._n_evaluations = 0
        self._n_permutations = 0
        self._n_reached = 0
        self._algorithms: Counter[str] = Counter()

    def follow(self, first: Attribution, others: Iterator[Attribution]) -> Iterator[Arrays]:
        """Hand on the arrays of every chunk, in order."""
        self.add(first)
        yield _arrays_of(first)
        for part in others:
            self.add(part)
            yield _arrays_of(part)

    def add(self, part: Attribution) -> None:
        """Count a chunk in; one of another request is a defect of the caller."""
        for name in _SHARED:
            if getattr(part, name) != getattr(self._first, name):
                raise ValueError(f"chunks of one attribution must share {name}")
        if not np.allclose(part.base, self._first.base):
            raise ValueError("chunks of one attribution must share their base")
        self._n_rows += part.n_rows
        self._additivity_error = max(self._additivity_error, part.additivity_error)
        self._n_evaluations = max(self._n_evaluations, part.n_evaluations)
        self._n_permutations = max(self._n_permutations, part.n_permutations)
        self._algorithms[part.algorithm] += part.n_rows
        self._n_reached += _n_reached(part)

    def to_mapping(self) -> dict[str, Any]:
        """The facts of all chunks together, as plain JSON values."""
        return {
            **_facts_of(self._first),
            "n_rows": self._n_rows,
            "additivity_error": self._additivity_error,
            "n_evaluations": self._n_evaluations,
            "n_permutations": self._n_permutations,
            "algorithm": self._algorithm,
        }

    @property
    def _algorithm(self) -> str:
        """The sentence of all chunks; where theirs differ, what they share and how many rows met the target."""
        texts = tuple(self._algorithms)
        if len(texts) == 1:
            return texts[0]
        target = self._first.target_error
        shared = _shared_clause(texts)
        if target is None or not shared:
            return "; ".join(f"{n:,} rows: {text}" for text, n in self._algorithms.items())
        return f"{shared}; {self._n_reached:,} of {self._n_rows:,} rows reached the target error of {target:g}"


def _n_reached(part: Attribution) -> int:
    """Rows whose standard errors, or whose missing sum where a method has none, are at most the target."""
    if part.target_error is None:
        return 0
    error = part.residual if part.standard_error is None else part.standard_error.reshape(part.n_rows, -1)
    return int((np.abs(error).max(axis=1) <= part.target_error).sum())


def _shared_clause(texts: Sequence[str]) -> str:
    """The clauses that all texts begin with."""
    clauses = [text.replace(";", ":").split(":") for text in texts]
    shared = [parts[0] for parts in zip(*clauses, strict=False) if len(set(parts)) == 1]
    return texts[0][: len(":".join(shared))] if shared and clauses[0][0] == shared[0] else ""


def load_attribution(
    run: Run, rows: Sequence[int] | npt.NDArray[np.int64] | None = None, *, method: str = "shap"
) -> Attribution:
    """Stored values of one method, of all rows or of those of the given row numbers that are stored.

    Raises:
        ExplanationError: the run has no values of this method, or none for these rows.
        DamagedRunError: what is stored cannot be read.
    """
    name, what = _place(run, method)
    facts = load_facts(run, name, what)
    arrays = load_arrays(run, name, what, rows)
    with reading(run, what):
        return _attribution(arrays, facts)


def iterate_attribution(run: Run, method: str = "shap") -> Iterator[Attribution]:
    """Stored values of one method, one group of rows after the other, in bounded memory.

    Raises:
        ExplanationError: the run has no values of this method.
        DamagedRunError: what is stored cannot be read.
    """
    name, what = _place(run, method)
    facts = load_facts(run, name, what)
    for arrays in iterate_arrays(run, name, what):
        with reading(run, what):
            yield _attribution(arrays, facts)


def attribution_rows(run: Run, method: str = "shap") -> npt.NDArray[np.int64]:
    """Row numbers (B) for which a method's values are stored; none when there are none."""
    name, what = _place(run, method)
    return stored_row_numbers(run, name, what)


def write_attribution(path: Path, attribution: Attribution) -> None:
    """Write an attribution as one file that says everything about itself.

    Raises:
        OSError: the disk refuses.
    """
    write_arrays(path, iter([_arrays_of(attribution)]), _facts_of(attribution))


def read_attribution(path: Path) -> Attribution:
    """Read a file of :func:`write_attribution`.

    Raises:
        ValueError, KeyError, OSError: it is not such a file.
    """
    return _attribution(*read_arrays(path))


def _place(run: Run, method: str) -> tuple[str, str]:
    """The part of a method, also where it is not stored yet, and what a reader calls it."""
    return attribution_part(run, method) or f"{_PREFIX}{method}", f"{METHOD_NAMES.get(method, method)} values"


def _arrays_of(attribution: Attribution) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {"row": attribution.rows, "logits": attribution.logits}
    if attribution.evaluations is not None:
        arrays["evaluations"] = attribution.evaluations
    for index in range(len(attribution.outputs)):
        arrays[f"value_{index}"] = attribution.values[:, :, index]
        if attribution.standard_error is not None:
            arrays[f"error_{index}"] = attribution.standard_error[:, :, index]
    return arrays


def _facts_of(attribution: Attribution) -> dict[str, Any]:
    return {
        "method": attribution.method,
        "features": list(attribution.features),
        "outputs": list(attribution.outputs),
        "n_rows": attribution.n_rows,
        "base": attribution.base.tolist(),
        "background": attribution.background.to_mapping(),
        "n_evaluations": attribution.n_evaluations,
        "n_permutations": attribution.n_permutations,
        "seed": attribution.seed,
        "additivity_error": attribution.additivity_error,
        "has_standard_error": attribution.standard_error is not None,
        "selection": attribution.selection,
        "run_id": attribution.run_id,
        "algorithm": attribution.algorithm,
        "is_complete": attribution.is_complete,
        "target_error": attribution.target_error,
        "groups": {name: list(columns) for name, columns in attribution.groups.items()},
    }


def _attribution(arrays: Arrays, facts: Mapping[str, Any]) -> Attribution:
    """Read what :func:`_arrays_of` and :func:`_facts_of` wrote, of this or an earlier version."""
    outputs = tuple(facts["outputs"])
    error = [arrays[f"error_{k}"] for k in range(len(outputs))] if facts["has_standard_error"] else None
    target_error = facts.get("target_error")
    return Attribution(
        method=str(facts["method"]),
        features=tuple(facts["features"]),
        outputs=outputs,
        rows=arrays["row"],
        values=np.stack([arrays[f"value_{k}"] for k in range(len(outputs))], axis=2),
        base=np.asarray(facts["base"], dtype=np.float64),
        logits=arrays["logits"],
        background=Background.from_mapping(facts["background"]),
        n_evaluations=int(facts["n_evaluations"]),
        n_permutations=int(facts["n_permutations"]),
        seed=int(facts["seed"]),
        additivity_error=float(facts["additivity_error"]),
        standard_error=None if error is None else np.stack(error, axis=2),
        selection=str(facts["selection"]),
        run_id=str(facts["run_id"]),
        algorithm=str(facts.get("algorithm", "")),
        is_complete=bool(facts.get("is_complete", True)),
        target_error=None if target_error is None else float(target_error),
        evaluations=arrays.get("evaluations"),
        groups={str(name): tuple(columns) for name, columns in facts.get("groups", {}).items()},
    )
