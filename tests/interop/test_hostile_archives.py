"""Archives that are truncated, forged or made to harm: one sentence, nothing executed, nothing swollen."""

import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tabnet_engine.errors import UserError
from tabnet_engine.interop import pytorch_tabnet_archive, tensor_archive
from tabnet_engine.interop.pytorch_tabnet import import_run, load
from tabnet_engine.interop.pytorch_tabnet_archive import read_archive
from tabnet_engine.interop.tensor_archive import TensorArchiveError, read_tensors
from tests.interop.archives import FIXTURES, PARAMETERS, WEIGHTS, members, packed, rewritten, with_parts, with_storages

KIND = "multiclass_groups_one_step"
SAVED = (FIXTURES / f"{KIND}.zip").read_bytes()
PARTS = members(FIXTURES / f"{KIND}.zip")
TENSORS = PARTS[WEIGHTS]
DESCRIPTION = "network/data.pkl"


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def test_tensors_are_those_that_torch_reads() -> None:
    state = {
        "weight": torch.randn(3, 4),
        "count": torch.tensor(2**40),
        "none": torch.empty(0, 5),
        "wide": torch.randn(2, 2, dtype=torch.float64),
        "half": torch.randn(5).half(),
        "part": torch.arange(10.0)[3:7],
    }
    found = read_tensors(saved(state))
    assert list(found) == list(state)
    for name, tensor in state.items():
        assert found[name].shape == tuple(tensor.shape)
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert not found[name].flags.writeable


class Harmful:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_in_the_file_is_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    code = pickle.dumps(Harmful(f"touch {trace}"), protocol)
    pickle.loads(code)  # noqa: S301 - it would work
    assert trace.exists()
    trace.unlink()
    weights = with_storages(TENSORS, lambda parts: parts.update({DESCRIPTION: code}))
    with pytest.raises(UserError, match=r"system|opcode|version"):
        load(with_parts(tmp_path, KIND, weights=weights))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": torch.randn(3, 4).t()}, "does not lie in its storage"),
        ({"a": torch.randn(1).expand(10**9)}, "does not lie in its storage"),
        ({"a": 3}, "something else than named tensors"),
        ([torch.zeros(2)], "opcode"),
        ({"a": torch.zeros(2, dtype=torch.bfloat16)}, "BFloat16Storage"),
        ({"a": torch.nn.Linear(2, 2)}, "no tensor needs"),
        ({1: torch.zeros(2)}, "damaged"),
    ],
)
def test_what_is_no_plain_tensor_is_refused(state: object, message: str) -> None:
    with pytest.raises(TensorArchiveError, match=message):
        read_tensors(saved(state))


def described(code: bytes) -> bytes:
    return with_storages(TENSORS, lambda parts: parts.update({DESCRIPTION: code}))


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02}",
        b"\x80\x02}}.",
        b"\x80\x02t.",
        b"\x80\x02h\x05.",
        b"\x80\x02q\x00.",
        b"\x80\x02\x87.",
        b"\x80\x02R.",
        b"\x80\x02Q.",
        b"\x80\x02s.",
        b"\x80\x02cos\nsystem\n.",
        b"\x80\x02cno end of line",
        b"\x80\x02X\xff\xff\xff\x7fshort.",
        b"\x80\x02\x8a\xff" + b"\x01" * 255 + b".",
        b"\x80\x02}X\x01\x00\x00\x00\xffK\x01s.",
        b"\x80\x02)" + b"\x85" * 100_000 + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 1) + b".",
    ],
)
def test_damaged_descriptions_are_refused(code: bytes) -> None:
    with pytest.raises(TensorArchiveError):
        read_tensors(described(code))


def test_a_description_that_piles_up_is_stopped() -> None:
    with pytest.raises(TensorArchiveError, match="more at once than tensors need"):
        read_tensors(described(b"\x80\x02" + b"}" * 100_000 + b"."))


@given(data=st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_description_is_read_or_refused(data: st.DataObject) -> None:
    code = bytearray(members_of_tensors()[DESCRIPTION])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(code) - 1))
        code[place] = data.draw(st.integers(0, 255))
    try:
        read_tensors(described(bytes(code)))
    except TensorArchiveError:
        return


