"""What tests may use, and what they need from outside.

Tests marked ``data`` need the labelled data that ``WATCHBAND_DATA`` names (default ``../shared/data``), tests marked
``browser`` need Chromium, tests marked ``valgrind`` Valgrind. Where one is absent they are deselected and one line says
so; with ``CI=true`` that is an error, so that nothing is ever left out unseen.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import postgres as postgresql
from tests.servers.dynamodb.server import DynamoServer

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "fast", max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def data_folder() -> Path:
    return Path(os.environ.get("WATCHBAND_DATA", ROOT.parent / "shared" / "data"))


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


NEEDS = {
    "data": (lambda: (data_folder() / "nab").is_dir(), "labelled data not found (set WATCHBAND_DATA)"),
    "valgrind": (lambda: shutil.which("valgrind") is not None, "Valgrind not found (apt-get install valgrind)"),
    "browser": (lambda: chromium() is not None, "Chromium not found (apt-get install chromium)"),
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for marker, (present, reason) in NEEDS.items():
        wanted = [item for item in items if item.get_closest_marker(marker)]
        if not wanted or present():
            continue
        message = f"{len(wanted)} {marker} tests were not run: {reason}"
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(message + "; with CI=true that is a failure")
        config.stash.setdefault(LEFT_OUT, []).append(message)
        config.hook.pytest_deselected(items=wanted)
        items[:] = [item for item in items if item not in wanted]


LEFT_OUT: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for message in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(message)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of labelled data."""
    return data_folder()


@pytest.fixture(scope="session")
def nab(data: Path) -> Path:
    """The folder of the Numenta Anomaly Benchmark's series."""
    return data / "nab" / "data"


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> postgresql.Server:
    """A PostgreSQL server for the whole run; a test takes a database of its own."""
    server = postgresql.Server()
    # Not in this fixture: hundreds of databases are tens of thousands of files, and the last test's time would count.
    request.config.add_cleanup(server.remove)
    server.start()
    return server


@pytest.fixture(scope="session")
def dynamodb_process(request: pytest.FixtureRequest) -> DynamoServer:
    server = DynamoServer()
    request.config.add_cleanup(server.remove)
    return server


@pytest.fixture
def dynamodb_server(dynamodb_process: DynamoServer, monkeypatch: pytest.MonkeyPatch) -> DynamoServer:
    """AWS's DynamoDB Local for the whole run; a test takes a table of its own, and credentials that open nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return dynamodb_process
