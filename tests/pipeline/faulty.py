"""A world that fails: stores that break between any two calls, sources that repeat themselves, sinks that refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import TransientError
from watchband.core.ports import Batch, Notice, Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, times

KEYS = (SeriesKey("cpu_percent", {"host": "a"}), SeriesKey("cpu_percent", {"host": "b"}))


class FaultyStore(MemoryStore):
    """Raises TransientError at the ``fail_at``-th call, before it takes effect or after."""

    def __init__(self, fail_at: int, after: bool, times_over: int = 1) -> None:
        super().__init__()
        self.fail_at, self.after, self.left, self.calls = fail_at, after, times_over, 0

    def _call(self, name: str, *args: Any, **named: Any) -> Any:
        self.calls += 1
        fails = self.left > 0 and self.calls >= self.fail_at
        self.left -= fails
        if fails and not self.after:
            raise TransientError(f"{name} failed before call {self.calls}")
        result = getattr(MemoryStore, name)(self, *args, **named)
        if fails:
            raise TransientError(f"{name} failed after call {self.calls}")
        return result

    def commit(self, *args: Any) -> None:
        self._call("commit", *args)

    def snapshot(self, *args: Any) -> None:
        self._call("snapshot", *args)

    def restore(self, *args: Any) -> Any:
        return self._call("restore", *args)

    def log(self, *args: Any) -> Any:
        return self._call("log", *args)

    def outbox(self, *args: Any, **named: Any) -> Any:
        return self._call("outbox", *args, **named)

    def adopt(self, *args: Any, **named: Any) -> None:
        self._call("adopt", *args, **named)

    def fold(self, *args: Any) -> Any:
        return self._call("fold", *args)

    def head(self, *args: Any) -> Any:
        return self._call("head", *args)

    def positions(self, *args: Any) -> Any:
        return self._call("positions", *args)

    def passed(self, *args: Any) -> Any:
        return self._call("passed", *args)

    def postponed(self, *args: Any) -> None:
        self._call("postponed", *args)

    def delivered(self, *args: Any) -> None:
        self._call("delivered", *args)


class ListSource:
    """Batches from a list. ``repeat``: every batch comes twice, and each read begins ``back`` batches too early."""

    name = "list"

    def __init__(self, batches: Sequence[Batch], repeat: bool = False, back: int = 0) -> None:
        self.batches, self.repeat, self.back = list(batches), repeat, back

    def read(self, position: str | None = None) -> Iterator[Batch]:
        start = 0 if position is None else max(0, int(position) - self.back)
        for batch in self.batches[start:]:
            yield batch
            if self.repeat:
                yield batch

    def close(self) -> None:
        pass


class ListSink:
    """Keeps what is written to it by id, in order; refuses the first ``refusals`` writes."""

    def __init__(self, refusals: int = 0, error: type[Exception] = TransientError, name: str = "list") -> None:
        self.name = name
        self.notices: dict[str, Notice] = {}
        self.writes, self.repeats, self.refusals, self.error = 0, 0, refusals, error

    def write(self, notice: Notice) -> None:
        self.writes += 1
        if self.writes <= self.refusals:
            raise self.error("no")
        self.repeats += notice.id in self.notices
        self.notices[notice.id] = notice

    @property
    def told(self) -> list[tuple[str, str]]:
        """Ids and texts in order."""
        return [(key, str(notice.alert.to_dict())) for key, notice in self.notices.items()]


def batches(n: int = 400, size: int = 40, seed: int = 1) -> list[Batch]:
    """Two hosts, noise, two incidents; position = number of the batch, from 1."""
    rng = np.random.default_rng(seed)
    moments = times(n, MINUTE)
    values = rng.normal(20, 1, (2, n))
    values[0, n // 2 : n // 2 + 5] += 40
    values[1, 3 * n // 4 :] -= 15
    return [
        Batch(
            [
                Readings(key, moments[start : start + size], values[k, start : start + size])
                for k, key in enumerate(KEYS)
            ],
            str(number + 1),
        )
        for number, start in enumerate(range(0, n, size))
    ]


class PatientClock:
    """Time passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)
