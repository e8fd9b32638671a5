"""SQL over everything a store keeps: DuckDB in memory over what is read from SQLite, and over the archive's files."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watchband.adapters.stores.archive import FOLDER
from watchband.adapters.stores.sqlite.database import Database
from watchband.adapters.stores.sqlite.views import FILLS, NEEDS, SQL, VIEWS
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, PermanentError

MEMORY = 1_000_000_000
ALL_TIME = (-(2**63), 2**63 - 1)
READABLE = ("SELECT", "EXPLAIN")


class Lake:
    """The views over one directory, as it was when asked; the process that has it goes on.

    Parameters
    ----------
    directory : path
        Of the store.
    memory : int
        Bytes that a query may take; what it needs beyond that goes to files in ``spill``, or is refused.
    timeout : float
        Seconds after which a query is given up.
    span : (int, int), optional
        Only readings and roll-ups of this range of time are looked at: what is outside need not be read.
    spill : path, optional
        A directory for what does not fit in memory.

    Attributes
    ----------
    views : mapping
        What can be asked, and what it is.
    """

    views: Mapping[str, str] = VIEWS

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        memory: int = MEMORY,
        timeout: float = 60.0,
        span: tuple[int, int] = ALL_TIME,
        spill: str | os.PathLike[str] | None = None,
    ) -> None:
        self.directory, self.memory, self.timeout, self.span, self.spill = (
            Path(directory),
            memory,
            timeout,
            span,
            spill,
        )

    @contextmanager
    def ask(self, question: str) -> Iterator[Any]:
        """A reader of the answer's Arrow batches, ``pyarrow.RecordBatchReader``.

        Raises
        ------
        ConfigError
            No SELECT, or one that DuckDB does not understand, that reads something else, or needs more memory or time.
        """
        import duckdb

        with _closing(self._prepared(duckdb)) as connection:
            self._check(duckdb, connection, question)
            stop = threading.Timer(self.timeout, connection.interrupt)
            stop.daemon = True
            try:
                wanted = [view for view in self.views if re.search(rf"\b{view}\b", question, re.IGNORECASE)]
                stop.start()
                self._fill(connection, wanted)
                self._lock(connection)
                yield connection.sql(question).to_arrow_reader(10_000)
            except duckdb.InterruptException:
                raise ConfigError(
                    f"The query took longer than {self.timeout:g} s and was given up. Ask for less (--since), or give "
                    "it more --timeout."
                ) from None
            except duckdb.OutOfMemoryException as error:
                raise ConfigError(
                    f"The query needs more memory than it may take ({error}). Give more --memory."
                ) from None
            except duckdb.PermissionException:
                raise ConfigError(
                    "A query reads the views of the store and nothing else: no files, no network. The views are "
                    f"{', '.join(self.views)}."
                ) from None
            except duckdb.CatalogException as error:
                # DuckDB's guesses at what was meant are of its own tables.
                said, known = _first(error).splitlines()[0], ", ".join(self.views)
                raise ConfigError(f"The query was not understood: {said} The views are {known}.") from None
            except duckdb.Error as error:
                raise ConfigError(f"The query was not understood: {_first(error)}") from None
            finally:
                stop.cancel()

    def _prepared(self, duckdb: Any) -> Any:
        connection = duckdb.connect(":memory:")
        settings = {
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"'{self.memory}B'",
            "TimeZone": "'UTC'",
            "enable_progress_bar": "false",
        }
        if self.spill is not None:
            settings["temp_directory"] = _quoted(str(self.spill))
        for name, value in settings.items():
            connection.execute(f"SET {name} = {value}")
        return connection

    def _check(self, duckdb: Any, connection: Any, question: str) -> None:
        try:
            statements = connection.extract_statements(question)
        except duckdb.Error as error:
            raise ConfigError(f"The query was not understood: {_first(error)}") from None
        kinds = [statement.type.name for statement in statements]
        if len(kinds) != 1 or kinds[0] not in READABLE:
            raise ConfigError(f"A query is one SELECT; the store is only read. Got {', '.join(kinds) or 'nothing'}.")

    def _fill(self, connection: Any, wanted: list[str]) -> None:
        """Read the tables that the views need in one transaction, so that no reading is missed between two tiers."""
        import pyarrow as pa

        database = Database(self.directory, readonly=True)
        try:
            with database.reading() as sql:
                sql.execute("BEGIN")
                files = self._files(sql.execute("SELECT name, date FROM archive ORDER BY name").fetchall())
                for table in dict.fromkeys(name for view in wanted for name in NEEDS[view]):
                    batches = FILLS[table](sql, self.span)
                    first = next(batches)
                    reader = pa.RecordBatchReader.from_batches(first.schema, _chained(first, batches))
                    connection.register("incoming", reader)
                    connection.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
                    connection.unregister("incoming")
                sql.execute("COMMIT")
        finally:
            database.close()
        for view in wanted:
            since, until = self.span
            within = f"time >= {since} AND time < {until}"
            text = SQL[view].replace("{within}", within).replace("{archive}", self._archive(files, within))
            connection.execute(f"CREATE VIEW {view} AS {text}")

    def _files(self, rows: list[tuple[str, str]]) -> list[Path]:
        since, until = self.span
        import numpy as np

        low, high = (str(np.datetime64(ns // DAY, "D")) for ns in (max(since, 0), min(until, 2**62)))
        found = [self.directory / FOLDER / name for name, date in rows if low <= date <= high]
        for path in found:
            if not path.exists():
                raise PermanentError(
                    f"The archive file {path} is missing. Restore it from a backup, or leave its day out with --since."
                )
        return found

    def _archive(self, files: list[Path], within: str) -> str:
        if not files:
            return ""
        names = ", ".join(_quoted(str(path)) for path in files)
        return (
            " UNION ALL BY NAME SELECT * FROM (SELECT k.number, epoch_ns(a.time) AS time, a.value, a.source, a.late, "
            f"'archive' AS tier FROM read_parquet([{names}], hive_partitioning = false) a JOIN keys k "
            f"ON a.series = k.series) WHERE {within}"
        )

    def _lock(self, connection: Any) -> None:
        places = [str(self.directory / FOLDER) + "/"] + ([str(self.spill) + "/"] if self.spill else [])
        connection.execute(f"SET allowed_directories = [{', '.join(map(_quoted, places))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


@contextmanager
def _closing(connection: Any) -> Iterator[Any]:
    try:
        yield connection
    finally:
        connection.close()


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _quoted(text: str) -> str:
    """SQL's text."""
    return "'" + text.replace("'", "''") + "'"


def _first(error: Exception) -> str:
    """What DuckDB says, without its drawing."""
    return str(error).split("\n\n")[0].strip()
