"""scikit-learn's own checks, and its tools around the estimators."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from tabnet_engine.estimators import (
    ClassificationSMOTE,
    TabNetClassifier,
    TabNetMixedEstimator,
    TabNetMultiTaskClassifier,
    TabNetPretrainer,
    TabNetRegressor,
)

# A weight of two is not the same as two copies of a row: batches are drawn from the rows, and their norms and the
# bins of the numbers count a row once. No network that is trained in batches passes these.
IN_BATCHES = "rows are trained in random batches, whose statistics count a row once whatever it weighs"
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": IN_BATCHES,
    "check_sample_weight_equivalence_on_sparse_data": IN_BATCHES,
}
# pytorch-tabnet's scripts take one array for each target, and for a pretrainer what was made and what was wanted.
SEVERAL_ARRAYS = "predict gives several arrays, as the scripts of pytorch-tabnet expect"
NOT_ONE_ARRAY = {
    "check_estimator_sparse_array": SEVERAL_ARRAYS,
    "check_estimator_sparse_matrix": SEVERAL_ARRAYS,
    "check_methods_sample_order_invariance": SEVERAL_ARRAYS,
}
# The smallest network that learns scikit-learn's toy tables, so that the checks take seconds.
SMALL = {"n_d": 4, "n_steps": 1, "n_shared": 1, "n_independent": 1, "max_epochs": 10, "batch_size": 16,
         "learning_rate": 0.05, "device_name": "cpu"}  # fmt: skip


BRIEF = {**SMALL, "max_epochs": 1, "batch_size": 128}


@parametrize_with_checks(
    [TabNetClassifier(**SMALL), TabNetRegressor(**SMALL)], expected_failed_checks=lambda _: EXPECTED_FAILURES
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@parametrize_with_checks([TabNetPretrainer(**BRIEF)], expected_failed_checks=lambda _: NOT_ONE_ARRAY)
def test_scikit_learn_accepts_the_pretrainer(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [TabNetMultiTaskClassifier(**BRIEF), TabNetMixedEstimator(**BRIEF)],
    expected_failed_checks=lambda _: {**EXPECTED_FAILURES, **NOT_ONE_ARRAY},
)
def test_scikit_learn_accepts_several_targets(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"size": generator.normal(size=150), "colour": generator.choice(["red", "blue"], 150)})
    return frame, np.where(frame["size"] + (frame["colour"] == "red") > 0.5, "yes", "no")


ALL = [TabNetClassifier, TabNetRegressor, TabNetMultiTaskClassifier, TabNetMixedEstimator, TabNetPretrainer]


@pytest.mark.parametrize("estimator", ALL)
def test_clone_keeps_every_parameter(estimator):
    given = estimator(
        n_d=8,
        cat_idxs=[1],
        cat_dims=[2],
        cat_emb_dim=[3],
        optimizer_fn=torch.optim.SGD,
        optimizer_params={"lr": 0.1},
        grouped_features=[[0, 1]],
        class_weight={"a": 2},
        settings={"n_bins": 5},
    )
    copy = clone(given)
    assert copy.get_params() == given.get_params()
    assert copy.optimizer_fn is given.optimizer_fn
    assert set(copy.get_params()) >= set(TabNetClassifier().get_params())
    assert estimator().set_params(**given.get_params()).get_params() == given.get_params()
    assert "cat_idxs=[1]" in repr(given)
    if estimator is not TabNetMixedEstimator:
        assert (
            estimator(8, 9, 2, 1.5, [1]).get_params()
            == estimator(n_d=8, n_a=9, n_steps=2, gamma=1.5, cat_idxs=[1]).get_params()
        ), "scripts that give them by position"


def test_they_are_what_scikit_learn_takes_them_for():
    assert is_classifier(TabNetClassifier())
    assert is_regressor(TabNetRegressor())
    assert not is_regressor(TabNetMultiTaskClassifier())


def test_search_pipelines_and_cross_validation(table):
    rows, labels = table
    fast = {**SMALL, "max_epochs": 6, "batch_size": 32}
    search = GridSearchCV(
        Pipeline([("same", FunctionTransformer()), ("model", TabNetClassifier(**fast, cat_idxs=["colour"]))]),
        {"model__n_steps": [1, 2], "model__batch_size": [32]},
        cv=2,
        scoring="roc_auc",
    )
    search.fit(rows, labels)
    assert search.best_score_ > 0.6
    assert search.best_params_["model__n_steps"] in {1, 2}
    scores = cross_val_score(TabNetClassifier(**fast), rows, labels, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.6
    predicted = cross_val_predict(TabNetClassifier(**fast), rows, labels, cv=2, method="predict_proba")
    assert predicted.sum(axis=1) == pytest.approx(np.ones(150))


def test_a_pretrainer_feeds_another_model(table):
    rows, labels = table
    model = make_pipeline(TabNetPretrainer(**{**SMALL, "max_epochs": 3}), LogisticRegression())
    assert model.fit(rows, labels).predict(rows).shape == (150,)


def test_a_fitted_estimator_survives_pickle(table):
    """As workers of a search exchange estimators; our own files hold none of it."""
    rows, labels = table
    model = TabNetClassifier(
        **SMALL,
        optimizer_fn=torch.optim.Adam,
        scheduler_fn=torch.optim.lr_scheduler.ExponentialLR,
        scheduler_params={"gamma": 0.9},
    ).fit(rows, labels)
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert np.array_equal(copy.predict_proba(rows), model.predict_proba(rows))
    assert np.array_equal(copy.feature_importances_, model.feature_importances_)
    for one in (copy, model):
        one.fit(rows, labels, warm_start=True)
    assert copy.history == model.history


def test_the_global_random_state_is_left_alone(table):
    rows, labels = table
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that others still use
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    TabNetClassifier(**SMALL).fit(rows, labels, augmentations=ClassificationSMOTE(), weights=1)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
