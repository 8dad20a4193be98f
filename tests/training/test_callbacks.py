import pytest
import torch
from torch import nn

from tabnet_engine.errors import ConfigError, JobCancelledError
from tabnet_engine.training.callbacks import (
    Callback,
    CallbackList,
    Cancellation,
    EarlyStopping,
    LastWeights,
    Progress,
    TrainingState,
)
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.monitor import Monitor

HOOKS = [f"on_{what}_{when}" for what in ("train", "epoch", "batch") for when in ("begin", "end")]


def make_state(**changes):
    return TrainingState(**{"network": nn.Linear(1, 1, bias=False), "max_epochs": 10, "n_batches": 4, **changes})


def record(epoch, loss, **validation):
    return EpochRecord(
        epoch=epoch,
        seconds=0.0,
        train_loss=loss,
        validation_loss=loss,
        learning_rate=0.1,
        sparsity=0.0,
        validation=validation,
    )


def run(stopping, records, **changes):
    """Feed the records to the callback; in epoch e the network's one weight is e."""
    state = make_state(**changes)
    stopping.on_train_begin(state)
    for item in records:
        state.epoch, state.record = item.epoch, item
        with torch.no_grad():
            state.network.weight.fill_(item.epoch)
        stopping.on_epoch_end(state)
        if state.stop:
            break
    stopping.on_train_end(state)
    return state


@pytest.mark.parametrize("hook", HOOKS)
def test_a_list_passes_every_hook_on_in_order(hook):
    calls = []
    members = [Callback(), Callback()]
    for name, member in enumerate(members):
        setattr(member, hook, lambda state, name=name: calls.append((name, state)))
    state = make_state()
    assert getattr(Callback(), hook)(state) is None
    getattr(CallbackList(members), hook)(state)
    assert calls == [(0, state), (1, state)]


def test_early_stopping_waits_for_its_patience_and_keeps_the_best_weights():
    stopping = EarlyStopping("loss", patience=2)
    state = run(stopping, [record(epoch, loss) for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.0, 0.5], start=1)])
    assert (state.epoch, state.best_epoch, stopping.stopped) == (4, 2, True)
    assert state.network.weight.item() == 2.0


def test_a_score_where_more_is_better_is_maximised():
    stopping = EarlyStopping("auc", patience=5)
    state = run(stopping, [record(epoch, 9.0, auc=auc) for epoch, auc in enumerate([0.6, 0.9, 0.8], start=1)])
    assert (state.best_epoch, state.network.weight.item()) == (2, 2.0)


def test_any_monitor_may_choose_the_epoch():
    items = [record(1, 9.0, gain=1.0), record(2, 8.0, gain=3.0), record(3, 7.0, gain=2.0)]
    state = run(EarlyStopping(Monitor("gain", greater_is_better=True), patience=5), items)
    assert state.best_epoch == 2


def test_what_early_stopping_knows_can_be_taken_over():
    first, second = EarlyStopping("loss", patience=2), EarlyStopping("loss", patience=2)
    state = make_state()
    for item in (record(1, 1.0), record(2, 2.0)):
        state.epoch, state.record = item.epoch, item
        with torch.no_grad():
            state.network.weight.fill_(item.epoch)
        first.on_epoch_end(state)
    second.load_state_dict(first.state_dict())
    state.epoch, state.record = 3, record(3, 3.0)
    second.on_epoch_end(state)
    second.on_train_end(state)
    assert (second.stopped, state.stop, state.best_epoch, state.network.weight.item()) == (True, True, 1, 1.0)


def test_without_anything_to_choose_by_the_last_weights_are_kept():
    state = run(LastWeights(), [record(epoch, float(epoch)) for epoch in (1, 2, 3)])
    assert (state.best_epoch, state.network.weight.item(), state.stop) == (3, 3.0, False)


def test_no_patience_never_stops():
    stopping = EarlyStopping("loss", patience=0)
    state = run(stopping, [record(epoch, float(epoch)) for epoch in range(1, 11)])
    assert (state.epoch, state.best_epoch, stopping.stopped) == (10, 1, False)


def test_running_out_of_epochs_is_not_called_early():
    stopping = EarlyStopping("loss", patience=9)
    run(stopping, [record(epoch, float(epoch)) for epoch in range(1, 11)])
    assert not stopping.stopped


def test_an_undefined_score_says_what_to_do():
    with pytest.raises(ConfigError, match=r"do not define 'auc'.*monitor=loss"):
        run(EarlyStopping("auc", patience=2), [record(1, 1.0, auc=None)])


def test_an_epoch_without_record_is_a_defect():
    with pytest.raises(ValueError, match="without a record"):
        EarlyStopping("loss", 1).on_epoch_end(make_state(epoch=1))


def test_cancellation_is_asked_at_every_batch():
    answers = iter([False, False, True])
    cancellation = Cancellation(lambda: next(answers))
    state = make_state(epoch=3)
    cancellation.on_batch_begin(state)
    cancellation.on_batch_begin(state)
    with pytest.raises(JobCancelledError, match="epoch 3 of 10"):
        cancellation.on_batch_begin(state)


def test_progress_reports_epochs_and_is_throttled_between():
    now = [100.0]
    reports = []
    progress = Progress(reports.append, interval=1.0, clock=lambda: now[0])
    state = make_state(max_epochs=2)
    progress.on_train_begin(state)
    for epoch in (1, 2):
        state.epoch = epoch
        for batch in (1, 2, 3, 4):
            state.batch = batch
            now[0] += 0.5
            progress.on_batch_end(state)
        state.record = record(epoch, 1.0)
        progress.on_epoch_end(state)
    shares = [round(report.fraction, 3) for report in reports]
    assert shares == [0.125, 0.375, 0.5, 0.75, 1.0, 1.0]
    assert [report.record is not None for report in reports] == [False, False, True, False, False, True]
    assert reports[0].seconds_left == pytest.approx(3.5)
    assert reports[2].seconds_left == pytest.approx(2.0)
    assert reports[-1].seconds_left == 0.0
    assert (reports[-1].epoch, reports[-1].max_epochs) == (2, 2)
