import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import PretrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import SchemaError
from tabnet_engine.model.norm import GhostBatchNorm
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.experiment import build_network, train_model
from tabnet_engine.training.finetuning import adopt, estimate_norms, start_from
from tabnet_engine.training.pretrain import pretrain_model

KINDS = {"size": Kind.NUMBER, "weight": Kind.NUMBER, "colour": Kind.CATEGORY}
PRETRAINING = PretrainingConfig(max_epochs=2, batch_size=64, device="cpu")


def table(n_rows=160, seed=0):
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n_rows)
    frame = pd.DataFrame({"size": size, "weight": 2 * size + generator.normal(scale=0.3, size=n_rows)})
    frame["colour"] = generator.choice(["red", "green", "blue"], n_rows)
    frame["bought"] = np.where(size + (frame["colour"] == "red") > 0, "yes", "no")
    return frame


def unlabelled():
    return FeatureSchema(columns=tuple(Column(name=name, kind=kind) for name, kind in KINDS.items()))


def labelled(order=("size", "weight", "colour")):
    columns = [Column(name=name, kind=KINDS[name]) for name in order]
    columns.append(Column(name="bought", kind=Kind.BOOLEAN, role=Role.TARGET))
    return FeatureSchema(columns=tuple(columns), task=Task.BINARY, classes=("no", "yes"))


@pytest.fixture
def pretrained(tiny_model):
    return pretrain_model(table(), unlabelled(), tiny_model, PRETRAINING)


def weights(network):
    return {name: p.clone() for name, p in network.named_parameters() if name.startswith(("embedding.", "encoder."))}


class _FirstWeights(Callback):
    def on_train_begin(self, state):
        self.found = weights(state.network)


def test_training_starts_from_the_pretrained_weights(pretrained, brief):
    first = _FirstWeights()
    model = train_model(
        table(80, 1), labelled(), pretrained.model_config, brief, callbacks=[first], pretrained=pretrained
    )
    assert first.found.keys() == weights(pretrained.network).keys()
    for name, tensor in weights(pretrained.network).items():
        assert torch.equal(first.found[name], tensor), name
        assert not torch.equal(weights(model.network)[name], tensor) or not tensor.any(), name


def test_columns_are_read_as_the_pretraining_read_them(pretrained, tiny_model, brief):
    frame = table(80, 1)
    frame["colour"] = "red"
    model = train_model(frame, labelled(), tiny_model.replace(n_d=7), brief, pretrained=pretrained)
    assert model.model_config == pretrained.model_config
    assert model.encoder.layout == pretrained.encoder.layout
    assert model.encoder.numeric_mean == pretrained.encoder.numeric_mean
    assert model.encoder.schema.column("colour").categories == ("blue", "green", "red")
    assert model.encoder.schema.targets[0].name == "bought"
    assert model.notes == ()


def test_frozen_epochs_leave_the_encoder_as_it_is(pretrained, brief):
    whole = train_model(
        table(80, 1), labelled(), pretrained.model_config, brief.replace(freeze_epochs=2), pretrained=pretrained
    )
    for name, tensor in weights(pretrained.network).items():
        assert torch.equal(weights(whole.network)[name], tensor), name
    part = train_model(
        table(80, 1),
        labelled(),
        pretrained.model_config,
        brief.replace(freeze_epochs=1, patience=0),
        pretrained=pretrained,
    )
    assert part.history.best_epoch == 1 or not torch.equal(
        part.network.encoder.attention.weight, pretrained.network.encoder.attention.weight
    )


def test_the_order_of_the_columns_is_free(pretrained, brief):
    frame = table(80, 1)
    model = train_model(frame, labelled(), pretrained.model_config, brief, pretrained=pretrained)
    turned = frame[["bought", "colour", "weight", "size"]]
    schema = labelled(("colour", "weight", "size"))
    schema = dataclasses.replace(schema, columns=(schema.columns[-1], *schema.columns[:-1]))
    again = train_model(turned, schema, pretrained.model_config, brief, pretrained=pretrained)
    assert again.encoder.schema.feature_names == again.encoder.layout.feature_names == ("size", "weight", "colour")
    assert again.metrics == model.metrics


def test_further_columns_are_ignored_with_a_note(pretrained, brief):
    frame = table(80, 1).assign(shop="here", day=range(80))
    schema = labelled()
    further = (Column(name="shop", kind=Kind.CATEGORY), Column(name="day", kind=Kind.NUMBER))
    schema = dataclasses.replace(schema, columns=(*schema.columns, *further))
    model = train_model(frame, schema, pretrained.model_config, brief, pretrained=pretrained)
    assert model.encoder.schema.feature_names == ("size", "weight", "colour")
    assert model.encoder.schema.column("shop").role is Role.IGNORED
    assert model.notes == ('2 columns that the pretraining did not read: "shop", "day"; ignored',)


def test_a_column_of_another_kind_is_read_as_in_the_pretraining(pretrained, brief):
    schema = labelled().with_column("weight", kind=Kind.CATEGORY)
    model = train_model(table(80, 1), schema, pretrained.model_config, brief, pretrained=pretrained)
    assert model.encoder.schema.column("weight").kind is Kind.NUMBER
    assert model.notes == ('read as in the pretraining, not as this table suggests: "weight"',)


