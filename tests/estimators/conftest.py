from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

SMALL = {"n_d": 4, "n_a": 4, "n_steps": 2, "n_shared": 1, "n_independent": 1, "device_name": "cpu"}


@pytest.fixture(scope="session")
def small():
    return SMALL


@pytest.fixture(scope="session")
def census():
    """A table like the census one of the well-known scripts: codes and numbers, labels as text, three parts."""
    generator = np.random.default_rng(0)
    n_rows = 360
    age = generator.integers(18, 80, n_rows)
    job = generator.integers(0, 6, n_rows)
    sector = generator.integers(0, 3, n_rows)
    hours = generator.normal(40, 8, n_rows)
    score = 1.0 * (age > 40) + 1.0 * (job > 2) + 0.05 * (hours - 40) + generator.normal(0, 0.4, n_rows)
    labels = np.where(score > 1.2, "wealthy", "not_wealthy").astype(object)
    table = np.column_stack([age, job, sector, hours])
    parts = {"train": slice(0, 240), "valid": slice(240, 300), "test": slice(300, 360)}
    rows = {f"X_{name}": table[part] for name, part in parts.items()}
    targets = {f"y_{name}": labels[part] for name, part in parts.items()}
    frame = pd.DataFrame(table, columns=["age", "job", "sector", "hours"])
    return SimpleNamespace(**rows, **targets, cat_idxs=[1, 2], cat_dims=[6, 3], frame=frame, labels=labels, score=score)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
