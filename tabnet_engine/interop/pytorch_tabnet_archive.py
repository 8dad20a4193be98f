"""The zip file that pytorch-tabnet 4.1 saves a model to: read within bounds, and checked against itself.

Shapes: F raw features, D encoded width, G groups, H = n_d + n_a, K outputs.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.data.values import category_text
from tabnet_engine.errors import UserError
from tabnet_engine.interop.tensor_archive import TensorArchiveError, read_tensors

__all__ = ["MAX_FILE_BYTES", "SavedModel", "SavedShape", "read_archive"]

MAX_FILE_BYTES = 512 * 1024**2
_MAX_MEMBERS = 100
_MAX_PARAMETER_BYTES = 16 * 1024**2
_MAX_WEIGHT_BYTES = 1024**3
# Weights are noise and hardly shrink; only a file of zeros, or a forged one, swells more than this.
_MAX_RATIO = 50
_PARAMETERS, _WEIGHTS = "model_params.json", "network.pt"
_NORM = ("weight", "bias", "running_mean", "running_var")
# What the file claims is believed within these bounds, until the weights confirm it.
_MAX_WIDTH, _MAX_LAYERS, _MAX_FEATURES, _MAX_SIZE = 1024, 16, 100_000, 2**31


@dataclass(frozen=True, kw_only=True)
class SavedShape:
    """What the constructor of the saved model was given, in pytorch-tabnet's names.

    ``cat_idxs`` are ascending, ``cat_dims`` and ``cat_emb_dim`` in that order. ``output_dim`` holds one number
    for each target of a multi-task model, else one. ``groups`` gives the group of each column (F), in
    pytorch-tabnet's numbering: first those that were listed, then one for each other column.
    """

    n_d: int
    n_a: int
    n_steps: int
    n_shared: int
    n_independent: int
    gamma: float
    momentum: float
    epsilon: float
    lambda_sparse: float
    mask_type: str
    input_dim: int
    output_dim: tuple[int, ...]
    cat_idxs: tuple[int, ...]
    cat_dims: tuple[int, ...]
    cat_emb_dim: tuple[int, ...]
    groups: tuple[int, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """How many encoded dimensions each column has (F)."""
        embedded = dict(zip(self.cat_idxs, self.cat_emb_dim, strict=True))
        return tuple(embedded.get(feature, 1) for feature in range(self.input_dim))


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A saved model, checked: ``classes`` holds those of each target as text, nothing for a regression."""

    shape: SavedShape
    classes: tuple[tuple[str, ...], ...]
    multi_task: bool
    tensors: Mapping[str, npt.NDArray[Any]]

    @property
    def is_regression(self) -> bool:
        """Whether numbers are predicted, not classes."""
        return not self.classes


def read_archive(content: bytes) -> SavedModel:
    """Read a saved model; nothing in it is executed.

    Args:
        content: the whole zip file.

    Raises:
        UserError: it is no such file, is damaged, or is beyond the bounds; the text says what and where.
    """
    members = _read_members(content)
    parameters = _parse(members[_PARAMETERS])
    given, attributes = _mapping(parameters, "init_params"), _mapping(parameters, "class_attrs")
    try:
        tensors = read_tensors(members[_WEIGHTS])
    except TensorArchiveError as error:
        raise UserError(f"the model's part {_WEIGHTS!r} cannot be imported: {error}") from error
    if any(name.startswith("decoder.") for name in tensors):
        raise UserError("the file holds a TabNetPretrainer, which predicts nothing; import a classifier or a regressor")
    shape = _shape(given)
    multi_task = isinstance(given.get("output_dim"), list)
    classes = _classes(attributes.get("preds_mapper"), shape, multi_task=multi_task)
    _compare(tensors, dict(_expected(shape, multi_task=multi_task)))
    _check_shared(tensors, shape)
    return SavedModel(shape=shape, classes=classes, multi_task=multi_task, tensors=tensors)


