from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tabnet_engine import __version__
from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.runs import artefact
from tabnet_engine.runs.artefact import DatasetRef, add_part, add_parts, load_run, rename_run
from tabnet_engine.runs.manifest import RunManifest
from tabnet_engine.runs.run import CORE_PARTS, Run
from tests.runs.conftest import REF, as_table, people, snapshot, tiny_model


def writes(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def test_a_run_comes_back_as_it_was_saved(save: Callable[..., Run], model: Any, tmp_path: Path) -> None:
    saved = save(notes=["labels were read without their final dot"])
    run = load_run(tmp_path / "run")
    assert run == saved
    assert (run.encoder, run.targets, run.history) == (model.encoder, model.targets, model.history)
    assert (run.codec, run.is_pretraining) == (model.targets.only, False)
    assert (run.schema, run.model_config) == (model.encoder.schema, model.model_config)
    assert (run.training_config, run.read_options) == (model.training_config, {"delimiter": ","})
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(run.splits, name), getattr(model.splits, name))
        assert getattr(run.splits, name).dtype == np.int64
    manifest = run.manifest
    assert (manifest.run_id, manifest.title, manifest.task, manifest.target) == ("run", "People", "binary", "bought")
    assert (manifest.outputs, manifest.n_features, manifest.device) == (("yes",), 3, "cpu")
    assert manifest.rows == {"train": 24, "validation": 8, "test": 8}
    assert manifest.metrics == model.metrics
    assert manifest.notes == ("labels were read without their final dot", *model.notes)
    assert manifest.torch_version == torch.__version__
    assert manifest.python_version == sys.version.split()[0]
    assert manifest.engine_version == __version__
    assert manifest.created.endswith("+00:00")
    assert set(manifest.parts) == set(CORE_PARTS)
    assert run.unlisted == ()


@pytest.mark.parametrize("target", ["bought", "age"])
def test_the_loaded_network_is_the_saved_one_bit_by_bit(tmp_path: Path, target: str) -> None:
    model = tiny_model(target)
    run = artefact.save_run(model, tmp_path / "run", dataset=REF, read_options={}, title="t")
    loaded = load_run(tmp_path / "run").model()
    assert not loaded.network.training
    encoded = model.encoder.transform(people())
    inputs = (torch.from_numpy(encoded.numeric), torch.from_numpy(encoded.categorical))
    with torch.inference_mode():
        before, after = model.network(*inputs), loaded.network(*inputs)
    assert torch.equal(before.logits, after.logits)
    assert torch.equal(before.masks, after.masks)
    assert (loaded.metrics, loaded.notes, loaded.seconds) == (model.metrics, model.notes, model.seconds)
    assert run.codec.outputs == (("yes",) if target == "bought" else ("age",))


def test_the_folder_is_portable(run: Run, tmp_path: Path) -> None:
    run.folder.rename(tmp_path / "elsewhere")
    moved = load_run(tmp_path / "elsewhere")
    assert moved.run_id == "run"
    assert moved.network() is not None


def test_nothing_of_this_machine_is_in_the_run(run: Run, tmp_path: Path) -> None:
    content = b"".join(snapshot(run.folder).values())
    assert b"people.csv" in content
    for place in (b"/home", b"anna", str(tmp_path).encode(), str(Path.cwd()).encode()):
        assert place not in content
    assert b"pickle" not in content


def test_a_title_is_one_line_of_bounded_length(save: Callable[..., Run], tmp_path: Path) -> None:
    assert save(tmp_path / "a", title=" two\nlines\x1b[31m \u202e x").manifest.title == "two lines [31m x"
    assert save(tmp_path / "b", title="\n").manifest.title == "b"
    assert len(save(tmp_path / "c", title="x" * 999).manifest.title) == 200


def test_scores_that_are_not_numbers_are_stored_as_undefined(tmp_path: Path) -> None:
    model = tiny_model(metrics={"test": {"auc": float("nan"), "rmse": float("inf"), "mae": 1.0}})
    artefact.save_run(model, tmp_path / "run", dataset=REF, read_options={}, title="t")
    assert load_run(tmp_path / "run").manifest.metrics == {"test": {"auc": None, "rmse": None, "mae": 1.0}}


