import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import ModelConfig, PretrainingConfig
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import ConfigError, JobCancelledError, SchemaError
from tabnet_engine.training.callbacks import Callback, Cancellation
from tabnet_engine.training.masked_reconstruction import SCORE, MaskedReconstruction
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.pretrain import build_autoencoder, pretrain_model

QUICK = PretrainingConfig(max_epochs=2, batch_size=64, device="cpu")


def table(n_rows=200, seed=0):
    """Three columns that tell of each other, one that is noise and one that is constant."""
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n_rows)
    frame = pd.DataFrame({"size": size, "weight": 2 * size + generator.normal(scale=0.1, size=n_rows)})
    frame["colour"] = np.where(size > 0, "red", "green")
    frame["noise"] = generator.normal(size=n_rows)
    frame["always"] = "same"
    kinds = dict.fromkeys(("size", "weight", "noise"), Kind.NUMBER) | dict.fromkeys(("colour", "always"), Kind.CATEGORY)
    columns = tuple(Column(name=name, kind=kinds[name]) for name in frame.columns)
    return frame, FeatureSchema(columns=columns)


@pytest.fixture
def training(tiny_model):
    """The parts of a pretraining before its first epoch."""

    def build(config=QUICK, options=None, **changes):
        from tabnet_engine.data.encoding import TableEncoder

        frame, schema = table()
        frame = frame.assign(**changes)
        encoder = TableEncoder.fit(frame, schema, n_bins=tiny_model.n_bins)
        encoded = encoder.transform(frame)
        network = build_autoencoder(encoder, tiny_model, config)
        parts = (encoded.take(np.arange(150)), encoded.take(np.arange(150, 200)))
        return MaskedReconstruction(network, *parts, config, options or FitOptions())

    return build


@pytest.fixture(scope="module")
def learned():
    """A pretraining long enough to have learned something."""
    frame, schema = table(400)
    config = PretrainingConfig(max_epochs=30, batch_size=64, patience=0, device="cpu")
    model = ModelConfig(n_d=8, n_a=8, n_steps=2, n_shared=1, n_independent=1, n_bins=8, d_numeric=2, momentum=0.1)
    return pretrain_model(frame, schema, model, config)


def test_columns_that_tell_of_each_other_are_filled_in_and_noise_is_not(learned):
    errors = {column.name: column.error for column in learned.reconstruction.columns}
    assert errors["size"] < 0.5
    assert errors["weight"] < 0.5
    assert errors["colour"] < 0.7
    assert errors["noise"] > 0.9


def test_a_constant_column_is_skipped_and_named(learned):
    (column,) = learned.reconstruction.skipped
    assert (column.name, column.skipped, column.n_masked) == ("always", "constant", 0)
    assert learned.notes == ('constant, so not reconstructed: "always"',)


def test_the_history_ends_in_the_measurement_that_is_shown(learned):
    best = learned.history.best
    assert best.validation_loss == min(record.validation_loss for record in learned.history)
    assert best.validation == {SCORE: best.validation_loss}
    assert learned.reconstruction.overall == best.validation_loss
    errors = [column.error for column in learned.reconstruction.measured]
    assert learned.reconstruction.overall == pytest.approx(np.mean(errors))
    assert best.train_loss < 0.95


def test_predicting_the_mean_is_an_error_of_one(training):
    parts = training()
    network = parts.network
    with torch.no_grad():
        network.decoder.weight.zero_()
        network.decoder.bias.copy_(parts.mean.float().unsqueeze(1))
    assert parts.measure().ratio(1e-9 * parts.variance)[:4] == pytest.approx(np.ones(4), rel=1e-5)
    network.train()
    before = parts.stepper.step
    parts.stepper.step = lambda loss: None
    losses = [float(parts._step(parts.train)[0]) for _ in range(40)]
    parts.stepper.step = before
    assert np.mean(losses) == pytest.approx(1.0, abs=0.1)


def test_the_training_moments_are_those_of_the_training_rows(training):
    parts = training(PretrainingConfig(device="cpu"))
    values, observed = parts.network.targets(parts.train.numeric, parts.train.categorical)
    assert observed.all()
    np.testing.assert_allclose(parts.mean, values.double().mean(dim=0), atol=1e-6)
    by_value = values.double().var(dim=0, unbiased=False).numpy()
    owner = parts.network.targets.owner.numpy()
    expected = [by_value[owner == feature].sum() for feature in range(5)]
    np.testing.assert_allclose(parts.variance, expected, rtol=1e-5, atol=1e-7)
    assert parts.variance[4] == 0


