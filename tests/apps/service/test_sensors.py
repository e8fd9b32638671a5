"""The cold store of the page on event streams, served: a fault is told four minutes after it began."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.adapters.sources.instruments import MINUTE, Instruments
from tests.adapters.sources.test_pages import EXAMPLES, read
from tests.apps.service.test_service import running, until
from tests.apps.service.worlds import HandClock, KeptStore, ListSinkSettings
from watchband.apps.config.engine import EngineSettings
from watchband.apps.server.settings import ServerSettings
from watchband.core.timestamp import format_rfc3339, parse_rfc3339

BEGIN = parse_rfc3339("2021-06-10T00:00:00Z")
LEVELS = ([27.0, 27.1, 27.2, 27.3], [0.144, 0.361, 0.367, 0.128])
FAULT = range(722, 731)
"""12:02 to 12:10."""


def test_a_fault_of_the_evaporator(tmp_path: Path) -> None:
    instruments = Instruments(BEGIN, content_type="text/event-stream")
    instruments.pause = 0.0
    rng = np.random.default_rng(3)
    for minute, value in enumerate(rng.choice(LEVELS[0], 770, p=LEVELS[1]).tolist()):
        instruments.add(
            Sensor1=29.0 + (minute % 3) / 20 if minute in FAULT else value, Sensor2=25.5, CurrentSetpoint=28
        )
    # The connection breaks in the middle of the fault.
    instruments.cut_after = 725
    page = next(text for name, number, text in EXAMPLES if name == "sse" and number == 0)
    text = page.replace("https://instruments.example.com", instruments.url).replace(
        "    labels:", "    retry: 10ms\n    labels:"
    )
    phone, store = ListSinkSettings(), KeptStore()
    found = replace(
        read(text, tmp_path),
        sinks={"phone": phone},
        store=store,
        server=ServerSettings(listen="127.0.0.1:0"),
        engine=EngineSettings(tick=60_000_000_000, drain=10_000_000_000),
    )
    try:
        with running(found, HandClock(BEGIN)) as service:
            until(lambda: service.inflow.pumps["cold_store"].health.points >= 3 * 770)
            until(lambda: phone.notices)
    finally:
        instruments.close()
    opened = [n.alert for n in phone.notices if n.revision == 1]
    assert [format_rfc3339(a.opened) for a in opened] == ["2021-06-10T12:02:00Z"]
    assert opened[0].decided - opened[0].opened == 4 * MINUTE
    assert str(opened[0].series) == 'evaporator_temperature{instrument="1"}'
    assert len(instruments.server.asked) == 2
    assert instruments.server.asked[1].headers["last-event-id"] == "725"
