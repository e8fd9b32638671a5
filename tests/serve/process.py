"""The real ``watchband serve``: started, spoken to, signalled and ended by its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.adapters.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


class Process:
    """One process over a folder with its configuration, data and log."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder / "log"
        self.config: dict[str, Any] = {
            # What tests push is as old as their times are.
            "sources": {"push": {"history": None}, "remote_write": {"history": None}},
            "watches": {"all": {"detector": "rolling_zscore:window=20", "cutoff": 6}},
            "sinks": {"file": {"kind": "jsonl", "path": str(folder / "alerts.jsonl")}},
            "store": {"path": str(folder / "data")},
            "server": {"listen": f"127.0.0.1:{self.port}"},
        } | sections
        self.write()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30.0)
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, text: str | None = None) -> None:
        """The configuration as it is now, or another text."""
        (self.folder / "watchband.yaml").write_text(text if text is not None else yaml.safe_dump(self.config))

    def start(self, *flags: str) -> Process:
        """Begin, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watchband", "serve", str(self.folder / "watchband.yaml"), *flags],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
            )
        self.until(lambda: self.asked("/readyz").get("ready"))
        return self

    def until(self, holds: Any) -> Any:
        """Wait for something."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                if found := holds():
                    return found
            except httpx.TransportError:
                pass
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def asked(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The JSON of a GET."""
        found = self.client.get(path, params=parameters).json()
        assert isinstance(found, dict)
        return found

    def send(self, number: int) -> None:
        """Send it one."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; the code it ends with."""
        assert self.process is not None
        self.send(number)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """However the test went, nothing of it stays."""
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text()
