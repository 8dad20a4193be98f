import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.monitor import Monitor, resolve_monitor
from tabnet_engine.training.options import Metric

ANSWER = TargetCodec(name="answer", task=Task.BINARY, classes=("no", "yes"))
LEVEL = TargetCodec(name="level", task=Task.MULTICLASS, classes=("a", "b", "c"))
AMOUNT = TargetCodec(name="amount", task=Task.REGRESSION)
GAIN = Metric("gain", lambda y, s: 0.0)
COST = Metric("cost", lambda y, s: 0.0, greater_is_better=False, needs="prediction")


def one(codec):
    return TargetCodecs((codec,))


def record(validation=None, loss=1.0, **evaluation):
    return EpochRecord(
        epoch=1, seconds=0.0, train_loss=1.0, validation_loss=loss, learning_rate=0.1, sparsity=0.0,
        validation=validation or {}, evaluation=evaluation,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("monitor", "codec", "expected"),
    [
        ("auto", AMOUNT, Monitor("loss")),
        ("loss", ANSWER, Monitor("loss")),
        ("auc", ANSWER, Monitor("auc", greater_is_better=True)),
        ("log_loss", LEVEL, Monitor("log_loss")),
        ("r2", AMOUNT, Monitor("r2", greater_is_better=True)),
        ("rmsle", AMOUNT, Monitor("rmsle")),
        ("gain", ANSWER, Monitor("gain", greater_is_better=True)),
        ("cost", AMOUNT, Monitor("cost")),
    ],
)
def test_a_score_knows_which_way_is_better(monitor, codec, expected):
    assert resolve_monitor(monitor, one(codec), (GAIN, COST)) == expected
    assert resolve_monitor(monitor, one(codec), (GAIN, COST), table="later").table == "later"


def test_a_metric_of_ones_own_may_turn_a_built_in_score_round():
    own = Metric("auc", lambda y, s: 0.0, greater_is_better=False)
    assert resolve_monitor("auc", one(ANSWER), (own,)) == Monitor("auc")


@pytest.mark.parametrize("monitor", ["answer: auc", "auc", "level: gain", "amount: mse", "r2", "amount: cost"])
def test_with_several_targets_a_score_is_one_targets_or_the_mean(monitor):
    targets = TargetCodecs((ANSWER, LEVEL, AMOUNT))
    found = resolve_monitor(monitor, targets, (GAIN, COST))
    assert (found.score, found.greater_is_better) == (monitor, monitor.split(": ")[-1] in {"auc", "gain", "r2"})


def test_a_score_that_no_target_has_names_those_there_are():
    with pytest.raises(
        ConfigError, match=r"one of auto, loss, rmse, mae, r2, mse, rmsle for a regression .* got 'auc'"
    ):
        resolve_monitor("auc", one(AMOUNT))
    with pytest.raises(ConfigError, match="'answer: rmse'"):
        resolve_monitor("answer: rmse", TargetCodecs((ANSWER, AMOUNT)))
    with pytest.raises(ConfigError, match="'amount: gain'"):
        resolve_monitor("amount: gain", TargetCodecs((ANSWER, AMOUNT)), (GAIN,))


def test_the_value_is_read_from_its_table():
    item = record({"auc": 0.7}, later={"loss": 3.0, "auc": 0.9})
    assert Monitor("auc").value(item) == 0.7
    assert Monitor("loss").value(item) == 1.0
    assert Monitor("auc", "later").value(item) == 0.9
    assert Monitor("loss", "later").value(item) == 3.0


def test_a_score_alone_is_the_mean_over_the_targets():
    item = record({"a: auc": 0.5, "b: auc": 0.7, "c: r2": 0.1})
    assert Monitor("auc").value(item) == pytest.approx(0.6)
    assert Monitor("b: auc").value(item) == 0.7


@pytest.mark.parametrize("scores", [{"auc": None}, {}, {"a: auc": 0.5, "b: auc": None}])
def test_what_the_rows_do_not_define_says_so(scores):
    with pytest.raises(ConfigError, match="validation rows do not define 'auc'"):
        Monitor("auc").value(record(scores))
    with pytest.raises(ConfigError, match="rows of 'later' do not define 'auc'"):
        Monitor("auc", "later").value(record(later=scores))


def test_a_built_in_score_is_known_by_its_last_word():
    assert Monitor.built_in("answer: auc").greater_is_better
    assert not Monitor.built_in("amount: rmse").greater_is_better
    assert not Monitor.built_in("loss").greater_is_better
