"""One pretraining on its device: hidden cells are drawn, filled in and compared (Arik & Pfister 2021, section 3.5).

Shape letters: B rows, N rows of a table, F raw features in G groups, R reconstructed values of a row.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from tabnet_engine.config import PretrainingConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.errors import ConfigError
from tabnet_engine.model.decoder import Reconstructed, TabNetAutoencoder
from tabnet_engine.training.callbacks import Callback, EarlyStopping, TrainingState
from tabnet_engine.training.checkpoint import Checkpoint, GeneratorState, Resumable, training_identity
from tabnet_engine.training.device import mixed_precision
from tabnet_engine.training.history import EpochRecord
from tabnet_engine.training.loop import TensorTable, batch_bounds, run_epoch
from tabnet_engine.training.optimization import make_stepper
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.reconstruction import CellSums, Floats, mean_error
from tabnet_engine.training.reconstruction_loss import by_feature, reconstruction_loss

__all__ = ["SCORE", "MaskedReconstruction"]

# The name of the only score: the mean over the columns of the error relative to predicting the mean.
SCORE = "reconstruction_error"
# A column's spread among some rows counts as at least this share of its spread among the training rows.
LEAST_SHARE = 0.1
MAX_BATCH_ROWS = 8_192
MAX_BATCH_CELLS = 32_000_000


class MaskedReconstruction:
    """The parts of one pretraining, brought to the device of the network.

    ``variance`` (F,) is that of each feature among the training rows, 0 for a constant one, which is neither
    hidden nor reconstructed. The cells hidden in the validation rows are drawn once, from the seed.

    Args:
        network: trained in place.
        train: at least two rows.
        validation: at least one row.
        config: how to pretrain.
        options: an optimizer and a scheduler of ``torch.optim``, and a checkpoint; the rest needs a target.

    Raises:
        ConfigError: not one cell of the validation rows is hidden.
    """

    def __init__(
        self,
        network: TabNetAutoencoder,
        train: EncodedTable,
        validation: EncodedTable,
        config: PretrainingConfig,
        options: FitOptions,
    ) -> None:
        self.device = next(network.parameters()).device
        self.network = network
        self.config, self.options = config, options
        self.train = TensorTable.build(train, None, self.device)
        self.validation = TensorTable.build(validation, None, self.device)
        self.mean, variance = self._moments()
        self.variance: Floats = variance.cpu().numpy()
        self.least_spread = (LEAST_SHARE * variance).float()
        self.hideable = self._hideable(variance)
        self.hidden = self._draw(len(validation), torch.Generator().manual_seed(config.seed))
        self._require_hidden()
        # DIFF(paper 3.5): the paper's sum times a constant, so that predicting the mean costs about 1 whatever the
        # number of columns, and one bound on the gradient serves every table.
        self.scale = 1 / (config.mask_rate * max(1, int((variance > 0).sum())))
        self.bounds = batch_bounds(len(train), config.batch_size)
        self.stepper = make_stepper(network, config.training(), options, len(self.bounds))
        self.generator = torch.Generator().manual_seed(config.seed)

    def one_epoch(self, callback: Callback, state: TrainingState) -> EpochRecord:
        """Train on every row once, then measure on the validation rows.

        Raises:
            ConfigError: the loss became infinite or NaN.
        """
        started = time.perf_counter()
        self.network.train()
        train_loss, sparsity = run_epoch(self._step, self.train.shuffled(self.generator), self.bounds, callback, state)
        self._require_finite(train_loss + sparsity, state.epoch)
        rate = self.stepper.learning_rate
        error = mean_error(self.measure().ratio(LEAST_SHARE * self.variance))
        self._require_finite(0.0 if error is None else error, state.epoch)
        self.stepper.end_epoch(train_loss if error is None else error)
        return EpochRecord(
            epoch=state.epoch,
            seconds=time.perf_counter() - started,
            train_loss=train_loss,
            validation_loss=error,
            learning_rate=rate,
            sparsity=sparsity,
            validation={SCORE: error},
        )

    def measure(self) -> CellSums:
        """The hidden cells of the validation rows, filled in and compared with the truth and with the mean."""
        self.network.eval()
        owner, n_features = self.network.targets.owner, self.network.targets.n_features
        parts = []
        with torch.inference_mode():
            for start, stop in self._slices(len(self.validation)):
                batch = self.validation.slice(start, stop)
                hidden = self.hidden[start:stop]
                filled = self._forward(batch, hidden)
                targets, observed = self.network.targets(batch.numeric, batch.categorical)
                counted = observed * hidden.index_select(1, self.network.feature_group)
                squares = ((filled.values.double() - targets).square(), (targets - self.mean).square())
                errors = (by_feature(square, owner, n_features) for square in squares)
                parts.append(CellSums.of(*(part.double().cpu().numpy() for part in (counted, *errors))))
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def store(self, keeper: EarlyStopping) -> Checkpoint | None:
        """Where the ends of epochs are kept, when the options name a folder."""
        options = self.options
        if options.checkpoint is None:
            return None
        parts: dict[str, Resumable] = {
            "network": self.network,
            "stepper": self.stepper,
            "generator": GeneratorState(self.generator),
            "keeper": keeper,
        }
        tables = [part for table in (self.train, self.validation) for part in (table.numeric, table.categorical)]
        plain = {"settings": self.config.to_mapping(), "scheduler_per_batch": options.scheduler_per_batch}
        identity = training_identity(self.network, self.stepper, plain, tables)
        return Checkpoint(
            options.checkpoint, parts, identity, resume=options.resume, seconds=options.checkpoint_seconds
        )

    def _step(self, batch: TensorTable) -> Tensor:
        hidden = self._draw(len(batch), self.generator)
        filled = self._forward(batch, hidden)
        targets, observed = self.network.targets(batch.numeric, batch.categorical)
        loss = self.scale * reconstruction_loss(
            filled.values.float(),
            targets,
            hidden.index_select(1, self.network.feature_group),
            self.network.targets.owner,
            observed=observed,
            least_spread=self.least_spread,
        )
        self.stepper.step(loss + self.config.sparsity_lambda * filled.sparsity)
        return torch.stack((loss.detach(), filled.sparsity.detach()))

    def _forward(self, batch: TensorTable, hidden: Tensor) -> Reconstructed:
        with mixed_precision(self.config.precision, self.device):
            filled: Reconstructed = self.network(batch.numeric, batch.categorical, hidden)
        return filled

    def _draw(self, n_rows: int, generator: torch.Generator) -> Tensor:
        """Which groups are hidden in each row (B, G); follows the generator only, not the device."""
        chances = torch.rand(n_rows, len(self.hideable), generator=generator)
        return (chances < self.config.mask_rate).to(self.device, torch.float32) * self.hideable

    def _hideable(self, variance: Tensor) -> Tensor:
        """1 for each group with a feature that varies, else 0 (G,)."""
        group = self.network.feature_group
        varies = torch.zeros(int(group.max()) + 1, device=self.device)
        return varies.index_add_(0, group, (variance > 0).float()).clamp_(max=1)

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Mean of each value (R,) and variance of each feature (F,) among the training rows, in double precision."""
        targets = self.network.targets
        count, total, square = (torch.zeros(len(targets), dtype=torch.float64, device=self.device) for _ in range(3))
        for start, stop in self._slices(len(self.train)):
            batch = self.train.slice(start, stop)
            values, observed = targets(batch.numeric, batch.categorical)
            weight = observed.index_select(1, targets.owner).double()
            count += weight.sum(dim=0)
            total += (values * weight).sum(dim=0)
            square += (values.double().square() * weight).sum(dim=0)
        mean, mean_square = total / count.clamp(min=1), square / count.clamp(min=1)
        variance = (mean_square - mean.square()).clamp(min=0)
        # Rounding leaves a trace of variance in a constant.
        variance[variance < 1e-12 * mean_square.clamp(min=1)] = 0
        return mean, by_feature(variance.unsqueeze(0), targets.owner, targets.n_features).squeeze(0)

    def _slices(self, n_rows: int) -> Iterator[tuple[int, int]]:
        """Batches that fit in memory."""
        cells = 24 * self.network.embedding.width + 8 * len(self.network.targets)
        size = max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // cells))
        return ((start, min(start + size, n_rows)) for start in range(0, n_rows, size))

    def _require_hidden(self) -> None:
        if bool(self.hideable.any()) and not bool(self.hidden.any()):
            raise ConfigError(
                f"not one cell of the {len(self.validation)} validation rows is hidden at a mask_rate of "
                f"{self.config.mask_rate:g}; raise mask_rate or validation_fraction"
            )

    def _require_finite(self, value: float, epoch: int) -> None:
        if not math.isfinite(value):
            rate = self.config.learning_rate
            raise ConfigError(
                f"the pretraining loss became infinite or NaN in epoch {epoch}; set learning_rate below {rate:g}, "
                f"for example to {rate / 10:g}"
            )
