"""Definitions of an archive's tables for Amazon Athena and Redshift Spectrum, which read it where it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from watchband.adapters.archive.archive import DATASETS, ObjectArchive
from watchband.adapters.archive.manifest import Part, Root
from watchband.adapters.archive.rows import COLUMNS
from watchband.core.errors import ConfigError

ENGINES = ("athena", "redshift")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,60}(\.[a-z_][a-z0-9_]{0,60})?")
_REDSHIFT: Mapping[str, str] = {
    "string": "varchar(65535)",
    "map<string,string>": "map<varchar(1024),varchar(65535)>",
    "timestamp": "timestamp",
    "bigint": "bigint",
    "int": "int",
    "double": "double precision",
    "boolean": "boolean",
}
_RESERVED = {"time", "date", "value", "source", "late", "place", "kind", "entry", "labels", "lower", "upper", "body"}
_IDENTITY = {
    "readings": ("shard", "entry", "place"),
    "entries": ("shard", "entry"),
    "marks": ("shard", "entry", "place"),
    "alerts": ("id",),
    "results": ("watch", "series", "time_ns"),
}
"""What tells the rows of a data set apart: a row that stands there twice, while parts are gathered, counts once."""


def partitions(dataset: str, root: Root) -> tuple[str, ...]:
    """The columns by which a data set is parted."""
    if dataset == "results":
        return ("watch", "date")
    return ("metric", "date") if dataset == "readings" and root.partition == "metric" else ("date",)


def definitions(engine: str, archive: ObjectArchive, name: str = "watchband") -> str:
    """The SQL that makes the tables and views of an archive.

    Parameters
    ----------
    engine : str
        ``athena`` or ``redshift`` (Spectrum).
    archive : ObjectArchive
        In a bucket.
    name : str
        What the names begin with; a schema before it: ``spectrum.watchband``.

    Raises
    ------
    ConfigError
        Another engine, no name, or an archive that lies in no bucket.
    """
    if engine not in ENGINES:
        raise ConfigError(f"Tables can be defined for {' and '.join(ENGINES)}. Got {engine!r}.")
    if _NAME.fullmatch(name) is None:
        raise ConfigError(f"{name!r} is no name of tables. Expected small letters, digits and _, such as watchband.")
    location = archive.name
    if not location.startswith("s3://") or "'" in location:
        raise ConfigError(f"{engine} reads an archive in a bucket of S3. Got {location!r}.")
    root = archive.manifest.root()
    found = []
    for dataset in DATASETS:
        parts = archive.parts(dataset, root=root)
        if engine == "athena":
            found.append(_athena(f"{name}_{dataset}", dataset, location, root, parts))
        else:
            found += _redshift(f"{name}_{dataset}", dataset, location, root, parts)
    found += [_once(engine, name, dataset) for dataset in DATASETS] + _serving(engine, name)
    return "\n".join(f"{one};\n" for one in found)


def _columns(dataset: str, root: Root) -> list[tuple[str, str]]:
    # A column of the partition may not stand in the table besides.
    return [(n, k) for n, k in COLUMNS[dataset].items() if n not in partitions(dataset, root)]


def _athena(table: str, dataset: str, location: str, root: Root, parts: Sequence[Part]) -> str:
    columns = ",\n".join(f"  `{name}` {kind}" for name, kind in _columns(dataset, root))
    by = partitions(dataset, root)
    first = min((part.date for part in parts), default="2000-01-01")
    properties = {"projection.enabled": "true"}
    for one in by:
        properties[f"projection.{one}.type"] = "date" if one == "date" else "injected"
    properties |= {
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": f"{first},NOW+1DAYS",
        "projection.date.interval": "1",
        "projection.date.interval.unit": "DAYS",
        "storage.location.template": f"{location}{dataset}/" + "".join(f"{one}=${{{one}}}/" for one in by),
    }
    told = ",\n".join(f"  '{key}' = '{value}'" for key, value in properties.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {table} (\n{columns}\n)\n"
        f"PARTITIONED BY ({', '.join(f'`{one}` string' for one in by)})\nSTORED AS PARQUET\n"
        f"LOCATION '{location}{dataset}/'\nTBLPROPERTIES (\n{told}\n)"
    )


def _redshift(table: str, dataset: str, location: str, root: Root, parts: Sequence[Part]) -> list[str]:
    columns = ",\n".join(f"  {_named(name)} {_REDSHIFT[kind]}" for name, kind in _columns(dataset, root))
    by = partitions(dataset, root)
    made = (
        f"CREATE EXTERNAL TABLE {table} (\n{columns}\n)\n"
        f"PARTITIONED BY ({', '.join(f'{_named(one)} varchar(1024)' for one in by)})\nSTORED AS PARQUET\n"
        f"LOCATION '{location}{dataset}/'"
    )
    folders = sorted({part.partition for part in parts})
    return [made, *(_added(table, location, folder) for folder in folders)]


def _added(table: str, location: str, folder: str) -> str:
    values = [one.partition("=") for one in folder.split("/")[1:]]
    told = ", ".join(f"{_named(name)}='{value}'" for name, _, value in values)
    return f"ALTER TABLE {table} ADD IF NOT EXISTS PARTITION ({told}) LOCATION '{location}{folder}/'"


def _named(column: str) -> str:
    return f'"{column}"' if column in _RESERVED else column


def _view(engine: str, name: str, question: str) -> str:
    tail = "\nWITH NO SCHEMA BINDING" if engine == "redshift" else ""
    schema, _, plain = name.rpartition(".")
    # Redshift keeps no views in an external schema.
    where = name if engine == "athena" or not schema else f"public.{plain}"
    return f"CREATE OR REPLACE VIEW {where} AS\n{question}{tail}"


def _once(engine: str, name: str, dataset: str) -> str:
    """A view in which every row stands once, whatever lies in the bucket."""
    by = ", ".join(map(_named, _IDENTITY[dataset]))
    shown = [n for n in COLUMNS[dataset] if n != "labels" or engine == "athena"] + ["date"]
    columns = ", ".join(map(_named, shown))
    return _view(
        engine,
        f"{name}_{dataset}_once",
        f"SELECT {columns}\nFROM (SELECT {columns}, row_number() OVER (PARTITION BY {by} ORDER BY {by}) AS nth\n"
        f"  FROM {name}_{dataset}) numbered\nWHERE nth = 1",
    )


def _serving(engine: str, name: str) -> list[str]:
    """What people ask: readings as corrected, days of a series, and what was thought of a point."""
    schema = "" if engine == "athena" or "." not in name else "public."
    plain = name if engine == "athena" else name.rpartition(".")[2]
    once = f"{schema}{plain}"
    shown = 'series, metric, "time", time_ns, "value", "source", "late", "date"'
    latest = (
        f"SELECT {shown}\nFROM (SELECT {shown},\n    row_number() OVER (PARTITION BY series, time_ns "
        f'ORDER BY "entry" DESC, "place" DESC) AS nth\n  FROM {once}_readings_once) numbered\nWHERE nth = 1'
    )
    daily = (
        'SELECT "date", metric, series, count("value") AS readings, min("value") AS low, avg("value") AS mean, '
        f'max("value") AS high\nFROM {once}_latest GROUP BY "date", metric, series'
    )
    explained = (
        f'SELECT r.watch, r.series, r."time", r.y, r.yhat, r.yhat_lower, r.yhat_upper, r.anomaly_score, r."date", '
        f"a.id AS alert, a.severity, a.reason\nFROM {once}_results_once r LEFT JOIN {once}_alerts_once a\n"
        '  ON a.watch = r.watch AND a.series = r.series AND r."time" >= a.opened\n'
        '  AND (a.closed IS NULL OR r."time" <= a.closed)'
    )
    return [
        _view(engine, f"{name}_latest", latest),
        _view(engine, f"{name}_daily", daily),
        _view(engine, f"{name}_explained", explained),
    ]
