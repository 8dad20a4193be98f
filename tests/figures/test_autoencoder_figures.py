"""Figures of an autoencoder draw every number they are given; its sentences name the right columns."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.autoencoder.explanation import AutoencoderExplanation
from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance
from tabnet_engine.explain.autoencoder.information import LatentInformation
from tabnet_engine.explain.autoencoder.magnitudes import MagnitudeBaselines
from tabnet_engine.explain.autoencoder.reading import explanation_sentences
from tabnet_engine.explain.autoencoder.shapley_results import ErrorShapley, ReconstructionTable
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.figures import autoencoder as figures

NAMES = ("age", "<b>$x$</b>", "job")


def around(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.1, high=value + 0.2, n=40)


def importance(*cross: float, own: float = 0.0) -> ReconstructionImportance:
    return ReconstructionImportance(
        method="permutation",
        players=NAMES,
        columns=NAMES,
        table=np.arange(9, dtype=float).reshape(3, 3),
        standard_error=np.full((3, 3), 0.5),
        own=tuple(around(own) if own else Estimate(value=0.0, n=40) for _ in NAMES),
        cross=tuple(map(around, cross)),
        error=np.ones(3),
        n_rows=40,
        n_repeats=2,
        seed=0,
        note="",
    )


ERROR = ErrorShapley(
    players=NAMES,
    rows=np.array([7, 9]),
    values=np.array([[-0.4, 0.1, 0.2], [-0.2, 0.3, 0.0]]),
    own=np.zeros((2, 3)),
    cross=np.array([[-0.4, 0.1, 0.2], [-0.2, 0.3, 0.0]]),
    base=np.array([1.0, 2.0]),
    error=np.array([0.9, 2.1]),
    additivity_error=0.0,
    standard_error=None,
    algorithm="exact",
    note="",
)
KNOWN = LatentInformation(
    features=NAMES,
    latents=("step 1, unit 1", "step 1, unit 2", "dead"),
    values=np.array([[0.9, 0.1, 0.0], [0.1, 0.1, 0.0], [0.1, 0.6, 0.0]]),
    null=np.full((3, 3), 0.1),
    low=np.zeros((3, 3)),
    high=np.ones((3, 3)),
    threshold=0.5,
    rows=np.array([40, 40, 40]),
    dead=np.array([False, False, True]),
    n_null=19,
    n_halves=2,
    seed=0,
    note="",
)
MOVED = ReconstructionTable(
    players=NAMES,
    columns=NAMES,
    values=np.array([[9.0, 0.1, 0.2], [0.1, 9.0, 0.7], [0.3, 0.1, 9.0]]),
    standard_error=np.full((3, 3), np.nan),
    n_rows=2,
    note="",
)
WEIGHTS = MagnitudeBaselines(features=NAMES, latents=(), weights=(1.0, 3.0, 2.0), activations=(), active=())


def test_what_the_others_need_most_comes_first_and_own_errors_only_where_there_are_any() -> None:
    (cross,) = figures.destruction_points(importance(0.1, 0.9, 0.5)).data
    assert list(cross.x) == [0.9, 0.5, 0.1]
    assert list(cross.error_x.array) == pytest.approx([0.2] * 3)
    own = figures.destruction_points(importance(0.1, 0.9, 0.5, own=0.4)).data[1]
    assert list(own.x) == [0.4] * 3
    assert own.marker.symbol == "diamond"


def test_the_crossing_keeps_both_orders_and_shows_names_as_text() -> None:
    found = importance(0.1, 0.9, 0.5)
    figure = figures.crossing(NAMES, NAMES, found.table, found.standard_error, title="t", unit="u")
    assert np.asarray(figure.data[0].z).tolist() == found.table.tolist()
    assert list(figure.layout.yaxis.ticktext) == ["age", "&lt;b&gt;&#36;x&#36;&lt;/b&gt;", "job"]
    assert "± 0.5" in figure.data[0].customdata[1][2]


def test_errors_are_the_means_over_the_rows_and_one_row_its_own_values() -> None:
    cross, own = figures.error_bars(ERROR).data
    assert list(cross.x + own.x) == pytest.approx([-0.3, 0.1, 0.2])
    (row,) = figures.row_error_bars(ERROR, 1).data
    assert sorted(row.x) == [-0.2, 0.0, 0.3]
    assert "row 9" in figures.row_error_bars(ERROR, 1).layout.title.text


def test_latents_are_drawn_beyond_chance_and_dots_mark_what_is_told_apart() -> None:
    heat, dots = figures.latent_map(KNOWN).data
    assert np.asarray(heat.z) == pytest.approx(np.array([[0.8, 0.0], [0.0, 0.0], [0.0, 0.5]]))
    assert sorted(zip(dots.x, dots.y, strict=True)) == [(0, 0), (1, 2)]
    assert "1 latent is dead" in figures.latent_map(KNOWN).layout.title.text.replace("<br>", " ")


def test_weights_are_sorted_and_missing_ones_are_said() -> None:
    assert list(figures.weight_bars(WEIGHTS).data[0].x) == [3.0, 2.0, 1.0]
    none = MagnitudeBaselines(features=NAMES, latents=(), weights=None, activations=(), active=())
    assert "not linear" in figures.weight_bars(none).layout.annotations[0].text.replace("<br>", " ")


def test_the_sentences_name_what_matters_and_what_does_not() -> None:
    found = AutoencoderExplanation(
        selection="40 rows",
        permutation=importance(0.05, 0.9, 0.5),
        zeroing=importance(0.0, 0.0, 0.0),
        baselines=WEIGHTS,
        reconstruction=MOVED,
        error=ERROR,
        information=KNOWN,
    )
    needs, alone, moves, helps, latents = explanation_sentences(found)
    assert needs.startswith("The other columns need <b>$x$</b> most: without it their error grows by 0.90")
    assert alone == "Nothing else was shown to suffer without age."
    assert moves.startswith("<b>$x$</b> moves the reconstruction of job most: by 0.70")
    assert helps.startswith("Knowing age lowers a row's error most, by 0.30")
    assert latents.startswith("2 of 3 latents know of a column")
    assert latents.endswith("None was shown to know of <b>$x$</b>.")
    nothing = AutoencoderExplanation(
        selection="", permutation=importance(0.0, 0.0, 0.0), zeroing=importance(0.0, 0.0, 0.0), baselines=WEIGHTS
    )
    assert explanation_sentences(nothing)[0].startswith("No column is needed by the others")