@pytest.mark.parametrize("where", ["frame", "schema"])
def test_a_missing_column_is_named(pretrained, brief, where):
    frame, schema = table(80, 1), labelled()
    if where == "frame":
        frame = frame.drop(columns="weight")
    else:
        schema = labelled(("size", "colour"))
    with pytest.raises(SchemaError, match="no column 'weight', which the pretraining read; add it"):
        train_model(frame, schema, pretrained.model_config, brief, pretrained=pretrained)


def test_a_target_that_the_pretraining_saw_is_refused(tiny_model, brief):
    columns = (*unlabelled().columns, Column(name="bought", kind=Kind.CATEGORY))
    seen = pretrain_model(table(), FeatureSchema(columns=columns), tiny_model, PRETRAINING)
    with pytest.raises(SchemaError, match="has seen the answers; pretrain again with 'bought' ignored"):
        train_model(table(80, 1), labelled(), tiny_model, brief, pretrained=seen)


def test_a_column_that_is_not_to_be_read_is_refused(pretrained, brief):
    schema = labelled().with_column("weight", role=Role.IGNORED)
    with pytest.raises(SchemaError, match="'weight' is not to be read, but the pretraining read it"):
        train_model(table(80, 1), schema, pretrained.model_config, brief, pretrained=pretrained)


def test_missing_numbers_that_the_pretrained_network_cannot_read_are_refused(tiny_model, brief):
    without = pretrain_model(table(), unlabelled(), tiny_model.replace(missing_states=False), PRETRAINING)
    frame = table(80, 1)
    assert train_model(frame, labelled(), tiny_model, brief, pretrained=without).notes == ()
    frame.loc[0, "size"] = np.nan
    with pytest.raises(SchemaError, match="pretrain again with missing_states=true"):
        train_model(frame, labelled(), tiny_model, brief, pretrained=without)


def test_the_two_logits_of_the_training_are_kept(pretrained, tiny_model, brief):
    model = train_model(table(80, 1), labelled(), tiny_model.replace(two_logits=True), brief, pretrained=pretrained)
    assert model.model_config == pretrained.model_config.replace(two_logits=True)
    assert model.targets.only.outputs == ("no", "yes")


def statistics(network):
    return [
        (norm.running_mean.clone(), norm.running_var.clone())
        for norm in network.encoder.modules()
        if isinstance(norm, GhostBatchNorm)
    ]


@pytest.fixture
def started(pretrained, brief):
    """A network that was just started from the pretraining, and the rows to train on."""
    frame = table(90, 1)
    schema = adopt(pretrained, frame, labelled()).encoder.schema
    encoded = pretrained.encoder.transform(frame)
    from tabnet_engine.data.target_set import TargetCodecs

    network = build_network(pretrained.encoder, TargetCodecs.fit(frame, schema), pretrained.model_config, brief)
    return network, encoded


def test_masked_statistics_are_not_carried_over(pretrained, started):
    network, encoded = started
    start_from(network, pretrained, encoded, seed=0)
    for (mean, variance), (masked_mean, masked_variance) in zip(
        statistics(network), statistics(pretrained.network), strict=True
    ):
        assert not torch.equal(mean, masked_mean)
        assert not torch.equal(variance, masked_variance)


def test_the_statistics_are_those_of_the_unmasked_rows(pretrained, started):
    network, encoded = started
    start_from(network, pretrained, encoded, seed=0)
    # One ghost batch holds all rows, so the first norm's statistics are plain moments.
    x = network.embedding(torch.from_numpy(encoded.numeric), torch.from_numpy(encoded.categorical)).detach()
    norm = network.encoder.input_norm
    torch.testing.assert_close(norm.running_mean[0], x.mean(dim=0))
    torch.testing.assert_close(norm.running_var[0], x.var(dim=0))


def test_the_statistics_are_the_mean_over_ghost_batches(started):
    network, encoded = started
    estimate_norms(network, encoded, virtual_batch_size=30, seed=4)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(4))
    x = network.embedding(torch.from_numpy(encoded.numeric), torch.from_numpy(encoded.categorical)).detach()[order]
    expected = torch.stack([part.var(dim=0) for part in x.split(30)]).mean(dim=0)
    torch.testing.assert_close(network.encoder.input_norm.running_var[0], expected)


def test_measuring_statistics_changes_nothing_else(started, tiny_model):
    network, encoded = started
    before = weights(network)
    network.eval()
    estimate_norms(network, encoded, virtual_batch_size=16, seed=0)
    assert not network.training
    norms = [module for module in network.modules() if isinstance(module, GhostBatchNorm)]
    assert {norm.momentum for norm in norms} == {tiny_model.momentum}
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(network).items())


@pytest.mark.parametrize(("max_epochs", "frozen"), [(100, 80), (30, 24), (1, 1)])
def test_settings_for_a_start_from_a_pretraining_train_the_head_first(brief, max_epochs, frozen):
    config = brief.replace(max_epochs=max_epochs)
    assert config.for_fine_tuning() == config.replace(freeze_epochs=frozen)
