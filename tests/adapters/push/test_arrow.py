"""Arrow streams: tables as data frames have them, and bytes that are none."""

from __future__ import annotations

import contextlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.push.arrow_messages import check_messages
from watchband.adapters.sources.push.arrow_points import decode_arrow
from watchband.adapters.sources.push.payload import Decoded, PayloadError

UTC = pa.timestamp("ns", tz="UTC")
T0 = 1_769_904_000 * 10**9


def stream(table: pa.Table, rows: int | None = None, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return bytes(sink.getvalue())


def table(**columns: object) -> pa.Table:
    base = {"time": pa.array([T0, T0 + 1], UTC), "value": pa.array([1.5, None]), "metric": ["cpu", "cpu"]}
    return pa.table({k: v for k, v in {**base, **columns}.items() if v is not None})


def rows(decoded: Decoded) -> list[tuple[str, list[int], str]]:
    return [(str(r.key), r.times.tolist(), repr(r.values.tolist())) for r in decoded.readings]


def test_a_table_of_points() -> None:
    found = decode_arrow(stream(table(host=["a", "b"])))
    assert rows(found) == [('cpu{host="a"}', [T0], "[1.5]"), ('cpu{host="b"}', [T0 + 1], "[nan]")]
    assert found.points == 2


def test_rows_of_a_series_keep_their_order() -> None:
    times = pa.array([T0 + k for k in (5, 1, 9, 2, 7)], UTC)
    found = decode_arrow(stream(table(time=times, value=[0.0, 1, 2, 3, 4], metric=list("ababa"))))
    assert rows(found) == [
        ("a", [T0 + 5, T0 + 9, T0 + 7], "[0.0, 2.0, 4.0]"),
        ("b", [T0 + 1, T0 + 2], "[1.0, 3.0]"),
    ]


@pytest.mark.parametrize(
    "time",
    [
        pa.array([1_769_904_000, 1_769_904_001]),
        pa.array([1_769_904_000_000, 1_769_904_001_000]),
        pa.array([1_769_904_000 * 10**6, 1_769_904_001 * 10**6], pa.uint64()),
        pa.array([T0, T0 + 10**9]),
        pa.array([T0 // 10**9, T0 // 10**9 + 1], pa.int32()),
        pa.array([T0 // 1000, T0 // 1000 + 10**6], pa.timestamp("us", tz="Europe/Berlin")),
        pa.array([T0 // 10**9, T0 // 10**9 + 1], pa.timestamp("s", tz="+05:30")),
    ],
)
def test_times_of_every_unit(time: pa.Array) -> None:
    assert rows(decode_arrow(stream(table(time=time)))) == [("cpu", [T0, T0 + 10**9], "[1.5, nan]")]


@pytest.mark.parametrize(
    "value",
    [
        *(pa.array([1, None], kind) for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64())),
        pa.array([True, None]),
    ],
)
def test_values_of_every_kind(value: pa.Array) -> None:
    assert rows(decode_arrow(stream(table(value=value)))) == [("cpu", [T0, T0 + 1], "[1.0, nan]")]


def test_nothing_but_missing_values() -> None:
    assert rows(decode_arrow(stream(table(value=pa.nulls(2))))) == [("cpu", [T0, T0 + 1], "[nan, nan]")]
    half = pa.array(np.array([1, np.nan], np.float16))
    assert rows(decode_arrow(stream(table(value=half)))) == [("cpu", [T0, T0 + 1], "[1.0, nan]")]


def test_texts_may_be_dictionaries_large_or_missing() -> None:
    host = pa.array(["a", None]).dictionary_encode()
    found = decode_arrow(stream(table(host=host, zone=pa.array(["", "x"], pa.large_string()))))
    assert [str(r.key) for r in found.readings] == ['cpu{zone="x"}', 'cpu{host="a"}']


def test_a_series_may_stand_as_one_text() -> None:
    series = ['cpu{host="a"}', 'mem{host="b"}']
    found = decode_arrow(stream(table(metric=None, series=series, zone=["x", "x"])))
    assert [str(r.key) for r in found.readings] == ['cpu{host="a",zone="x"}', 'mem{host="b",zone="x"}']


def test_many_batches_are_one_payload() -> None:
    many = table(
        time=pa.array([T0 + k for k in range(100)], UTC), value=np.arange(100.0), metric=["a"] * 50 + ["b"] * 50
    )
    found = decode_arrow(stream(many, rows=7))
    assert found.points == 100
    assert [t for r in found.readings for t in r.times.tolist()] == [T0 + k for k in range(100)]


def test_a_bad_row_stops_no_other() -> None:
    times = pa.array([T0, None, T0 + 2, T0 + 3], UTC)
    bad = table(time=times, value=[1.0, 2, 3, 4], metric=["cpu", "cpu", None, "cpu"], host=["a", "a", "a", "x" * 1025])
    found = decode_arrow(stream(bad))
    assert rows(found) == [('cpu{host="a"}', [T0], "[1.0]")]
    assert (found.points, found.refused_points) == (1, 3)
    assert [r.where for r in found.refused] == ["row 1", "row 2", "row 3"]
    assert "metric name" in found.refused[1].why


def test_times_beyond_what_can_be_kept() -> None:
    found = decode_arrow(stream(table(time=pa.array([2**62, 1], pa.timestamp("s", tz="UTC")))))
    assert (found.points, found.refused_points) == (1, 1)
    found = decode_arrow(stream(table(time=pa.array([2**63, 2**64 - 1], pa.uint64()))))
    assert (found.points, found.refused_points) == (0, 2)
    found = decode_arrow(stream(table(time=pa.array([-(2**63), -(2**63) + 1]))))
    assert (found.points, found.refused_points) == (1, 1)


WRONG = {
    "has no time zone": {"time": pa.array([1, 2], pa.timestamp("ns"))},
    "Expected the columns 'time'": {"time": None},
    "'value'": {"value": None},
    "either 'series' or 'metric'": {"metric": None},
    "The column 'value' is of type string": {"value": ["1", "2"]},
    "The column 'time' is of type double": {"time": [1.0, 2.0]},
    "The column 'host' is of type int64": {"host": [1, 2]},
    "The column 'host' is of type list": {"host": [["a"], ["b"]]},
    "The column 'value' is of type dictionary": {"value": pa.array([1.0, 2.0]).dictionary_encode()},
    "The column 'value' is of type decimal": {"value": pa.array([1, 2], pa.decimal128(5))},
}


@pytest.mark.parametrize("words", WRONG)
def test_other_tables_are_refused_whole(words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        decode_arrow(stream(table(**WRONG[words])))


def test_columns_of_one_name_and_too_many() -> None:
    twice = pa.table([pa.array([1]), pa.array([1.0]), ["a"], ["b"]], names=["time", "value", "metric", "metric"])
    with pytest.raises(PayloadError, match="different names"):
        decode_arrow(stream(twice))
    with pytest.raises(PayloadError, match="at most 68"):
        decode_arrow(stream(table(**{f"l{i}": ["x", "x"] for i in range(66)})))


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_what_is_compressed_within_is_refused_before_it_inflates(codec: str) -> None:
    zeros = table(time=np.zeros(100_000, np.int64), value=np.zeros(100_000), metric=["cpu"] * 100_000)
    with pytest.raises(PayloadError, match="compressed within"):
        decode_arrow(stream(zeros, compression=codec))
    dictionary = table(metric=pa.array(["cpu", "cpu"]).dictionary_encode())
    with pytest.raises(PayloadError, match="compressed within"):
        decode_arrow(stream(dictionary, compression=codec))


def test_what_is_no_stream() -> None:
    whole = stream(table())
    for body, why in (
        (b"", "it is empty"),
        (b"ARROW1\0\0" + whole, "no message begins at byte 0"),
        (whole[:100], "ends within a message"),
        (whole[:-200], "ends within a message|no message"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f", "ends within a message"),
    ):
        with pytest.raises(PayloadError, match=why):
            decode_arrow(body)


def test_rows_that_only_are_claimed_take_no_memory() -> None:
    whole, two = stream(table()), (2).to_bytes(8, "little")
    places = [at for at in range(len(whole)) if whole[at : at + 8] == two]
    assert places
    for at in places:
        for claimed in (3, 900_000, 2**40, 2**62, 2**64 - 1):
            with pytest.raises(PayloadError):
                decode_arrow(whole[:at] + claimed.to_bytes(8, "little") + whole[at + 8 :])


@given(st.lists(st.tuples(st.integers(0, 900), st.binary(min_size=1, max_size=4)), max_size=4))
def test_a_damaged_stream_is_refused_or_read(damage: list[tuple[int, bytes]]) -> None:
    body = stream(table(host=pa.array(["a", "b"]).dictionary_encode()))
    for at, instead in damage:
        body = body[:at] + instead + body[at + len(instead) :]
    with contextlib.suppress(PayloadError):
        decode_arrow(body)


@given(st.binary(max_size=100))
def test_any_bytes_are_looked_over(body: bytes) -> None:
    with contextlib.suppress(PayloadError):
        check_messages(b"\xff\xff\xff\xff" + len(body).to_bytes(4, "little") + body)


labels = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
points = st.lists(
    st.tuples(st.integers(-(2**62), 2**62), st.floats(), st.sampled_from(["a", "b"]), labels), max_size=20
)


@given(points)
def test_points_come_back(some: list[tuple[int, float, str, str]]) -> None:
    columns = {
        "time": pa.array([t for t, *_ in some], UTC),
        "value": pa.array([v for _, v, *_ in some], pa.float64()),
        "metric": pa.array([m for *_, m, _ in some], pa.string()),
        "label": pa.array([label for *_, label in some], pa.string()),
    }
    found = decode_arrow(stream(pa.table(columns)))
    assert found.points == len(some)
    expected: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for time, value, metric, label in some:
        expected.setdefault((metric, label), []).append((time, repr(value)))
    came = {
        (r.key.metric, r.key.labels.get("label", "")): list(
            zip(r.times.tolist(), map(repr, r.values.tolist()), strict=True)
        )
        for r in found.readings
    }
    assert came == expected
