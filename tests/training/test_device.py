import pytest
import torch

from tabnet_engine.errors import ConfigError
from tabnet_engine.training.device import mixed_precision, resolve_device, threads_for


@pytest.mark.parametrize(
    ("present", "name", "expected"),
    [(False, "auto", "cpu"), (True, "auto", "cuda"), (True, "cpu", "cpu"), (True, "cuda", "cuda")],
)
def test_auto_takes_the_card_when_there_is_one(monkeypatch, present, name, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert resolve_device(name).type == expected


def test_cuda_without_a_card_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"no CUDA device.*choose auto or cpu"):
        resolve_device("cuda")


def test_another_name_is_refused():
    with pytest.raises(ConfigError, match="device must be one of auto, cuda, cpu, got 'tpu'"):
        resolve_device("tpu")


def test_small_batches_get_one_thread_and_the_rest_is_left_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads_for(256 * 32):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with threads_for(16_384 * 128):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_bfloat16_is_computed_where_it_is_asked_for():
    cpu, ones = torch.device("cpu"), torch.ones(2, 2)
    with mixed_precision("bfloat16", cpu):
        assert (ones @ ones).dtype is torch.bfloat16
    with mixed_precision("float32", cpu):
        assert (ones @ ones).dtype is torch.float32


def test_a_card_without_bfloat16_stays_with_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with mixed_precision("bfloat16", torch.device("cuda")):
        assert not torch.is_autocast_enabled("cuda")
