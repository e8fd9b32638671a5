"""A shard in memory: every watch on its way, and where the log stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchband.pipeline.bound import Lane
from watchband.pipeline.deriving import Deriving
from watchband.pipeline.shadows import Shadows

POSITIONS_MAX = 1000
"""Positions a source may repeat from; an older repeat is recognised by prepare, reading by reading."""


@dataclass
class Shard:
    """What the runner holds in memory of a shard: every watch on its way, and where the log stands."""

    shadows: Shadows
    lanes: dict[str, Lane] = field(default_factory=dict)
    sequence: int = 0
    seen: dict[str, deque[str]] = field(default_factory=dict)
    deriving: Deriving | None = None

    def note(self, sequence: int, passed: Iterable[Mapping[str, str]]) -> None:
        """The log ends with this entry, and batches up to these positions are in it."""
        self.sequence = sequence
        for source, position in (one for positions in passed for one in positions.items()):
            self.seen.setdefault(source, deque(maxlen=POSITIONS_MAX)).append(position)
