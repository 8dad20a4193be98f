"""Planted faults: whatever happens to a run folder, loading says which part is damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import DamagedRunError, StorageError
from tabnet_engine.runs.artefact import load_run
from tabnet_engine.runs.manifest import RunManifest, _digest
from tabnet_engine.runs.parts import sha256_bytes
from tabnet_engine.runs.run import CORE_PARTS, Run


def forge(run: Run, **changes: Any) -> None:
    """Change the manifest as somebody would who also knows how to make its digest right."""
    path = run.folder / "manifest.json"
    values = {**json.loads(path.read_text()), **changes}
    del values["digest"]
    path.write_text(json.dumps({**values, "digest": _digest(values)}))


def forge_part(run: Run, name: str, content: bytes) -> None:
    (run.folder / name).write_bytes(content)
    forge(run, parts={**run.manifest.parts, name: sha256_bytes(content)})


def test_a_changed_weight_file_does_not_load(run: Run) -> None:
    path = run.folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    words = r"the run 'People' is damaged: its part 'weights.safetensors' was changed after the run was saved; restore"
    with pytest.raises(DamagedRunError, match=words):
        load_run(run.folder)
    with pytest.raises(DamagedRunError, match=words):
        run.network()


@pytest.mark.parametrize("name", CORE_PARTS)
@pytest.mark.parametrize("damage", ["changed", "emptied", "deleted", "a link", "a folder", "a pipe"])
def test_every_part_is_verified_and_named(run: Run, name: str, damage: str, tmp_path: Path) -> None:
    path = run.folder / name
    if damage == "a link":
        path.rename(tmp_path / "moved")
        path.symlink_to(tmp_path / "moved")
    elif damage == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    elif damage == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()
        {"deleted": lambda: None, "a folder": path.mkdir, "a pipe": lambda: os.mkfifo(path)}[damage]()
    words = "was changed" if damage in {"changed", "emptied"} else "is missing"
    with pytest.raises(DamagedRunError, match=f"its part '{name}' {words}"):
        load_run(run.folder)
    with pytest.raises(DamagedRunError, match=f"its part '{name}' {words}"):
        run.read(name)


def test_an_extra_file_is_named_and_never_read(run: Run) -> None:
    (run.folder / "explanations").mkdir()
    (run.folder / "explanations" / "shap.parquet").write_bytes(b"forged")
    (run.folder / "weights.pkl").write_bytes(b"cos\nsystem\n")
    loaded = load_run(run.folder)
    assert loaded.unlisted == ("explanations/shap.parquet", "weights.pkl")
    for name in loaded.unlisted:
        assert name not in loaded
        with pytest.raises(DamagedRunError, match=f"its part '{name}' is not listed in its manifest"):
            loaded.read(name)
        with pytest.raises(DamagedRunError, match="is not listed in its manifest"):
            loaded.path(name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[1, 2]", "does not say that it is a tabnet-run"),
        (b'"text"', "does not say that it is a tabnet-run"),
        (b'{"format": "tabnet-run"}', "it lacks 'format_version'"),
        (b'{"format": "tabnet-run", "format_version": true}', "its format_version is True"),
        (b'{"format": "tabnet-run", "format_version": 1}', "it lacks 'digest'"),
        (b'{"format": "tabnet-run", "format_version": 1, "digest": ""}', "was changed after it was written"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_damaged_manifest_is_named(run: Run, content: bytes, words: str) -> None:
    (run.folder / "manifest.json").write_bytes(content)
    with pytest.raises(DamagedRunError, match=words) as caught:
        load_run(run.folder)
    assert str(caught.value).startswith("the run 'run' is damaged: its part 'manifest.json' ")


def test_a_manifest_cut_anywhere_is_damaged(run: Run) -> None:
    path = run.folder / "manifest.json"
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 97):
        path.write_bytes(content[:length])
        with pytest.raises(DamagedRunError, match=r"manifest\.json"):
            load_run(run.folder)


def test_an_absent_or_absurdly_large_manifest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tabnet_engine.runs import manifest

    monkeypatch.setattr(manifest, "MAX_MANIFEST_BYTES", 10)
    with pytest.raises(DamagedRunError, match="is larger than 10 bytes"):
        load_run(run.folder)
    (run.folder / "manifest.json").unlink()
    with pytest.raises(DamagedRunError, match=r"its part 'manifest\.json' is missing"):
        load_run(run.folder)


def test_a_changed_score_is_noticed(run: Run) -> None:
    path = run.folder / "manifest.json"
    path.write_text(path.read_text().replace("0.75", "0.99"))
    with pytest.raises(DamagedRunError, match="its own digest does not match"):
        load_run(run.folder)


def test_a_newer_format_is_not_called_damaged(run: Run) -> None:
    forge(run, format_version=2)
    with pytest.raises(StorageError, match="has format version 2, this program reads up to 1") as caught:
        load_run(run.folder)
    assert not isinstance(caught.value, DamagedRunError)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "..", "explanations/../../x", "a\0b", ".x"])
def test_a_part_name_that_leads_out_is_refused_before_any_file_is_touched(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    forge(run, parts={**run.manifest.parts, name: sha256_bytes(b"secret")})
    with pytest.raises(DamagedRunError, match="is no name for a part of a run"):
        load_run(run.folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": {}},
        {"parts": []},
        {"parts": {"config.json": 3}},
        {"title": 3},
        {"task": "clustering"},
        {"created": "yesterday"},
        {"metrics": {"test": 3}},
        {"metrics": {"test": {"auc": "high"}}},
        {"dataset": {"x": 1}},
        {"dataset": 3},
        {"surplus": 1},
        {"seconds": "long"},
        {"outputs": "yes"},
    ],
)
def test_a_forged_manifest_is_a_damaged_one(run: Run, changes: dict[str, Any]) -> None:
    forge(run, **changes)
    with pytest.raises(DamagedRunError, match=r"is damaged: its part '(manifest|config)\.json'"):
        load_run(run.folder)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("config.json", "model_config"),
        ("config.json", "training_config"),
        ("schema.json", "encoder"),
        ("schema.json", "codec"),
        ("history.jsonl", "history"),
        ("splits.parquet", "splits"),
        ("read_options.json", "read_options"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"{}", b"3", b"null", b"\xff", b'{"model": {"n_d": 0}, "encoder": []}'])
def test_a_forged_part_is_a_damaged_one(run: Run, name: str, attribute: str, content: bytes) -> None:
    forge_part(run, name, content)
    forged = load_run(run.folder)
    if (attribute, content) == ("read_options", b"{}") or (attribute == "read_options" and content.startswith(b'{"')):
        assert isinstance(forged.read_options, dict)
        return
    with pytest.raises(DamagedRunError, match=f"its part '{name}' does not hold what it should"):
        getattr(forged, attribute)


def _stored(run: Run) -> dict[str, torch.Tensor]:
    return safetensors.torch.load(run.read("weights.safetensors"))


@pytest.mark.parametrize("forgery", ["no safetensors", "a name less", "a name more", "a shape", "a type"])
def test_weights_of_another_network_do_not_load(run: Run, forgery: str) -> None:
    stored = _stored(run)
    name = min(stored)
    if forgery == "a name less":
        del stored[name]
    elif forgery == "a name more":
        stored["surplus"] = torch.zeros(1)
    elif forgery == "a shape":
        stored["head"] = torch.zeros(7, 7)
    elif forgery == "a type":
        stored["head"] = stored["head"].double()
    content = b"\x80\x04 not safetensors" if forgery == "no safetensors" else safetensors.torch.save(stored)
    forge_part(run, "weights.safetensors", content)
    with pytest.raises(DamagedRunError, match=r"its part 'weights\.safetensors' does not hold what it should"):
        load_run(run.folder).network()


def test_a_file_that_vanishes_while_it_is_read_is_the_systems_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(*_: Any) -> bytes:
        raise FileNotFoundError(2, "gone")

    monkeypatch.setattr(Path, "read_bytes", vanish)
    with pytest.raises(StorageError, match=r"could not read 'config\.json' of the run 'People': .* not there any more"):
        run.read("config.json")


@pytest.fixture(scope="module")
def sound(saved_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("sound") / "run"
    shutil.copytree(saved_once, folder)
    return load_run(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_flipped_bit_is_noticed_and_located(sound: Run, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["manifest.json", *CORE_PARTS]))
    path = sound.folder / name
    content = path.read_bytes()
    position = data.draw(st.integers(0, 8 * len(content) - 1))
    changed = bytearray(content)
    changed[position // 8] ^= 1 << (position % 8)
    try:
        path.write_bytes(changed)
        with pytest.raises(StorageError) as caught:
            load_run(sound.folder)
        assert name in str(caught.value) or "format version" in str(caught.value)
    finally:
        path.write_bytes(content)


def test_the_manifest_reads_numpy_free(run: Run) -> None:
    """Scores that numpy computed must not leak into the JSON as something else."""
    assert RunManifest.read(run.folder) == run.manifest
    assert not any(
        isinstance(value, np.generic) for scores in run.manifest.metrics.values() for value in scores.values()
    )
