"""Remote write: what the kernel decodes, beside protobuf's own parser; limits; what is refused and in which words."""

from __future__ import annotations

import contextlib
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.push.requests import V1, V2, compressed, request
from tests.reference.remote_write import decode as reference
from tests.reference.remote_write_schema import message_class
from watchband.adapters.sources.push import remote_write
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.adapters.sources.push.remote_write import decode_inflated, decode_remote_write, version_of

LABELS = {"__name__": "cpu", "host": "a"}
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def rows(decoded: Decoded) -> list[tuple[str, list[int], str]]:
    return [(str(r.key), r.times.tolist(), repr(r.values.tolist())) for r in decoded.readings]


def agree(body: bytes, version: int) -> bool:
    """Whether both take it; if both do, they say the same, bit for bit. The kernel may be stricter."""
    try:
        found = decode_inflated(body, version)
    except PayloadError:
        return False
    expected = reference(body, version)
    assert rows(found) == rows(expected)
    for ours, theirs in zip(found.readings, expected.readings, strict=True):
        assert ours.values.tobytes() == theirs.values.tobytes()
    assert (found.points, found.refused_points) == (expected.points, expected.refused_points)
    assert [r.where for r in found.refused] == [r.where for r in expected.refused]
    return True


texts = st.text(max_size=8)
series = st.tuples(
    st.dictionaries(texts, texts, max_size=4).map(lambda labels: {"__name__": "m", **labels}),
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2**45), st.floats()), max_size=4),
)


@given(st.lists(series, max_size=5), st.sampled_from([1, 2]))
def test_any_request_is_decoded_as_protobuf_does(parts: list, version: int) -> None:
    assert agree(request(parts, version), version)


@given(
    st.lists(series, max_size=4),
    st.sampled_from([1, 2]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)), max_size=3),
)
def test_a_damaged_request_is_refused_or_decoded_alike(parts: list, version: int, damage: list) -> None:
    body = request(parts, version)
    for at, instead, taken in damage:
        body = body[:at] + instead + body[at + taken :]
    agree(body, version)


@given(st.binary(max_size=200), st.sampled_from([1, 2]))
def test_any_bytes_are_refused_or_decoded_alike(body: bytes, version: int) -> None:
    agree(body, version)
    with contextlib.suppress(PayloadError):
        decode_remote_write(body, version)


@pytest.mark.parametrize("version", [1, 2])
def test_samples_arrive_with_their_labels_times_and_values(version: int) -> None:
    body = request([(LABELS, [(1, 1.5), (2, STALE)]), ({"__name__": "up"}, [(-3, float("inf"))])], version)
    found = decode_remote_write(compressed(body), version)
    assert rows(found) == [
        ('cpu{host="a"}', [1_000_000, 2_000_000], "[1.5, nan]"),
        ("up", [-3_000_000], "[inf]"),
    ]
    assert found.points == 3
    assert found.readings[0].values.tobytes() == np.array([1.5, np.nan]).tobytes()


def test_the_same_series_has_the_same_key_object() -> None:
    body = compressed(request([(LABELS, [(1, 1.0)])]))
    first, second = (decode_remote_write(body).readings[0].key for _ in range(2))
    assert first is second


