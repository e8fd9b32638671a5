"""The Prometheus source keeps what every source promises."""

from __future__ import annotations

import pytest

from tests.adapters.prometheus.api import Api
from watchband.adapters.sources.prometheus.settings import Prometheus
from watchband.core.duration import MINUTE, SECOND
from watchband.core.secret import Secret
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import HUGE, PERMANENT, TRANSIENT, Rig

PAST, NEWS = 4, 4
SECRET = "a token that is long"


class PrometheusRig(Rig):
    """Two queries of two series, minute by minute: four of the past, four to come; once a series is a histogram."""

    bad, faults, secret = 1, (*TRANSIENT, *PERMANENT, HUGE), SECRET

    def __init__(self) -> None:
        super().__init__()
        self.begin = self.clock.now() - self.clock.now() % MINUTE
        self.last = self.begin + NEWS * MINUTE
        self.history_until = self.begin + SECOND
        self.api = Api(self.table, self.clock)
        self.requests = self.api.requests
        self.settings = Prometheus(
            url=self.api.url,
            queries={"load": "load", "busy": "sum(busy)"},
            lateness=0,
            backfill=PAST * MINUTE,
            timeout=SECOND,
            bearer_token=Secret(SECRET),
        )
        self.expected = [
            (f'{name}{{host="{host}"}}', time, time / SECOND % 977 + len(host))
            for name in ("load", "busy")
            for host in ("a", "bb")
            for time in range(self.begin - (PAST - 1) * MINUTE, self.last + 1, MINUTE)
        ]

    def table(self, query: str, time: int) -> list[dict[str, object]]:
        if time > self.last // SECOND:
            return []
        shown: list[dict[str, object]] = [
            {"metric": {"__name__": "x", "host": host}, "value": str(time % 977 + len(host))} for host in ("a", "bb")
        ]
        if query == "load" and time == self.begin // SECOND:
            shown.append({"metric": {"host": "c"}, "histogram": {"count": "1"}})
        return shown

    def more(self) -> None:
        self.last += MINUTE
        self.expected.append(('load{host="a"}', self.last, self.last / SECOND % 977 + 1))
        table = self.api.table
        last = self.last // SECOND
        self.api.table = lambda q, t: table(q, t) if t < last else table(q, t)[:1] * (q == "load" and t == last)

    def fail(self, fault: str) -> None:
        self.api.fail(fault)

    def close(self) -> None:
        self.api.close()


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_the_contract(check: str) -> None:
    CHECKS[check](PrometheusRig)
