"""Files that grow as a source. See ``docs/sources/growing_files.md`` for what is delivered and what is not."""

from __future__ import annotations

import glob
import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.tail.follow import Follower, Here, Track, blocks, first_lines
from watchband.adapters.sources.tail.rows import SAMPLE_BYTES, Layout, Parsed, layout_of
from watchband.adapters.sources.web.waiting import Waiting
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import DataError, PermanentError
from watchband.core.events import WatermarkMoved
from watchband.core.kinds import Duration, FilePath, ListOf
from watchband.core.params import REQUIRED, Choice, Flag, Maybe, Text, param
from watchband.core.ports import Batch

log = logging.getLogger("watchband.source")
MARK_S = 10.0


@dataclass(frozen=True, kw_only=True)
class FilesSettings:
    """Files of CSV or JSON Lines that other programs append to."""

    kind: ClassVar[str] = "files"
    paths: tuple[str, ...] = param(REQUIRED, ListOf(FilePath(), 1), "Files and globs, such as metrics/*.csv.")
    every: int = param(SECOND, Duration(10_000_000), "How often they are looked at.")
    format: str | None = param(None, Maybe(Choice(("csv", "jsonl"))), "CSV or JSON Lines; else told from the content.")
    time: str | None = param(None, Maybe(Text("a column")), "The column of times; else found.")
    values: tuple[str, ...] = param((), ListOf(Text("a column")), "The columns of values; else all numbers.")
    labels: tuple[str, ...] = param((), ListOf(Text("a column")), "The columns that are labels; else found.")
    metric: str | None = param(None, Maybe(Text("a name")), "Name of the metric, where there is one column of values.")
    timezone: str = param("UTC", Text("an IANA time zone"), "Of times that carry none.")
    day_first: bool | None = param(None, Maybe(Flag()), "3/4/2026 is 3 April (true) or 4 March (false); else found.")
    file_label: str | None = param(
        None, Maybe(Text("a label")), "Label with the file's name; by default `file` for several paths or a glob."
    )
    delay: int = param(
        60 * SECOND, Duration(0), "How long after its time a row may be written; silence counts from there."
    )
    lateness: int = param(
        0, Duration(0), "How much readings may come out of order; each waits so long before it is judged."
    )

    def __post_init__(self) -> None:
        params.check(self)
        _ = self.hints

    @property
    def hints(self) -> Hints:
        """What the readers of files are told."""
        return Hints(
            format=self.format,
            time=self.time,
            values=self.values,
            labels=self.labels,
            metric=self.metric,
            timezone=self.timezone,
            day_first=self.day_first,
        )

    @property
    def label(self) -> str:
        """The label that holds the file's name; empty: none."""
        if self.file_label is not None:
            return self.file_label
        return "file" if len(self.paths) > 1 or any(map(glob.has_magic, self.paths)) else ""

    def open(self, name: str, *, clock: Clock) -> FilesSource:
        """The source; no file is looked at before ``read``."""
        return FilesSource(name, self, clock)


@dataclass
class Place:
    """When the source was first read, and how far each file."""

    began: int
    tracks: list[Track] = field(default_factory=list)

    def __str__(self) -> str:
        return json.dumps([self.began, [track.dump() for track in self.tracks]], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of ``str``."""
        try:
            began, tracks = json.loads(text)
            return cls(int(began), [Track(str(t[0]), int(t[1]), str(t[2]), int(t[3]), int(t[4])) for t in tracks])
        except (ValueError, TypeError, IndexError):
            raise PermanentError(
                f"The position {text[:80]!r} is none of files. Was the source of this name of another kind? Give it "
                "another name."
            ) from None


class FilesSource:
    """Reads what is added to files.

    Parameters
    ----------
    name : str
        Of the source.
    settings : FilesSettings
        What the user wrote.
    clock : Clock
        Waits, and says when reading began.

    Attributes
    ----------
    refused : int
        Rows and cells that were no readings.
    """

    def __init__(self, name: str, settings: FilesSettings, clock: Clock) -> None:
        self.name, self.settings, self.clock = name, settings, clock
        self.refused = 0
        self._waiting = Waiting(clock)
        self._told: dict[str, int] = {}
        self._marked = -(2**63)

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """What is added, until ``close``; each position is behind the last whole line that was read."""
        place = Place.parse(position) if position else Place(self.clock.now())
        follower = Follower(self.settings.paths, place.tracks)
        first = not position
        while not self._waiting.ended:
            looked = self.clock.now()
            for here in follower.look():
                for batch in self._grown(follower, here, place):
                    first = False
                    yield batch
                    if self._waiting.ended:
                        return
            if looked >= self._marked + MARK_S * SECOND:
                self._marked = looked
                mark = looked - max(self.settings.delay, self.settings.lateness)
                yield Batch((), str(place) if first else "", (WatermarkMoved(mark),))
                first = False
            self._waiting.wait((looked + self.settings.every - self.clock.now()) / SECOND)

    def close(self) -> None:
        """End ``read``."""
        self._waiting.end()

    def _grown(self, follower: Follower, here: Here, place: Place) -> Iterator[Batch]:
        """What one file has that was not read."""
        track = here.track
        if track is not None and not here.packed and here.size <= track.offset:
            return
        try:
            layout = self._layout(follower, here)
            if layout is None:
                return
            track = here.track
            assert track is not None
            for block in blocks(here, track.offset):
                for lines, parsed, past in self._parts(layout, block, place.began):
                    track.offset += len(lines)
                    follower.grown(here, track)
                    self.refused += parsed.refused
                    if parsed.refused:
                        self._tell(here, f"{parsed.refused} rows or cells are no readings")
                    yield Batch(parsed.readings(), str(place), (), past)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            # ValueError: DataError and ConfigError among them. Other files go on, and so may this one.
            self._tell(here, str(error))

    def _layout(self, follower: Follower, here: Here) -> Layout | None:
        """How a file is read; None where it has no row yet."""
        track = here.track
        if track is not None and isinstance(track.layout, Layout):
            return track.layout
        sample = first_lines(here.path, SAMPLE_BYTES if track is None else track.sample)
        if not sample:
            return None
        try:
            layout = layout_of(sample, here.line, self.settings.hints, self.settings.label)
        except DataError:
            # One line may be a header whose rows are still to come.
            if sample.count(b"\n") < 2:
                return None
            raise
        if track is None:
            track = follower.begin(here, sample, layout.skip)
        track.layout = layout
        return layout

    def _parts(self, layout: Layout, lines: bytes, began: int) -> Iterator[tuple[bytes, Parsed, bool]]:
        """Lines as readings, the past and the present apart."""
        parsed = layout.parse(lines)
        past = parsed.times < began
        if past.all() or not past.any() or lines.count(b"\n") < 2:
            yield lines, parsed, bool(len(past)) and bool(past.any())
            return
        middle = lines.find(b"\n", len(lines) // 2 - 1) + 1
        if middle >= len(lines):
            middle = lines.find(b"\n") + 1
        yield from self._parts(layout, lines[:middle], began)
        yield from self._parts(layout, lines[middle:], began)

    def _tell(self, here: Here, what: str) -> None:
        """Once for each file and each doubling of its size."""
        if here.size >= self._told.get(str(here.path), 0):
            self._told[str(here.path)] = 2 * here.size + 1
            log.warning("%s: %s", here.path, what, extra={"source": self.name})
