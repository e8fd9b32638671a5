"""The configurations on the pages of sources are read, and the sensors' one works against an instrument."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.adapters.sources.instruments import STREAM, VALUES, Instruments
from watchband.apps.config.config import Config, read_config
from watchband.core.duration import SECOND
from watchband.core.ports import Source
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.source_rig import readings_of, within

PAGES = Path(__file__).resolve().parents[3] / "docs" / "sources"
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (name, number, text)
    for name, page in {
        "sse": "sse",
        "poll": "poll",
        "files": "growing_files",
        "host": "host",
        "simulator": "simulator",
    }.items()
    for number, text in enumerate(FENCE.findall((PAGES / f"{page}.md").read_text()))
]
MINUTE = 60 * SECOND


def read(text: str, folder: Path) -> Config:
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    path = folder / "watchband.yaml"
    path.write_text(text.replace("/run/secrets/instruments", str(secret)))
    return read_config(path, {})


@pytest.mark.parametrize(("page", "number", "text"), EXAMPLES, ids=[f"{name}-{k}" for name, k, _ in EXAMPLES])
def test_examples_are_configurations(page: str, number: int, text: str, tmp_path: Path) -> None:
    config = read(text, tmp_path)
    assert [type(s.settings).kind for s in config.sources.values()] == [page]
    assert config.watches
    for bound in config.bounds():
        assert bound.watch


def collected(source: Source, wanted: int) -> list[tuple[str, int, float]]:
    found: list[tuple[str, int, float]] = []

    def work() -> None:
        for batch in source.read():
            found.extend(readings_of(batch))
            if len(found) >= wanted:
                return

    within(work, "reading", source.close)
    source.close()
    return found


@pytest.mark.parametrize(("page", "path"), [("sse", STREAM), ("poll", VALUES)])
def test_the_sensors_of_the_page(page: str, path: str, tmp_path: Path) -> None:
    clock = VirtualClock()
    instruments = Instruments(clock.now() - 19 * MINUTE)
    try:
        for k in range(20):
            instruments.add(Sensor1=29.0 if k >= 12 else 27.1, Sensor2=25.5, CurrentSetpoint=28.0)
        text = next(text for name, number, text in EXAMPLES if name == page and number == 0)
        config = read(text.replace("https://instruments.example.com", instruments.url), tmp_path)
        settings = config.sources["cold_store"].settings
        found = collected(settings.open("cold_store", clock=clock), 60)
        assert len(found) == 60
        evaporator = sorted((t, v) for key, t, v in found if key == 'evaporator_temperature{instrument="1"}')
        assert [v for _, v in evaporator] == [27.1] * 12 + [29.0] * 8
        assert evaporator[0][0] == instruments.begin
        (header,) = {request.headers["authorization"].split()[0] for request in instruments.server.asked}
        assert header == ("Basic" if page == "sse" else "Bearer")
        watch = config.watches["evaporator"].watch("evaporator")
        assert watch.policy.consecutive == 5
    finally:
        instruments.close()
