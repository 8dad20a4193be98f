"""Learning an encoder without targets.

Shapes: B rows, F columns, S steps, R reconstructed values of a row, n_d width of a step's output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import validate_data

from tabnet_engine.config import PretrainingConfig
from tabnet_engine.data.encoding import EncodedTable
from tabnet_engine.data.schema import FeatureSchema, Task
from tabnet_engine.data.splits import make_splits
from tabnet_engine.estimators.errors import InputError, ParameterError, as_value_errors
from tabnet_engine.estimators.input_table import as_frame, column_names, in_order, learned_columns, read_rows
from tabnet_engine.estimators.metrics import ChosenMetrics
from tabnet_engine.estimators.optimizer_state import KeptOptimizer
from tabnet_engine.estimators.parameters import FitSettings
from tabnet_engine.estimators.saving import dataset_of, digest_of
from tabnet_engine.estimators.trained import TrainedEstimator
from tabnet_engine.estimators.verbose import EpochLines
from tabnet_engine.runs.artefact import save_pretraining
from tabnet_engine.runs.run import Run
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.loop import TensorTable
from tabnet_engine.training.options import FitOptions
from tabnet_engine.training.prediction import ForwardChunk, rows_per_batch
from tabnet_engine.training.pretrain import PretrainedModel, pretrain_model

if TYPE_CHECKING:
    from tabnet_engine.training.reconstruction import Reconstruction

__all__ = ["TabNetPretrainer"]

_SCORE = "unsup_loss_numpy"


class TabNetPretrainer(TransformerMixin, TrainedEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Pretrains an encoder by filling in hidden cells (Arik & Pfister 2021, section 3.5).

    Hand it to ``fit(..., from_unsupervised=pretrainer)`` of another estimator, or put it into a pipeline, where
    ``transform`` gives what its steps make of a row. The parameters are those of :class:`TabNetParameters`.

    Attributes:
        reconstruction_: how well each column is filled in, against predicting its mean.

    Example:
        >>> import numpy as np
        >>> from tabnet_engine.estimators import TabNetPretrainer
        >>> rows = np.linspace(-1, 1, 40)[:, None] * [1, 2]
        >>> TabNetPretrainer(n_d=4, n_steps=1, max_epochs=2).fit(rows).transform(rows).shape
        (40, 4)
    """

    reconstruction_: Reconstruction
    _pretrained: PretrainedModel

    def fit(  # noqa: PLR0913 - the signature of the library whose scripts must run
        self,
        X: Any = None,  # noqa: N803 - scikit-learn's name
        y: Any = None,
        *,
        X_train: Any = None,  # noqa: N803 - the name that scripts use
        eval_set: Sequence[Any] | None = None,
        eval_name: Sequence[str] | None = None,
        loss_fn: Any = None,
        pretraining_ratio: float | None = None,
        weights: Any = 0,
        max_epochs: int | None = None,
        patience: int | None = None,
        batch_size: int | None = None,
        virtual_batch_size: int | None = None,
        num_workers: int = 0,
        drop_last: bool = False,
        callbacks: Iterable[Callback] | None = None,
        pin_memory: bool = False,
        warm_start: bool = False,
        checkpoint: str | Path | None = None,
        checkpoint_seconds: float = 5.0,
        resume: bool = False,
    ) -> Self:
        """Pretrain on rows alone; what was handed in is never changed.

        Args:
            X: B rows: a data frame, an array, or a sparse matrix, which is expanded.
            y: not used; pipelines hand it on.
            X_train: the same as ``X``.
            eval_set: tables of rows; the last one is held out to choose the best epoch, with cells hidden at the
                same rate from a fixed seed. Without it a share of ``X`` is held out (the setting
                ``validation_fraction``).
            eval_name: a name for each; ``val_0``, ``val_1`` and so on when absent.
            loss_fn: must be left out: reconstruction has the paper's loss.
            pretraining_ratio: share of the cells that are hidden.
            weights: must be 0: every row comes once an epoch.
            max_epochs: this and the next three replace the constructor's for this fit.
            patience: epochs without a new best before stopping.
            batch_size: rows of a batch.
            virtual_batch_size: rows of a ghost batch.
            num_workers: accepted and not needed: rows lie in memory.
            drop_last: accepted and not needed: batches differ by at most one row.
            callbacks: told about every epoch and batch.
            pin_memory: accepted and not needed: the whole table is on the device before the first epoch.
            warm_start: must be False: a pretraining starts from fresh weights.
            checkpoint: a folder kept up to date while training, to continue from after a crash.
            checkpoint_seconds: the least time between two writes to it; 0 writes after every epoch.
            resume: continue from that folder when it belongs to this very pretraining.

        Returns:
            The estimator itself.

        Raises:
            ValueError: rows or parameters that do not fit; one sentence says which.
        """
        del y, num_workers, drop_last, pin_memory
        _refuse_unused(loss_fn, weights, warm_start=warm_start)
        if X is not None and X_train is not None:
            raise ParameterError("X and X_train are the same thing; give one of them")
        settings = FitSettings(
            max_epochs=max_epochs, patience=patience, batch_size=batch_size, virtual_batch_size=virtual_batch_size
        )
        with as_value_errors():
            rows = read_rows(X_train if X is None else X, estimator=self)
            validate_data(self, rows, skip_check_array=True)
            frame = as_frame(rows, column_names(rows))
            _require_enough(frame)
            names = _names(eval_set or (), eval_name)
            held_out = None if not names else self._held_out(list(eval_set or ())[-1], frame)
            options = self._options(checkpoint, checkpoint_seconds, resume=resume)
            self._pretrain(frame, held_out, settings, pretraining_ratio, tuple(callbacks or ()), names, options)
        return self

    def predict(self, X: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:  # noqa: N803
        """What the network makes of complete rows, and what it should make of them, both (B, R).

        Numbers are in standardised units, categories one indicator each.

        Raises:
            ValueError: rows that do not fit.
        """
        made, wanted = [], []
        for batch in self._batches(self._encode_rows(X)):
            hidden = torch.zeros(len(batch), self._encoder.layout.n_groups)
            made.append(self.network_(batch.numeric, batch.categorical, hidden).values.numpy())
            wanted.append(self.network_.targets(batch.numeric, batch.categorical)[0].numpy())
        return np.concatenate(made), np.concatenate(wanted)

    def encode(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """The output of each step for each row (B, S, n_d).

        Raises:
            ValueError: rows that do not fit.
        """
        return np.concatenate([latents.transpose(1, 0, 2) for latents, _ in self._passes(self._encode_rows(X))])

    def transform(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """The sum over the steps of :meth:`encode` (B, n_d), which is what a head would read.

        Raises:
            ValueError: rows that do not fit.
        """
        return np.asarray(self.encode(X).sum(axis=1))

    def pretrained_model(self) -> PretrainedModel:
        """The engine's own object, for fine-tuning and for saving.

        Raises:
            ParameterError: not fitted.
        """
        if "_pretrained" not in vars(self):
            raise ParameterError("from_unsupervised must be a fitted TabNetPretrainer; call its fit first")
        return self._pretrained

    def write_run(self, folder: Path) -> Run:
        """Write the network and all that belongs to it as a run folder."""
        dataset = dataset_of(self._fitted_on, self.n_features_in_)
        return save_pretraining(self._pretrained, folder, dataset=dataset, read_options={}, title=type(self).__name__)

    def read_run(self, run: Run, state: dict[str, Any]) -> None:
        """Take over a run and what :meth:`state_to_save` gave."""
        model = run.pretrained()
        self._keep(model, tuple(state["eval_names"]))
        super().read_run(run, state)

    def _pretrain(
        self,
        frame: pd.DataFrame,
        held_out: pd.DataFrame | None,
        settings: FitSettings,
        mask_rate: float | None,
        callbacks: tuple[Callback, ...],
        names: tuple[str, ...],
        options: FitOptions,
    ) -> None:
        columns = learned_columns(frame, self.cat_idxs, self.cat_dims, self.grouped_features)
        shape, config = self._pretraining_configurations(settings, columns, len(frame), mask_rate)
        if held_out is not None:
            frame, config = arranged(frame, held_out, config)
        metrics = ChosenMetrics()
        metrics.add(_SCORE, "loss")
        lines = [EpochLines(self.verbose, names or ("val_0",), metrics)] if self.verbose else []
        model = pretrain_model(
            frame, FeatureSchema(columns=columns), shape, config, callbacks=[*callbacks, *lines], options=options
        )
        self._keep(model, names)
        self._optimizer = options.optimizer if isinstance(options.optimizer, KeptOptimizer) else None
        self._training_table = self._encoder.transform(frame).take(model.splits.train)
        self._fitted_on = (len(frame), digest_of(frame))

    def _options(self, checkpoint: str | Path | None, checkpoint_seconds: float, *, resume: bool) -> FitOptions:
        scheduler, per_batch = self._scheduler_factory()
        factory = self._optimizer_factory()
        return FitOptions(
            optimizer=None if factory is None else KeptOptimizer(factory),
            scheduler=scheduler,
            scheduler_per_batch=per_batch,
            checkpoint=None if checkpoint is None else Path(checkpoint),
            checkpoint_seconds=checkpoint_seconds,
            resume=resume,
        )

    def _keep(self, model: PretrainedModel, names: tuple[str, ...]) -> None:
        self._pretrained = model
        self.network_ = model.network
        self._encoder = model.encoder
        self.history_ = model.history
        self.notes_ = model.notes
        self.reconstruction_ = model.reconstruction
        self._eval_names = names[-1:] or ("val_0",)
        self._scores = {_SCORE: "loss"}
        self._monitored = (self._eval_names[-1], "loss")
        self._importances = None

    def _held_out(self, values: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that choose the best epoch, with the columns of ``frame``."""
        names = tuple(frame.columns)
        return as_frame(in_order(read_rows(values, estimator=self), names), names)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # The network computes in single precision, whatever it is given.
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _batches(self, encoded: EncodedTable) -> Iterator[TensorTable]:
        table = TensorTable.build(encoded, None, torch.device("cpu"))
        size = rows_per_batch(self.network_)
        with torch.inference_mode():
            for start in range(0, len(table), size):
                yield table.slice(start, min(start + size, len(table)))

    def _passes(self, encoded: EncodedTable) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Latents (S, B, n_d) and masks (S, B, F) of complete rows."""
        encoder = self.network_.encoder
        for batch in self._batches(encoded):
            latents, masks = encoder(self.network_.embedding(batch.numeric, batch.categorical))
            yield latents.numpy(), encoder.on_features(masks).numpy()

    def _chunks(self, encoded: EncodedTable) -> Iterator[ForwardChunk]:
        start = 0
        for latents, masks in self._passes(encoded):
            n_steps, n_rows, _ = latents.shape
            nothing = np.zeros((n_steps, n_rows, 0), dtype=np.float32)
            yield ForwardChunk(start, np.zeros((n_rows, 0)), masks, nothing, latents.sum(axis=2))
            start += n_rows


def arranged(
    frame: pd.DataFrame, held_out: pd.DataFrame, config: PretrainingConfig
) -> tuple[pd.DataFrame, PretrainingConfig]:
    """Both tables in one, in an order in which the pretraining holds out exactly the rows of the second.

    Raises:
        ParameterError: the second table is too small or too large beside the first.
    """
    n_rows = len(frame) + len(held_out)
    with as_value_errors():
        changed = config.replace(validation_fraction=len(held_out) / n_rows)
    splits = make_splits(
        np.zeros(n_rows),
        Task.REGRESSION,
        validation_fraction=changed.validation_fraction,
        test_fraction=0.0,
        seed=changed.seed,
    )
    order = np.empty(n_rows, dtype=np.int64)
    order[splits.train] = np.arange(len(frame))
    order[splits.validation] = len(frame) + np.arange(len(held_out))
    return pd.concat([frame, held_out], ignore_index=True).iloc[order].reset_index(drop=True), changed


def _refuse_unused(loss_fn: Any, weights: Any, *, warm_start: bool) -> None:
    if loss_fn is not None:
        raise ParameterError("loss_fn must be left out: a pretraining has the paper's reconstruction loss")
    if np.ndim(weights) or weights:
        raise ParameterError("weights must be 0: in a pretraining every row comes once an epoch")
    if warm_start:
        raise ParameterError("warm_start must be False: a pretraining starts from fresh weights")


def _require_enough(frame: pd.DataFrame) -> None:
    if len(frame) < 2:
        raise InputError("n_samples=1: pretraining needs at least 10 rows")
    if frame.shape[1] < 2:
        raise InputError("n_features=1: pretraining fills in a hidden column from the others, so it needs two or more")


def _names(eval_set: Sequence[Any], eval_name: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(f"val_{index}" for index in range(len(eval_set))) if eval_name is None else tuple(map(str, eval_name))
    if len(names) != len(eval_set):
        raise ParameterError(f"eval_name must name each of {len(eval_set)} evaluation sets, got {len(names)} names")
    return names
