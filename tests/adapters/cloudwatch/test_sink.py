"""Bands as custom metrics: each point once, in full calls, with their price said; what fails comes again."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

import pytest

from tests.adapters.cloudwatch.conftest import SECRET
from watchband.adapters.sinks.cloudwatch import CloudWatchSettings, CloudWatchSink, batches, dimensions_of
from watchband.core.duration import HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.latest import Latest
from watchband.core.ports import Standing
from watchband.core.series import SeriesKey
from watchband.testing.clock import VirtualClock
from watchband.testing.cloudwatch.account import metric_of
from watchband.testing.cloudwatch.server import CloudWatchServer


@pytest.fixture
def server() -> Iterator[CloudWatchServer]:
    found = CloudWatchServer(VirtualClock())
    yield found
    found.close()


def sink(server: CloudWatchServer, **given: object) -> CloudWatchSink:
    settings = CloudWatchSettings(endpoint_url=server.url, **{"series": ("cpu",), **given})  # type: ignore[arg-type]
    return settings.open("bands", clock=server.cloud.clock)


def point(server: CloudWatchServer, host: str = "a", *, age: int = 0, **more: float) -> Latest:
    values = {"y": 9.0, "yhat": 5.0, "yhat_lower": 4.0, "yhat_upper": 6.0, "anomaly_score": 2.0} | more
    return Latest("web", SeriesKey("cpu", {"host": host}), server.cloud.clock.now() - age, **values)


def standing(*points: Latest) -> Standing:
    return Standing(latest=lambda: iter(points))


def kept(server: CloudWatchServer, value: str, host: str = "a") -> list[float]:
    metric = metric_of("Watchband", f"cpu.{value}", {"watch": "web", "host": host})
    return [sample.total for sample in server.cloud.samples.get(metric, [])]


def test_the_band_of_a_point_is_put_once(server: CloudWatchServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    found, one = sink(server), point(server)
    for _ in range(3):
        found.tend(standing(one, Latest("web", SeriesKey("other"), one.time, 1.0, 1.0, 1.0, 1.0, 1.0)))
    assert {v: kept(server, v) for v in ("expected", "lower", "upper", "anomaly_score")} == {
        "expected": [5.0],
        "lower": [4.0],
        "upper": [6.0],
        "anomaly_score": [2.0],
    }
    assert server.calls["PutMetricData"] == 1
    assert "1 series × 4 values = 4 custom metrics × $0.30 + 43,800 calls" in caplog.text
    assert "= $1.64 a month" in caplog.text
    server.cloud.clock.sleep(60)
    found.tend(standing(point(server, yhat=7.0)))
    assert kept(server, "expected") == [5.0, 7.0]


def test_what_cloudwatch_does_not_take_is_not_sent(server: CloudWatchServer) -> None:
    found = sink(server)
    found.tend(standing(point(server, "a", yhat=math.nan, yhat_lower=-math.inf, yhat_upper=1e200)))
    assert (kept(server, "expected"), kept(server, "lower"), kept(server, "upper")) == ([], [], [])
    assert kept(server, "anomaly_score") == [2.0]
    found.tend(standing(point(server, "old", age=7 * HOUR), point(server, "ahead", age=-3 * HOUR)))
    assert server.calls["PutMetricData"] == 1


def test_full_calls(server: CloudWatchServer) -> None:
    sink(server, max_series=600).tend(standing(*(point(server, f"h{k}") for k in range(601))))
    assert server.calls["PutMetricData"] == 3
    assert max(len(asked["MetricData"]) for _, asked in server.bodies) == 1000
    long = [(point(server), {"x": "y" * 100_000})] * 20
    assert [len(part) for part in batches(long)] == [8, 8, 4]


def test_too_much_is_refused_before_anything_is_sent(server: CloudWatchServer) -> None:
    found = sink(server, max_monthly_cost=1.0)
    with pytest.raises(PermanentError, match=r"more than 'max_monthly_cost', \$1.00: 1 series × 4 values"):
        found.tend(standing(point(server)))
    assert not server.calls


def test_throttling_is_waited_for_and_a_failure_comes_again(server: CloudWatchServer) -> None:
    found, one = sink(server), point(server)
    server.refuse("PutMetricData", "Throttling", 2)
    found.tend(standing(one))
    assert (server.calls["PutMetricData"], kept(server, "upper")) == (3, [6.0])
    server.denied = {"PutMetricData"}
    server.cloud.clock.sleep(60)
    later = point(server)
    with pytest.raises(PermanentError, match="AccessDenied") as error:
        found.tend(standing(later))
    assert SECRET not in str(error.value)
    server.denied = set()
    found.tend(standing(later))
    assert kept(server, "upper") == [6.0, 6.0]
    server.refuse("PutMetricData", "InternalServiceError", 20)
    server.cloud.clock.sleep(60)
    with pytest.raises(TransientError):
        found.tend(standing(point(server)))
    found.close()


def test_dimensions_are_those_that_cloudwatch_takes() -> None:
    labels = {f"l{k}": "v" for k in range(40)} | {"name é": "wärme", "empty": " "}
    key = SeriesKey("cpu", {name.replace(" ", "_"): value for name, value in labels.items()})
    found = dimensions_of(Latest("w", key, 0, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert len(found) == 30
    assert all(text.isascii() for one in found for text in one.values())


@pytest.mark.parametrize("wrong", [{"namespace": "AWS/EC2"}, {"series": ("{",)}, {"values": ("median",)}])
def test_mistakes_are_told(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        CloudWatchSettings(**{"series": ("cpu",), **wrong})  # type: ignore[arg-type]


def test_the_price_grows_with_series_and_calls() -> None:
    settings = CloudWatchSettings(series=("*",), every=5 * MINUTE, values=("upper",))
    assert settings.monthly(1000) == pytest.approx(300 + 8760 * 0.01 / 1000)
    assert settings.every == 300 * SECOND
