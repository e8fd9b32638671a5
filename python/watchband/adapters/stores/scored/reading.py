"""The book of scored points, looked at beside the process that writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from watchband.adapters.stores.scored.block import Scored
from watchband.adapters.stores.scored.packing import SERIES_A_BLOCK, opened
from watchband.core.series import SeriesKey

FILE = "scores.db"
BLOCKS_AT_ONCE = 256


class ScoreReader:
    """Scored points as the book has written them; what it still gathers, some minutes, is not seen.

    Parameters
    ----------
    directory : Path
        Of the store; where nothing is kept there, nothing is found.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / FILE
        self._db: sqlite3.Connection | None = None
        if path.exists():
            self._db = sqlite3.connect(f"file:{path.absolute().as_posix()}?mode=ro", uri=True, isolation_level=None)
            self._db.execute("PRAGMA busy_timeout = 10000")

    def __enter__(self) -> ScoreReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._db is not None:
            self._db.close()

    def oldest(self) -> int | None:
        """Time of the oldest point, ns UTC; None where there is none."""
        if self._db is None:
            return None
        found = self._db.execute("SELECT min(first) FROM blocks").fetchone()[0]
        return None if found is None else int(found)

    def between(self, start: int, end: int) -> Iterator[tuple[str, SeriesKey, Scored]]:
        """Points with ``start <= time < end`` (ns UTC) by watch and series; of equal times the one given last.

        Memory is that of the blocks of 64 series.
        """
        if self._db is None:
            return
        names = {n: (w, SeriesKey.parse(s)) for n, w, s in self._db.execute("SELECT number, watch, series FROM names")}
        within = "last >= ? AND first < ?"
        groups = self._db.execute(
            f"SELECT DISTINCT low / {SERIES_A_BLOCK} FROM blocks WHERE {within} ORDER BY 1", (start, end)
        ).fetchall()
        for (part,) in groups:
            low = part * SERIES_A_BLOCK
            rows = self._db.execute(
                f"SELECT body FROM blocks WHERE low BETWEEN ? AND ? AND {within} ORDER BY rowid",
                (low, low + SERIES_A_BLOCK - 1, start, end),
            )
            found: dict[int, list[Scored]] = {}
            while page := rows.fetchmany(BLOCKS_AT_ONCE):
                for number, points in opened([body for (body,) in page]):
                    some = points.at((points.time >= start) & (points.time < end))
                    if len(some):
                        found.setdefault(number, []).append(some)
            for number in sorted(found):
                if number in names:
                    yield *names[number], Scored.merged(found[number])
