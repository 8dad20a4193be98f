import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import ConfigError
from tabnet_engine.training.augmentation import ConvexMixing
from tabnet_engine.training.loop import TensorTable

NO_CLASS, ONE_CLASS = (False,), (True,)


def make_batch(n_rows, target, seed=0, weight=None, missing=0.2):
    generator = np.random.default_rng(seed)
    numeric = generator.normal(scale=1e3, size=(n_rows, 3)).astype(np.float32)
    numeric[generator.random(numeric.shape) < missing] = np.nan
    categorical = generator.integers(0, 50, (n_rows, 2))
    return TensorTable(torch.from_numpy(numeric), torch.from_numpy(categorical), target, weight)


def mix(batch, class_targets, seed=1, **changes):
    mixing = ConvexMixing(**{"probability": 1.0, **changes})
    return mixing(batch, class_targets, torch.Generator().manual_seed(seed))


def is_between(value, one, two):
    return min(one, two) <= value <= max(one, two)


@settings(max_examples=40)
@given(st.integers(2, 30), st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 1.0, 4.0]))
def test_every_row_lies_between_two_rows_of_the_batch(n_rows, seed, alpha):
    # The target is the row's number, so that a mixed target tells both parents and the share of each.
    target = torch.arange(n_rows, dtype=torch.float32)
    batch = make_batch(n_rows, target, seed)
    mixed = mix(batch, NO_CLASS, seed, alpha=alpha)
    for row in range(n_rows):
        parents = [
            other for other in range(n_rows)
            if all(_cell_is_of(mixed, batch, row, (row, other)))
        ]  # fmt: skip
        assert any(is_between(float(mixed.target[row]), row, other) for other in parents)


def _cell_is_of(mixed, batch, row, parents):
    for name in ("numeric", "categorical"):
        for value, *pair in zip(
            getattr(mixed, name)[row].tolist(), *(getattr(batch, name)[p].tolist() for p in parents), strict=True
        ):
            if name == "categorical":
                yield value in pair
            elif np.isnan(pair).any():
                # Taken whole from one of the two: missing, or the number that the other one has.
                yield np.isnan(value) or value in pair
            else:
                yield is_between(value, *pair)


def test_numbers_and_targets_mix_with_the_same_share():
    target = torch.tensor([0.0, 1.0])
    batch = TensorTable(torch.tensor([[10.0], [20.0]]), torch.zeros(2, 0, dtype=torch.int64), target)
    mixed = mix(batch, NO_CLASS, alpha=1.0)
    torch.testing.assert_close(mixed.numeric[:, 0], 10.0 + 10.0 * mixed.target)
    assert ((mixed.target > 0) & (mixed.target < 1)).all()


def test_what_both_parents_share_stays_exactly_that():
    constant = torch.full((500, 1), 0.1)
    batch = TensorTable(constant, torch.full((500, 1), 7), torch.full((500,), 1e9 + 0.1), torch.full((500,), 0.3))
    mixed = mix(batch, NO_CLASS, alpha=1.0)
    assert torch.equal(mixed.numeric, constant)
    assert (mixed.categorical == 7).all()
    assert torch.equal(mixed.target, batch.target)
    assert torch.equal(mixed.weight, batch.weight)


def test_sample_weights_mix_with_the_same_share():
    weight = torch.tensor([1.0, 3.0])
    batch = TensorTable(torch.tensor([[1.0], [3.0]]), torch.zeros(2, 0, dtype=torch.int64), torch.zeros(2), weight)
    mixed = mix(batch, NO_CLASS, alpha=1.0)
    torch.testing.assert_close(mixed.weight, mixed.numeric[:, 0])


def test_classes_stay_exact_and_partners_share_them():
    generator = np.random.default_rng(0)
    codes = torch.from_numpy(generator.integers(0, 3, 200))
    offset = codes.double().numpy()[:, None] * 100.0
    numeric = torch.from_numpy((offset + generator.random((200, 4))).astype(np.float32))
    batch = TensorTable(numeric, torch.zeros(200, 0, dtype=torch.int64), codes)
    mixed = mix(batch, ONE_CLASS)
    assert torch.equal(mixed.target, codes)
    # Each class has a range of its own, which a partner of another class would leave.
    assert torch.equal((mixed.numeric / 100.0).floor(), codes[:, None].expand(-1, 4).float())
    assert (mixed.numeric != numeric).float().mean() > 0.9


