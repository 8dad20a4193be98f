import copy
import math

import numpy as np
import pytest
import torch

from tabnet_engine.data.schema import SINGLE_TASKS, Task
from tabnet_engine.errors import ConfigError, JobCancelledError
from tabnet_engine.training.callbacks import Callback, Cancellation
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.metrics import METRICS, evaluate_targets
from tabnet_engine.training.prediction import predict_logits

TASKS = [*SINGLE_TASKS, Task.MULTITASK]


def expected_scores(targets):
    if len(targets.codecs) == 1:
        return METRICS[targets.task]
    return [f"{codec.name}: {score}" for codec in targets.codecs for score in METRICS[codec.task]]


def without_seconds(history):
    return [{**record.to_mapping(), "seconds": 0.0} for record in history]


@pytest.mark.parametrize("task", TASKS)
def test_each_task_learns(prepare, task):
    network, train, validation, targets, config = prepare(task, n_train=400, max_epochs=6)
    result = fit(network, train, validation, targets, config)
    first, last = result.history.records[0], result.history.records[-1]
    assert last.train_loss < 0.8 * first.train_loss
    assert set(last.validation) == set(expected_scores(targets))
    assert [record.epoch for record in result.history] == [1, 2, 3, 4, 5, 6]
    assert result.best_epoch == result.history.best_epoch
    assert not result.stopped_early
    assert result.device == "cpu"


@pytest.mark.parametrize("task", TASKS)
def test_the_network_ends_with_the_weights_of_the_best_epoch(prepare, task):
    network, train, validation, targets, config = prepare(task, max_epochs=4, learning_rate=0.3, schedule="constant")
    result = fit(network, train, validation, targets, config)
    best = min(result.history, key=lambda record: record.validation_loss)
    assert result.best_epoch == best.epoch
    assert not network.training
    scores = evaluate_targets(targets, validation.y, predict_logits(network, validation.encoded))
    assert scores == pytest.approx(best.validation, rel=1e-5, abs=1e-6)


