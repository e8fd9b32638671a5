"""Compaction: the small parts of a day become few, sorted ones of bounded size, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from watchband.adapters.archive.archive import DATASETS, ObjectArchive
from watchband.adapters.archive.manifest import Change, Part, Root
from watchband.adapters.archive.rows import COLUMNS, GROUP_ROWS, SORTED, PartWriter, completed, date_of
from watchband.core.duration import DAY

ROWS_MAX = 5_000_000
BYTES_MAX = 128 << 20
"""A part ends at so many rows, or bytes, whichever comes first."""
OPEN_MAX = 48
"""Parts that a day may have that readings still come for; of more, they are gathered as well."""
MEMORY = 128 << 20
"""Bytes that sorting takes; what is more goes to files in a temporary directory."""
_DERIVED = ("metric", "labels", "time", "late")
Tell = Callable[[str, int, int], None]


@dataclass
class Compacted:
    """What a run did: partitions, parts that were gathered and what became of them, bytes before and after."""

    partitions: int = 0
    gathered: int = 0
    made: int = 0
    rows: int = 0
    before: int = 0
    after: int = 0


def compact(
    archive: ObjectArchive,
    *,
    tell: Tell | None = None,
    stop: Callable[[], bool] = lambda: False,
    memory: int = MEMORY,
    rows_max: int = ROWS_MAX,
) -> Compacted:
    """Gather the small parts of every day that is over, each day by a change of the manifest.

    Parameters
    ----------
    archive : ObjectArchive
        Which.
    tell : callable, optional
        Called with what is being done, and partitions done of partitions in all.
    stop : callable
        Whether to end before the next partition.
    memory : int
        Bytes that sorting takes.
    rows_max : int
        Rows of a part.
    """
    done = Compacted()
    # A day counts as over an hour later: most of what is late has come.
    edge = date_of(archive.clock.now() - DAY // 24)
    groups = list(_groups(archive, edge, rows_max))
    for number, parts in enumerate(groups):
        if stop():
            break
        if tell is not None:
            tell("compacting", number, len(groups))
        fresh = _merged(archive, parts, memory, rows_max)
        old = {part.key for part in parts}

        def replaced(root: Root, fresh: list[Part] = fresh, old: set[str] = old) -> Change | None:
            here = {p.key for p in archive.manifest.parts(fresh[0].dataset, (fresh[0].date[:7],) * 2, root)}
            # Somebody else gathered or expired them meanwhile: what was made is swept away.
            return Change(fresh, old - {p.key for p in fresh}, archive.clock.now()) if old <= here else None

        archive.manifest.commit(replaced)
        done.partitions += 1
        done.gathered += len(parts)
        done.made += len(fresh)
        done.rows += sum(p.rows for p in parts)
        done.before += sum(p.nbytes for p in parts)
        done.after += sum(p.nbytes for p in fresh)
    return done


def _groups(archive: ObjectArchive, edge: str, rows_max: int) -> Iterator[list[Part]]:
    root = archive.manifest.root()
    for dataset in DATASETS:
        if dataset == "alerts":
            continue
        parts = sorted(archive.parts(dataset, root=root), key=lambda p: (p.partition, p.shard, p.low))
        for _, group in groupby(parts, key=lambda p: (p.partition, p.shard)):
            small = [p for p in group if p.rows < rows_max // 2]
            if len(small) > (1 if small and small[0].date < edge else OPEN_MAX):
                yield small


def _merged(archive: ObjectArchive, parts: Sequence[Part], memory: int, rows_max: int) -> list[Part]:
    first = parts[0]
    made: list[Part] = []
    writer: PartWriter | None = None
    for table in _sorted(archive, parts, memory):
        while len(table):
            writer = writer or PartWriter(first.dataset)
            some = table.slice(0, rows_max - writer.rows)
            writer.add(some)
            table = table.slice(len(some))
            if writer.rows >= rows_max or writer.nbytes >= BYTES_MAX:
                made.append(archive.finish(writer, first.partition.partition("/")[2], first.shard))
                writer = None
    if writer is not None:
        made.append(archive.finish(writer, first.partition.partition("/")[2], first.shard))
    assert sum(p.rows for p in made) == sum(p.rows for p in parts)
    return made


def _sorted(archive: ObjectArchive, parts: Sequence[Part], memory: int) -> Iterator[Any]:
    """The rows of some parts in their order, some at a time."""
    import duckdb
    import pyarrow as pa

    dataset = parts[0].dataset
    names = [n for n in COLUMNS[dataset] if dataset != "readings" or n not in _DERIVED]
    order = ", ".join(SORTED[dataset])
    with tempfile.TemporaryDirectory(prefix="watchband-sort-") as spill, duckdb.connect(":memory:") as connection:
        for setting in (
            f"memory_limit = '{memory}B'",
            f"temp_directory = '{spill}'",
            "TimeZone = 'UTC'",
            "threads = 1",
            "python_enable_replacements = false",
        ):
            connection.execute(f"SET {setting}")
        connection.register("far", archive.stream(parts, dataset, names))
        found = connection.sql(f"SELECT {', '.join(names)} FROM far ORDER BY {order}")
        for batch in found.to_arrow_reader(GROUP_ROWS):
            table = pa.Table.from_batches([batch])
            if len(table):
                yield completed(table) if dataset == "readings" else table
