"""Scored points of the service: where they are kept, and what of results is."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.stores.scored.block import FLOATS
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.adapters.stores.scored.hours import HourBook
from watchband.adapters.stores.tiers import Retention
from watchband.apps.config.config import Config
from watchband.core.scores import HELD
from watchband.pipeline.policy import SUPPRESSED
from watchband.pipeline.results import Results

log = logging.getLogger("watchband.scores")


def scores_of(config: Config) -> ScoreBook | None:
    """Where bands and scores are kept: beside the store, if it has a directory.

    What charts are drawn from is worth no alert: where it cannot be opened, it is done without.
    """
    path = getattr(config.store, "path", None)
    if path is None or not config.engine.keep_scores:
        return None
    try:
        retention = getattr(config.store, "retention", None) or Retention()
        return ScoreBook(Path(path), config.engine.keep_scores, keep_hours=retention.hourly)
    except (OSError, sqlite3.Error) as error:
        log.warning("bands and scores are not kept for charts: %s", error)
        return None


def flusher(book: ScoreBook | None, hours: HourBook) -> Callable[[], None]:
    """What writes the gathered points, if any are kept, and the hours."""

    def flush() -> None:
        if book is not None:
            book.flush()
        hours.flush()

    return flush


def note_scores(book: ScoreBook | None, watch: str, results: Results) -> None:
    """Keep what a watch said of a batch, if any is kept; where the disk does not take it, charts have a gap."""
    if book is None:
        return
    try:
        book.add(watch, results.keys, results.row, results.time, _columns(results))
    except (OSError, sqlite3.Error) as error:
        log.warning("bands and scores of a batch were not kept: %s", error)


def _columns(results: Results) -> dict[str, NDArray[np.generic]]:
    columns = {name: getattr(results, name) for name in ("y", *FLOATS, "imputed", "excluded")}
    columns["alerting"] = results.alert != ""
    columns["held"] = (results.flags & HELD) != 0
    columns["suppressed"] = (results.events & int(SUPPRESSED)) != 0
    return columns


def let_go(book: ScoreBook | None) -> None:
    """Write what is gathered and close; that this fails must not keep the store from being closed."""
    try:
        if book is not None:
            book.close()
    except (OSError, sqlite3.Error) as error:
        log.warning("the last bands and scores could not be written: %s", error)
