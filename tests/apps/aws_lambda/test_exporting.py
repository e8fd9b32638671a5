"""The archive that functions write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.apps.aws_lambda.account import Account, course, kinesis_event, points
from tests.servers.moto import fresh, shared
from watchband.apps.aws_lambda.exporting import export_parts
from watchband.apps.aws_lambda.kinesis_records import kinesis_lots
from watchband.core.errors import ConfigError


def test_what_was_acknowledged_is_in_the_bucket(
    account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = account()
    function = there.function()
    with pytest.raises(ConfigError, match="WATCHBAND_BUCKET"):
        export_parts(function, lambda: 60.0)
    bucket = fresh("data")
    client = shared().client("s3")
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("WATCHBAND_BUCKET", bucket)
    function.store = function.store.__class__(table=there.table, bucket=bucket, create=False)
    function.fold(kinesis_lots(function, kinesis_event(points("a", course(30)))), lambda: 60.0)
    said = export_parts(function, lambda: 60.0)["parts"]
    assert [one["exported"]["exported"]["readings"] for one in said] == [30]
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert any(key.startswith("archive/") and key.endswith(".parquet") for key in keys)
    again = export_parts(function, lambda: 60.0)["parts"]
    assert [one["exported"]["exported"]["readings"] for one in again] == [0]
    assert function.parts.get(0).store.head("main") == 1
