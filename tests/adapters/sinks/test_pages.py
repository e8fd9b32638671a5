"""The examples of the pages are configurations that can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchband.apps.config.config import read_config
from watchband.core.clock import SystemClock

PAGES = sorted((Path(__file__).resolve().parents[3] / "docs" / "sinks").glob("*.md"))
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECRETS = {"slack-webhook": "https://hooks.slack.example/services/x", "healthcheck-url": "https://hc.example/ping/x"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_examples_can_be_run(page: Path, tmp_path: Path) -> None:
    found = EXAMPLE.findall(page.read_text())
    assert found, "a page without an example"
    for text in found:
        for name in re.findall(r"/run/secrets/([\w-]+)", text):
            (tmp_path / name).write_text(SECRETS.get(name, "secret") + "\n")
        file = tmp_path / "watchband.yaml"
        file.write_text(text.replace("/run/secrets", str(tmp_path)))
        config = read_config(file, {"INCIDENTS_TOKEN": "secret"})
        assert config.sinks
        for name, settings in config.sinks.items():
            sink = settings.open(name, clock=SystemClock())
            assert sink.name == name
            assert "secret" not in re.sub(r"[Ss]ecret\((?:\(secret\)|file='[^']*')\)|secret_\w+", "", repr(settings))


@pytest.mark.parametrize("page", [p for p in PAGES if p.stem != "README"], ids=lambda p: p.stem)
def test_a_page_tells_what_is_guaranteed(page: Path) -> None:
    text = page.read_text()
    assert "## What it guarantees" in text
    assert "**Delivery" in text
    assert f"<!-- settings sink_{page.stem} -->" in text
