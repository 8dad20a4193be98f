"""Signed values of several outputs, one output at a time or side by side.

Shapes: B rows, F raw features, K outputs.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from tabnet_engine.explain.attribution import Attribution

__all__ = ["mean_absolute", "one_output"]


def one_output(attribution: Attribution, output: int) -> Attribution:
    """The attribution of one output alone, with K = 1."""
    chosen = slice(output, output + 1)
    error = attribution.standard_error
    return dataclasses.replace(
        attribution,
        outputs=attribution.outputs[chosen],
        values=attribution.values[:, :, chosen],
        base=attribution.base[chosen],
        logits=attribution.logits[:, chosen],
        standard_error=None if error is None else error[:, :, chosen],
    )


def mean_absolute(attribution: Attribution) -> npt.NDArray[np.float64]:
    """Mean |value| over rows of each column and output (F, K); zeros without a row."""
    if attribution.n_rows == 0:
        return np.zeros(attribution.values.shape[1:])
    return np.asarray(np.abs(attribution.values).mean(axis=0))
