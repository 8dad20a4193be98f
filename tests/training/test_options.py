import dataclasses

import numpy as np
import pytest

from tabnet_engine.errors import ConfigError
from tabnet_engine.training.options import FitOptions, Metric


def test_everything_may_be_left_out():
    options = FitOptions()
    empty = {"metrics": (), "evaluation": {}, "scheduler_per_batch": False, "checkpoint_seconds": 5.0, "resume": False}
    for field in dataclasses.fields(FitOptions):
        assert getattr(options, field.name) == empty.get(field.name)


def test_every_option_is_documented():
    for field in dataclasses.fields(FitOptions):
        assert f"        {field.name}: " in FitOptions.__doc__, field.name


@pytest.mark.parametrize("name", ["", "loss", "a: b"])
def test_a_metric_needs_a_name_that_the_history_can_tell_apart(name):
    with pytest.raises(ConfigError, match="a metric must have a name"):
        Metric(name, np.mean)


def test_a_metric_says_what_it_needs():
    with pytest.raises(ConfigError, match="got 'labels'"):
        Metric("own", np.mean, needs="labels")


def test_two_metrics_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="name of its own, got own, own"):
        FitOptions(metrics=(Metric("own", np.mean), Metric("own", np.max)))


def test_a_monitored_set_must_exist():
    with pytest.raises(ConfigError, match=r"one of the evaluation sets \(none\), got 'later'"):
        FitOptions(monitor_set="later")
