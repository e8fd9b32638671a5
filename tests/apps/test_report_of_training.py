"""``watchband report`` and ``wb.report``: the story of a training, told from its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import watchband as wb
from tests.apps.test_cli import run
from watchband.apps.library.story import sentences
from watchband.apps.library.story.call import Story
from watchband.apps.library.training.card import sealed
from watchband.core.errors import NotThereError, StateCorruptError
from watchband.core.wording import NO_BREAK

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``watchband train`` writes it."""
    rng = np.random.default_rng(0)
    times = np.datetime64("2026-01-01", "ns") + np.arange(3000) * np.timedelta64(5, "m")
    values = 50 + rng.normal(size=3000)
    starts = np.arange(120, 2900, 140)
    for start in starts:
        values[start : start + 3] += 9
    events = [(times[start], times[start + 2]) for start in starts]
    out = tmp_path_factory.mktemp("trained") / "model"
    wb.train((times, values), events, candidates="ewma,rolling_zscore", trials=6, budget="3/day", out=out)
    return out


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "model"))


def changed(folder: Path, change: Any) -> Path:
    """The folder with another card, sealed as if it had been written so."""
    card = json.loads((folder / "champion.json").read_text())
    change(card)
    body = {k: v for k, v in card.items() if k not in ("format", "schema_version", "checksum")}
    (folder / "champion.json").write_text(json.dumps(sealed(body)))
    return folder


def differences(low: float, value: float, high: float, events: int = 30) -> Any:
    def change(card: dict[str, Any]) -> None:
        card["selection"]["events"]["test"] = events
        for row in card["rows"]:
            if row["role"] == "baseline":
                row["champion_minus_this_on_test"] = {"value": value, "low": low, "high": high}

    return change


def test_every_question_has_its_answer(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "story.html"
    result = run("report", folder, "--out", page, width=100)
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.replace(NO_BREAK, " ").split())
    for title in ("Asked", "Data", "Tried", "Won", "Cost in alerts", "Misses", "How sure", "What to do"):
        assert title in said
    assert "3,000 readings of 1 series (value), one every 5 min" in said
    assert "Alerts are held to a budget of 3 a day for each series" in said
    assert "6 configurations were tried" in said or "configurations were tried, of 2 detectors" in said
    assert "files are, byte for byte, what was trained" in said
    assert "watchband score today.csv --model model" in said
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 2
    assert "<h1>" in text
    assert "How this was made" in text
    found = json.loads(run("report", folder, "--json").stdout)
    assert found["headline"] in said
    assert found["files"]["problems"] == []


def test_the_page_stands_beside_the_folder_which_can_be_trained_into_again(folder: Path) -> None:
    before = sorted(p.name for p in folder.iterdir())
    assert run("report", folder, "--quiet").stdout == ""
    assert (folder.parent / "model.html").exists()
    assert sorted(p.name for p in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("low", "value", "high", "events", "verdict"),
    [
        (0.1, 0.3, 0.5, 30, "better"),
        (0.1, 0.3, 0.5, 4, "promising"),
        (-0.1, 0.3, 0.5, 30, "promising"),
        (-0.2, -0.1, 0.3, 30, "level"),
        (-0.5, -0.3, -0.1, 30, "worse"),
    ],
)
def test_the_verdict_is_no_stronger_than_the_intervals(
    folder: Path, low: float, value: float, high: float, events: int, verdict: str
) -> None:
    story = Story(changed(folder, differences(low, value, high, events)))
    assert sentences.verdict(story) == verdict
    commands = [command for _, command in sentences.steps(story) if command]
    assert any("score" in c for c in commands) == (verdict != "worse")
    if verdict == "worse":
        assert commands[0].startswith("watchband detect FILES --detector")
    assert ("Not very" in " ".join(sentences.sure(story))) == (events < 10)


def test_what_was_changed_since_is_named_and_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / "anomaly_plot.png").write_bytes(b"\x89PNG\r\n\x1a\nforged")
    (folder / "mistakes.csv").unlink()
    story = wb.report(folder, tmp_path / "story.html")
    assert len(story.left) == 2
    assert story.mistakes == []
    text = (tmp_path / "story.html").read_text()
    assert text.count("data:image/png;base64,") == 1
    assert "2 of 11 files are not what was trained" in text


def test_what_cannot_be_trusted_or_is_no_training_is_refused(folder: Path, tmp_path: Path) -> None:
    result = run("report", tmp_path)
    assert result.exit_code == 2
    assert "holds no trained model" in result.stderr
    with pytest.raises(NotThereError):
        wb.report(tmp_path / "nothing")
    card = folder / "champion.json"
    card.write_text(card.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(StateCorruptError, match="does not match"):
        wb.report(folder)
    with pytest.raises(StateCorruptError, match="no training with a champion"):
        wb.report(changed(folder, lambda card: card.pop("rows")))


def test_names_of_series_are_never_markup(folder: Path, tmp_path: Path) -> None:
    def change(card: dict[str, Any]) -> None:
        card["title"] = "<script>alert(1)</script>"

    text = wb.report(changed(folder, change)).write(tmp_path / "p.html").read_text()
    assert "<script>alert(1)" not in text


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_the_page_is_quiet_fits_and_has_no_findings(
    browser: Browser, trained: Path, tmp_path: Path, width: int, theme: str
) -> None:
    address = wb.report(trained).write(tmp_path / "p.html").as_uri()
    size: Any = {"width": width, "height": 900}
    scheme: Any = theme
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url[:5]))
    page.goto(address)
    assert said == []
    assert set(asked) <= {"file:", "data:"}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => v.id + ': ' + v.nodes[0].html)")
    assert found == []
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "do"
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.locator("#theme-switch").is_visible()
