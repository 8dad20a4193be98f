"""The command line's long table: every value once, sums that hold, a sidecar that says how."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.long_table import COLUMNS, attribution_table, mask_table, sidecar, write_long_tables


def test_masks_of_every_step_and_their_aggregate(cases):
    explanation = cases.masks(n_rows=4, n_steps=2, n_features=3)
    table = mask_table(explanation)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 4 * 3 * 3
    assert set(table["method"]) == {"masks"}
    assert table["output"].isna().all()
    assert table["standard_error"].isna().all()
    for position, row in enumerate(explanation.rows):
        of_row = table[table["row"] == row]
        for step in (1, 2):
            of_step = of_row[of_row["step"] == step].set_index("feature")["value"]
            np.testing.assert_array_equal(of_step[list(explanation.features)], explanation.masks[step - 1, position])
        aggregate = of_row[of_row["step"].isna()].set_index("feature")["value"]
        np.testing.assert_array_equal(aggregate[list(explanation.features)], explanation.aggregate[position])


def test_values_plus_base_are_the_logit_for_every_row_and_output(cases):
    attribution = cases.attribution(np.random.default_rng(1).normal(size=(3, 4, 2)))
    table = attribution_table(attribution)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3 * 4 * 2
    assert table["step"].isna().all()
    assert (table["standard_error"] == 0.01).all()
    base = sidecar(attributions=[attribution])["methods"]["shap"]["base"]
    sums = table.groupby(["row", "output"])["value"].sum()
    for position, row in enumerate(attribution.rows):
        for k, output in enumerate(attribution.outputs):
            assert sums[row, output] + base[output] == pytest.approx(attribution.logits[position, k])
    one = table[(table["row"] == 11) & (table["feature"] == "f2") & (table["output"] == "o1")]
    assert one["value"].tolist() == [attribution.values[1, 2, 1]]


def test_tables_are_streamed_into_one_file(cases, tmp_path):
    masks, attribution = cases.masks(), cases.attribution(np.ones((2, 3, 1)), standard_error=None)
    path = tmp_path / "out.parquet"
    tables = [mask_table(masks.take([0, 1])), mask_table(masks.take([2])), attribution_table(attribution)]
    assert write_long_tables(path, iter(tables)) == 3 * 3 * 3 + 6
    read = pd.read_parquet(path)
    assert tuple(read.columns) == COLUMNS
    assert read["method"].value_counts().to_dict() == {"masks": 27, "shap": 6}
    assert read["standard_error"].isna().all()
    types = [str(field.type) for field in pq.read_schema(path)]
    assert types == ["int64", "string", "string", "int64", "string", "double", "double"]


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(ExplanationError, match="no explained row to write"):
        write_long_tables(tmp_path / "out.parquet", iter([]))


def test_the_sidecar_is_json_and_says_how_the_values_were_made(cases):
    attribution = cases.attribution(np.zeros((2, 3, 1)), standard_error=None)
    facts = json.loads(
        json.dumps(sidecar(masks=cases.masks(), attributions=[attribution], n_mask_rows=9, left_out=["3 rows without"]))
    )
    assert facts["run_id"] == "run-1"
    assert facts["rows_left_out"] == ["3 rows without"]
    assert facts["methods"]["masks"]["n_rows"] == 9
    assert facts["methods"]["masks"]["n_steps"] == 2
    shap = facts["methods"]["shap"]
    assert (shap["n_evaluations"], shap["n_permutations"], shap["seed"]) == (70, 10, 0)
    assert shap["standard_error"] is None
    assert shap["background"]["n_rows"] == 3
    assert sidecar()["run_id"] == ""
    assert sidecar(masks=cases.masks(n_rows=6))["methods"]["masks"]["n_rows"] == 6
    assert sidecar(attributions=[cases.attribution(np.zeros((1, 1, 1)))])["methods"]["shap"]["standard_error"]
