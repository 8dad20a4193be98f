"""Runs with several targets, pretrainings, imported runs, and runs that an earlier version wrote."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tabnet_engine.config import TrainingConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.data.splits import Splits
from tabnet_engine.errors import DamagedRunError, UserError
from tabnet_engine.runs.artefact import add_part, load_run, save_pretraining, save_run
from tabnet_engine.runs.run import CORE_PARTS, RECONSTRUCTION, Run
from tabnet_engine.training.history import History
from tabnet_engine.training.prediction import predict_logits
from tests.runs.conftest import REF, TINY, people, people_schema, snapshot, tiny_history, tiny_model, tiny_pretrained
from tests.runs.test_damage import forge, forge_part

FIXTURES = Path(__file__).with_name("fixtures")
SEVERAL = "age,bought,city"
NONE = np.arange(0)


@pytest.fixture(scope="module")
def several() -> Any:
    return tiny_model(SEVERAL)


def _save(model: Any, folder: Path) -> Run:
    return save_run(model, folder, dataset=REF, read_options={}, title="t")


def _assert_same_tensors(one: torch.nn.Module, other: torch.nn.Module) -> None:
    mine, theirs = one.state_dict(), other.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())


def test_a_run_of_several_targets_comes_back(several: Any, tmp_path: Path) -> None:
    saved = _save(several, tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert run == saved
    assert run.targets == several.targets
    manifest = run.manifest
    assert (manifest.task, manifest.target) == (Task.MULTITASK, "age, city, bought")
    assert manifest.outputs == ("age", "city = Köln", "city = a.b", "city = 北京", "bought = yes")
    assert run.schema.heads == several.encoder.schema.heads
    assert [head.name for head in run.schema.targets] == ["age", "city", "bought"]
    with pytest.raises(ValueError, match="the model has 3 targets; choose one of age, city, bought"):
        _ = run.codec
    network = run.model().network
    _assert_same_tensors(network, several.network)
    encoded = several.encoder.transform(people())
    logits = predict_logits(network, encoded)
    assert logits.shape == (40, 5)
    np.testing.assert_allclose(logits, predict_logits(several.network, encoded), rtol=1e-9)


def test_a_run_that_an_earlier_version_wrote_predicts_what_it_did_then() -> None:
    """Written when a run had one target; ``logits.json`` holds what that version predicted for ``people()``."""
    run = load_run(FIXTURES / "run-of-format-1")
    assert run.targets == tiny_model().targets
    assert (run.codec, run.is_pretraining) == (run.targets.only, False)
    assert (run.encoder.layout.groups, run.schema.heads) == ((), ())
    assert run.schema.targets == people_schema().targets
    assert (run.training_config, run.model_config) == (TrainingConfig(max_epochs=2, seed=3), TINY)
    assert run.history == tiny_history()
    logits = predict_logits(run.model().network, run.encoder.transform(people())).ravel()
    expected = json.loads((FIXTURES / "logits.json").read_text())
    np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-9)


def test_a_pretraining_comes_back_as_it_was_saved(pretraining: Run, pretrained: Any) -> None:
    assert pretraining.is_pretraining
    loaded = pretraining.pretrained()
    for name in ("encoder", "history", "reconstruction", "model_config", "config", "notes", "device", "seconds"):
        assert getattr(loaded, name) == getattr(pretrained, name), name
    assert not loaded.network.training
    _assert_same_tensors(loaded.network, pretrained.network)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(loaded.splits, name), getattr(pretrained.splits, name))
    assert (pretraining.reconstruction, pretraining.pretraining_config) == (
        pretrained.reconstruction,
        pretrained.config,
    )
    manifest = pretraining.manifest
    assert (manifest.task, manifest.target, manifest.outputs) == (Task.PRETRAINING, "", ())
    assert manifest.metrics == {"validation": {"reconstruction_error": 0.5}}
    assert (manifest.n_features, manifest.best_epoch) == (4, 2)
    assert manifest.rows == {"train": 30, "validation": 10, "test": 0}
    assert set(manifest.parts) == {*CORE_PARTS, RECONSTRUCTION}


def test_a_reconstruction_that_is_not_defined_is_stored_as_such(pretrained: Any, tmp_path: Path) -> None:
    nowhere = dataclasses.replace(pretrained.reconstruction, overall=None)
    model = dataclasses.replace(pretrained, reconstruction=nowhere)
    run = save_pretraining(model, tmp_path / "run", dataset=REF, read_options={}, title="t")
    assert run.manifest.metrics == {"validation": {"reconstruction_error": None}}
    assert load_run(tmp_path / "run").reconstruction == nowhere


@pytest.mark.parametrize("asked", ["codec", "targets", "training_config", "network", "model"])
def test_a_pretraining_says_that_it_predicts_nothing(pretraining: Run, asked: str) -> None:
    with pytest.raises(UserError, match=r"the run 'All people' is a pretraining.*; train from it first") as caught:
        getattr(pretraining, asked)()
    assert not isinstance(caught.value, DamagedRunError)


@pytest.mark.parametrize("asked", ["pretraining_config", "reconstruction", "pretrained"])
def test_a_model_says_that_it_is_no_pretraining(run: Run, asked: str) -> None:
    with pytest.raises(UserError, match="the run 'People' is no pretraining; choose one, or pretrain first"):
        getattr(run, asked)()


def test_a_pretraining_without_its_measurement_is_damaged(pretraining: Run) -> None:
    (pretraining.folder / RECONSTRUCTION).unlink()
    with pytest.raises(DamagedRunError, match=r"its part 'reconstruction\.json' is missing"):
        load_run(pretraining.folder)
    forge(pretraining, parts={k: v for k, v in pretraining.manifest.parts.items() if k != RECONSTRUCTION})
    with pytest.raises(DamagedRunError, match=r"its part 'reconstruction\.json' is not listed in its manifest"):
        load_run(pretraining.folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"3", b"null", b'{"columns": [{}]}'])
def test_a_forged_measurement_is_a_damaged_one(pretraining: Run, content: bytes) -> None:
    forge_part(pretraining, RECONSTRUCTION, content)
    with pytest.raises(DamagedRunError, match=r"its part 'reconstruction\.json' does not hold what it should"):
        _ = load_run(pretraining.folder).reconstruction


def test_what_pretraining_wrote_is_never_replaced(pretraining: Run) -> None:
    with pytest.raises(ValueError, match="never replaced"):
        add_part(pretraining, RECONSTRUCTION, lambda path: path.write_bytes(b"{}") and None)
    added = add_part(pretraining, "pretraining_worth.json", lambda path: path.write_bytes(b"{}") and None)
    assert load_run(pretraining.folder) == added


def test_weights_of_another_pretraining_do_not_load(pretraining: Run, run: Run) -> None:
    forge_part(pretraining, "weights.safetensors", run.read("weights.safetensors"))
    with pytest.raises(DamagedRunError, match=r"its part 'weights\.safetensors' does not hold what it should"):
        load_run(pretraining.folder).pretrained()


def test_wherever_the_disk_refuses_no_half_pretraining_remains(
    pretrained: Any, refusals: Callable[..., Any], tmp_path: Path
) -> None:
    options = {"dataset": REF, "read_options": {}, "title": "All people"}
    n_refusals = 0
    for error in refusals(lambda: save_pretraining(pretrained, tmp_path / "new", **options)):
        n_refusals += 1
        assert str(error).startswith("could not write the run 'All people': the disk is full")
        assert snapshot(tmp_path) == {}
        assert list(tmp_path.iterdir()) == []
    assert n_refusals > 2 * len(CORE_PARTS)


def test_reading_a_pretraining_does_not_import_torch(pretraining: Run) -> None:
    program = (
        "import sys; from pathlib import Path; from tabnet_engine.runs.artefact import load_run\n"
        "run = load_run(Path(sys.argv[1]))\n"
        "(run.schema, run.splits, run.history, run.model_config, run.pretraining_config, run.reconstruction)\n"
        "print([name for name in ('torch', 'shap', 'sklearn') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(pretraining.folder)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout == "[]\n", f"exit {finished.returncode}: {finished.stderr}"


def test_an_imported_run_has_neither_rows_nor_epochs_nor_scores(several: Any, workspace: Any) -> None:
    nothing = {"splits": Splits(NONE, NONE, NONE), "history": History((), 0), "metrics": {}}
    run_id, folder = workspace.new_run_folder()
    table = dataclasses.replace(REF, n_rows=0)
    save_run(dataclasses.replace(several, **nothing), folder, dataset=table, read_options={}, title="Imported")
    (summary,) = workspace.list_runs()
    assert (summary.run_id, summary.problem) == (run_id, None)
    assert (summary.manifest.best_epoch, summary.manifest.metrics, summary.manifest.dataset.n_rows) == (0, {}, 0)
    run = workspace.run(run_id)
    assert (len(run.history), run.history.best_epoch) == (0, 0)
    for name in ("train", "validation", "test"):
        part = getattr(run.splits, name)
        assert (part.shape, part.dtype) == ((0,), np.int64)
    assert run.model().metrics == {}
    assert workspace.run_version(run_id)


def test_kinds_of_run_can_be_told_apart_in_a_list(model: Any, pretrained: Any, several: Any, workspace: Any) -> None:
    for each in (model, several):
        _save(each, workspace.new_run_folder()[1])
    save_pretraining(pretrained, workspace.new_run_folder()[1], dataset=REF, read_options={}, title="p")
    tasks = [summary.manifest.task for summary in workspace.list_runs()]
    assert tasks == [Task.PRETRAINING, Task.MULTITASK, Task.BINARY]


@pytest.mark.parametrize("task", ["regression", "multitask", "multiclass"])
def test_a_task_that_the_stored_target_does_not_have_is_damage(run: Run, task: str) -> None:
    forge(run, task=task)
    with pytest.raises(DamagedRunError, match=r"'schema\.json' does not hold what it should \(its task is binary, the"):
        _ = load_run(run.folder).targets


def test_a_model_announced_as_a_pretraining_is_damaged(run: Run) -> None:
    forge(run, task="pretraining")
    with pytest.raises(DamagedRunError, match=r"'reconstruction\.json' is not listed"):
        load_run(run.folder)


def test_a_pretraining_announced_as_a_model_is_damaged(pretraining: Run) -> None:
    forge(pretraining, task="binary", target="bought", outputs=["yes"])
    forged = load_run(pretraining.folder)
    for ask in (lambda: forged.targets, lambda: forged.training_config, forged.network):
        with pytest.raises(DamagedRunError, match="does not hold what it should"):
            ask()


@pytest.mark.parametrize("changes", [{"outputs": ["no"]}, {"target": "age"}])
def test_a_target_that_the_manifest_does_not_announce_is_damage(run: Run, changes: dict[str, Any]) -> None:
    forge(run, **changes)
    with pytest.raises(DamagedRunError, match=r"'schema\.json' does not hold what it should \(its (outputs|targets)"):
        _ = load_run(run.folder).targets


def test_a_history_of_other_epochs_is_damage(run: Run) -> None:
    forge_part(run, "history.jsonl", b"")
    with pytest.raises(DamagedRunError, match=r"'history\.jsonl' does not hold what it should \(its best epoch is 0"):
        _ = load_run(run.folder).history


def test_a_pretraining_may_have_been_saved_from_a_schema_with_a_target(tmp_path: Path, pretrained: Any) -> None:
    """What the table's owner wants to predict one day is no business of a pretraining."""
    schema = pretrained.encoder.schema.with_column("since", why="kept")
    encoder = dataclasses.replace(pretrained.encoder, schema=dataclasses.replace(schema, task=Task.BINARY))
    save_pretraining(tiny_pretrained(encoder=encoder), tmp_path / "run", dataset=REF, read_options={}, title="t")
    assert load_run(tmp_path / "run").encoder == encoder
