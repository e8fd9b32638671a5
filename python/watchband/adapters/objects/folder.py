"""A local folder as a place of objects."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from watchband.adapters.objects.place import ChangedError, Entry, GoneError
from watchband.core.errors import PermanentError

PARTIAL = ".partial"


class Folder:
    """A folder; a ``Place``. Writers on condition wait for each other, by a lock of this machine.

    Parameters
    ----------
    root : path
        Made with the first object, readable by this user alone.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).expanduser().absolute()
        self.name = f"file://{self.root}".rstrip("/")

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Files whose names below the folder begin so, ordered by name."""
        top = self._path(prefix.rpartition("/")[0])
        found = []
        for here, _, names in os.walk(top):
            for name in names:
                key = (Path(here) / name).relative_to(self.root).as_posix()
                if key.startswith(prefix) and key > after and not name.endswith(PARTIAL):
                    found.append(key)
        for key in sorted(found):
            if (entry := self.find(key)) is not None:
                yield entry

    def find(self, key: str) -> Entry | None:
        """One file."""
        path = self._path(key)
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        if not path.is_file():
            return None
        return Entry(key, stat.st_size, f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}", stat.st_mtime_ns)

    def open(self, entry: Entry) -> BinaryIO:
        """A file."""
        now = self.find(entry.key)
        if now is None:
            raise GoneError(f"There is no file {self._path(entry.key)}.")
        if entry.etag and now.etag != entry.etag:
            raise ChangedError(f"{self._path(entry.key)} was written anew meanwhile.")
        return self._path(entry.key).open("rb")

    def put(self, key: str, body: bytes, *, instead_of: str | None = None) -> str:
        """Write a file beside its name, sync it and rename it; see ``Place``."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if instead_of is None:
            return self._put(key, path, body)
        with _locked(path.parent):
            now = self.find(key)
            if (now.etag if now else "") != instead_of:
                raise ChangedError(f"{path} was written by somebody else meanwhile.")
            return self._put(key, path, body)

    def _put(self, key: str, path: Path, body: bytes) -> str:
        number, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=PARTIAL)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
            raise
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        made = self.find(key)
        assert made is not None
        return made.etag

    def remove(self, key: str) -> None:
        """Remove a file."""
        self._path(key).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held."""

    def _path(self, key: str) -> Path:
        parts = [part for part in key.split("/") if part]
        if ".." in parts:
            raise PermanentError(f"{key!r} leads out of the folder {self.root}.")
        return self.root.joinpath(*parts)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Alone among those who write here on condition; whoever ends lets go."""
    handle = os.open(directory / f".lock{PARTIAL}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def digest(body: bytes) -> str:
    """The checksum that stands in manifests: BLAKE2b of 16 bytes, in hexadecimal digits."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
