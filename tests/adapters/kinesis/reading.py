"""Reads a source until it has given what is expected, as a service would."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchband.core.ports import Batch, Source
from watchband.testing.contracts.source_rig import Reading, readings_of


class Worker:
    """One process: its source, its store's position, and everything that it kept."""

    def __init__(self, open_: Callable[[], Source]) -> None:
        self.open, self.position = open_, ""
        self.kept: list[Batch] = []
        self.source: Source | None = None
        self._batches: Iterator[Batch] = iter(())

    def start(self) -> None:
        """Begin to read, behind what is kept."""
        self.source = self.open()
        self._batches = self.source.read(self.position or None)

    def step(self) -> Batch:
        """One batch, kept; asking for the next says that it is durable."""
        if self.source is None:
            self.start()
        batch = next(self._batches)
        self.kept.append(batch)
        self.position = batch.position or self.position
        return batch

    def until(self, done: Callable[[], bool], most: int = 500) -> None:
        """Batches until something is so."""
        for _ in range(most):
            if done():
                return
            self.step()
        raise AssertionError(f"not so after {most} batches; {len(self.readings)} readings")

    def stop(self) -> None:
        """End in good order: leases are given back."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()
        if self.source is not None:
            self.source.close()
        self.source = None

    @property
    def readings(self) -> list[Reading]:
        """Everything that it kept."""
        return [one for batch in self.kept for one in readings_of(batch)]
