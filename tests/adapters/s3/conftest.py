"""A bucket of moto's server, and an environment that knows nothing else of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.moto import KEYS, Moto

BUCKET = "metrics-bucket"


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


@pytest.fixture
def there(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of S3 with one empty bucket; boto3's chain finds credentials for it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    moto.reset()
    client = moto.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
    return client
