"""Files in a bucket and in folders, by addresses: the same readings as from local paths."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.adapters.conftest import read_paths
from tests.adapters.objects.conftest import BUCKET
from tests.servers.moto import Moto
from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.aws.failure import DeniedError
from watchband.adapters.objects import bucket as buckets
from watchband.adapters.objects import ranges
from watchband.adapters.objects.address import objects_of
from watchband.adapters.objects.bucket import Bucket
from watchband.adapters.objects.folder import Folder
from watchband.adapters.objects.place import ChangedError, Place
from watchband.core.clock import SystemClock
from watchband.core.errors import ConfigError, DataError, PermanentError


def rows(day: int, hours: int = 24) -> list[str]:
    return ["timestamp,cpu", *(f"2026-01-{day:02}T{hour:02}:00:00Z,{day * 100 + hour}" for hour in range(hours))]


def text(day: int) -> bytes:
    return ("\n".join(rows(day)) + "\n").encode()


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def parquet(tmp_path: Path, day: int) -> bytes:
    path = tmp_path / "x.parquet"
    hours = np.arange(24) * np.timedelta64(1, "h") + np.datetime64(f"2026-01-{day:02}", "ns")
    pq.write_table(pa.table({"timestamp": hours, "cpu": day * 100.0 + np.arange(24)}), path, row_group_size=5)
    return path.read_bytes()


def json_lines(day: int) -> bytes:
    cells = [row.split(",") for row in rows(day)[1:]]
    return "".join(f'{{"timestamp": "{at}", "cpu": {value}}}\n' for at, value in cells).encode()


FORMS = {
    "csv": text,
    "csv.gz": lambda day: gzip.compress(text(day)),
    "csv.zst": lambda day: zstd(text(day)),
    "jsonl": json_lines,
    "jsonl.zst": lambda day: zstd(json_lines(day)),
}


@pytest.mark.parametrize("suffix", [*FORMS, "parquet"])
def test_days_of_every_format_are_one_series(
    there: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(ranges, "BLOCK_BYTES", 100)
    for day in (3, 1, 2):
        body = parquet(tmp_path, day) if suffix == "parquet" else FORMS[suffix](day)
        there.put_object(Bucket=BUCKET, Key=f"load/2026-01-{day:02}/web.{suffix}", Body=body)
    there.put_object(Bucket=BUCKET, Key="load/2026-01-01/notes.txt", Body=b"not a table")
    found = read_paths(f"s3://{BUCKET}/load/{{date}}/*.{suffix}")
    assert found.keys == ["cpu"]
    assert [value for _, value in found.series["cpu"]] == [d * 100.0 + h for d in (1, 2, 3) for h in range(24)]
    assert found.column("ordinal").tolist() == list(range(72))
    assert not found.problems


def test_a_window_of_days_and_a_whole_folder(there: Any) -> None:
    for day in range(1, 10):
        there.put_object(Bucket=BUCKET, Key=f"load/2026-01-{day:02}.csv", Body=text(day))
    some = f"s3://{BUCKET}/load/{{date}}.csv?since=2026-01-04&until=2026-01-06T12:00:00Z"
    assert [path.name for path in objects_of(some, ())] == [f"2026-01-0{d}.csv" for d in (4, 5, 6)]
    assert len(objects_of(f"s3://{BUCKET}/load", (".csv",))) == 9
    assert len(objects_of(f"s3://{BUCKET}/load/2026-01-03.csv", ())) == 1
    with pytest.raises(ConfigError, match="in the time that was asked for"):
        objects_of(f"s3://{BUCKET}/load/{{date}}.csv?since=2027-01-01&until=2027-01-02", ())


def test_listing_goes_on_page_after_page(there: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PAGE", 3)
    for number in range(10):
        there.put_object(Bucket=BUCKET, Key=f"many/{number:02}.csv", Body=b"x")
    place = Bucket(BUCKET, AwsAccess(), SystemClock())
    assert [entry.key for entry in place.entries("many/")] == [f"many/{number:02}.csv" for number in range(10)]
    assert [entry.key for entry in place.entries("many/", after="many/07.csv")] == ["many/08.csv", "many/09.csv"]


def test_limits_are_told_before_anything_is_read(there: Any) -> None:
    for day in (1, 2, 3):
        there.put_object(Bucket=BUCKET, Key=f"load/2026-01-{day:02}.csv", Body=text(day))
    for option, said in (
        ("max_objects=2", "2 objects"),
        ("max_size=1kB", "1,000 bytes"),
        ("max_object_size=99B", "99"),
    ):
        with pytest.raises(DataError, match=said):
            objects_of(f"s3://{BUCKET}/load/{{date}}.csv?{option}", ())


def test_errors_say_what_to_do(there: Any, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermanentError, match="no bucket 'not-there-at-all'"):
        objects_of("s3://not-there-at-all/x.csv", ())
    with pytest.raises(ConfigError, match=r"No object of s3://metrics-bucket fits 'nothing\.csv'"):
        objects_of(f"s3://{BUCKET}/nothing.csv", ())
    place = Bucket(BUCKET, AwsAccess(), SystemClock())
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
    told = place._failure(denied, "GetObject", "a.csv")
    assert isinstance(told, DeniedError)
    assert "s3:GetObject" in str(told)
    moved = ClientError(
        {
            "Error": {"Code": "PermanentRedirect", "Message": "no"},
            "ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "eu-north-1"}},
        },
        "ListObjectsV2",
    )  # type: ignore[arg-type]
    assert "region=eu-north-1" in str(place._failure(moved, "ListObjectsV2", ""))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(DeniedError, match="no AWS credentials"):
        objects_of(f"s3://{BUCKET}/a.csv", ())


@pytest.fixture(params=["bucket", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "bucket":
        request.getfixturevalue("there")
        made: Place = Bucket(BUCKET, AwsAccess(), SystemClock())
    else:
        made = Folder(tmp_path / "objects")
    yield made
    made.close()


def test_a_place_keeps_its_promises(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "BLOCK_BYTES", 7)
    body = bytes(range(100))
    etag = place.put("a/b.bin", body, instead_of="")
    entry = place.find("a/b.bin")
    assert entry is not None
    assert (entry.etag, entry.size) == (etag, 100)
    with pytest.raises(ChangedError):
        place.put("a/b.bin", b"other", instead_of="")
    with place.open(entry) as file:
        assert file.read(20) == body[:20]
        file.seek(-5, 2)
        assert file.read() == body[-5:]
        assert file.read(3) == b""
    place.put("a/b.bin", body * 2, instead_of=etag)
    with pytest.raises(ChangedError):
        place.put("a/b.bin", b"other", instead_of=etag)
    with pytest.raises(ChangedError):
        _ = place.open(entry).read()
    place.put("a/c.bin", b"")
    place.put("ab.bin", b"1")
    assert [one.key for one in place.entries("a/")] == ["a/b.bin", "a/c.bin"]
    place.remove("a/b.bin")
    place.remove("a/b.bin")
    assert place.find("a/b.bin") is None
    assert [one.key for one in place.entries("")] == ["a/c.bin", "ab.bin"]


def test_folders_by_the_same_addresses(tmp_path: Path) -> None:
    for day in (2, 1):
        (tmp_path / "days").mkdir(exist_ok=True)
        (tmp_path / "days" / f"2026-01-{day:02}.csv").write_bytes(text(day))
    found = read_paths(f"file://{tmp_path}/days/{{date}}.csv")
    assert found.keys == ["cpu"]
    assert len(found.series["cpu"]) == 48


def test_pieces_that_overlap_are_told(there: Any) -> None:
    there.put_object(Bucket=BUCKET, Key="a/1.csv", Body=text(1) + text(2))
    there.put_object(Bucket=BUCKET, Key="a/2.csv", Body=text(2))
    found = read_paths(f"s3://{BUCKET}/a/{{part}}.csv")
    assert found.keys == ["cpu"]
    assert "begins before" in found.notes
