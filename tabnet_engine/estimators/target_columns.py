"""The caller's ``y`` as the engine's targets, and predictions back in the caller's own labels.

Shapes: B rows, T targets, C classes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_array

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.data.values import category_text
from tabnet_engine.data.wording import listed
from tabnet_engine.estimators.errors import InputError

__all__ = ["ClassLabels", "TargetColumns", "finite_numbers", "target_names"]


def target_names(y: Any, n_targets: int, features: Sequence[str]) -> tuple[str, ...]:
    """A name for each target (T), none of them a feature's: the caller's own where ``y`` has names."""
    if isinstance(y, pd.DataFrame):
        wished = [str(name) for name in y.columns]
    elif isinstance(y, pd.Series) and y.name is not None:
        wished = [str(y.name)]
    else:
        wished = ["target"] if n_targets == 1 else [f"target {index}" for index in range(n_targets)]
    taken = set(features)
    names: list[str] = []
    for name in wished:
        variants = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
        names.append(next(variant for variant in variants if variant not in taken))
        taken.add(names[-1])
    return tuple(names)


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """The classes of one target in the caller's own type (C), sorted."""

    values: npt.NDArray[Any]

    @classmethod
    def learn(cls, labels: npt.NDArray[Any], name: str) -> Self:
        """Find the classes of a column of labels (B).

        Raises:
            InputError: labels of types that cannot be sorted, or fewer than two classes.
        """
        try:
            values = np.unique(labels)
        except TypeError:
            raise InputError(f"the labels of {name!r} mix numbers and text; give them one type") from None
        if len(values) < 2:
            only = listed([category_text(value) for value in values])
            raise InputError(f"training needs two classes or more, but {name!r} has one class only, {only}")
        if len(set(map(category_text, values.tolist()))) < len(values):
            raise InputError(f"two classes of {name!r} are written the same way; give the labels one type")
        return cls(values)

    @property
    def texts(self) -> tuple[str, ...]:
        """The classes as text (C), the way the engine names them."""
        return tuple(category_text(value) for value in self.values.tolist())

    def encode(self, labels: npt.NDArray[Any], name: str) -> npt.NDArray[np.int64]:
        """The position of each label among the classes (B).

        Raises:
            InputError: a label that training never saw; the text names its row.
        """
        known = {value: code for code, value in enumerate(self.values.tolist())}
        codes = np.array([known.get(label, -1) for label in labels.tolist()], dtype=np.int64)
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            raise InputError(
                f"row {row}: {category_text(labels[row])!r} is no class of {name!r}; the classes are "
                f"{listed(self.texts)}"
            )
        return codes


@dataclass(frozen=True, eq=False)
class TargetColumns:
    """All targets: how the engine sees them, and the caller's labels of each (None for a quantity)."""

    codecs: TargetCodecs
    labels: tuple[ClassLabels | None, ...]

    @classmethod
    def learn(
        cls, y: npt.NDArray[Any], names: Sequence[str], tasks: Sequence[str], *, two_logits: bool = False
    ) -> Self:
        """Learn from the training rows.

        Args:
            y: (B, T).
            names: of the targets (T).
            tasks: "regression" or "classification" for each (T).
            two_logits: give two classes a logit each instead of one log-odds (paper section 3).

        Raises:
            InputError: labels or numbers that cannot be learned.
        """
        codecs: list[TargetCodec] = []
        labels: list[ClassLabels | None] = []
        for index, (name, task) in enumerate(zip(names, tasks, strict=True)):
            if task == "regression":
                numbers = pd.DataFrame({name: finite_numbers(y[:, index], name)})
                codecs.append(TargetCodec.fit(numbers, Target(name=name, task=Task.REGRESSION)))
                labels.append(None)
                continue
            found = ClassLabels.learn(y[:, index], name)
            kind = Task.BINARY if len(found.values) == 2 and not two_logits else Task.MULTICLASS
            codecs.append(TargetCodec(name=name, task=kind, classes=found.texts))
            labels.append(found)
        return cls(TargetCodecs(tuple(codecs)), tuple(labels))

    def schema(self, columns: Sequence[Column]) -> FeatureSchema:
        """The schema of features and targets, as a table with both would have it."""
        codecs = self.codecs.codecs
        targets = tuple(
            Column(
                name=codec.name,
                kind=Kind.NUMBER if codec.task is Task.REGRESSION else Kind.CATEGORY,
                role=Role.TARGET,
                why="The target, by the caller's y.",
            )
            for codec in codecs
        )
        heads = tuple(Target(name=codec.name, task=codec.task, classes=codec.classes) for codec in codecs)
        single = len(heads) == 1
        return FeatureSchema(
            columns=(*columns, *targets),
            task=self.codecs.task,
            classes=heads[0].classes if single else (),
            heads=() if single else heads,
        )

    def encode(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Class codes and numbers as training reads them: (B,) for one target, else (B, T) float64.

        Raises:
            InputError: a label that training never saw, or what is no finite number.
        """
        columns: list[npt.NDArray[Any]] = []
        for index, (codec, labels) in enumerate(zip(self.codecs.codecs, self.labels, strict=True)):
            if labels is None:
                columns.append(finite_numbers(y[:, index], codec.name))
            else:
                columns.append(labels.encode(y[:, index], codec.name))
        return columns[0] if len(columns) == 1 else np.column_stack(columns).astype(np.float64)


def finite_numbers(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.float64]:
    """Numbers (B) that can be learned.

    Raises:
        InputError: text, NaN or infinity; scikit-learn's own words where it finds it.
    """
    try:
        checked = check_array(values, ensure_2d=False, dtype=np.float64, input_name="y")
    except (ValueError, TypeError) as error:
        raise InputError(f"target {name!r}: {error}") from error
    return np.asarray(checked, dtype=np.float64)
