from types import SimpleNamespace

import pytest
import torch

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import InputLayout
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training import memory
from tabnet_engine.training.memory import MemoryEstimate, available_memory, estimate_memory, require_memory

LAYOUT = InputLayout(("a", "b"), (0,), (1,), (5,), ((-1.0, 0.0, 1.0),))
NUMBERS = InputLayout(("a",), (0, 0), (), (), ((-1.0, 0.0, 1.0, 2.0), (0.0, 1.0)))
GROUPED = InputLayout(("a", "b", "c"), (0, 1), (2,), (5,), ((-1.0, 0.0, 1.0), (0.0, 1.0)), (0, 0, 1))
WORDS = InputLayout(("a", "b"), (), (0, 1), (3, 90), ())
GIGABYTE = 1024**3


@pytest.fixture
def training():
    return TrainingConfig(batch_size=64)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"n_steps": 5},
        {"n_shared": 0, "n_independent": 2},
        {"n_shared": 2, "n_independent": 0},
        {"numeric_embedding": "none"},
        {"d_categorical": 6, "n_d": 7},
        {"missing_states": False},
        {"missing_states": False, "numeric_embedding": "none"},
    ],
)
@pytest.mark.parametrize("layout", [LAYOUT, NUMBERS, WORDS, GROUPED])
def test_weights_are_counted_exactly(tiny_model, training, shape, layout):
    model = tiny_model.replace(**shape)
    estimate = MemoryEstimate.of(model, training, layout, 3, 0)
    assert estimate.weights == 5 * 4 * TabNet(layout, 3, model).n_parameters
    assert estimate.table == 0


@pytest.mark.parametrize("shape", [{}, {"n_d": 64}, {"n_steps": 6}, {"n_bins": 64}, {"mask_function": "entmax15"}])
def test_a_batch_is_reckoned_at_least_as_large_as_what_forward_keeps(tiny_model, training, shape):
    model = tiny_model.replace(**shape)
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    network = TabNet(LAYOUT, 1, model).eval()  # in evaluation every operation keeps its own values
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.randn(64, 1), torch.zeros(64, 1, dtype=torch.int64))
    measured = sum(size for place, size in kept.items() if place not in weights)
    reckoned = MemoryEstimate.of(model, training, LAYOUT, 1, 0).batch
    assert measured < reckoned < 6 * measured


def test_a_larger_batch_model_or_table_needs_more(tiny_model, training):
    least = estimate_memory(tiny_model, training, LAYOUT, n_rows=1000)
    assert estimate_memory(tiny_model, training.replace(batch_size=128), LAYOUT, n_rows=1000) > least
    assert estimate_memory(tiny_model.replace(n_d=64), training, LAYOUT, n_rows=1000) > least
    assert estimate_memory(tiny_model, training, LAYOUT, n_rows=2000) > least
    assert estimate_memory(tiny_model, training, LAYOUT, n_rows=1000, n_outputs=9) > least


def test_a_width_for_each_categorical_column_counts(tiny_model, training):
    model = tiny_model.replace(d_categorical=[3, 5])
    assert MemoryEstimate.of(model, training, WORDS, 1, 0).weights == 5 * 4 * TabNet(WORDS, 1, model).n_parameters


def test_a_batch_is_never_larger_than_the_table(tiny_model):
    small = estimate_memory(tiny_model, TrainingConfig(batch_size=100), LAYOUT, n_rows=100)
    assert estimate_memory(tiny_model, TrainingConfig(batch_size=1_000_000), LAYOUT, n_rows=100) == small


def test_reckoning_leaves_the_random_state_alone(tiny_model, training):
    before = torch.get_rng_state()
    estimate_memory(tiny_model, training, LAYOUT)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_absurd_model_is_reckoned_at_once_and_refused(training):
    model = ModelConfig(n_d=1024, n_a=1024, n_steps=1024)
    estimate = MemoryEstimate.of(model, training, LAYOUT, 1, 1000)
    with pytest.raises(ConfigError, match=r"about [\d.]+ GB of memory, but 8.0 GB are free; lower n_d \(1024\)"):
        require_memory(estimate, 8 * GIGABYTE, model, training)


@pytest.mark.parametrize(
    ("estimate", "advice"),
    [
        (MemoryEstimate(1, 3 * GIGABYTE, 2), r"lower batch_size \(64\)"),
        (MemoryEstimate(1, 2, 3 * GIGABYTE), "lower the number of rows"),
    ],
)
def test_the_advice_names_what_costs_most(estimate, advice, tiny_model, training):
    with pytest.raises(ConfigError, match=advice):
        require_memory(estimate, GIGABYTE, tiny_model, training)
    require_memory(estimate, 4 * GIGABYTE, tiny_model, training)


def test_a_container_s_limit_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    machine = SimpleNamespace(available=5000)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: machine)
    cpu = torch.device("cpu")
    assert available_memory(cpu) == 5000
    (tmp_path / "memory.current").write_text("600\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(cpu) == 5000
    (tmp_path / "memory.max").write_text("1000\n")
    assert available_memory(cpu) == 400


def test_a_card_answers_for_itself(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (123, 456))
    assert available_memory(torch.device("cuda")) == 123
