"""Imported models answer as pytorch-tabnet itself did: predictions, masks of every step, explanations."""

import json
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from tabnet_engine.data.encoding import CellState
from tabnet_engine.data.schema import Kind, Task
from tabnet_engine.errors import ConfigError, SchemaError, UserError
from tabnet_engine.interop.pytorch_tabnet import import_run, load
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.training.experiment import TrainedModel
from tabnet_engine.training.prediction import forward_batches, predict_logits, prediction_table
from tests.interop.archives import FIXTURES, rewritten

KINDS = sorted(path.stem for path in FIXTURES.glob("*.npz"))
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
TOLERANCE = 1e-5


def answers(kind: str) -> dict[str, npt.NDArray]:
    with np.load(FIXTURES / f"{kind}.npz") as stored:
        return dict(stored)


def table(model: TrainedModel, x: npt.NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(x, columns=list(model.encoder.layout.feature_names))


def shown(model: TrainedModel, x: npt.NDArray[np.float64]) -> pd.DataFrame:
    return prediction_table(model.targets, predict_logits(model.network, model.encoder.transform(table(model, x))))


def test_eight_kinds_are_here() -> None:
    assert len(KINDS) == 8


@EVERY_KIND
def test_predictions_are_equal(kind: str) -> None:
    model, theirs = load(FIXTURES / f"{kind}.zip"), answers(kind)
    logits = predict_logits(model.network, model.encoder.transform(table(model, theirs["x"])))
    if "predictions" in theirs:
        np.testing.assert_allclose(logits, theirs["predictions"], atol=TOLERANCE)
        return
    for place, (codec, part) in enumerate(zip(model.targets.codecs, model.targets.slices, strict=True)):
        expected = theirs[f"probabilities_{place}"]
        scores = torch.from_numpy(logits[:, part])
        if codec.task is Task.BINARY:
            assert scores.shape[1] == 1
            scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
        probabilities = torch.softmax(scores, dim=1).numpy()
        np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)
        certain = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > TOLERANCE
        assert certain.mean() > 0.9
        decoded = codec.decode(probabilities.argmax(axis=1))[certain]
        # Ours names a class 2 where theirs prints 2.0.
        assert decoded.tolist() == [label.removesuffix(".0") for label in theirs["labels"][certain, place]]


@EVERY_KIND
def test_masks_and_explanations_are_equal(kind: str) -> None:
    model, theirs = load(FIXTURES / f"{kind}.zip"), answers(kind)
    encoded = model.encoder.transform(table(model, theirs["x"]))
    (chunk,) = forward_batches(model.network, encoded)
    np.testing.assert_allclose(chunk.masks, theirs["masks"], atol=TOLERANCE)
    explanation = (chunk.step_sizes[:, :, None] * chunk.masks).sum(axis=0)
    np.testing.assert_allclose(explanation, theirs["explain"], atol=TOLERANCE, rtol=TOLERANCE)
    assert (theirs["masks"] == 0).any() or "one_step" in kind


def test_the_kinds_differ_where_an_import_could_go_wrong() -> None:
    """Unsorted category columns, widths that differ within a group, and no shared or no own layers."""
    configs = {kind: load(FIXTURES / f"{kind}.zip").model_config for kind in KINDS}
    assert {config.n_shared for config in configs.values()} >= {0, 1, 2}
    assert {config.n_independent for config in configs.values()} >= {0, 1, 2}
    assert {config.mask_function for config in configs.values()} == {"sparsemax", "entmax15"}
    parameters = json.loads(zipfile.ZipFile(FIXTURES / "binary_groups_entmax.zip").read("model_params.json"))
    assert parameters["init_params"]["cat_idxs"] == [5, 0, 3]
    layout = load(FIXTURES / "binary_groups_entmax.zip").encoder.layout
    assert layout.groups == (0, 1, 0, 2, 2, 3)


@EVERY_KIND
def test_a_run_folder_keeps_the_model(kind: str, tmp_path: Path) -> None:
    path = FIXTURES / f"{kind}.zip"
    import_run(path, tmp_path / "run", title="From elsewhere")
    run, x = load_run(tmp_path / "run"), answers(kind)["x"]
    pd.testing.assert_frame_equal(shown(run.model(), x), shown(load(path), x))
    assert run.manifest.title == "From elsewhere"
    assert run.manifest.dataset.name == path.name
    assert run.manifest.dataset.n_rows == 0
    assert run.manifest.metrics == {}
    assert run.manifest.best_epoch == 0
    assert len(run.history) == 0
    assert "pytorch-tabnet" in run.manifest.notes[0]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exists already"):
        import_run(FIXTURES / "binary.zip", tmp_path)


