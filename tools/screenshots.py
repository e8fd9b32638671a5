"""Pictures of the dashboard: a service that really runs over made-up history with faults, seen in Chromium.

python -m tools.screenshots [--out FOLDER] [--all]     # docs/images/dashboard-*.png; needs Chromium and `make web`

Time stands still in the service and in the browser, and values are drawn from a seed: the same pictures every time.
``--all`` takes every page in light, in dark and at phone width, to look at; otherwise only those that the docs show.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import numpy as np

from tools.plant import MINUTE, NOW, fleet, services
from tools.risk_fleet import fit_model, fleet_readings
from watchband.apps.config.config import read_text
from watchband.apps.server.app import create_app
from watchband.apps.server.dashboard import built
from watchband.apps.server.web import Web
from watchband.apps.service.service import Service
from watchband.core.plans import WEEKDAYS
from watchband.core.ports import Readings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
BYTES_MAX = 150_000
COLOURS = 192
CONFIG = """
sources: {agents: {kind: push}}
watches:
  services: {match: '{service=~".+"}', detector: auto, budget: 1/week, weight: 1.5, drift_every: 6h}
  machines: {match: '{host=~".+"}', detector: light, budget: 1/month, drift: true, drift_every: 6h}
store: {kind: sqlite, path: %s}
engine: {keep_scores: 4w, tick: 1m}
"""
RISK_CONFIG = """
risk: {model: %s}
sources: {hosts: {kind: push}}
store: {kind: sqlite, path: %s}
engine: {tick: 1m}
"""
PAGES = {
    "now": "",
    "incident": "incident?id={incident}",
    "explore": "explore?series={series}&span=24%20h",
    "compared": "explore?series={series}&with={other}&compare=on&span=6%20h",
    "filtered": "explore?q=service%3Dcheckout%20score%3E0.5&series={series}&span=6%20h",
    "alerts": "alerts",
    "budget": "budget?watch=services&budget=1%2Fday",
    "windows": "windows",
    "models": "models",
    "settings": "settings",
    "no-model": "risk",
}
RISK = {"risk": "risk"}
"""Of another service, with hosts of which three are in trouble and a model of risk."""
SERIES = 'request_latency_ms{region="eu-west-1",service="checkout"}'
OTHER = 'error_ratio{region="eu-west-1",service="checkout"}'
READY = {
    "now": ".fleet canvas",
    "incident": ".member canvas",
    "explore": ".recent td",
    "compared": ".other canvas",
    "budget": ".answer",
    "risk": ".entities td",
}
"""What is on a page last."""
SHOWN = ("now", "incident", "explore", "budget", "risk")
SIZES = {"": (1280, 800), "-phone": (390, 844)}


class Still:
    """A clock that stands until it is moved."""

    def __init__(self, time: int) -> None:
        self.time = time

    def now(self) -> int:
        """Always the same."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Nothing passes."""


