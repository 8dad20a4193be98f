import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.callbacks import Callback, TrainingState
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.loop import (
    FINITE_CHECK_INTERVAL,
    LoopState,
    TensorTable,
    batch_bounds,
    run_epoch,
    run_training,
)


def make_table(n_rows):
    column = np.arange(n_rows)[:, None]
    encoded = EncodedTable(column.astype(np.float32), column.astype(np.int64))
    return TensorTable.build(encoded, torch.arange(n_rows), torch.device("cpu"))


def make_state(n_batches):
    return TrainingState(network=nn.Identity(), max_epochs=1, n_batches=n_batches, epoch=1)


@given(st.integers(2, 5000), st.integers(2, 600))
def test_batches_cover_all_rows_once_in_nearly_equal_parts(n_rows, batch_size):
    bounds = batch_bounds(n_rows, batch_size)
    sizes = [stop - start for start, stop in bounds]
    assert [row for start, stop in bounds for row in range(start, stop)] == list(range(n_rows))
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size or (batch_size == 2 and max(sizes) == 3)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_fewer_than_two_rows_are_refused(n_rows):
    with pytest.raises(ConfigError, match=f"at least 2 rows, got {n_rows}"):
        batch_bounds(n_rows, 8)


def test_a_shuffle_keeps_rows_whole_and_follows_its_generator():
    table = make_table(50)
    first = table.shuffled(torch.Generator().manual_seed(1))
    again = table.shuffled(torch.Generator().manual_seed(1))
    other = table.shuffled(torch.Generator().manual_seed(2))
    assert torch.equal(first.numeric[:, 0].long(), first.target)
    assert torch.equal(first.categorical[:, 0], first.target)
    assert torch.equal(first.target, again.target)
    assert not torch.equal(first.target, other.target)
    assert sorted(first.target.tolist()) == list(range(50))


def test_read_only_arrays_are_copied():
    numeric = np.ones((3, 1), np.float32)
    numeric.flags.writeable = False
    table = TensorTable.build(EncodedTable(numeric, np.zeros((3, 0), np.int64)), None, torch.device("cpu"))
    table.numeric[0] = 5.0
    assert numeric[0, 0] == 1.0
    assert table.target.tolist() == [0.0, 0.0, 0.0]


def test_the_mean_weighs_every_row_the_same():
    table = make_table(7)
    bounds = batch_bounds(7, 3)

    def step(batch):
        return torch.stack((batch.target.float().mean(), torch.tensor(1.0)))

    assert run_epoch(step, table, bounds, Callback(), make_state(len(bounds))) == pytest.approx([3.0, 1.0])


def test_hooks_surround_every_batch():
    class Recorder(Callback):
        def __init__(self):
            self.seen = []

        def on_batch_begin(self, state):
            self.seen.append(("begin", state.batch))

        def on_batch_end(self, state):
            self.seen.append(("end", state.batch))

    recorder = Recorder()
    table = make_table(6)

    def step(batch):
        recorder.seen.append(("step", batch.target.tolist()))
        return torch.zeros(1)

    run_epoch(step, table, batch_bounds(6, 3), recorder, make_state(2))
    assert recorder.seen == [
        ("begin", 1), ("step", [0, 1, 2]), ("end", 1),
        ("begin", 2), ("step", [3, 4, 5]), ("end", 2),
    ]  # fmt: skip


def test_an_epoch_that_diverged_ends_early_and_shows_it():
    table = make_table(8 * FINITE_CHECK_INTERVAL)
    bounds = batch_bounds(len(table), 2)
    state = make_state(len(bounds))
    (mean,) = run_epoch(lambda batch: torch.full((1,), float("nan")), table, bounds, Callback(), state)
    assert np.isnan(mean)
    assert state.batch == FINITE_CHECK_INTERVAL


def test_weights_and_several_targets_travel_with_their_rows():
    encoded = EncodedTable(np.arange(6, dtype=np.float32)[:, None], np.arange(6)[:, None])
    target = torch.arange(12.0).view(6, 2)
    table = TensorTable.build(encoded, target, torch.device("cpu"), torch.arange(6.0) * 10)
    taken = table.shuffled(torch.Generator().manual_seed(0)).slice(1, 4)
    assert torch.equal(taken.target[:, 0], taken.numeric[:, 0] * 2)
    assert torch.equal(taken.weight, taken.numeric[:, 0] * 10)
    assert table.slice(0, 2).weight.tolist() == [0.0, 10.0]
    assert make_table(4).slice(0, 2).weight is None


class Memory:
    """An epoch store that remembers in this process."""

    def __init__(self, kept=None):
        self.kept = kept
        self.saved = []

    def save(self, state):
        self.saved.append(state)

    def restore(self):
        return self.kept


def make_record(epoch):
    return EpochRecord(
        epoch=epoch, seconds=0.0, train_loss=1.0, validation_loss=1.0, learning_rate=0.1, sparsity=0.0, validation={}
    )


def fresh_state(max_epochs=4):
    return TrainingState(network=nn.Identity(), max_epochs=max_epochs, n_batches=1)


def test_every_epoch_is_kept_after_its_callbacks():
    class StopAtTwo(Callback):
        def on_epoch_end(self, state):
            state.best_epoch, state.stop = 1, state.epoch == 2

    store = Memory()
    done = run_training(lambda state: make_record(state.epoch), fresh_state(), StopAtTwo(), store)
    assert [(len(kept.records), kept.best_epoch, kept.stop) for kept in store.saved] == [(1, 1, False), (2, 1, True)]
    assert done == store.saved[-1]


@pytest.mark.parametrize(("stop", "expected"), [(False, [1, 2, 3, 4]), (True, [1, 2])])
def test_a_resumed_training_goes_on_after_what_was_done(stop, expected):
    kept = LoopState(records=(make_record(1), make_record(2)), best_epoch=2, stop=stop)
    state = fresh_state()
    done = run_training(lambda at: make_record(at.epoch), state, Callback(), Memory(kept))
    assert [record.epoch for record in done.records] == expected
    assert (state.resumed_from, done.best_epoch) == (2, 2)
