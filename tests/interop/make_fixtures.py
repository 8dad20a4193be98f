"""Writes fixtures/*.zip and *.npz with pytorch-tabnet 4.1 itself, whose answers the import must give.

    pip install --target /tmp/peer --no-deps pytorch-tabnet==4.1.0
    PYTHONPATH=/tmp/peer python tests/interop/make_fixtures.py

Each .npz holds random rows and, for these rows, pytorch-tabnet's predictions, masks of every step (S, B, F)
and explanation (B, F).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pytorch_tabnet.multitask import TabNetMultiTaskClassifier
from pytorch_tabnet.pretraining import TabNetPretrainer
from pytorch_tabnet.tab_model import TabNetClassifier, TabNetRegressor

FIXTURES = Path(__file__).parent / "fixtures"
N_TRAIN, N_ROWS = 600, 40
N_COLUMNS = 6


@dataclass
class Kind:
    """One kind of saved model: class, constructor, and how the target follows from the columns."""

    name: str
    model: Any
    target: Any
    categories: dict[int, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def _sum(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return (x - x.mean(axis=0)) @ np.linspace(-1, 1, x.shape[1]) / x.std()


def _classes(x: npt.NDArray[Any], labels: list[Any]) -> npt.NDArray[Any]:
    place = np.digitize(_sum(x), np.quantile(_sum(x), np.linspace(0, 1, len(labels) + 1)[1:-1]))
    return np.array(labels)[place]


SMALL = {"n_d": 5, "n_a": 4, "n_steps": 2}
KINDS = [
    Kind("binary", TabNetClassifier, lambda x: _classes(x, [0, 1]), settings=SMALL),
    Kind(
        "multiclass_categorical",
        TabNetClassifier,
        lambda x: _classes(x, ["low", "middle", "high"]),
        categories={1: 4, 4: 7},
        settings={**SMALL, "cat_idxs": [1, 4], "cat_dims": [4, 7], "cat_emb_dim": 2, "n_shared": 0},
    ),
    Kind(
        "binary_groups_entmax",
        TabNetClassifier,
        lambda x: _classes(x, ["no", "yes"]),
        categories={0: 3, 3: 5, 5: 6},
        settings={
            **SMALL,
            "cat_idxs": [5, 0, 3],
            "cat_dims": [6, 3, 5],
            "cat_emb_dim": [1, 3, 2],
            "grouped_features": [[4, 3], [0, 2]],
            "mask_type": "entmax",
        },
    ),
    Kind("regression", TabNetRegressor, lambda x: 3 + _sum(x)[:, None], settings={**SMALL, "n_steps": 4}),
    Kind(
        "regression_several_outputs",
        TabNetRegressor,
        lambda x: np.column_stack([_sum(x), _sum(x) ** 2, -_sum(x)]),
        categories={2: 5},
        settings={
            **SMALL, "cat_idxs": [2], "cat_dims": [5], "cat_emb_dim": 4, "mask_type": "entmax", "n_independent": 0,
        },
    ),
    Kind(
        "multitask_categorical",
        TabNetMultiTaskClassifier,
        lambda x: np.column_stack([_classes(x, [0, 1]), _classes(x[:, ::-1], [3, 5, 8])]),
        categories={0: 3, 2: 4},
        settings={**SMALL, "cat_idxs": [2, 0], "cat_dims": [4, 3], "cat_emb_dim": [3, 1]},
    ),
    Kind(
        "multitask_groups",
        TabNetMultiTaskClassifier,
        lambda x: np.column_stack([_classes(x, [10, 20, 30]), _classes(x[:, ::-1], [0, 1])]),
        settings={**SMALL, "grouped_features": [[1, 2, 5]], "mask_type": "entmax", "n_shared": 1, "n_independent": 1},
    ),
    Kind(
        "multiclass_groups_one_step",
        TabNetClassifier,
        lambda x: _classes(x, [1.0, 2.0, 3.0, 4.0]),
        categories={1: 6},
        settings={
            **SMALL, "n_steps": 1, "cat_idxs": [1], "cat_dims": [6], "cat_emb_dim": 5,
            "grouped_features": [[5, 1]], "n_shared": 3, "n_independent": 1,
        },
    ),
]  # fmt: skip


def rows(kind: Kind, count: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Columns of very different units, some of them category codes."""
    x = generator.normal(size=(count, N_COLUMNS)) * [1, 20, 0.1, 3, 50, 5] + [0, 10, 0.3, -7, 20, 0]
    for column, n_categories in kind.categories.items():
        x[:, column] = generator.integers(0, n_categories, count)
    return x


def make(kind: Kind) -> None:
    """Train, save, and let the model answer."""
    generator = np.random.default_rng(len(kind.name))
    x = rows(kind, N_TRAIN, generator)
    model = kind.model(verbose=0, device_name="cpu", momentum=0.3, **kind.settings)
    # The input norm follows slowly (momentum 0.01); far from its end, single precision alone would err by 1e-4.
    model.fit(x, kind.target(x), max_epochs=25, patience=25, batch_size=64, virtual_batch_size=32)
    new = rows(kind, N_ROWS, generator)
    masks, explanation = _explain(model, new)
    answers = {"x": new, "masks": masks, "explain": explanation}
    if kind.model is TabNetRegressor:
        answers["predictions"] = model.predict(new)
    else:
        probabilities = model.predict_proba(new)
        several = probabilities if isinstance(probabilities, list) else [probabilities]
        answers |= {f"probabilities_{task}": values for task, values in enumerate(several)}
        predicted = model.predict(new)
        answers["labels"] = np.column_stack(predicted if isinstance(predicted, list) else [predicted]).astype(str)
    model.save_model(str(FIXTURES / kind.name))
    np.savez_compressed(FIXTURES / f"{kind.name}.npz", **answers)


def _explain(model: Any, x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    explanation, masks = model.explain(x)
    return np.stack([masks[step] for step in sorted(masks)]), explanation


def make_pretrainer() -> None:
    """A saved pretraining, which is to be refused."""
    x = rows(KINDS[0], N_TRAIN, np.random.default_rng(0))
    model = TabNetPretrainer(verbose=0, device_name="cpu", **SMALL)
    model.fit(x, max_epochs=1, batch_size=128, virtual_batch_size=64)
    model.save_model(str(FIXTURES / "pretrainer"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    FIXTURES.mkdir(exist_ok=True)
    for one in KINDS:
        make(one)
    make_pretrainer()
