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
