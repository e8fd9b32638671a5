"""JSON, JSON Lines and line protocol: round trips, forms that people send, and limits."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.push import influx, json_points, payload
from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json, decode_json_lines
from watchband.adapters.sources.push.keys import Cache
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.core.timestamp import FIRST, LAST, format_rfc3339

Point = tuple[str, dict[str, str], int, float]
plain = st.text(
    st.characters(exclude_characters='\\\n\r"', exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
)
names = st.text("abcxyz_:", min_size=1, max_size=4)
points = st.lists(
    st.tuples(
        plain.map(lambda t: t[:8]),
        st.dictionaries(names, plain.map(lambda t: t[:8]), max_size=3),
        st.integers(FIRST, LAST),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=8,
)


def gathered(decoded: Decoded) -> list[tuple[str, str, int, bytes]]:
    assert decoded.refused == []
    return sorted(
        (r.key.metric, json.dumps(dict(r.key.labels)), t, struct.pack("<d", v))
        for r in decoded.readings
        for t, v in zip(r.times.tolist(), r.values.tolist(), strict=True)
    )


def expected(some: list[Point]) -> list[tuple[str, str, int, bytes]]:
    return sorted((m, json.dumps(dict(sorted(ls.items()))), t, struct.pack("<d", v)) for m, ls, t, v in some)


@given(points)
def test_json_comes_back(some: list[Point]) -> None:
    documents = [
        {"series": {"__name__": metric, **labels}, "time": format_rfc3339(time), "value": value}
        for metric, labels, time, value in some
    ]
    assert gathered(decode_json(json.dumps(documents).encode())) == expected(some)
    lines = [
        {"metric": metric, "labels": labels, "times": [format_rfc3339(time)], "values": [value]}
        for metric, labels, time, value in some
    ]
    assert gathered(decode_json_lines("\r\n".join(map(json.dumps, lines)).encode())) == expected(some)


def escaped(text: str) -> str:
    return "".join("\\" + c if c in ",= " else c for c in text)


@given(points)
def test_line_protocol_comes_back(some: list[Point]) -> None:
    some = [point for point in some if not point[0].startswith("#")]
    lines = []
    for metric, labels, time, value in some:
        tags = "".join(f",{escaped(k)}={escaped(v)}" for k, v in labels.items())
        lines.append(f'{escaped(metric)}{tags} value={value!r},note="a \\" b,c=d\nnext" {time}')
    assert gathered(decode_influx("\n".join(lines).encode())) == expected(some)


def rows(decoded: Decoded) -> list[tuple[str, list[int], list[float]]]:
    return [(str(r.key), r.times.tolist(), r.values.tolist()) for r in decoded.readings]


def test_fields_tags_and_spaces_of_line_protocol() -> None:
    body = (
        b'cpu,host=web\\ 1,zone=eu\\,west idle=1.5,busy=-2i,total=3u,up=true,down=F,note="x" 10\r\n'
        b"  spaced   value=1e3   11  \n\n"
        b"load,a.b=c d\\=e=5 12\n"
    )
    host = '{host="web 1",zone="eu,west"}'
    assert rows(decode_influx(body)) == [
        (f"cpu_idle{host}", [10], [1.5]),
        (f"cpu_busy{host}", [10], [-2.0]),
        (f"cpu_total{host}", [10], [3.0]),
        (f"cpu_up{host}", [10], [1.0]),
        (f"cpu_down{host}", [10], [0.0]),
        ("spaced", [11], [1000.0]),
        ('load_d=e{a.b="c"}', [12], [5.0]),
    ]


def test_the_precision_and_the_clock_stand_in() -> None:
    for precision, factor in (("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9)):
        assert rows(decode_influx(b"cpu value=1 17", precision=precision)) == [("cpu", [17 * factor], [1.0])]
    assert rows(decode_influx(b"cpu value=1", now=99)) == [("cpu", [99], [1.0])]


def test_of_a_line_that_is_refused_nothing_is_taken() -> None:
    found = decode_influx(b"cpu a=1,b=2,c=x 1\ncpu a=3 2")
    assert rows(found) == [("cpu_a", [2], [3.0])]
    assert found.refused_points == 1


def test_values_that_are_missing() -> None:
    values = ["null", '"NaN"', "NaN", '"+Inf"', '"-Inf"', "Infinity"]
    body = "[" + ",".join(f'{{"series": "cpu", "time": {k}, "value": {v}}}' for k, v in enumerate(values)) + "]"
    found = decode_json(body.encode()).readings[0].values
    assert np.array_equal(found, [math.nan, math.nan, math.nan, math.inf, -math.inf, math.inf], equal_nan=True)


def many(line: str, count: int) -> bytes:
    return "\n".join(line % k for k in range(count)).encode()


LINES: dict[str, tuple[Callable[[bytes], Decoded], str]] = {
    "json_lines": (decode_json_lines, '{"series": "cpu_%d", "time": 1, "value": 1}'),
    "influx": (decode_influx, "cpu_%d value=1 1"),
}


@pytest.mark.parametrize("name", LINES)
def test_limits_on_points_and_series(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, line = LINES[name]
    for module in (payload, json_points, influx):
        monkeypatch.setattr(module, "POINTS_MAX", 10)
    assert decode(many(line, 10)).points == 10
    with pytest.raises(PayloadError, match="at most 10 points"):
        decode(many(line, 11))
    with pytest.raises(PayloadError, match="at most 10 lines"):
        decode(many("nonsense %d", 11))
    monkeypatch.setattr(payload, "SERIES_MAX", 5)
    with pytest.raises(PayloadError, match="at most 5 series"):
        decode(many(line, 6))


def test_limits_on_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PayloadError, match=r"16 MiB\. Got 17 MiB: send JSON Lines"):
        decode_json(b"[" + b" " * (17 << 20))
    with pytest.raises(PayloadError, match="at most 1,000,000 points"):
        decode_json(b"[" + b"{}," * 4_000_001 + b"{}]")
    found = decode_json_lines(b"[" * 100_000 + b'\n{"series": "cpu", "time": 1, "value": 1}')
    assert (found.points, found.refused[0].why) == (1, "This JSON is nested too deeply.")


def test_a_hundred_refusals_are_told_and_all_are_counted() -> None:
    found = decode_influx(b"nonsense\n" * 1000)
    assert (len(found.refused), found.refused_points) == (100, 1000)


def test_a_line_of_a_million_bytes_takes_no_longer_than_its_length() -> None:
    """Quotes that never close, escapes and commas without end: each is looked at once."""
    for part in (b'a b="', b"a b=\\", b"a,", b"a b=1,", b'a b="\\"', b"\\ ", b'"" '):
        decode_influx(part * 200_000)
        decode_influx(part * 1000 + b"\n" + part * 1000)


def test_keys_that_were_seen_are_kept_within_limits() -> None:
    cache: Cache[str, int] = Cache(entries=3, text=5)
    for number in range(100):
        cache.put(f"k{number}", number)
        assert len(cache) <= 6
        assert cache.get("k0") == (0 if number < 100 else None)
    cache.put("too long", 1)
    assert cache.get("too long") is None


def test_names_that_no_store_can_keep_are_refused_alone() -> None:
    body = (
        b'[{"series": {"__name__": "cpu", "h": "\\ud800x"}, "time": 1700000000, "value": 1},'
        b' {"series": {"__name__": "a\\u0000b"}, "time": 1700000000, "value": 2},'
        b' {"series": {"__name__": "ok", "h": "\\u2603"}, "time": 1700000000, "value": 3}]'
    )
    found = decode_json(body)
    assert [(str(r.key), r.values.tolist()) for r in found.readings] == [('ok{h="\u2603"}', [3.0])]
    assert found.refused_points == 2
    assert all("lone surrogate or NUL" in r.why for r in found.refused)
