"""The tables of ``docs/aws-costs.md``: prices × what was measured, with the arithmetic."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.aws import template

DOCS = Path(__file__).resolve().parent.parent / "docs"
HOURS = 730
"""Of a month, as AWS's calculator counts."""
SENSORS, YEARS = 10_000, 20
MONTHLY = SENSORS * 60 * HOURS
"""Readings a month, one a minute and sensor."""
GB = 1e9
DEFAULT = frozenset({None, "HasReadings", "HasObjects", "HasExport"})
"""Conditions of the template that hold by default."""


@cache
def known(name: str) -> Any:
    """A file beside the page: ``aws-prices`` or ``aws-units``."""
    return json.loads((DOCS / f"{name}.json").read_text())


def price(name: str) -> float:
    """Dollars for one unit, million, thousand or GB, as the table says."""
    return float(known("aws-prices")["prices"][name]["usd"])


def assumed(name: str) -> float:
    """A figure that nobody measured."""
    return float(known("aws-prices")["assumed"][name]["value"])


def free(name: str) -> float:
    """What is not paid for."""
    return float(known("aws-prices")["free"][name]["amount"])


def case(detector: str, readings: int, sensors: int) -> Mapping[str, Any]:
    """What was measured of one size of call."""
    wanted = (detector, readings, sensors)
    return next(c for c in known("aws-units")["cases"] if (c["detector"], c["readings"], c["sensors"]) == wanted)


def billed_ms(one: Mapping[str, Any]) -> float:
    """Milliseconds of a call that are billed: its processor time at the share of a processor, and its waiting."""
    share = assumed("memory_mb") / assumed("full_processor_mb")
    return float(one["cpu_ms"]) / share + float(one["requests"]) * assumed("request_ms")


def gb_seconds(one: Mapping[str, Any]) -> float:
    """GB-seconds of a call."""
    return billed_ms(one) / 1000 * assumed("memory_mb") / 1024


def judged(one: Mapping[str, Any]) -> dict[str, float]:
    """Dollars for judging a million readings, by what they are for."""
    calls = 1e6 / one["readings"]
    return {
        "units": calls
        * (one["write_units"] * price("dynamodb_write") + one["read_units"] * price("dynamodb_read"))
        / 1e6,
        "calls": calls * price("lambda_requests") / 1e6,
        "seconds": calls * gb_seconds(one) * price("lambda_gb_second"),
        "snapshots": calls * one["objects"] * price("s3_put") / 1000,
    }


def ways() -> dict[str, float]:
    """Dollars for bringing in a million readings, by the way that they come."""
    return {
        "readings table": known("aws-units")["item_write_units"] * price("dynamodb_write"),
        "stream, one a record": price("kinesis_put"),
        "stream, 100 a record": price("kinesis_put") / 100,
        "objects of 10,000": 1e6 / 10_000 * (price("s3_put") / 1000 + 2 * price("sqs") / 1e6),
    }


