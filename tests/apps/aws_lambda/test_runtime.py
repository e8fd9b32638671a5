"""The handlers, driven by AWS's own runtime client from the package that ``watchband aws package`` wrote."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.apps.aws_lambda.account import Account, course, kinesis_event, points, queue_event, stream_event
from tests.apps.aws_lambda.runtime_api import invoked
from watchband.apps.aws_lambda.bundle import Wanted, gather
from watchband.apps.cli.main import app
from watchband.core.errors import ConfigError

Make = Callable[..., Account]
HANDLER = "watchband.apps.aws_lambda.handler"
RUNTIME = (
    "awslambdaric", "snapshot-restore-py", "simplejson", "boto3", "botocore", "jmespath", "s3transfer", "urllib3",
    "python-dateutil", "six",
)  # fmt: skip
"""What Lambda's Python brings."""


def runtime(folder: Path) -> Path:
    """A folder with what the runtime has, and nothing else of this environment."""
    for package in RUNTIME:
        for file in importlib.metadata.distribution(package).files or ():
            first = file.parts[0]
            there = folder / first
            if first != ".." and not first.endswith(".dist-info") and not there.exists():
                there.symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / first)
    return folder


@pytest.mark.timeout(240)
def test_the_package_runs_from_an_empty_directory(account: Make, tmp_path: Path) -> None:
    there = account(topic=True)
    python = ".".join(map(str, __import__("sys").version_info[:2]))
    out = tmp_path / "out"
    words = [
        "aws",
        "package",
        "--python",
        python,
        "--arch",
        os.uname().machine,
        "--out",
        str(out),
        "--container",
        "--json",
    ]
    config = ["--config", str(tmp_path / "watchband.yaml")]
    said = CliRunner().invoke(app, [*words, *config], prog_name="watchband")
    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["unpacked_bytes"] < 100 << 20
    task = tmp_path / "task"
    with zipfile.ZipFile(out / "watchband-lambda.zip") as archive:
        archive.extractall(task)
    copied = {
        str(p.relative_to(out / "container" / "app")) for p in (out / "container" / "app").rglob("*") if p.is_file()
    }
    assert copied == {str(p.relative_to(task)) for p in task.rglob("*") if p.is_file()}
    assert "COPY app/" in (out / "container" / "Containerfile").read_text()
    libraries = tmp_path / "runtime"
    libraries.mkdir()
    path = [task, runtime(libraries)]
    records = points("a", course(90, event=(80, 90)))
    environment = {**there.environment, "LAMBDA_TASK_ROOT": str(task), "WATCHBAND_CONFIG": "watchband.yaml"}
    shutil.rmtree(out)

    def call(handler: str, *events: Any) -> list[tuple[str, Any]]:
        return invoked(f"{HANDLER}.{handler}", events, environment, path, task)

    none = ("response", {"batchItemFailures": []})
    event = kinesis_event(records[80:])
    assert call("kinesis", kinesis_event(records[:80]), event, event) == [none, none, none]
    assert len(there.received(there.told)) == 1
    kind, error = call("kinesis", {"Records": [{"body": ""}]})[0]
    assert (kind, error["errorType"]) == ("error", "ConfigError")
    assert "Name the handler" in error["errorMessage"]
    assert call("dynamodb_stream", stream_event([{"Timestamp": {"S": "2025-01-01"}, "x": {"N": "1"}}])) == [none]
    assert call("queue", queue_event([records[0][1].decode()])) == [none]
    assert call("poll", {}) == [("response", {"readings": {}, "failed": {}})]
    kind, trained = call("train", {"source": "aws.scheduler"})[0]
    assert kind == "response"
    assert trained == {"trained": []}


def test_another_machine_wants_a_wheel() -> None:
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"
    with pytest.raises(ConfigError, match=r"3\.12"):
        Wanted(python="three")
    with pytest.raises(ConfigError, match="arm64"):
        Wanted(machine="m68k")
    with pytest.raises(ConfigError, match="is no wheel"):
        gather(Wanted(machine=other, wheel=Path(__file__)))
