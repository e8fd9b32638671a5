"""The dashboard's weight and licences, and how frames are read from a trace. No test asserts a time."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benches.dashboard import FIRST_LOAD_MAX, first_load, main, scripting
from watchband.apps.server.dashboard import STATIC


def test_the_first_load_is_light(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--no-chart"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bytes"] == sum(found["first_load"].values()) <= FIRST_LOAD_MAX
    kinds = {Path(name).suffix for name in found["first_load"]}
    assert {".html", ".js", ".css"} <= kinds


def test_all_that_the_page_names_is_weighed(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script src="./assets/a.js"></script><link href="./assets/a.css">')
    (tmp_path / "assets" / "a.js").write_text("1" * 1000)
    (tmp_path / "assets" / "a.css").write_text("")
    found = first_load(tmp_path)
    assert list(found) == ["index.html", "assets/a.js", "assets/a.css"]
    assert found["assets/a.js"] == len(gzip.compress(b"1" * 1000, 6))


def test_frames_are_read_from_a_trace() -> None:
    events = [
        {"name": "FireAnimationFrame", "ph": "X", "dur": 2500},
        {"name": "FireAnimationFrame", "ph": "I"},
        {"name": "Paint", "ph": "X", "dur": 9000},
    ]
    assert scripting(events).tolist() == [2.5]


def test_licences_of_what_is_bundled_go_along() -> None:
    text = (STATIC / "licenses.md").read_text()
    for name in ("preact", "@preact/signals", "uplot"):
        assert f"## {name} - " in text
    assert text.count("Permission is hereby granted") >= 3
