"""Where work says it is: on one bar, growing, and with what a resumption needs."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tabnet_engine.errors import JobCancelledError
from tabnet_engine.jobs.monitor import COMPARING, EXPLAINING, PRETRAINING, TRAINING, Monitor
from tabnet_engine.jobs.records import JobProgress
from tabnet_engine.training.callbacks import CallbackList, TrainingState
from tests.jobs.fake_tasks import epoch


@pytest.mark.parametrize("phases", [TRAINING, EXPLAINING, PRETRAINING, COMPARING])
def test_the_phases_fill_the_bar_without_gap_or_overlap(phases: dict[str, tuple[float, float]]) -> None:
    edges = [edge for bounds in phases.values() for edge in bounds]
    assert edges[0] == 0
    assert edges[-1] == 1
    assert edges[1:-1:2] == edges[2::2]


def test_counting_reports_the_share_of_its_own_phase() -> None:
    seen: list[JobProgress] = []
    counter = Monitor(seen.append, phases=TRAINING).counter("Explaining", "rows")
    for done in (0, 2, 4):
        counter(done, 4)
    assert [progress.fraction for progress in seen] == pytest.approx([0.7, 0.85, 1.0])
    assert [progress.message for progress in seen] == ["0 of 4 rows", "2 of 4 rows", "4 of 4 rows"]
    assert seen[0].seconds_left is None
    assert seen[2].seconds_left == 0


def test_a_phase_is_cut_into_parts_that_fill_it() -> None:
    monitor = Monitor(phases=TRAINING).split("Explaining", {"Masks": 1.0, "SHAP": 2.0})
    assert monitor.phases["Training"] == TRAINING["Training"]
    assert monitor.phases["Masks"] == pytest.approx((0.7, 0.8))
    assert monitor.phases["SHAP"] == pytest.approx((0.8, 1.0))
    assert "Explaining" not in monitor.phases


def played(resumed_from: int) -> tuple[list[JobProgress], list[int], list[int]]:
    """What a monitor hears of a training of five epochs that goes on after one of them."""
    seen: list[JobProgress] = []
    epochs: list[int] = []
    resumed: list[int] = []
    monitor = Monitor(seen.append, lambda record: epochs.append(record.epoch), resumed=resumed.append)
    callback = CallbackList(monitor.callbacks())
    state = TrainingState(network=torch.nn.Identity(), max_epochs=5, n_batches=1)
    state.epoch = state.resumed_from = resumed_from
    callback.on_train_begin(state)
    for number in range(resumed_from + 1, 6):
        state.epoch, state.batch = number, 1
        callback.on_batch_begin(state)
        callback.on_batch_end(state)
        state.record = epoch(number)
        callback.on_epoch_end(state)
    return seen, epochs, resumed


def test_a_training_from_its_beginning_says_nothing_of_resuming() -> None:
    seen, epochs, resumed = played(0)
    assert (epochs, resumed) == ([1, 2, 3, 4, 5], [])
    assert not any("resumed" in progress.message for progress in seen)


def test_a_resumed_training_says_so_in_every_message() -> None:
    seen, epochs, resumed = played(3)
    assert (epochs, resumed) == ([4, 5], [3])
    assert {progress.message.partition(", ")[2] for progress in seen} == {"resumed from epoch 3"}
    assert seen[0].fraction >= 0.7 * 3 / 5, "the bar goes on where it stood"


def test_a_training_that_had_only_to_be_saved_still_says_that_it_was_resumed() -> None:
    assert played(5)[2] == [5], "so that its curve is shown"


def test_a_cancel_ends_the_training_before_the_next_batch() -> None:
    monitor = Monitor(should_cancel=lambda: True)
    state = TrainingState(network=torch.nn.Identity(), max_epochs=5, n_batches=1, epoch=1)
    with pytest.raises(JobCancelledError):
        CallbackList(monitor.callbacks()).on_batch_begin(state)
    assert dataclasses.replace(monitor).should_cancel()
