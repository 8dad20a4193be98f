import copy
import math

import numpy as np
import pytest
import torch

from tabnet_engine.data.schema import SINGLE_TASKS, Task
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.augmentation import ConvexMixing
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.metrics import evaluate_targets
from tabnet_engine.training.options import FitOptions, Metric
from tabnet_engine.training.prediction import predict_logits

TASKS = [*SINGLE_TASKS, Task.MULTITASK]


def without_seconds(history):
    return [{**record.to_mapping(), "seconds": 0.0} for record in history]


def test_further_tables_are_scored_after_every_epoch(prepare):
    network, train, validation, targets, config = prepare(Task.MULTITASK, max_epochs=3)
    options = FitOptions(evaluation={"again": validation, "training rows": train})
    result = fit(network, train, validation, targets, config, options=options)
    for record in result.history:
        assert record.evaluation["again"] == {"loss": record.validation_loss, **record.validation}
        assert set(record.evaluation["training rows"]) == {"loss", *record.validation}
    best = result.history.best.evaluation["training rows"]
    scores = evaluate_targets(targets, train.y, predict_logits(network, train.encoded))
    assert {name: best[name] for name in scores} == pytest.approx(scores, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("score", ["loss", "auc"])
def test_the_monitored_table_chooses_the_epoch(prepare, score):
    network, train, validation, targets, config = prepare(max_epochs=8, learning_rate=0.3, schedule="constant")
    flipped = LabelledTable(validation.encoded, 1 - validation.y)
    options = FitOptions(evaluation={"flipped": flipped}, monitor=score, monitor_set="flipped")
    sign = 1 if score == "loss" else -1
    for held_out in (validation, None):
        result = fit(copy.deepcopy(network), train, held_out, targets, config, options=options)
        values = [sign * record.evaluation["flipped"][score] for record in result.history]
        assert result.best_epoch == int(np.argmin(values)) + 1


def test_a_metric_of_ones_own_stands_in_the_history_and_may_choose_the_epoch(prepare):
    def share_of_ones(y_true, y_score):
        return float((y_score == 1).mean())

    metric = Metric("ones", share_of_ones, greater_is_better=False, needs="prediction")
    network, train, validation, targets, config = prepare(max_epochs=6, learning_rate=0.3)
    options = FitOptions(metrics=(metric,), monitor="ones")
    result = fit(network, train, validation, targets, config, options=options)
    values = [record.validation["ones"] for record in result.history]
    assert result.best_epoch == int(np.argmin(values)) + 1
    assert min(values) < max(values)
    predicted = predict_logits(network, validation.encoded)[:, 0] > 0
    assert predicted.mean() == min(values)


def test_with_several_targets_one_of_them_may_choose_the_epoch(prepare):
    network, train, validation, targets, config = prepare(
        Task.MULTITASK, max_epochs=8, learning_rate=0.3, schedule="constant"
    )
    result = fit(network, train, validation, targets, config, options=FitOptions(monitor="amount: mae"))
    values = [record.validation["amount: mae"] for record in result.history]
    assert result.best_epoch == int(np.argmin(values)) + 1


def test_a_target_without_weight_teaches_nothing(prepare):
    network, train, validation, targets, config = prepare(
        Task.MULTITASK, n_train=200, max_epochs=4, learning_rate=0.1, task_weights=(1.0, 0.0, 0.0), sparsity_lambda=0.0
    )
    result = fit(network, train, validation, targets, config, options=FitOptions(monitor="loss"))
    last = result.history.records[-1].validation
    assert last["answer: auc"] > 0.9
    first = result.history.records[0]
    # The loss is three times that of the only target that counts: the weights are scaled to their number.
    assert first.validation_loss == pytest.approx(3.0 * first.validation["answer: log_loss"], rel=1e-5)


@pytest.mark.parametrize("where", ["train", "validation", "evaluation"])
def test_sample_weights_that_make_no_sense_are_refused(prepare, where):
    network, train, validation, targets, config = prepare()
    tables = {"train": train, "validation": validation, "evaluation": validation}
    bad = LabelledTable(tables[where].encoded, tables[where].y, np.full(len(tables[where]), -1.0))
    tables[where] = bad
    options = FitOptions(evaluation={"more": tables["evaluation"]})
    with pytest.raises(ConfigError, match=r"sample weights.* at least 0, got -1.0 in row 0"):
        fit(network, tables["train"], tables["validation"], targets, config, options=options)


def test_class_weights_of_ones_own_raise_their_class(prepare):
    means = []
    for weights in ([1.0, 1.0], [1.0, 20.0]):
        network, train, validation, targets, config = prepare(n_train=200, max_epochs=4, learning_rate=0.1)
        options = FitOptions(class_weights=(np.array(weights),))
        fit(network, train, validation, targets, config, options=options)
        means.append(predict_logits(network, validation.encoded).mean())
    assert means[1] > means[0] + 0.5


def test_rows_with_no_draw_weight_are_never_seen(prepare):
    network, train, validation, targets, config = prepare(Task.REGRESSION)
    drawn = np.ones(len(train))
    drawn[:10] = 0.0
    train.y[:10] = np.inf
    result = fit(network, train, validation, targets, config, options=FitOptions(sampling=drawn))
    assert math.isfinite(result.history.records[-1].train_loss)


def test_an_augmentation_changes_the_training_batches_alone(prepare):
    seen = []

    def recorder(batch, class_targets, generator):
        seen.append((len(batch), class_targets))
        return batch

    network, train, validation, targets, config = prepare(Task.MULTITASK, batch_size=45, max_epochs=2)
    twin = copy.deepcopy(network)
    one = fit(network, train, validation, targets, config, options=FitOptions(augmentation=recorder))
    two = fit(twin, train, validation, targets, config)
    assert seen == [(45, (True, True, False))] * 4
    assert without_seconds(one.history) == without_seconds(two.history)


@pytest.mark.parametrize("task", TASKS)
def test_mixed_rows_still_teach(prepare, task):
    parts = prepare(task, n_train=200, max_epochs=6, learning_rate=0.05)
    result = fit(*parts, options=FitOptions(augmentation=ConvexMixing(alpha=1.0, probability=1.0)))
    losses = [record.train_loss for record in result.history]
    assert losses[-1] < 0.85 * losses[0]


@pytest.mark.parametrize("optimizer", [None, torch.optim.SGD])
def test_a_frozen_encoder_stays_for_so_many_epochs(prepare, optimizer):
    network, train, validation, targets, config = prepare(
        max_epochs=4, freeze_epochs=2, weight_decay=1.0, schedule="constant"
    )
    before = copy.deepcopy(dict(network.named_parameters()))
    same = []

    class Compare(Callback):
        def on_epoch_end(self, state):
            now = dict(state.network.named_parameters())
            encoder = [torch.equal(now[name], before[name]) for name in now if name != "head"]
            same.append((all(encoder), torch.equal(now["head"], before["head"])))

    build = None if optimizer is None else lambda parameters: optimizer(parameters, lr=0.1, weight_decay=0.1)
    fit(network, train, validation, targets, config, [Compare()], options=FitOptions(optimizer=build))
    assert same == [(True, False), (True, False), (False, False), (False, False)]


def test_the_loss_reads_single_precision_under_bfloat16(prepare):
    seen = set()

    def own(logits, target):
        seen.update({logits.dtype, target.dtype})
        # bfloat16 knows no number between 1000 and 1004.
        assert (logits.detach() % 4 != 0).any()
        return (logits - target).square().mean(dim=1)

    parts = prepare(Task.REGRESSION, precision="bfloat16")
    fit(*parts, options=FitOptions(loss=own))
    assert seen == {torch.float32}


def test_schedulers_step_without_validation(prepare):
    network, train, _, targets, config = prepare(max_epochs=3)

    def build(parameters):
        return torch.optim.SGD(parameters, lr=1e-3)

    def halve(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)

    options = FitOptions(optimizer=build, scheduler=halve)
    result = fit(copy.deepcopy(network), train, None, targets, config, options=options)
    assert [record.learning_rate for record in result.history] == [1e-3, 5e-4, 2.5e-4]


def test_a_plateau_is_looked_for_in_the_training_loss_without_validation(prepare):
    network, train, validation, targets, config = prepare(max_epochs=3)
    built = []

    def plateau(optimizer):
        built.append(torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, threshold=0.0))
        return built[-1]

    for held_out, kind in ((None, "train_loss"), (validation, "validation_loss")):
        options = FitOptions(scheduler=plateau)
        result = fit(copy.deepcopy(network), train, held_out, targets, config, options=options)
        assert built[-1].last_epoch == 3
        assert built[-1].best == min(getattr(record, kind) for record in result.history)


def test_a_loss_of_ones_own_is_lowered(prepare):
    def absolute(logits, target):
        return (logits - target).abs().mean(dim=1)

    network, train, validation, targets, config = prepare(
        Task.REGRESSION, n_train=300, max_epochs=8, learning_rate=0.05
    )
    result = fit(network, train, validation, targets, config, options=FitOptions(loss=absolute))
    records = result.history.records
    assert records[-1].train_loss < 0.8 * records[0].train_loss
    for record in records:
        assert record.validation_loss == pytest.approx(record.validation["mae"], rel=1e-4)
    assert result.best_epoch == int(np.argmin([record.validation["mae"] for record in records])) + 1


def test_an_evaluation_set_without_rows_is_refused(prepare):
    network, train, validation, targets, config = prepare()
    none = LabelledTable(validation.encoded.take(np.zeros(0, np.int64)), validation.y[:0])
    with pytest.raises(ConfigError, match="evaluation set 'later' has no rows"):
        fit(network, train, validation, targets, config, options=FitOptions(evaluation={"later": none}))
