"""What ``wb.detect`` gives: a table, alerts, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.engine import Outcome
from watchband.apps.library.feeds import Feed
from watchband.apps.library.gather import Gatherer
from watchband.apps.library.outputs.table import to_arrow
from watchband.apps.library.rows import Rows
from watchband.apps.library.view import DetectionView, SeriesView
from watchband.core.alert import Alert
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.figure import Figure


class Collector:
    """A consumer that keeps every row: for results that fit in memory."""

    def __init__(self) -> None:
        self.parts: list[Rows] = []

    def take(self, rows: Rows, keys: Sequence[SeriesKey]) -> None:
        """Keep a block."""
        if len(rows):
            self.parts.append(rows)

    def rows(self) -> Rows:
        """Everything kept, end to end."""
        return Rows.joined(self.parts)


class Findings:
    """What is known at the end of a run, without its rows.

    Attributes
    ----------
    outcome : Outcome
        Series, alerts, quality, counts.
    settings : dict
        The detector, the rule, and every setting that is not the default.
    notes : list of str
        How the input was read.
    title : str
        Name of the input.
    out, files : Path or None, list of str
        The folder written and what is in it.
    """

    def __init__(
        self, outcome: Outcome, gatherer: Gatherer, settings: dict[str, Any], feed: Feed, *, command: str = ""
    ) -> None:
        self._gatherer = gatherer
        self.outcome = outcome
        self.settings = settings
        self.notes = list(feed.notes)
        self.title = feed.title
        self.command = command
        self.out: Path | None = None
        self.files: list[str] = []

    @property
    def alerts(self) -> list[Alert]:
        """Alerts, most severe first."""
        return self.outcome.alerts

    @property
    def quality(self) -> dict[str, dict[str, Any]]:
        """Quality of the data, by series."""
        return {str(k): q for k, q in zip(self.outcome.keys, self.outcome.quality, strict=True)}

    def view(self) -> DetectionView:
        """What reports and plots are drawn from."""
        from watchband import __version__

        shown = {k: str(v) for k, v in self.settings.items() if k not in ("detector", "rule")}
        return DetectionView(
            self._gatherer.views(self.outcome.keys, self.alerts, self.outcome.quality),
            self.alerts,
            detector=str(self.settings["detector"]),
            rule=str(self.settings["rule"]),
            created_ns=self.outcome.end or 0,
            title=self.title,
            timezone=str(self.settings.get("timezone", "UTC")),
            settings=shown,
            command=self.command,
            version=__version__,
            notes=self.notes,
        )


class Detection(Findings):
    """The result of ``detect``.

    Attributes
    ----------
    table : pyarrow.Table
        Columns ``series, timestamp, y, yhat, yhat_lower, yhat_upper, score, p_value, anomaly_score, alert_score,
        alert, seen_by``; one row per input row in input order. Null is "no opinion" or "no value"; ``alert`` is the id
        of the alert a point belongs to, or empty; ``seen_by`` the members of an ensemble that found an anomalous point.
        ``anomaly_score`` above 1 is anomalous.
    alerts : list of Alert
        Most severe first.
    quality : dict of str to dict
        What was found in the readings of each series.
    notes : list of str
        How the input was read.
    settings : dict
        The detector, the rule, and every setting that is not the default.
    outcome : Outcome
        Counts of the run.
    """

    def __init__(
        self,
        outcome: Outcome,
        gatherer: Gatherer,
        settings: dict[str, Any],
        feed: Feed,
        *,
        rows: Rows,
        command: str = "",
    ) -> None:
        super().__init__(outcome, gatherer, settings, feed, command=command)
        self._rows = rows
        self._table: pa.Table | None = None

    @property
    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        if self._table is None:
            self._table = to_arrow(self._rows, self.outcome.keys)
        return self._table

    def __len__(self) -> int:
        return len(self._rows)

    def to_arrow(self) -> pa.Table:
        """The table as it is."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame; null becomes NaN."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The table as a polars frame."""
        import polars as pl

        frame = pl.from_arrow(self.table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def plot(self, series: str | None = None, path: str | Path | None = None) -> Figure:
        """The band chart of one series as a matplotlib figure, saved to ``path`` if given.

        Parameters
        ----------
        series : str, optional
            Which series; default is that of the most severe alert, else the first.
        path : str or Path, optional
            Where to save it as PNG.
        """
        from watchband.apps.library.plot import figure, write_plot

        view = self._chosen(series)
        zone = str(self.settings.get("timezone", "UTC"))
        if path is not None:
            write_plot(view, path, timezone=zone)
        return figure(view, timezone=zone)

    def _chosen(self, series: str | None) -> SeriesView:
        from watchband.core.errors import ConfigError, UnknownNameError

        views = self.view().series
        if not views:
            raise ConfigError("There is no series to plot: the input had no rows.")
        wanted = series or (str(self.alerts[0].series) if self.alerts else str(views[0].key))
        for view in views:
            if str(view.key) == wanted:
                return view
        raise UnknownNameError("series", wanted, [str(v.key) for v in views])

    def __repr__(self) -> str:
        counts = self.outcome.counts()
        return (
            f"Detection({counts['series']} series, {counts['rows']} rows, {counts['anomalies']} anomalous points, "
            f"{counts['alerts']} alert{'' if counts['alerts'] == 1 else 's'}, {self.settings['detector']}, "
            f"{self.settings['rule']})"
        )

    def _repr_html_(self) -> str:
        from watchband.apps.library.report import notebook_html

        return notebook_html(self.view())
