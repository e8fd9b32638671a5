"""The event stream of the HTML standard, whole and cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.sse import events as module
from watchband.adapters.sources.sse.events import EventStream
from watchband.core.errors import TransientError


def read(*chunks: bytes, last_id: str = "") -> list[tuple[str, str, str]]:
    stream = EventStream(last_id)
    return [(e.type, e.data, e.id) for chunk in chunks for e in stream.feed(chunk)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (b": comment\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n",
         [("message", "first", "1"), ("message", "second", ""), ("message", " third", "")]),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
        (b"event: x\n\ndata: 1\n\n", [("message", "1", "")]),
        (b"\xef\xbb\xbfdata: bom\n\n\xef\xbb\xbfdata: no bom\n\n", [("message", "bom", "")]),
        (b"id: 5\n\ndata: a\n\n", [("message", "a", "5")]),
        (b"id: a\0b\ndata: a\n\n", [("message", "a", "")]),
        (b"data: a\r\ndata: b\rdata: c\n\r\n", [("message", "a\nb\nc", "")]),
        (b"data: cut off\n", []),
        (b"unknown: x\ndata: 1\nDATA: 2\n\n", [("message", "1", "")]),
        (b"data: \xff\xc3\n\n", [("message", "��", "")]),
        ("data: λ\n\n".encode(), [("message", "λ", "")]),
    ],
)  # fmt: skip
def test_streams(text: bytes, expected: list[tuple[str, str, str]]) -> None:
    assert read(text) == expected
    assert read(*(text[i : i + 1] for i in range(len(text)))) == expected


PIECES = b"data,:, ,\n,\r,id,event,retry,7,\xef\xbb\xbf,\xce,\xbb,\0".split(b",")


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.lists(st.integers(0, 80), max_size=6))
def test_cuts_change_nothing(pieces: list[bytes], cuts: list[int]) -> None:
    text = b"".join(pieces)
    edges = [0, *sorted(min(c, len(text)) for c in cuts), len(text)]
    assert read(*(text[a:b] for a, b in pairwise(edges))) == read(text)


def test_an_id_stays_until_another_comes() -> None:
    stream = EventStream("before")
    named = [(e.id, e.named) for e in stream.feed(b"data: 1\n\nid: 9\ndata: 2\n\ndata: 3\n\nid: 10\n\ndata: 4\n\n")]
    assert named == [("before", False), ("9", True), ("9", False), ("10", True)]


def test_an_id_counts_when_its_event_has_come() -> None:
    stream = EventStream("1")
    assert (list(stream.feed(b"id: 2\ndata: half")), stream.last_id) == ([], "1")


def test_retry() -> None:
    stream = EventStream()
    list(stream.feed(b"retry: 1500\n\nretry: soon\n\nretry: -1\n\n"))
    assert stream.retry_ms == 1500


def test_what_has_no_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_MAX", 100)
    monkeypatch.setattr(module, "DATA_MAX", 100)
    with pytest.raises(TransientError, match="line of more than 100"):
        read(b"x" * 101)
    with pytest.raises(TransientError, match="event of more than 100"):
        read(b"data: " + b"x" * 60 + b"\n", b"data: " + b"x" * 60 + b"\n")
