"""``watchband profile`` and ``wb.profile``: what is printed, written, refused, and how much is held in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from tests.apps.test_cli import run
from watchband.apps.library.profiling import call
from watchband.core.errors import ConfigError, DataError
from watchband.core.wording import NO_BREAK

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def daily(days: float = 16, seed: int = 1) -> np.ndarray:
    at = np.arange(int(288 * days))
    return np.asarray(50 + 20 * np.sin(2 * np.pi * at / 288) + np.random.default_rng(seed).normal(0, 2, len(at)))


def written(path: Path, **columns: np.ndarray) -> Path:
    count = len(next(iter(columns.values())))
    times = np.datetime64("2026-01-05", "s") + np.arange(count) * np.timedelta64(300, "s")
    lines = ["timestamp," + ",".join(columns)]
    for i, time in enumerate(times):
        lines.append(f"{time}Z," + ",".join("" if np.isnan(c[i]) else f"{c[i]:.4f}" for c in columns.values()))
    path.write_text("\n".join(lines) + "\n")
    return path


def plain(text: str) -> str:
    return " ".join(text.replace(NO_BREAK, " ").split())


@pytest.fixture
def one(tmp_path: Path) -> Path:
    values = daily()
    values[1000:1060] = np.nan
    values[2000:2040] = 33.0
    return written(tmp_path / "cpu.csv", cpu=values)


def test_one_series_is_told_in_words(one: Path) -> None:
    result = run("profile", one, width=110)
    assert result.exit_code == 0, result.stderr
    said = plain(result.stdout)
    assert "cpu.csv: 4,608 readings in 1 series" in said
    assert "It stands still for 0.868 % of its readings, longest for 3 h 15 min at 33 from 11 Jan 2026 22:40" in said
    assert "It has a day: the mean of the other days explains 9" in said
    assert "The level is steady" in said
    assert "A band that knows the days of the week: 16 d, 14 d needed" in said
    assert f"watchband detect {one} --out report" in said
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110


def test_several_stand_worst_first_with_who_moves_with_whom(tmp_path: Path) -> None:
    shared = np.random.default_rng(9).normal(0, 4, len(daily()))
    broken = daily(seed=3)
    broken[500:2500] = np.nan
    path = written(tmp_path / "m.csv", load=daily() + shared, rps=5 * (daily(seed=2) + shared), disk=broken)
    found = json.loads(run("profile", path, "--json").stdout)
    assert [s["series"] for s in found["series"]] == ["disk", "load", "rps"]
    assert found["series"][0]["findings"][0]["kind"] == "missing"
    assert found["series"][1]["findings"] == []
    pair = found["together"]["pairs"][0]
    assert {pair["one"], pair["other"]} == {"load", "rps"}
    assert pair["low"] > 0.6
    text = plain(run("profile", path, "--top", "1").stdout)
    assert "1 of 3 series want a look" in text
    assert "and 2 more; --top shows more" in text


def test_the_commands_that_come_next_can_be_run(one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    monkeypatch.chdir(tmp_path)
    steps = json.loads(run("profile", one, "--json", "--value", "cpu").stdout)["next"]
    assert len(steps) >= 3
    for step in steps:
        name, command, *rest = shlex.split(step["command"])
        assert name == "watchband"
        assert "--value" in rest
        result = run(command, *rest, *(("--detector", "ewma") if command == "detect" else ()))
        assert result.exit_code == 0, (step, result.stderr)


def test_counters_and_rows_without_an_interval_change_the_advice(tmp_path: Path) -> None:
    counting = written(tmp_path / "requests.csv", requests=np.cumsum(np.abs(daily())))
    assert "--counter" in json.loads(run("profile", counting, "--json").stdout)["next"][0]["command"]
    random = np.random.default_rng(1)
    moments = np.cumsum(random.integers(1, 300, 4000)) * 10**9
    found = wb.profile((moments, random.normal(5, 1, 4000)))
    assert "--resample" in found.advice[0].command
    assert found.series[0].findings[0].kind == "irregular"


def test_a_folder_has_page_and_document_and_is_replaced(one: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        result = run("profile", one, "--out", out, "--quiet")
        assert (result.exit_code, result.stdout) == (0, "")
    assert sorted(p.name for p in out.iterdir()) == ["profile.html", "profile.json", "summary.json"]
    page = (out / "profile.html").read_text()
    assert "<title>Look at this first: stuck · Profile of cpu.csv</title>" in page

    assert json.loads((out / "profile.json").read_text())["counts"]["readings"] == 4608


def test_text_of_the_data_is_never_markup(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    name = "<script>alert(1)</script>"
    path.write_text(f"timestamp,{name}\n" + "".join(f"{1_767_571_200 + 60 * i},{i % 7}\n" for i in range(99)))
    page = wb.profile(path).report(tmp_path / "p.html").read_text()
    assert name not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"timestamp,cpu\n", "has only a header"),
        (b"timestamp,cpu\n2026-01-05T00:00:00Z,1\n", "a profile needs two. Got 1 readings in 1 series"),
        (b"timestamp,cpu\n" + b"".join(b"2026-01-05T00:%02d:00Z,\n" % i for i in range(9)), "has no numeric column"),
        (bytes(range(256)) * 40, "broken.csv"),
        (b"timestamp,cpu\n2026-01-05T00:00:00Z,1\n2026-01-05T00:00:00Z,2\n", "two readings at different times"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    result = run("profile", path)
    assert result.exit_code == 2, result.stdout
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_wrong_columns_and_zones_are_refused(one: Path) -> None:
    result = run("profile", one, "--value", "memory")
    assert result.exit_code == 2
    assert "memory" in result.stderr
    assert "is not known" in run("profile", one, "--timezone", "Mars/Olympus").stderr
    with pytest.raises(ConfigError, match="no series 'x'"):
        wb.profile(one)["x"]


def test_a_constant_is_no_error_but_told() -> None:
    found = wb.profile((np.arange(500) * 60_000_000_000, np.full(500, 3.0)))
    assert found.headline == "It never changes"
    assert found.advice[0].command.startswith("watchband profile")


def test_many_series_keep_pictures_for_the_worst_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "DRAWN_MAX", 5)
    folder = tmp_path / "fleet"
    folder.mkdir()
    for n in range(12):
        values = daily(3, seed=n)
        if n == 7:
            values[100:400] = np.nan
        written(folder / f"host{n:02}.csv", cpu=values)
    (folder / "bad.csv").write_text("nothing,here\n")
    found = wb.profile(folder)
    assert len(found.series) == 12
    assert sum(p.detailed for p in found.series) == 5
    assert found.series[0].findings[0].kind == "missing"
    assert len(found.problems) == 1
    page = found.report(tmp_path / "p.html").read_text()
    assert "7 more series have no pictures here" in page
    assert page.count('class="mini"') == 12


def test_of_a_long_series_the_last_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "TOTAL_MAX", 5_000)
    monkeypatch.setattr("watchband.apps.library.feeds.FrameReader.rows_max", 2_000)
    values = np.concatenate([np.full(90_000, 1.0), daily(20)])
    found = wb.profile((np.arange(len(values)) * 300_000_000_000, values)).series[0]
    assert found.rows == len(values)
    assert 5_000 <= found.looked <= 9_000
    assert found.values.distinct > 1_000


def test_days_begin_where_the_zone_says(tmp_path: Path) -> None:
    times = pd.date_range("2026-01-05", periods=288 * 15, freq="5min", tz="UTC")
    night = np.where(times.tz_convert("Asia/Tokyo").hour < 6, 0.0, 10.0)
    night += np.random.default_rng(1).normal(0, 1, len(times))
    course = wb.profile(pd.Series(night, index=times), timezone="Asia/Tokyo").series[0].seasons.there[0].course
    assert course[:12].max() < course[12:].min()  # 48 bins a day


def test_no_series_is_an_error() -> None:
    with pytest.raises(DataError, match="500 readings and not one of them is a number"):
        wb.profile((np.arange(500) * 60_000_000_000, np.full(500, np.nan)))
    with pytest.raises(DataError, match="two readings at different times"):
        wb.profile((np.array([1]), np.array([1.0])))


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_pages_are_quiet_fit_and_have_no_findings(browser: Browser, tmp_path: Path, theme: str, width: int) -> None:
    fleet = written(tmp_path / "m.csv", load=daily(), rps=np.cumsum(np.abs(daily(seed=2))), flat=np.full(4608, 2.0))
    stuck = daily()
    stuck[2000:2040] = 33.0
    pages = [wb.profile(fleet), wb.profile(written(tmp_path / "cpu.csv", cpu=stuck))]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    for number, found in enumerate(pages):
        address = found.report(tmp_path / f"p{number}.html").as_uri()
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))  # type: ignore[misc]
        page.on("request", lambda request, asked=asked: asked.append(request.url))  # type: ignore[misc]
        page.goto(address)
        assert (said, asked) == ([], [address])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("t")
        page.evaluate(AXE.read_text())
        found_by_axe = "async () => (await axe.run()).violations.map((v) => v.id + ': ' + v.nodes[0].html)"
        assert page.evaluate(found_by_axe) == []
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "next"
        page.set_viewport_size({"width": 794, "height": 1123})  # A4
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