def test_the_same_seed_gives_the_same_history_and_weights(prepare):
    runs = []
    for _ in range(2):
        network, *rest = prepare(Task.MULTICLASS, seed=3)
        runs.append((without_seconds(fit(network, *rest).history), network.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(runs[0][1][name], tensor) for name, tensor in runs[1][1].items())


def test_another_seed_gives_another_order(prepare):
    network, train, validation, targets, config = prepare()
    twin = copy.deepcopy(network)
    one = fit(network, train, validation, targets, config.replace(seed=1))
    two = fit(twin, train, validation, targets, config.replace(seed=2))
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
    network, train, validation, targets, config = prepare()
    before = train.encoded.numeric.copy(), train.encoded.categorical.copy(), train.y.copy()
    fit(network, train, validation, targets, config)
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


def test_a_callback_may_stop_before_the_first_epoch(prepare):
    class Never(Callback):
        def on_train_begin(self, state):
            state.stop = True

    network, *rest = prepare()
    before = copy.deepcopy(network.state_dict())
    result = fit(network, *rest, callbacks=[Never()])
    assert (len(result.history), result.best_epoch) == (0, 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_cancelling_is_felt_at_the_next_batch_and_leaves_the_network_usable(prepare):
    network, train, validation, targets, config = prepare(max_epochs=9)
    asked = []

    def should_cancel():
        asked.append(len(asked))
        return len(asked) > 4

    with pytest.raises(JobCancelledError, match="epoch 2 of 9"):
        fit(network, train, validation, targets, config, callbacks=[Cancellation(should_cancel)])
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
    network, train, validation, targets, config = prepare(Task.REGRESSION)
    broken = train if where == "train" else validation
    broken.y[0] = np.inf
    word = "training" if where == "train" else "validation"
    with pytest.raises(ConfigError, match=f"the {word} loss became infinite or NaN in epoch 1; set learning_rate"):
        fit(network, train, validation, targets, config)


def without_most_yes(table):
    kept = np.flatnonzero((table.y == 0) | (np.arange(len(table)) % 8 == 0))
    return LabelledTable(table.encoded.take(kept), table.y[kept])


def test_balanced_class_weights_raise_the_rare_class(prepare):
    means = {}
    for weighting in ("none", "balanced"):
        network, train, validation, targets, config = prepare(
            n_train=300, max_epochs=3, class_weights=weighting, learning_rate=0.1
        )
        fit(network, without_most_yes(train), without_most_yes(validation), targets, config)
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
    network, train, validation, targets, config = prepare(Task.MULTICLASS)
    one_class = np.flatnonzero(validation.y == 1)
    single = LabelledTable(validation.encoded.take(one_class), validation.y[one_class])
    result = fit(network, train, single, targets, config)
    assert result.history.records[-1].validation["auc"] is None
    assert math.isfinite(result.history.records[-1].validation_loss)


def test_a_monitor_that_validation_does_not_define_says_so(prepare):
    network, train, validation, targets, config = prepare(monitor="auc")
    ones = np.flatnonzero(validation.y == 1)
    single = LabelledTable(validation.encoded.take(ones), validation.y[ones])
    with pytest.raises(ConfigError, match="do not define 'auc'"):
        fit(network, train, single, targets, config)


def test_no_validation_rows_are_refused(prepare):
    network, train, validation, targets, config = prepare()
    none = LabelledTable(validation.encoded.take(np.zeros(0, np.int64)), validation.y[:0])
    with pytest.raises(ConfigError, match="at least one validation row"):
        fit(network, train, none, targets, config)


@pytest.mark.parametrize(("n_train", "batch_size"), [(33, 32), (3, 2), (2, 1000), (65, 32)])
def test_no_batch_has_a_single_row(prepare, n_train, batch_size):
    result = fit(*prepare(Task.REGRESSION, n_train=n_train, batch_size=batch_size, max_epochs=1))
    assert math.isfinite(result.history.best.train_loss)


def test_without_validation_every_epoch_is_trained_and_the_last_weights_stay(prepare):
    network, train, _, targets, config = prepare(max_epochs=4, patience=1, learning_rate=1.0, schedule="constant")
    last = []

    class Keep(Callback):
        def on_epoch_end(self, state):
            last.append(copy.deepcopy(state.network.state_dict()))

    result = fit(network, train, None, targets, config, [Keep()])
    assert (len(result.history), result.best_epoch, result.stopped_early) == (4, 4, False)
    assert all(record.validation_loss is None and record.validation == {} for record in result.history)
    assert all(torch.equal(tensor, last[-1][name]) for name, tensor in network.state_dict().items())


def test_validation_does_not_touch_the_training(prepare):
    network, train, validation, targets, config = prepare(max_epochs=3)
    twin = copy.deepcopy(network)
    one = fit(network, train, validation, targets, config)
    two = fit(twin, train, None, targets, config)
    assert [r.train_loss for r in one.history] == [r.train_loss for r in two.history]


def test_task_weights_must_fit_the_targets(prepare):
    parts = prepare(Task.MULTITASK, task_weights=(1.0, 2.0))
    with pytest.raises(ConfigError, match=r"each of the 3 targets \(answer, level, amount\), got 2"):
        fit(*parts)


def test_sample_weights_shift_what_is_learned(prepare):
    means = []
    for weight_of_yes in (1.0, 20.0):
        network, train, validation, targets, config = prepare(n_train=200, max_epochs=4, learning_rate=0.1)
        weight = np.where(train.y == 1, weight_of_yes, 1.0)
        fit(network, LabelledTable(train.encoded, train.y, weight), None, targets, config)
        means.append(predict_logits(network, validation.encoded).mean())
    assert means[1] > means[0] + 0.5


def test_only_the_ratios_of_sample_weights_count(prepare):
    network, train, validation, targets, config = prepare()
    weights = np.linspace(0.5, 2.0, len(train))
    runs = []
    for factor in (1.0, 4.0):
        weighted = LabelledTable(train.encoded, train.y, weights * factor)
        runs.append(without_seconds(fit(copy.deepcopy(network), weighted, validation, targets, config).history))
    assert runs[0] == runs[1]


def test_validation_weights_weigh_the_validation_loss(prepare):
    network, train, validation, targets, config = prepare(max_epochs=1)
    ones = LabelledTable(validation.encoded, validation.y, (validation.y == 1).astype(float))
    kept = np.flatnonzero(validation.y == 1)
    only = LabelledTable(validation.encoded.take(kept), validation.y[kept])
    one = fit(copy.deepcopy(network), train, ones, targets, config).history.best.validation_loss
    two = fit(copy.deepcopy(network), train, only, targets, config).history.best.validation_loss
    assert one == pytest.approx(two, rel=1e-6)


def test_the_balanced_sampler_raises_the_rare_class(prepare):
    means = {}
    for sampler in ("shuffle", "balanced"):
        network, train, validation, targets, config = prepare(
            n_train=300, max_epochs=4, sampler=sampler, learning_rate=0.1
        )
        fit(network, without_most_yes(train), without_most_yes(validation), targets, config)
        means[sampler] = predict_logits(network, validation.encoded).mean()
    assert means["balanced"] > means["shuffle"] + 0.5


@pytest.mark.parametrize("task", TASKS)
def test_bfloat16_learns_and_is_validated_in_full_precision(prepare, task):
    network, train, validation, targets, config = prepare(
        task, n_train=200, max_epochs=4, batch_size=50, learning_rate=0.05, precision="bfloat16"
    )
    exact = fit(copy.deepcopy(network), train, validation, targets, config.replace(precision="float32"))
    result = fit(network, train, validation, targets, config)
    last, first = result.history.records[-1], result.history.records[0]
    assert last.train_loss < 0.8 * first.train_loss
    assert last.train_loss != exact.history.records[-1].train_loss
    assert last.train_loss == pytest.approx(exact.history.records[-1].train_loss, rel=0.2)
    scores = evaluate_targets(targets, validation.y, predict_logits(network, validation.encoded))
    assert scores == pytest.approx(result.history.best.validation, rel=1e-4, abs=1e-5)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_one_target_may_come_as_its_codec(prepare):
    network, train, validation, targets, config = prepare()
    one = fit(copy.deepcopy(network), train, validation, targets, config)
    two = fit(network, train, validation, targets.only, config)
    assert without_seconds(one.history) == without_seconds(two.history)