def _usd(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 else f"${value:.4f}" if value >= 0.0001 or value == 0 else f"${value:.1e}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _source(one: Mapping[str, Any]) -> str:
    return f"[page]({one['source']})" if one["source"] else "not found: check it"


def prices() -> str:
    """Every price, what is free, and what is assumed."""
    told = known("aws-prices")
    rows = [(f"{one['usd']:.10g}", one["per"], _source(one)) for one in told["prices"].values()]
    rows += [("free", f"{one['amount']:,} {one['of']}", _source(one)) for one in told["free"].values()]
    rows += [(f"{one['value']:,}", f"`{name}`: {one['why']}", "assumed") for name, one in told["assumed"].items()]
    return f"{told['region']}, gathered {told['gathered']}. US dollars.\n\n" + _table(("", "for", "from"), rows)


def units() -> str:
    """What a call takes, as measured."""
    told = known("aws-units")
    rows = [
        (
            f"`{c['detector']}`", f"{c['readings']:,}", f"{c['sensors']:,}", f"{c['write_units']:,.2f}",
            f"{c['write_units'] / c['readings']:.3f}", f"{c['read_units']:.2f}", f"{c['requests']:.1f}",
            f"{c['objects']:.3f}", f"{c['cpu_ms']:.0f}", f"{c['stored_bytes']:.0f}",
        )
        for c in told["cases"]
    ]  # fmt: skip
    head = ("detector", "readings a call", "sensors", "write units a call", "a reading", "read units a call",
            "requests", "objects put", "processor, ms", "bytes a reading")  # fmt: skip
    about = told["machine"]
    said = (
        f"`{told['command']}`, {about['cores']} vCPU {about['cpu']}, Debian 12, Python {about['python']}, "
        f"boto3 {told['boto3']}.\n\nOne reading as an item of the readings table: {told['item_write_units']:g} write "
        f"unit, {told['item_bytes']:,} bytes; in Parquet {told['archived_bytes']:.2f} bytes, "
        f"in full precision {told['archived_bytes_full']:.2f}.\n\n"
    )
    return said + _table(head, rows)


def idle() -> str:
    """A month in which nothing happens."""
    resources = [r for r in template()["Resources"].values() if r.get("Condition") in DEFAULT]
    alarms = [r["Properties"] for r in resources if r["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = sum(len([m for m in a.get("Metrics", [{}]) if "Expression" not in m]) for a in alarms)
    over = max(0.0, metrics - free("alarms"))
    asked, alarm, over_free = assumed("idle_receives"), price("alarm"), over * price("alarm")
    receives = asked / 1e6 * price("sqs")
    shard, whole = HOURS * price("kinesis_shard"), metrics * alarm + price("dashboard") + receives
    arithmetic = f"+ {HOURS} h × ${price('kinesis_shard')}"
    rows = [
        ("tables, buckets, topics, functions, schedules", "paid by use only", "$0", "$0"),
        ("alarms", f"{metrics} metrics × ${alarm:.2f}", _usd(metrics * alarm), _usd(over_free)),
        ("dashboard", f"1 × ${price('dashboard'):.2f}", _usd(price("dashboard")), "$0"),
        ("queue of objects, asked", f"{asked:,.0f} × ${price('sqs'):.2f} / million", _usd(receives), "$0"),
        ("**together**", "", f"**{_usd(whole)}**", f"**{_usd(over_free)}**"),
        ("with a stream of one shard", arithmetic, _usd(whole + shard), _usd(over_free + shard)),
    ]
    return _table(("a month", "arithmetic", "dollars", "with what is free"), rows)


def million() -> str:
    """A million readings, by size of call."""
    rows = []
    for one in known("aws-units")["cases"]:
        parts = judged(one)
        rows.append(
            (
                f"`{one['detector']}`", f"{one['readings']:,} of {one['sensors']:,}", _usd(parts["units"]),
                _usd(parts["calls"]), f"{billed_ms(one):,.0f}", _usd(parts["seconds"]), _usd(parts["snapshots"]),
                f"**{_usd(sum(parts.values()))}**",
            )
        )  # fmt: skip
    head = (
        "detector",
        "readings a call",
        "units",
        "invocations",
        "billed ms a call",
        "GB-seconds",
        "snapshots",
        "judged",
    )
    brought = _table(("to bring them in", "dollars a million"), [(way, _usd(cost)) for way, cost in ways().items()])
    return _table(head, rows) + "\n" + brought


def fleet() -> str:
    """10,000 sensors, one reading a minute: a month of judging, by way."""
    one = case("light", 500, SENSORS)
    each, millions, days = sum(judged(one).values()), MONTHLY / 1e6, assumed("raw_days")
    kept = price("dynamodb_storage") + price("dynamodb_recovery")
    hot = MONTHLY * days * 24 / HOURS * one["stored_bytes"] / GB
    items = MONTHLY * days * 24 / HOURS * known("aws-units")["item_bytes"] / GB
    told = SENSORS * assumed("alerts") / 12 * 2
    shards = -(-SENSORS // 60_000)
    base = millions * each + hot * kept + told * price("sms")
    rows = [
        (f"judging, {millions:,.0f} million readings", f"{millions:,.0f} × {_usd(each)}", _usd(millions * each)),
        (f"the store, {days:.0f} days", f"{hot:,.1f} GB × ${kept:.2f}", _usd(hot * kept)),
        ("alerts as text messages", f"{told:,.0f} × ${price('sms'):.2f}", _usd(told * price("sms"))),
    ]
    objects, stream, table = (ways()[way] for way in ("objects of 10,000", "stream, one a record", "readings table"))
    brought = (
        ("objects of 10,000", f"{millions:,.0f} × {_usd(objects)}", millions * objects),
        (
            "a stream, one a record",
            f"{millions:,.0f} × {_usd(stream)} + {shards} shard × {HOURS} h × ${price('kinesis_shard')}",
            millions * stream + shards * HOURS * price("kinesis_shard"),
        ),
        (
            "the readings table",
            f"{millions:,.0f} × {_usd(table)} + {items:,.0f} GB × ${kept:.2f}",
            millions * table + items * kept,
        ),
    )
    for way, arithmetic, cost in brought:
        rows.append((f"**together**, by {way}", f"{_usd(base)} + {arithmetic}", f"**{_usd(base + cost)}**"))
    return _table(("a month", "arithmetic", "dollars"), rows)


def years() -> str:
    """The archive of these sensors over the years."""
    rows = []
    for what, name in (("two decimals", "archived_bytes"), ("full precision", "archived_bytes_full")):
        month, spent = MONTHLY * known("aws-units")[name] / GB, 0.0
        for number in range(1, YEARS * 12 + 1):
            # A month in Standard, five in Standard-IA, the rest in Glacier IR.
            tiers = tuple(month * many for many in (1, min(number - 1, 5), max(0, number - 6)))
            kept = (price("s3_standard"), price("s3_infrequent"), price("s3_glacier_instant"))
            bill = sum(size * cost for size, cost in zip(tiers, kept, strict=True))
            spent += bill
            if number in (12, 60, 120, 240):
                whole, billion = sum(tiers), MONTHLY * number / 1e9
                each = " / ".join(f"{size:,.1f}" for size in tiers)
                rows.append(
                    (what, f"{number // 12}", f"{billion:,.1f}", f"{whole:,.0f}", each, _usd(bill), _usd(spent))
                )
    tiers_head = "Standard / Standard-IA / Glacier IR"
    return _table(("values of", "years", "billion readings", "GB", tiers_head, "that month", "since the start"), rows)


def fits() -> str:
    """How many sensors, one reading a minute each, fit what is free."""
    rows = []
    for one in known("aws-units")["cases"]:
        calls = min(free("lambda_requests"), free("lambda_gb_seconds") / gb_seconds(one))
        bound = "invocations" if calls == free("lambda_requests") else "GB-seconds"
        sensors = calls * one["readings"] / (60 * HOURS)
        paid = sensors * 60 * HOURS / 1e6 * judged(one)["units"]
        rows.append(
            (f"`{one['detector']}`", f"{one['readings']:,}", f"{calls:,.0f}", bound, f"{sensors:,.0f}", _usd(paid))
        )
    head = ("detector", "readings a call", "calls a month", "limit", "sensors", "units, not free, a month")
    return _table(head, rows)


TABLES: dict[str, Callable[[], str]] = {
    "prices": prices,
    "units": units,
    "idle": idle,
    "million": million,
    "fleet": fleet,
    "years": years,
    "fits": fits,
}
