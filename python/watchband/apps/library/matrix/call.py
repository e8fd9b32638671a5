"""``wb.feature_matrix``: from a frame, arrays or files to rows of features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchband.apps.library.feeds import Feed, open_source
from watchband.apps.library.matrix.matrix import Matrix, check_target
from watchband.apps.library.matrix.selecting import chosen, stored
from watchband.apps.library.matrix.tables import columns_of, joined, single
from watchband.apps.library.options import Options
from watchband.apps.library.tuning.readings import gathered, label_list
from watchband.core.errors import ConfigError
from watchband.features.feature_set import FeatureSet


@dataclass(frozen=True)
class Request:
    """What is wanted; the flags of ``watchband features``."""

    set: str = "value4"
    column: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    share: float = 0.5
    holidays: str | None = None
    schema: str | None = None
    complete: bool = False
    select: int | None = None
    train_share: float = 0.7
    labels: Any = None
    selection: str | None = None

    def __post_init__(self) -> None:
        if self.select is not None and self.selection is not None:
            raise ConfigError("--select chooses features, and --selection takes those of a file. Give one of both.")
        if self.labels is not None and self.select is None:
            raise ConfigError("--labels says what chosen features should tell: give --select with it.")


def feature_matrix(
    source: Any,
    set: str = "value4",  # noqa: A002
    *,
    column: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    share: float = 0.5,
    complete: bool = False,
    schema: str | Path | None = None,
    select: int | None = None,
    train_share: float = 0.7,
    labels: Any = None,
    selection: str | Path | None = None,
    interval: str | None = None,
    timezone: str = "UTC",
    holidays: str | None = None,
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    out: str | Path | None = None,
) -> Matrix:
    """Rows of features for every series, or for every entity where a set reads several metrics.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As ``watchband.detect`` takes it.
    set : str, default "value4"
        Name of a set; see ``docs/features.md``.
    column, by : str or several
        The metrics that a set of several reads, in its order; of a set of one, the series or metrics that are wanted;
        labels that name an entity, all if none.
    share, complete
        Share of a window that must be known; leave out rows in which a feature is not known.
    schema : path, optional
        Exactly the features of this stored one, or an error says what this release makes otherwise.
    select, train_share, labels, selection
        Only so many features, chosen by rows of this first share of the time, by what they tell of labels; or those of
        a stored selection. See ``docs/features.md``.
    interval, timezone, holidays, time, value, label, metric
        As in ``watchband.detect``: length of a slot (learned if none), zone and country of the calendar, columns.
    out : path, optional
        ``.csv`` or ``.parquet``; the schema stands beside it as ``.schema.json``.

    Raises
    ------
    ConfigError, DataError
        An unknown set or metric, a schema that does not fit; input that cannot be read or gives no complete row.

    Examples
    --------
    >>> import numpy as np
    >>> minutes = 60_000_000_000 * np.arange(100)
    >>> matrix = feature_matrix((minutes, np.sin(np.arange(100))), "lags24", complete=True)
    >>> names, times, rows = matrix.to_arrays()
    >>> rows.shape, matrix.names[:2]
    ((76, 24), ('lag_1', 'lag_2'))
    """
    options = Options(interval=interval, timezone=timezone)
    columns = {"time": time, "value": _several(value), "label": _several(label), "metric": metric}
    kept = (select, train_share, labels, None if selection is None else str(selection))
    stored_schema = None if schema is None else str(schema)
    asked = Request(set, _several(column), _several(by), share, holidays, stored_schema, complete, *kept)
    if out is not None:
        check_target(Path(out))
    matrix = run(open_source(source, options, columns), options, asked)
    if out is not None:
        matrix.write(Path(out))
    return matrix


def run(feed: Feed, options: Options, asked: Request) -> Matrix:
    """The matrix of what a feed has.

    Raises
    ------
    ConfigError, DataError
        See ``feature_matrix``.
    """
    schema = None if asked.schema is None else _stored(Path(asked.schema))
    readings = gathered(feed)
    features = schema or _features(asked, columns_of(asked.set, asked.column, readings), options)
    if len(features.columns) == 1:
        tables = single(readings, asked.column)
    else:
        step = features.interval_ns
        tables, width = joined(readings, columns_of(features.label, features.columns, readings), asked.by, step)
        if schema is None and step is None:
            # What is joined stands in slots of this width: nothing is left to learn.
            features = _features(asked, features.columns, options, width)
    matrix = Matrix(features, tables, feed.title, asked.complete, list(feed.notes))
    if asked.selection is not None:
        matrix.selection = stored(Path(asked.selection), features.names)
    elif asked.select is not None:
        labels = None if asked.labels is None else label_list(asked.labels)
        matrix.selection = chosen(matrix, asked.select, share=asked.train_share, labels=labels)
    matrix.check()
    return matrix


def _features(asked: Request, columns: Sequence[str], options: Options, width: int | None = None) -> FeatureSet:
    interval = width or options.interval_ns()
    kept = {"timezone": options.timezone, "holidays": asked.holidays, "share": asked.share}
    return FeatureSet.named(asked.set, columns, interval_ns=interval, **kept)  # type: ignore[arg-type]


def _stored(path: Path) -> FeatureSet:
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        raise ConfigError(f"{path.name} is no schema of features: it is no JSON. Give what --out wrote.") from error
    return FeatureSet.from_schema(document)


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
