"""What is said of every point, kept while it is said: one Parquet file a series and candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.backtest.ledger import Record
from watchband.apps.library.rows import Rows
from watchband.core.alert import Alert
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.pipeline.results import Results


@dataclass(eq=False)
class Keeper:
    """Takes what one candidate says of one series; writes the scores as they come."""

    key: SeriesKey
    candidate: str
    part: Path | None
    alerts: dict[str, Alert] = field(default_factory=dict)
    points: int = 0
    anomalies: int = 0
    _writer: Any = None

    def take(self, results: Results) -> None:
        """Add what is said of a batch."""
        self.points += int(np.isfinite(results.score).sum())
        self.anomalies += int((results.anomaly_score > 1).sum())
        self.alerts.update((alert.id, alert) for alert in results.alerts)
        if self._writer is not None and len(results):
            self._writer.write_table(_table(results, self.key, self.candidate))

    def record(self) -> Record:
        """What is kept of it."""
        alerts = sorted(self.alerts.values(), key=lambda a: (a.opened, a.id))
        return Record(str(self.key), self.candidate, alerts, self.points, self.anomalies)

    def __enter__(self) -> Keeper:
        if self.part is not None:
            import pyarrow.parquet as pq

            self._writer = pq.ParquetWriter(self.part, _schema(), compression="zstd")
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            if error is not None and self.part is not None:
                self.part.unlink(missing_ok=True)


def _schema() -> Any:
    import pyarrow as pa

    from watchband.apps.library.outputs.table import schema

    return pa.schema([("candidate", pa.string()), *schema()])


def _table(results: Results, key: SeriesKey, candidate: str) -> Any:
    import pyarrow as pa

    from watchband.apps.library.outputs.table import to_arrow

    table = to_arrow(Rows.of(results), [key])
    return table.add_column(0, "candidate", pa.array([candidate] * len(table), pa.string()))


def read_scores(path: Path, columns: Sequence[str]) -> tuple[Int64, dict[str, Float64]]:
    """Times and some columns of one file; null becomes NaN."""
    import pyarrow.parquet as pq

    # One small file after the other: the machinery for many files at once would cost more than the reading.
    with pq.ParquetFile(path) as file:
        table = file.read(columns=["timestamp", *columns], use_threads=False)
    times = table.column("timestamp").cast("int64").to_numpy()
    return times, {name: np.asarray(table.column(name).to_numpy(), np.float64) for name in columns}