def test_an_existing_folder_is_not_overwritten(save: Callable[..., Run], tmp_path: Path) -> None:
    save()
    before = snapshot(tmp_path)
    with pytest.raises(UserError, match="exists already and is not overwritten; choose another folder"):
        save()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="exists already"):
        save(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert snapshot(tmp_path) == before
    with pytest.raises(UserError, match="there is no run at"):
        load_run(tmp_path / "nothing")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_wherever_the_disk_refuses_no_half_run_remains(
    save: Callable[..., Run], run: Run, refusals: Callable[..., Any], tmp_path: Path, code: int
) -> None:
    before = snapshot(tmp_path)
    words = "the disk is full" if code == errno.ENOSPC else "permission is denied"
    n_refusals = 0
    for error in refusals(lambda: save(tmp_path / "new"), code):
        n_refusals += 1
        assert str(error).startswith("could not write the run 'People': ")
        assert words in str(error)
        assert snapshot(tmp_path) == before
        assert [path.name for path in tmp_path.iterdir()] == [run.folder.name]
    assert n_refusals > 2 * len(CORE_PARTS), "the disk must be asked at every step"
    assert load_run(tmp_path / "new").manifest.title == "People"


def test_parts_are_added_later(run: Run) -> None:
    added = add_part(run, "explanations/masks.parquet", writes(b"one"))
    assert added.read("explanations/masks.parquet") == b"one"
    assert added.path("explanations/masks.parquet").read_bytes() == b"one"
    assert "explanations/masks.parquet" in added
    assert "explanations/masks.parquet" not in run
    assert load_run(run.folder) == added
    replaced = add_parts(run, {"explanations/masks.parquet": writes(b"two"), "explanations/shap.json": writes(b"{}")})
    assert load_run(run.folder) == replaced
    assert replaced.read("explanations/masks.parquet") == b"two"
    assert replaced.unlisted == ()


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", ".hidden", "a//b", "a\\b", "manifest.json", "ä"])
def test_a_part_stays_inside_the_run(run: Run, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a part"):
        add_part(run, name, writes(b"x"))


def test_what_training_wrote_is_never_replaced(run: Run) -> None:
    with pytest.raises(ValueError, match="never replaced"):
        add_part(run, "weights.safetensors", writes(b"x"))


def test_wherever_the_disk_refuses_a_part_the_run_stays_sound(run: Run, refusals: Callable[..., Any]) -> None:
    run = add_part(run, "explanations/a.json", writes(b"old"))
    writers = {"explanations/a.json": writes(b"new"), "explanations/b.json": writes(b"new")}

    def stored() -> tuple[bytes, ...]:
        now = load_run(run.folder)
        assert not list(run.folder.rglob(".leftover*"))
        return tuple(now.read(name) for name in writers if name in now)

    outcomes = set()
    for error in refusals(lambda: add_parts(run, writers)):
        assert str(error).startswith("could not write into the run 'People': the disk is full")
        outcomes.add(stored())
    # The old part, or no part where its replacement broke off, or all the new ones: never a mixture.
    assert outcomes | {stored()} == {(b"old",), (), (b"new", b"new")}


def test_a_writer_that_fails_leaves_the_run_as_it_was(run: Run) -> None:
    run = add_part(run, "explanations/a.json", writes(b"old"))
    before = snapshot(run.folder)

    def breaks(path: Path) -> None:
        path.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_parts(run, {"explanations/a.json": writes(b"new"), "explanations/b.json": breaks})
    assert snapshot(run.folder) == before


def test_two_that_add_parts_at_once_both_succeed(run: Run) -> None:
    names = [f"explanations/{letter}.json" for letter in "abcdefgh"]
    threads = [threading.Thread(target=add_part, args=(run, name, writes(name.encode()))) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {*names, *CORE_PARTS} == set(load_run(run.folder).manifest.parts)


def test_a_reader_never_sees_a_part_and_a_hash_that_do_not_belong_together(run: Run) -> None:
    stop, problems = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                load_run(run.folder)
            except StorageError as error:
                problems.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(15):
        add_part(run, "explanations/a.json", writes(b"x" * number + b"y"))
    stop.set()
    reader.join()
    assert problems == []


def test_renaming_changes_the_title_and_nothing_else(run: Run) -> None:
    rename_run(run, "  Customers   of 2026 ")
    renamed = load_run(run.folder)
    assert renamed.manifest.title == "Customers of 2026"
    assert renamed.manifest.parts == run.manifest.parts
    with pytest.raises(UserError, match="the title is empty"):
        rename_run(run, " \n ")
    with pytest.raises(UserError, match="the title has 201 characters"):
        rename_run(run, "x" * 201)


def test_reading_a_runs_parts_does_not_import_torch(run: Run) -> None:
    program = (
        "import sys; from pathlib import Path; from tabnet_engine.runs.artefact import load_run\n"
        "run = load_run(Path(sys.argv[1]))\n"
        "(run.schema, run.encoder, run.codec, run.splits, run.history, run.model_config, run.training_config)\n"
        "(run.read_options, run.manifest.metrics, run.unlisted)\n"
        "print([name for name in ('torch', 'shap', 'sklearn') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(run.folder)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout == "[]\n", f"exit {finished.returncode}: {finished.stderr}"


def test_two_hundred_runs_are_listed_fast_and_damaged_ones_with_their_reason(run: Run, workspace: Any) -> None:
    for number in range(200):
        folder = workspace.runs_folder / f"run-{number:03d}"
        folder.mkdir()
        (folder / "manifest.json").write_bytes((run.folder / "manifest.json").read_bytes())
    (workspace.runs_folder / "run-007" / "manifest.json").write_text("{")
    (workspace.runs_folder / "notes.txt").write_text("not a run")
    (workspace.runs_folder / ".leftover-1").mkdir()
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        listed = workspace.list_runs()
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1.0
    assert len(listed) == 200
    damaged = [summary for summary in listed if summary.problem]
    assert [summary.run_id for summary in damaged] == ["run-007"]
    assert "its part 'manifest.json' cannot be read" in str(damaged[0].problem)
    assert {summary.title for summary in listed if summary.manifest} == {"People"}


def test_runs_in_a_workspace(save: Callable[..., Run], workspace: Any) -> None:
    ids = []
    for title in ("first", "second"):
        run_id, folder = workspace.new_run_folder()
        assert not folder.exists()
        save(folder, title=title)
        ids.append(run_id)
    assert [summary.run_id for summary in workspace.list_runs()] == ids[::-1]
    assert workspace.run(ids[0]).manifest.title == "first"
    version = workspace.run_version(ids[0])
    assert workspace.run_version(ids[0]) == version
    workspace.rename_run(ids[0], "renamed")
    assert workspace.run(ids[0]).manifest.title == "renamed"
    assert workspace.run_version(ids[0]) != version
    version = workspace.run_version(ids[0])
    add_part(workspace.run(ids[0]), "explanations/a.json", writes(b"{}"))
    assert workspace.run_version(ids[0]) != version
    workspace.delete_run(ids[0])
    assert [summary.run_id for summary in workspace.list_runs()] == ids[1:]
    assert [path.name for path in workspace.runs_folder.iterdir()] == ids[1:]


def test_a_run_that_a_job_uses_is_not_deleted_and_a_damaged_one_is(save: Callable[..., Run], workspace: Any) -> None:
    from tabnet_engine.runs.database import hold_items, writing

    run_id, folder = workspace.new_run_folder()
    save(folder)
    with writing(workspace.engine) as connection:
        hold_items(connection, "job", "Explain people", [("run", run_id)])
    with pytest.raises(UserError, match="the run 'People' is used by the job 'Explain people'"):
        workspace.delete_run(run_id)
    assert workspace.run(run_id)
    damaged = workspace.runs_folder / "damaged"
    damaged.mkdir()
    workspace.delete_run("damaged")
    assert not damaged.exists()


def test_a_manifest_that_is_gone_has_no_version(workspace: Any) -> None:
    (workspace.runs_folder / "empty").mkdir()
    with pytest.raises(StorageError, match="not there any more"):
        workspace.run_version("empty")


def test_the_manifest_mapping_is_its_own_inverse(run: Run) -> None:
    manifest = run.manifest
    assert RunManifest.from_mapping(manifest.to_mapping()) == manifest


def test_a_reference_to_a_table_names_no_place_on_this_machine() -> None:
    table = as_table(people(), name="C:\\Users\\anna\\people.csv")
    assert DatasetRef.of(table, "d") == DatasetRef("cd" * 32, "people.csv", 40, 4, "d")
