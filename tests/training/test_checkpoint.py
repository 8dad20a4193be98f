import dataclasses
import errno
import os
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabnet_engine.data.schema import Task
from tabnet_engine.errors import ConfigError, StorageError
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.training import checkpoint
from tabnet_engine.training.augmentation import ConvexMixing
from tabnet_engine.training.callbacks import Callback, ProgressReport
from tabnet_engine.training.callbacks import Progress as ProgressCallback
from tabnet_engine.training.checkpoint import FILE_NAME, fingerprint, pack_state, unpack_state
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.prediction import predict_logits


class PowerCutError(Exception):
    """What no code expects."""


class PowerCut(Callback):
    """Ends the training in the middle of an epoch."""

    def __init__(self, epoch, batch=2):
        self.epoch, self.batch = epoch, batch

    def on_batch_end(self, state):
        if (state.epoch, state.batch) == (self.epoch, self.batch):
            raise PowerCutError


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.02)


def one_cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=15)


def plateau(optimizer):
    return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)


def warm_up(optimizer):
    lambdas = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0 / (1 + epoch))
    steps = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [lambdas, steps], [2])


CASES = {
    "as it comes": ({}, {}),
    "several targets": ({"task": Task.MULTITASK}, {}),
    "exponential": ({"schedule": "exponential"}, {}),
    "a frozen start": ({"freeze_epochs": 2}, {}),
    "balanced draws": ({"sampler": "balanced"}, {}),
    "bfloat16": ({"precision": "bfloat16"}, {}),
    "mixed rows": ({}, {"augmentation": ConvexMixing()}),
    "torch": ({}, {"optimizer": adam}),
    "one cycle": ({}, {"optimizer": adam, "scheduler": one_cycle, "scheduler_per_batch": True}),
    "plateau": ({"learning_rate": 0.3}, {"scheduler": plateau}),
    "several schedules": ({}, {"optimizer": adam, "scheduler": warm_up}),
    "another score": ({"monitor": "auc"}, {}),
    "early stop": ({"learning_rate": 1.0, "schedule": "constant", "patience": 1}, {}),
}


def without_seconds(history):
    return [dataclasses.replace(record, seconds=0.0) for record in history]


def assert_same(one, two):
    (result, network), (other, twin) = one, two
    assert without_seconds(result.history) == without_seconds(other.history)
    assert (result.best_epoch, result.stopped_early) == (other.best_epoch, other.stopped_early)
    state, expected = network.state_dict(), twin.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)


@pytest.fixture
def train(prepare):
    """Fit a fresh network, with validation and without; returns the result and the network."""

    def run(settings=None, options=None, *, cut=None, validate=True):
        given = {"max_epochs": 5, "batch_size": 30, "seed": 4, **(settings or {})}
        network, rows, validation, targets, config = prepare(**given)
        callbacks = [] if cut is None else [PowerCut(cut)]
        held_out = validation if validate else None
        result = fit(network, rows, held_out, targets, config, callbacks, options=FitOptions(**(options or {})))
        return result, network

    return run


