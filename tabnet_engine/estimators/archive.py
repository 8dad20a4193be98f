"""A run folder as one zip file; what is read back is checked before a byte of it is written anywhere."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from pathlib import Path

from tabnet_engine.errors import UserError
from tabnet_engine.estimators.errors import InputError
from tabnet_engine.runs.manifest import MANIFEST, check_part_name
from tabnet_engine.runs.parts import storage_errors

__all__ = ["pack", "unpack"]

MAX_PARTS = 1_000
MAX_BYTES = 4 * 1024**3
_CHUNK = 1024**2


def pack(folder: Path, target: Path, *, overwrite: bool) -> None:
    """Write every file of ``folder`` into the zip file ``target``, whole or not at all.

    Raises:
        UserError: the file exists and may not be replaced.
        StorageError: the disk refuses.
    """
    with storage_errors(f"write {target.name!r}"):
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
                for path in sorted(folder.rglob("*")):
                    if path.is_file() and not path.name.startswith("."):
                        archive.write(path, path.relative_to(folder).as_posix())
            temporary.chmod(0o644)
            if overwrite:
                temporary.replace(target)
                return
            try:
                os.link(temporary, target)
            except FileExistsError:
                raise UserError(
                    f"{str(target)!r} exists already; choose another name, or pass overwrite=True"
                ) from None
        finally:
            temporary.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> None:
    """Write the parts of a zip file into the empty ``folder``.

    Raises:
        InputError: it is no such file, or one made to do harm; the text says what is wrong with it.
        StorageError: the disk refuses.
    """
    if not source.is_file():
        raise InputError(f"there is no file {str(source)!r}")
    with storage_errors(f"read {source.name!r}"):
        try:
            with zipfile.ZipFile(source) as archive:
                for member in _checked(archive, source.name):
                    path = folder / member.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as stream, path.open("wb") as output:
                        while chunk := stream.read(_CHUNK):
                            output.write(chunk)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{source.name!r} is no readable zip file ({error}); save the model again") from error


def _checked(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if "model_params.json" in names:
        raise InputError(
            f"{name!r} was saved by pytorch-tabnet; turn it into a run with: python -m tabnet_engine "
            "import-pytorch-tabnet"
        )
    if len(members) > MAX_PARTS or sum(member.file_size for member in members) > MAX_BYTES:
        raise InputError(f"{name!r} holds more than a model can; nothing of it was unpacked")
    if MANIFEST not in names or len(set(names)) < len(names):
        raise InputError(f"{name!r} is no saved estimator; give a file that save_model wrote")
    for member in members:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{name!r} holds a link, which no saved estimator does; nothing of it was unpacked")
        if member.filename != MANIFEST:
            try:
                check_part_name(member.filename)
            except ValueError as error:
                raise InputError(f"{name!r} is no saved estimator: {error}; nothing of it was unpacked") from error
    return members
