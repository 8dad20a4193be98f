"""Models saved by pytorch-tabnet 4.1, as models of ours: the same predictions, masks and explanations.

The norm of the saved model's input goes into the encoder's means and scales and into the category
vectors, so that a category that the model never saw, whose vector is zero, counts as the average one. A
binary classifier's two logits become their difference, which has the same probabilities.
Shapes: F raw features, D encoded width, G groups, S steps, K outputs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.encoding import FIRST_CATEGORY, InputLayout, TableEncoder
from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Target, Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.errors import ConfigError, SchemaError, UserError
from tabnet_engine.interop.pytorch_tabnet_archive import MAX_FILE_BYTES, SavedModel, SavedShape, read_archive
from tabnet_engine.interop.pytorch_tabnet_weights import NUMBER_UNIT, copy_weights, input_norm
from tabnet_engine.runs.artefact import DatasetRef, Run, save_run
from tabnet_engine.runs.parts import storage_errors
from tabnet_engine.training.experiment import TrainedModel, build_network
from tabnet_engine.training.history import History

__all__ = ["import_run", "load"]

_MASK_FUNCTIONS = {"sparsemax": "sparsemax", "entmax": "entmax15"}
_LARGEST_EPSILON = 0.1


def load(path: Path | str, *, names: Sequence[str] | None = None) -> TrainedModel:
    """A model that pytorch-tabnet's ``save_model`` wrote, ready to predict and to explain.

    Args:
        path: the zip file.
        names: the columns in the order in which the model was trained on them; "feature 0" and so on when absent.

    Raises:
        UserError: no such file, a file that is no model saved by pytorch-tabnet 4.1, or settings that are out of
            range here.
        SchemaError: too few, too many or repeated names.
        StorageError: the disk refuses.
    """
    return _convert(read_archive(_read(Path(path))), names, Path(path).name)


def import_run(path: Path | str, folder: Path, *, title: str = "", names: Sequence[str] | None = None) -> Run:
    """Read a model as :func:`load` does, and save it as a run folder.

    Args:
        path: the zip file.
        folder: the run folder to make.
        title: the run's name for people; the file's name when empty.
        names: as in :func:`load`.

    Raises:
        UserError: as :func:`load`; or the folder exists.
        StorageError: the disk refuses; nothing is left behind.
    """
    content, name = _read(Path(path)), Path(path).name
    model = _convert(read_archive(content), names, name)
    dataset = DatasetRef(hashlib.sha256(content).hexdigest(), name, 0, model.encoder.layout.n_features)
    return save_run(model, folder, dataset=dataset, read_options={}, title=title or Path(path).stem)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}; give the zip file that save_model of pytorch-tabnet wrote")
    with storage_errors(f"read {path.name!r}"):
        if path.stat().st_size > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1024**2
            raise UserError(f"the file {path.name!r} is larger than {limit} MB, too large for a model")
        return path.read_bytes()


def _convert(saved: SavedModel, names: Sequence[str] | None, source: str) -> TrainedModel:
    features = _feature_names(saved.shape, names)
    targets = _targets(saved, features)
    model_config, training_config = _settings(saved.shape)
    encoder = _encoder(saved, _schema(saved.shape, features, targets))
    network = build_network(encoder, targets, model_config, training_config)
    copy_weights(network, saved, encoder.layout)
    nothing: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
    return TrainedModel(
        network=network.eval(),
        encoder=encoder,
        targets=targets,
        splits=Splits(nothing, nothing, nothing),
        history=History((), 0),
        metrics={},
        model_config=model_config,
        training_config=training_config,
        notes=_notes(saved.shape, features, source),
        device="cpu",
        seconds=0.0,
    )


def _feature_names(shape: SavedShape, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return tuple(f"feature {place}" for place in range(shape.input_dim))
    if len(names) != shape.input_dim:
        raise SchemaError(f"the model reads {shape.input_dim} columns, but {len(names)} names were given")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise SchemaError(f"every column needs a name of its own, but {name!r} was given {count} times")
    if not all(names):
        raise SchemaError(f"every column needs a name, but that of column {list(names).index('')} is empty")
    return tuple(names)


def _targets(saved: SavedModel, features: tuple[str, ...]) -> TargetCodecs:
    counts = saved.shape.output_dim
    if saved.is_regression:
        names = _target_names(counts[0], features)
        return TargetCodecs(tuple(TargetCodec(name, Task.REGRESSION) for name in names))
    codecs = []
    for name, classes in zip(_target_names(len(counts), features), saved.classes, strict=True):
        task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
        codecs.append(TargetCodec(name, task, classes))
    return TargetCodecs(tuple(codecs))


def _target_names(count: int, features: tuple[str, ...]) -> list[str]:
    """Names for so many targets that no feature has."""
    stem = "target"
    while any(name.startswith(stem) for name in features):
        stem = f"predicted {stem}"
    return [stem] if count == 1 else [f"{stem} {place}" for place in range(count)]


def _settings(shape: SavedShape) -> tuple[ModelConfig, TrainingConfig]:
    try:
        model = ModelConfig.from_mapping(
            {
                "n_d": shape.n_d,
                "n_a": shape.n_a,
                "n_steps": shape.n_steps,
                "n_shared": shape.n_shared,
                "n_independent": shape.n_independent,
                "gamma": shape.gamma,
                "virtual_batch_size": 128,
                "momentum": shape.momentum,
                "mask_function": _MASK_FUNCTIONS[shape.mask_type],
                "numeric_embedding": "none",
                "d_categorical": shape.cat_emb_dim or None,
                "mask_scaling": "width",
                "entropy_epsilon": min(shape.epsilon, _LARGEST_EPSILON),
                "missing_states": False,
            }
        )
        return model, TrainingConfig(sparsity_lambda=shape.lambda_sparse)
    except ConfigError as error:
        raise ConfigError(f"the model cannot be imported: {error}") from error


def _schema(shape: SavedShape, features: tuple[str, ...], targets: TargetCodecs) -> FeatureSchema:
    dims = dict(zip(shape.cat_idxs, shape.cat_dims, strict=True))
    sizes = Counter(shape.groups)
    columns = [
        Column(
            name=name,
            kind=Kind.CATEGORY if place in dims else Kind.NUMBER,
            why="the imported model reads it as a category" if place in dims else "the imported model reads numbers",
            categories=tuple(map(str, range(dims.get(place, 0)))),
            group=f"group {group}" if sizes[group] > 1 else None,
        )
        for place, (name, group) in enumerate(zip(features, shape.groups, strict=True))
    ]
    heads = tuple(Target(name=codec.name, task=codec.task, classes=codec.classes) for codec in targets.codecs)
    for head in heads:
        kind = Kind.NUMBER if head.task is Task.REGRESSION else Kind.CATEGORY
        columns.append(Column(name=head.name, kind=kind, role=Role.TARGET, why="what the imported model predicts"))
    if len(heads) == 1:
        return FeatureSchema(columns=tuple(columns), task=heads[0].task, classes=heads[0].classes)
    return FeatureSchema(columns=tuple(columns), task=Task.MULTITASK, heads=heads)


def _encoder(saved: SavedModel, schema: FeatureSchema) -> TableEncoder:
    shape = saved.shape
    numeric = tuple(sorted(set(range(shape.input_dim)) - set(shape.cat_idxs)))
    layout = InputLayout(
        feature_names=schema.feature_names,
        numeric_feature=numeric,
        categorical_feature=shape.cat_idxs,
        categorical_sizes=tuple(FIRST_CATEGORY + dim for dim in shape.cat_dims),
        bins=((-1.0, 1.0),) * len(numeric),
        groups=_numbered_by_column(shape.groups),
    )
    mean, scale = input_norm(saved)
    starts = np.cumsum([0, *shape.widths])[list(numeric)]
    return TableEncoder(schema, layout, tuple(mean[starts].tolist()), tuple((NUMBER_UNIT * scale[starts]).tolist()))


def _numbered_by_column(groups: tuple[int, ...]) -> tuple[int, ...]:
    """The same groups, numbered as they first appear; nothing where each column has its own."""
    number: Mapping[int, int] = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    return () if len(number) == len(groups) else tuple(number[group] for group in groups)


def _notes(shape: SavedShape, features: tuple[str, ...], source: str) -> tuple[str, ...]:
    notes = [
        f"imported from {source!r}, which pytorch-tabnet saved; it holds no rows: there are no scores and no history",
        "the model has no state for missing numbers: rows with one are refused",
    ]
    if shape.cat_idxs:
        shown = ", ".join(repr(features[place]) for place in shape.cat_idxs[:5])
        more = f" and {len(shape.cat_idxs) - 5} more" if len(shape.cat_idxs) > 5 else ""
        notes.append(f"{shown}{more} hold category codes, whole numbers from 0; other values count as unseen")
    return tuple(notes)
