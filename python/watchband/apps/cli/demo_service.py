"""The demo's service: a real one with the dashboard, over the recording and this machine, gone when the demo ends."""

from __future__ import annotations

import logging
import shutil
import tempfile
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from watchband.adapters.sources.host import UNITS
from watchband.apps.cli.demo_watches import LEAST
from watchband.apps.cli.recording import SECOND, Recording
from watchband.core.clock import SystemClock
from watchband.core.errors import WatchbandError
from watchband.core.ports import Readings

if TYPE_CHECKING:
    from watchband.apps.server.web import Web
    from watchband.apps.service.service import Service

PORT = 8470
FOLD_S = 120.0
DRAIN_S = 5.0
BEFORE = 90 * SECOND
"""The recording is told as if it had ended so long ago: what it shows is news, and this machine goes on from there."""
NOT_BUILT = (
    "There is no dashboard to open: it is built with Node.js and npm (apt-get install nodejs npm), then make web."
)


def configuration(folder: Path, port: int) -> dict[str, Any]:
    """What the service runs, as people would write it: one watch a metric, as the demo has them."""
    watches = {}
    for metric in UNITS:
        low_high = "0:100" if metric.endswith("_percent") else "0:"
        watches[metric] = {
            "match": metric,
            "budget": "1/10m",
            "min_deviation": LEAST.get(metric, 0.0),
            "range": low_high,
            # The recording has ended, and an idle disk reads nothing: neither is worth a word here.
            "no_data": False,
            "stuck": False,
        }
    return {
        "sources": {"this machine": {"kind": "host", "every": "1s"}, "recording": {"kind": "push"}},
        "watches": watches,
        "store": {"path": str(folder)},
        "server": {"listen": f"127.0.0.1:{port}"},
    }


class DemoService:
    """A service in this process; a context that starts it and ends it, its data with it.

    Parameters
    ----------
    recording : Recording or None
        What it knows at the start.
    port : int, default 8470
        Where it listens; another one where that is taken.

    Attributes
    ----------
    url : str
        Where the dashboard is; empty where it could not be started.
    error : str
        Why not.
    """

    def __init__(self, recording: Recording | None, port: int = PORT) -> None:
        self.recording, self.port = recording, port
        self.url = self.error = ""
        self._folder: Path | None = None
        self._web: Web | None = None
        self._service: Service | None = None
        self._silent = logging.NullHandler()

    def __enter__(self) -> DemoService:
        from watchband.apps.server.dashboard import built

        if not built():
            self.error = NOT_BUILT
            return self
        # What it logs would run through the live view.
        log = logging.getLogger("watchband")
        log.addHandler(self._silent)
        log.propagate = False
        try:
            self._start()
        except (WatchbandError, OSError, FutureTimeout) as error:
            self.error = f"There is no dashboard to open: {error}"
            self._stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        log = logging.getLogger("watchband")
        log.removeHandler(self._silent)
        log.propagate = True

    def _start(self) -> None:
        import yaml

        from watchband.apps.config.config import read_text
        from watchband.apps.server.app import create_app
        from watchband.apps.server.web import Web
        from watchband.apps.service.service import Service

        self._folder = Path(tempfile.mkdtemp(prefix="watchband-demo-"))
        text = yaml.safe_dump(configuration(self._folder / "data", self.port), sort_keys=False)
        config = read_text(text, "watchband demo", base=str(self._folder))
        self._service = service = Service(config)
        try:
            web = Web(create_app(service), config.server)
        except WatchbandError:
            # Somebody serves there already, another Watchband perhaps: any free port will do.
            web = Web(create_app(service), replace(config.server, listen="127.0.0.1:0"))
        self._web = web
        web.start()
        service.start()
        if self.recording is not None:
            service.offer("recording", _lately(self.recording, SystemClock().now())).result(FOLD_S)
        self.url = f"{web.url}/"

    def _stop(self) -> None:
        if self._service is not None:
            with suppress(WatchbandError):
                self._service.stop(DRAIN_S)
        if self._web is not None:
            self._web.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._service, self._web, self._folder = None, None, None


def _lately(recording: Recording, now: int) -> list[Readings]:
    """The recording, moved to end a little before now."""
    times = recording.times + (now - BEFORE - int(recording.times[-1]))
    return [Readings(key, times, recording.values[:, k].copy()) for k, key in enumerate(recording.keys)]
