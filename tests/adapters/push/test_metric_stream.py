"""Metric streams in all three formats, written by an independent encoder, and what cannot be read of them."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.push import metric_stream
from watchband.adapters.sources.push.metric_stream import MetricStreamSettings, decode_metric_stream, read_delivery
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.core.errors import ConfigError

START_MS = 1_769_904_000_000
REGION, ACCOUNT = "eu-west-1", "111122223333"
SERIES = 'CPUUtilization{{InstanceId="i-1",namespace="AWS/EC2",region="eu-west-1",stat="{}"}}'.format
_TYPES = {"string": 9, "double": 1, "fixed64": 6}


def message(name: str, *fields: tuple[str, int, str, bool]) -> descriptor_pb2.DescriptorProto:
    """A message of fields: name, number, type and whether it is repeated."""
    made = descriptor_pb2.DescriptorProto(name=name)
    for field, number, kind, repeated in fields:
        plain = kind in _TYPES
        made.field.add(
            name=field,
            number=number,
            label=3 if repeated else 1,
            type=_TYPES[kind] if plain else 11,
            **({} if plain else {"type_name": f".t.{kind}"}),
        )
    return made


def classes(version: str) -> dict[str, Any]:
    """The messages that CloudWatch writes, of OpenTelemetry's own definitions."""
    file = descriptor_pb2.FileDescriptorProto(name=f"otlp_{version}.proto", package="t", syntax="proto3")
    named = ("attributes", 7, "KeyValue", True) if version == "1.0" else ("labels", 1, "StringKeyValue", True)
    file.message_type.extend(
        [
            message("AnyValue", ("string_value", 1, "string", False), ("kvlist_value", 6, "KeyValueList", False)),
            message("KeyValueList", ("values", 1, "KeyValue", True)),
            message("KeyValue", ("key", 1, "string", False), ("value", 2, "AnyValue", False)),
            message("StringKeyValue", ("key", 1, "string", False), ("value", 2, "string", False)),
            message("Quantile", ("quantile", 1, "double", False), ("value", 2, "double", False)),
            message(
                "Point",
                named,
                ("start_time_unix_nano", 2, "fixed64", False),
                ("time_unix_nano", 3, "fixed64", False),
                ("count", 4, "fixed64", False),
                ("sum", 5, "double", False),
                ("quantile_values", 6, "Quantile", True),
            ),
            message("Summary", ("data_points", 1, "Point", True)),
            message(
                "Metric", ("name", 1, "string", False), ("unit", 3, "string", False), ("summary", 11, "Summary", False)
            ),
            message("Scope", ("metrics", 2, "Metric", True)),
            message("Resource", ("attributes", 1, "KeyValue", True)),
            message("ResourceMetrics", ("resource", 1, "Resource", False), ("scopes", 2, "Scope", True)),
            message("Request", ("resource_metrics", 1, "ResourceMetrics", True)),
        ]
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        m.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{m.name}")) for m in file.message_type
    }


def otlp(version: str) -> bytes:
    """One reading."""
    made = classes(version)
    request = made["Request"]()
    resource = request.resource_metrics.add()
    for key, value in (("cloud.provider", "aws"), ("cloud.account.id", ACCOUNT), ("cloud.region", REGION)):
        attribute = resource.resource.attributes.add(key=key)
        attribute.value.string_value = value
    metric = resource.scopes.add().metrics.add(name="amazonaws.com/AWS/EC2/CPUUtilization", unit="%")
    point = metric.summary.data_points.add(
        start_time_unix_nano=START_MS * 10**6, time_unix_nano=(START_MS + 60_000) * 10**6, count=4, sum=10.0
    )
    named = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}
    if version == "1.0":
        for key, value in named.items():
            point.attributes.add(key=key).value.string_value = value
        listed = point.attributes.add(key="Dimensions").value.kvlist_value
        listed.values.add(key="InstanceId").value.string_value = "i-1"
    else:
        for key, value in {**named, "InstanceId": "i-1"}.items():
            point.labels.add(key=key, value=value)
    for quantile, value in ((0.0, 1.0), (0.99, 3.9), (0.999, 3.99), (1.0, 4.0)):
        point.quantile_values.add(quantile=quantile, value=value)
    body: bytes = request.SerializeToString()
    return varint(len(body)) + body


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def line(**more: object) -> bytes:
    document: dict[str, object] = {
        "metric_stream_name": "all",
        "account_id": ACCOUNT,
        "region": REGION,
        "namespace": "AWS/EC2",
        "metric_name": "CPUUtilization",
        "dimensions": {"InstanceId": "i-1"},
        "timestamp": START_MS,
        "value": {"count": 4.0, "sum": 10.0, "min": 1.0, "max": 4.0, "p99": 3.9, "p99.9": 3.99},
        "unit": "Percent",
    }
    return json.dumps(document | more).encode() + b"\n"


