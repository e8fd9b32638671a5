"""JSON Lines: every change of an alert as a line of a file, on disk before it counts as delivered."""

from __future__ import annotations

import contextlib
import json
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from watchband.adapters.sinks.message import document
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.errors import TransientError
from watchband.core.kinds import FilePath, Size
from watchband.core.params import Integer, param
from watchband.core.ports import Notice

IDS_MAX = 20_000
TAIL = 8 << 20
"""Bytes of the newest file that are searched for ids when it is opened."""


@dataclass(frozen=True, kw_only=True)
class JsonlSettings:
    """Each change of an alert as a line of JSON in a file."""

    kind: ClassVar[str] = "jsonl"

    path: str = param("watchband-alerts.jsonl", FilePath(), "The file; it is made if it is not there.")
    max_bytes: int = param(100_000_000, Size(10_000), "A file that would get larger is set aside as PATH.1.")
    keep: int = param(10, Integer(1, 1000), "Files that were set aside and are kept.")

    def __post_init__(self) -> None:
        params.check(self)

    def open(self, name: str, *, clock: Clock) -> Jsonl:
        """The sink."""
        return Jsonl(name, self)


class Jsonl:
    """Appends lines; one that is in the file already is not written again.

    The file is opened for every line, so it may be moved away by others at any time.
    """

    def __init__(self, name: str, settings: JsonlSettings) -> None:
        self.name = name
        self._path, self._settings = Path(settings.path), settings
        self._ids: OrderedDict[str, None] | None = None

    def write(self, notice: Notice) -> None:
        """Append a line and wait until the disk has it.

        Raises
        ------
        TransientError
            The disk is full, or the file may not be written.
        """
        line = json.dumps(document(notice), allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            if self._ids is None:
                self._ids = self._known()
            if notice.id in self._ids:
                return
            self._rotate(len(line))
            self._append(line)
        except OSError as error:
            raise TransientError(
                f"{self._path} cannot be written: {error.strerror or type(error).__name__}. Check space and rights."
            ) from None
        self._ids[notice.id] = None
        if len(self._ids) > IDS_MAX:
            self._ids.popitem(last=False)

    def _append(self, line: bytes) -> None:
        new = not self._path.exists()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(handle, rest) :]
                os.fsync(handle)
            except OSError:
                # Half a line would spoil the next one.
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if new:
            _sync(self._path.parent)

    def _rotate(self, more: int) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if not size or size + more <= self._settings.max_bytes:
            return
        for number in range(self._settings.keep, 0, -1):
            older = self._aside(number - 1) if number > 1 else self._path
            if older.exists():
                older.replace(self._aside(number))
        _sync(self._path.parent)

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _known(self) -> OrderedDict[str, None]:
        """Ids of the newest lines; half a line, which a crash left behind, is removed."""
        found: OrderedDict[str, None] = OrderedDict()
        for path in (self._aside(1), self._path):
            try:
                with path.open("r+b") as file:
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - TAIL))
                    tail = file.read()
                    end = tail.rfind(b"\n") + 1
                    if path == self._path and end < len(tail) and (end or size <= TAIL):
                        file.truncate(size - len(tail) + end)
            except FileNotFoundError:
                continue
            for line in tail[:end].splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    found[str(json.loads(line)["id"])] = None
        while len(found) > IDS_MAX:
            found.popitem(last=False)
        return found


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