def test_a_constant_column_is_never_hidden(training):
    parts = training()
    drawn = parts._draw(500, torch.Generator().manual_seed(0))
    assert drawn[:, 4].sum() == 0
    assert drawn[:, :4].mean().item() == pytest.approx(0.3, abs=0.04)


def test_validation_hides_the_same_cells_every_time(training):
    parts, again = training(), training()
    other = training(QUICK.replace(seed=1))
    assert torch.equal(parts.hidden, again.hidden)
    assert not torch.equal(parts.hidden, other.hidden)
    first = parts.measure().error
    parts.generator.manual_seed(99)
    assert parts.measure().error.tolist() == first.tolist()
    assert parts.hidden[:, :4].mean().item() == pytest.approx(QUICK.mask_rate, abs=0.1)


def test_shown_cells_do_not_count_in_validation(training):
    parts = training()
    before = parts.measure()
    parts.hidden.zero_()
    after = parts.measure()
    assert before.n[:4].min() > 0
    assert after.n.tolist() == [0, 0, 0, 0, 0]
    assert after.error.tolist() == [0, 0, 0, 0, 0]


def test_missing_cells_have_no_error(training):
    gaps = table()[0]["size"].where(np.arange(200) % 2 == 0)
    parts = training(size=gaps)
    counted = parts.measure().n[0]
    hidden = parts.hidden[:, 0].numpy()
    assert counted == hidden[::2].sum() < hidden.sum()


def test_the_same_seed_gives_the_same_network(tiny_model):
    frame, schema = table()
    before = torch.get_rng_state()
    one, two = (pretrain_model(frame, schema, tiny_model, QUICK) for _ in range(2))
    other = pretrain_model(frame, schema, tiny_model, QUICK.replace(seed=1))
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(tensor, two.network.state_dict()[name]), name
    assert not torch.equal(one.network.decoder.weight, other.network.decoder.weight)
    assert one.reconstruction == two.reconstruction
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_is_learned_from_validation_rows(tiny_model):
    frame, schema = table()
    plain = pretrain_model(frame, schema, tiny_model, QUICK)
    changed = frame.copy()
    changed.loc[plain.splits.validation, "size"] = 1e3
    changed.loc[plain.splits.validation, "colour"] = "violet"
    again = pretrain_model(changed, schema, tiny_model, QUICK)
    assert again.encoder == plain.encoder
    assert [record.train_loss for record in again.history] == [record.train_loss for record in plain.history]
    assert all(
        mine.validation_loss != theirs.validation_loss
        for mine, theirs in zip(again.history, plain.history, strict=True)
    )
    rows = np.concatenate([plain.splits.train, plain.splits.validation])
    assert sorted(rows.tolist()) == list(range(len(frame)))
    assert len(plain.splits.test) == 0


def test_a_chosen_target_takes_no_part(tiny_model):
    frame, schema = table()
    aimed = dataclasses.replace(
        schema.with_column("colour", role=Role.TARGET), task=Task.BINARY, classes=("green", "red")
    )
    model = pretrain_model(frame, aimed, tiny_model, QUICK)
    assert "colour" not in model.encoder.layout.feature_names
    assert (model.encoder.schema.target, model.encoder.schema.task, model.encoder.schema.classes) == (None, None, ())
    assert model.encoder.schema.column("colour").role is Role.IGNORED


def test_a_column_known_to_be_constant_is_named_too(tiny_model):
    frame, schema = table()
    model = pretrain_model(frame, schema.with_column("always", kind=Kind.CONSTANT), tiny_model, QUICK)
    assert [column.name for column in model.reconstruction.columns] == list(frame.columns)
    assert model.reconstruction.skipped[0].skipped == "constant"


def test_missing_numbers_get_a_state_even_where_none_was_asked_for(tiny_model):
    frame, schema = table()
    frame.loc[3, "size"] = np.nan
    model = pretrain_model(frame, schema, tiny_model.replace(missing_states=False), QUICK)
    assert model.model_config.missing_states
    assert "missing_states was switched on" in model.notes[0]


def test_a_table_of_plain_numbers_is_the_paper_s_case():
    frame, schema = table()
    numbers = frame[["size", "weight", "noise"]]
    columns = tuple(schema.column(name) for name in numbers.columns)
    model = pretrain_model(numbers, FeatureSchema(columns=columns), ModelConfig.paper().replace(n_d=4, n_a=4), QUICK)
    assert len(model.network.targets) == 3
    assert all(column.error is not None for column in model.reconstruction.columns)


