"""Classes and numbers predicted together, from the table to stored explanations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.kinds import propose_schema, set_targets
from tabnet_engine.explain import store
from tabnet_engine.explain.row_outcomes import row_outcomes
from tabnet_engine.jobs.pipeline import explain_table, train_run
from tabnet_engine.jobs.source import Source
from tabnet_engine.runs.artefact import DatasetRef, Run, load_run

REF = DatasetRef("0" * 64, "shop.csv", 240, 7)
OUTPUTS = ("bought = yes", "kind = a", "kind = b", "kind = c", "price")


def shop() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3)).round(3)
    return pd.DataFrame(
        {
            "x": x[:, 0],
            "bought": np.where(x[:, 0] > 0, "yes", "no"),
            "y": x[:, 1],
            "kind": np.select([x[:, 1] > 0.4, x[:, 1] < -0.4], ["a", "b"], "c"),
            "z": x[:, 2],
            "price": 1_000.0 + 50 * x[:, 2],
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    frame = shop()
    schema = set_targets(propose_schema(frame), frame, ["price", "kind", "bought"])
    settings = {"max_epochs": 20, "n_shap_rows": 8, "n_background": 6, "n_steps": 2, "n_d": 8, "n_a": 8, "seed": 1}
    folder = tmp_path_factory.mktemp("several") / "run"
    return load_run(train_run(Source(frame, schema, REF), folder, settings, title="shop").folder)


def test_every_target_is_learned_and_scored_under_its_name(run: Run):
    assert (run.manifest.task, run.manifest.outputs) == ("multitask", OUTPUTS)
    scores = run.manifest.metrics["test"]
    assert {name.partition(": ")[0] for name in scores} == {"bought", "kind", "price"}
    assert scores["bought: auc"] > 0.8
    assert scores["price: r2"] > 0.5


def test_stored_values_cover_every_output_and_add_up_to_the_logits(run: Run):
    masks, values = store.load_masks(run), store.load_attribution(run)
    assert masks.outputs == values.outputs == OUTPUTS
    np.testing.assert_allclose(masks.contributions.sum(axis=0) + masks.base, masks.logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(values.values.sum(axis=1) + values.base, values.logits, rtol=1e-6, atol=1e-6)
    price = masks.logits[:, OUTPUTS.index("price")]
    assert 900 < price.mean() < 1_100, "in the target's own unit"


def test_the_draws_say_which_target_they_are_spread_over(run: Run):
    description = store.load_background(run).background.description
    assert description == f"6 of {len(run.splits.train)} training rows, drawn in the shares of the classes of 'bought'"
    assert store.load_attribution(run).selection.endswith("test rows, drawn in the shares of the classes of 'bought'")


def test_each_target_has_outcomes_of_its_own(run: Run):
    masks, frame = store.load_masks(run), shop()
    for name in run.targets.names:
        codec, place = run.targets.of(name)
        outcomes = row_outcomes(codec, run.splits, frame, masks.rows, masks.logits, place=place)
        test = outcomes.take(np.flatnonzero(outcomes.split == 2))
        scores = run.manifest.metrics["test"]
        if f"{name}: accuracy" in scores:
            assert 1 - test.wrong.mean() == pytest.approx(scores[f"{name}: accuracy"])
        else:
            assert test.error.mean() == pytest.approx(scores[f"{name}: mae"], rel=1e-6)


def test_a_table_of_its_columns_is_explained_without_the_targets(run: Run):
    table = shop().drop(columns=["price", "kind", "bought"])[["z", "x", "y"]]
    pieces, facts = explain_table(run, table, ["shap"], ExplainConfig(n_shap_rows=2))
    values = pd.concat(list(pieces))
    assert set(values["output"]) == set(OUTPUTS)
    assert set(facts()["methods"]["shap"]["base"]) == set(OUTPUTS)
