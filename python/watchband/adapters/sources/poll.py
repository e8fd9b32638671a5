"""JSON APIs that are asked again and again. See ``docs/sources/poll.md`` for what is delivered and what is not."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from watchband.adapters.outbound import Answer
from watchband.adapters.sources.web.mapping import readings_of
from watchband.adapters.sources.web.paths import Match, Path
from watchband.adapters.sources.web.settings import WebSettings
from watchband.adapters.sources.web.waiting import Waiting
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, DataError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.kinds import Duration
from watchband.core.params import Integer, Maybe, Text, param
from watchband.core.ports import Batch
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.source")
BATCH_POINTS = 10_000
SERIES_MAX = 5_000
"""Series whose last times a position remembers; of further ones readings are repeated after a restart."""
SEEN_MAX = 200_000
"""Series that are remembered while it runs."""
POINTS_MAX = 2_000_000
"""Readings of one round of asking."""
_NEXT = re.compile(r"<([^<>]*)>[^,<]*;\s*rel=\"?next\"?", re.IGNORECASE)

Point = tuple[SeriesKey, int, float]


@dataclass(frozen=True, kw_only=True)
class PollSettings(WebSettings):
    """An API that answers with JSON."""

    kind: ClassVar[str] = "poll"
    every: int = param(MINUTE, Duration(10_000_000), "How often it is asked.")
    next: str | None = param(
        None, Maybe(Text("a path")), "Path of the address of the next page in an answer; a Link header is followed too."
    )
    pages_max: int = param(100, Integer(1, 10_000), "Pages that are followed in one round.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.next is not None and not Path(self.next).single:
            raise ConfigError(f"The path {self.next!r} leads to one place, not to many: leave out the *.")

    def open(self, name: str, *, clock: Clock) -> PollSource:
        """The source; nothing is asked before ``read``."""
        return PollSource(name, self, clock)


@dataclass
class Seen:
    """What was delivered: when the source was first read, and of each series the time of its last reading."""

    began: int
    last: dict[str, int] = field(default_factory=dict)

    def takes(self, key: SeriesKey, time: int) -> bool:
        """Whether a reading is new; from then on it is not."""
        name = key.fingerprint
        if time <= self.last.get(name, -(2**63)):
            return False
        self.last.pop(name, None)
        self.last[name] = time
        if len(self.last) > SEEN_MAX:
            del self.last[next(iter(self.last))]
        return True

    @property
    def newest(self) -> int | None:
        """Time of the newest reading of all."""
        return max(self.last.values(), default=None)

    def __str__(self) -> str:
        times: dict[int, list[str]] = {}
        for name, time in list(self.last.items())[-SERIES_MAX:]:
            times.setdefault(time, []).append(name)
        return json.dumps([self.began, {t: "".join(sorted(n)) for t, n in times.items()}], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Seen:
        """The inverse of ``str``."""
        try:
            began, times = json.loads(text)
            found = cls(int(began))
            for time, names in times.items():
                found.last.update({names[at : at + 16]: int(time) for at in range(0, len(names), 16)})
            return found
        except (ValueError, TypeError, AttributeError):
            raise PermanentError(
                f"The position {text[:80]!r} is none of a polled API. Was the source of this name of another kind? "
                "Give it another name."
            ) from None


class PollSource:
    """Asks an API every so often and delivers what is new.

    Parameters
    ----------
    name : str
        Of the source.
    settings : PollSettings
        What the user wrote.
    clock : Clock
        Says when readings came, and waits.

    Attributes
    ----------
    refused : int
        Parts of answers that were no readings, each as often as it was answered.
    """

    def __init__(self, name: str, settings: PollSettings, clock: Clock) -> None:
        self.name, self.settings, self.clock = name, settings, clock
        self._outbound = settings.outbound()
        self._mapper = settings.mapper(name)
        self._next = None if settings.next is None else Path(settings.next)
        self._waiting = Waiting(clock)
        self._unchanged: dict[str, str] = {}
        self._marked = -(2**63)
        self._first = True

    @property
    def refused(self) -> int:
        """How much was set aside."""
        return self._mapper.refused

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """What is new, once a round, until ``close``."""
        seen = Seen.parse(position) if position else Seen(self.clock.now())
        self._unchanged, self._first = {}, not position
        while not self._waiting.ended:
            asked = self.clock.now()
            try:
                points = self._round(seen, asked)
            except (TransientError, PermanentError):
                if self._waiting.ended:
                    return
                raise
            yield from self._batches(points, seen, asked)
            self._waiting.wait((asked + self.settings.every - self.clock.now()) / SECOND)

    def close(self) -> None:
        """End ``read``, also where it waits for an answer."""
        self._waiting.end()
        self._outbound.close()

    def _round(self, seen: Seen, now: int) -> list[Point]:
        """Every reading of all pages, by time."""
        points: list[Point] = []
        url: str | None = self.settings.url
        first = True
        for _ in range(self.settings.pages_max):
            answer = self._asked(str(url), seen, first)
            if answer is None:
                return []
            points += self._points(answer, now)
            if len(points) > POINTS_MAX:
                raise PermanentError(f"One round of asking gave more than {POINTS_MAX:,} readings. Ask for less.")
            url = self._following(answer, str(url))
            if url is None:
                break
            # Of pages that follow each other the first says nothing about the others.
            self._unchanged = {}
            first = False
        else:
            log.warning(
                "there are more than %d pages; the rest comes later or never", self.settings.pages_max,
                extra={"source": self.name},
            )  # fmt: skip
        return sorted(points, key=lambda point: point[1])

    def _asked(self, url: str, seen: Seen, first: bool) -> Answer | None:
        """One page; None where nothing has changed since it was last asked for."""
        settings = self.settings
        try:
            headers = {"Accept": "application/json", **settings.sent()}
        except ConfigError as error:
            raise TransientError(str(error)) from None
        newest = seen.newest
        since = seen.began - settings.backfill if newest is None else newest - settings.lateness
        asked = settings.asked(since) if first else {}
        if first and not any("{since" in text for text in settings.params.values()):
            headers |= self._unchanged
        answer = self._outbound.request("GET", url, headers=headers, params=asked or None, allow=(304,))
        if answer.status == 304:
            return None
        if first:
            pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
            self._unchanged = {name: answer.headers[field] for name, field in pairs if field in answer.headers}
        return answer

    def _points(self, answer: Answer, now: int) -> Sequence[Point]:
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            self._unchanged = {}
            raise TransientError(
                f"The answer of {len(answer.body):,} bytes is no JSON. Is there a proxy or another program at this "
                "address?"
            ) from None
        self._document = document
        try:
            return self._mapper.document(document, now).points
        except DataError as error:
            raise PermanentError(str(error)) from None

    def _following(self, answer: Answer, url: str) -> str | None:
        """Address of the next page; only of the same server, which is the one that the credentials are for."""
        link: object = None
        if self._next is not None:
            link = next((match.value for match in self._next.matches(Match(self._document))), None)
        elif (header := _NEXT.search(answer.headers.get("link", ""))) is not None:
            link = header[1]
        if not isinstance(link, str) or not link:
            return None
        there = urljoin(url, link)
        if urlsplit(there)[:2] != urlsplit(self.settings.url)[:2]:
            raise PermanentError("The next page is on another server, which gets no credentials. Ask that one itself.")
        return there

    def _batches(self, points: Sequence[Point], seen: Seen, asked: int) -> Iterator[Batch]:
        """What is new of a round: the past and the present apart, then how far everything has been seen."""
        new: list[Point] = []
        for past in (True, False):
            new = []
            for key, time, value in points:
                if (time < seen.began) == past and seen.takes(key, time):
                    new.append((key, time, value))
                    if len(new) == BATCH_POINTS:
                        yield Batch(readings_of(new), str(seen), history=past)
                        new = []
            if new and past:
                yield Batch(readings_of(new), str(seen), history=True)
        mark = max(self._marked, asked - self.settings.lateness)
        self._marked = mark
        # The first batch says in any case when the source was first read.
        position = str(seen) if new or self._first else ""
        self._first = False
        yield Batch(readings_of(new), position, (WatermarkMoved(mark),))