@pytest.mark.parametrize("kept", [["size"], ["size", "always"]])
def test_a_single_column_cannot_be_filled_in(tiny_model, kept):
    frame, schema = table()
    columns = tuple(schema.column(name) for name in kept)
    with pytest.raises(SchemaError, match="two or more columns must vary"):
        pretrain_model(frame[kept], FeatureSchema(columns=columns), tiny_model, QUICK)


def test_a_table_without_features_or_rows_is_refused(tiny_model):
    frame, schema = table()
    with pytest.raises(SchemaError, match="at least 10 are needed to pretrain"):
        pretrain_model(frame.head(9), schema, tiny_model, QUICK)
    nothing = FeatureSchema(columns=(Column(name="size", kind=Kind.NUMBER, role=Role.IGNORED),))
    with pytest.raises(SchemaError, match="no column is left to learn from"):
        pretrain_model(frame, nothing, tiny_model, QUICK)


def test_a_mask_rate_that_hides_no_validation_cell_is_refused(tiny_model):
    frame, schema = table(12)
    with pytest.raises(ConfigError, match="raise mask_rate or validation_fraction"):
        pretrain_model(frame, schema, tiny_model, QUICK.replace(mask_rate=0.01))


def test_settings_beyond_the_memory_are_refused(tiny_model):
    frame, schema = table()
    with pytest.raises(ConfigError, match="GB are free"):
        pretrain_model(frame, schema, ModelConfig(n_d=1024, n_a=1024, n_steps=1024), QUICK)


def test_a_loss_that_explodes_says_what_to_do(training):
    parts = training()
    with torch.no_grad():
        parts.network.decoder.bias.fill_(torch.inf)
    from tabnet_engine.training.callbacks import TrainingState

    state = TrainingState(network=parts.network, max_epochs=1, n_batches=len(parts.bounds), epoch=1)
    with pytest.raises(ConfigError, match="set learning_rate below"):
        parts.one_epoch(Callback(), state)


def test_it_can_be_cancelled(tiny_model):
    frame, schema = table()
    with pytest.raises(JobCancelledError, match="epoch 1 of 2"):
        pretrain_model(frame, schema, tiny_model, QUICK, callbacks=[Cancellation(lambda: True)])


class _Killed(Callback):
    """Ends the process, so to speak, after some epochs."""

    def __init__(self, after):
        self.after = after

    def on_epoch_begin(self, state):
        if state.epoch > self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 3])
def test_interrupted_and_resumed_is_bit_identical_to_uninterrupted(tiny_model, tmp_path, after):
    frame, schema = table()
    config = QUICK.replace(max_epochs=4)
    whole = pretrain_model(frame, schema, tiny_model, config)
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0, resume=True)
    with pytest.raises(KeyboardInterrupt):
        pretrain_model(frame, schema, tiny_model, config, options=options, callbacks=[_Killed(after)])
    again = pretrain_model(frame, schema, tiny_model, config, options=options)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name]), name
    assert [r.train_loss for r in whole.history] == [r.train_loss for r in again.history]
    assert whole.reconstruction == again.reconstruction


def test_a_checkpoint_of_other_settings_is_not_used(tiny_model, tmp_path):
    frame, schema = table()
    options = FitOptions(checkpoint=tmp_path, checkpoint_seconds=0, resume=True)
    pretrain_model(frame, schema, tiny_model, QUICK, options=options)
    other = pretrain_model(frame, schema, tiny_model, QUICK.replace(mask_rate=0.5), options=options)
    assert "started anew" in other.notes[-1]


def test_a_checkpoint_of_another_network_or_optimizer_is_not_used(tiny_model, tmp_path):
    frame, schema = table()

    def pretrained(rate, model=tiny_model):
        options = FitOptions(
            checkpoint=tmp_path,
            checkpoint_seconds=0,
            resume=True,
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=rate),
        )
        return pretrain_model(frame, schema, model, QUICK, options=options)

    first = pretrained(0.1)
    assert pretrained(0.1).notes == first.notes, "its own is"
    assert "started anew" in pretrained(0.2).notes[-1]
    assert "started anew" in pretrained(0.2, tiny_model.replace(gamma=1.1)).notes[-1]


def test_an_optimizer_of_torch_is_used(tiny_model):
    frame, schema = table()
    options = FitOptions(
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.125),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5),
    )
    model = pretrain_model(frame, schema, tiny_model, QUICK, options=options)
    assert [record.learning_rate for record in model.history] == [0.125, 0.0625]


def test_bfloat16_pretrains_too(tiny_model):
    frame, schema = table()
    model = pretrain_model(frame, schema, tiny_model, QUICK.replace(precision="bfloat16"))
    assert 0 < model.reconstruction.overall < 3
    assert model.network.decoder.weight.dtype is torch.float32
