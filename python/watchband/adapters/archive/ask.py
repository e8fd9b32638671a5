"""One query over an archive and the store that is archived there: SQL by DuckDB, no reading twice, none left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchband.adapters.archive.archive import ALL_TIME, ObjectArchive
from watchband.adapters.archive.export import through
from watchband.adapters.archive.manifest import TRIES, Cursor, Root
from watchband.adapters.archive.others import alerts_table, marks_table
from watchband.adapters.archive.rows import COLUMNS, readings_table, schema
from watchband.adapters.stores.sqlite.query import MEMORY, Lake
from watchband.core.errors import ConfigError, TransientError
from watchband.core.ports import Store

VIEWS: Mapping[str, str] = {
    "points": "Every reading that was acknowledged, of archive and live store, each once",
    "latest": "Of each series and time the reading that came last: what was corrected stands as corrected",
    "alerts": "Every alert in its last version",
    "marks": "What watches noted: anomalous points, cut-offs, adopted levels",
    "results": "Scores and bands of every judged point, by day",
}
ENTRIES = 512
LIVE_MAX = 50_000_000
"""Readings of the live store that are read into memory."""
_TIMED = {"points", "latest", "marks", "results"}
_OF = {"points": "readings", "latest": "readings", "alerts": "alerts", "marks": "marks", "results": "results"}


class FarLake(Lake):
    """The views over an archive, and over the store that is archived there.

    Parameters
    ----------
    archive : ObjectArchive
        Which.
    store : Store, optional
        Open for reading; None: only the archive is asked.
    memory, timeout, span, spill
        As of ``Lake``.
    """

    views = VIEWS

    def __init__(
        self,
        archive: ObjectArchive,
        store: Store | None = None,
        *,
        memory: int = MEMORY,
        timeout: float = 60.0,
        span: tuple[int, int] = ALL_TIME,
        spill: str | None = None,
    ) -> None:
        super().__init__("", memory=memory, timeout=timeout, span=span, spill=spill)
        self.archive, self.store = archive, store

    def _fill(self, connection: Any, wanted: list[str]) -> None:
        names = {_OF[view] for view in wanted}
        names |= {"readings"} if "latest" in wanted else set()
        for _ in range(TRIES):
            root = self.archive.manifest.root()
            if self._live(connection, root, names):
                break
        else:
            raise TransientError("The archive grew quicker than the live store could be read. Ask again.")
        for name in sorted(names):
            span = self.span if name in ("readings", "marks", "results") else ALL_TIME
            parts = self.archive.parts(name, span, root)
            connection.register(f"far_{name}", self.archive.dataset(parts, name))
            connection.execute(f"CREATE VIEW whole_{name} AS {self._whole(name)}")
        if "points" in wanted or "latest" in wanted:
            connection.execute("CREATE VIEW points AS SELECT * FROM whole_readings")
        if "latest" in wanted:
            connection.execute(
                "CREATE VIEW latest AS SELECT * FROM points QUALIFY row_number() OVER (PARTITION BY series, time_ns "
                "ORDER BY entry DESC, place DESC) = 1"
            )
        for view in set(wanted) - {"points", "latest"}:
            connection.execute(f"CREATE VIEW {view} AS SELECT * FROM whole_{_OF[view]}")

    def _whole(self, name: str) -> str:
        """SQL: a data set of both, as people see it."""
        columns = [_shown(name, column) for column in COLUMNS[name]]
        tier = ", '{}' AS tier"
        within = f" WHERE time_ns >= {self.span[0]} AND time_ns < {self.span[1]}" if "time_ns" in COLUMNS[name] else ""
        far = f"SELECT {', '.join(columns)}{tier.format('archive')} FROM far_{name}{within}"
        live = f"SELECT {', '.join(columns)}{tier.format('live')} FROM live_{name}{within}"
        if name == "alerts":
            return f"{live} UNION ALL BY NAME {far} WHERE id NOT IN (SELECT id FROM live_alerts)"
        return f"{far} UNION ALL BY NAME {live}"

    def _live(self, connection: Any, root: Root, names: set[str]) -> bool:
        """Read what the archive does not hold yet; False where it was archived and let go meanwhile."""
        import pyarrow as pa

        for name in sorted(names):
            connection.execute(f"DROP TABLE IF EXISTS live_{name}")
            connection.register("incoming", schema(name).empty_table())
            connection.execute(f"CREATE TABLE live_{name} AS SELECT * FROM incoming")
            connection.unregister("incoming")

        def insert(name: str, table: Any) -> None:
            if name in names and len(table):
                whole = pa.table([table[f.name].cast(f.type) for f in schema(name)], schema=schema(name))
                connection.register("incoming", whole)
                connection.execute(f"INSERT INTO live_{name} SELECT * FROM incoming")
                connection.unregister("incoming")

        if self.store is None:
            return True
        if "alerts" in names:
            insert("alerts", alerts_table(self.store.alerts()))
        if not names & {"readings", "marks"}:
            return True
        shards = {state.shard for state in self.store.states()} | set(root.cursors) | {"main"}
        return all(self._shard(shard, root, insert) for shard in sorted(shards))

    def _shard(self, shard: str, root: Root, insert: Any) -> bool:
        assert self.store is not None
        at, behind = through(root, shard), root.cursors.get(shard, Cursor()).behind
        page, wanted, points = [], at + 1, 0
        for entry in self.store.log(shard, at):
            if at and entry.sequence != wanted:
                return False
            wanted, at = entry.sequence + 1, max(at, 1)
            page.append(entry)
            points += sum(len(r.times) for r in entry.readings)
            if points > LIVE_MAX:
                raise ConfigError(
                    f"The live store has more than {LIVE_MAX:,} readings that are not archived. Archive them first: "
                    "'watchband archive export'."
                )
            if len(page) >= ENTRIES:
                insert("readings", readings_table(shard, page, behind))
                insert("marks", marks_table(shard, page, behind))
                page = []
        if page:
            insert("readings", readings_table(shard, page, behind))
            insert("marks", marks_table(shard, page, behind))
        return self.store.head(shard) == 0 or wanted > through(root, shard)

    def _lock(self, connection: Any) -> None:
        if self.spill is not None:
            connection.execute(f"SET allowed_directories = ['{self.spill}/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _shown(dataset: str, column: str) -> str:
    kind = COLUMNS[dataset][column]
    if kind == "timestamp":
        # Without a zone, as in the views of the live store.
        return f"make_timestamp(epoch_us({column})) AS {column}"
    if kind == "double":
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END AS {column}"
    return column
