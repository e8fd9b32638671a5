"""The machine as a source: of the contract what holds where the past cannot be asked for."""

from __future__ import annotations

import pytest

from watchband.adapters.sources import host
from watchband.adapters.sources.host import HostSettings, HostSource, Sample
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import Rig


class HostRig(Rig):
    """A machine of which only the load is known."""

    resumes = False

    def __init__(self) -> None:
        super().__init__()
        self.settings = HostSettings(every=SECOND, labels={"host": "a"})
        for k in range(1, 6):
            self.expect(k)

    def expect(self, k: int) -> None:
        self.expected.append(('load_1m{host="a"}', self.clock.now() + k * SECOND, 1.5))

    def probe(self) -> Sample:
        self.requests.append(self.clock.now())
        return Sample(monotonic_s=self.clock.now() / SECOND, load_1m=1.5)

    def open(self, clock: Clock | None = None) -> HostSource:
        source = self.settings.open("rig", clock=clock or self.clock)
        source._probe = self.probe
        return source


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_it(check: str) -> None:
    CHECKS[check](HostRig)


def test_the_machine_itself() -> None:
    assert host.sample().monotonic_s > 0
