"""``watchband query``: SQL over everything that is kept."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from watchband.apps.cli.flags import OUTPUT
from watchband.apps.cli.moments import moment
from watchband.apps.cli.store_flags import DATA, Data
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError, InvalidParameterError

EXAMPLES = (
    "watchband query 'SELECT metric, count(*), max(time) FROM points GROUP BY metric' --since 1d",
    "watchband query \"SELECT * FROM alerts WHERE severity = 'critical' ORDER BY opened DESC LIMIT 20\"",
    "watchband query 'SELECT hour, mean FROM rollups ORDER BY hour' --format csv > hours.csv",
    "watchband query \"SELECT * FROM points WHERE labels['host'] = 'web-1'\" --out web-1.parquet",
)
FORMATS = ("table", "csv", "json", "parquet")
LIMITS = "Limits"
WIDE = 1000
"""Columns of a table that no terminal folds."""


def query(
    sql: Annotated[
        str | None, typer.Argument(help="One SELECT over the views.", metavar="SQL", show_default=False)
    ] = None,
    data: Data = DATA,
    format: Annotated[  # noqa: A002 (the name of the flag)
        str | None,
        typer.Option("--format", help="table, csv, json or parquet.", metavar="FORMAT", rich_help_panel=OUTPUT),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.", rich_help_panel=OUTPUT)] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write there; the name says which format.", metavar="FILE", rich_help_panel=OUTPUT),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", help="Rows shown of a table.", min=1, metavar="N", rich_help_panel=OUTPUT)
    ] = 50,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Only look at readings from then on: 6h ago, or 2026-01-31.",
            metavar="TIME",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="And before then.", metavar="TIME", rich_help_panel=LIMITS),
    ] = None,
    memory: Annotated[
        str, typer.Option("--memory", help="What the query may take.", metavar="SIZE", rich_help_panel=LIMITS)
    ] = "1GB",
    timeout: Annotated[
        str, typer.Option("--timeout", help="When it is given up.", metavar="TIME", rich_help_panel=LIMITS)
    ] = "1m",
    views: Annotated[bool, typer.Option("--views", help="List the views and their columns.")] = False,
) -> None:
    """Ask what is kept, in SQL: points, rollups, alerts, series, deliveries, cutoffs, events."""
    from watchband.adapters.stores.sqlite.query import Lake

    if views:
        _show_views()
        return
    if sql is None:
        raise ConfigError("Give one SELECT, or --views to see what can be asked.")
    chosen = form_of(format, as_json, out)
    lake = Lake(
        data,
        memory=size_of(memory),
        timeout=parse_duration(timeout) / 1e9,
        span=(moment(since, -(2**63)), moment(until, 2**63 - 1)),
    )
    with lake.ask(sql) as reader:
        write(reader, chosen, out, rows)


def size_of(memory: str) -> int:
    """Bytes that a flag says."""
    from watchband.core.kinds import Size

    try:
        return int(str(Size().read(memory)))
    except ValueError:
        raise InvalidParameterError(f"--memory must be {Size()}. Got {memory!r}.") from None


def write(reader: Any, form: str, out: Path | None, rows: int) -> None:
    """Show or write an answer in a form of ``FORMATS``."""
    if form == "table":
        _table(reader, rows)
        return
    binary = form == "parquet"
    if binary and out is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal. Give --out FILE, or pipe it somewhere.")
    place: Any = nullcontext(sys.stdout.buffer if binary else sys.stdout)
    if out is not None:
        place = out.open("wb") if binary else out.open("w", newline="")
    with place as file:
        WRITERS[form](reader, file)


def form_of(given: str | None, as_json: bool, out: Path | None) -> str:
    """The format that is meant by --format, --json and the name of the file."""
    suffix = out.suffix.removeprefix(".") if out else ""
    found = "json" if as_json else given or (suffix if suffix in FORMATS else "table" if out is None else "csv")
    if found not in FORMATS:
        raise InvalidParameterError(f"--format must be one of {', '.join(FORMATS)}. Got {found!r}.")
    if found == "table" and out is not None:
        raise ConfigError("A table is for looking at. Write csv, json or parquet to a file.")
    return found


def _rows(reader: Any) -> Iterator[list[Any]]:
    for batch in reader:
        columns = [column.to_pylist() for column in batch.columns]
        yield from map(list, zip(*columns, strict=True))


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        return {str(k): _plain(v) for k, v in value}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _csv(reader: Any, file: IO[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(reader.schema.names)
    for row in _rows(reader):
        plain = map(_plain, row)
        writer.writerow([json.dumps(v) if isinstance(v, (dict, list)) else v for v in plain])


def _json(reader: Any, file: IO[str]) -> None:
    file.write("[")
    between = "\n"
    for row in _rows(reader):
        made = dict(zip(reader.schema.names, map(_plain, row), strict=True))
        file.write(between + json.dumps(made, ensure_ascii=False))
        between = ",\n"
    file.write("\n]\n")


def _parquet(reader: Any, file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


WRITERS: Mapping[str, Callable[[Any, Any], None]] = {"csv": _csv, "json": _json, "parquet": _parquet}


def _table(reader: Any, most: int) -> None:
    import pyarrow as pa
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.apps.cli.terminal import put

    names = reader.schema.names
    numbers = [
        pa.types.is_integer(f.type) or pa.types.is_floating(f.type) or pa.types.is_decimal(f.type)
        for f in reader.schema
    ]
    seen, shown = 0, []
    for row in _rows(reader):
        seen += 1
        if seen <= most:
            shown.append([_cell(value) for value in row])
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else WIDE)
    widths = [max(map(len, column)) + 2 for column in zip(names, *shown, strict=True)]
    if sum(widths) <= console.width:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name, number in zip(names, numbers, strict=True):
            table.add_column(Text(name), justify="right" if number else "left", no_wrap=True)
        for cells in shown:
            table.add_row(*map(Text, cells))
        parts: list[Any] = [table]
    else:
        # Columns that do not fit side by side stand below each other.
        parts = [_record(names, cells, number) for number, cells in enumerate(shown, 1)]
    many = f"{seen:,} {'row' if seen == 1 else 'rows'}"
    said = f"{many}, {most} shown; --rows shows more." if seen > most else many
    put([*parts, Text(said, style="dim")], console, console.width)


def _record(names: Sequence[str], cells: Sequence[str], number: int) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, cell in zip(names, cells, strict=True):
        table.add_row(Text(name), Text(cell))
    return Group(Text(f"row {number}", style="bold"), table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, float):
        return f"{value:.6g}"
    plain = _plain(value)
    return ", ".join(f"{k}={v}" for k, v in plain.items()) if isinstance(plain, dict) else str(plain)


def _show_views() -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.adapters.stores.sqlite.views import COLUMNS, VIEWS
    from watchband.apps.cli.terminal import put

    console = Console(highlight=False)
    parts: list[Any] = []
    for view, says in VIEWS.items():
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
        table.add_column(no_wrap=True, min_width=14)
        table.add_column()
        for column, meaning in COLUMNS[view].items():
            table.add_row(column, Text(meaning, style="dim"))
        parts += [Text.assemble((view, "bold"), f"  {says}"), table, Text()]
    put(parts[:-1], console, min(console.width, 100))
