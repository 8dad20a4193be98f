import copy
import math

import numpy as np
import pytest
import torch

from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.schema import Task
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError, JobCancelledError
from tabnet_engine.training.callbacks import Callback, Cancellation
from tabnet_engine.training.experiment import build_network
from tabnet_engine.training.fit import LabelledTable, fit, resolve_monitor
from tabnet_engine.training.metrics import METRICS, evaluate
from tabnet_engine.training.prediction import predict_logits


@pytest.fixture
def prepare(make_table, tiny_model, brief):
    """Everything that ``fit`` takes, for a task."""

    def make(task=Task.BINARY, n_train=90, n_validation=30, **changes):
        frame, schema = make_table(task, n_train + n_validation)
        encoder = TableEncoder.fit(frame, schema, n_bins=tiny_model.n_bins)
        codec = TargetCodec.fit(frame, schema)
        encoded, y = encoder.transform(frame), codec.encode(frame)
        config = brief.replace(**changes)
        network = build_network(encoder, codec, tiny_model, config)
        train = LabelledTable(encoded.take(np.arange(n_train)), y[:n_train])
        validation = LabelledTable(encoded.take(np.arange(n_train, len(y))), y[n_train:])
        return network, train, validation, codec, config

    return make


def without_seconds(history):
    return [{**record.to_mapping(), "seconds": 0.0} for record in history]


@pytest.mark.parametrize("task", list(Task))
def test_each_task_learns(prepare, task):
    network, train, validation, codec, config = prepare(task, n_train=400, max_epochs=6)
    result = fit(network, train, validation, codec, config)
    first, last = result.history.records[0], result.history.records[-1]
    assert last.train_loss < 0.8 * first.train_loss
    assert set(last.validation) == set(METRICS[task])
    assert [record.epoch for record in result.history] == [1, 2, 3, 4, 5, 6]
    assert result.best_epoch == result.history.best_epoch
    assert not result.stopped_early
    assert result.device == "cpu"


@pytest.mark.parametrize("task", list(Task))
def test_the_network_ends_with_the_weights_of_the_best_epoch(prepare, task):
    network, train, validation, codec, config = prepare(task, max_epochs=4, learning_rate=0.3, schedule="constant")
    result = fit(network, train, validation, codec, config)
    best = min(result.history, key=lambda record: record.validation_loss)
    assert result.best_epoch == best.epoch
    assert not network.training
    scores = evaluate(task, validation.y, predict_logits(network, validation.encoded), codec.classes)
    assert scores == pytest.approx(best.validation, rel=1e-5)


def test_the_same_seed_gives_the_same_history_and_weights(prepare):
    runs = []
    for _ in range(2):
        network, *rest = prepare(Task.MULTICLASS, seed=3)
        runs.append((without_seconds(fit(network, *rest).history), network.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(runs[0][1][name], tensor) for name, tensor in runs[1][1].items())


def test_another_seed_gives_another_order(prepare):
    network, train, validation, codec, config = prepare()
    twin = copy.deepcopy(network)
    one = fit(network, train, validation, codec, config.replace(seed=1))
    two = fit(twin, train, validation, codec, config.replace(seed=2))
    assert without_seconds(one.history) != without_seconds(two.history)


def test_global_random_states_are_neither_read_nor_changed(prepare):
    histories = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the global state is what this is about
        before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
        histories.append(without_seconds(fit(*prepare()).history))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert histories[0] == histories[1]


def test_a_small_training_keeps_to_one_thread(prepare):
    seen = []

    class Recorder(Callback):
        def on_batch_end(self, state):
            seen.append(torch.get_num_threads())

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    fit(*prepare(max_epochs=1), callbacks=[Recorder()])
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_every_weight_ends_in_memory_of_its_own_without_a_gradient(prepare):
    network, *rest = prepare()
    fit(network, *rest)
    tensors = list(network.parameters())
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)
    assert all(tensor.grad is None for tensor in tensors)


def test_the_callers_table_is_left_alone(prepare):
    network, train, validation, codec, config = prepare()
    before = train.encoded.numeric.copy(), train.encoded.categorical.copy(), train.y.copy()
    fit(network, train, validation, codec, config)
    np.testing.assert_array_equal(train.encoded.numeric, before[0])
    np.testing.assert_array_equal(train.encoded.categorical, before[1])
    np.testing.assert_array_equal(train.y, before[2])


def test_early_stopping_stops(prepare):
    parts = prepare(max_epochs=40, patience=1, learning_rate=1.0, schedule="constant")
    result = fit(*parts)
    assert result.stopped_early
    assert len(result.history) == result.best_epoch + 1 < 40


def test_a_callback_may_stop_after_the_running_epoch(prepare):
    class StopAtOnce(Callback):
        def on_batch_end(self, state):
            state.stop = True

    result = fit(*prepare(max_epochs=9), callbacks=[StopAtOnce()])
    assert len(result.history) == 1
    assert result.best_epoch == 1


