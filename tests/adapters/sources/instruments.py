"""Instruments of a cold store as they answer: fourteen codes, one reading a minute, as a stream and when asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.timestamp import format_rfc3339, parse_rfc3339
from watchband.testing.outside import Answer, FaultyServer, Request

MINUTE = 60 * SECOND
CODES = ["Sensor1", "Sensor2", "Sensor3", "CurrentSetpoint", "SetpointRelativeTemp", "Hourmeter", "IsOutputRefr"]
CODES += ["IsOutputFan", "IsOutputDefr1", "IsOutputBuzzer", "IsDig1", "IsDig2", "IsOpenDoor", "ProcessStatus"]
STREAM = "/api/v1/instruments/1/stream"
VALUES = "/api/v1/instruments/1/values"


class Instruments:
    """A server of one instrument; a list of minutes, each a mapping of code to value.

    Parameters
    ----------
    begin : int
        Time of the first minute, ns.
    clock : Clock, optional
        The polled API knows only what has happened by then.
    content_type : str
        Of answers that fail with status 200.

    Attributes
    ----------
    odd : dict of int to bytes
        What the stream says of a minute instead.
    cut_after : int or None
        The stream breaks in the middle of the event after this one, once.
    pause : float
        Seconds between two events of the stream.
    page : int or None
        Minutes of one answer of the polled API; more are behind ``next``.
    """

    def __init__(self, begin: int, clock: Clock | None = None, content_type: str = "application/json") -> None:
        self.begin, self.clock = begin, clock
        self.minutes: list[dict[str, Any]] = []
        self.odd: dict[int, bytes] = {}
        self.cut_after: int | None = None
        self.pause = 0.004
        self.page: int | None = None
        self.server = FaultyServer(self.answer, clock=clock, content_type=content_type)
        self.url = self.server.url

    def add(self, **values: Any) -> int:
        """One more minute; its time."""
        self.minutes.append(dict.fromkeys(CODES, 0.0) | values)
        return self.time(len(self.minutes) - 1)

    def time(self, minute: int) -> int:
        return self.begin + minute * MINUTE

    def document(self, minutes: range, codes: list[str]) -> dict[str, Any]:
        return {
            "results": [
                {
                    "code": code,
                    "values": [{"date": format_rfc3339(self.time(k)), "value": self.minutes[k][code]} for k in minutes],
                }
                for code in codes
            ]
        }

    def answer(self, request: Request) -> Answer:
        if request.path == STREAM:
            last = request.headers.get("last-event-id", "")
            return Answer(parts=self.events(int(last) if last else 0), headers={"Content-Type": "text/event-stream"})
        codes = request.query.get("codes", ",".join(CODES)).split(",")
        since = parse_rfc3339(request.query["since"]) if "since" in request.query else self.begin
        last = len(self.minutes)
        if self.clock is not None:
            last = min(last, max(0, (self.clock.now() - self.begin) // MINUTE + 1))
        first = min(max(0, -(-(since - self.begin) // MINUTE)), last)
        first = max(first, int(request.query.get("from", 0)))
        end = last if self.page is None else min(last, first + self.page)
        document = self.document(range(first, end), codes)
        if end < last:
            document["next"] = f"{VALUES}?codes={','.join(codes)}&from={end}"
        tag = f'"{first}-{end}"'
        if request.headers.get("if-none-match") == tag:
            return Answer(status=304)
        return Answer(json.dumps(document).encode(), headers={"ETag": tag})

    def events(self, after: int) -> Iterator[bytes]:
        """Event number k is minute k - 1; comments in between."""
        yield b"\xef\xbb\xbfretry: 100\n\n"
        at = after
        while not self.server.closing.is_set():
            if at < len(self.minutes):
                data = self.odd.get(at) or json.dumps(self.document(range(at, at + 1), CODES)).encode()
                at += 1
                part = b"id: %d\ndata: %s\n\n" % (at, data)
                if self.cut_after is not None and at > self.cut_after:
                    self.cut_after = None
                    yield part[:-1]
                    return
                yield part
                time.sleep(self.pause)
            else:
                yield b": alive\n\n"
                self.server.closing.wait(0.02)

    def close(self) -> None:
        self.server.close()
