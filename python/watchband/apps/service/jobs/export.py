"""Export: scored points of many series over a long range as one CSV file, a few series and some days at a time."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

from watchband.adapters.stores.scored.block import ALERTING, MISSING, Scored
from watchband.apps.service.tasks import Found, Task, Work
from watchband.apps.service.views.points import scored
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, PermanentError
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

STEP = 7 * DAY
BYTES_MAX = 2 << 30
HEADER = ("time", "series", "watch", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "alert")


def export_job(service: Service, selector: str, watch: str | None, start: int, end: int) -> Work:
    """The work that writes scored points between two times (ns UTC).

    Parameters
    ----------
    service : Service
        Whose.
    selector : str
        Which series.
    watch : str or None
        Under which watch; None: under every one that takes them.
    start, end : int
        ns UTC.

    Raises
    ------
    ConfigError
        No series is of that name.
    """
    wanted = Selector(selector)
    names = [watch] if watch is not None else list(service.config.watches)
    pairs = [
        (name, key)
        for name in names
        if name in service.config.watches
        for key in service.recent.newest(name).keys
        if wanted.matches(key)
    ]
    if not pairs:
        raise ConfigError(f"No series is known that {selector!r} selects{f' under {watch!r}' if watch else ''}.")
    oldest = service.scores.oldest() if service.scores is not None else None
    # Before the first point there is nothing to look for.
    start = max(start, oldest if oldest is not None else start)

    def work(task: Task) -> Found:
        file = service.tasks.room(task) / "points.csv"
        rows = 0
        with file.open("wb") as raw, TextIOWrapper(cast(BinaryIO, raw), "utf-8", newline="") as text:
            write = csv.writer(cast(TextIO, text), lineterminator="\n")
            write.writerow(HEADER)
            for done, (name, key) in enumerate(pairs):
                for since in range(start, end, STEP):
                    task.progress(f"{key}"[:200], done * (end - start) + since - start, len(pairs) * (end - start))
                    found = scored(service, name, key, since, min(since + STEP, end))
                    write.writerows(_rows(found, key, name))
                    rows += len(found)
                    if raw.tell() > BYTES_MAX:
                        raise PermanentError(
                            f"More than {BYTES_MAX >> 30} GiB: take fewer series or a shorter range, or read the store "
                            "with 'watchband query'."
                        )
        told = {"rows": rows, "series": len(pairs), "bytes": file.stat().st_size}
        return Found(told, file, "text/csv; charset=utf-8", f"watchband-{format_rfc3339(start)[:10]}.csv")

    return work


def _rows(found: Scored, key: SeriesKey, watch: str) -> Iterator[Sequence[Any]]:
    name = str(key)
    columns = [found.y, found.yhat, found.yhat_lower, found.yhat_upper, found.anomaly_score]
    values = zip(*(column.tolist() for column in columns), strict=True)
    for time, row, flags in zip(found.time.tolist(), values, found.flags.tolist(), strict=True):
        said = ["" if math.isnan(value) else f"{value:.7g}" for value in row]
        # A value that came keeps all its digits.
        said[0] = "" if flags & MISSING or math.isnan(row[0]) else repr(row[0])
        yield (format_rfc3339(time), name, watch, *said, int(bool(flags & ALERTING)))
