"""One row by every method, drawn: masks on their scale, pushes with their direction."""

from __future__ import annotations

import numpy as np

from tabnet_engine.explain.row_methods import compare_methods
from tabnet_engine.figures.row_methods import method_map
from tests.explain.conftest import make_attribution, make_masks

HOSTILE = "<b>x</b> $y$ %{z}"


def compared(n_features=4):
    masks = make_masks(n_rows=1, n_features=n_features)
    values = np.linspace(-1, 2, n_features)[None, :, None]
    return compare_methods(masks, [make_attribution(values)], 10)


def test_masks_and_pushes_are_drawn_apart_and_every_push_says_its_direction():
    methods = compared()
    figure = method_map(methods)
    read, pushed = (np.asarray(trace.z, dtype=float) for trace in figure.data[:2])
    np.testing.assert_allclose(read[:, 0], methods.readings[0].shares[methods.order])
    assert np.isnan(read[:, 1]).all()
    assert np.isnan(pushed[:, 0]).all()
    np.testing.assert_array_equal(np.sign(pushed[:, 1]), np.sign(methods.readings[1].values[methods.order]))
    texts = [text for trace in figure.data[2:] for text in trace.text]
    assert sum(text.startswith("▲") for text in texts) == int((methods.readings[1].values > 0).sum())
    assert sum(text.startswith("▼") for text in texts) == int((methods.readings[1].values < 0).sum())


def test_columns_left_out_are_said_and_names_are_shown_literally():
    masks = make_masks(n_rows=1, n_features=3)
    names = (HOSTILE, "b", "c")
    masks = type(masks)(**{**vars(masks), "features": names})
    methods = compare_methods(masks, [make_attribution(np.array([[[9.0], [1.0], [0.0]]]), features=names)], 10)
    figure = method_map(methods, max_features=2)
    assert "1 column is not drawn" in figure.layout.title.text.replace("<br>", " ")
    assert "<b>x" not in str(figure.layout.yaxis.ticktext)
    assert "<b>x" not in str(figure.data[1].customdata)
    assert "%{z" not in str(figure.data[1].customdata)
