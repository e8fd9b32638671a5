"""WatchState: what a watch knows of its series, every stage's state beside the others, and its bytes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import StateCorruptError, StateMismatchError, StateVersionError
from watchband.core.fold import Fold
from watchband.core.points import Int64
from watchband.core.series import SeriesKey
from watchband.core.state import ADVICE, State
from watchband.pipeline.counters import is_counter
from watchband.pipeline.join_columns import Waiting
from watchband.pipeline.ledger import Ledger
from watchband.pipeline.upstream import Upstream

MAGIC = b"WBWATCH\n"
STAGES = ("prepare", "detector", "calibrate", "decide", "pulse", "drift", "breach")
MAY_LACK = frozenset({"drift", "breach"})
"""What has no part in a verdict: a state without it, or with too much of it, is none the worse."""
_UPSTREAM = "upstream"
_LEDGER = "ledger"
_JOIN = "join"
_FORMERLY = STAGES[:4]
"""What states held before they named their parts."""
_PREFIX = struct.Struct("<8sI")
_DIGEST = 16


@dataclass(eq=False)
class WatchState:
    """What a watch knows of its series: their keys, the state of every stage, and of where the series come from.

    Row ``i`` of every stage's state belongs to ``keys[i]``; new series come last. A watch without a pulse has no state
    of one. One whose watch is a model in shadow has a ledger of what it would have told, and one whose watch joins
    several metrics has what waits for the others.
    """

    keys: list[SeriesKey]
    prepare: State
    detector: State
    calibrate: State
    decide: State
    blank: Callable[[int], dict[str, State]] = field(repr=False)
    pulse: State | None = None
    drift: State | None = None
    breach: State | None = None
    upstream: Upstream = field(default_factory=Upstream)
    ledger: Ledger | None = None
    waiting: Waiting = field(default_factory=Waiting)
    rows: dict[SeriesKey, int] = field(init=False, repr=False)
    _asked: list[SeriesKey] = field(init=False, repr=False)
    _found: Int64 = field(init=False, repr=False)
    _counters: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.rows = {key: row for row, key in enumerate(self.keys)}
        self._asked: list[SeriesKey] = []
        self._found: Int64 = np.empty(0, np.int64)
        self._counters: NDArray[np.bool_] = np.empty(0, np.bool_)

    def counters(self) -> NDArray[np.bool_]:
        """Which series count up by their names: bool[series]."""
        known = len(self._counters)
        if known < len(self.keys):
            more = [is_counter(key.metric) for key in self.keys[known:]]
            self._counters = np.concatenate([self._counters, np.array(more, np.bool_)])
        return self._counters

    @property
    def stages(self) -> dict[str, State]:
        """The state of every stage that the watch has."""
        found = {stage: getattr(self, stage) for stage in STAGES}
        return {stage: state for stage, state in found.items() if state is not None}

    def find(self, keys: list[SeriesKey]) -> Int64:
        """The rows of some series, -1 where they are not known: int64[s]. Read only.

        Sources give the same series in the same order again and again: to be asked the same twice costs a comparison.
        """
        if keys != self._asked:
            get = self.rows.get
            found = np.fromiter((get(key, -1) for key in keys), np.int64, len(keys))
            if len(found) and int(found.min()) < 0:
                return found
            found.flags.writeable = False
            self._asked, self._found = keys, found
        return self._found

    def add(self, keys: Sequence[SeriesKey]) -> Int64:
        """The rows of some series, int64[s]; those that are new start cold. Read only."""
        asked = list(keys)
        found = self.find(asked)
        if len(found) and int(found.min()) < 0:
            new = [k for k in dict.fromkeys(keys) if k not in self.rows]
            for stage, state in self.blank(len(new)).items():
                setattr(self, stage, State.stack([getattr(self, stage), state]))
            self.rows.update({key: len(self.keys) + i for i, key in enumerate(new)})
            self.keys += new
            found = self.find(asked)
        return found

    def drop(self, keys: Sequence[SeriesKey]) -> list[int]:
        """Forget some series; which rows stay, in their order. Unknown ones change nothing."""
        gone = {self.rows[key] for key in keys if key in self.rows}
        stay = [row for row in range(len(self.keys)) if row not in gone]
        if gone:
            self._keep(stay)
        return stay

    def _keep(self, stay: list[int]) -> None:
        for stage, state in self.stages.items():
            setattr(self, stage, state.take(stay))
        place: Int64 = np.full(len(self.keys), -1, np.int64)
        place[stay] = np.arange(len(stay))
        self.upstream.renumber(place)
        # A new list: results of earlier steps go on naming their rows by the old one.
        self.keys = [self.keys[row] for row in stay]
        self.rows = {key: row for row, key in enumerate(self.keys)}
        self._asked, self._found, self._counters = [], np.empty(0, np.int64), np.empty(0, np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of all stages."""
        return sum(state.nbytes for state in self.stages.values())

    def copy(self) -> WatchState:
        """An independent copy."""
        stages = {stage: state.copy() for stage, state in self.stages.items()}
        ledger = None if self.ledger is None else self.ledger.copy()
        upstream, waiting = self.upstream.copy(), self.waiting.copy()
        return WatchState(
            list(self.keys), **stages, blank=self.blank, upstream=upstream, ledger=ledger, waiting=waiting
        )

    def same_bits(self, other: WatchState) -> bool:
        """True where keys, every stage's state and what waits are equal bit for bit."""
        mine, theirs = self.stages, other.stages
        if self.keys != other.keys or mine.keys() != theirs.keys():
            return False
        same = all(state.same_bits(theirs[stage]) for stage, state in mine.items())
        waits = self.upstream.to_bytes(), self.waiting.to_bytes()
        return same and waits == (other.upstream.to_bytes(), other.waiting.to_bytes())

    def to_bytes(self) -> bytes:
        """Everything as bytes that ``Watch.load`` reads on any machine."""
        parts = {stage: state.to_bytes() for stage, state in self.stages.items()}
        parts[_UPSTREAM] = self.upstream.to_bytes()
        if self.ledger is not None:
            parts[_LEDGER] = self.ledger.to_bytes()
        if self.waiting.entities:
            parts[_JOIN] = self.waiting.to_bytes()
        sizes = {name: len(part) for name, part in parts.items()}
        text = json.dumps({"keys": [str(k) for k in self.keys], "sizes": sizes}, separators=(",", ":")).encode()
        body = b"".join([_PREFIX.pack(MAGIC, len(text)), text, *parts.values()])
        return body + hashlib.blake2b(body, digest_size=_DIGEST).digest()


