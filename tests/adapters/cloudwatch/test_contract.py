"""The CloudWatch source keeps what every source promises, against the strict stand-in."""

from __future__ import annotations

import pytest

from tests.adapters.cloudwatch.conftest import SECRET
from watchband.adapters.sources.cloudwatch.settings import CloudWatch, Math, Metrics
from watchband.core.duration import MINUTE, SECOND
from watchband.testing.cloudwatch.account import metric_of
from watchband.testing.cloudwatch.server import CloudWatchServer
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import PERMANENT, TRANSIENT, Rig

PAST, NEWS = 4, 4
HOSTS = ("a", "bb")


class CloudWatchRig(Rig):
    """Two hosts minute by minute, four readings of the past and four to come, and the sum of both."""

    faults, secret = (*TRANSIENT, *PERMANENT), SECRET

    def __init__(self) -> None:
        super().__init__()
        self.begin = self.clock.now() - self.clock.now() % MINUTE
        # The period of a reading must be over when it is asked for.
        self.history_until = self.begin - MINUTE + SECOND
        self.last = self.begin + (NEWS - 1) * MINUTE
        self.server = CloudWatchServer(self.clock)
        self.requests = self.server.requests
        key = 'load{{host="{}",namespace="Test",stat="Sum"}}'.format
        self.settings = CloudWatch(
            endpoint_url=self.server.url,
            metrics={"hosts": Metrics(namespace="Test", statistics=("Sum",), period=MINUTE)},
            expressions={"both": Math(expression="a + b", using={"a": key("a"), "b": key("bb")}, period=MINUTE)},
            lateness=0,
            backfill=PAST * MINUTE,
            timeout=SECOND,
            concurrency=2,
        )
        for time in range(self.begin - PAST * MINUTE, self.last + 1, MINUTE):
            self.put(time)
        # A reading that is too old to be asked for: what is there is listed.
        for host in HOSTS:
            self.server.cloud.put(metric_of("Test", "load", {"host": host}), [(self.begin - 100 * MINUTE, 1.0)])

    def put(self, time: int) -> None:
        values = {host: time / SECOND % 977 + len(host) for host in HOSTS}
        for host, value in values.items():
            self.server.cloud.put(metric_of("Test", "load", {"host": host}), [(time, value)], delay=MINUTE // 2)
            self.expected.append((f'load{{host="{host}",namespace="Test",region="eu-west-1",stat="Sum"}}', time, value))
        self.expected.append(('both{region="eu-west-1"}', time, sum(values.values())))

    def more(self) -> None:
        self.last += MINUTE
        self.put(self.last)

    def fail(self, fault: str) -> None:
        self.server.fail(fault)

    def close(self) -> None:
        self.server.close()


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_the_contract(check: str) -> None:
    CHECKS[check](CloudWatchRig)
