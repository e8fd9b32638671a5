"""DynamoDB Local: fetched by Maven into a cache outside the repository, and started in memory on a free port."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from watchband.adapters.aws.access import AwsAccess

HERE = Path(__file__).resolve().parent
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
MAIN = "Loopback.java"
PATIENCE_S = 120.0
REGION = "eu-west-1"


def needed(program: str) -> str:
    found = shutil.which(program)
    assert found, f"This test needs {program}: apt-get install maven openjdk-17-jdk-headless"
    return found


def pinned() -> dict[str, str]:
    """Names of the files and their SHA-256."""
    lines = (HERE / "jars.sha256").read_text().split("\n")
    return {line[66:]: line[:64] for line in lines if line}


def cached() -> Path:
    """The directory of the jars, fetched if it is not there: 48 MB from Maven Central, once for a machine."""
    base = Path(os.environ.get("WATCHBAND_CACHE", Path.home() / ".cache" / "watchband"))
    name = hashlib.sha256((HERE / "jars.sha256").read_bytes()).hexdigest()[:12]
    folder = base / f"dynamodb-local-{name}"
    if not folder.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=folder.name, dir=base))
        command = [needed("mvn"), "-B", "-q", "-f", str(HERE / "pom.xml"), COPY, f"-DoutputDirectory={made}"]
        done = subprocess.run([*command, "-DincludeScope=runtime"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"Maven could not fetch DynamoDB Local:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
        check(made)
        try:
            made.rename(folder)
        except OSError:
            # Another run was faster.
            shutil.rmtree(made)
    check(folder)
    return folder


def check(folder: Path) -> None:
    """Exactly the files that are pinned are in it."""
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    wrong = sorted(name for name in {*found, *pinned()} if found.get(name) != pinned().get(name))
    assert not wrong, f"These files of DynamoDB Local are not those that are pinned: {wrong}. Remove {folder}."


class DynamoServer:
    """One server in memory for the whole run; a test takes tables of its own."""

    def __init__(self) -> None:
        java, folder = needed("java"), cached()
        self._names = count()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the server.
        memory = ["-Xmx400m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Djava.library.path={folder}"]
        # The port is overruled; the option must be there.
        options = ["-inMemory", "-port", "8000", "-disableTelemetry"]
        self._process = subprocess.Popen(
            [java, *memory, "-cp", f"{folder}/*", str(HERE / MAIN), *options],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.url = f"http://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        until = time.monotonic() + PATIENCE_S
        while True:
            self._log.seek(0)
            said = self._log.read()
            if found := re.search(r"listening on (\d+)", said):
                return int(found[1])
            assert self._process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.05)

    @property
    def access(self) -> AwsAccess:
        """How a store reaches it; the credentials are in the environment."""
        return AwsAccess(region=REGION, endpoint_url=self.url)

    def table(self) -> str:
        """A name that no other test has."""
        return f"watchband-{next(self._names)}"

    def client(self) -> Any:
        """A client of boto3's, for what a test looks at or breaks."""
        import boto3

        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return boto3.client("dynamodb", endpoint_url=self.url, region_name=REGION, **keys)

    def remove(self) -> None:
        """Stop it; nothing of it is left."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._log.close()
