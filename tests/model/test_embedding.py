"""Embeddings: what belongs to which raw column, the piecewise encoding, and the states of a cell."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import FIRST_CATEGORY, MISSING, UNSEEN, InputLayout
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.embedding import (
    CategoricalEmbedding,
    FeatureEmbedding,
    PiecewiseEmbedding,
    PlainNumbers,
    categorical_width,
    categorical_widths,
)

EDGES = (-2.0, -0.5, 0.0, 1.0)
# Feature 1 is a date with two numeric slots; 0 and 3 are categories, 2 is a number.
LAYOUT = InputLayout(
    feature_names=("colour", "date", "age", "city"),
    numeric_feature=(1, 1, 2),
    categorical_feature=(0, 3),
    categorical_sizes=(FIRST_CATEGORY + 2, FIRST_CATEGORY + 30),
    bins=(EDGES, (0.0, 1.0), EDGES),
)
NAN = float("nan")


def batch(n_rows: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    numeric = torch.randn(n_rows, 3, generator=generator)
    codes = [torch.randint(0, size, (n_rows,), generator=generator) for size in LAYOUT.categorical_sizes]
    return numeric, torch.stack(codes, dim=1)


def shares(x: float, edges: tuple[float, ...] = EDGES) -> list[float]:
    module = PiecewiseEmbedding([edges], 1, missing_states=False)
    return module._shares(torch.tensor([[x]]))[0, :, 0].tolist()


@pytest.mark.parametrize(
    ("x", "expected"),
    [(-2.0, [0, 0, 0]), (-1.25, [0.5, 0, 0]), (-0.5, [1, 0, 0]), (-0.25, [1, 0.5, 0]), (0.75, [1, 1, 0.75])],
)
def test_piecewise_encoding_inside(x: float, expected: list[float]) -> None:
    assert shares(x) == pytest.approx(expected)


@pytest.mark.parametrize(("x", "edge"), [(-9.0, -2.0), (50.0, 1.0)])
def test_beyond_the_edges_the_encoding_stays(x: float, edge: float) -> None:
    assert shares(x) == shares(edge)


@given(
    edges=st.lists(st.integers(-400, 400), min_size=2, max_size=12, unique=True),
    x=st.floats(-20, 20),
    y=st.floats(-20, 20),
)
@settings(deadline=None, max_examples=80)
def test_piecewise_encoding_has_an_inverse_and_keeps_order(edges: list[int], x: float, y: float) -> None:
    sorted_edges = tuple(sorted(edge / 20 for edge in edges))
    widths = np.diff(sorted_edges)
    low, high = (shares(value, sorted_edges) for value in sorted((x, y)))
    assert all(0 <= share <= 1 for share in low)
    assert all(a <= b for a, b in zip(low, high, strict=True))
    recovered = sorted_edges[0] + float(np.dot(high, widths))
    assert recovered == pytest.approx(np.clip(max(x, y), sorted_edges[0], sorted_edges[-1]), abs=1e-4)


def test_slots_with_fewer_bins_ignore_the_spare_ones() -> None:
    module = PiecewiseEmbedding([EDGES, (0.0, 1.0)], 2, missing_states=True)
    encoded = module._shares(torch.full((2, 1), 0.25))
    assert encoded[1, :, 0].tolist() == [0.25, 0, 0]


@pytest.mark.parametrize("embedding", ["piecewise", "none"])
def test_a_missing_number_starts_as_the_mean_and_can_be_learned(embedding: str) -> None:
    module = FeatureEmbedding(LAYOUT, ModelConfig(numeric_embedding=embedding))
    numeric, categorical = batch()
    numeric[0] = 0
    numeric[1] = NAN
    categorical[1] = categorical[0]
    out = module(numeric, categorical)
    assert torch.equal(out[0], out[1])
    parameters = module.numeric.missing if embedding == "none" else module.numeric.weight
    (gradient,) = torch.autograd.grad(out[1].sum() - out[0].sum(), parameters)
    assert gradient.abs().sum() > 0
    with torch.no_grad():
        parameters.sub_(gradient)
    assert not torch.equal(*module(numeric, categorical)[:2])


@pytest.mark.parametrize(
    "module", [PlainNumbers(1, missing_states=False), PiecewiseEmbedding([EDGES], 2, missing_states=False)]
)
def test_without_missing_states_nan_is_refused(module: torch.nn.Module) -> None:
    assert torch.isfinite(module(torch.zeros(2, 1))).all()
    with pytest.raises(ValueError, match="without missing states"):
        module(torch.tensor([[0.0], [NAN]]))


def test_missing_and_unseen_start_at_zero_and_categories_do_not() -> None:
    module = CategoricalEmbedding([0, 1], [4, 6], 3)
    out = module(torch.tensor([[MISSING, UNSEEN], [FIRST_CATEGORY, FIRST_CATEGORY]])).t()
    assert torch.equal(out[0], torch.zeros(6))
    assert (out[1] != 0).all()


def test_columns_of_one_table_do_not_share_rows() -> None:
    module = CategoricalEmbedding([0, 1], [4, 6], 2)
    rows = {tuple(module(torch.tensor([[code, code]]))[half : half + 2, 0].tolist())
            for code in range(2, 4) for half in (0, 2)}  # fmt: skip
    assert len(rows) == 4


def test_the_last_code_of_the_last_column_exists_and_the_next_does_not() -> None:
    module = CategoricalEmbedding([0, 1], [4, 6], 2)
    module(torch.tensor([[3, 5]]))
    with pytest.raises(IndexError):
        module(torch.tensor([[3, 6]]))


@pytest.mark.parametrize("embedding", ["piecewise", "none"])
def test_each_dimension_depends_on_its_raw_column_alone(embedding: str) -> None:
    module = FeatureEmbedding(LAYOUT, ModelConfig(numeric_embedding=embedding, d_numeric=3))
    numeric, categorical = batch(2)
    before = module(numeric, categorical)
    assert before.shape == (2, module.width)
    for feature in range(LAYOUT.n_features):
        changed, codes = numeric.clone(), categorical.clone()
        for slot, owner in enumerate(LAYOUT.numeric_feature):
            changed[:, slot] = torch.where(torch.tensor(owner == feature), NAN if slot == 0 else 0.37, changed[:, slot])
        for slot, owner in enumerate(LAYOUT.categorical_feature):
            codes[:, slot] = (codes[:, slot] + (owner == feature)) % LAYOUT.categorical_sizes[slot]
        moved = (module(changed, codes) != before).any(dim=0)
        assert moved.any()
        assert set(module.column_feature[moved].tolist()) == {feature}


def test_every_feature_owns_a_dimension_and_widths_are_right() -> None:
    module = FeatureEmbedding(LAYOUT, ModelConfig(d_numeric=3))
    counts = torch.bincount(module.column_feature).tolist()
    assert counts == [categorical_width(2), 6, 3, categorical_width(30)]
    fixed = FeatureEmbedding(LAYOUT, ModelConfig(d_categorical=5, numeric_embedding="none"))
    assert torch.bincount(fixed.column_feature).tolist() == [5, 2, 1, 5]


def test_a_list_of_widths_goes_to_the_columns_in_table_order() -> None:
    config = ModelConfig(d_categorical=(7, 3), numeric_embedding="none")
    assert categorical_widths(LAYOUT, config) == (7, 3)
    module = FeatureEmbedding(LAYOUT, config)
    assert torch.bincount(module.column_feature).tolist() == [7, 2, 1, 3]
    assert module(*batch()).shape == (6, module.width)


@pytest.mark.parametrize("widths", [(), (2,), (2, 2, 2)])
def test_too_few_or_too_many_widths_are_refused_with_both_counts(widths: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=rf"lists {len(widths)} widths.* 2 categorical columns \(colour, city\)"):
        FeatureEmbedding(LAYOUT, ModelConfig(d_categorical=widths))


def test_the_settings_decide_about_missing_states() -> None:
    numeric, categorical = batch()
    numeric[2, 1] = NAN
    assert torch.isfinite(FeatureEmbedding(LAYOUT, ModelConfig())(numeric, categorical)).all()
    with pytest.raises(ValueError, match="without missing states"):
        FeatureEmbedding(LAYOUT, ModelConfig(missing_states=False))(numeric, categorical)


def test_widths_grow_with_the_number_of_categories() -> None:
    widths = [categorical_width(n) for n in range(1, 300)]
    assert all(a <= b for a, b in itertools.pairwise(widths))
    assert len(set(widths)) <= 4


def test_only_numbers_and_only_categories() -> None:
    numbers = InputLayout(("a",), (0,), (), (), (EDGES,))
    categories = InputLayout(("a",), (), (0,), (4,), ())
    none, codes = torch.empty(3, 0), torch.empty(3, 0, dtype=torch.int64)
    assert FeatureEmbedding(numbers, ModelConfig())(torch.zeros(3, 1), codes).shape == (3, 4)
    assert FeatureEmbedding(categories, ModelConfig())(none, torch.zeros(3, 1, dtype=torch.int64)).shape == (3, 1)
