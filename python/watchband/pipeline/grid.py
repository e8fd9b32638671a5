"""Grid: several watches that share prepare and detector. The points are scored once and judged by each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey
from watchband.core.state import ADVICE
from watchband.pipeline.results import Results
from watchband.pipeline.scored import Scored
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState, combined

_LENGTH = struct.Struct("<Q")


@dataclass(eq=False)
class GridState(WatchState):
    """The state of the first watch, and of the others what is their own: calibrate and decide.

    Parameters
    ----------
    others : list of WatchState
        Of the further watches; their ``prepare`` and ``detector`` are those of this state.
    """

    others: list[WatchState] = field(default_factory=list)

    def add(self, keys: Sequence[SeriesKey]) -> Int64:
        """The rows of some series; those that are new start cold, for every watch."""
        rows = super().add(keys)
        for other in self.others:
            other.add(keys)
        self.share()
        return rows

    def share(self) -> None:
        """Let every watch see the one state of prepare and detector."""
        for other in self.others:
            other.prepare, other.detector = self.prepare, self.detector

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, those that are shared counted once."""
        return super().nbytes + sum(o.calibrate.nbytes + o.decide.nbytes for o in self.others)

    def copy(self) -> GridState:
        """An independent copy."""
        made = GridState.of(super().copy(), [other.copy() for other in self.others])
        made.share()
        return made

    @classmethod
    def of(cls, first: WatchState, others: list[WatchState]) -> GridState:
        """The state of the first watch with those of the others."""
        stages = first.stages
        upstream, waiting = first.upstream, first.waiting
        return cls(
            first.keys, blank=first.blank, upstream=upstream, ledger=None, waiting=waiting, others=others, **stages
        )

    def _keep(self, stay: list[int]) -> None:
        for other in self.others:
            other._keep(stay)
        super()._keep(stay)
        self.share()

    def same_bits(self, other: WatchState) -> bool:
        """True where keys and every stage's state are equal bit for bit, for every watch."""
        if not isinstance(other, GridState) or len(other.others) != len(self.others):
            return False
        pairs = zip(self.others, other.others, strict=True)
        return super().same_bits(other) and all(a.same_bits(b) for a, b in pairs)

    def to_bytes(self) -> bytes:
        """Everything as bytes that ``Grid.load`` reads."""
        parts = [super().to_bytes(), *(other.to_bytes() for other in self.others)]
        return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


@dataclass(frozen=True, slots=True, eq=False)
class GridResults(Results):
    """What the first watch says of a batch; ``others`` is what the further ones say."""

    others: tuple[Results, ...] = ()

    @classmethod
    def columns(cls) -> list[str]:
        """Names of the arrays that have one entry per point."""
        return Results.columns()

    @property
    def every(self) -> tuple[Results, ...]:
        """What each watch says, in the order of the watches."""
        return (self, *self.others)


@dataclass(frozen=True)
class Grid(Watch):
    """A watch with further ones of the same detector and prepare: they differ in rule, policy or name.

    Each says what it would say alone, bit for bit; a detector's work is done once. What is committed by a runner are
    the alerts of the first.

    Parameters
    ----------
    others : tuple of Watch
        The further watches.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband.detectors import Ewma
    >>> from watchband.pipeline.raw import Raw
    >>> from watchband.pipeline.rules import Cutoff
    >>> grid = Grid.of([Watch("cpu", Ewma(), Cutoff(x)) for x in (4, 400)])
    >>> values = np.r_[np.tile([10.0, 12.0], 30), 90.0]
    >>> results = grid.step(grid.start([SeriesKey("cpu")]), Raw.of(np.arange(61) * 60_000_000_000, values))
    >>> [len(one.alerts) for one in results.every]
    [1, 0]
    """

    others: tuple[Watch, ...] = ()

    @classmethod
    def of(cls, watches: Sequence[Watch]) -> Grid:
        """A grid of one watch or more.

        Raises
        ------
        ConfigError
            They differ in detector or prepare, or there is none.
        """
        if not watches:
            raise ConfigError("A grid is made of one watch or more. Got none.")
        first = watches[0]
        for other in watches[1:]:
            if (other.detector, other.prepare, other.join) != (first.detector, first.prepare, first.join):
                raise ConfigError(
                    "The watches of a grid share detector and prepare, and what they join. Got "
                    f"{first.detector!r} and {other.detector!r}; make a grid for each."
                )
        own = {f.name: getattr(first, f.name) for f in fields(Watch)}
        return cls(**own, others=tuple(watches[1:]))

    @cached_property
    def fingerprint(self) -> str:
        """Of every watch."""
        return combined([super().fingerprint, *(other.fingerprint for other in self.others)])

    def start(self, keys: Sequence[SeriesKey] = ()) -> GridState:
        return self._grid(super().start(keys), [other.start(keys) for other in self.others])

    def load(self, data: bytes) -> GridState:
        """Read back what ``GridState.to_bytes`` wrote; StateError as ``Watch.load``."""
        parts: list[bytes] = []
        at = 0
        while at + _LENGTH.size <= len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            parts.append(data[at + _LENGTH.size : at + _LENGTH.size + length])
            at += _LENGTH.size + length
        if at != len(data) or len(parts) != 1 + len(self.others):
            raise StateCorruptError(
                f"This state of a grid must hold {1 + len(self.others)} watches. Got {len(parts)} in {len(data)} "
                f"bytes. {ADVICE}"
            )
        loads: list[Callable[[bytes], WatchState]] = [super().load, *(other.load for other in self.others)]
        first, *others = (load(part) for load, part in zip(loads, parts, strict=True))
        return self._grid(first, others)

    def _grid(self, first: WatchState, others: list[WatchState]) -> GridState:
        state = GridState.of(first, others)
        state.share()
        return state

    def judge(self, state: WatchState, scored: Scored, *, threads: int = 0) -> GridResults:
        """What every watch says of a batch that was scored once; see ``Watch.judge``."""
        assert isinstance(state, GridState)
        mine = super().judge(state, scored, threads=threads)
        pairs = zip(self.others, state.others, strict=True)
        others = tuple(other.judge(own, scored, threads=threads) for other, own in pairs)
        columns = {name: getattr(mine, name) for name in Results.columns()}
        return GridResults(
            mine.keys, **columns, row_ordinal=mine.row_ordinal, alerts=mine.alerts, members=mine.members, others=others
        )
