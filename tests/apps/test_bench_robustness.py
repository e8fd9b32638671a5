"""``watchband bench robustness``: a few series, resumed, written, shown."""

from __future__ import annotations

import csv
import json
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.conftest import chromium
from watchband.apps.cli.main import app
from watchband.apps.library.robustness.page import render, verdict
from watchband.apps.library.robustness.work import RUNS, Job, run
from watchband.core.errors import ConfigError

FAULTS = "fault=spike,dip,level_shift,variance_change,seasonal_break,none"
ONLY = ("--only", "kind=cpu,switch", "--only", FAULTS, "--only", "frame=5m,1h", "--detector", "ewma")
FEW = Job(("ewma",), {"kind": ["cpu"], "fault": ["spike", "none"], "frame": ["5m"]}, small=True)


def bench(*words: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, ["bench", "robustness", *map(str, words)], prog_name="watchband")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("robustness")
    result = bench("--small", "--jobs", "1", "--out", out, *ONLY)
    assert result.exit_code == 0, result.stderr
    (out / "said.txt").write_text(result.stdout)
    return out


def test_the_table_says_what_was_found_and_at_what_price(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    assert re.search(r"ewma +0\.\d\d \(0\.\d\d–\d\.\d\d\)", said)
    assert "Where ewma is weakest" in said
    assert "robustness.html" in said


def test_all_files_are_there_and_hold_the_same(folder: Path) -> None:
    document = json.loads((folder / "robustness.json").read_text())
    assert {c["detector"] for c in document["tables"]["detector"]} == {"ewma"}
    for cell in document["cells"]:
        assert {"kind", "fault", "frame", "noise", "missing", "f1", "delay", "alerts_per_week", "promise"} <= set(cell)
        assert len(cell["f1"]) == 3
    with (folder / "cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(document["cells"])
    assert sum(int(r["found"]) for r in rows) == sum(c["found"] for c in document["cells"])
    for name in ("overview", "overview-dark", "heatmap-ewma-dark"):
        head = (folder / f"{name}.png").read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert min(struct.unpack(">II", head[16:24])) > 200


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    first = run(FEW, tmp_path, jobs=1)
    path = tmp_path / RUNS
    whole = path.read_text()
    lines = whole.split("\n")
    # Stopped while the last but one line was written.
    path.write_text("\n".join(lines[:-3]) + "\n" + lines[-3][:40])
    told: list[tuple[int, int]] = []
    again = run(FEW, tmp_path, jobs=2, tell=lambda what, done, total: told.append((done, total)))
    assert [o.as_json() | {"seconds": 0} for o in again] == [o.as_json() | {"seconds": 0} for o in first]
    assert told == [(len(first) - 1, len(first)), (len(first), len(first))]
    assert len(path.read_text().split("\n")) == len(lines)
    run(FEW, tmp_path, jobs=1)
    assert len(path.read_text().split("\n")) == len(lines)


def test_runs_of_other_lengths_are_not_mixed(tmp_path: Path) -> None:
    run(FEW, tmp_path, jobs=1)
    with pytest.raises(ConfigError, match="--fresh"):
        run(Job(FEW.detectors, FEW.only, small=True, seed=1), tmp_path)
    assert bench("--small", *ONLY, "--out", tmp_path, "--seed", "1").exit_code == 2
    few = ("--small", "--only", "kind=cpu", "--only", "fault=none", "--only", "noise=usual", "--detector", "ewma")
    result = bench(*few, "--out", tmp_path, "--seed", "1", "--fresh", "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    (tmp_path / RUNS).write_text("no JSON\n")
    with pytest.raises(ConfigError, match="--fresh"):
        run(FEW, tmp_path, jobs=1)


def test_json_alone_is_on_stdout() -> None:
    only = ("--only", "kind=sparse", "--only", "fault=none", "--only", "frame=1h", "--budget", "1/week")
    document = json.loads(bench("--small", *only, "--detector", "ewma", "--json", "--jobs", "1").stdout)
    assert document["matrix"]["frames"]["1h"] == [3_600_000_000_000, 4032, 604_800_000_000_000]
    assert document["tables"]["detector"] == []
    assert document["cells"][0]["f1"] == [None, None, None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--only", "kind"), "AXIS=NAME"),
        (("--only", "kind=cpus"), "Did you mean 'cpu'"),
        (("--only", "colour=red"), "axis"),
        (("--detector", "ewmaa"), "Did you mean 'ewma'"),
        (("--budget", "cutoff:3"), "N/PERIOD"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(words: tuple[str, ...], message: str) -> None:
    result = bench("--small", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_page_is_whole_and_escapes_names() -> None:
    job = Job(("import:tests.apps.test_bench_robustness:loud",), FEW.only, small=True)
    found = run(job, jobs=1)
    page = render(job, found)
    assert verdict(found) in page
    assert "://" not in page.replace("http://www.w3.org/", "")
    assert page.count("<table") == page.count("</table>") > 2
    assert 'scope="row"' in page
    assert " in 1 days" not in page


def loud(times: Any, values: Any) -> Any:
    """A candidate of an outside package."""
    return abs(values - values.mean())


@contextmanager
def opened(path: Path, **context: Any) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(**context)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        yield page
        assert not said
        browser.close()


@pytest.mark.browser
def test_the_page_shows_one_figure_at_a_time_by_key_and_mouse(folder: Path) -> None:
    with opened(folder / "robustness.html") as page:
        for key, name in (("1", "f1"), ("2", "delay"), ("3", "alerts")):
            page.keyboard.press(key)
            for other in ("f1", "delay", "alerts"):
                assert page.locator(f".v-{other}").first.is_visible() == (other == name)
        page.get_by_label("Event F1").check()
        assert page.locator(".says-f1").is_visible()
        page.keyboard.press("?")
        assert page.locator("#keys").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"


@pytest.mark.browser
def test_nothing_is_left_out_or_too_wide_on_a_phone(folder: Path) -> None:
    with opened(folder / "robustness.html", viewport={"width": 390, "height": 844}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        heads = page.locator(".heat").first.locator("thead th")
        assert all(heads.nth(i).evaluate("e => getComputedStyle(e).display") != "none" for i in range(heads.count()))


@pytest.mark.browser
def test_on_paper_every_column_fits(folder: Path) -> None:
    # A4 on its side, less its margins.
    with opened(folder / "robustness.html", viewport={"width": 1032, "height": 700}) as page:
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1032
        assert (
            page.locator(".measures label").evaluate_all("all => all.filter(e => e.getClientRects().length).length")
            == 1
        )
