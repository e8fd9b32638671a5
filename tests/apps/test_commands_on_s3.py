"""``watchband detect|backtest|train|profile s3://…``: addresses where files may stand, with the results of files."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.servers.moto import KEYS, Moto
from watchband.apps.cli.main import app

RUN = CliRunner()
BUCKET = "metrics-bucket"
ADDRESS = f"s3://{BUCKET}/load/{{date}}/web.csv.gz"


def day(number: int) -> str:
    rows = ["timestamp,cpu"]
    for minute in range(0, 1440, 10):
        at = number * 144 + minute // 10
        value = 50 + 5 * math.sin(at * at) + 300 * (number == 9 and minute in (600, 610, 620))
        rows.append(f"2026-01-{number:02}T{minute // 60:02}:{minute % 60:02}:00Z,{value:.3f}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto() as server:
        client = server.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
        for number in range(1, 11):
            body = gzip.compress(day(number).encode())
            client.put_object(Bucket=BUCKET, Key=f"load/2026-01-{number:02}/web.csv.gz", Body=body)
        yield server


def run(moto: Moto, *words: str) -> str:
    found = RUN.invoke(app, list(words), env={**KEYS, "AWS_ENDPOINT_URL_S3": moto.url, "AWS_PROFILE": None})
    assert found.exit_code == 0, found.output
    return found.stdout


def test_detect_finds_in_a_bucket_what_it_finds_in_a_file(moto: Moto, tmp_path: Path) -> None:
    local = tmp_path / "web.csv"
    header, _, _ = day(1).partition("\n")
    local.write_text(header + "\n" + "".join(day(n).partition("\n")[2] for n in range(1, 11)))
    flags = ("--detector", "rolling_zscore:window=100", "--json")
    far, near = (json.loads(run(moto, "detect", where, *flags)) for where in (ADDRESS, str(local)))
    assert far["alerts"] == near["alerts"]
    assert any(alert["opened"].startswith("2026-01-09") for alert in far["alerts"])
    windowed = json.loads(run(moto, "detect", f"{ADDRESS}?since=2026-01-01&until=2026-01-09", *flags))
    assert not any(alert["opened"].startswith("2026-01-09") for alert in windowed["alerts"])


def test_profile_backtest_and_train_read_addresses(moto: Moto) -> None:
    profiled = json.loads(run(moto, "profile", ADDRESS, "--json"))
    assert "cpu" in json.dumps(profiled)
    tested = json.loads(run(moto, "backtest", ADDRESS, "--detector", "rolling_zscore:window=100", "--json"))
    assert "cpu" in json.dumps(tested)
    wanted = ("--candidates", "rolling_zscore", "--trials", "2", "--json")
    assert "rolling_zscore" in run(moto, "train", ADDRESS, *wanted)


def test_mistakes_are_one_line(moto: Moto) -> None:
    for address in (
        "s3://no-such-bucket-here/x.csv",
        f"s3://{BUCKET}/nothing/{{date}}.csv",
        "s3://X/y",
        "s3://my-bucket/{day}",
    ):
        found = RUN.invoke(app, ["detect", address], env={**KEYS, "AWS_ENDPOINT_URL_S3": moto.url})
        assert found.exit_code == 2 or found.exit_code == 1, address
        assert "Traceback" not in found.output
        assert len(found.output.strip()) > 20