BAD_SERIES = {
    "no name": ({"host": "a"}, "Expected a series with a metric name"),
    "many labels": ({"__name__": "x", **{f"l{i}": "x" for i in range(65)}}, "at most 64 labels"),
    "a long label": ({"__name__": "x", "l": "é" * 1025}, "at most 64 labels, and names and values of 1024"),
    "a label name that cannot be printed": ({"__name__": "x", "a b": "c"}, "Label name 'a b'"),
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("what", BAD_SERIES)
def test_a_bad_series_stops_no_other(what: str, version: int) -> None:
    labels, why = BAD_SERIES[what]
    body = request([(labels, [(1, 1.0), (2, 1.0)]), (LABELS, [(1, 2.0)])], version)
    found = decode_inflated(body, version)
    assert rows(found) == [('cpu{host="a"}', [1_000_000], "[2.0]")]
    assert (found.points, found.refused_points) == (1, 2)
    assert found.refused[0].where == "series 0"
    assert why in found.refused[0].why


def test_other_bad_series() -> None:
    second = message_class(2)(symbols=[b"", b"__name__", b"x"])
    second.timeseries.add(labels_refs=[1]).samples.add(timestamp=1)
    second.timeseries.add(labels_refs=[1, 9]).samples.add(timestamp=1)
    second.timeseries.add(labels_refs=[1, 2]).samples.add(timestamp=2**60)
    second.timeseries.add(labels_refs=[1, 2, 1, 2]).samples.add(timestamp=1)
    found = decode_inflated(second.SerializeToString(), 2)
    assert found.points == 0
    assert [r.why for r in found.refused] == [
        "references to labels come in pairs and point to symbols",
        "references to labels come in pairs and point to symbols",
        "a timestamp is beyond what can be kept (1677 to 2262)",
        "a label stands twice",
    ]
    first = message_class(1)()
    first.timeseries.add().labels.add(name=b"__name__", value=b"\xff")
    assert decode_inflated(first.SerializeToString()).refused[0].why == "a label is not UTF-8 text"


@pytest.mark.parametrize("version", [1, 2])
def test_native_histograms_are_refused_and_counted(version: int) -> None:
    whole = message_class(version).FromString(request([(LABELS, [(1, 1.0)])], version))
    whole.timeseries[0].histograms.add()
    whole.timeseries[0].histograms.add()
    found = decode_inflated(whole.SerializeToString(), version)
    assert (found.points, found.refused_points) == (1, 2)
    assert "send_native_histograms: false" in found.refused[0].why


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    body = request([(LABELS, [(1, 1.0), (2, 1.0)]), (LABELS, [(3, 1.0)])], 2)
    most = remote_write._LIMITS
    for at, least, why in ((0, 2, "at most 1,000,000 samples"), (1, 1, "200,000 series"), (4, 3, "labels of a")):
        limits = list(most)
        limits[at] = least
        monkeypatch.setattr(remote_write, "_LIMITS", tuple(limits))
        with pytest.raises(PayloadError, match=why):
            decode_inflated(body, 2)


def test_symbols_written_once_do_not_multiply() -> None:
    """A megabyte that a million references point at is a million references, not a terabyte."""
    whole = message_class(2)(symbols=[b"", b"__name__", b"x" * 1024])
    whole.timeseries.add(labels_refs=[1, 2] + [2] * 2_000_000).samples.add(timestamp=1)
    for _ in range(70_000):
        whole.timeseries.add(labels_refs=[1, 2])
    body = whole.SerializeToString()
    with pytest.raises(PayloadError, match="labels of a request have at most 64 MiB"):
        decode_inflated(body, 2)


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    head = bytes([0x80, 0x80, 0x80, 0x80, 0x04])
    began = time.process_time()
    with pytest.raises(PayloadError, match="This one says 1024 MiB"):
        decode_remote_write(head + b"\0" * 100)
    assert time.process_time() - began < 1
    with pytest.raises(PayloadError, match="snappy"):
        decode_remote_write(b"\xff" * 20)
    with pytest.raises(PayloadError, match="snappy"):
        decode_remote_write(b"")
    with pytest.raises(PayloadError, match="version 1: the message ends within a field"):
        decode_remote_write(compressed(b"\x0a\x7f"))


def test_versions_by_content_type() -> None:
    assert (version_of(V1), version_of(V2)) == (1, 2)
    assert version_of('Application/X-Protobuf; proto="prometheus.WriteRequest"') == 1
    for other in ("", "text/plain", "application/x-protobuf;proto=io.prometheus.write.v3.Request"):
        with pytest.raises(PayloadError, match="Expected Content-Type"):
            version_of(other)
