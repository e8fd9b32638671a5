"""Times in every form that people and machines write, to nanoseconds in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from tests.adapters.conftest import Read
from watchband.adapters.sources.files.timestamps import TimeFormat, _parse_parts, _parse_usual_slash, local_to_utc
from watchband.core.errors import ConfigError, DataError, InvalidParameterError, UnknownNameError

Reader = Callable[..., Read]
FIRST = "2025-02-17T14:30"
S = 1739802600
FORMS = {
    "2025-02-17 14:30:00": "ISO 8601 without zone, read as UTC",
    "2025-02-17T14:30": "ISO 8601 without zone, read as UTC",
    "2025-02-17 14:30:00.000000": "ISO 8601 without zone, read as UTC",
    "2025/02/17 14:30": "ISO 8601 without zone, read as UTC",
    "2025-2-17 14:30": "ISO 8601 without zone, read as UTC",
    "2025-02-17T14:30:00Z": "ISO 8601 with zone",
    "2025-02-17 14:30:00 UTC": "ISO 8601 with zone",
    "2025-02-17T16:30:00+02:00": "ISO 8601 with zone",
    "2025-02-17 09:00:00-0530": "ISO 8601 with zone",
    "20250217T143000Z": "YYYYMMDD with zone",
    "20250217 1430": "YYYYMMDD without zone, read as UTC",
    "17 Feb 2025 14:30": "day, name of the month, year without zone, read as UTC",
    "17-February-2025 14:30:00": "day, name of the month, year without zone, read as UTC",
    "Mon 17 Feb 2025 14:30:00 +0000": "day, name of the month, year with zone",
    "17/Feb/2025:14:30:00 +0000": "day, name of the month, year with zone",
    "2/17/2025 14:30": "M/D/YYYY without zone, read as UTC",
    "02/17/2025 02:30:00 PM": "M/D/YYYY without zone, read as UTC",
    "2/17/25 14:30": "M/D/YYYY without zone, read as UTC",
    "17/02/2025 14:30": "D/M/YYYY without zone, read as UTC",
    "17.02.2025 14:30:00": "D/M/YYYY without zone, read as UTC",
    f"{S}": "epoch seconds",
    f"{S}.0": "epoch seconds",
    f"{S}000": "epoch milliseconds",
    f"{S}000000": "epoch microseconds",
    f"{S}000000000": "epoch nanoseconds",
}


@pytest.mark.parametrize("text", FORMS)
def test_forms(read: Reader, text: str) -> None:
    got = read(f"timestamp,value\n{text},1\n")
    assert got.series["cpu"] == [(FIRST, 1.0)]
    assert f"({FORMS[text]})" in got.profile.describe()[0]


def test_dates_and_clocks_in_two_columns(read: Reader) -> None:
    got = read("Date,Time,CPU\n2/17/2025,14:30,1\n2/17/2025,14:35:30,2\n2/17/2025,,3\n")
    assert got.series == {"CPU": [(FIRST, 1.0), ("2025-02-17T14:35:30", 2.0)]}
    assert "time 'Date' and 'Time' (M/D/YYYY without zone" in got.profile.describe()[0]
    got = read("2025-02-17 14:30 1.5\n2025-02-17 14:35 2.5\n", "load.txt")
    assert [v for _, v in got.series["column_3"]] == [1.5, 2.5]


def test_days_months_and_hours_without_more(read: Reader) -> None:
    assert read("day,value\n20250217,1\n20250218,2\n").series["cpu"][1][0] == "2025-02-18T00:00"
    assert read("hour,value\n2025-02-17 14,1\n").series["cpu"][0][0] == "2025-02-17T14:00"
    assert read('time,value\n"Feb 17, 2025, 02:30 PM",1\n').series["cpu"][0][0] == FIRST


def test_large_quantities_are_no_epoch(read: Reader) -> None:
    with pytest.raises(ConfigError, match="counts up by one"):
        read("request,total_bytes\n" + "".join(f"{k},{S + k}\n" for k in range(9)))
    got = read("when,load\n" + "".join(f"{S + k},5\n" for k in range(9)))
    assert got.keys == ["load"]


def test_a_time_in_an_unknown_unit_becomes_no_metric(read: Reader) -> None:
    got = read("t,load\n0,5\n300,6\n600,7\n", interval_ns=300 * 10**9)
    assert got.keys == ["load"]
    assert "column 't' is left out: called like a time but in no unit that is known" in got.notes


def test_the_quick_way_and_the_exact_way_agree() -> None:
    dice = np.random.default_rng(3)
    texts = [
        f"{dice.integers(1, 32)}/{dice.integers(1, 14):02}/{dice.integers(1995, 2030)} {dice.integers(0, 24)}:{m:02}"
        for m in dice.integers(0, 60, 400)
    ]
    for day_first in (True, False):
        form = TimeFormat("slash", "Europe/Dublin", day_first=day_first)
        exact = _parse_parts(pa.array(texts), form)
        good = pa.array([t for t, bad in zip(texts, exact.bad, strict=True) if not bad])
        quick = _parse_usual_slash(good, form)
        assert quick is not None
        assert len(good) > 100
        assert quick.ns.tolist() == exact.ns[~exact.bad].tolist()
        assert _parse_usual_slash(pa.array([*good.to_pylist(), "31/31/2025 1:00"]), form) is None


def test_fractions_of_a_second_are_exact(read: Reader) -> None:
    got = read("timestamp,value\n2025-02-17 14:30:00.000000001,1\n2025-2-17 14:30:00.123,1\n")
    assert (got.column("times") - S * 10**9).tolist() == [1, 123_000_000]
    got = read(f"timestamp,value\n{S}000000001,1\n{S}000000003,1\n")
    assert (got.column("times") - S * 10**9).tolist() == [1, 3]
    got = read(f"timestamp,value\n{S}.25,1\n{S + 1}.123456,1\n")
    assert (got.column("times") - S * 10**9).tolist() == [250_000_000, 1_123_456_000]


def test_an_epoch_is_judged_by_its_size_and_told(read: Reader) -> None:
    got = read(f"timestamp,value\n{S}000,1\n")
    assert "times are read as epoch milliseconds, judged by their size" in got.notes


def test_naive_times_are_read_in_the_given_zone(read: Reader) -> None:
    text = "timestamp,value\n2025-02-17 09:30,1\n2025-07-17 09:30,1\n"
    got = read(text, timezone="America/New_York")
    assert [t for t, _ in got.series["cpu"]] == [FIRST, "2025-07-17T13:30"]
    assert "read as America/New_York" in got.profile.describe()[0]


@pytest.mark.parametrize("zone", ["Europe/Dublin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
def test_zones_agree_with_the_standard_library(zone: str) -> None:
    hours = [datetime(2025, 1, 1) + timedelta(minutes=20 * k) for k in range(365 * 72)]
    local = np.array([int((t - datetime(1970, 1, 1)).total_seconds()) * 10**9 for t in hours], np.int64)
    want = [int(t.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()) * 10**9 for t in hours]
    assert local_to_utc(local, zone).tolist() == want


def test_a_day_beyond_twelve_decides_wherever_it_stands(read: Reader) -> None:
    lines = [f"{1 + k // 288:02}/03/2025 {k % 288 // 12:02}:{k % 12 * 5:02},{k}" for k in range(288 * 25)]
    got = read("timestamp,value\n" + "\n".join(lines))
    assert "D/M/YYYY" in got.profile.describe()[0]
    assert (np.diff(got.column("times")) == 300 * 10**9).all()
    assert got.profile.ordered


def test_an_undecided_date_is_told_and_can_be_given(read: Reader) -> None:
    text = "timestamp,value\n3/4/2025 10:00,1\n3/4/2025 10:05,1\n"
    got = read(text)
    assert got.series["cpu"][0][0] == "2025-03-04T10:00"
    assert "dates could be M/D/YYYY or D/M/YYYY; read as M/D/YYYY" in got.notes
    got = read(text, day_first=True)
    assert got.series["cpu"][0][0] == "2025-04-03T10:00"
    assert "dates could be" not in got.notes


def test_days_that_follow_each_other_decide_a_date(read: Reader) -> None:
    got = read("timestamp,value\n" + "".join(f"{d}/2/2025 {h}:00,1\n" for d in range(1, 8) for h in (0, 12)))
    assert got.series["cpu"][-1][0] == "2025-02-07T12:00"


def test_row_numbers_need_an_interval(read: Reader) -> None:
    text = "row,value\n" + "".join(f"{k},{k % 3}\n" for k in range(10))
    with pytest.raises(ConfigError, match=r"Column 'row' of .*cpu.csv counts up by one.*Give the time between rows"):
        read(text)
    got = read(text, interval_ns=60 * 10**9, start_ns=S * 10**9)
    assert got.series["cpu"][2] == ("2025-02-17T14:32", 2.0)
    assert read(text, interval_ns=10**9).series["cpu"][0][0] == "1970-01-01T00:00"


def test_values_alone_with_an_interval(read: Reader) -> None:
    got = read("load\n0.5\n0.25\n", interval_ns=60 * 10**9)
    assert got.series == {"load": [("1970-01-01T00:00", 0.5), ("1970-01-01T00:01", 0.25)]}
    assert "no time column, one row per interval" in got.profile.describe()[0]


def test_a_time_that_cannot_be_read_is_set_aside_and_named(read: Reader) -> None:
    lines = ["2025-02-17 00:00,1", "yesterday,2", ",3", "2025-02-30 00:00,4", "2025-02-17 00:05,5", "0000-00-00,6"]
    got = read("timestamp,value\n" + "\n".join(lines + [f"2025-02-18 00:{k:02},7" for k in range(20)]))
    assert [v for _, v in got.series["cpu"]][:3] == [1.0, 5.0, 7.0]
    assert "4 rows set aside: the time cannot be read (line 3: 'yesterday'; line 4: empty; line 5: '2025-02-30" in (
        got.notes
    )
    assert "Expected ISO 8601" in got.notes
    assert got.column("source_row").tolist()[:3] == [0, 4, 6]
    assert got.column("ordinal").tolist() == list(range(22))


def test_seconds_among_milliseconds_are_set_aside(read: Reader) -> None:
    got = read("timestamp,value\n" + "".join(f"{S + k}000,1\n" for k in range(9)) + f"{S},2\n")
    assert "1 row set aside" in got.notes
    assert len(got.series["cpu"]) == 9


def test_no_time_column(read: Reader) -> None:
    with pytest.raises(
        DataError, match=r"has no time column. Got a \('0.5'\), b \('2'\). Expected a column of ISO 8601"
    ):
        read("a,b\n0.5,2\n0.25,7\n")
    with pytest.raises(DataError, match=r"Column 'a' of .*cpu.csv does not hold times. Got '0.5'. Expected ISO"):
        read("a,b\n0.5,2\n", time="a")


def test_wrong_hints() -> None:
    from watchband.adapters.sources.files import Hints

    with pytest.raises(ConfigError, match=r"Unknown time zone 'Europe/Dubln'. Expected an IANA name"):
        Hints(timezone="Europe/Dubln")
    with pytest.raises(InvalidParameterError, match=r"must be > 0 nanoseconds. Got -1; write --interval 5m"):
        Hints(interval_ns=-1)
    with pytest.raises(UnknownNameError, match=r"Unknown file format 'xls'. Known: csv, json, jsonl, parquet"):
        Hints(format="xls")
