from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import StorageError
from tabnet_engine.runs import parts


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk is full; free some space"),
        (errno.EACCES, "permission is denied"),
        (errno.EROFS, "permission is denied"),
        (errno.ENOENT, "not there any more"),
        (errno.ENOTDIR, "a file stands where a folder is needed"),
        (errno.EIO, "the system said 'Input/output error'"),
    ],
)
def test_a_refusal_becomes_one_sentence_that_says_what_to_do(code: int, words: str) -> None:
    with pytest.raises(StorageError) as caught, parts.storage_errors("write the run 'x'"):
        raise OSError(code, os.strerror(code))
    assert str(caught.value).startswith("could not write the run 'x': ")
    assert words in str(caught.value)


def test_a_refusal_without_a_code_still_says_what_it_was() -> None:
    assert "'odd thing'" in parts.explain_os_error(OSError("odd thing"), "read")
    assert "'OSError'" in parts.explain_os_error(OSError(), "read")


def test_write_whole_replaces_or_leaves_untouched(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "part.bin"
    digest = parts.write_whole(path, lambda temporary: parts.write_bytes(temporary, b"one"))
    assert digest == parts.sha256_bytes(b"one") == parts.sha256_file(path)

    def fails_half_way(temporary: Path) -> None:
        temporary.write_bytes(b"tw")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        parts.write_whole(path, fails_half_way)
    assert [entry.name for entry in path.parent.iterdir()] == ["part.bin"]
    assert path.read_bytes() == b"one"


def _write_half(folder: Path) -> None:
    (folder / "half").write_bytes(b"x")
    raise ZeroDivisionError


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), parts.folder_written_whole(tmp_path / "run") as temporary:
        _write_half(temporary)
    assert list(tmp_path.iterdir()) == []
    with parts.folder_written_whole(tmp_path / "run") as temporary:
        (temporary / "whole").write_bytes(b"x")
        assert not (tmp_path / "run").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "whole"]


def _write_into(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "theirs").write_bytes(folder.name.encode())


def test_an_existing_folder_is_never_overwritten_not_even_in_a_race(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with pytest.raises(FileExistsError), parts.folder_written_whole(target) as temporary:
        _write_into(temporary, target)
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "theirs"]
    assert (target / "theirs").read_bytes() == b"run"
    with pytest.raises(FileExistsError), parts.folder_written_whole(target):
        pytest.fail("an existing folder must be refused before anything is written")


def test_a_folder_under_a_file_is_refused_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(NotADirectoryError), parts.folder_written_whole(tmp_path / "file" / "run"):
        pytest.fail("there is no such place")


def test_a_rename_that_the_disk_refuses_is_not_taken_for_an_existing_folder(
    tmp_path: Path, faulty_disk: Callable[..., Any]
) -> None:
    with pytest.raises(OSError, match="Input/output"), parts.folder_written_whole(tmp_path / "run"):
        faulty_disk(2, errno.EIO)  # the first operation left is the flush of the folder, the second its rename
    assert list(tmp_path.iterdir()) == []


def test_sweeping_takes_old_leftovers_only(tmp_path: Path) -> None:
    old_folder, old_file, young = (tmp_path / f".leftover-{name}" for name in "abc")
    old_folder.mkdir()
    (old_folder / "half").write_bytes(b"x")
    old_file.write_bytes(b"x")
    young.mkdir()
    (tmp_path / "run").mkdir()
    for path in (old_folder, old_file, tmp_path / "run"):
        os.utime(path, (0, time.time() - 2 * 86_400))
    parts.sweep_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".leftover-c", "run"]


def test_sweeping_leaves_what_it_may_not_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / ".leftover-a"
    stuck.write_bytes(b"x")
    os.utime(stuck, (0, 0))

    def refuse(_entry: Path) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(parts, "_remove_any", refuse)
    parts.sweep_leftovers(tmp_path)
    assert stuck.exists()


def test_removing_a_linked_folder_removes_the_link_only(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "kept").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    parts.remove_folder(tmp_path / "link")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept", "real"]


def test_only_plain_files_count_as_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    plain = {path.name: parts.is_regular_file(path) for path in tmp_path.iterdir()}
    assert plain == {"file": True, "link": False, "pipe": False}
    assert not parts.is_regular_file(tmp_path / "absent")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),  # lone surrogates included: JSON lines can hold them
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([None, 1]))
def test_json_comes_back_as_it_was(value: Any, indent: int | None) -> None:
    assert parts.parse_json(parts.json_bytes(value, indent=indent)) == value


@pytest.mark.parametrize("word", [b"NaN", b"[Infinity]", b'{"a": -Infinity}'])
def test_what_is_no_number_is_no_json(word: bytes) -> None:
    with pytest.raises(ValueError, match="no number of JSON"):
        parts.parse_json(word)


@pytest.mark.parametrize(
    "content", [b'{"x": 1, "y": 2, "x": 1}', b'[0, {"a": {"x": {}, "x": 2}}]', b'{"\\u0078": 1, "x": 2, "z": 3}']
)
def test_a_key_that_stands_twice_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(ValueError, match="the key 'x' stands twice in one object"):
        parts.parse_json(content)


def test_many_keys_of_which_the_last_stands_twice_are_soon_read() -> None:
    content = b"{" + b"".join(b'"%d":1,' % number for number in range(60_000)) + b'"59999":1}'
    began = time.perf_counter()
    with pytest.raises(ValueError, match="the key '59999' stands twice"):
        parts.parse_json(content)
    assert time.perf_counter() - began < 5.0


@given(st.binary(max_size=60))
def test_whatever_bytes_are_either_json_or_a_value_error(content: bytes) -> None:
    try:
        parts.parse_json(content)
    except ValueError:
        return


def test_json_refuses_what_is_no_json_and_absurd_nesting() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        parts.json_bytes(float("nan"))
    with pytest.raises(ValueError, match="nested too deeply"):
        parts.parse_json(b"[" * 200_000)


HOLD_LOCK = """
import sys, time
from pathlib import Path
from tabnet_engine.runs.parts import folder_lock
with folder_lock(Path(sys.argv[1]), exclusive=True):
    print("held", flush=True)
    time.sleep(0.4)
"""


def test_an_exclusive_lock_keeps_readers_of_other_processes_waiting(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD_LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        started = time.monotonic()
        with parts.folder_lock(tmp_path, exclusive=False):
            assert time.monotonic() - started > 0.2
    assert other.returncode == 0
    assert list(tmp_path.iterdir()) == []
