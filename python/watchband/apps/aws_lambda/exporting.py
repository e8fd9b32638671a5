"""Exporting: the log goes to the archive in a bucket, and what is older than the store keeps leaves the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.parts import Part, name_of
from watchband.core.errors import ConfigError
from watchband.pipeline.retention import Retention

FOLDER = "archive"


def export_parts(function: Function, left_s: Callable[[], float]) -> dict[str, Any]:
    """Every part to the archive, a folder each; then retention.

    Raises
    ------
    ConfigError
        There is no bucket.
    AdapterError
        The store or the bucket cannot be reached: what was exported stays, the next call goes on.
    """
    bucket = function.store.bucket
    if bucket is None:
        raise ConfigError("There is nowhere to export to: name a bucket in WATCHBAND_BUCKET.")
    found = []
    for number, part in function.every_part():
        name = name_of(number, function.parts.count)
        address = f"s3://{bucket}/{FOLDER}/{name}/" if name else f"s3://{bucket}/{FOLDER}/"
        exported = _exported(address, part, left_s)
        found.append({"part": number, "exported": exported, "left": _leave(function, part, left_s)})
    return {"parts": found}


def _exported(address: str, part: Part, left_s: Callable[[], float]) -> dict[str, Any]:
    from watchband.adapters.archive.archive import ObjectArchive
    from watchband.apps.library.archiving.call import export

    with closing(ObjectArchive(address)) as archive:
        return export(archive, part.store, stop=lambda: left_s() <= 0).document()


def _leave(function: Function, part: Part, left_s: Callable[[], float]) -> int:
    """Retention, step by step; the snapshots before it, so that no state needs what leaves."""
    kept = function.store.retention
    part.lead()
    try:
        part.runner.save()
        retention = Retention(
            part.store, raw=kept.raw, hourly=kept.hourly, alerts=kept.alerts, clock=function.clock,
            watches=lambda: set(function.config.watches),
        )  # fmt: skip
        steps = 0
        while left_s() > 0 and retention.step():
            steps += 1
        return steps
    finally:
        part.release()
