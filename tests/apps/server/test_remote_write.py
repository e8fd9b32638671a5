"""Debian's Prometheus and vmagent write to Watchband, set up as the page says."""

from __future__ import annotations

import math
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.adapters import servers
from tests.apps.server.world import World
from watchband.testing.outside import eventually

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sources" / "remote_write.md"
SCRAPE = """
global: {{scrape_interval: 1s, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: test
    static_configs: [{{targets: ['{target}']}}]
"""
pytestmark = pytest.mark.timeout(120)


class Exporter:
    """What a scrape shows: ``text``, until it is changed."""

    def __init__(self) -> None:
        self.text = ""
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(exporter.text.encode())

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.target = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    found = Exporter()
    found.text = 'temperature{room="a"} 20\ntemperature{room="b"} 30\n'
    yield found
    found.close()


def recipe(world: World) -> str:
    """The block of the page, with the address of the world; sent sooner, so that nobody waits."""
    blocks = re.findall(r"```yaml\n(remote_write:.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 1
    block = str(blocks[0]).replace("batch_send_deadline: 5s", "batch_send_deadline: 300ms")
    return block.replace("watchband.example:8470", urlsplit(world.web.url).netloc)


def series(room: str) -> str:
    return rf'temperature\{{.*room="{room}"\}}'


def values(world: World, room: str) -> list[float]:
    return [v for key, found in world.kept().items() if re.fullmatch(series(room), key) for v in found]


def test_prometheus_writes_what_it_scrapes(exporter: Exporter, tmp_path: Path) -> None:
    """From before Watchband takes anything on: what was refused with 503 comes again, in order, and nothing twice."""
    with World(starts=False) as world:
        config = SCRAPE.format(target=exporter.target) + recipe(world)
        with servers.prometheus(tmp_path, config):
            eventually(lambda: "503" in (tmp_path / "prometheus.log").read_text(), 30)
            world.service.start()
            eventually(lambda: len(values(world, "a")) >= 3, 30)
            assert set(values(world, "a")) == {20.0}
            assert set(values(world, "b")) == {30.0}
            exporter.text = 'temperature{room="a"} 21.5\n'
            eventually(lambda: values(world, "a")[-1] == 21.5, 30)
            # The room that is gone ends with a staleness marker, which is a reading without a value.
            eventually(lambda: math.isnan(values(world, "b")[-1]), 30)
    times = [
        t for e in world.store.store.log("main", 0) for r in e.readings if 'room="a"' in str(r.key) for t in r.times
    ]
    assert times == sorted(set(times))


def test_vmagent_writes_what_it_scrapes(exporter: Exporter, tmp_path: Path) -> None:
    with World() as world:
        (tmp_path / "scrape.yml").write_text(SCRAPE.format(target=exporter.target))
        port = servers.free_port()
        command = [
            servers.program("vmagent", "victoria-metrics"),
            f"-promscrape.config={tmp_path / 'scrape.yml'}",
            f"-remoteWrite.url={world.web.url}/api/v1/write",
            f"-remoteWrite.tmpDataPath={tmp_path / 'queue'}",
            f"-httpListenAddr=127.0.0.1:{port}",
        ]
        with servers.running(command, f"http://127.0.0.1:{port}/health", tmp_path / "vmagent.log") as process:
            eventually(lambda: len(values(world, "a")) >= 2 and len(values(world, "b")) >= 2, 30)
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        # What it scrapes no more it ends with a reading without a value.
        assert {v for v in values(world, "a") if not math.isnan(v)} == {20.0}
