"""Streams and polled APIs keep the contract of sources, over a server that fails in every way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.adapters.sources.instruments import CODES, MINUTE, STREAM, VALUES, Instruments
from watchband.adapters.sources.poll import PollSettings
from watchband.adapters.sources.sse.source import SseSettings
from watchband.core.secret import Secret
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import HUGE, PERMANENT, TRANSIENT, Rig

METRICS = {"evaporator_temperature": "results[0].values[*]", "set_point": "results[3].values[*]"}
MILLISECOND = 1_000_000


class InstrumentRig(Rig):
    """Ten minutes of an instrument, the first three of them before the source was first read."""

    faults = (*TRANSIENT, *PERMANENT, HUGE)
    secret = "hunter2-token"

    def __init__(self, content_type: str = "application/json", held_back: bool = False) -> None:
        super().__init__()
        self.history_until = self.clock.now()
        self.instruments = Instruments(
            self.clock.now() - 3 * MINUTE, self.clock if held_back else None, content_type=content_type
        )
        self.instruments.server.clock = self.clock
        self.requests = self.instruments.server.requests
        for k in range(10):
            self.add(27.0 + k, 4.0)

    def add(self, evaporator: object, set_point: object) -> None:
        time = self.instruments.add(Sensor1=evaporator, CurrentSetpoint=set_point)
        for metric, value in zip(METRICS, (evaporator, set_point), strict=True):
            if isinstance(value, float):
                self.expected.append((f'{metric}{{instrument="1"}}', time, value))

    def more(self) -> None:
        self.add(99.0, 5.0)

    def fail(self, fault: str) -> None:
        self.instruments.server.fail(fault)

    def close(self) -> None:
        self.instruments.close()


class SseRig(InstrumentRig):
    """An event that is no JSON, and a value that is no number."""

    bad = 2

    def __init__(self) -> None:
        super().__init__("text/event-stream")
        self.settings = SseSettings(
            url=self.instruments.url + STREAM,
            token=Secret(self.secret),
            readings=METRICS,
            time="date",
            labels={"instrument": "1"},
            timeout=300 * MILLISECOND,
            retry=100 * MILLISECOND,
            lateness=0,
        )
        self.instruments.odd[len(self.instruments.minutes)] = b'{"results": ['
        self.instruments.add()
        self.add("n/a", 4.5)


class PollRig(InstrumentRig):
    """A value that is no number, in an answer that has others; a page is three minutes."""

    def __init__(self) -> None:
        super().__init__(held_back=True)
        self.instruments.page = 2
        self.settings = PollSettings(
            url=self.instruments.url + VALUES,
            token=Secret(self.secret),
            params={"codes": ",".join(CODES), "since": "{since}"},
            readings=METRICS,
            time="date",
            labels={"instrument": "1"},
            timeout=300 * MILLISECOND,
            max_bytes=1 << 20,
            lateness=0,
            next="next",
        )


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("rig", [SseRig, PollRig], ids=lambda rig: rig.__name__)
def test_the_source_keeps_it(rig: Callable[[], Rig], check: str) -> None:
    CHECKS[check](rig)
