"""Figures of a training draw every epoch and mark the one that was kept."""

from __future__ import annotations

from tabnet_engine.figures import training
from tabnet_engine.training.history import EpochRecord


def record(epoch: int, auc: float | None = 0.8) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        seconds=1.0,
        train_loss=1 / epoch,
        validation_loss=2 / epoch,
        learning_rate=0.01,
        sparsity=0.5,
        validation={"auc": auc, "accuracy": 0.7},
    )


RECORDS = [record(1), record(2), record(3)]


def test_losses_of_both_parts_and_the_kept_epoch() -> None:
    figure = training.loss_curves(RECORDS, best_epoch=2)
    assert [trace.name for trace in figure.data] == ["training rows", "validation rows"]
    assert list(figure.data[0].x) == [1, 2, 3]
    assert list(figure.data[1].y) == [2.0, 1.0, 2 / 3]
    assert figure.layout.shapes[0].x0 == 2
    assert "epoch 2" in figure.layout.annotations[0].text
    assert not training.loss_curves(RECORDS).layout.shapes


def test_the_name_of_the_kept_epoch_is_written_where_the_chart_has_room() -> None:
    sides = [
        training.loss_curves(RECORDS, best_epoch=epoch).layout.annotations[0].xanchor for epoch in (1, len(RECORDS))
    ]
    assert sides == ["left", "right"]


def test_before_the_first_epoch_the_figures_say_so() -> None:
    for figure in (training.loss_curves([]), training.metric_curves([], ["auc"]), training.schedule_curves([])):
        assert not figure.data
        assert figure.layout.annotations


def test_a_metric_that_is_undefined_leaves_a_gap_and_one_never_defined_is_left_out() -> None:
    figure = training.metric_curves([record(1, None), record(2, 0.9)], ["auc", "accuracy"])
    assert list(figure.data[0].y) == [None, 0.9]
    figure = training.metric_curves([record(1, None)], ["auc", "accuracy"])
    assert [trace.name for trace in figure.data] == ["accuracy"]
    assert not figure.layout.showlegend


def test_learning_rate_and_entropy_have_their_own_axes() -> None:
    figure = training.schedule_curves(RECORDS)
    assert [trace.yaxis for trace in figure.data] == ["y", "y2"]
    assert figure.layout.yaxis.title.text == "learning rate"
    assert figure.layout.yaxis2.title.text == "mask entropy"


def test_many_epochs_drop_the_markers() -> None:
    assert training.loss_curves([record(epoch) for epoch in range(1, 60)]).data[0].mode == "lines"


def test_scores_of_several_targets_keep_their_targets_name() -> None:
    import dataclasses

    several = dataclasses.replace(record(1), validation={"a: b: auc": 0.8, "price: rmse": 3.0})
    figure = training.metric_curves([several], ["a: b: auc"])
    assert [trace.name for trace in figure.data] == ["AUC"]
    assert "a: b: AUC" in figure.layout.title.text
    figure = training.metric_curves([several], ["a: b: auc", "price: rmse"])
    assert [trace.name for trace in figure.data] == ["a: b: AUC", "price: RMSE"]
    assert training.split_metric("a: b: auc") == ("a: b", "auc")


def test_a_training_without_validation_rows_draws_its_own_loss_alone() -> None:
    import dataclasses

    alone = dataclasses.replace(record(1), validation_loss=None, validation={})
    assert [trace.name for trace in training.loss_curves([alone]).data] == ["training rows"]