def combined(fingerprints: Iterable[str]) -> str:
    """One fingerprint of several: 16 hexadecimal digits."""
    return hashlib.blake2b("\n".join(fingerprints).encode(), digest_size=8).hexdigest()


def onlooker(fold: Fold, data: bytes | None, series: int) -> State:
    """The state of a stage without a part in any verdict; one that has seen nothing where there are no bytes of it.

    Those of other parameters, or of another release, are none.
    """
    if data is not None:
        with suppress(StateMismatchError, StateVersionError):
            return fold.load(data)
    return fold.start(series)


@dataclass(frozen=True, slots=True)
class Opened:
    """What ``WatchState.to_bytes`` wrote: keys, the bytes of every stage, and what stands beside the stages."""

    keys: list[SeriesKey]
    parts: dict[str, bytes]
    upstream: Upstream
    ledger: Ledger | None
    waiting: Waiting


def open_state(data: bytes, wanted: Sequence[str], columns: int = 0) -> Opened:
    """The parts of what ``WatchState.to_bytes`` wrote; ``columns`` are those of a join.

    Raises
    ------
    StateCorruptError
        The bytes are damaged, or hold other stages.
    """
    keys, parts = _parts(data)
    upstream, ledger, waiting = (parts.pop(name, None) for name in (_UPSTREAM, _LEDGER, _JOIN))
    needed = [name for name in wanted if name not in MAY_LACK]
    if [name for name in parts if name not in MAY_LACK] != needed or len(set(keys)) != len(keys):
        raise StateCorruptError(
            f"This state of a watch must hold the stages {', '.join(needed)} and every series once. Got "
            f"{', '.join(parts)} and {len(keys)} series. {ADVICE}"
        )
    waits = Upstream.from_bytes(upstream, len(keys)) if upstream is not None else Upstream()
    joined = Waiting.from_bytes(waiting, columns or None) if waiting is not None else Waiting()
    return Opened(keys, parts, waits, Ledger.from_bytes(ledger) if ledger is not None else None, joined)


def _parts(data: bytes) -> tuple[list[SeriesKey], dict[str, bytes]]:
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
        sizes = header["sizes"]
        named = sizes if isinstance(sizes, dict) else dict(zip(_FORMERLY, sizes, strict=True))
        at, parts = _PREFIX.size + length, {}
        for name, size in named.items():
            parts[name] = data[at : at + size]
            at += size
        keys = [SeriesKey.parse(text) for text in header["keys"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateCorruptError(f"The header of this watch's state makes no sense ({error}). {ADVICE}") from error
    if at != len(data) - _DIGEST:
        raise StateCorruptError(f"This state of a watch has {len(data)} bytes, expected {at + _DIGEST}. {ADVICE}")
    return keys, parts


def keys_of(data: bytes) -> list[SeriesKey]:
    """The series of what ``WatchState.to_bytes`` wrote, whatever its stages; StateCorruptError where it is damaged."""
    return _parts(data)[0]


def settings_of(data: bytes) -> str:
    """What the model that judged had otherwise than its watch, see ``lineage.Model``."""
    upstream = _parts(data)[1].get(_UPSTREAM)
    return "" if upstream is None else Upstream.from_bytes(upstream).lineage.champion.settings
