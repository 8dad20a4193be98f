"""All targets of one model: which logits belong to which, and their values side by side.

Shapes: B rows, T targets, K outputs of all targets together.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import SchemaError

__all__ = ["TargetCodecs"]


@dataclass(frozen=True)
class TargetCodecs:
    """One :class:`TargetCodec` for each target, in table order; a model with one target has one.

    The K logits are those of the first target, then those of the second, and so on.

    Raises:
        SchemaError: no target, or two targets or outputs of one name.
    """

    codecs: tuple[TargetCodec, ...]

    def __post_init__(self) -> None:
        if not self.codecs:
            raise SchemaError("no target is chosen; choose the column to predict")
        if len(set(self.names)) < len(self.codecs):
            raise SchemaError(f"every target must have a name of its own, got {', '.join(self.names)}")
        name, count = Counter(self.outputs).most_common(1)[0]
        if count > 1:
            raise SchemaError(f"two targets would both have an output {name!r}; rename one of their columns")

    @property
    def names(self) -> tuple[str, ...]:
        """The target columns (T)."""
        return tuple(codec.name for codec in self.codecs)

    @property
    def task(self) -> Task:
        """The task of a single target, else multitask."""
        return self.codecs[0].task if len(self.codecs) == 1 else Task.MULTITASK

    @property
    def only(self) -> TargetCodec:
        """The codec of a single target.

        Raises:
            ValueError: there are several; the caller must choose one.
        """
        if len(self.codecs) > 1:
            raise ValueError(f"the model has {len(self.codecs)} targets; choose one of {', '.join(self.names)}")
        return self.codecs[0]

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each logit stands for (K): as the codec says, and with the target's name where there are several."""
        if len(self.codecs) == 1:
            return self.codecs[0].outputs
        return tuple(_output_name(codec, output) for codec in self.codecs for output in codec.outputs)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where the logits of each target lie among the K (T)."""
        edges = (0, *itertools.accumulate(len(codec.outputs) for codec in self.codecs))
        return tuple(slice(start, stop) for start, stop in itertools.pairwise(edges))

    @property
    def output_offset(self) -> npt.NDArray[np.float64]:
        """What is added to each logit (K): the mean of a regression target, else 0."""
        return np.repeat([codec.mean for codec in self.codecs], [len(codec.outputs) for codec in self.codecs])

    @property
    def output_scale(self) -> npt.NDArray[np.float64]:
        """What each logit is multiplied by (K): the scale of a regression target, else 1."""
        return np.repeat([codec.scale for codec in self.codecs], [len(codec.outputs) for codec in self.codecs])

    def of(self, name: str) -> tuple[TargetCodec, slice]:
        """The codec of one target, and where its logits lie.

        Raises:
            SchemaError: no target has that name.
        """
        if name not in self.names:
            raise SchemaError(f"{name!r} is no target of this model; its targets are {', '.join(self.names)}")
        place = self.names.index(name)
        return self.codecs[place], self.slices[place]

    def owner(self, output: int) -> tuple[TargetCodec, int]:
        """The codec that an output (one of K) belongs to, and the output's position in it."""
        for codec, place in zip(self.codecs, self.slices, strict=True):
            if place.start <= output < place.stop:
                return codec, output - place.start
        raise IndexError(f"there is no output {output}; the model has {len(self.outputs)}")

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: FeatureSchema, rows: npt.NDArray[np.int64] | None = None) -> Self:
        """Learn every target from the training rows; raises as :meth:`TargetCodec.fit` does."""
        return cls(tuple(TargetCodec.fit(frame, target, rows) for target in schema.targets))

    def encode(self, frame: pd.DataFrame, *, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[Any]:
        """The targets of each row: (B,) for one target, as its codec gives it, else (B, T) float64.

        Raises:
            SchemaError: as :meth:`TargetCodec.encode`.
        """
        values = [codec.encode(frame, rows=rows) for codec in self.codecs]
        return values[0] if len(values) == 1 else np.column_stack(values).astype(np.float64)

    def column(self, y: npt.NDArray[Any], place: int) -> npt.NDArray[Any]:
        """One target's values (B,) out of what :meth:`encode` gave: int64 codes, or float64 numbers."""
        values = y if y.ndim == 1 else y[:, place]
        return values.astype(np.float64 if self.codecs[place].task is Task.REGRESSION else np.int64, copy=False)

    def to_mapping(self) -> dict[str, Any]:
        """The codecs as plain JSON values."""
        return {"targets": [codec.to_mapping() for codec in self.codecs]}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_mapping` wrote, or the mapping of a single codec.

        Raises:
            SchemaError: a part is missing or is not what codecs hold.
        """
        items = values.get("targets", [values])
        if not isinstance(items, list):
            raise SchemaError("the targets' description cannot be read: it holds no list")
        return cls(tuple(TargetCodec.from_mapping(item) for item in items))


def _output_name(codec: TargetCodec, output: str) -> str:
    return codec.name if codec.task is Task.REGRESSION else f"{codec.name} = {output}"
