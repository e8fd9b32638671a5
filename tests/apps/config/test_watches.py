"""Watches of a configuration file: places in errors, and the fold that a watch amounts to."""

from __future__ import annotations

import pytest

from watchband.apps.config.build import build, mapping
from watchband.apps.config.document import DocumentError, parse_document
from watchband.apps.config.watches import WatchSettings
from watchband.core.series import SeriesKey

TEXT = """watches:
  web:
    match: cpu{env="prod"}
    detector: ewma
    m_of_n: 3/5
"""


def settings(text: str) -> WatchSettings:
    root = parse_document(text, "w.yaml", {})
    watches = mapping(mapping(root, "the file")["watches"], "watches")
    return build(WatchSettings, watches["web"], "watch 'web'")


def test_a_watch_is_what_detect_would_make_of_it() -> None:
    found = settings(TEXT)
    watch = found.watch("web")
    assert (watch.detector.name, watch.policy.m_of_n) == ("ewma", (3, 5))
    assert [found.matches(SeriesKey("cpu", {"env": e})) for e in ("prod", "dev")] == [True, False]


def test_an_unknown_key_names_the_nearest_and_its_line() -> None:
    with pytest.raises(
        DocumentError, match=r"w.yaml:4:5: Unknown key of watch 'web' 'detectr'. Did you mean 'detector'"
    ):
        settings(TEXT.replace("detector", "detectr"))


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("budget: never", 13, "A budget is so many alerts a period, written 1/week, .*never"),
        ("budget: 1/wek", 13, "A duration is written"),
        ("sigma: x", 12, "A rule is written"),
        ("range: 5", 12, "is not a range"),
        ("gap: x", 10, "one of 'ignore', 'zero'"),
        ("timezone: Mars", 15, "Time zone 'Mars' is not known"),
        ("exclude: nonsense", 14, "nonsense"),
        ("detector: nope", 15, "Unknown detector 'nope'"),
        ('detector: "ewma:alpha=7"', 15, "Unknown parameter of Ewma 'alpha'"),
        ("cutoff: 3\n    budget: 1/day", 13, "budget and cutoff exclude each other"),
        ("aggregate: sum", 16, "Give their width too: resample 5m"),
        ("m_of_n: 2/3\n    consecutive: 3", 13, "consecutive and m_of_n exclude each other"),
        ('match: ["a", "cpu{"]', 18, "cannot be read from character 4"),
    ],
)
def test_what_a_watch_refuses_stands_at_its_key(line: str, column: int, said: str) -> None:
    text = f"watches:\n  web:\n    {line}\n    priority: 5\n"
    with pytest.raises(DocumentError, match=said) as caught:
        settings(text)
    assert (caught.value.place.line, caught.value.place.column) in ((3, column), (4, column))
    assert "--" not in str(caught.value)
