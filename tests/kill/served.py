"""A ``watchband serve`` that is started, killed without warning, and started again."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.kill.load import wait_for

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """One process at a time, of one configuration.

    Parameters
    ----------
    config : Path
        The file.
    port : int
        Where it listens.
    """

    def __init__(self, config: Path, port: int) -> None:
        self.config, self.port, self.log = config, port, config.with_suffix(".log")
        paths = [str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self.process: subprocess.Popen[bytes] | None = None
        self.took_s = 1.0

    def start(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watchband.apps.cli.main", "serve", str(self.config), "--log-level", "warning"],
                cwd=self.config.parent,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def until_ready(self) -> None:
        """Wait until it says so."""
        began = time.monotonic()
        wait_for(self.ready, START_S, "ready")
        self.took_s = time.monotonic() - began

    def ready(self) -> bool:
        """Whether it says that it is."""
        return self.answer() == 200

    def answer(self) -> int:
        """Its answer to whether it is ready; 0 while it says nothing.

        Raises
        ------
        AssertionError
            It has ended.
        """
        assert self.process is not None
        assert self.process.poll() is None, f"it ended by itself: {self.said()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def kill(self) -> None:
        """It is gone, whatever it was at."""
        assert self.process is not None
        self.process.kill()
        assert self.process.wait(30) == -signal.SIGKILL, f"it ended before it was killed: {self.said()}"

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process is not None
        return self.process.pid

    def stop(self) -> None:
        """Ask it to end, and wait."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(60)
        assert code == 0, f"{code}: {self.said()}"

    def remove(self) -> None:
        """Leave no process behind, whatever became of the test."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:]
