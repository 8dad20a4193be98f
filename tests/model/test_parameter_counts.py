"""How many values a network learns: the paper's own counts, and the formula behind them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.model.tabnet import TabNet

PAPER_COUNTS = [
    ("Syn1-3", 11, 0, 2, {"n_d": 16, "n_a": 16, "n_steps": 4}, 26_638),
    ("Syn4-6", 11, 0, 2, {"n_d": 16, "n_a": 16, "n_steps": 5}, 31_444),
    ("Covertype", 10, 44, 7, {"n_d": 64, "n_a": 64, "n_steps": 5}, 470_604),
    ("Covertype N=3", 10, 44, 7, {"n_d": 64, "n_a": 64, "n_steps": 3}, 328_308),
    ("Covertype N=9", 10, 44, 7, {"n_d": 64, "n_a": 64, "n_steps": 9}, 755_196),
    ("Sarcos-S", 21, 0, 7, {"n_d": 8, "n_a": 8, "n_steps": 3, "n_shared": 1}, 6_264),
    ("Sarcos-M", 21, 0, 7, {"n_d": 64, "n_a": 64, "n_steps": 7}, 589_008),
    ("Sarcos-L", 21, 0, 7, {"n_d": 128, "n_a": 128, "n_steps": 5}, 1_753_852),
    ("Higgs-M", 28, 0, 2, {"n_d": 96, "n_a": 32, "n_steps": 8}, 656_056),
]


@pytest.mark.parametrize(
    ("n_numeric", "n_binary", "n_outputs", "shape", "count"),
    [row[1:] for row in PAPER_COUNTS],
    ids=[row[0] for row in PAPER_COUNTS],
)
def test_parameter_counts_of_the_paper(n_numeric: int, n_binary: int, n_outputs: int, shape: dict, count: int) -> None:
    n_features = n_numeric + n_binary
    layout = InputLayout(
        feature_names=tuple(f"x{index}" for index in range(n_features)),
        numeric_feature=tuple(range(n_numeric)),
        categorical_feature=tuple(range(n_numeric, n_features)),
        categorical_sizes=(3,) * n_binary,
        bins=((0.0, 1.0),) * n_numeric,
    )
    config = ModelConfig(numeric_embedding="none", d_categorical=1, missing_states=False, **shape)
    assert TabNet(layout, n_outputs, config).n_parameters == count


@given(
    n_features=st.integers(1, 9), n_d=st.integers(1, 9), n_a=st.integers(1, 9), n_steps=st.integers(1, 4),
    n_shared=st.integers(0, 3), n_independent=st.integers(0, 3), n_outputs=st.integers(1, 4),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_parameter_count_formula(
    n_features: int, n_d: int, n_a: int, n_steps: int, n_shared: int, n_independent: int, n_outputs: int
) -> None:
    if n_shared + n_independent == 0:
        return
    h, d = n_d + n_a, n_features
    shared = 2 * h * d + (n_shared - 1) * 2 * h * h if n_shared else 0
    own = n_independent * 2 * h * h if n_shared else 2 * h * d + (n_independent - 1) * 2 * h * h
    norms = (n_shared + n_independent) * 4 * h
    expected = shared + (n_steps + 1) * (own + norms) + n_steps * (n_a * d + 2 * d) + n_d * n_outputs + 2 * d
    names = tuple(f"x{index}" for index in range(n_features))
    layout = InputLayout(names, tuple(range(n_features)), (), (), ((-1.0, 1.0),) * n_features)
    config = ModelConfig(
        n_d=n_d, n_a=n_a, n_steps=n_steps, n_shared=n_shared, n_independent=n_independent,
        numeric_embedding="none", missing_states=False,
    )  # fmt: skip
    assert TabNet(layout, n_outputs, config).n_parameters == expected
