"""The tensors of a file that torch.save wrote, without unpickling it.

Such a file is an uncompressed zip: the bytes of each storage, and a description of the tensors in the
opcodes of pickle (protocol 2). The opcodes that describe a state dict are a few dozen, none of which needs to
call anything: :func:`read_tensors` knows these, builds plain arrays from them, and refuses every other opcode
and name.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tabnet_engine.errors import UserError

__all__ = ["TensorArchiveError", "read_tensors"]

Tensors = dict[str, npt.NDArray[Any]]

_MAX_MEMBERS = 200_000
_MAX_DESCRIPTION_BYTES = 8 * 1024**2
# Torch adds tensors to the dict a thousand at a time.
_MAX_STACK = 20_000
_MAX_DIMENSIONS = 8

_ORDERED_DICT, _TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
_STORAGES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch DoubleStorage": np.dtype("<f8"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch LongStorage": np.dtype("<i8"),
}


class TensorArchiveError(UserError):
    """The bytes are no archive of tensors as torch.save writes them."""


def read_tensors(content: bytes) -> Tensors:
    """The tensors of a saved state dict by name, as read-only views of ``content``'s storages.

    Args:
        content: the whole file.

    Raises:
        TensorArchiveError: no such file, a damaged one, or one that holds more than tensors.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _Description(_Storages.of(archive, len(content))).read()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise TensorArchiveError(f"the tensors cannot be read ({error})") from error
    except (IndexError, KeyError, ValueError) as error:
        raise TensorArchiveError("the description of the tensors is damaged or cut off") from error