def _read_members(content: bytes) -> dict[str, bytes]:
    limits = {_PARAMETERS: _MAX_PARAMETER_BYTES, _WEIGHTS: _MAX_WEIGHT_BYTES}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(members) > _MAX_MEMBERS or any(names.count(name) != 1 for name in limits):
                raise UserError(
                    f"the file is no model saved by pytorch-tabnet: it must hold {_PARAMETERS!r} and {_WEIGHTS!r} once "
                    "each; give the zip file that save_model wrote"
                )
            for member in members:
                if member.file_size > _MAX_RATIO * max(member.compress_size, 10_000):
                    raise UserError(f"the zip file's part {member.filename[:60]!r} swells beyond {_MAX_RATIO} times")
            return {name: _read_bounded(archive, name, limit) for name, limit in limits.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise UserError(
            f"the file is no whole zip file ({error}); copy it again, or save the model again with save_model"
        ) from error


def _read_bounded(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """A part, never more of it than the limit, whatever its header says."""
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise UserError(f"the zip file's part {name!r} is larger than {limit // 1024**2} MB and was not read")
    return content


def _parse(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"the model's part {_PARAMETERS!r} is no JSON; save the model again") from error
    if not isinstance(values, dict):
        raise UserError(f"the model's part {_PARAMETERS!r} does not hold a model's parameters")
    return values


def _mapping(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    if not isinstance(found, dict):
        raise UserError(f"the model's parameters have no {key!r}; only models saved by pytorch-tabnet 4.1 can be read")
    return found


def _shape(given: Mapping[str, Any]) -> SavedShape:
    n_features = _whole(given, "input_dim", 1, _MAX_FEATURES)
    listed = _whole_list(given.get("cat_idxs"), "cat_idxs", 0, n_features - 1)
    if len(set(listed)) < len(listed):
        raise UserError("the model's parameter 'cat_idxs' names a column twice")
    widths = given.get("cat_emb_dim", 1)
    widths = [widths] * len(listed) if isinstance(widths, int) else widths
    outputs = given.get("output_dim")
    return SavedShape(
        n_d=_whole(given, "n_d", 1, _MAX_WIDTH),
        n_a=_whole(given, "n_a", 1, _MAX_WIDTH),
        n_steps=_whole(given, "n_steps", 1, _MAX_WIDTH),
        n_shared=_whole(given, "n_shared", 0, _MAX_LAYERS),
        n_independent=_whole(given, "n_independent", 0, _MAX_LAYERS),
        gamma=_number(given, "gamma"),
        momentum=_number(given, "momentum"),
        epsilon=_number(given, "epsilon"),
        lambda_sparse=_number(given, "lambda_sparse"),
        mask_type=_mask_type(given),
        input_dim=n_features,
        output_dim=_whole_list(outputs if isinstance(outputs, list) else [outputs], "output_dim", 1, _MAX_SIZE),
        cat_idxs=tuple(sorted(listed)),
        # pytorch-tabnet sorts these by column before it saves them, and leaves cat_idxs as they were given.
        cat_dims=_whole_list(given.get("cat_dims"), "cat_dims", 1, _MAX_SIZE, count=len(listed)),
        cat_emb_dim=_whole_list(widths, "cat_emb_dim", 1, _MAX_SIZE, count=len(listed)),
        groups=_groups(given.get("grouped_features", []), n_features),
    )


def _mask_type(given: Mapping[str, Any]) -> str:
    found = given.get("mask_type")
    if found not in ("sparsemax", "entmax"):
        raise UserError(f"the model's parameter 'mask_type' must be sparsemax or entmax, got {_shown(found)}")
    return str(found)


def _groups(listed: Any, n_features: int) -> tuple[int, ...]:
    if not isinstance(listed, list) or not all(isinstance(group, list) and group for group in listed):
        raise UserError("the model's parameter 'grouped_features' must be a list of lists of columns")
    members = [_whole_list(group, "grouped_features", 0, n_features - 1) for group in listed]
    owner = {feature: number for number, group in enumerate(members) for feature in group}
    if len(owner) < sum(map(len, members)):
        raise UserError("the model's parameter 'grouped_features' names a column twice")
    following = itertools.count(len(members))
    return tuple(owner[feature] if feature in owner else next(following) for feature in range(n_features))


def _classes(mapper: Any, shape: SavedShape, *, multi_task: bool) -> tuple[tuple[str, ...], ...]:
    if mapper is None and not multi_task:
        return ()
    mappers = mapper if multi_task else [mapper]
    if not isinstance(mappers, list) or len(mappers) != len(shape.output_dim):
        raise UserError("the model's classes ('preds_mapper') do not fit its targets; save the model again")
    return tuple(_labels(item, count) for item, count in zip(mappers, shape.output_dim, strict=True))


def _labels(mapper: Any, n_classes: int) -> tuple[str, ...]:
    if not isinstance(mapper, dict) or mapper.keys() != {str(code) for code in range(n_classes)}:
        raise UserError(f"the model's classes ('preds_mapper') do not number its {n_classes} outputs; save it again")
    labels = tuple(mapper[str(code)] for code in range(n_classes))
    if not all(isinstance(label, str | int | float) for label in labels):
        raise UserError("the model's classes ('preds_mapper') must be texts or numbers")
    return tuple(category_text(label) for label in labels)


def _whole(given: Mapping[str, Any], name: str, smallest: int, largest: int) -> int:
    return _whole_list([given.get(name)], name, smallest, largest)[0]


def _whole_list(values: Any, name: str, smallest: int, largest: int, *, count: int | None = None) -> tuple[int, ...]:
    if not isinstance(values, list):
        raise UserError(f"the model's parameter {name!r} must be a list, got {_shown(values)}")
    if count is not None and len(values) != count:
        raise UserError(f"the model's parameter {name!r} must have {count} entries, got {len(values)}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
            raise UserError(f"the model's parameter {name!r} must be from {smallest} to {largest}, got {_shown(value)}")
    return tuple(values)


def _number(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise UserError(f"the model's parameter {name!r} must be a number from 0 on, got {_shown(value)}")
    return float(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _expected(shape: SavedShape, *, multi_task: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor of such a model."""
    width, hidden, n_groups = sum(shape.widths), shape.n_d + shape.n_a, max(shape.groups) + 1
    for place, size in enumerate(zip(shape.cat_dims, shape.cat_emb_dim, strict=True)):
        yield f"embedder.embeddings.{place}.weight", size
    # The first of these two is never used.
    for norm in ("tabnet.initial_bn", "tabnet.encoder.initial_bn"):
        yield from _norm(norm, width)
    for block in blocks(shape):
        for place in range(shape.n_shared):
            yield f"{block}.shared.shared_layers.{place}.weight", (2 * hidden, hidden if place else width)
        for place, layer in enumerate(layers(shape, block)):
            yield f"{layer}.fc.weight", (2 * hidden, hidden if place else width)
            yield from _norm(f"{layer}.bn.bn", 2 * hidden)
    for step in range(shape.n_steps):
        yield f"tabnet.encoder.att_transformers.{step}.fc.weight", (n_groups, shape.n_a)
        yield from _norm(f"tabnet.encoder.att_transformers.{step}.bn.bn", n_groups)
    for name, count in zip(heads(shape, multi_task=multi_task), shape.output_dim, strict=True):
        yield name, (count, shape.n_d)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{name}.{part}", (width,)) for part in _NORM)
    yield f"{name}.num_batches_tracked", ()


def blocks(shape: SavedShape) -> list[str]:
    """The feature transformers of steps 0 to n_steps."""
    return ["tabnet.encoder.initial_splitter", *(f"tabnet.encoder.feat_transformers.{s}" for s in range(shape.n_steps))]


def layers(shape: SavedShape, block: str) -> list[str]:
    """The GLU layers of one feature transformer, first layer first."""
    shared = [f"{block}.shared.glu_layers.{place}" for place in range(shape.n_shared)]
    return shared + [f"{block}.specifics.glu_layers.{place}" for place in range(shape.n_independent)]


def heads(shape: SavedShape, *, multi_task: bool) -> list[str]:
    """The weights from the steps' sum to the outputs of each target."""
    if not multi_task:
        return ["tabnet.final_mapping.weight"]
    return [f"tabnet.multi_task_mappings.{task}.weight" for task in range(len(shape.output_dim))]


def _compare(tensors: Mapping[str, npt.NDArray[Any]], expected: Mapping[str, tuple[int, ...]]) -> None:
    if tensors.keys() != expected.keys():
        name = min(tensors.keys() ^ expected.keys())
        lacks = "lacks" if name in expected else "holds"
        raise UserError(
            f"the model's weights do not fit its parameters: the file {lacks} {name[:120]!r}; only models saved by "
            "pytorch-tabnet 4.1 can be imported"
        )
    for name, shape in expected.items():
        tensor = tensors[name]
        if tensor.shape != shape:
            raise UserError(
                f"the model's weights do not fit its parameters: {name!r} has the shape {tensor.shape}, not {shape}; "
                "only models saved by pytorch-tabnet 4.1 can be imported"
            )
        if not np.isfinite(tensor).all() or (name.endswith("running_var") and (tensor < 0).any()):
            raise UserError(f"the model's weights {name!r} hold values that are no weights; train the model again")


def _check_shared(tensors: Mapping[str, npt.NDArray[Any]], shape: SavedShape) -> None:
    """The file repeats the shared weights for every step; all copies must agree."""
    first = blocks(shape)[0]
    for block, place in itertools.product(blocks(shape), range(shape.n_shared)):
        wanted = tensors[f"{first}.shared.shared_layers.{place}.weight"]
        for copy in (f"{block}.shared.shared_layers.{place}.weight", f"{block}.shared.glu_layers.{place}.fc.weight"):
            if not np.array_equal(tensors[copy], wanted):
                raise UserError(f"the model's shared weights {copy!r} are not the same in every step")
