"""WatchState: what a watch knows of its series, every stage's state beside the others, and its bytes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from watchband.core.errors import StateCorruptError
from watchband.core.series import SeriesKey
from watchband.core.state import ADVICE, State

MAGIC = b"WBWATCH\n"
STAGES = ("prepare", "detector", "calibrate", "decide")
_PREFIX = struct.Struct("<8sI")
_DIGEST = 16


@dataclass(eq=False)
class WatchState:
    """What a watch knows of its series: their keys and the state of every stage.

    Row ``i`` of every stage's state belongs to ``keys[i]``; new series come last.
    """

    keys: list[SeriesKey]
    prepare: State
    detector: State
    calibrate: State
    decide: State
    blank: Callable[[int], dict[str, State]] = field(repr=False)
    rows: dict[SeriesKey, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.rows = {key: row for row, key in enumerate(self.keys)}

    def add(self, keys: Sequence[SeriesKey]) -> list[int]:
        """The rows of some series; those that are new start cold."""
        new = [k for k in dict.fromkeys(keys) if k not in self.rows]
        if new:
            for stage, state in self.blank(len(new)).items():
                setattr(self, stage, State.stack([getattr(self, stage), state]))
            self.rows.update({key: len(self.keys) + i for i, key in enumerate(new)})
            self.keys += new
        return [self.rows[k] for k in keys]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of all stages."""
        return sum(getattr(self, stage).nbytes for stage in STAGES)

    def copy(self) -> WatchState:
        """An independent copy."""
        return WatchState(list(self.keys), **{s: getattr(self, s).copy() for s in STAGES}, blank=self.blank)

    def same_bits(self, other: WatchState) -> bool:
        """True where keys and every stage's state are equal bit for bit."""
        return self.keys == other.keys and all(getattr(self, s).same_bits(getattr(other, s)) for s in STAGES)

    def to_bytes(self) -> bytes:
        """Everything as bytes that ``Watch.load`` reads on any machine."""
        parts = [getattr(self, stage).to_bytes() for stage in STAGES]
        header = {"keys": [str(k) for k in self.keys], "sizes": [len(p) for p in parts]}
        text = json.dumps(header, separators=(",", ":")).encode()
        body = b"".join([_PREFIX.pack(MAGIC, len(text)), text, *parts])
        return body + hashlib.blake2b(body, digest_size=_DIGEST).digest()


def combined(fingerprints: Iterable[str]) -> str:
    """One fingerprint of several: 16 hexadecimal digits."""
    return hashlib.blake2b("\n".join(fingerprints).encode(), digest_size=8).hexdigest()


def open_state(data: bytes) -> tuple[list[SeriesKey], list[bytes]]:
    """Keys and each stage's bytes of what ``WatchState.to_bytes`` wrote; StateCorruptError where they are damaged."""
    if data[: len(MAGIC)] != MAGIC:
        raise StateCorruptError(
            f"These {len(data)} bytes are not the state of a watch: they begin with {bytes(data[:8])!r}, expected "
            f"{MAGIC!r}. {ADVICE}"
        )
    if (
        len(data) < _PREFIX.size + _DIGEST
        or hashlib.blake2b(data[:-_DIGEST], digest_size=_DIGEST).digest() != (data[-_DIGEST:])
    ):
        raise StateCorruptError(f"The checksum of this watch's state does not match: truncated or damaged. {ADVICE}")
    length = _PREFIX.unpack_from(data)[1]
    try:
        header = json.loads(data[_PREFIX.size : _PREFIX.size + length])
        at, parts = _PREFIX.size + length, []
        for size in header["sizes"]:
            parts.append(data[at : at + size])
            at += size
        keys = [SeriesKey.parse(text) for text in header["keys"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateCorruptError(f"The header of this watch's state makes no sense ({error}). {ADVICE}") from error
    if len(parts) != len(STAGES) or at != len(data) - _DIGEST or len(set(keys)) != len(keys):
        raise StateCorruptError(
            f"This state of a watch must hold {len(STAGES)} stages and every series once. Got {len(parts)} stages, "
            f"{len(keys)} series. {ADVICE}"
        )
    return keys, parts
