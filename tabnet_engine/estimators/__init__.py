"""The engine as scikit-learn estimators, with the parameter names of pytorch-tabnet.

Scripts written for that library run with the import changed::

    from tabnet_engine.estimators import TabNetClassifier

    model = TabNetClassifier(n_d=16, optimizer_params={"lr": 2e-2}, mask_type="entmax")
    model.fit(X_train, y_train, eval_set=[(X_valid, y_valid)], eval_metric=["auc"], patience=10)
    model.predict_proba(X_test), model.explain(X_test), model.feature_importances_

Left to themselves the parameters follow the size of the table (``preset="best"``); ``preset="paper"`` is the
paper to the letter.
"""

from __future__ import annotations

from tabnet_engine.estimators.augmentations import ClassificationSMOTE, ConvexMixing, RegressionSMOTE
from tabnet_engine.estimators.classifier import TabNetClassifier
from tabnet_engine.estimators.errors import InputError, ParameterError
from tabnet_engine.estimators.metrics import Metric
from tabnet_engine.estimators.pretrainer import TabNetPretrainer
from tabnet_engine.estimators.regressor import TabNetRegressor
from tabnet_engine.estimators.several import TabNetMixedEstimator, TabNetMultiTaskClassifier
from tabnet_engine.training.callbacks import Callback

__all__ = [
    "Callback",
    "ClassificationSMOTE",
    "ConvexMixing",
    "InputError",
    "Metric",
    "ParameterError",
    "RegressionSMOTE",
    "TabNetClassifier",
    "TabNetMixedEstimator",
    "TabNetMultiTaskClassifier",
    "TabNetPretrainer",
    "TabNetRegressor",
]