def test_tasks_classes_and_kinds_of_columns() -> None:
    binary = load(FIXTURES / "binary_groups_entmax.zip")
    assert binary.targets.only.task is Task.BINARY
    assert binary.targets.only.classes == ("no", "yes")
    assert binary.targets.outputs == ("yes",)
    kinds = [column.kind for column in binary.encoder.schema.features]
    assert kinds == [Kind.CATEGORY, Kind.NUMBER, Kind.NUMBER, Kind.CATEGORY, Kind.NUMBER, Kind.CATEGORY]
    assert [len(column.categories) for column in binary.encoder.schema.features] == [3, 0, 0, 5, 0, 6]
    several = load(FIXTURES / "multitask_groups.zip")
    assert [codec.task for codec in several.targets.codecs] == [Task.MULTICLASS, Task.BINARY]
    assert several.targets.codecs[0].classes == ("10", "20", "30")
    assert several.encoder.schema.task is Task.MULTITASK
    numbers = load(FIXTURES / "regression_several_outputs.zip")
    assert numbers.targets.names == ("target 0", "target 1", "target 2")
    assert load(FIXTURES / "multiclass_groups_one_step.zip").targets.only.classes == ("1", "2", "3", "4")


def test_names_are_the_users_own() -> None:
    names = ["a", "b", "target", "d", "e", "f"]
    model = load(FIXTURES / "binary.zip", names=names)
    assert model.encoder.layout.feature_names == tuple(names)
    assert model.targets.only.name == "predicted target"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a"], "reads 6 columns, but 1 names"),
        (["a", "b", "c", "d", "e", "a"], "'a' was given 2 times"),
        (["a", "b", "c", "d", "e", ""], "column 5 is empty"),
    ],
)
def test_names_that_do_not_fit_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        load(FIXTURES / "binary.zip", names=names)


def test_the_order_and_type_of_columns_are_free() -> None:
    model, x = load(FIXTURES / "multiclass_categorical.zip"), answers("multiclass_categorical")["x"]
    frame = table(model, x)
    other = frame.astype({"feature 1": int}).astype({"feature 4": int}).astype({"feature 4": str})[frame.columns[::-1]]
    expected, found = (predict_logits(model.network, model.encoder.transform(part)) for part in (frame, other))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [7.0, -1.0, 2.5, None, "other"])
def test_a_category_never_seen_counts_as_the_average_one(value: object) -> None:
    """pytorch-tabnet stops with "index out of range"; here its vector is zero, and what stands there is told."""
    model, x = load(FIXTURES / "multiclass_categorical.zip"), answers("multiclass_categorical")["x"][:3]
    frame = table(model, x).astype({"feature 4": object})
    frame.loc[1, "feature 4"] = value
    expected = CellState.MISSING if value is None else CellState.UNSEEN
    assert model.encoder.cell_states(frame)[:, 4].tolist() == [CellState.OBSERVED, expected, CellState.OBSERVED]
    encoded = model.encoder.transform(frame)
    embedded = model.network.embedding(torch.from_numpy(encoded.numeric), torch.from_numpy(encoded.categorical))
    assert (embedded[1, model.network.embedding.column_feature == 4] == 0).all()
    assert np.isfinite(predict_logits(model.network, encoded)).all()


def test_numbers_far_from_the_mean_are_not_clipped() -> None:
    """As a date in seconds is, which the saved model's slow input norm has not reached."""
    model, x = load(FIXTURES / "regression.zip"), answers("regression")["x"][:2].copy()
    x[:, 0] = [1.6e6, 1.7e6]
    one, other = model.encoder.transform(table(model, x)).numeric[:, 0]
    assert other / one == pytest.approx(1.7 / 1.6, rel=1e-4)


def test_a_missing_number_is_refused_by_row_and_column() -> None:
    model, x = load(FIXTURES / "binary.zip"), answers("binary")["x"].copy()
    x[3, 2] = np.nan
    with pytest.raises(SchemaError, match=r"column 'feature 2', row 3"):
        predict_logits(model.network, model.encoder.transform(table(model, x)))


def test_loading_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load(FIXTURES / "binary.zip")
    assert torch.equal(torch.get_rng_state(), before)


def test_settings_out_of_range_are_named(tmp_path: Path) -> None:
    path = rewritten(tmp_path, "binary", gamma=0.5)
    with pytest.raises(ConfigError, match="cannot be imported: gamma"):
        load(path)