@dataclass
class _Storages:
    """The members of the archive below its one top folder."""

    archive: zipfile.ZipFile
    folder: str
    loaded: dict[tuple[str, str], npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: zipfile.ZipFile, n_bytes: int) -> _Storages:
        """Check all members before any is read."""
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS or len({member.filename for member in members}) < len(members):
            raise TensorArchiveError("the archive of tensors has too many parts, or several of one name")
        # torch compresses nothing, so nothing can swell while it is read.
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise TensorArchiveError("the archive of tensors is compressed, which torch never does")
        if sum(member.file_size for member in members) > n_bytes:
            raise TensorArchiveError("the parts of the archive of tensors are larger than the archive")
        folders = [name.removesuffix("/data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(folders) != 1:
            raise TensorArchiveError("the archive holds no description of tensors")
        order = f"{folders[0]}/byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise TensorArchiveError("the tensors were written on a machine of the other byte order")
        return cls(archive, folders[0])

    def description(self) -> bytes:
        """The opcodes."""
        member = self.archive.getinfo(f"{self.folder}/data.pkl")
        if member.file_size > _MAX_DESCRIPTION_BYTES:
            raise TensorArchiveError("the description of the tensors is too long")
        return self.archive.read(member)

    def storage(self, kind: str, key: str, n_values: int) -> npt.NDArray[Any]:
        """The values of one storage."""
        if (kind, key) not in self.loaded:
            content = self.archive.read(f"{self.folder}/data/{key}")
            dtype = _STORAGES[kind]
            if len(content) != n_values * dtype.itemsize:
                raise TensorArchiveError(f"the storage {key!r} has {len(content)} bytes, not {n_values} values")
            self.loaded[kind, key] = np.frombuffer(content, dtype)
        return self.loaded[kind, key]


@dataclass(frozen=True)
class _Name:
    """A class or function that the description mentions; it stays a name."""

    text: str


_MARK = object()


class _Description:
    """A stack machine for the opcodes of a state dict: texts, numbers, tuples, dicts and tensors."""

    def __init__(self, storages: _Storages) -> None:
        self.storages = storages
        self.code = storages.description()
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def read(self) -> Tensors:
        """Run to the end and return the one dict that is left."""
        while (opcode := self._take(1)) != b".":
            step = _OPCODES.get(opcode)
            if len(self.stack) > _MAX_STACK:
                raise TensorArchiveError("the description holds more at once than tensors need")
            if step is None:
                raise TensorArchiveError(f"the description holds the opcode {opcode!r}, which no tensor needs")
            step(self)
        (result,) = self.stack
        if not isinstance(result, dict) or not all(isinstance(value, np.ndarray) for value in result.values()):
            raise TensorArchiveError("the file holds something else than named tensors")
        return result

    def _take(self, count: int) -> bytes:
        if self.at + count > len(self.code):
            raise TensorArchiveError("the description of the tensors is cut off")
        self.at += count
        return self.code[self.at - count : self.at]

    def _line(self) -> str:
        end = self.code.index(b"\n", self.at)
        line, self.at = self.code[self.at : end], end + 1
        return line.decode("ascii")

    def number(self, form: str) -> int:
        """The whole number that follows."""
        (value,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return int(value)

    def long(self) -> int:
        """The whole number of a stated length that follows; sizes need eight bytes."""
        length = self.number("<B")
        if length > 8:
            raise TensorArchiveError("the description holds a number that no size can be")
        return int.from_bytes(self._take(length), "little", signed=True)

    def text(self) -> str:
        """The text that follows."""
        return self._take(self.number("<I")).decode("utf-8")

    def name(self) -> _Name:
        """The name that follows, if it is one of those that describe tensors."""
        text = f"{self._line()} {self._line()}"
        if text not in {_ORDERED_DICT, _TENSOR, *_STORAGES}:
            raise TensorArchiveError(
                f"the file mentions {text.replace(' ', '.')!r}, which no tensor needs; it is not run"
            )
        return _Name(text)

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise TensorArchiveError("the description of the tensors is damaged")

    def set_items(self, items: list[Any]) -> None:
        """Add keys and values, in turn, to the dict on top."""
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
            raise TensorArchiveError("the description of the tensors is damaged")
        target.update(zip(items[::2], items[1::2], strict=True))

    def find_storage(self) -> npt.NDArray[Any]:
        """The storage that the tuple on top identifies."""
        identity = self.stack.pop()
        match identity:
            case ("storage", _Name(text=kind), str(key), str(), int(n_values)) if kind in _STORAGES:
                return self.storages.storage(kind, key, n_values)
        raise TensorArchiveError("the description identifies a storage that cannot be one")

    def build(self) -> Any:
        """What the function and the arguments on top stand for: a dict or a tensor."""
        arguments, function = self.stack.pop(), self.stack.pop()
        match function, arguments:
            case _Name(text=text), () if text == _ORDERED_DICT:
                return {}
            case _Name(text=text), (np.ndarray() as storage, int(offset), tuple(shape), tuple(strides), *_) if (
                text == _TENSOR
            ):
                return _view(storage, offset, shape, strides)
        raise TensorArchiveError("the description asks for something that is no tensor")

    def remember(self, place: int) -> None:
        """Keep the value on top under a number."""
        self.memo[place] = self.stack[-1]


def _view(storage: npt.NDArray[Any], offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]) -> npt.NDArray[Any]:
    """The part of a storage that is one tensor, which must lie in it whole and in order."""
    whole = all(isinstance(value, int) and 0 <= value < 2**40 for value in (offset, *shape, *strides))
    if not whole or len(shape) > _MAX_DIMENSIONS or len(shape) != len(strides):
        raise TensorArchiveError("a tensor has an impossible shape")
    in_order = tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
    moved = any(size > 1 and stride != wanted for size, stride, wanted in zip(shape, strides, in_order, strict=True))
    if moved or offset + math.prod(shape) > storage.size:
        raise TensorArchiveError("a tensor does not lie in its storage as a saved weight does")
    return storage[offset : offset + math.prod(shape)].reshape(shape)


def _push(make: Callable[[_Description], Any]) -> Callable[[_Description], None]:
    return lambda machine: machine.stack.append(make(machine))


def _tuple_of(count: int) -> Callable[[_Description], None]:
    def step(machine: _Description) -> None:
        if len(machine.stack) < count:
            raise TensorArchiveError("the description of the tensors is damaged")
        items = tuple(machine.stack[-count:])
        machine.stack[-count:] = [items]

    return step


def _set_one(machine: _Description) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


def _protocol(machine: _Description) -> None:
    if machine.number("<B") != 2:
        raise TensorArchiveError("the description of the tensors is of another version than torch writes")


def _drop(machine: _Description) -> None:
    """Torch's own notes about the modules, which belong to no tensor."""
    machine.stack.pop()


_OPCODES: dict[bytes, Callable[[_Description], None]] = {
    b"\x80": _protocol,
    b"c": _push(_Description.name),
    b"X": _push(_Description.text),
    b"K": _push(lambda machine: machine.number("<B")),
    b"M": _push(lambda machine: machine.number("<H")),
    b"J": _push(lambda machine: machine.number("<i")),
    b"\x8a": _push(_Description.long),
    b"N": _push(lambda _: None),
    b"\x88": _push(lambda _: True),
    b"\x89": _push(lambda _: False),
    b"(": _push(lambda _: _MARK),
    b")": _push(lambda _: ()),
    b"}": _push(lambda _: {}),
    b"t": _push(lambda machine: tuple(machine.since_mark())),
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"q": lambda machine: machine.remember(machine.number("<B")),
    b"r": lambda machine: machine.remember(machine.number("<I")),
    b"h": _push(lambda machine: machine.memo[machine.number("<B")]),
    b"j": _push(lambda machine: machine.memo[machine.number("<I")]),
    b"Q": _push(_Description.find_storage),
    b"R": _push(_Description.build),
    b"s": _set_one,
    b"u": lambda machine: machine.set_items(machine.since_mark()),
    b"b": _drop,
}
