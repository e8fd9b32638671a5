"""The examples on the pages of the sources are configurations that are taken, and commands for what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json
from watchband.apps.config.config import read_text

PAGES = Path(__file__).resolve().parents[3] / "docs" / "sources"
REST = "\nwatches: {all: {match: '*'}}\nstore: {kind: memory}\n"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)


EXAMPLES = [
    (path.name, number)
    for path in sorted(PAGES.glob("*.md"))
    for number, text in enumerate(blocks(path.name, "yaml"))
    if text.startswith("sources:")
]


@pytest.mark.parametrize(("page", "number"), EXAMPLES)
def test_an_example_is_taken(page: str, number: int) -> None:
    text = blocks(page, "yaml")[number]
    config = read_text(text if "watches:" in text else text + REST, page)
    assert config.sources


def test_every_page_of_a_kind_has_an_example() -> None:
    assert {"prometheus.md", "push.md", "remote_write.md"} <= {page for page, _ in EXAMPLES}


def test_the_points_of_the_page_are_taken() -> None:
    (document,) = blocks("push.md", "json")
    found = decode_json(json.dumps(json.loads(document)).encode())
    assert (found.points, found.refused_points) == (4, 0)
    lines = re.search(r"^weather,.*?(?=^```)", (PAGES / "push.md").read_text(), re.MULTILINE | re.DOTALL)
    assert lines
    found = decode_influx(lines[0].encode())
    assert sorted(str(r.key) for r in found.readings) == [
        'pressure{station="3"}',
        'weather_humidity{station="3"}',
        'weather_temperature{station="3"}',
    ]
    assert found.refused_points == 0
