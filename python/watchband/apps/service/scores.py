"""Scored points of the service: where they are kept, and what of results is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchband.adapters.stores.scored.block import FLOATS
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.config.config import Config
from watchband.core.scores import HELD
from watchband.pipeline.policy import SUPPRESSED
from watchband.pipeline.results import Results


def scores_of(config: Config) -> ScoreBook | None:
    """Where bands and scores are kept: beside the store, if it has a directory."""
    path = getattr(config.store, "path", None)
    if path is None or not config.engine.keep_scores:
        return None
    return ScoreBook(Path(path), config.engine.keep_scores)


def flusher(book: ScoreBook | None) -> Callable[[], None]:
    """What writes the gathered points, if any are kept."""
    return book.flush if book is not None else lambda: None


def note_scores(book: ScoreBook, watch: str, results: Results) -> None:
    """Keep what a watch said of a batch."""
    columns = {name: getattr(results, name) for name in ("y", *FLOATS, "imputed", "excluded")}
    columns["alerting"] = results.alert != ""
    columns["held"] = (results.flags & HELD) != 0
    columns["suppressed"] = (results.events & int(SUPPRESSED)) != 0
    book.add(watch, results.keys, results.row, results.time, columns)
