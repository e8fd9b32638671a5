"""Which columns become series, with which names and labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.adapters.conftest import Read
from watchband.core.errors import ConfigError, UnknownNameError

Reader = Callable[..., Read]
T = [f"2025-02-17 00:{5 * k:02}" for k in range(12)]


def rows(*columns: object, header: str = "", times: list[str] = T) -> str:
    """A CSV whose first column is the time; a column is a list or a function of the row."""
    lines = [header] if header else []
    for k, time in enumerate(times):
        cells = [str(c(k) if callable(c) else c[k]) for c in columns]  # type: ignore[index]
        lines.append(",".join([time, *cells]))
    return "\n".join(lines) + "\n"


NUMBER = staticmethod(lambda k: k + 0.5)
LAYOUTS = {
    "NAB": ("timestamp,value", (NUMBER,), ["cpu"]),
    "two columns": ("Time,Latency ms", (NUMBER,), ["Latency ms"]),
    "no header": ("", (NUMBER,), ["cpu"]),
    "wide": ("timestamp,user,system", (NUMBER, NUMBER), ["user", "system"]),
    "wide, no header": ("", (NUMBER, NUMBER), ["column_2", "column_3"]),
    "string label": (
        "timestamp,host,load",
        (lambda k: "ab"[k % 2], NUMBER),
        ['load{host="a"}', 'load{host="b"}'],
    ),
    "integer label": (
        "timestamp,instance_id,load",
        (lambda k: 7 + k % 2, NUMBER),
        ['load{instance_id="7"}', 'load{instance_id="8"}'],
    ),
    "camel-case id": ("timestamp,hostId,load", (lambda k: 3, NUMBER), ['load{hostId="3"}']),
    "two labels": (
        "timestamp,zone,host,load",
        (lambda k: "x", lambda k: "ab"[k % 2], NUMBER),
        ['load{host="a",zone="x"}', 'load{host="b",zone="x"}'],
    ),
    "long": ("timestamp,metric,value", (lambda k: ["cpu", "mem"][k % 2], NUMBER), ["cpu", "mem"]),
    "long with host": (
        "ts,host,name,value",
        (lambda k: "h", lambda k: ["cpu", "mem"][k % 2], NUMBER),
        ['cpu{host="h"}', 'mem{host="h"}'],
    ),
    "long with statistics": (
        "ts,metric,avg,max",
        (lambda k: "cpu", NUMBER, NUMBER),
        ["cpu_avg", "cpu_max"],
    ),
    "a name beside a metric": ("ts,name,load", (lambda k: "web", NUMBER), ['load{name="web"}']),
    "our own scores": (
        "series,timestamp,y",
        (),
        ['cpu{host="a"}'],
    ),
    "0-1 metric": ("timestamp,status_check", (lambda k: k % 2,), ["status_check"]),
    "true and false": ("timestamp,up", (lambda k: str(k % 2 == 0).lower(),), ["up"]),
}


@pytest.mark.parametrize("name", [n for n in LAYOUTS if n != "our own scores"])
def test_layouts(read: Reader, name: str) -> None:
    header, columns, keys = LAYOUTS[name]
    columns = tuple(c.__func__ if isinstance(c, staticmethod) else c for c in columns)
    assert read(rows(*columns, header=header)).keys == keys


def test_series_names_in_text_form_are_read_back(read: Reader) -> None:
    text = "series,timestamp,y\n" + "".join(f'"cpu{{host=""a""}}",{t},{k}\n' for k, t in enumerate(T))
    assert read(text, "scores.csv").keys == ['cpu{host="a"}']


def test_values_come_row_by_row_and_column_by_column(read: Reader) -> None:
    got = read("time,a,b\n2025-02-17 00:00,1,2\n2025-02-17 00:05,3,\n")
    (batch,) = got.batches
    assert batch.row.tolist() == [0, 1, 0, 1]
    assert batch.values[:3].tolist() == [1, 2, 3]
    assert np.isnan(batch.values[3])
    assert batch.source_row.tolist() == [0, 0, 1, 1]
    assert batch.ordinal.tolist() == [0, 1, 2, 3]
    assert (batch.row.dtype, batch.times.dtype, batch.source_row.dtype) == (np.int32, np.int64, np.int64)


def test_label_names_that_cannot_be_printed_are_changed(read: Reader) -> None:
    got = read(rows(lambda k: k, lambda k: "x", lambda k: "y", header='timestamp,load,"data center",data_center'))
    assert got.keys == ['load{data_center="x",data_center_2="y"}']


@pytest.mark.parametrize("column", ["label", "is_anomaly", "Anomaly", "split", "is_potential_outlier"])
def test_ground_truth_is_left_out_and_said(read: Reader, column: str) -> None:
    text = rows(lambda k: k, lambda k: int(k == 3), header=f"timestamp,load,{column}")
    got = read(text)
    assert got.keys == ["load"]
    assert f"column '{column}' is left out: looks like ground truth" in got.notes
    assert read(text, values=("load", column)).keys == ["load", column]


def test_train_and_test_is_no_label(read: Reader) -> None:
    got = read(rows(lambda k: k, lambda k: "train" if k < 6 else "test", header="timestamp,load,split"))
    assert got.keys == ["load"]


def test_a_label_column_of_host_names_is_a_label(read: Reader) -> None:
    got = read(rows(lambda k: k, lambda k: "web-1", header="timestamp,load,label"))
    assert got.keys == ['load{label="web-1"}']


def test_a_status_that_changes_within_a_series_does_not_split_it(read: Reader) -> None:
    text = rows(lambda k: k, lambda k: "warn" if k % 5 == 0 else "ok", header="timestamp,load,status")
    got = read(text)
    assert got.keys == ["load"]
    assert "column 'status' is left out: changes within one series" in got.notes
    assert read(text, labels=("status",)).keys == ['load{status="warn"}', 'load{status="ok"}']


def test_a_text_that_tells_every_row_apart_is_no_label(read: Reader) -> None:
    times = [f"2025-02-17 {k // 60:02}:{k % 60:02}" for k in range(100)]
    got = read(rows(lambda k: k, lambda k: f"request {k}", header="timestamp,load,trace", times=times))
    assert got.keys == ["load"]
    assert "column 'trace' is left out" in got.notes
    assert got.series["load"][99] == ("2025-02-17T01:39", 99.0)


def test_a_row_number_beside_times_is_left_out(read: Reader) -> None:
    text = "".join(f"{k},{t},{k * 2}\n" for k, t in enumerate(T))
    assert read(",timestamp,load\n" + text).keys == ["load"]
    assert read("index,timestamp,load\n" + text).keys == ["load"]


def test_hints_win(read: Reader) -> None:
    text = rows(lambda k: 5, lambda k: 2, lambda k: "x", header="timestamp,a,b,host")
    assert read(text, values=("b",)).keys == ['b{host="x"}']
    assert read(text, values=("b",), metric="m", labels=("a",)).keys == ['m{a="5"}']
    with pytest.raises(UnknownNameError, match=r"Unknown column of .*cpu.csv 'c'\. .*Known: a, b, host, timestamp"):
        read(text, values=("c",))
    with pytest.raises(ConfigError, match=r"2 value columns .a, b.* Choose the column with --value"):
        read(text, metric="m")


def test_one_name_for_several_metrics_of_a_long_table_is_refused(read: Reader) -> None:
    rows = [f"2024-01-01T00:{m:02d}Z,{name},{m}\n" for m in range(5) for name in ("cpu", "load")]
    text = "time,metric,value\n" + "".join(rows)
    assert read(text).keys == ["cpu", "load"]
    with pytest.raises(ConfigError, match="several metrics, named by column 'metric': --metric 'm' cannot name"):
        read(text, metric="m")


def test_the_time_column_can_be_named(read: Reader) -> None:
    text = "timestamp,event_time,load\n" + "".join(f"{t},{t.replace('17', '18')},{k}\n" for k, t in enumerate(T))
    assert read(text).series["load"][0][0] == "2025-02-17T00:00"
    got = read(text, time="event_time", values=("load",))
    assert got.series["load"][0][0] == "2025-02-18T00:00"


def test_roles_are_told_in_one_line(read: Reader) -> None:
    got = read(rows(lambda k: 5, lambda k: "x", header="timestamp,a,host"))
    (line,) = got.profile.describe()
    assert line.endswith(
        "cpu.csv: CSV; time 'timestamp' (ISO 8601 without zone, read as UTC); values a; labels host — 12 rows, 1 series"
    )
