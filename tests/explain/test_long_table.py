"""The command line's long table: every value once, sums that hold, a sidecar that says how."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.attribution_store import MergedFacts
from tabnet_engine.explain.effects.band import Band
from tabnet_engine.explain.effects.permutation_result import PermutationImportance, TargetPermutation
from tabnet_engine.explain.long_table import (
    COLUMNS,
    attribution_table,
    mask_facts,
    mask_table,
    method_facts,
    permutation_facts,
    permutation_table,
    sidecar,
    write_long_tables,
)


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
    base = method_facts(merged(attribution))["base"]
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


def merged(*parts):
    facts = MergedFacts(parts[0])
    for part in parts:
        facts.add(part)
    return facts.to_mapping()


def permuted(n_targets=2):
    band = Band(values=np.array([0.5, -0.1]), low=np.array([0.4, -0.3]), high=np.array([0.6, 0.1]))
    facts = {"task": Task.BINARY, "part": "", "n_rows": 9, "loss": "log loss", "loss_before": 0.3, "constant_loss": 0.7}
    score = {"metric": "AUC", "more_is_better": True, "metric_before": 0.8, "metric_worse": band}
    targets = tuple(
        TargetPermutation(target=f"t{place}", loss_increase=band, **facts, **score) for place in range(n_targets)
    )
    return PermutationImportance(
        features=("a", "b"), rows=np.arange(9), selection="all rows", n_repeats=3, seed=4, run_id="run-1",
        targets=targets, relative=band,
    )  # fmt: skip


def test_permutation_is_about_the_table_and_not_about_a_row(tmp_path):
    table = permutation_table(permuted())
    assert tuple(table.columns) == COLUMNS
    assert table["row"].isna().all()
    assert table["output"].tolist() == ["t0", "t0", "t1", "t1"]
    assert table["value"].tolist() == [0.5, -0.1] * 2
    np.testing.assert_allclose(table["standard_error"], [0.2 / 3.92, 0.4 / 3.92] * 2, rtol=1e-3)
    write_long_tables(tmp_path / "out.parquet", iter([table]))
    assert pd.read_parquet(tmp_path / "out.parquet")["row"].isna().all()
    facts = json.loads(json.dumps(permutation_facts(permuted())))
    assert (facts["n_rows"], facts["n_repeats"], facts["seed"]) == (9, 3, 4)
    assert facts["loss"]["t0"] == {"name": "log loss", "before": 0.3}


def test_the_sidecar_is_json_and_says_how_the_values_were_made(cases):
    attribution = cases.attribution(np.zeros((2, 3, 1)), standard_error=None, algorithm="sampled", target_error=0.1)
    more = cases.attribution(np.zeros((2, 3, 1)), standard_error=None, algorithm="sampled", target_error=0.1)
    methods = {
        "masks": mask_facts(cases.masks(), 9, ["3 rows without"]),
        "shap": method_facts(merged(attribution, more), ["5 of 9 rows"], "of the orders"),
    }
    facts = json.loads(json.dumps(sidecar("run-1", methods)))
    assert facts["run_id"] == "run-1"
    assert facts["rows_left_out"] == ["masks: 3 rows without", "shap: 5 of 9 rows"]
    assert facts["methods"]["shap"]["rows_left_out"] == ["5 of 9 rows"]
    assert facts["methods"]["masks"]["n_rows"] == 9
    assert facts["methods"]["masks"]["n_steps"] == 2
    shap = facts["methods"]["shap"]
    assert (shap["n_rows"], shap["n_evaluations"], shap["n_permutations"], shap["seed"]) == (4, 70, 10, 0)
    assert (shap["algorithm"], shap["target_error"], shap["is_complete"]) == ("sampled", 0.1, True)
    assert shap["standard_error"] == "of the orders"
    assert shap["background"]["n_rows"] == 3
    assert method_facts(merged(attribution))["standard_error"] is None