def _within(readings: Readings, first: int, last: int) -> slice:
    return slice(*np.searchsorted(readings.times, [first, last], side="right"))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a service that has judged all of it."""
    clock = Still(NOW - 10 * MINUTE)
    service = Service(read_text(CONFIG % folder, "screenshots.yaml"), clock=clock)
    web = Web(create_app(service), service.config.server.__class__(listen="127.0.0.1:0"))
    web.start()
    try:
        service.start()
        # The past at once, then the last minutes as they come: what is told of the present is not that of a backfill.
        for first, last in ((0, NOW - 5 * MINUTE), (NOW - 5 * MINUTE, NOW)):
            clock.time = last
            for readings in (fleet(), services()):
                some = [Readings(r.key, r.times[c], r.values[c]) for r in readings for c in [_within(r, first, last)]]
                service.offer("agents", [r for r in some if len(r.times)]).result(600)
        service.engine.call(service.runner.save).result(600)
        yield f"{web.url}/"
    finally:
        service.stop(30)
        web.stop()


@contextmanager
def risky(folder: Path) -> Iterator[str]:
    """The address of a service that labels hosts."""
    fit_model(folder / "risk.json", NOW)
    config = read_text(RISK_CONFIG % (folder / "risk.json", folder / "store"), "screenshots.yaml")
    service = Service(config, clock=Still(NOW))
    web = Web(create_app(service), service.config.server.__class__(listen="127.0.0.1:0"))
    web.start()
    try:
        service.start()
        for readings in fleet_readings(NOW):
            service.offer("hosts", readings).result(600)
        service.engine.call(lambda: None).result(600)
        yield f"{web.url}/"
    finally:
        service.stop(30)
        web.stop()


def handled(url: str) -> dict[str, str]:
    """Somebody has taken on the smaller incident and written a note; ids that addresses want."""
    found = httpx.get(f"{url}api/v1/incidents", params={"state": "open"}).json()["data"]
    worst = max(found, key=lambda i: (i["severity"] == "critical", i["series"]))
    for other in found:
        if other is not worst:
            path = f"{url}api/v1/incidents/{other['id']}"
            httpx.post(
                f"{path}/notes", json={"text": "The nightly export again; it ends by itself."}
            ).raise_for_status()
            httpx.post(f"{path}/acknowledge", json={}).raise_for_status()
            break
    planned(url, worst["opened"])
    return {"incident": worst["id"], "series": quote(SERIES), "other": quote(OTHER)}


def planned(url: str, onset: str) -> None:
    """Windows that are open, to come and over, and a deploy four minutes before an onset."""
    opened = datetime.fromisoformat(onset)
    now = datetime.fromtimestamp(NOW // 10**9, UTC)
    night = (now + timedelta(days=1)).replace(hour=2, minute=0, second=0).isoformat()
    for body in (
        {
            "name": "kernel upgrade",
            "series": '{service="payments"}',
            "duration": "1h",
            "text": "one node after the other",
        },
        {"name": "load test", "action": "no_learn", "series": '{service="search"}', "duration": "30m"},
        {"name": "nightly backup", "start": night, "duration": "45m", "days": list(WEEKDAYS), "zone": "UTC"},
        {
            "name": "spring sale",
            "action": "expect",
            "factor": 3,
            "start": night,
            "duration": "1d",
            "series": "requests",
        },
    ):
        httpx.post(f"{url}api/v1/windows", json=body).raise_for_status()
    for name, minutes, commit in (("search 7.1", 95, "8d02b1"), ("checkout 4.2", 4, "1f3a9c")):
        at = (opened - timedelta(minutes=minutes)).isoformat()
        series = f'{{service="{name.split()[0]}"}}'
        body = {"name": name, "time": at, "series": series, "labels": {"commit": commit}}
        httpx.post(f"{url}api/v1/deploys", json=body).raise_for_status()


def taken(
    browser: Browser, url: str, out: Path, everything: bool, pages: Mapping[str, str], ids: Mapping[str, str]
) -> Iterator[Path]:
    """Take the pictures of pages, one after the other."""
    for suffix, (width, height) in SIZES.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                timezone_id="UTC",
                reduced_motion="reduce",
                color_scheme="dark" if theme == "dark" else "light",
                has_touch=bool(suffix),
            )
            page = context.new_page()
            page.clock.set_fixed_time(datetime.fromtimestamp(NOW // 10**9, UTC))
            for name, path in pages.items():
                phone = bool(suffix)
                if not everything and (name not in SHOWN or (phone and (name, theme) != ("now", "light"))):
                    continue
                page.goto(path.format(**ids))
                page.wait_for_load_state("load")
                page.get_by_text("Live", exact=True).wait_for(state="attached")
                page.locator(READY.get(name, "h1")).first.wait_for(state="attached")
                page.wait_for_timeout(1500)
                file = out / f"dashboard-{name}{suffix}{'-dark' if theme == 'dark' else ''}.png"
                full = not phone or everything
                file.write_bytes(optimised(page.screenshot(full_page=full)))
                yield file
            context.close()


def optimised(png: bytes) -> bytes:
    """Fewer colours: pages have few, and letters stay as sharp."""
    from PIL import Image

    found = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
    return found.getvalue()


def main(arguments: list[str] | None = None) -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES, help="where the pictures go")
    parser.add_argument("--all", action="store_true", help="every page, in both themes and at phone width")
    given = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None or not built():
        print("This needs Chromium (apt-get install chromium) and the dashboard (make web).", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    heavy = 0
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for world, pages in ((served, PAGES), (risky, RISK)):
            with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as url:
                ids = handled(url) if pages is PAGES else {}
                for file in taken(browser, url, given.out, given.all, pages, ids):
                    size = file.stat().st_size
                    heavy += size > BYTES_MAX and not given.all
                    print(f"{file.name}  {size / 1000:.0f} kB")
        browser.close()
    if heavy:
        print(f"{heavy} of them are larger than {BYTES_MAX / 1000:.0f} kB.", file=sys.stderr)
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
