"""What the page of costs says: every price has a page or is said to have none, and the arithmetic is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from benches.aws_units import Counted, Plant, measured
from tests.servers.dynamodb.server import DynamoServer
from tests.servers.moto import Moto, shared
from tools import aws_costs


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    known = dict(os.environ)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    yield shared()
    for name in {"WATCHBAND_CONFIG", "WATCHBAND_TABLE"} - set(known):
        os.environ.pop(name, None)


def test_every_price_says_where_it_is_from_and_when() -> None:
    told = aws_costs.known("aws-prices")
    assert told["region"]
    assert told["gathered"] >= "2026-11-23"
    for one in [*told["prices"].values(), *told["free"].values()]:
        assert one["source"] is None or one["source"].startswith("https://")
    page = aws_costs.prices()
    assert page.count("not found: check it") == sum(
        one["source"] is None for one in [*told["prices"].values(), *told["free"].values()]
    )


def test_the_arithmetic_of_a_million(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = {
        "dynamodb_write": 2.0,
        "dynamodb_read": 1.0,
        "lambda_requests": 0.2,
        "lambda_gb_second": 1e-5,
        "s3_put": 5.0,
    }
    monkeypatch.setattr(aws_costs, "price", prices.__getitem__)
    monkeypatch.setattr(
        aws_costs, "assumed", {"memory_mb": 512, "full_processor_mb": 1024, "request_ms": 10}.__getitem__
    )
    one = {"readings": 100, "write_units": 3, "read_units": 1, "requests": 2, "objects": 0.5, "cpu_ms": 40}
    # 10,000 calls: 3 × $2 and 1 × $1 a million; 40 ms of half a processor and two waits = 100 ms of half a GB.
    assert aws_costs.billed_ms(one) == 100
    assert aws_costs.judged(one) == pytest.approx(
        {"units": 0.07, "calls": 0.002, "seconds": 10_000 * 0.05 * 1e-5, "snapshots": 10_000 * 0.5 * 5 / 1000}
    )


def test_units_are_what_the_server_counts(dynamodb_server: DynamoServer, moto: Moto) -> None:
    kept = aws_costs.case("light", 1, 1)
    found = measured(dynamodb_server, moto, "light", 1, 1, 10)
    # No snapshot is among ten calls.
    assert found["write_units"] == 2.0
    assert found["write_units"] <= kept["write_units"] <= 1.05 * found["write_units"]
    assert found["read_units"] == kept["read_units"]


def test_what_is_asked_and_what_only_reads_are_told_apart() -> None:
    counted = Counted()
    for name, units in (("PutItem", 2.0), ("Query", 0.5), ("TransactWriteItems", 6.0)):
        model: Any = type("Model", (), {"name": name})
        counted._answered({"ConsumedCapacity": {"CapacityUnits": units}}, model)
    assert (counted.writes, counted.reads) == (8.0, 0.5)
    event = Plant(2).event(3)["Records"]
    assert [one["dynamodb"]["NewImage"]["sensor"]["S"][-1] for one in event] == ["0", "1", "0"]
