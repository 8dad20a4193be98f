"""A saved estimator comes back whole, and a file that is none is refused in one sentence."""

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import DamagedRunError, StorageError, UserError
from tabnet_engine.estimators import (
    InputError,
    TabNetClassifier,
    TabNetMixedEstimator,
    TabNetMultiTaskClassifier,
    TabNetPretrainer,
    TabNetRegressor,
)
from tabnet_engine.estimators.plain_values import labels_from_plain, labels_to_plain, plain, unplain
from tabnet_engine.runs.artefact import load_run


@pytest.fixture(scope="module")
def brief(small):
    return {**small, "max_epochs": 2, "batch_size": 64}


@pytest.fixture(scope="module")
def several(census):
    return pd.DataFrame({"label": census.labels, "score": census.score, "odd": np.arange(360) % 2 > 0})


@pytest.fixture(scope="module")
def saved(census, brief, tmp_path_factory):
    model = TabNetClassifier(**brief, cat_idxs=("job",), class_weight={"wealthy": 2.0})
    model.fit(census.frame, census.labels, eval_set=[(census.frame, census.labels)])
    return model, model.save_model(tmp_path_factory.mktemp("models") / "model")


def same(first, second):
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(same(*pair) for pair in zip(first, second, strict=True))
    return (first is None and second is None) or np.array_equal(first, second)


@pytest.mark.parametrize(
    ("estimator", "columns"),
    [
        (TabNetClassifier, ["label"]),
        (TabNetRegressor, ["score"]),
        (TabNetMultiTaskClassifier, ["label", "odd"]),
        (TabNetMixedEstimator, ["label", "score"]),
    ],
)
def test_everything_comes_back(census, brief, several, tmp_path, estimator, columns):
    y = several[columns[0]] if estimator in {TabNetClassifier, TabNetRegressor} else several[columns]
    model = estimator(**brief, optimizer_fn=torch.optim.RMSprop, optimizer_params={"lr": 0.01}, cat_idxs=[1])
    model.fit(census.frame, y, eval_set=[(census.frame, y)], eval_name=["all"])
    loaded = estimator().load_model(model.save_model(tmp_path / "model"))
    assert same(loaded.predict(census.frame), model.predict(census.frame))
    assert loaded.get_params() == {**model.get_params(), "device_name": "auto"}
    assert loaded.history == model.history
    assert loaded.history_ == model.history_
    assert (loaded.best_epoch, loaded.best_cost) == (model.best_epoch, model.best_cost)
    assert np.array_equal(loaded.feature_importances_, model.feature_importances_)
    assert same(getattr(loaded, "classes_", None), getattr(model, "classes_", None))
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    assert loaded.schema_ == model.schema_
    # The optimizer goes on with its moments, so the next epochs are the same too.
    for one in (model, loaded):
        one.fit(census.frame, y, warm_start=True, eval_set=[(census.frame, y)], eval_name=["all"])
    assert loaded.history == model.history
    assert same(loaded.predict(census.frame), model.predict(census.frame))


def test_moments_matter_to_a_warm_start(census, brief, several):
    """Without them the warm start above would prove nothing."""
    losses = []
    for forget in (False, True):
        model = TabNetRegressor(**brief, optimizer_fn=torch.optim.Adam, optimizer_params={"lr": 0.01})
        model.fit(census.frame, several["score"])
        if forget:
            model.take_optimizer_state(None)
        losses.append(model.fit(census.frame, several["score"], warm_start=True).history["loss"])
    assert losses[0] != losses[1]


def test_a_pretrainer_comes_back(census, brief, tmp_path):
    model = TabNetPretrainer(**brief).fit(census.frame)
    loaded = TabNetPretrainer().load_model(model.save_model(tmp_path / "pretrained.zip"))
    assert same(loaded.predict(census.frame), model.predict(census.frame))
    assert loaded.reconstruction_ == model.reconstruction_
    assert loaded.history == model.history
    ours, theirs = (
        TabNetClassifier(**brief).fit(census.frame, census.labels, from_unsupervised=one) for one in (model, loaded)
    )
    assert same(ours.predict_proba(census.frame), theirs.predict_proba(census.frame))


def test_the_file_is_a_run_folder_without_anything_that_runs(saved, tmp_path):
    _, file = saved
    assert file.endswith("model.zip")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "run")
        endings = {name.rpartition(".")[2] for name in archive.namelist()}
    assert endings <= {"json", "jsonl", "parquet", "safetensors"}
    run = load_run(tmp_path / "run")
    assert run.schema.target.name == "target"
    assert run.manifest.dataset.n_rows == 360


