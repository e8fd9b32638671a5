"""The stand-in in the forms that botocore does not choose by itself: CBOR and query; boto3 is told to speak them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from watchband.core.duration import MINUTE, SECOND
from watchband.testing.clock import VirtualClock
from watchband.testing.cloudwatch.account import metric_of
from watchband.testing.cloudwatch.forms import from_cbor, to_cbor
from watchband.testing.cloudwatch.refusal import Refusal
from watchband.testing.cloudwatch.server import CloudWatchServer

FORMS = ["json", "smithy-rpc-v2-cbor", "query"]
CPU = metric_of("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1"})


@pytest.fixture
def server() -> Iterator[CloudWatchServer]:
    found = CloudWatchServer(VirtualClock())
    found.cloud.put(CPU, [(found.cloud.clock.now() - k * MINUTE, k + 0.5) for k in range(1, 61)])
    yield found
    found.close()


@pytest.fixture(params=FORMS)
def client(request: pytest.FixtureRequest, server: CloudWatchServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(ServiceModel, "resolved_protocol", request.param)
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("cloudwatch", endpoint_url=server.url, config=config)


def test_every_form_says_the_same(client: Any, server: CloudWatchServer) -> None:
    assert client.list_metrics(Namespace="AWS/EC2", Dimensions=[{"Name": "InstanceId"}])["Metrics"] == [CPU.wire()]
    end = server.cloud.clock.now() // SECOND
    query = {"Id": "m", "MetricStat": {"Metric": CPU.wire(), "Period": 60, "Stat": "p90"}, "ReturnData": True}
    given = {"StartTime": end - 600, "EndTime": end, "ScanBy": "TimestampAscending"}
    (found,) = client.get_metric_data(MetricDataQueries=[query], **given)["MetricDataResults"]
    assert found["Values"] == [k + 0.5 for k in range(10, 0, -1)]
    assert [round(one.timestamp()) for one in found["Timestamps"]] == [end - 60 * k for k in range(10, 0, -1)]
    assert found["StatusCode"] == "Complete"
    spoken = {"json": {}, "smithy-rpc-v2-cbor": {"cbor": 2}, "query": {"query": 2}}
    assert server.forms == spoken[client.meta.service_model.resolved_protocol]


def test_every_form_writes_and_is_refused_alike(client: Any, server: CloudWatchServer) -> None:
    at = server.cloud.clock.now() // SECOND - 60
    statistics = {"SampleCount": 2.0, "Sum": 5.0, "Minimum": 1.0, "Maximum": 4.0}
    data = [
        {"MetricName": "a", "Dimensions": [{"Name": "n", "Value": "7"}], "Timestamp": at, "Value": 1.5},
        {"MetricName": "b", "Timestamp": at, "StatisticValues": statistics},
    ]
    client.put_metric_data(Namespace="Own", MetricData=data)
    (sample,) = server.cloud.samples[metric_of("Own", "a", {"n": "7"})]
    assert (sample.time, sample.total) == (at * SECOND, 1.5)
    assert server.cloud.samples[metric_of("Own", "b")][0].most == 4.0
    with pytest.raises(ClientError) as error:
        client.put_metric_data(Namespace="AWS/EC2", MetricData=data)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    server.refuse("ListMetrics", "Throttling")
    with pytest.raises(ClientError) as error:
        client.list_metrics()
    assert error.value.response["Error"]["Code"] == "Throttling"


@pytest.mark.parametrize("value", [0, 23, 24, 2**40, -1, -500, 0.1, "ä", [], {"a": {"b": [1]}}, None, True])
def test_cbor_there_and_back(value: Any) -> None:
    assert from_cbor(to_cbor(value)) == value


@pytest.mark.parametrize("data", [b"", b"\x63ab", b"\x82\x01", b"\x1c", b"\x01\x01", b"\x81" * 40])
def test_broken_cbor_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        from_cbor(data)
