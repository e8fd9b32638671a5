"""Templates of keys: what fits, which time a key says, what is listed."""

from __future__ import annotations

import pytest

from watchband.adapters.objects.address import Address
from watchband.adapters.objects.template import Template, name_of
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import ConfigError
from watchband.core.timestamp import parse_rfc3339

JAN31 = parse_rfc3339("2026-01-31T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "key", "span"),
    [
        ("a/{date}.csv", "a/2026-01-31.csv", (JAN31, JAN31 + DAY)),
        ("a/{date:%Y/%m/%d}/{hour}/*", "a/2026/01/31/05/x.csv", (JAN31 + 5 * HOUR, JAN31 + 6 * HOUR)),
        ("y={date:%Y}/m={date:%m}/**", "y=2026/m=01/b/c.csv", (JAN31 - 30 * DAY, JAN31 + DAY)),
        ("{date:%Y}/{date:%Y%m%d}.csv", "2026/20260131.csv", (JAN31, JAN31 + DAY)),
        ("{date:%Y}/{date:%Y%m%d}.csv", "2025/20260131.csv", None),
        ("a/{date}.csv", "a/2026-02-31.csv", None),
        ("a/{date}.csv", "a/2026-01-31.csv.gz", None),
        ("a/*.csv", "a/b/c.csv", None),
        ("a/**/c.csv", "a/c.csv", (-(2**63), 2**63 - 1)),
        ("a+b(c)/*.csv", "a+b(c)/d.csv", (-(2**63), 2**63 - 1)),
        ("a+b(c)/*.csv", "aab(c)/d.csv", None),
    ],
)
def test_keys_say_times(text: str, key: str, span: tuple[int, int] | None) -> None:
    assert Template(text).span(key) == span


def test_only_days_of_the_window_are_listed() -> None:
    daily = Template("a/{date:%Y/%m/%d}/{hour}/*.csv")
    assert list(daily.prefixes(JAN31 + HOUR, JAN31 + DAY + HOUR)) == ["a/2026/01/31/", "a/2026/02/01/"]
    monthly = Template("a/{date:%Y-%m}.csv")
    assert list(monthly.prefixes(JAN31 - 3 * DAY, JAN31 + DAY)) == ["a/2026-01.csv"]
    assert list(daily.prefixes(None, JAN31)) == ["a/"]
    assert list(daily.prefixes(0, JAN31)) == ["a/"]
    assert list(Template("*/{date}.csv").prefixes(JAN31, JAN31 + 3 * DAY)) == [""]


def test_pieces_of_one_table_and_different_things() -> None:
    assert Template("{date}/{part}.csv").group("2026-01-31/00017.csv") == "{date}/{part}.csv"
    assert Template("{date}/*.csv").group("2026-01-31/web.csv") == "{date}/web.csv"
    assert Template("*/x.csv").group("a/x.csv") == ""
    assert name_of("cpu/{date}.parquet") == "cpu.parquet"
    assert name_of("year={date:%Y}/{part}.csv") == ".csv"


@pytest.mark.parametrize(
    "address",
    [
        "s3://", "s3://B/x", "s3://my-bucket/{day}.csv", "s3://my-bucket/{date:%Y-%j}.csv", "s3://my-bucket/{hour}.csv",
        "s3://my-bucket/a?colour=red", "s3://my-bucket/a?max_size=much", "s3://my-bucket/a?max_objects=0",
    ],
)  # fmt: skip
def test_mistakes_in_addresses(address: str) -> None:
    with pytest.raises(ConfigError):
        Address.parse(address)
