"""What every fold with a state shares: how its state starts, is read back, is upgraded and is checked."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from watchband.core.errors import PointsShapeError, StateMismatchError, StateVersionError, TimeOrderError
from watchband.core.points import Points
from watchband.core.state import HEADER_BYTES, Field, State


def fingerprint(name: str, values: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits for a name and the parameters that shape a state."""
    text = json.dumps([name, dict(sorted(values.items()))], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def check_follows(state: State, points: Points) -> None:
    """Raise unless a batch belongs to the series of a state and comes later than all that it has folded.

    Raises
    ------
    PointsShapeError, TimeOrderError
        A row that the state does not have; times that it has seen.
    """
    if points.series and int(points.rows.max()) >= state.series:
        raise PointsShapeError(
            f"Row {int(points.rows.max())} is not in this state of {state.series} series. Start it with more."
        )
    if not len(points):
        return
    some, rows = points.folded()
    first, last = points.times[points.offsets[:-1][some]], state.last_time[rows]
    if (late := first <= last).any():
        at = int(np.argmax(late))
        row = int(np.arange(state.series)[rows][at])
        raise TimeOrderError(
            f"State row {row} has folded time {int(last[at])}; the batch begins at "
            f"{int(first[at])}. Leave out points that were folded before."
        )


def count(state: State, points: Points) -> None:
    """Note in a state that a batch, which holds points, has been folded."""
    some, rows = points.folded()
    ends = points.offsets[1:][some]
    state.points_seen[rows] += ends - points.offsets[:-1][some]
    state.last_time[rows] = points.times[ends - 1]


class Fold(ABC):
    """Base of detectors and of the stages of a pipeline: a name, a version and a layout make a state."""

    name: ClassVar[str]
    state_version: ClassVar[int] = 1

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Of everything that shapes the state or its meaning."""

    @abstractmethod
    def layout(self) -> dict[str, Field]:
        """The arrays of one series for these parameters."""

    @property
    def state_bytes_max(self) -> int:
        """Bytes a series in memory, known before the fold is used."""
        return HEADER_BYTES + sum(f.nbytes for f in self.layout().values())

    @property
    def written_bytes_max(self) -> int:
        """Bytes a series when written: without the arrays that are derived from others."""
        return HEADER_BYTES + sum(f.nbytes for f in self.layout().values() if not f.derived)

    def start(self, series: int = 1) -> State:
        """A state for ``series`` series that have seen nothing."""
        return State.blank(self.name, self.state_version, self.fingerprint, self.layout(), series)

    def load(self, data: bytes) -> State:
        """Read a state back for this fold, upgraded if an older release wrote it.

        Raises
        ------
        StateError
            The bytes are damaged, or belong to another fold, other parameters or a newer release.
        """
        state = State.from_bytes(data)
        if state.detector == self.name and state.version < self.state_version:
            state = self.upgrade(state)
        self.check_state(state)
        return state

    def upgrade(self, state: State) -> State:
        """Turn a state of an older ``state_version`` into a current one. Override when arrays change."""
        raise StateVersionError(
            f"This state of {self.name!r} has version {state.version}, and no upgrade to {self.state_version} "
            "exists. Start cold with start() and fold the log again."
        )

    def check_state(self, state: State) -> None:
        """Raise unless ``state`` belongs to this fold with these parameters and its arrays are those of the layout.

        Raises
        ------
        StateMismatchError, StateVersionError, StateCorruptError
            Another fold, other parameters; another release; other arrays.
        """
        if state.detector != self.name:
            raise StateMismatchError(
                f"This state belongs to {state.detector!r}, not to {self.name!r}. Use that, or start cold with start()."
            )
        if state.version != self.state_version:
            raise StateVersionError(
                f"This state of {self.name!r} has version {state.version}, this release uses "
                f"{self.state_version}. Read it with load(bytes), which upgrades, or start cold with start()."
            )
        if state.fingerprint != self.fingerprint:
            raise StateMismatchError(
                f"This state of {self.name!r} was written for other parameters (fingerprint "
                f"{state.fingerprint}, expected {self.fingerprint}). Use the same parameters, or start cold."
            )
        state.check_arrays(self._shapes)

    @cached_property
    def _shapes(self) -> dict[str, tuple[np.dtype[np.generic], int]]:
        return {name: (np.dtype(f.dtype), f.width) for name, f in self.layout().items() if not f.derived}