@pytest.mark.parametrize("cut", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_training_resumes_bit_for_bit(train, tmp_path, case, cut):
    settings, options = CASES[case]
    whole = train(settings, options)
    kept = {**options, "checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    if cut <= len(whole[0].history):
        with pytest.raises(PowerCutError):
            train(settings, kept, cut=cut)
    resumed = train(settings, kept)
    assert resumed[0].resumed_from == min(cut - 1, len(whole[0].history))
    assert resumed[0].notes == ()
    assert_same(resumed, whole)


def test_it_may_be_interrupted_again_and_again(train, tmp_path):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True, "augmentation": ConvexMixing()}
    for cut in (2, 3, 5):
        with pytest.raises(PowerCutError):
            train({}, kept, cut=cut)
    assert_same(train({}, kept), train({}, {"augmentation": ConvexMixing()}))


def test_without_validation_the_last_weights_come_back(train, tmp_path):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    with pytest.raises(PowerCutError):
        train({}, kept, cut=4, validate=False)
    assert_same(train({}, kept, validate=False), train({}, {}, validate=False))


def test_a_finished_training_is_not_trained_again(train, tmp_path):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    first = train({}, kept)
    again = train({}, kept, cut=1)
    assert again[0].resumed_from == 5
    assert_same(again, first)


def test_writing_checkpoints_does_not_change_the_training(train, tmp_path):
    assert_same(train({}, {"checkpoint": tmp_path, "checkpoint_seconds": 0.0}), train())
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_checkpoints_keep_their_distance_in_time(train, tmp_path):
    train({}, {"checkpoint": tmp_path, "checkpoint_seconds": 3600.0})
    assert list(tmp_path.iterdir()) == []


def test_without_resume_it_starts_anew(train, tmp_path):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0}
    with pytest.raises(PowerCutError):
        train({}, kept, cut=3)
    again = train({}, kept)
    assert again[0].resumed_from == 0
    assert_same(again, train())


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 5},
        {"max_epochs": 6},
        {"n_train": 91},
        {"task": Task.MULTICLASS},
    ],
)
def test_a_checkpoint_of_another_training_is_not_used(train, tmp_path, changed):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    train({}, kept)
    other = train(changed, kept)
    assert other[0].resumed_from == 0
    assert "belongs to other settings or another table" in other[0].notes[0]
    assert_same(other, train(changed))


@pytest.mark.parametrize("changed", [{"gamma": 1.1}, {"mask_function": "entmax15"}, {"entropy_epsilon": 1e-3}])
def test_a_setting_that_no_weight_shows_makes_it_another_training(prepare, tiny_model, tmp_path, changed):
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    fit(*prepare(), options=options)
    network, rows, *rest = prepare()
    other = TabNet(network.embedding.layout, len(network.head), tiny_model.replace(**changed))
    other.load_state_dict(network.state_dict())
    assert fit(other, rows, *rest, options=options).resumed_from == 0


def test_a_cell_that_changed_makes_it_another_training(prepare, tmp_path):
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    fit(*prepare(), options=options)
    network, rows, *rest = prepare()
    rows.encoded.numeric[0, 0] += 1.0
    assert fit(network, rows, *rest, options=options).resumed_from == 0


