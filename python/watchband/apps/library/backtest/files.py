"""The files of a results directory: tables of alerts and mistakes, the summary, the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.backtest.document import alert_row, document, figure_row, mistake_row
from watchband.apps.library.backtest.ledger import SCORES, write_whole
from watchband.apps.library.backtest.page import write_report
from watchband.apps.library.outputs.documents import to_json

if TYPE_CHECKING:
    from watchband.apps.library.backtest.result import Backtest

REPORT = "report.html"
ALERT_COLUMNS = (
    "candidate", "series", "verdict", "opened", "decided", "closed", "kind", "severity", "direction", "value",
    "expected", "lower", "upper", "widths", "anomaly_score", "confidence", "points", "fault", "label_start",
    "label_end", "reason", "id",
)  # fmt: skip
MISTAKE_COLUMNS = (
    "candidate", "series", "kind", "start", "end", "fault", "size", "anomaly_score", "reason", "alert",
)  # fmt: skip
_NUMBERS = frozenset(("value", "expected", "lower", "upper", "widths", "anomaly_score", "confidence", "points", "size"))


def write_files(found: Backtest) -> list[str]:
    """Write everything; each file is there whole or not at all."""
    folder = found.ledger.folder
    alerts = [alert_row(*one) for one in found.alerts()]
    mistakes = [mistake_row(one) for one in found.mistakes()]
    candidates = [
        {"candidate": name, **figure_row(one), **(figure_row(found.points[name]) if found.points else {})}
        for name, one in found.figures.items()
    ]
    write_csv(folder / "alerts.csv", alerts, ALERT_COLUMNS)
    write_parquet(folder / "alerts.parquet", alerts, ALERT_COLUMNS)
    write_csv(folder / "mistakes.csv", mistakes, MISTAKE_COLUMNS)
    write_csv(folder / "candidates.csv", candidates, tuple(candidates[0]))
    write_whole(folder / "summary.json", to_json(document(found)))
    write_report(found, folder / REPORT)
    files = ["alerts.csv", "alerts.parquet", "candidates.csv", "mistakes.csv", REPORT, "summary.json"]
    if any((folder / SCORES).iterdir()):
        files.append(f"{SCORES}/")
    found.ledger.write_manifest({key: pair for pair, key in found.keys.items()}, files)
    return sorted(files)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """A CSV file with these columns; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if row.get(c) is None else row[c] for c in columns] for row in rows])
    write_whole(path, text.getvalue())


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """The same as Parquet: numbers as float64, everything else as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [
        pa.array(
            [row.get(c) for row in rows] if c not in _NUMBERS else [_float(row.get(c)) for row in rows],
            pa.float64() if c in _NUMBERS else pa.string(),
        )
        for c in columns
    ]
    part = path.with_name(path.name + ".part")
    pq.write_table(pa.table(arrays, names=list(columns)), part, compression="zstd")
    part.replace(path)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
