"""How far each query has been seen, as one short text; and when a query is asked again after it failed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from watchband.adapters.sources.prometheus.window import Window
from watchband.core.errors import AdapterError

_MS = 1_000_000
_KEY = re.compile(r"(-?\d{1,16})/(-?\d{1,16})")


@dataclass
class Progress:
    """One query on its way.

    Parameters
    ----------
    name, expr : str
        As the user wrote them.
    id : str
        Of the query and its step: another expression is another query, and begins from its beginning.
    seen : int
        Every step up to this one has been asked for and answered; ns UTC, a multiple of the step.
    news : int
        Up to here it is history: what there was when the query was first asked; ns UTC.
    window : Window
        How many steps are asked for at once.
    due : int
        Not asked before, ns UTC: it failed.
    failures, stumbles : int
        In a row; and steps in a row that were passed over.
    error : AdapterError or None
        What it failed by last; None when it answered.
    """

    name: str
    expr: str
    id: str
    seen: int
    news: int
    window: Window = field(default_factory=Window)
    due: int = 0
    failures: int = 0
    stumbles: int = 0
    error: AdapterError | None = None


def query_id(name: str, expr: str, step_ns: int, keep_names: bool) -> str:
    """Ten hexadecimal digits, the same in every process.

    Examples
    --------
    >>> query_id("cpu", "rate(cpu[5m])", 60_000_000_000, False)
    '17f3d697be'
    """
    text = json.dumps([name, expr, step_ns, keep_names])
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def position_of(queries: Iterable[Progress]) -> str:
    """The position after what has been seen; short, because every entry of the log holds one."""
    groups: dict[str, list[str]] = {}
    for query in queries:
        groups.setdefault(f"{query.seen // _MS}/{query.news // _MS}", []).append(query.id)
    return json.dumps({key: " ".join(ids) for key, ids in groups.items()}, separators=(",", ":"))


def read_position(text: str) -> dict[str, tuple[int, int]]:
    """By query id: what has been seen, and up to where it was history; ns UTC.

    Raises
    ------
    ValueError
        No position of this source.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no mapping")
    found: dict[str, tuple[int, int]] = {}
    for key, ids in document.items():
        match = _KEY.fullmatch(key)
        if match is None or not isinstance(ids, str):
            raise ValueError(f"no moments: {key[:40]!r}")
        moments = int(match[1]) * _MS, int(match[2]) * _MS
        found.update((one, moments) for one in ids.split())
    return found