def damages():
    yield "cut short", lambda content: content[: len(content) // 2]
    yield "emptied", lambda content: b""
    yield "a byte flipped at the end", lambda content: content[:-1] + bytes([content[-1] ^ 1])
    yield "a digit of the header", lambda content: content.replace(b"best_epoch", b"best_epocj", 1)
    yield "something else", lambda content: b"PK\x03\x04" + os.urandom(64)
    yield "a huge header", lambda content: b"\xff" * 8 + content[8:]


@pytest.mark.parametrize("damage", [change for _, change in damages()], ids=[name for name, _ in damages()])
def test_a_damaged_checkpoint_means_a_fresh_start_and_a_note(train, tmp_path, damage):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    with pytest.raises(PowerCutError):
        train({}, kept, cut=3)
    path = tmp_path / FILE_NAME
    path.write_bytes(damage(path.read_bytes()))
    result, network = train({}, kept)
    assert result.resumed_from == 0
    assert "started anew" in result.notes[0]
    assert_same((result, network), train())


def test_a_full_disk_is_the_systems_fault_and_leaves_the_old_checkpoint(train, tmp_path, monkeypatch):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    with pytest.raises(PowerCutError):
        train({}, kept, cut=3)
    before = (tmp_path / FILE_NAME).read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        train({}, kept)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_a_folder_that_cannot_be_made_is_the_systems_fault(train, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        train({}, {"checkpoint": in_the_way, "checkpoint_seconds": 0.0})


def test_what_a_killed_writer_left_behind_is_replaced(train, tmp_path):
    (tmp_path / "checkpoint.part").write_bytes(b"half a file")
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    assert_same(train({}, kept), train())
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_progress_and_state_say_where_it_went_on(prepare, tmp_path):
    seen: list[ProgressReport] = []
    begun = []

    class Recorder(Callback):
        def on_train_begin(self, state):
            begun.append((state.resumed_from, state.epoch, state.record and state.record.epoch))

        def on_batch_end(self, state):
            now[0] += 1.0

    now = [0.0]
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    with pytest.raises(PowerCutError):
        fit(*prepare(max_epochs=4, batch_size=30), [PowerCut(3)], options=options)
    progress = ProgressCallback(seen.append, interval=1e9, clock=lambda: now[0])
    fit(*prepare(max_epochs=4, batch_size=30), [Recorder(), progress], options=options)
    assert begun == [(2, 2, 2)]
    ends = [(report.epoch, report.fraction, report.seconds_left) for report in seen if report.record is not None]
    assert ends == [(3, 0.75, 3.0), (4, 1.0, 0.0)]


def test_resuming_needs_a_folder():
    with pytest.raises(ConfigError, match="set checkpoint"):
        FitOptions(resume=True)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(PLAIN)
def test_plain_values_survive_with_their_types(value):
    back = unpack_state(pack_state({"value": value}))["value"]
    assert repr(back) == repr(value)


def test_tensors_keep_their_bits_and_functions_stay_out():
    tensors = {
        0: torch.tensor([0.1, float("nan"), -0.0]),
        "b": torch.tensor(3, dtype=torch.int64),
        "c": torch.randn(2, 3).to(torch.bfloat16),
        "d": torch.zeros(0, 4),
        "e": torch.arange(6).view(2, 3).t(),
    }
    back = unpack_state(pack_state({"t": tensors, "f": len, "n": np.float64(0.1), "c": Counter([1, 1])}))
    assert back.keys() == {"t", "n", "c"}
    assert back["n"] == 0.1
    assert back["c"] == Counter([1, 1])
    assert isinstance(back["c"], Counter)
    for name, tensor in tensors.items():
        assert back["t"][name].dtype == tensor.dtype
        assert back["t"][name].shape == tensor.shape
        as_bytes = [item.contiguous().flatten().view(torch.uint8) for item in (back["t"][name], tensor)]
        assert torch.equal(*as_bytes)


def test_what_no_file_can_hold_says_so():
    with pytest.raises(ConfigError, match="cannot hold the complex"):
        pack_state({"value": 1j})


@given(st.binary(max_size=200))
def test_bytes_that_are_no_checkpoint_are_refused(content):
    with pytest.raises(ValueError, match=r"no checkpoint|changed|Expecting|line"):
        unpack_state(content)


def test_a_fingerprint_sees_settings_types_shapes_and_values():
    array = np.arange(4.0)
    prints = {
        fingerprint({"a": 1}, [array]),
        fingerprint({"a": 2}, [array]),
        fingerprint({"a": 1}, [array.astype(np.float32)]),
        fingerprint({"a": 1}, [array.reshape(2, 2)]),
        fingerprint({"a": 1}, [array + 1]),
        fingerprint({"a": 1}, []),
    }
    assert len(prints) == 6
    assert fingerprint({"a": 1}, [array]) in prints
    assert fingerprint({"a": 1}, [torch.arange(4.0, dtype=torch.float64)]) in prints


def test_sample_weights_are_part_of_the_fingerprint(prepare, tmp_path):
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    network, rows, *rest = prepare()
    fit(network, rows, *rest, options=options)
    network, rows, *rest = prepare()
    weighted = LabelledTable(rows.encoded, rows.y, np.linspace(0.5, 1.5, len(rows)))
    assert fit(network, weighted, *rest, options=options).resumed_from == 0


def test_another_learning_rate_of_an_optimizer_makes_it_another_training(train, tmp_path):
    kept = {"checkpoint": tmp_path, "checkpoint_seconds": 0.0, "resume": True}
    train({}, {**kept, "optimizer": adam})
    faster = {**kept, "optimizer": lambda parameters: torch.optim.Adam(parameters, lr=0.03)}
    assert train({}, faster)[0].resumed_from == 0


def test_the_resumed_network_predicts_the_same(prepare, tmp_path):
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0.0, resume=True)
    with pytest.raises(PowerCutError):
        fit(*prepare(max_epochs=4), [PowerCut(3)], options=options)
    resumed, whole = prepare(max_epochs=4), prepare(max_epochs=4)
    fit(*resumed, options=options)
    fit(*whole)
    predictions = [predict_logits(parts[0], parts[2].encoded) for parts in (resumed, whole)]
    np.testing.assert_array_equal(*predictions)
