"""Where objects lie: what a bucket and a folder have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, Protocol

from watchband.core.errors import PermanentError


class GoneError(PermanentError):
    """There is no such object."""


class ChangedError(PermanentError):
    """The object is another one than was meant: it was written by somebody else, or exists already."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as a listing names it.

    Parameters
    ----------
    key : str
        Its name within the place, with ``/`` between the parts.
    size : int
        Bytes.
    etag : str
        Changes with its contents.
    modified : int
        When it was written, ns UTC.
    """

    key: str
    size: int
    etag: str = ""
    modified: int = 0


class Place(Protocol):
    """A bucket, or a folder. Errors are ``AdapterError``s: what passes is a ``TransientError``."""

    name: str

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Objects whose keys begin so and stand behind ``after``, ordered by key; page after page."""
        ...

    def find(self, key: str) -> Entry | None:
        """One object; None: there is none."""
        ...

    def open(self, entry: Entry) -> BinaryIO:
        """An object as a file that can seek; ``ChangedError`` where it is not that one any more."""
        ...

    def put(self, key: str, body: bytes, *, instead_of: str | None = None) -> str:
        """Write an object whole.

        Parameters
        ----------
        instead_of : str, optional
            The etag that it must have, ``""``: it must not exist; ``ChangedError`` otherwise. None: whatever is there.

        Returns
        -------
        str
            Its etag.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove an object; none is fine."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Size:
    """What ``stat`` says of an object."""

    st_size: int


@dataclass(frozen=True)
class ObjectPath:
    """An object where the readers of files expect a path.

    Parameters
    ----------
    place : Place
        Where it lies.
    entry : Entry
        Which.
    """

    place: Place
    entry: Entry

    def __str__(self) -> str:
        return f"{self.place.name}/{self.entry.key}"

    @property
    def name(self) -> str:
        """The last part of its key."""
        return PurePosixPath(self.entry.key).name

    @property
    def stem(self) -> str:
        """The last part of its key without its suffix."""
        return PurePosixPath(self.entry.key).stem

    @property
    def parent(self) -> PurePosixPath:
        """The parts of its key before the last one."""
        return PurePosixPath(self.entry.key).parent

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        """The object as a file; a mode other than reading bytes there is none."""
        return self.place.open(self.entry)

    def stat(self) -> Size:
        """Its size."""
        return Size(self.entry.size)


FilePath = Path | ObjectPath
"""What the readers of files read."""
