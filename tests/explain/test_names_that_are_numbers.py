"""A table without header calls its columns "0", "1", …, and its classes are often numbers: sentences must say which."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.explain.agreement import row_agreement, row_agreement_sentence
from tabnet_engine.explain.archetype_clusters import _choose
from tabnet_engine.explain.archetypes import TargetRates, _rate_sentence
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.interaction_result import Interactions
from tabnet_engine.explain.effects.slices import importance_by_slice
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.mask_orders import order_rows
from tabnet_engine.explain.mask_rows import mask_map
from tabnet_engine.explain.reading import Score
from tabnet_engine.explain.row_outcomes import RowOutcomes
from tabnet_engine.explain.row_parts import parts_by_actual
from tabnet_engine.explain.step_effects import step_effects
from tabnet_engine.explain.what_if import Moved


def test_a_class_called_two_is_no_quantity_that_a_step_moves(cases):
    masks = cases.masks(n_rows=6)
    score = Score.of(Task.BINARY, "2").name
    assert step_effects([masks]).sentences(0, score)[0].startswith("Step 1 moves the log-odds of class 2 by ")
    told = mask_map(masks, order_rows(masks, "score")).told(score)
    assert told.endswith("They are ordered by the log-odds of class 2, the highest first.")
    values = cases.attribution(masks.aggregate[:, :, None].astype(float), rows=masks.rows, outputs=("2",))
    agreement = row_agreement(masks, values, output="2")
    assert row_agreement_sentence(agreement, score).startswith("Row by row, masks and SHAP for the log-odds of class 2")


def test_a_score_of_a_regression_is_called_the_prediction(cases):
    masks = cases.masks(n_rows=3)
    told = mask_map(masks, order_rows(masks, "score")).told(Score.of(Task.REGRESSION, "price").name)
    assert told.endswith("They are ordered by the predicted price, the highest first.")


def test_what_if_names_the_column_and_the_class():
    moved = Moved("20", -1.0, 1.0, classes=("1", "2"), shares=(0.27, 0.73), looked_at="2")
    assert [number.name for number in moved.numbers] == ["Predicted column 20", "Probability of class 2", "Score"]
    assert moved.sentence.startswith("The decision changes from class 1 to class 2; the probability of class 2 goes")
    assert Moved("20", 1.0, 2.0).sentence.startswith("The predicted column 20 moves by ")


def test_rates_and_slices_name_columns_and_classes(cases):
    known = Estimate(value=0.7, n=10, how="exact")
    rates = TargetRates(target="20", task=Task.BINARY, actual={"1": known}, predicted={"1": known}, error=known)
    assert _rate_sentence(rates).startswith("Column 20: class 1 70 %")
    values = np.random.default_rng(0).normal(size=(200, 3, 1))
    values[:60, 2] *= 9
    found = importance_by_slice(cases.attribution(values, features=("4", "5", "6")), {"2": np.arange(60)})
    assert found.sentence("2").startswith("class 2 (60 rows): more important than in the other rows: column 6")


def test_large_units_keep_their_digits():
    band = Band(values=np.array([[15512.3]]), low=np.array([[12600.0]]), high=np.array([[19900.0]]))
    found = Interactions(
        columns=("7", "b"), pairs=(("7", "b"),), outputs=("price",), rows=np.arange(3), size=band, share=band,
        scale="price", n_resamples=10, seed=0, run_id="", selection="",
    )  # fmt: skip
    assert found.sentence(0).startswith("Column 7 and b act together on 'price' by 15,512 (95 % interval 12,600 to")


@pytest.mark.parametrize(("last", "told"), [(np.nan, "; 1 row without a value is in none"), (4e6, "")])
def test_ranges_of_a_large_quantity_are_no_powers_of_ten(last, told):
    actual = np.append(np.arange(1, 5) * 1_234_567.0, last)
    found = RowOutcomes(
        task=Task.REGRESSION, classes=(), rows=np.arange(5), split=np.full(5, 2), predicted=actual, actual=actual,
        confidence=np.full(5, np.nan), error=np.zeros(5),
    )  # fmt: skip
    parts = parts_by_actual(found)
    assert "e+" not in " ".join(parts.names)
    assert parts.how == "ranges with about equally many rows" + told


def test_a_number_below_the_bar_is_not_shown_as_the_bar():
    assert "best mean silhouette 0.24, below 0.25" in _choose([2, 3], [0.2487, 0.2])[1]
