"""The columns behind the leading one of joined watches, for charts: their last points in memory, the others on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchband.apps.service.recent import BYTES_MAX, Recent
from watchband.core.series import SeriesKey
from watchband.pipeline.results import Results

SHARE = 4
"""Their rings have a part of the memory of all others."""


def under(watch: str, column: str) -> str:
    """What a column of a watch is called where points are kept; no watch has a line break in its name."""
    return f"{watch}\n{column}"


class Besides:
    """Takes columns out of results, each as results of its own.

    Examples
    --------
    >>> Besides().recent.series
    0
    """

    def __init__(self) -> None:
        self.recent = Recent(BYTES_MAX // SHARE)
        self._keys: dict[str, tuple[Sequence[SeriesKey], list[SeriesKey]]] = {}

    def of(self, watch: str, results: Results) -> Iterator[tuple[str, Results]]:
        """Every column with what it is called; nothing of a watch that joins nothing. Their points are remembered."""
        if results.beside is None or not len(results):
            return
        for number, column in enumerate(results.beside.columns):
            name = under(watch, column)
            found = results.beside.results(results, number, self._keys_of(name, column, results.keys))
            self.recent.add(name, found)
            yield name, found

    def _keys_of(self, name: str, column: str, leading: Sequence[SeriesKey]) -> list[SeriesKey]:
        known, mine = self._keys.get(name, ((), []))
        if known is not leading or len(mine) > len(leading):
            # A state that was restored: rings go by the list itself.
            mine = []
            self._keys[name] = leading, mine
        mine += [SeriesKey(column, key.labels) for key in leading[len(mine) :]]
        return mine

    def forget(self, watch: str) -> None:
        """Drop everything of a watch."""
        for name in [name for name in self._keys if name.partition("\n")[0] == watch]:
            self.recent.forget(name)
            del self._keys[name]
