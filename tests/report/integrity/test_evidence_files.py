"""The files of an evidence pack: the same bytes for the same report, and every changed byte is found."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.errors import ReportError
from tabnet_engine.report.evidence import PACK_MANIFEST, manifest_digest, pack_bytes, zip_bytes
from tabnet_engine.report.pack_reading import Checked, checked_files, open_pack, pack_content
from tests.report.integrity.small_report import PARTS, small_report

READ = {"report.html": b"<!doctype html>", "report.pdf": b"%PDF"}
PACK = pack_bytes(small_report(), PARTS, READ)
CONTENTS = dict(open_pack(PACK).files)


def _problems(content: bytes) -> list[str]:
    return [line.sentence for line in checked_files(open_pack(content)) if not line.ok]


def _relisted(contents: dict[str, bytes]) -> bytes:
    """A pack forged with a manifest that fits its files."""
    manifest = json.loads(contents[PACK_MANIFEST])
    manifest["digest"] = manifest_digest(manifest)
    return zip_bytes({**contents, PACK_MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()})


def test_the_same_report_gives_the_same_bytes():
    assert pack_bytes(small_report(), dict(reversed(PARTS.items())), READ) == PACK
    assert _problems(PACK) == []
    assert set(CONTENTS) == {PACK_MANIFEST, "document.json", *READ, *PARTS}


@given(place=st.integers(0, len(PACK) - 1), change=st.integers(1, 255))
def test_any_single_byte_that_is_changed_is_found(place: int, change: int):
    content = bytearray(PACK)
    content[place] ^= change
    try:
        assert _problems(bytes(content)) != []
    except ReportError as error:
        assert "no evidence pack, or damaged" in str(error)  # noqa: PT017 - either way is right


@given(cut=st.integers(0, len(PACK) - 1), tail=st.binary(min_size=1, max_size=30))
def test_what_is_cut_off_or_added_is_found(cut: int, tail: bytes):
    for content in (PACK[:cut], PACK + tail, tail + PACK):
        try:
            assert _problems(content) != []
        except ReportError as error:
            assert "no evidence pack, or damaged" in str(error)  # noqa: PT017


def test_a_changed_file_an_extra_one_and_a_missing_one_are_named():
    changed = _relisted({**CONTENTS, "case.json": b"[]\n"})
    assert [problem for problem in _problems(changed) if "'case.json' was changed" in problem]
    extra = _relisted({**CONTENTS, "more.txt": b"x"})
    assert [problem for problem in _problems(extra) if "'more.txt' is in the pack and not in its manifest" in problem]
    missing = _relisted({name: content for name, content in CONTENTS.items() if name != "case.json"})
    assert [problem for problem in _problems(missing) if "lists 'case.json', which is missing" in problem]
    manifest = json.loads(CONTENTS[PACK_MANIFEST])
    manifest["identity"]["row"] = 7
    assert "own digest" in _problems(zip_bytes({**CONTENTS, PACK_MANIFEST: json.dumps(manifest).encode()}))[0]


def _zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _opened(what: str, content: bytes) -> None:
    open_pack(content)
    pytest.fail(f"{what} was opened")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_a_stranger_could_send_is_refused():
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        for _ in range(2):
            archive.writestr(PACK_MANIFEST, CONTENTS[PACK_MANIFEST])
    hostile = {
        "no zip": b"hello",
        "nothing": b"",
        "an empty zip": _zip({}),
        "out of the folder": _zip({**CONTENTS, "../../etc/passwd": b"x"}),
        "an absolute path": _zip({**CONTENTS, "/etc/x": b"x"}),
        "a folder": _zip({**CONTENTS, "folder/": b""}),
        "a bomb": _zip({**CONTENTS, "zeros.bin": bytes(10_000_000)}, zipfile.ZIP_DEFLATED),
        "two of one name": twice.getvalue(),
        "too many": _zip({**CONTENTS, **{f"f{number}": b"" for number in range(1_001)}}),
        "another manifest": _zip({PACK_MANIFEST: b'{"format": "else"}'}),
        "a manifest of a list": _zip({PACK_MANIFEST: b"[]"}),
        "no JSON": _zip({PACK_MANIFEST: b"\xff"}),
        "nested": _zip({PACK_MANIFEST: b"[" * 100_000}),
        "a newer format": _zip({PACK_MANIFEST: b'{"format": "tabnet-evidence", "format_version": 2}'}),
        "no files": _zip({PACK_MANIFEST: b'{"format": "tabnet-evidence", "format_version": 1}'}),
    }
    for what, content in hostile.items():
        with pytest.raises(ReportError, match="no evidence pack, or damaged"):
            _opened(what, content)


def test_a_part_may_not_take_the_place_of_the_report():
    for name in ("report.pdf", "document.json", PACK_MANIFEST):
        with pytest.raises(ValueError, match="makes itself"):
            pack_bytes(small_report(), {name: b""}, READ)


def test_a_pack_that_is_not_there(tmp_path: Path):
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(ReportError, match="there is no evidence pack at"):
            pack_content(path)


def test_a_check_says_its_name():
    assert {type(line) for line in checked_files(open_pack(PACK))} == {Checked}
