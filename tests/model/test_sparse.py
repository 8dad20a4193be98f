"""Sparsemax and entmax-1.5 against the published vectors, their axioms and numerical gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tabnet_engine.model import sparse
from tabnet_engine.model.sparse import MASK_FUNCTIONS, entmax15, sparsemax

INF = math.inf
VECTORS = [
    ([1, 2, 3], [0, 0, 1], [0, 0.1692810861, 0.8307189139]),
    ([0.1, 0.2, 0.3], [0.2333333333, 0.3333333333, 0.4333333333], [0.2765761582, 0.3316666667, 0.3917571751]),
    ([0.5, 0.4, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1], [0.3270297759, 0.2723432586, 0.2226567414, 0.1779702241]),
    ([1, 1, 0], [0.5, 0.5, 0], [0.4812376478, 0.4812376478, 0.0375247044]),
    ([0, 0.5, 1, 1.5], [0, 0, 0.25, 0.75], [0.0015664259, 0.0838554753, 0.2911445247, 0.6234335741]),
    ([1, 0.8, 0.1, -0.5], [0.6, 0.4, 0, 0], [0.5292478943, 0.3937490429, 0.0770030628, 0]),
    ([0.3, 0.1, -INF], [0.6, 0.4, 0], [0.5705336799, 0.4294663201, 0]),
    ([0, 0, 0, 0], [0.25] * 4, [0.25] * 4),
]
BOTH = pytest.mark.parametrize("function", [sparsemax, entmax15])


def scores(draw_from: st.DrawFn, low: float = -8, high: float = 8) -> Tensor:
    n_rows, n_features = draw_from(st.integers(1, 5)), draw_from(st.integers(1, 40))
    seed, spread = draw_from(st.integers(0, 2**31)), draw_from(st.sampled_from([0.0, 1e-3, 1.0, 5.0]))
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(n_rows, n_features, generator=generator) * spread).clamp(low, high)


random_scores = st.composite(scores)()


@pytest.mark.parametrize(("x", "sparse", "entmax"), VECTORS)
def test_published_vectors(x: list[float], sparse: list[float], entmax: list[float]) -> None:
    given_scores = torch.tensor(x, dtype=torch.float64)
    torch.testing.assert_close(sparsemax(given_scores), torch.tensor(sparse, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(entmax15(given_scores), torch.tensor(entmax, dtype=torch.float64), atol=1e-9, rtol=0)


@BOTH
@pytest.mark.parametrize("x", [x for x, _, _ in VECTORS])
def test_input_is_unchanged(function, x) -> None:
    before = torch.tensor(x, dtype=torch.float32)
    after = before.clone()
    function(after)
    assert torch.equal(before, after)


@BOTH
@given(x=random_scores)
@settings(deadline=None, max_examples=60)
def test_rows_lie_on_the_simplex(function, x: Tensor) -> None:
    mask = function(x)
    assert (mask >= 0).all()
    torch.testing.assert_close(mask.sum(dim=1), torch.ones(len(x)), atol=4e-7, rtol=0)


@BOTH
@pytest.mark.parametrize("n_features", [14, 40])
def test_many_rows_sum_to_one_to_the_last_digits(function, n_features: int) -> None:
    """Wide supports are where rounding adds up; the threshold takes it back."""
    x = torch.randn(20_000, n_features, generator=torch.Generator().manual_seed(0)) * 0.1
    assert float((function(x).double().sum(dim=1) - 1).abs().max()) <= 4e-7


@BOTH
@given(x=random_scores, shift=st.floats(-3, 3))
@settings(deadline=None, max_examples=40)
def test_shift_does_not_matter(function, x: Tensor, shift: float) -> None:
    torch.testing.assert_close(function(x + shift), function(x), atol=2e-5, rtol=0)


@given(x=random_scores)
@settings(deadline=None, max_examples=40)
def test_sparsemax_is_the_nearest_point(x: Tensor) -> None:
    """The threshold found by bisection, an algorithm that shares nothing with ours, gives the same point."""
    z = x.double()
    low, high = z.amax(1, keepdim=True) - 1, z.amax(1, keepdim=True)
    for _ in range(80):
        middle = (low + high) / 2
        too_much = (z - middle).clamp(min=0).sum(1, keepdim=True) > 1
        low, high = torch.where(too_much, middle, low), torch.where(too_much, high, middle)
    torch.testing.assert_close(sparsemax(z), (z - low).clamp(min=0), atol=1e-12, rtol=0)


@given(x=random_scores)
@settings(deadline=None, max_examples=40)
def test_entmax_solves_its_equation(x: Tensor) -> None:
    """On the support the root of the mask is x / 2 minus one and the same number."""
    z = x.double()
    mask = entmax15(z)
    threshold = torch.where(mask > 0, z / 2 - mask.sqrt(), torch.nan)
    spread = threshold.nan_to_num(-INF).amax(1) - threshold.nan_to_num(INF).amin(1)
    assert (spread.abs() < 1e-9).all()
    outside = torch.where(mask == 0, z / 2, -INF).amax(1)
    assert (outside <= threshold.nan_to_num(-INF).amax(1) + 1e-9).all()


@BOTH
@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2])
def test_any_dimension(function, dim: int) -> None:
    x = torch.randn(3, 4, 5)
    expected = torch.stack([function(row) for row in x.movedim(dim, -1).flatten(0, 1)])
    torch.testing.assert_close(function(x, dim).movedim(dim, -1).flatten(0, 1), expected)


@BOTH
@pytest.mark.parametrize("shape", [(4, 1, 5), (3, 7), (2, 25)])
def test_gradient(function, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    assert torch.autograd.gradcheck(function, (x,))
    assert torch.autograd.gradcheck(lambda value: function(value, 0), (x,))


def test_sparsemax_jacobian() -> None:
    x = torch.tensor([0.5, 0.4, 0.3, 0.2, -2], dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(sparsemax, x)
    expected = torch.zeros(5, 5, dtype=torch.float64)
    expected[:4, :4] = torch.eye(4) - 0.25
    torch.testing.assert_close(jacobian, expected)


@BOTH
def test_an_excluded_entry_gets_nothing_and_no_gradient(function) -> None:
    x = torch.tensor([[0.3, -INF, 0.1, -INF]], requires_grad=True)
    mask = function(x)
    assert mask[0, 1] == mask[0, 3] == 0
    mask[0, 0].backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert x.grad[0, 1] == 0


@BOTH
@pytest.mark.parametrize("n_features", [3, 40])
def test_a_row_with_everything_excluded_is_all_zero(function, n_features: int) -> None:
    x = torch.zeros(2, n_features)
    x[1] = -INF
    mask = function(x)
    assert torch.equal(mask[1], torch.zeros(n_features))
    torch.testing.assert_close(mask[0], torch.full((n_features,), 1 / n_features))


@BOTH
def test_nan_is_not_hidden(function) -> None:
    assert function(torch.tensor([0.1, math.nan, 0.3])).isnan().any()


def test_no_gradient_of_the_gradient() -> None:
    x = torch.randn(3, requires_grad=True)
    (first,) = torch.autograd.grad(sparsemax(x)[0], x, create_graph=True)
    with pytest.raises(RuntimeError):
        first.sum().backward()


@pytest.mark.parametrize("name", ["sparsemax", "entmax15"])
def test_the_parts_for_fused_layers_agree(name: str) -> None:
    x = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn(9, 6, dtype=torch.float64)
    function = MASK_FUNCTIONS[name]
    mask, saved = function.forward(x.detach())
    assert torch.equal(mask, function(x))
    (expected,) = torch.autograd.grad({"sparsemax": sparsemax, "entmax15": entmax15}[name](x, 0), x, gradient)
    torch.testing.assert_close(function.backward(saved, gradient), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", MASK_FUNCTIONS)
def test_sorting_by_numpy_changes_no_digit(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide rows on a processor are sorted another way: masks, and gradients by them, are those of torch's sort."""
    generator = torch.Generator().manual_seed(3)
    for shape, spread in (((200, 60), 0.3), ((40, 60), 3.0), ((30, 4, 5), 0.1), ((90,), 0.2)):
        given_scores = (torch.randn(shape, generator=generator, dtype=dtype) * spread).round(decimals=2)
        weights = torch.randn(shape, generator=generator, dtype=dtype)
        found = []
        for kinds in (sparse._SORTED_BY_NUMPY, frozenset()):
            monkeypatch.setattr(sparse, "_SORTED_BY_NUMPY", kinds)
            scores = given_scores.clone().requires_grad_()
            mask = MASK_FUNCTIONS[name](scores)
            mask.backward(weights)
            found.append((mask, scores.grad))
            monkeypatch.undo()
        assert torch.equal(found[0][0], found[1][0])
        assert torch.equal(found[0][1], found[1][1])
