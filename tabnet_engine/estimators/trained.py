"""What a fitted estimator can say: its epochs, its masks, its steps, its latents.

Shapes: B rows, F columns, S steps, K outputs, n_d width of a step's output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from tabnet_engine.data.encoding import EncodedTable, TableEncoder
from tabnet_engine.data.schema import FeatureSchema
from tabnet_engine.estimators.epoch_history import EpochHistory, score_of
from tabnet_engine.estimators.errors import as_value_errors
from tabnet_engine.estimators.input_table import as_frame, in_order, read_rows
from tabnet_engine.estimators.optimizer_state import KeptOptimizer
from tabnet_engine.estimators.parameters import TabNetParameters
from tabnet_engine.estimators.saving import load_estimator, save_estimator
from tabnet_engine.runs.run import Run
from tabnet_engine.training.device import resolve_device
from tabnet_engine.training.history import History
from tabnet_engine.training.prediction import ForwardChunk, encode_latents, forward_batches, predict_logits

__all__ = ["TrainedEstimator"]


class TrainedEstimator(TabNetParameters):
    """The part of an estimator that reads a network, however it was trained.

    Attributes:
        network_: the torch module, on the CPU in evaluation mode.
        schema_: the columns that it reads, with the categories that training saw.
        history_: the epochs as the engine recorded them; counts them from 1.
        notes_: sentences about what was done to the data or the settings, such as a state added for missing cells.
        n_features_in_: how many columns it reads (F).
        feature_names_in_: their names, after a fit on a data frame.
    """

    network_: Any
    n_features_in_: int
    feature_names_in_: npt.NDArray[Any]
    history_: History
    notes_: tuple[str, ...]
    _encoder: TableEncoder
    _scores: dict[str, str]
    _eval_names: tuple[str, ...]
    _monitored: tuple[str, str] | None
    _training_table: EncodedTable | None
    _importances: npt.NDArray[np.float64] | None
    _optimizer: KeptOptimizer | None
    _fitted_on: tuple[int, str]

    @property
    def schema_(self) -> FeatureSchema:
        """The columns that the network reads, with the categories that training saw."""
        self._require_fit("schema_")
        return self._encoder.schema

    @property
    def history(self) -> EpochHistory:
        """Loss, learning rate and scores of every epoch by name: ``history["val_0_auc"]``."""
        self._require_fit("history")
        return EpochHistory(self.history_, self._eval_names, self._scores)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept, counted from 0 as in :attr:`history`."""
        self._require_fit("best_epoch")
        return self.history_.best_epoch - 1

    @property
    def best_cost(self) -> float:
        """The score that chose the best epoch; NaN where nothing was watched."""
        self._require_fit("best_cost")
        if self._monitored is None:
            return math.nan
        return score_of(self.history_.best, *self._monitored)

    @property
    def feature_importances_(self) -> npt.NDArray[np.float64]:
        """Share of each column in the masks of the training rows (F), summing to one.

        Each row's masks are weighed by the size of their step (paper section 3.5) and rows by the size of their
        decision. Computed when first asked for, batch by batch, and kept. Masks say what was read, not which way
        it pushed.

        Raises:
            AttributeError: not fitted, or fitted with ``compute_importance=False``.
        """
        self._require_fit("feature_importances_")
        if self._importances is None:
            if self._training_table is None:
                raise AttributeError(
                    "this estimator was fitted with compute_importance=False; average explain(X)[0] over rows of your "
                    "choice instead"
                )
            self._importances = self._importances_of(self._training_table)
            self._training_table = None
        return self._importances

    def explain(
        self,
        X: Any,  # noqa: N803 - scikit-learn's name
        normalize: bool = False,  # noqa: FBT001, FBT002 - the signature that scripts use
    ) -> tuple[npt.NDArray[np.float32], dict[int, npt.NDArray[np.float32]]]:
        """What each step read in each row.

        Args:
            X: B rows.
            normalize: let each row of the first result sum to one; a row in which no step was active stays zero.

        Returns:
            The masks weighed by the size of their step and summed over the steps (B, F), and the mask of each
            step from 0 (B, F), rows summing to one.

        Raises:
            ValueError: rows that do not fit.
        """
        chunks = list(self._chunks(self._encode_rows(X)))
        masks = np.concatenate([chunk.masks for chunk in chunks], axis=1)
        total = np.concatenate([_weighed(chunk) for chunk in chunks])
        if normalize:
            size = total.sum(axis=1, keepdims=True)
            total = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
        return total, dict(enumerate(masks))

    def encode(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """The output of each step for each row (B, S, n_d); the head reads their sum over the steps.

        Raises:
            ValueError: rows that do not fit.
        """
        encoded = self._encode_rows(X)
        with as_value_errors():
            return np.asarray(encode_latents(self.network_, encoded, device=self._device()), dtype=np.float32)

    def save_model(self, path: str | Path, *, overwrite: bool = False) -> str:
        """Write everything to ``path`` with ``.zip`` added; :meth:`load_model` reads it back.

        The file is a zipped run folder: JSON, safetensors and Parquet, nothing that can run.

        Args:
            path: where to write.
            overwrite: replace a file that exists.

        Returns:
            The name of the file.

        Raises:
            UserError: the file exists.
            StorageError: the disk refuses.
        """
        check_is_fitted(self, "network_")
        return save_estimator(self, path, overwrite=overwrite)

    def load_model(self, filepath: str | Path) -> Self:
        """Become the estimator that was saved, but on this one's ``device_name``.

        Raises:
            ValueError: the file is no saved estimator of this class.
            StorageError: a part is damaged, or the disk refuses.
        """
        load_estimator(self, filepath)
        return self

    def write_run(self, folder: Path) -> Run:
        """Write the network and all that belongs to it as a run folder."""
        raise NotImplementedError

    def read_run(self, run: Run, state: dict[str, Any]) -> None:
        """Take over a run and what :meth:`state_to_save` gave."""
        self.n_features_in_ = int(state["n_features_in"])
        if state["feature_names_in"] is not None:
            self.feature_names_in_ = np.array(state["feature_names_in"], dtype=object)
        elif "feature_names_in_" in vars(self):
            del self.feature_names_in_
        self._encoder = run.encoder
        self.history_ = run.history
        self.notes_ = run.manifest.notes
        self._scores = state["scores"]
        self._eval_names = tuple(state["eval_names"])
        self._monitored = None if state["monitored"] is None else (state["monitored"][0], state["monitored"][1])
        self._fitted_on = (run.manifest.dataset.n_rows, run.manifest.dataset.sha256)
        self._training_table = None
        self._importances = None if state["importances"] is None else np.asarray(state["importances"], dtype=np.float64)

    def state_to_save(self) -> dict[str, Any]:
        """What a run folder does not hold of itself, as plain values."""
        known = self._importances is not None or self._training_table is not None
        names = getattr(self, "feature_names_in_", None)
        return {
            "n_features_in": self.n_features_in_,
            "feature_names_in": None if names is None else names.tolist(),
            "scores": self._scores,
            "eval_names": self._eval_names,
            "monitored": self._monitored,
            "importances": self.feature_importances_ if known else None,
        }

    def optimizer_state(self) -> dict[str, Any] | None:
        """The moments of a torch optimizer, in the form of its ``state_dict``; None for the engine's own."""
        return None if self._optimizer is None else self._optimizer.state()

    def take_optimizer_state(self, state: dict[str, Any] | None) -> None:
        """Let a ``warm_start`` go on from these moments."""
        self._optimizer = None if state is None else KeptOptimizer.of(state)

    def _require_fit(self, name: str) -> None:
        """An attribute that does not exist before the fit, as scikit-learn's tools expect.

        Raises:
            AttributeError: not fitted.
        """
        if "network_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} has no {name} yet; call fit first")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _encode_rows(self, X: Any) -> EncodedTable:  # noqa: N803 - scikit-learn's name
        check_is_fitted(self, "network_")
        rows = read_rows(X, estimator=self)
        validate_data(self, rows, reset=False, skip_check_array=True)
        return self._encode_as_fitted(rows)

    def _encode_as_fitted(self, rows: Any) -> EncodedTable:
        names = self._encoder.schema.feature_names
        with as_value_errors():
            return self._encoder.transform(as_frame(in_order(rows, names), names))

    def _logits(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        encoded = self._encode_rows(X)
        with as_value_errors():
            return predict_logits(self.network_, encoded, device=self._device())

    def _device(self) -> str:
        with as_value_errors():
            return resolve_device(self.device_name).type

    def _chunks(self, encoded: EncodedTable) -> Iterator[ForwardChunk]:
        with as_value_errors():
            yield from forward_batches(self.network_, encoded, device=self._device())

    def _importances_of(self, encoded: EncodedTable) -> npt.NDArray[np.float64]:
        total = np.zeros(self._encoder.layout.n_features)
        for chunk in self._chunks(encoded):
            total += _weighed(chunk).sum(axis=0, dtype=np.float64)
        size = total.sum()
        # A network in which no step is ever active reads nothing: zeros, not NaN.
        return total / size if size > 0 else total


def _weighed(chunk: ForwardChunk) -> npt.NDArray[np.float32]:
    """sum_i eta_i M_i of each row (B, F), as in the paper's section 3.5 before it is normalised."""
    weighed: npt.NDArray[np.float32] = np.einsum("sb,sbf->bf", chunk.step_sizes, chunk.masks)
    return weighed
