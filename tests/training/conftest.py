import dataclasses

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.training.experiment import build_network
from tabnet_engine.training.fit import LabelledTable


@pytest.fixture
def tiny_model():
    return ModelConfig(n_d=4, n_a=4, n_steps=2, n_shared=1, n_independent=1, n_bins=4, d_numeric=2)


@pytest.fixture
def brief():
    return TrainingConfig(max_epochs=2, batch_size=32, learning_rate=0.02, device="cpu")


TARGETS = {
    Task.BINARY: Target(name="answer", task=Task.BINARY, classes=("no", "yes")),
    Task.MULTICLASS: Target(name="level", task=Task.MULTICLASS, classes=("low", "middle", "top")),
    Task.REGRESSION: Target(name="amount", task=Task.REGRESSION),
}


def target_values(task, score):
    if task is Task.REGRESSION:
        return 1000.0 + 50.0 * score
    if task is Task.BINARY:
        return np.where(score > 0, "yes", "no")
    return np.array(["low", "middle", "top"])[np.digitize(score, [-1.0, 1.0])]


@pytest.fixture
def make_table():
    """A table with a number (some missing), a category and a target of the wished task, or one of each."""

    def make(task, n_rows=120, seed=0):
        generator = np.random.default_rng(seed)
        size = generator.normal(size=n_rows)
        colour = generator.choice(["red", "green", "blue"], n_rows)
        score = 2.0 * size + (colour == "red") + generator.normal(scale=0.3, size=n_rows)
        shown = np.where(generator.random(n_rows) < 0.1, np.nan, size)
        several = task is Task.MULTITASK
        heads = tuple(TARGETS.values()) if several else (dataclasses.replace(TARGETS[task], name="target"),)
        targets = {head.name: target_values(head.task, score) for head in heads}
        columns = [Column(name="size", kind=Kind.NUMBER), Column(name="colour", kind=Kind.CATEGORY)]
        for head in heads:
            kind = Kind.NUMBER if head.task is Task.REGRESSION else Kind.CATEGORY
            columns.append(Column(name=head.name, kind=kind, role=Role.TARGET))
        classes, kept = ((), heads) if several else (heads[0].classes, ())
        schema = FeatureSchema(columns=tuple(columns), task=task, classes=classes, heads=kept)
        return pd.DataFrame({"size": shown, "colour": colour, **targets}), schema

    return make


@pytest.fixture
def prepare(make_table, tiny_model, brief):
    """Everything that ``fit`` takes, for a task."""

    def make(task=Task.BINARY, n_train=90, n_validation=30, **changes):
        frame, schema = make_table(task, n_train + n_validation)
        encoder = TableEncoder.fit(frame, schema, n_bins=tiny_model.n_bins)
        targets = TargetCodecs.fit(frame, schema)
        encoded, y = encoder.transform(frame), targets.encode(frame)
        config = brief.replace(**changes)
        network = build_network(encoder, targets, tiny_model, config)
        train = LabelledTable(encoded.take(np.arange(n_train)), y[:n_train])
        validation = LabelledTable(encoded.take(np.arange(n_train, len(y))), y[n_train:])
        return network, train, validation, targets, config

    return make
