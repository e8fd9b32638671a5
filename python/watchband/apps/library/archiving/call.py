"""Everything that keeps an archive in step with a store, in one call: for service, command and functions on AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.compact import Compacted, compact
from watchband.adapters.archive.export import Exported, Exporter, Tell
from watchband.adapters.archive.judged import Judged, export_alerts, export_results
from watchband.apps.library.archiving.local import left_before
from watchband.core.ports import Store


@dataclass
class Kept:
    """What a call did."""

    exported: Exported = field(default_factory=Exported)
    judged: Judged = field(default_factory=Judged)
    compacted: Compacted = field(default_factory=Compacted)
    expired: int = 0
    swept: int = 0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def never() -> bool:
    """Go on."""
    return False


def export(
    archive: ObjectArchive,
    store: Store,
    *,
    directory: Path | None = None,
    partition: str | None = None,
    results: bool = True,
    rejoin: bool = False,
    tell: Tell | None = None,
    stop: Callable[[], bool] = never,
) -> Kept:
    """Bring an archive up to what a store has acknowledged: readings, marks, alerts, and scores of days that are over.

    The same again changes nothing; ended anywhere, the next call goes on.

    Parameters
    ----------
    archive : ObjectArchive
        Where to.
    store : Store
        Whose log; open for reading is enough.
    directory : Path, optional
        Of a store that is one: its own archive of files, and scores and bands, are there.
    partition : str, optional
        How a new archive parts readings: ``date`` or ``metric``.
    results : bool
        Scores and bands too.
    rejoin : bool
        See ``Exporter``.
    tell, stop : callable
        Is told of progress; says whether to end before the next step.

    Raises
    ------
    DataError, AdapterError
        See ``Exporter.run``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from watchband.adapters.stores.memory import MemoryStore
    >>> from watchband.core.ports import Commit, Readings
    >>> from watchband.core.series import SeriesKey
    >>> store = MemoryStore()
    >>> store.commit(Commit("main", 1, [Readings(SeriesKey("cpu"), np.array([60 * 10**9]), np.array([0.5]))]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = ObjectArchive(f"file://{folder}/far/")
    ...     export(archive, store).exported.readings, export(archive, store).exported.readings
    (1, 0)
    """
    kept = Kept()
    local = left_before(directory, store) if directory is not None else None
    exporter = Exporter(archive, store, partition=partition, local=local, tell=tell, rejoin=rejoin)
    kept.exported = exporter.run(stop)
    if not stop():
        export_alerts(archive, store.alerts(), kept.judged)
    if results and directory is not None and not stop():
        export_results(archive, directory, kept.judged)
    return kept


def tidy(
    archive: ObjectArchive,
    *,
    keep: int | None = None,
    tell: Tell | None = None,
    stop: Callable[[], bool] = never,
    kept: Kept | None = None,
) -> Kept:
    """Gather small parts, let go of days that are older than ``keep`` (ns), remove what counts no more.

    Parameters
    ----------
    archive : ObjectArchive
        Which.
    keep : int, optional
        How long days are kept; None: for ever.
    tell, stop : callable
        As of ``export``.
    kept : Kept, optional
        Where to note what was done.
    """
    kept = kept or Kept()
    if keep is not None:
        kept.expired = archive.expire(archive.clock.now() - keep)
    kept.compacted = compact(archive, tell=tell, stop=stop)
    if not stop():
        kept.swept = archive.sweep()
    return kept


def standing(archive: ObjectArchive) -> Mapping[str, Any]:
    """What an archive holds, as JSON."""
    root = archive.manifest.root()
    sets: dict[str, dict[str, Any]] = {}
    for name, one in sorted(root.lists.items()):
        dataset, _, month = name.partition("/")
        found = sets.setdefault(dataset, {"rows": 0, "bytes": 0, "parts": 0, "first": month, "last": month})
        found["rows"] += one.rows
        found["bytes"] += one.nbytes
        found["parts"] += one.parts
        found["last"] = month
    return {
        "address": archive.name,
        "partition": root.partition,
        "revision": root.revision,
        "through": {
            shard: {"entry": one.entry, "store": one.entry - one.behind, "time_ns": one.time}
            for shard, one in sorted(root.cursors.items())
        },
        "results": root.results or None,
        "datasets": sets,
        "gaps": [list(gap) for gap in root.gaps],
    }
