"""Dead letters: records that could not be read, one JSON line each, with the reason and their bytes."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from watchband.core.errors import TransientError

TAIL = 1 << 20
"""Bytes of the file's end that are looked through for what is there already."""
KNOWN_MAX = 50_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record, or a part of an aggregated one, with what is wrong with it."""

    stream: str
    shard: str
    sequence: str
    part: int
    key: str
    arrived: int
    reason: str
    data: bytes

    @property
    def line(self) -> str:
        """As it stands in the file."""
        document = {
            "stream": self.stream,
            "shard": self.shard,
            "sequence": self.sequence,
            "part": self.part,
            "partition_key": self.key,
            "arrived_ms": self.arrived // 1_000_000,
            "reason": self.reason,
            "data": base64.b64encode(self.data).decode(),
        }
        return json.dumps(document, ensure_ascii=True) + "\n"


class DeadLetters:
    """The file. One that has grown to ``most`` bytes is put aside as ``FILE.1`` in place of the one before.

    Parameters
    ----------
    path : str
        Where; the folder must be there.
    most : int
        Bytes.
    """

    def __init__(self, path: str, most: int) -> None:
        self._path, self._most = Path(path), most
        self._known: dict[tuple[str, int], None] | None = None

    def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Write those that are not there yet; durable when it returns.

        Raises
        ------
        TransientError
            They cannot be written: nothing behind them may be taken.
        """
        try:
            if self._known is None:
                self._known = self._read()
            fresh = [one for one in letters if (one.sequence, one.part) not in self._known]
            if not fresh:
                return
            if self._path.exists() and self._path.stat().st_size >= self._most:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            with self._path.open("a", encoding="ascii") as file:
                file.writelines(one.line for one in fresh)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise TransientError(
                f"Dead letters cannot be kept in {self._path}: {error.strerror or error}. Nothing behind them is read "
                "until they can."
            ) from None
        self._known.update(((one.sequence, one.part), None) for one in fresh)
        while len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def _read(self) -> dict[tuple[str, int], None]:
        """What was written before: a record that is read again after a crash stands there once."""
        found: dict[tuple[str, int], None] = {}
        if not self._path.exists():
            return found
        with self._path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read().split(b"\n")
            if lines[-1]:
                # The end of a line that a crash cut short: the next one begins anew.
                file.write(b"\n")
        for line in lines:
            try:
                one = json.loads(line)
                found[str(one["sequence"]), int(one["part"])] = None
            except (ValueError, TypeError, KeyError):
                continue
        return found
