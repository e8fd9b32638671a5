"""Instruments that push over server-sent events. See ``docs/sources/sse.md`` for what is delivered and what is not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from watchband.adapters.outbound import Limits, Stream
from watchband.adapters.sources.sse.events import Event, EventStream
from watchband.adapters.sources.web.mapping import readings_of
from watchband.adapters.sources.web.settings import WebSettings
from watchband.adapters.sources.web.waiting import Waiting, pause_s
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.events import ControlEvent, SourceResumed, WatermarkMoved
from watchband.core.kinds import Duration, ListOf
from watchband.core.params import Text, param
from watchband.core.ports import Batch
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.source")
TRIES_MAX = 4
"""Failures in a row that are borne in silence; then whoever reads is told."""
QUIET_S = 5.0
"""A stream that is alive and gave no event for so long has nothing more to say of the time before."""
MARK_S = 10.0
"""So often it says that."""


@dataclass(frozen=True, kw_only=True)
class SseSettings(WebSettings):
    """A stream of server-sent events whose data are JSON."""

    kind: ClassVar[str] = "sse"
    events: tuple[str, ...] = param((), ListOf(Text("the type of an event")), "Only events of these types; none: all.")
    idle: int = param(5 * MINUTE, Duration(10_000_000), "A stream that is silent for so long is opened anew.")
    retry: int = param(3 * SECOND, Duration(1_000_000), "Before reconnecting, unless the stream says another time.")

    def open(self, name: str, *, clock: Clock) -> SseSource:
        """The source; nothing is connected before ``read``."""
        return SseSource(name, self, clock)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream has been read to.

    ``began`` is when the source was first read, ns UTC; ``id`` the last id the stream gave, ``since`` the number of
    events that came after it without one.
    """

    began: int
    id: str = ""
    since: int = 0

    def after(self, event: Event) -> Place:
        """The place after an event."""
        return replace(self, id=event.id, since=0) if event.named else replace(self, since=self.since + 1)

    def __str__(self) -> str:
        return json.dumps([self.began, self.id, self.since], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of ``str``."""
        try:
            began, last_id, since = json.loads(text)
            return cls(int(began), str(last_id), int(since))
        except (ValueError, TypeError):
            raise PermanentError(
                f"The position {text[:80]!r} is none of an event stream. Was the source of this name of another kind? "
                "Give it another name."
            ) from None


class SseSource:
    """Reads a stream and opens it anew from where it was when it breaks.

    Parameters
    ----------
    name : str
        Of the source.
    settings : SseSettings
        What the user wrote.
    clock : Clock
        Says when readings came, and waits.

    Attributes
    ----------
    refused : int
        Events, and parts of them, that were no readings.
    """

    def __init__(self, name: str, settings: SseSettings, clock: Clock) -> None:
        self.name, self.settings, self.clock = name, settings, clock
        self._outbound = settings.outbound()
        self._mapper = settings.mapper(name)
        self._waiting = Waiting(clock)
        self._retry_s = settings.retry / SECOND
        self._marked = -(2**63)
        self._newest = -(2**63)
        self._told = self._active = 0
        self._first = True

    @property
    def refused(self) -> int:
        """How much was set aside."""
        return self._mapper.refused

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches as events come, until ``close``; each position is that of the last event in its batch."""
        place = Place.parse(position) if position else Place(self.clock.now())
        self._first, failures = not position, 0
        while not self._waiting.ended:
            error = TransientError("the stream ended")
            try:
                for reached, batch in self._connected(place):
                    place = reached
                    failures = 0 if batch.readings else failures
                    yield batch
            except PermanentError:
                if self._waiting.ended:
                    return
                raise
            except TransientError as broken:
                error = broken
            failures += 1
            if self._waiting.ended:
                return
            if failures >= TRIES_MAX:
                raise error
            seconds = max(pause_s(self.name, failures - 1, self._retry_s), error.retry_after or 0.0)
            log.info("reconnecting in %.1f s: %s", seconds, error, extra={"source": self.name})
            self._waiting.wait(seconds)

    def close(self) -> None:
        """End ``read``, also where it waits for an event."""
        self._waiting.end()
        self._outbound.close()

    def _connected(self, place: Place) -> Iterator[tuple[Place, Batch]]:
        """One connection from beginning to end."""
        settings = self.settings
        since = None if place.id else place.began - settings.backfill
        seconds = settings.timeout / SECOND
        limits = Limits(connect=min(5.0, seconds), read=settings.idle / SECOND, total=seconds)
        headers = self._headers(place)
        with self._outbound.stream(
            "GET", settings.url, headers=headers, params=settings.asked(since) or None, limits=limits
        ) as stream:
            _check(stream)
            log.info("the stream is open", extra={"source": self.name})
            news: list[ControlEvent] = [SourceResumed(self.clock.now())]
            events = EventStream(place.id)
            self._active = self.clock.now()
            for chunk in stream.chunks():
                if self._waiting.ended:
                    return
                came = list(events.feed(chunk))
                if came or events.half:
                    self._active = self.clock.now()
                if events.retry_ms is not None:
                    self._retry_s = max(0.1, events.retry_ms / 1000)
                for reached, batch in self._batches(came, place):
                    place = reached
                    yield place, replace(batch, events=(*news, *batch.events))
                    news, self._first = [], False
                if not came and not events.half and (mark := self._heard()):
                    # The first batch says in any case when the source was first read.
                    yield place, Batch((), str(place) if self._first else "", (*news, mark))
                    news, self._first = [], False

    def _headers(self, place: Place) -> dict[str, str | bytes]:
        try:
            sent = self.settings.sent()
        except ConfigError as error:
            raise TransientError(str(error)) from None
        resume = {"Last-Event-ID": place.id.encode()} if place.id else {}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store", **sent, **resume}

    def _batches(self, events: Sequence[Event], place: Place) -> Iterator[tuple[Place, Batch]]:
        """Events as batches: the past and what is new apart."""
        now = self.clock.now()
        points: list[tuple[SeriesKey, int, float]] = []
        past = moved = False
        for event in events:
            found = self._points(event, now)
            old = bool(found) and max(time for _, time, _ in found) < place.began
            if found and points and old != past:
                yield place, self._batch(points, place, past)
                points = []
            past = old if found else past
            points += found
            place = place.after(event)
            moved |= event.named
        if points or moved:
            yield place, self._batch(points, place, past and bool(points))

    def _points(self, event: Event, now: int) -> list[tuple[SeriesKey, int, float]]:
        if self.settings.events and event.type not in self.settings.events:
            return []
        return list(self._mapper.text(event.data, now).points)

    def _batch(self, points: Sequence[tuple[SeriesKey, int, float]], place: Place, past: bool) -> Batch:
        events: tuple[WatermarkMoved, ...] = ()
        if points and not past:
            self._newest = max(self._newest, *(time for _, time, _ in points))
            events = self._mark(min(self._newest, self.clock.now()) - self.settings.lateness)
        return Batch(readings_of(points), str(place), events, past)

    def _mark(self, time: int) -> tuple[WatermarkMoved, ...]:
        if time <= self._marked:
            return ()
        self._marked = time
        return (WatermarkMoved(time),)

    def _heard(self) -> WatermarkMoved | None:
        """The stream is alive and has been quiet for a while: all that was before now has come."""
        now = self.clock.now()
        if now < max(self._active + QUIET_S * SECOND, self._told + MARK_S * SECOND):
            return None
        self._told = now
        return next(iter(self._mark(now - self.settings.lateness)), None)


def _check(stream: Stream) -> None:
    if stream.status == 204:
        raise PermanentError("The server answers 204, which means that there is no stream here any more.", status=204)
    kind = stream.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raise TransientError(
            f"The answer is {kind[:60] or 'of no kind'}, not text/event-stream. Is the address that of a stream? For "
            "an API that is asked again and again use kind: poll."
        )
