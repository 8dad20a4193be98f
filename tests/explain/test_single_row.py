"""One decision at once: the same numbers as the stored ones, and cells that were missing or never seen."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ExplanationError, SchemaError
from tabnet_engine.explain.background import draw_background
from tabnet_engine.explain.masks import explain_masks
from tabnet_engine.explain.signed.methods import SignedMethod, explain_rows
from tabnet_engine.explain.single_row import RowExplainer, cell_texts, method_like
from tabnet_engine.explain.store import save_background
from tabnet_engine.explain.subject import ChosenRows, Subject


@pytest.fixture
def explained_run(run, frame):
    encoded = run.encoder.transform(frame)
    y = run.codec.encode(frame, rows=run.splits.train)
    sample = draw_background(encoded, run.splits.train, y, task=Task.BINARY, n_rows=8, seed=0)
    return save_background(run, sample), sample, encoded


def test_one_row_gets_what_it_gets_among_many(explained_run, frame):
    run, sample, encoded = explained_run
    explainer = RowExplainer.of_run(run, ExplainConfig(seed=4))
    one = explainer.explain(frame.iloc[[17]], row=17)
    subject = Subject.of_run(run)
    rows = ChosenRows.from_table(encoded, np.array([3, 17, 40]))
    many = explain_rows(subject, rows, sample, SignedMethod(seed=4))
    np.testing.assert_allclose(one.attribution.values[0], many.values[1], atol=1e-5)
    assert one.attribution.additivity_error <= 1e-5
    np.testing.assert_allclose(one.masks.masks[:, 0], explain_masks(subject, rows).masks[:, 1], atol=1e-5)
    np.testing.assert_allclose(one.logits, one.attribution.logits[0], atol=1e-6)
    assert (one.row, one.masks.rows.tolist(), one.attribution.rows.tolist()) == (17, [17], [17])
    assert one.attribution.background.n_rows == 8


@pytest.mark.parametrize(
    "method",
    [
        SignedMethod(seed=4),
        SignedMethod(n_evaluations=90, seed=4),
        SignedMethod(n_evaluations=9, seed=4),
        SignedMethod(name="sampling", target_error=1e-4, seed=4),
        SignedMethod(name="gradients"),
        SignedMethod(groups={"person": ("age", "job")}),
        SignedMethod(name="ablation"),
    ],
)
def test_a_row_gets_what_the_stored_values_say_of_it(explained_run, frame, method):
    run, sample, encoded = explained_run
    stored = explain_rows(Subject.of_run(run), ChosenRows.from_table(encoded, np.array([3, 17])), sample, method)
    again = RowExplainer.of_run(run, like=stored).explain(frame.iloc[[17]], row=17).attribution
    assert (again.method, again.features) == (method.name, stored.features)
    np.testing.assert_allclose(again.values[0], stored.values[1], atol=1e-9)
    assert method_like(stored).groups == method.groups


def test_values_are_asked_for_as_what_they_were_and_not_by_the_budget_they_used(cases):
    exact = cases.attribution(np.zeros((1, 12, 1)), standard_error=None, n_permutations=0, n_evaluations=4_096)
    assert (method_like(exact).name, method_like(exact).n_evaluations) == ("exact", None)
    sampled = cases.attribution(np.zeros((1, 11, 1)), n_evaluations=2_300, target_error=0.1)
    assert (method_like(sampled).name, method_like(sampled).n_evaluations) == ("sampling", 2_300)
    paths = cases.attribution(np.zeros((1, 4, 1)), method="gradients", standard_error=None, n_permutations=0)
    assert (method_like(paths).name, method_like(paths).n_evaluations) == ("gradients", 70)


def test_what_if_cells_that_are_missing_or_never_seen_are_named(explained_run, frame):
    explainer = RowExplainer.of_run(explained_run[0])
    cells = frame.iloc[[5]].copy()
    cells["age"] = np.nan
    cells["job"] = "astronaut"
    result = explainer.explain(cells, row=5)
    assert result.missing == ("age",)
    assert result.unseen == ("job",)
    assert result.texts["age"] == "missing"
    assert result.texts["job"] == "astronaut"
    assert np.isfinite(result.logits).all()


def test_texts_follow_the_columns(run, frame):
    texts, missing, unseen = cell_texts(run.encoder, frame.iloc[[1]])
    assert tuple(texts) == ("age", "job", "member", "joined")
    assert (missing, unseen) == ((), ())
    assert texts["joined"] == str(frame["joined"].iloc[1].date())


def test_impossible_requests_are_refused(explained_run, run, frame):
    explainer = RowExplainer.of_run(explained_run[0])
    with pytest.raises(ExplanationError, match="one row is explained at a time, got 2"):
        explainer.explain(frame.iloc[:2])
    with pytest.raises(SchemaError, match="age"):
        explainer.explain(frame.iloc[[0]].drop(columns="age"))
    with pytest.raises(ExplanationError, match="no background rows yet"):
        RowExplainer.of_run(run)