def members_of_tensors() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(TENSORS)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(SAVED)
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + 8] = data.draw(st.binary(min_size=1, max_size=8))
    try:
        read_archive(bytes(content))
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=st.sampled_from(sorted(json.loads(PARTS[PARAMETERS])["init_params"])) | st.just("preds_mapper"),
    value=JSON_VALUES,
)
@settings(deadline=None, max_examples=150)
def test_forged_parameters_are_read_or_refused(name: str, value: object) -> None:
    values = json.loads(PARTS[PARAMETERS])
    values["class_attrs" if name == "preds_mapper" else "init_params"][name] = value
    content = packed({**PARTS, PARAMETERS: json.dumps(values).encode()})
    try:
        read_archive(content)
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_d": 6}, "has the shape"),
        ({"n_steps": 2}, r"lacks 'tabnet.encoder.att_transformers.1"),
        ({"n_steps": 0}, "'n_steps' must be from 1 to 1024, got 0"),
        ({"n_steps": 10**9}, "'n_steps' must be from 1"),
        ({"n_shared": 2}, "holds 'tabnet.encoder.feat_transformers.0.shared.glu_layers.2"),
        ({"n_shared": 0, "n_independent": 0}, "do not fit"),
        ({"input_dim": 10**12}, "'input_dim' must be"),
        ({"input_dim": True}, "'input_dim' must be"),
        ({"cat_idxs": [1, 1], "cat_dims": [6, 6], "cat_emb_dim": [5, 5]}, "'cat_idxs' names a column twice"),
        ({"cat_idxs": [6]}, "'cat_idxs' must be from 0 to 5, got 6"),
        ({"cat_dims": [6, 7]}, "'cat_dims' must have 1 entries, got 2"),
        ({"cat_dims": [7]}, "embeddings.0.weight' has the shape"),
        ({"grouped_features": [[5, 1], [1]]}, "'grouped_features' names a column twice"),
        ({"grouped_features": [[]]}, "list of lists"),
        ({"grouped_features": [[0, 1, 2, 3, 4, 5, 6]]}, "'grouped_features' must be from 0 to 5, got 6"),
        ({"mask_type": "softmax"}, "sparsemax or entmax, got 'softmax'"),
        ({"gamma": "x"}, "'gamma' must be a number"),
        ({"gamma": float("nan")}, "'gamma' must be a number"),
        ({"output_dim": 3}, "do not number its 3 outputs"),
        ({"output_dim": [4]}, "do not fit its targets"),
        ({"preds_mapper": {"0": [], "1": 1, "2": 2, "3": 3}}, "texts or numbers"),
        ({"preds_mapper": {"0": 1, "1": 1.0, "2": 2, "3": 3}}, "different classes"),
    ],
)
def test_parameters_that_do_not_fit_are_named(tmp_path: Path, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(rewritten(tmp_path, KIND, **parameters))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": None}, "must hold 'model_params.json' and 'network.pt'"),
        ({"weights": None}, "must hold 'model_params.json' and 'network.pt'"),
        ({"parameters": b"{"}, "is no JSON"),
        ({"parameters": b"[" * 100_000}, "is no JSON"),
        ({"parameters": b"[]"}, "does not hold"),
        ({"parameters": b"{}"}, "have no 'init_params'"),
        ({"weights": b""}, "'network.pt' cannot be imported"),
        ({"weights": saved({})}, "lacks"),
        ({"weights": pickle.dumps({})}, "cannot be read"),
        ({"weights": packed({DESCRIPTION: b"."}, zipfile.ZIP_DEFLATED)}, "compressed, which torch never does"),
        ({"weights": packed({"a": b""}, zipfile.ZIP_STORED)}, "no description of tensors"),
    ],
)
def test_parts_that_are_missing_or_damaged_are_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(with_parts(tmp_path, KIND, **changes))


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = with_parts(tmp_path, KIND, weights=bytes(50_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(UserError, match="swells beyond"):
        load(path)


def test_a_part_is_never_read_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch_tabnet_archive, "_MAX_WEIGHT_BYTES", 1000)
    with pytest.raises(UserError, match=r"'network\.pt' is larger than"):
        read_archive(SAVED)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(pytorch_tabnet_archive.MAX_FILE_BYTES + 1)
    with pytest.raises(UserError, match="too large for a model"):
        load(path)


def test_a_long_description_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_archive, "_MAX_DESCRIPTION_BYTES", 100)
    with pytest.raises(TensorArchiveError, match="too long"):
        read_tensors(TENSORS)


def test_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    path.write_bytes(SAVED)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(WEIGHTS, b"")
    with pytest.raises(UserError, match="once each"):
        load(path)


def test_other_byte_order_is_refused() -> None:
    weights = with_storages(TENSORS, lambda parts: parts.update({"network/byteorder": b"big"}))
    with pytest.raises(TensorArchiveError, match="byte order"):
        read_tensors(weights)


def test_a_storage_that_is_cut_off_is_refused() -> None:
    weights = with_storages(TENSORS, lambda parts: parts.update({"network/data/0": b"\0\0\0\0"}))
    with pytest.raises(TensorArchiveError, match="'0' has 4 bytes"):
        read_tensors(weights)


def test_a_storage_outside_the_archive_is_not_looked_for() -> None:
    code = members_of_tensors()[DESCRIPTION].replace(b"X\x01\x00\x00\x000", b"X\x0b\x00\x00\x00../../../sh", 1)
    with pytest.raises(TensorArchiveError):
        read_tensors(described(code))


def changed_state(**changes: torch.Tensor) -> bytes:
    state = torch.load(io.BytesIO(TENSORS), weights_only=True)
    return saved({**state, **{name.replace("__", "."): value for name, value in changes.items()}})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tabnet__final_mapping__weight", torch.full((4, 5), float("nan")), "values that are no weights"),
        ("tabnet__encoder__initial_bn__running_var", -torch.ones(10), "values that are no weights"),
        ("tabnet__encoder__feat_transformers__0__shared__glu_layers__0__fc__weight", torch.zeros(18, 10), "every step"),
        ("more", torch.zeros(1), "holds 'more'"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path: Path, name: str, value: torch.Tensor, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(with_parts(tmp_path, KIND, weights=changed_state(**{name: value})))


def test_a_pretrainer_is_named_as_such() -> None:
    with pytest.raises(UserError, match="TabNetPretrainer, which predicts nothing"):
        load(FIXTURES / "pretrainer.zip")


def test_a_model_whose_masks_are_those_of_older_versions_is_refused(tmp_path: Path) -> None:
    """Before groups came, in version 4.1, a mask had an entry for every encoded dimension."""
    older = torch.zeros(10, 4)
    weights = changed_state(tabnet__encoder__att_transformers__0__fc__weight=older)
    with pytest.raises(UserError, match=r"only models saved by pytorch-tabnet 4\.1"):
        load(with_parts(tmp_path, KIND, weights=weights))


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(UserError, match="there is no file"):
            load(path)


def test_a_refused_import_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(SAVED[:1000])
    with pytest.raises(UserError):
        import_run(bad, tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip"]