def test_nothing_is_overwritten_unasked(saved, tmp_path):
    model, _ = saved
    taken = tmp_path / "model.zip"
    taken.write_text("mine")
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match="exists already; choose another name, or pass overwrite=True"):
        model.save_model(tmp_path / "model")
    assert taken.read_text() == "mine"
    assert (tmp_path / "model").is_dir(), "a folder of that name is none of our business"
    assert model.save_model(tmp_path / "model", overwrite=True) == str(taken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.zip"]
    TabNetClassifier().load_model(taken)


def test_an_estimator_loads_its_own_kind_only(saved, tmp_path):
    _, file = saved
    with pytest.raises(InputError, match="holds a TabNetClassifier; load it with that class"):
        TabNetRegressor().load_model(file)
    with pytest.raises(InputError, match="there is no file"):
        TabNetRegressor().load_model(tmp_path / "absent.zip")


def test_a_function_that_no_file_can_hold_is_named(census, brief, tmp_path):
    model = TabNetClassifier(
        **brief, optimizer_fn=lambda weights: torch.optim.SGD(weights, lr=0.01), optimizer_params={}
    )
    file = model.fit(census.X_train, census.y_train).save_model(tmp_path / "model")
    with pytest.warns(UserWarning, match="<lambda> cannot be stored"):
        loaded = TabNetClassifier().load_model(file)
    assert loaded.optimizer_fn is None
    assert same(loaded.predict_proba(census.X_test), model.predict_proba(census.X_test))


def rewritten(file, target, change):
    """A copy of the archive with some members changed: name -> bytes, None drops it."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as copy:
        members = {name: source.read(name) for name in source.namelist()}
        for name, content in {**members, **change}.items():
            if content is not None:
                copy.writestr(name, content)
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"../evil.json": b"{}"}, "is no saved estimator: .*nothing of it was unpacked"),
        ({"/etc/evil.json": b"{}"}, "nothing of it was unpacked"),
        ({"manifest.json": None}, "is no saved estimator; give a file that save_model wrote"),
        ({"model_params.json": b"{}"}, "saved by pytorch-tabnet; .*import-pytorch-tabnet"),
        ({f"part{number}.json": b"" for number in range(1_001)}, "holds more than a model can"),
    ],
)
def test_a_hostile_archive_is_refused_before_it_is_unpacked(saved, tmp_path, change, message):
    file = rewritten(saved[1], tmp_path / "bad.zip", change)
    with pytest.raises(InputError, match=message):
        TabNetClassifier().load_model(file)


@pytest.mark.parametrize("name", ["weights.safetensors", "estimator.json", "schema.json", "history.jsonl"])
def test_a_changed_part_is_named(saved, tmp_path, name):
    file = rewritten(saved[1], tmp_path / "bad.zip", {name: b"{}"})
    with pytest.raises(DamagedRunError, match=f"{name}"):
        TabNetClassifier().load_model(file)


def test_an_archive_that_lies_about_its_size_is_refused(saved, tmp_path):
    content = bytearray(rewritten(saved[1], tmp_path / "big.zip", {}).read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        central = archive.start_dir
    content[central + 24 : central + 28] = struct.pack("<I", 0xFFFFFFF0)
    (tmp_path / "big.zip").write_bytes(bytes(content))
    with pytest.raises(InputError):
        TabNetClassifier().load_model(tmp_path / "big.zip")


def test_a_truncated_archive_is_refused_wherever_it_ends(saved, tmp_path):
    content = Path(saved[1]).read_bytes()
    for share in (0, 0.01, 0.3, 0.7, 0.99):
        short = tmp_path / "short.zip"
        short.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError, match="is no readable zip file"):
            TabNetClassifier().load_model(short)


def test_only_classes_of_torch_optim_are_looked_up():
    assert unplain(plain(torch.optim.AdamW)) is torch.optim.AdamW
    assert unplain(plain(torch.optim.lr_scheduler.StepLR)) is torch.optim.lr_scheduler.StepLR
    for forged in (
        {"optimizer": "os"},
        {"optimizer": "lr_scheduler"},
        {"module": "os"},
        {"scheduler": "math"},
        {"a": 1, "b": 2},
    ):
        with pytest.raises(ValueError, match=r"stored value|torch\.optim has no"):
            unplain(forged)
    with pytest.raises(StorageError, match="cannot be saved"):
        labels_to_plain(np.array(["2020-01-01"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match="neither text nor numbers"):
        labels_from_plain({"dtype": "V8", "values": []})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers() | st.booleans(), inner)
    ),
    max_leaves=10,
)


@given(values)
def test_parameters_survive_json(value):
    found = unplain(json.loads(json.dumps(plain(value))))
    assert found == value
    assert repr(found) == repr(value), "types too: a tuple stays a tuple, a number as a key stays a number"