def test_cancelling_is_felt_at_the_next_batch_and_leaves_the_network_usable(prepare):
    network, train, validation, codec, config = prepare(max_epochs=9)
    asked = []

    def should_cancel():
        asked.append(len(asked))
        return len(asked) > 4

    with pytest.raises(JobCancelledError, match="epoch 2 of 9"):
        fit(network, train, validation, codec, config, callbacks=[Cancellation(should_cancel)])
    assert len(asked) == 5
    assert not network.training


def test_the_hooks_come_in_order(prepare):
    seen = []

    class Recorder(Callback):
        def on_train_begin(self, state):
            seen.append(("train begin", state.epoch))

        def on_epoch_begin(self, state):
            seen.append(("epoch begin", state.epoch))

        def on_batch_end(self, state):
            seen.append(("batch", state.epoch, state.batch))

        def on_epoch_end(self, state):
            seen.append(("epoch end", state.epoch, state.record.epoch, state.best_epoch))

        def on_train_end(self, state):
            seen.append(("train end", state.epoch))

    fit(*prepare(max_epochs=1, batch_size=45), callbacks=[Recorder()])
    assert seen == [
        ("train begin", 0),
        ("epoch begin", 1),
        ("batch", 1, 1),
        ("batch", 1, 2),
        ("epoch end", 1, 1, 1),
        ("train end", 1),
    ]


@pytest.mark.parametrize("where", ["train", "validation"])
def test_a_loss_that_is_not_finite_says_what_to_lower(prepare, where):
    network, train, validation, codec, config = prepare(Task.REGRESSION)
    broken = train if where == "train" else validation
    broken.y[0] = np.inf
    word = "training" if where == "train" else "validation"
    with pytest.raises(ConfigError, match=f"the {word} loss became infinite or NaN in epoch 1; set learning_rate"):
        fit(network, train, validation, codec, config)


def without_most_yes(table):
    kept = np.flatnonzero((table.y == 0) | (np.arange(len(table)) % 8 == 0))
    return LabelledTable(table.encoded.take(kept), table.y[kept])


def test_balanced_class_weights_raise_the_rare_class(prepare):
    means = {}
    for weighting in ("none", "balanced"):
        network, train, validation, codec, config = prepare(
            n_train=300, max_epochs=3, class_weights=weighting, learning_rate=0.1
        )
        fit(network, without_most_yes(train), without_most_yes(validation), codec, config)
        means[weighting] = predict_logits(network, validation.encoded).mean()
    assert means["balanced"] > means["none"] + 0.5


def test_class_weights_do_not_concern_a_regression(prepare):
    plain = fit(*prepare(Task.REGRESSION, class_weights="none"))
    weighted = fit(*prepare(Task.REGRESSION, class_weights="balanced"))
    assert without_seconds(plain.history) == without_seconds(weighted.history)


def test_the_sparsity_term_makes_masks_sparser(prepare):
    ends = []
    for weight in (0.0, 5.0):
        network, *rest = prepare(n_train=300, max_epochs=5, sparsity_lambda=weight)
        ends.append(fit(network, *rest).history.records[-1].sparsity)
    assert ends[1] < 0.7 * ends[0]


def test_a_validation_class_that_is_absent_is_no_obstacle(prepare):
    network, train, validation, codec, config = prepare(Task.MULTICLASS)
    one_class = np.flatnonzero(validation.y == 1)
    single = LabelledTable(validation.encoded.take(one_class), validation.y[one_class])
    result = fit(network, train, single, codec, config)
    assert result.history.records[-1].validation["auc"] is None
    assert math.isfinite(result.history.records[-1].validation_loss)


def test_a_monitor_that_validation_does_not_define_says_so(prepare):
    network, train, validation, codec, config = prepare(monitor="auc")
    ones = np.flatnonzero(validation.y == 1)
    single = LabelledTable(validation.encoded.take(ones), validation.y[ones])
    with pytest.raises(ConfigError, match="do not define 'auc'"):
        fit(network, train, single, codec, config)


def test_no_validation_rows_are_refused(prepare):
    network, train, validation, codec, config = prepare()
    none = LabelledTable(validation.encoded.take(np.zeros(0, np.int64)), validation.y[:0])
    with pytest.raises(ConfigError, match="at least one validation row"):
        fit(network, train, none, codec, config)


@pytest.mark.parametrize(("n_train", "batch_size"), [(33, 32), (3, 2), (2, 1000), (65, 32)])
def test_no_batch_has_a_single_row(prepare, n_train, batch_size):
    result = fit(*prepare(Task.REGRESSION, n_train=n_train, batch_size=batch_size, max_epochs=1))
    assert math.isfinite(result.history.best.train_loss)


@pytest.mark.parametrize(
    ("monitor", "task", "expected"),
    [
        ("auto", Task.REGRESSION, "loss"),
        ("loss", Task.BINARY, "loss"),
        ("auc", Task.BINARY, "auc"),
        ("r2", Task.REGRESSION, "r2"),
    ],
)
def test_a_monitor_belongs_to_its_task(monitor, task, expected):
    assert resolve_monitor(monitor, task) == expected


def test_a_monitor_of_another_task_is_refused():
    with pytest.raises(ConfigError, match="one of auto, loss, rmse, mae, r2 for a regression target, got 'auc'"):
        resolve_monitor("auc", Task.REGRESSION)
