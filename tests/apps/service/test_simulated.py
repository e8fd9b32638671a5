"""The simulator as a source: the contract where it applies, the speed, and what it says it put in."""

from __future__ import annotations

import logging

import pytest

from watchband.apps.config.config import read_config
from watchband.apps.service.simulated import SimulatorSettings
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, PermanentError
from watchband.core.series import SeriesKey
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import RESTART_S, Play, Rig

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class SimulatorRig(Rig):
    """Two series, six hours of the past and one hour at 600 times its speed; a fault in it."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = SimulatorSettings(
            series=2, history=6 * HOUR, length=HOUR, speed="600x", interval=5 * MINUTE, faults=("spike",), seed=3
        )
        began = self.clock.now()
        self.history_until = self.settings.start(began) + 6 * HOUR
        for series, arrived in self.settings.simulation(began).readings():
            key = str(SeriesKey.parse(series.name))
            self.expected += [(key, t, v) for t, v in zip(arrived.times.tolist(), arrived.values.tolist(), strict=True)]


@pytest.mark.parametrize("check", sorted(CHECKS.keys() - {"goes_on"}))
def test_the_source_keeps_it(check: str) -> None:
    CHECKS[check](SimulatorRig)


def test_the_play_takes_its_time_and_no_reading_is_of_the_future() -> None:
    rig = SimulatorRig()
    began = rig.clock.now()
    play = Play(rig).run()
    live = [b for b in play.kept if not b.history]
    ended = rig.clock.now() - round(RESTART_S * SECOND)
    assert 5 * SECOND <= ended - began <= 7 * SECOND, "an hour at 600 times its speed"
    newest = max(t for b in live for r in b.readings for t in r.times.tolist())
    assert ended - 10 * MINUTE <= newest <= ended


def test_it_says_what_it_put_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchband.source")
    settings = SimulatorSettings(
        history=HOUR, length=6 * HOUR, speed="max", interval=MINUTE, faults=("spike", "trend_drift@+5h")
    )
    source = settings.open("plant", clock=VirtualClock())
    batches = list(source.read())
    assert sum(b.history for b in batches) == 1
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert "a spike into" in said[0]
    assert all("the simulator put a" in text and "expect" in text for text in said)


@pytest.mark.parametrize("seed", range(6))
def test_faults_that_are_spread_make_room_for_each_other(seed: int) -> None:
    faults = ("spike", "level_shift", "gap", "trend_drift")
    settings = SimulatorSettings(what=("cpu", "latency"), series=4, faults=faults, seed=seed)
    assert len(list(settings.simulation(VirtualClock().now()).labels)) == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"speed": "quick"}, "speed"), ({"what": ("nothing",)}, "nothing"), ({"faults": ("bang",)}, "bang")],
)
def test_settings_that_make_no_sense(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SimulatorSettings(**changes)  # type: ignore[arg-type]


def test_a_position_of_something_else_is_refused() -> None:
    with pytest.raises(PermanentError, match="of another kind"):
        next(SimulatorSettings().open("s", clock=VirtualClock()).read("[1]"))


def test_the_configuration(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "watchband.yaml"
    path.write_text("sources: {plant: {kind: simulator, what: [cpu, latency], series: 4, speed: 60x, faults: spike}}\n")
    settings = read_config(path, {}).sources["plant"].settings
    assert isinstance(settings, SimulatorSettings)
    assert (settings.what, settings.rate) == (("cpu", "latency"), 60.0)
