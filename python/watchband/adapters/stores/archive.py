"""The archive: readings that left the log, as Parquet files of a day each.

``DIRECTORY/date=YYYY-MM-DD/NAME.parquet``, zstd, sorted by series and time; columns ``series``, ``time`` (ns UTC),
``value``, ``source`` and ``late``. A file is written beside its name, synced to disk and renamed, and counts only
once a store has noted it: whatever else lies there is what a crash left behind, and is swept away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from watchband.core.duration import DAY
from watchband.core.errors import PermanentError, TransientError
from watchband.core.keeping import ArchiveFile, Table

FOLDER = "archive"
"""Its name in the directory of a store."""
ROWS_MAX = 8_000_000
"""Readings of one file; about 100 MB in memory while small ones are gathered, per million 12."""
FILES_MIN = 4
"""Small files of a day from which on they are gathered."""
GROUP_ROWS = 200_000
PARTIAL = ".partial"


class ParquetArchive:
    """The archive of one directory.

    Parameters
    ----------
    directory : path
        Made with the first file, readable by this user alone.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def write(self, table: Table, name: str) -> Sequence[ArchiveFile]:
        """A file for each day; see the port."""
        day = table.times // DAY
        days = np.unique(day).tolist()
        return [self._write(d, table.take(np.flatnonzero(day == d)), name) for d in days]

    def _write(self, day: int, table: Table, name: str) -> ArchiveFile:
        date = str(np.datetime64(day, "D"))
        return self._put(date, f"date={date}/{name}.parquet", [_arrow(table)])

    def _put(self, date: str, name: str, tables: Sequence[Any]) -> ArchiveFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.directory / name
        partial = path.with_name(path.name + PARTIAL)
        try:
            # The mode is that of the last directory only: each is made by itself.
            for folder in (self.directory, path.parent):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for writer in _writer(pq, file, tables[0].schema):
                    for table in tables:
                        writer.write_table(table, row_group_size=GROUP_ROWS)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            _sync(path.parent)
            _sync(self.directory)
            return ArchiveFile(name, date, sum(t.num_rows for t in tables), path.stat().st_size)
        except (OSError, pa.ArrowException) as error:
            raise TransientError(f"The archive file {path} could not be written: {error}.") from error

    def compact(self, known: Sequence[ArchiveFile]) -> tuple[Sequence[ArchiveFile], Sequence[ArchiveFile]] | None:
        """Gather the small files of one day; see the port."""
        for date, files in groupby(sorted(known, key=lambda f: f.name), key=lambda f: f.date):
            small = [f for f in files if f.rows <= ROWS_MAX // 2]
            some: list[ArchiveFile] = []
            for file in small:
                if sum(f.rows for f in some) + file.rows > ROWS_MAX:
                    break
                some.append(file)
            if len(some) >= FILES_MIN:
                table = _ordered([self.read(f.name) for f in some])
                return [self._put(date, f"date={date}/{_gathered(some)}.parquet", [table])], some
        return None

    def read(self, name: str) -> Any:
        """A file as an Arrow table.

        Raises
        ------
        PermanentError
            It is not there, or damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.read_table(self.directory / name, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise PermanentError(
                f"The archive file {self.directory / name} cannot be read: {error}. Restore it from a backup."
            ) from error

    def sweep(self, known: Sequence[ArchiveFile]) -> int:
        """Remove what does not count."""
        counted = {f.name for f in known}
        stray = [p for p in self._files() if p.relative_to(self.directory).as_posix() not in counted]
        for path in stray:
            path.unlink(missing_ok=True)
        return len(stray)

    def _files(self) -> Iterator[Path]:
        yield from self.directory.glob("date=*/*.parquet")
        yield from self.directory.glob(f"date=*/*{PARTIAL}")


def _gathered(files: Sequence[ArchiveFile]) -> str:
    """The name of what stands for some files: from the beginning of the first to the end of the last."""
    first, last = (Path(f.name).stem for f in (files[0], files[-1]))
    return f"{first.split('..')[0]}..{last.split('..')[-1]}"


def _writer(pq: Any, file: Any, schema: Any) -> Iterator[Any]:
    with pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=["series", "source"],
        column_encoding={"time": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
        write_statistics=True,
    ) as writer:
        yield writer


def _arrow(table: Table) -> Any:
    import pyarrow as pa

    # Series sort by their text, which is what a reader looks for.
    texts = [str(key) for key in table.keys]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    place = np.empty(len(texts), np.int32)
    place[order] = np.arange(len(texts), dtype=np.int32)
    row = place[table.row]
    by = np.lexsort((table.times, row))
    return pa.table(
        {
            "series": pa.DictionaryArray.from_arrays(row[by], pa.array([texts[i] for i in order], pa.string())),
            "time": pa.array(table.times[by], pa.timestamp("ns", "UTC")),
            "value": pa.array(table.values[by]),
            "source": pa.DictionaryArray.from_arrays(table.source[by], pa.array(list(table.sources), pa.string())),
            "late": pa.array(table.late[by]),
        }
    )


def _ordered(tables: Sequence[Any]) -> Any:
    import pyarrow as pa

    joined = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    texts = pa.compute.cast(joined["series"], pa.string())
    index = pa.compute.sort_indices(
        pa.table({"series": texts, "time": joined["time"]}), [("series", "ascending"), ("time", "ascending")]
    )
    return joined.take(index)


def _sync(directory: Path) -> None:
    """A rename is on disk once its directory is."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
