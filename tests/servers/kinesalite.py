"""Kinesalite for a test: a Kinesis written by others, on a free port of the loopback, stopped by its number.

npm installs its packages from ``kinesis/package-lock.json`` when they are first needed; no script of theirs runs.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "kinesis"
INSTALL_S, END_S = 300.0, 20.0


def installed() -> None:
    """Install it, once, whoever of several processes comes first."""
    assert shutil.which("npm"), "This test needs Node.js 20 or newer and npm: apt-get install nodejs npm"
    wanted = HERE / "package-lock.json"
    with (Path(tempfile.gettempdir()) / "watchband-kinesalite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # npm writes down there what it installed.
        done = HERE / "node_modules" / ".package-lock.json"
        if done.exists() and done.stat().st_mtime >= wanted.stat().st_mtime:
            return
        command = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        said = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        assert said.returncode == 0, said.stderr[-2000:] or said.stdout[-2000:]


class Kinesalite:
    """A server without a stream.

    Attributes
    ----------
    url : str
        Its address, for ``endpoint_url``.
    """

    def __init__(self) -> None:
        installed()
        self._process = subprocess.Popen(
            ["node", "server.js"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port.isdigit(), "kinesalite did not start"
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Kinesalite:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.terminate()
        self._process.wait(END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
