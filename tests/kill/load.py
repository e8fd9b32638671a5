"""Load: senders that push points of their own series until each is acknowledged, and remember what was."""

from __future__ import annotations

import http.client
import json
import random
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cramjam

from watchband.core.series import SeriesKey

SECOND = 1_000_000_000
SPIKE_EVERY = 40
ENOUGH = 2 * SPIKE_EVERY
"""Steps after which every series has had a spike that a detector of a few readings knows."""


def value_of(series: int, step: int) -> float:
    """A small wave with a spike of three points now and then: a pure function, so that all know what was sent."""
    wave = 10.0 + ((step * 7 + series * 3) % 11) / 10.0
    return wave + (30.0 if (step + 5 * series) % SPIKE_EVERY in (30, 31, 32) else 0.0)


@dataclass
class Sender(threading.Thread):
    """Sends one point of each of its series a step, again and again until it is taken, then the next step.

    Parameters
    ----------
    label : str
        Part of its series' labels.
    form : {"json", "remote_write"}
        How it speaks.
    ports : list of int
        Of whoever may take it; the next is tried when one does not.
    series : int
        How many.
    first : int
        Time of the first step, ns UTC.
    seed : int
        Of its pauses.
    patience_s : float
        It waits so long for an answer.
    """

    label: str
    form: str
    ports: list[int]
    series: int
    first: int
    seed: int
    patience_s: float = 10.0
    acknowledged: int = 0
    tries: int = 0
    refused: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(name=f"sender {self.label}", daemon=True)
        self._ended = threading.Event()
        self._port = 0
        self.error = ""

    __hash__ = threading.Thread.__hash__

    def keys(self) -> list[SeriesKey]:
        """Its series."""
        return [SeriesKey("load", {"by": self.label, "n": str(n)}) for n in range(self.series)]

    def time_of(self, step: int) -> int:
        """When a step's points were measured."""
        return self.first + step * SECOND

    def end(self) -> None:
        """Stop after the step that is under way."""
        self._ended.set()

    def run(self) -> None:
        """Send until it is ended."""
        chance = random.Random(self.seed)
        while not self._ended.is_set():
            body = self._body(self.acknowledged)
            while not self._send(body):
                if self._ended.wait(chance.uniform(0.02, 0.1)):
                    return
            self.acknowledged += 1

    def _send(self, body: bytes) -> bool:
        self.tries += 1
        path = "/api/v1/points" if self.form == "json" else "/api/v1/write"
        media = "application/json" if self.form == "json" else "application/x-protobuf"
        port = self.ports[self._port % len(self.ports)]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.patience_s)
        try:
            connection.request("POST", path, body, {"Content-Type": media})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._port += 1
            return False
        finally:
            connection.close()
        if answer.status in (200, 204):
            return True
        self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
        if answer.status not in (429, 503):
            self.error = f"{answer.status}: {said[:300]!r}"
        self._port += 1
        return False

    def _body(self, step: int) -> bytes:
        moment = self.time_of(step)
        if self.form == "json":
            points = [
                {"series": str(key), "time": moment, "value": value_of(n, step)} for n, key in enumerate(self.keys())
            ]
            return json.dumps(points).encode()
        return RemoteWrite(self.keys()).body(moment, [value_of(n, step) for n in range(self.series)])


class RemoteWrite:
    """Requests of remote write, version 1, with one sample of each series; written by hand.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series, whose labels are written once.
    """

    def __init__(self, keys: Sequence[SeriesKey]) -> None:
        self._labels = [
            b"".join(
                _field(1, _field(1, name.encode()) + _field(2, value.encode()))
                for name, value in sorted({"__name__": key.metric, **key.labels}.items())
            )
            for key in keys
        ]

    def body(self, moment: int, values: Sequence[float]) -> bytes:
        """A request with a value of each series at one time, ns UTC."""
        tail = b"\x10" + _varint(moment // 1_000_000)
        parts = [
            _field(1, labels + _field(2, b"\x09" + struct.pack("<d", value) + tail))
            for labels, value in zip(self._labels, values, strict=True)
        ]
        return bytes(cramjam.snappy.compress_raw(b"".join(parts)))


def senders_to(ports: list[int], patience_s: float = 10.0) -> list[Sender]:
    """Four of them, of both forms, with points of now and later."""
    now = time.time_ns()
    forms = ("json", "remote_write", "json", "remote_write")
    return [Sender(f"s{n}", form, ports, 12, now - now % SECOND, n, patience_s) for n, form in enumerate(forms)]


def _field(number: int, content: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def wait_for(holds: Callable[[], object], seconds: float, what: str, state: Callable[[], str] = lambda: "") -> None:
    """Wait until a function says yes; a test that waits longer has failed."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}. {state()}"
        time.sleep(0.02)