def test_a_row_alone_in_its_class_stays_as_it_is():
    codes = torch.tensor([0, 0, 0, 1])
    batch = make_batch(4, codes, missing=0.0)
    mixed = mix(batch, ONE_CLASS, alpha=1.0)
    assert torch.equal(mixed.numeric[3], batch.numeric[3])
    assert torch.equal(mixed.categorical[3], batch.categorical[3])


def test_of_several_targets_classes_stay_and_numbers_mix():
    generator = np.random.default_rng(2)
    classes = generator.integers(0, 2, (100, 2)).astype(np.float32)
    amount = classes[:, :1] * 10 + classes[:, 1:] * 100 + generator.random((100, 1)).astype(np.float32)
    target = torch.from_numpy(np.hstack([classes, amount]))
    mixed = mix(make_batch(100, target), (True, True, False))
    assert torch.equal(mixed.target[:, :2], target[:, :2])
    # The amount's whole part tells the classes: partners agree in both.
    assert torch.equal(mixed.target[:, 2].floor(), target[:, 2].floor())
    assert not torch.equal(mixed.target[:, 2], target[:, 2])


def test_every_other_row_of_the_class_may_be_the_partner():
    target = torch.arange(4, dtype=torch.float32)
    batch = TensorTable(2.0 ** target[:, None], torch.zeros(4, 0, dtype=torch.int64), target)
    seen = set()
    for seed in range(60):
        mixed = mix(batch, NO_CLASS, seed, alpha=1.0).numeric[0, 0]
        own = 1.0
        share = (mixed - own) / mix(batch, NO_CLASS, seed, alpha=1.0).target[0]
        seen.add(round(float(share), 2))
    # The slopes from row 0 to the rows 1, 2 and 3.
    assert seen == {1.0, 1.5, round(7 / 3, 2)}


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_so_many_rows_are_mixed(probability):
    target = torch.arange(4000, dtype=torch.float32)
    batch = make_batch(4000, target, missing=0.0)
    mixed = mix(batch, NO_CLASS, alpha=2.0, probability=probability)
    changed = (mixed.numeric != batch.numeric).any(dim=1)
    assert changed.float().mean().item() == pytest.approx(probability, abs=0.03)
    assert torch.equal(mixed.categorical[~changed], batch.categorical[~changed])


def test_a_category_comes_from_the_row_itself_as_often_as_its_share_says():
    n_rows = 4000
    categorical = torch.arange(n_rows)[:, None].expand(-1, 2).contiguous()
    target = torch.arange(n_rows, dtype=torch.float32)
    batch = TensorTable(torch.zeros(n_rows, 1), categorical, target)
    own = mix(batch, NO_CLASS, alpha=3.0, beta=1.0).categorical == categorical
    assert own.float().mean().item() == pytest.approx(0.75, abs=0.03)


def test_randomness_comes_from_the_generator_alone():
    batch = make_batch(50, torch.zeros(50))
    np.random.seed(0)  # noqa: NPY002 - the global state is what this is about
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two, other = (mix(batch, NO_CLASS, seed) for seed in (3, 3, 4))
    assert torch.equal(one.numeric.nan_to_num(), two.numeric.nan_to_num())
    assert torch.equal(one.categorical, two.categorical)
    assert not torch.equal(one.numeric.nan_to_num(), other.numeric.nan_to_num())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_batch_itself_is_left_alone():
    batch = make_batch(50, torch.arange(50.0))
    before = [part.clone() for part in (batch.numeric, batch.categorical, batch.target)]
    mix(batch, NO_CLASS)
    for part, kept in zip((batch.numeric, batch.categorical, batch.target), before, strict=True):
        assert torch.equal(part.nan_to_num(), kept.nan_to_num())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": 0.0}, "alpha must be above 0, got 0"),
        ({"alpha": float("nan")}, "alpha must be above 0"),
        ({"beta": -1.0}, "beta must be above 0, got -1"),
        ({"probability": 1.5}, "probability must be between 0 and 1, got 1.5"),
    ],
)
def test_settings_outside_their_range_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        ConvexMixing(**changes)
