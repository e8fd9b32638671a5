"""What is said of a notice, and what is drawn of it."""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

import numpy as np
import pytest

from watchband.adapters.sinks.labels import labels_of
from watchband.adapters.sinks.message import SPARK_BARS, TITLE_MAX, document, headline, message_of, plain, sparkline
from watchband.adapters.sinks.picture import POINTS_MAX, picture_of
from watchband.core.duration import MINUTE
from watchband.core.ports import Notice, Stretch
from watchband.core.series import SeriesKey
from watchband.core.wording import NO_BREAK
from watchband.testing.contracts.sink import HOSTILE, START, a_notice

NAN = math.nan


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "is 1.1 s, expected 0.14–0.26 s"),
        ({"lower": NAN}, "is 1.1 s, expected at most 0.26 s"),
        ({"lower": NAN, "upper": NAN}, "is 1.1 s"),
        ({"kind": "level"}, "stays at 1.1 s, expected 0.14–0.26 s"),
        ({"kind": "pattern"}, "runs unlike before, at 1.1 s"),
        ({"kind": "out of range"}, "is 1.1 s, outside its range"),
        ({"kind": "no data", "value": NAN}, "sends nothing"),
        ({"kind": "stuck"}, "is stuck at 1.1 s"),
        ({"closed": START + 21 * MINUTE}, "is as usual again after 21 min"),
        ({"closed": START + 21 * MINUTE, "kind": "no data"}, "reports again after 21 min"),
        ({"closed": START + 90 * MINUTE, "kind": "stuck"}, "moves again after 1 h 30 min"),
        (
            {"closed": START + 90 * MINUTE, "adopted": True},
            "keeps its new level, which is normal now, after 1 h 30 min",
        ),
    ],
)
def test_headlines(changes: dict[str, Any], expected: str) -> None:
    assert headline(a_notice(**changes).alert).replace(NO_BREAK, " ") == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("value", "was 1.1 s, expected 0.14–0.26 s, for 12 min"),
        ("level", "stayed at 1.1 s, expected 0.14–0.26 s, for 12 min"),
        ("no data", "sent nothing for 12 min"),
        ("pattern", "ran unlike before, at 1.1 s for 12 min"),
    ],
)
def test_what_was_over_before_anybody_heard_of_it(kind: str, expected: str) -> None:
    message = message_of(a_notice(1, kind=kind, closed=START + 12 * MINUTE))
    assert message.title.replace(NO_BREAK, " ").startswith(f"request_latency_ms {expected} (host")
    assert message.headline.startswith("Critical, ended: ")


def test_the_whole_message() -> None:
    notice = dataclasses.replace(a_notice(confidence=0.2, policies=("3 of 5",)), link="https://wb.test/alerts/1")
    assert message_of(notice).text().replace(NO_BREAK, " ") == (
        "Critical: request_latency_ms is 1.1 s, expected 0.14–0.26 s (host=web-1, service=checkout)\n\n"
        'request_latency_ms{host="web-1",service="checkout"} is 1.1 s; expected 0.14–0.26 s. 7 band widths above for '
        "2 min, seen by auto: band.\n\n"
        "Value:      1.1 s at 1 Mar 2026 14:04 CET\n"
        "Expected:   0.14–0.26 s, near 0.2 s\n"
        "Deviation:  7 band widths above\n"
        "Since:      1 Mar 2026 14:02 CET\n"
        "Lasting:    2 min\n"
        "Kind:       value (critical)\n"
        "Strength:   4.2 times the limit\n"
        "Seen by:    auto: band\n"
        "Policies:   3 of 5\n"
        "Confidence: 20 %, little history so far\n"
        "Watch:      web\n"
        "Labels:     host=web-1, service=checkout\n\n"
        "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁███  last 1 h 29 min\n\n"
        "https://wb.test/alerts/1\n"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_steers_nobody(name: str) -> None:
    text = plain(HOSTILE[name], 100)
    assert len(text) <= 102
    assert not [c for c in text if not (c.isprintable() or c in "\u200d\u2068\u2069")]
    notice = a_notice(series=SeriesKey(f"m{HOSTILE[name][:300]}", {"label": HOSTILE[name]}), reason=HOSTILE[name])
    message = message_of(notice)
    assert len(message.title) <= TITLE_MAX + 2
    assert "\n" not in message.headline


def test_text_from_right_to_left_is_set_apart() -> None:
    assert plain("\u05d0\u05d1", 10) == "\u2068\u05d0\u05d1\u2069"


def stretch(y: list[float]) -> Stretch:
    values = np.array(y, float)
    none = np.full(len(values), NAN)
    return Stretch(np.arange(len(values)) * MINUTE, values, none, none, none, none, np.zeros(len(values), bool))


def test_no_spike_is_lost_in_the_row_of_bars() -> None:
    y = [1.0] * 1000
    y[777] = 100.0
    row = sparkline(stretch(y))
    assert (len(row), row.count("█")) == (SPARK_BARS, 1)
    y[777] = -100.0
    assert sparkline(stretch(y)).count("▁") == 1
    assert sparkline(stretch(y), "above") == "▄" * SPARK_BARS, "the other side is not what it is about"
    assert sparkline(stretch([])) == sparkline(stretch([NAN, NAN])) == ""
    assert sparkline(stretch([5.0, NAN, 5.0])) == "▄ ▄"


def size(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])  # type: ignore[return-value]


def test_a_picture_is_of_one_size_whatever_it_shows() -> None:
    rng = np.random.default_rng(0)
    n = 200_000
    y = rng.normal(0, 1, n)
    many = Stretch(np.arange(n) * MINUTE, y, y * 0, y * 0 - 3, y * 0 + 3, np.abs(y), np.abs(y) > 3)
    for recent in (a_notice().recent, many, stretch([1.0, NAN, 2.0]), stretch([7.0, 7.0])):
        picture = picture_of(dataclasses.replace(a_notice(), recent=recent))
        assert picture is not None
        assert size(picture.png) == (1280, 540)
        assert len(picture.png) < 200_000
        assert "Chart of request_latency_ms from" in picture.alt
    assert POINTS_MAX < 1000


def test_without_points_there_is_no_picture() -> None:
    for recent in (None, stretch([]), stretch([1.0]), stretch([NAN] * 5), stretch([1e300, -1e300, 1e300])):
        assert picture_of(dataclasses.replace(a_notice(), recent=recent)) is None


def test_the_document_is_json_of_the_whole_alert_and_depends_on_nothing_else() -> None:
    notice = a_notice(value=math.inf, expected=NAN)
    found = document(notice)
    assert (found["alert"]["value"], found["alert"]["expected"], found["link"]) == (None, None, None)
    assert document(dataclasses.replace(notice, recent=None, tries=7, error="x")) == found


def test_labels_never_collide_and_keep_apart_what_differs() -> None:
    key = SeriesKey("m", {"severity": "x", "exported_severity": "y", "a-b": "1", "a.b": "2", "9": "3"})
    labels = labels_of(a_notice(series=key).alert, {"team": "web"})
    assert len(labels) == len(key.labels) + 5
    long = [labels_of(a_notice(series=SeriesKey("m", {"l": "x" * 1500 + end})).alert, {})["l"] for end in "ab"]
    assert long[0] != long[1]
    assert max(map(len, long)) < 1020


def test_a_notice_without_a_reason_has_one() -> None:
    notice = Notice(dataclasses.replace(a_notice().alert, reason=""), 1, "x")
    assert "is 1.1" in message_of(notice).reason
