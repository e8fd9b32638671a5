"""``wb.detect``: from a frame, arrays or files to explained anomalies in one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchband.apps.library.detection import Detection
from watchband.apps.library.feeds import open_source
from watchband.apps.library.job import execute
from watchband.apps.library.options import Options
from watchband.core.detector import Detector
from watchband.pipeline import DEFAULT_DETECTOR


def detect(
    source: Any,
    *,
    detector: str | Detector = DEFAULT_DETECTOR,
    budget: str | None = None,
    cutoff: float | None = None,
    sigma: float | str | None = None,
    contamination: float | None = None,
    width: float | None = None,
    exclude: Sequence[str | tuple[Any, Any]] = (),
    direction: str = "both",
    range: str | tuple[float | None, float | None] | None = None,  # noqa: A002
    timezone: str = "UTC",
    holidays: str | None = None,
    interval: str | None = None,
    gap: str = "ignore",
    resample: str | None = None,
    aggregate: str = "mean",
    counter: bool = False,
    min_deviation: float = 0.0,
    min_deviation_relative: float = 0.0,
    min_count: float | None = None,
    consecutive: int = 1,
    m_of_n: str | None = None,
    join: str | Sequence[str] | None = (),
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    with_imputed: bool = False,
    out: str | Path | None = None,
) -> Detection:
    """Find anomalies and say why. Every option is the flag of ``watchband detect`` with that name: ``docs/cli.md``.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        A pandas, polars or Arrow frame with a time column or (pandas) a DatetimeIndex; a pandas series with one; a
        pair of arrays; or files, folders, globs, ``"-"`` for standard input.
    others
        As in ``Options``; ``time``, ``value``, ``label`` and ``metric`` name columns, ``with_imputed`` adds rows for
        points that the gap policy filled in, ``out`` names a folder for scores, plots and ``report.html``.

    Raises
    ------
    ConfigError
        An option that cannot be, or two that exclude each other.
    DataError
        Input that cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> values = 10 + np.sin(np.arange(300) * 1.7)
    >>> values[200] = 25.0
    >>> result = detect((np.arange(300) * 60_000_000_000, values), detector="rolling_zscore", cutoff=5)
    >>> len(result.alerts), result.alerts[0].value
    (1, 25.0)
    """
    given = dict(locals())
    options = Options(**{f.name: given[f.name] for f in dataclasses.fields(Options)})
    columns = {"time": time, "value": _listed(value), "label": _listed(label), "metric": metric}
    feed = open_source(source, options, columns)
    found = execute(feed, options, keep_rows=True, out=out, with_imputed=with_imputed)
    assert isinstance(found, Detection)
    return found


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