STATISTICS = ("Average", "Sum", "SampleCount", "Minimum", "Maximum", "p99", "p99.9")
VALUES = dict(zip(STATISTICS, (2.5, 10.0, 4.0, 1.0, 4.0, 3.9, 3.99), strict=True))


def shown(found: Decoded) -> dict[str, list[tuple[int, float]]]:
    return {str(r.key): list(zip(r.times.tolist(), r.values.tolist(), strict=True)) for r in found.readings}


@pytest.mark.parametrize("record", [line(), otlp("1.0"), otlp("0.7")], ids=["json", "otlp 1.0", "otlp 0.7"])
def test_the_three_formats_say_the_same(record: bytes) -> None:
    found = decode_metric_stream([record], STATISTICS)
    assert shown(found) == {SERIES(stat): [(START_MS * 10**6, value)] for stat, value in VALUES.items()}
    assert (found.points, found.refused_points) == (7, 0)


def test_several_messages_in_a_record_and_the_account_as_a_label() -> None:
    found = decode_metric_stream([otlp("1.0") * 3, line() + line(timestamp=START_MS + 60_000)], with_account=True)
    (series,) = shown(found)
    assert 'account="111122223333"' in series
    assert found.points == 5


def test_a_statistic_that_is_not_in_the_stream_is_refused_and_told() -> None:
    found = decode_metric_stream([line()], ("p50",))
    assert (found.points, found.refused_points) == (0, 1)
    assert found.refused[0].why == "CPUUtilization has none of p50"


BAD = {
    "no JSON": b'{"namespace": ',
    "a list": b'{"a": 1}\n[1]\n',
    "a value that is a text": line(value={"count": "many", "sum": 1}),
    "a value that is none": line(value=None),
    "a time that is none": line(timestamp="now"),
    "a cut message": otlp("1.0")[:-3],
    "no message": b"\x05\xff\xff\xff\xff\xff",
    "a wire type that is none": b"\x02\x0b\x00",
    "an endless number": b"\xff" * 20,
    "nothing of CloudWatch": (lambda b: varint(len(b)) + b)(b"\x0a\x08\x12\x06\x12\x04\x5a\x02\x0a\x00"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_stops_no_other(name: str) -> None:
    found = decode_metric_stream([BAD[name], line()])
    assert SERIES("Average") in shown(found)
    assert found.refused_points >= 1


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(record: bytes) -> None:
    found = decode_metric_stream([record, line()])
    assert SERIES("Average") in shown(found)


@given(st.integers(0, len(otlp("1.0")) - 1), st.integers(0, 255))
def test_any_damage_is_read_or_refused(at: int, byte: int) -> None:
    record = bytearray(otlp("1.0"))
    record[at] = byte
    decode_metric_stream([bytes(record)])


def delivery(*records: bytes) -> bytes:
    return json.dumps(
        {"requestId": "r-1", "timestamp": 1, "records": [{"data": base64.b64encode(r).decode()} for r in records]}
    ).encode()


def test_a_delivery_is_opened() -> None:
    found = read_delivery(delivery(line(), otlp("0.7")))
    assert (found.request_id, found.records) == ("r-1", [line(), otlp("0.7")])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "no JSON"),
        (b"[]", "Expected what Firehose sends"),
        (b'{"records": []}', "Expected what Firehose sends"),
        (b'{"requestId": "a", "records": [{"data": "?"}]}', "Record 0 holds no base64"),
        (b'{"requestId": "a", "records": [7]}', "Record 0 holds no base64"),
        (gzip.compress(b"{}"), "no JSON"),
    ],
)
def test_what_is_no_delivery_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why):
        read_delivery(body)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_stream, "RECORDS_MAX", 2)
    with pytest.raises(PayloadError, match="at most 2 records"):
        read_delivery(delivery(b"", b"", b""))
    monkeypatch.setattr(metric_stream, "DECODED_MAX", 10)
    with pytest.raises(PayloadError, match="Lower the buffer size"):
        read_delivery(delivery(b"x" * 11))


def test_statistics_are_those_of_cloudwatch() -> None:
    with pytest.raises(ConfigError, match="'mean' in 'statistics' is none of CloudWatch"):
        MetricStreamSettings(statistics=("mean",))


def test_the_quantile_zero_is_the_minimum_though_it_is_not_written() -> None:
    # proto3 leaves out what is zero: the whole quantile may be empty.
    assert struct.pack("<d", 0.0) not in otlp("1.0")
    assert shown(decode_metric_stream([otlp("1.0")], ("Minimum",)))[SERIES("Minimum")][0][1] == 1.0
