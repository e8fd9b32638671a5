"""What the dashboard weighs, and what a frame of its chart costs: ``python -m benches.dashboard [--json]``.

The weight is that of the first load, each file compressed by gzip as a proxy does. The chart has 100,000 points with
band and score, of which nine tenths are in view, and is panned for 120 frames. Over the strip of 10,000 series the
pointer walks, and every tenth frame brings new scores. A frame's scripting is the time that Chromium's own trace gives
to the callback of the frame and all that follows from it. Wants `make web` and Chromium.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benches.timing import machine
from watchband.apps.server.dashboard import STATIC

WEB = Path(__file__).resolve().parent.parent / "web"
FIRST_LOAD_MAX = 300_000
LOADS = 9
ORIGIN = "http://bench.invalid/"


def first_load(folder: Path = STATIC) -> dict[str, int]:
    """Compressed bytes of the page and of all that it names."""
    index = (folder / "index.html").read_text()
    names = ["index.html", *re.findall(r'(?:src|href)="\./([^"]+)"', index)]
    return {name: len(gzip.compress((folder / name).read_bytes(), 6)) for name in names}


def scripting(events: list[dict[str, Any]], clock: str = "dur") -> np.ndarray:
    """Milliseconds of each frame's callback in a trace; by ``tdur`` without the time in which others had the core."""
    found = [e[clock] / 1000 for e in events if e.get("name") == "FireAnimationFrame" and clock in e]
    return np.array(found)


def measured(program: str) -> dict[str, dict[str, float]]:
    """Pan the chart, walk over the fleet, load the page, and read the traces."""
    from playwright.sync_api import Route, sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        build = [
            "npx",
            "vite",
            "build",
            "bench",
            "--outDir",
            folder,
            "--base",
            "./",
            "--logLevel",
            "error",
            "--emptyOutDir",
        ]
        subprocess.run(build, cwd=WEB, check=True)
        browser = engine.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 500})

        def give(route: Route) -> None:
            route.fulfill(path=Path(folder) / (route.request.url.removeprefix(ORIGIN) or "index.html"))

        page.route(f"{ORIGIN}**", give)
        page.goto(ORIGIN)
        page.wait_for_function("document.title === 'ready'", polling=100)
        found = {}
        for name in ("pan", "walk"):
            browser.start_tracing(page=page, categories=["devtools.timeline"])
            page.evaluate(f"window.{name}()")
            # Asked by a timer: what is asked at every frame would count as one.
            page.wait_for_function("document.title === 'done'", polling=100, timeout=120_000)
            found[name] = frames(json.loads(browser.stop_tracing())["traceEvents"])
        found["paint"] = painted(page)
        browser.close()
    return found


def painted(page: Any) -> dict[str, float]:
    """Milliseconds to the first paint with content of the dashboard itself, from the disk, its API unanswered."""

    def give(route: Any) -> None:
        name = route.request.url.removeprefix(ORIGIN).partition("?")[0]
        route.fulfill(path=STATIC / (name or "index.html")) if "api/" not in name else route.abort()

    page.unroute(f"{ORIGIN}**")
    page.route(f"{ORIGIN}**", give)
    times = []
    for _ in range(LOADS):
        page.goto(ORIGIN)
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0", polling=50)
        times.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    return {"loads": LOADS, "p50_ms": round(float(np.median(times)), 1)}


def frames(events: list[dict[str, Any]]) -> dict[str, float]:
    """How many frames a trace has, and what their scripting took."""
    found: dict[str, float] = {"frames": len(scripting(events))}
    for clock, name in (("dur", ""), ("tdur", "cpu_")):
        for share, value in zip((50, 95), np.percentile(scripting(events, clock), [50, 95]), strict=True):
            found[f"{name}p{share}_ms"] = round(float(value), 2)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.dashboard", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--no-chart", action="store_true", help="the weight alone, which needs no browser")
    given = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not (STATIC / "index.html").is_file() or (program is None and not given.no_chart):
        print("This needs the dashboard (make web) and Chromium (apt-get install chromium).", file=sys.stderr)
        return 2
    files = first_load()
    total = sum(files.values())
    chart = None if given.no_chart or program is None else measured(program)
    if given.json:
        print(json.dumps({"machine": machine(), "first_load": files, "bytes": total, "chart": chart}, indent=1))
    else:
        about = machine()
        print(f"Dashboard: first load {total / 1000:.1f} kB compressed, of at most {FIRST_LOAD_MAX / 1000:.0f} kB")
        for name, size in files.items():
            print(f"  {size:>8,}  {name}")
        if chart is not None:
            print(f"  first contentful paint: {chart['paint']['p50_ms']} ms, the middle of {LOADS} loads, no network")
            print(f"{about['cpu']}, {about['cores']} cores, painted without a GPU; scripting a frame:")
            for name, words in (("pan", "chart of 100,000 points, panned"), ("walk", "fleet of 10,000 series")):
                one = chart[name]
                print(f"  {words}: p50 {one['p50_ms']} ms, p95 {one['p95_ms']} ms, {one['frames']} frames;")
                print(f"    of that on the core: p50 {one['cpu_p50_ms']} ms, p95 {one['cpu_p95_ms']} ms")
    return 0 if total <= FIRST_LOAD_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
