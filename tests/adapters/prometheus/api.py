"""A query API over a table of numbers, on a server that fails on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.testing.outside import Answer, FaultyServer, Request

Table = Callable[[str, int], list[dict[str, object]]]
"""Query and time in seconds to what each series shows then: ``metric`` and ``value``, or ``histogram``."""


class Api(FaultyServer):
    """What a Prometheus answers to ``query_range``.

    Parameters
    ----------
    table : callable
        What there is.
    clock : Clock
        Nothing is there before its time.

    Attributes
    ----------
    refuse : callable
        Query, first and last step in seconds to (status, body) of a refusal, or None.
    ranges : list of (str, int, int, int)
        Query, first, last and step of everything that was asked, in seconds.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self.table, self.ranges = table, list[tuple[str, int, int, int]]()
        self.refuse: Callable[[str, int, int], tuple[int, bytes] | None] = lambda query, first, last: None
        self.more: dict[str, object] = {}
        self.forms: list[Mapping[str, str]] = []
        super().__init__(self._answer, clock=clock)

    def _answer(self, request: Request) -> Answer:
        fields = {k: v[0] for k, v in parse_qs(request.body.decode()).items()} or dict(request.query)
        self.forms.append(fields)
        query, first, last, step = fields["query"], *(round(float(fields[k])) for k in ("start", "end", "step"))
        self.ranges.append((query, first, last, step))
        refused = self.refuse(query, first, last)
        if refused is not None:
            return Answer(refused[1], refused[0])
        series: dict[str, dict[str, object]] = {}
        for time in range(first, last + 1, step):
            if time <= self.clock.now() // SECOND:
                for shown in self.table(query, time):
                    one = series.setdefault(json.dumps(shown["metric"]), {"metric": shown["metric"]})
                    kind = "histograms" if "histogram" in shown else "values"
                    one.setdefault(kind, []).append([time, shown.get("value", shown.get("histogram"))])  # type: ignore[attr-defined]
        result = {"resultType": "matrix", "result": list(series.values())}
        return Answer(json.dumps({"status": "success", "data": result, **self.more}).encode())
