"""The ``fit`` that the supervised estimators share: read the caller's data, hand it to the engine, keep the result.

Shapes: B rows, F columns, T targets.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Tags, check_consistent_length
from sklearn.utils.validation import validate_data

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.estimators.errors import InputError, ParameterError, as_value_errors
from tabnet_engine.estimators.fit_request import FitRequest, either
from tabnet_engine.estimators.input_table import as_frame, column_names, learned_columns, read_rows
from tabnet_engine.estimators.losses import read_loss
from tabnet_engine.estimators.metrics import ChosenMetrics, choose_metrics
from tabnet_engine.estimators.optimizer_state import KeptOptimizer
from tabnet_engine.estimators.parameters import FitSettings
from tabnet_engine.estimators.plain_values import labels_from_plain, labels_to_plain
from tabnet_engine.estimators.row_weights import loss_weights, read_sample_weight, sampling_weights
from tabnet_engine.estimators.saving import dataset_of, digest_of
from tabnet_engine.estimators.target_columns import ClassLabels, TargetColumns, target_names
from tabnet_engine.estimators.trained import TrainedEstimator
from tabnet_engine.estimators.verbose import EpochLines
from tabnet_engine.model.tabnet import TabNet
from tabnet_engine.runs.artefact import save_run
from tabnet_engine.runs.run import Run
from tabnet_engine.training.callbacks import Callback
from tabnet_engine.training.device import resolve_device
from tabnet_engine.training.experiment import TrainedModel, build_network
from tabnet_engine.training.finetuning import adopt, require_states, start_from
from tabnet_engine.training.fit import LabelledTable, fit
from tabnet_engine.training.memory import MemoryEstimate, available_memory, require_memory
from tabnet_engine.training.options import FitOptions

__all__ = ["SupervisedEstimator"]


class SupervisedEstimator(TrainedEstimator):
    """Reads rows and targets, trains, and keeps what :class:`TrainedEstimator` reads."""

    _targets: TargetColumns
    _model_config: ModelConfig
    _training_config: TrainingConfig
    _seconds: float
    _device_used: str

    def fit(  # noqa: PLR0913 - the signature of the library whose scripts must run
        self,
        X: Any = None,  # noqa: N803 - scikit-learn's name
        y: Any = None,
        *,
        X_train: Any = None,  # noqa: N803 - the name that scripts use
        y_train: Any = None,
        sample_weight: Any = None,
        eval_set: Sequence[Any] | None = None,
        eval_name: Sequence[str] | None = None,
        eval_metric: Any = None,
        loss_fn: Any = None,
        weights: Any = 0,
        max_epochs: int | None = None,
        patience: int | None = None,
        batch_size: int | None = None,
        virtual_batch_size: int | None = None,
        num_workers: int = 0,
        drop_last: bool = False,
        callbacks: Iterable[Callback] | None = None,
        pin_memory: bool = False,
        from_unsupervised: Any = None,
        warm_start: bool = False,
        augmentations: Any = None,
        compute_importance: bool = True,
        checkpoint: str | Path | None = None,
        checkpoint_seconds: float = 5.0,
        resume: bool = False,
    ) -> Self:
        """Train a network on rows and their targets; what was handed in is never changed.

        Without an ``eval_set`` all epochs run and the last weights are kept. With one, its last set and the last
        of ``eval_metric`` choose the best epoch, unless ``patience=0``, which keeps the last weights.

        Args:
            X: B rows: a data frame, an array, or a sparse matrix, which is expanded. NaN is a missing value.
            y: their targets.
            X_train: the same as ``X``.
            y_train: the same as ``y``.
            sample_weight: what each row weighs in the loss; rows that weigh nothing are left out altogether.
            eval_set: pairs of rows and targets, scored after every epoch.
            eval_name: a name for each; ``val_0``, ``val_1`` and so on when absent.
            eval_metric: names of scores, or :class:`Metric` classes; see :func:`choose_metrics`.
            loss_fn: a function of predictions and targets that replaces the loss; see :func:`read_loss`.
            weights: how often rows are drawn: 0, 1 for classes equally often, a mapping from class to weight, or a
                weight for each row. ``class_weight`` of the constructor weighs the loss instead.
            max_epochs: this and the next three replace the constructor's for this fit.
            patience: epochs without a new best before stopping.
            batch_size: rows of a batch; a batch larger than the table is the table.
            virtual_batch_size: rows of a ghost batch.
            num_workers: accepted and not needed: rows lie in memory and are not loaded by other processes.
            drop_last: accepted and not needed: batches differ by at most one row, so none is left over.
            callbacks: told about every epoch and batch.
            pin_memory: accepted and not needed: the whole table is on the device before the first epoch.
            from_unsupervised: a fitted :class:`TabNetPretrainer` to start from; it decides the network's shape.
            warm_start: go on from this estimator's own weights instead of fresh ones, and with an ``optimizer_fn``
                from its optimizer's moments.
            augmentations: changes every training batch: :class:`ClassificationSMOTE` and the like.
            compute_importance: keep the encoded training rows until ``feature_importances_`` is asked for.
            checkpoint: a folder kept up to date while training, to continue from after a crash.
            checkpoint_seconds: the least time between two writes to it; 0 writes after every epoch.
            resume: continue from that folder when it belongs to this very training.

        Returns:
            The estimator itself.

        Raises:
            ValueError: rows, targets or parameters that do not fit; one sentence says which.
        """
        del num_workers, drop_last, pin_memory
        request = FitRequest(
            sample_weight=sample_weight,
            eval_set=tuple(eval_set or ()),
            eval_name=eval_name,
            eval_metric=eval_metric,
            loss_fn=loss_fn,
            weights=weights,
            settings=FitSettings(
                max_epochs=max_epochs,
                patience=patience,
                batch_size=batch_size,
                virtual_batch_size=virtual_batch_size,
            ),
            callbacks=tuple(callbacks or ()),
            from_unsupervised=from_unsupervised,
            warm_start=warm_start,
            augmentations=augmentations,
            compute_importance=compute_importance,
            checkpoint=None if checkpoint is None else Path(checkpoint),
            checkpoint_seconds=checkpoint_seconds,
            resume=resume,
        )
        with as_value_errors():
            self._fit(either(X, X_train, "X", "X_train"), either(y, y_train, "y", "y_train"), request)
        return self

    def step_logits(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """What each step added to each logit (S, B, K): with the network's offset they sum to the logits exactly.

        Raises:
            ValueError: rows that do not fit.
        """
        chunks = list(self._chunks(self._encode_rows(X)))
        return np.concatenate([chunk.step_contributions for chunk in chunks], axis=1)

    def _fit(self, X: Any, y: Any, request: FitRequest) -> None:  # noqa: N803 - scikit-learn's name
        started = time.perf_counter()
        rows, labels = read_rows(X, estimator=self), y
        goes_on = self._goes_on(request)
        validate_data(self, rows, labels, reset=not goes_on, skip_check_array=True)
        values = self._read_y(labels)
        check_consistent_length(rows, values)
        if len(values) < 2:
            raise InputError("n_samples=1: training needs at least 2 rows")
        frame = as_frame(rows, self._encoder.schema.feature_names if goes_on else column_names(rows))
        weight = read_sample_weight(request.sample_weight, frame)
        if weight is not None:
            # Rows that weigh nothing would still shape bins and batch norms.
            kept = weight > 0
            frame, values, weight = frame[kept].reset_index(drop=True), values[kept], weight[kept]
            request = request.of_rows(kept)
        if not goes_on:
            # Until there is a trained network again, this estimator is not fitted: what fails halfway predicts nothing.
            if "network_" in vars(self):
                del self.network_
            self._prepare(frame, values, labels, request)
        encoded = self._encoder.transform(frame)
        coded = self._targets.encode(values)
        self._model_config, note = require_states(
            self._model_config,
            [encoded.numeric],
            pretrained=goes_on or request.from_unsupervised is not None,
        )
        train = LabelledTable(encoded, coded, weight)
        if goes_on:
            columns = self._encoder.schema.features
            self._training_config = self._configurations(request.settings, columns, len(train))[1]
            self._train(self.network_, train, request)
        else:
            self.notes_ = (*self.notes_, *(() if note is None else (note,)))
            self._optimizer = None
            network = self._build(train, request)
            self._train(network, train, request)
            self.network_ = network
        self._training_table = encoded if request.compute_importance else None
        self._importances = None
        self._fitted_on = (len(frame), digest_of(frame))
        self._seconds = time.perf_counter() - started

    def write_run(self, folder: Path) -> Run:
        """Write the network and all that belongs to it as a run folder."""
        nothing = np.zeros(0, dtype=np.int64)
        n_rows, _ = self._fitted_on
        model = TrainedModel(
            network=self.network_,
            encoder=self._encoder,
            targets=self._targets.codecs,
            splits=Splits(train=np.arange(n_rows, dtype=np.int64), validation=nothing, test=nothing),
            history=self.history_,
            metrics={},
            model_config=self._model_config,
            training_config=self._training_config,
            notes=self.notes_,
            device=self._device_used,
            seconds=self._seconds,
        )
        dataset = dataset_of(self._fitted_on, self.n_features_in_)
        return save_run(model, folder, dataset=dataset, read_options={}, title=type(self).__name__)

    def state_to_save(self) -> dict[str, Any]:
        """What a run folder does not hold of itself, as plain values."""
        labels = [None if found is None else labels_to_plain(found.values) for found in self._targets.labels]
        return {**super().state_to_save(), "labels": labels}

    def read_run(self, run: Run, state: dict[str, Any]) -> None:
        """Take over a run and what :meth:`state_to_save` gave."""
        labels = [labels_from_plain(stored) for stored in state["labels"]]
        found = tuple(None if values is None else ClassLabels(values) for values in labels)
        targets = TargetColumns(run.targets, found)
        network = run.network()
        super().read_run(run, state)
        self.network_, self._targets = network, targets
        self._model_config, self._training_config = run.model_config, run.training_config
        self._device_used, self._seconds = run.manifest.device, run.manifest.seconds
        self._learned_targets(targets)

    def _goes_on(self, request: FitRequest) -> bool:
        """Whether this fit continues the estimator's own network; a pretrained one takes precedence."""
        return request.warm_start and request.from_unsupervised is None and "network_" in vars(self)

    def _prepare(self, frame: pd.DataFrame, values: npt.NDArray[Any], y: Any, request: FitRequest) -> None:
        """Learn how rows and targets are read, and choose the settings."""
        columns = learned_columns(frame, self.cat_idxs, self.cat_dims, self.grouped_features)
        model, training = self._configurations(request.settings, columns, len(frame))
        names = target_names(y, values.shape[1], [column.name for column in columns])
        targets = TargetColumns.learn(values, names, self._tasks(values, names), two_logits=model.two_logits)
        schema = targets.schema(columns)
        notes: tuple[str, ...] = ()
        if request.from_unsupervised is None:
            if training.freeze_epochs:
                raise ParameterError(
                    "freeze_epochs keeps a pretrained encoder as it is; give fit one: from_unsupervised"
                )
            encoder = TableEncoder.fit(frame, schema, n_bins=model.n_bins)
        else:
            pretrained = request.pretrained_model()
            adopted = adopt(pretrained, frame, schema)
            encoder, notes = adopted.encoder, adopted.notes
            model = pretrained.model_config.replace(two_logits=model.two_logits)
        self._encoder, self._targets, self.notes_ = encoder, targets, notes
        self._model_config, self._training_config = model, training
        self._learned_targets(targets)

    def _build(self, train: LabelledTable, request: FitRequest) -> TabNet:
        """A network with its first weights."""
        network = build_network(self._encoder, self._targets.codecs, self._model_config, self._training_config)
        if request.from_unsupervised is not None:
            start_from(network, request.pretrained_model(), train.encoded, seed=self._training_config.seed)
        return network

    def _train(self, network: TabNet, train: LabelledTable, request: FitRequest) -> None:
        codecs = self._targets.codecs
        evaluation = self._evaluation_tables(request)
        metrics = choose_metrics(request.eval_metric, codecs, self._default_metric(codecs))
        options = self._options(train, evaluation, metrics, request)
        callbacks = [*request.callbacks]
        if self.verbose:
            callbacks.append(EpochLines(self.verbose, tuple(evaluation), metrics))
        estimate = MemoryEstimate.of(
            self._model_config, self._training_config, self._encoder.layout, len(codecs.outputs), len(train)
        )
        available = available_memory(resolve_device(self._training_config.device))
        require_memory(estimate, available, self._model_config, self._training_config)
        result = fit(network, train, None, codecs, self._training_config, callbacks, options=options)
        self.history_ = result.history
        self._scores = dict(zip(metrics.names, metrics.keys, strict=True))
        self._eval_names = tuple(evaluation)
        self._monitored = None if options.monitor_set is None else (options.monitor_set, metrics.keys[-1])
        self._device_used = result.device
        self.notes_ = (*self.notes_, *result.notes)

    def _options(
        self, train: LabelledTable, evaluation: Mapping[str, LabelledTable], metrics: ChosenMetrics, request: FitRequest
    ) -> FitOptions:
        # patience=0 asks for the last weights, so nothing may choose a better epoch.
        watched = bool(evaluation) and self._training_config.patience > 0
        scheduler, per_batch = self._scheduler_factory()
        factory = self._optimizer_factory()
        if factory is not None:
            self._optimizer = KeptOptimizer(factory, self._optimizer)
        return FitOptions(
            loss=read_loss(request.loss_fn, self._targets.codecs),
            metrics=tuple(metrics.custom),
            monitor=metrics.keys[-1] if watched else None,
            monitor_set=list(evaluation)[-1] if watched else None,
            class_weights=loss_weights(self.class_weight, self._targets, train.y),
            evaluation=evaluation,
            optimizer=None if factory is None else self._optimizer,
            scheduler=scheduler,
            scheduler_per_batch=per_batch,
            augmentation=request.augmentations,
            sampling=sampling_weights(request.weights, self._targets, train.y),
            checkpoint=request.checkpoint,
            checkpoint_seconds=request.checkpoint_seconds,
            resume=request.resume,
        )

    def _evaluation_tables(self, request: FitRequest) -> dict[str, LabelledTable]:
        """The evaluation sets by name, encoded.

        Raises:
            ParameterError: names that do not belong to the sets, or a set that is no pair.
            InputError: rows or targets of one of them do not fit; the text names it.
        """
        names = [f"val_{index}" for index in range(len(request.eval_set))]
        if request.eval_name is not None:
            names = list(map(str, request.eval_name))
        if len(names) != len(request.eval_set) or len(set(names)) < len(names):
            raise ParameterError(
                f"eval_name must give each of {len(request.eval_set)} evaluation sets a name of its own, got {names}"
            )
        tables = {}
        for name, pair in zip(names, request.eval_set, strict=True):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ParameterError("eval_set must hold pairs (X, y)")
            try:
                rows, values = read_rows(pair[0], estimator=self), self._read_y(pair[1])
                check_consistent_length(rows, values)
                tables[name] = LabelledTable(self._encode_as_fitted(rows), self._targets.encode(values))
            except ValueError as error:
                raise InputError(f"evaluation set {name!r}: {error}") from error
        return tables

    def _read_y(self, y: Any) -> npt.NDArray[Any]:
        """Check the caller's targets and make them a matrix (B, T)."""
        raise NotImplementedError

    def _tasks(self, values: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
        """For each of the T targets whether it is a "classification" or a "regression"."""
        raise NotImplementedError

    def _default_metric(self, codecs: TargetCodecs) -> str:
        """The score to watch when the caller names none."""
        raise NotImplementedError

    def _learned_targets(self, targets: TargetColumns) -> None:
        """Keep what the estimator shows of its targets, such as ``classes_``."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
