import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task


@pytest.fixture
def tiny_model():
    return ModelConfig(n_d=4, n_a=4, n_steps=2, n_shared=1, n_independent=1, n_bins=4, d_numeric=2)


@pytest.fixture
def brief():
    return TrainingConfig(max_epochs=2, batch_size=32, learning_rate=0.02, device="cpu")


@pytest.fixture
def make_table():
    """A table with a number (some missing), a category and a target of the wished task."""

    def make(task, n_rows=120, seed=0):
        generator = np.random.default_rng(seed)
        size = generator.normal(size=n_rows)
        colour = generator.choice(["red", "green", "blue"], n_rows)
        score = 2.0 * size + (colour == "red") + generator.normal(scale=0.3, size=n_rows)
        if task is Task.REGRESSION:
            target = 1000.0 + 50.0 * score
        elif task is Task.BINARY:
            target = np.where(score > 0, "yes", "no")
        else:
            target = np.array(["low", "middle", "top"])[np.digitize(score, [-1.0, 1.0])]
        shown = np.where(generator.random(n_rows) < 0.1, np.nan, size)
        frame = pd.DataFrame({"size": shown, "colour": colour, "target": target})
        kinds = {"size": Kind.NUMBER, "colour": Kind.CATEGORY}
        columns = [Column(name=name, kind=kind) for name, kind in kinds.items()]
        kind = Kind.NUMBER if task is Task.REGRESSION else Kind.CATEGORY
        columns.append(Column(name="target", kind=kind, role=Role.TARGET))
        classes = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("low", "middle", "top")}.get(task, ())
        return frame, FeatureSchema(columns=tuple(columns), task=task, classes=classes)

    return make
