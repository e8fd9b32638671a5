"""What a metric says of the load of an entity: its role, the word for it, its unit and its capacity.

Many exports call one thing by many names. A role is what the thing is; risk reads roles, never names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from watchband.core.errors import InvalidParameterError

Role = Literal["cpu", "memory", "disk", "network", "latency", "queue", "processes", "connections", "errors", "other"]
ROLES: tuple[Role, ...] = (
    "cpu", "memory", "disk", "network", "latency", "queue", "processes", "connections", "errors", "other",
)  # fmt: skip
_HINTS: tuple[tuple[Role, str], ...] = (
    ("queue", r"queue|backlog|lag\b|pending|lock_?wait|iowait"),
    ("latency", r"latency|duration|response_?time|elapsed|delay|wait"),
    ("errors", r"error|fail|5xx|exception"),
    ("connections", r"connection|conns\b|session|requests?_?per|request_?rate|\brps\b|requests"),
    ("processes", r"process|thread|pods?\b|pod_"),
    ("network", r"network|net_|netin|netout|receive|transmit|_rx|_tx|bandwidth"),
    ("disk", r"disk|ebs|iops|read_?bytes|write_?bytes|_io\b"),
    ("memory", r"mem|heap|rss|swap"),
    ("cpu", r"cpu|processor|load_?avg|load1|load5"),
)
_PERCENT = re.compile(r"percent|_pct|utili[sz]ation|usage_?idle|usage_?user", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LoadFeature:
    """One metric as risk sees it.

    Parameters
    ----------
    name : str
        Of the metric, as the data have it.
    role : Role
        What it measures.
    word : str
        How a sentence calls it.
    unit : str, default ""
        Behind a number: ``"%"``, ``"ms"``, ``"MB"``.
    capacity : float, optional
        The value at which it is full, where there is one.
    low, high : float
        Values outside cannot be: they count as missing.
    """

    name: str
    role: Role
    word: str
    unit: str = ""
    capacity: float | None = None
    low: float = float("-inf")
    high: float = float("inf")

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InvalidParameterError(
                f"The role of feature {self.name!r} is one of {', '.join(ROLES)}. Got {self.role!r}."
            )


def feature_of(name: str, role: Role | None = None) -> LoadFeature:
    """What a metric probably is, by its name.

    Examples
    --------
    >>> feature_of("node_cpu_utilization").role, feature_of("http_request_duration_seconds").unit
    ('cpu', 's')
    >>> feature_of("temperature").role
    'other'
    """
    from watchband.features.cloudwatch10 import BY_NAME

    known = BY_NAME.get(name.casefold())
    if known is not None:
        return replace(known, name=name, role=role or known.role)
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    guessed: Role = next((r for r, hint in _HINTS if re.search(hint, spelled)), "other")
    found = role or guessed
    percent = bool(_PERCENT.search(spelled))
    unit = "%" if percent else _unit(spelled)
    capacity = 100.0 if percent and found in ("cpu", "memory", "disk", "network") else None
    return LoadFeature(name, found, spelled.replace("_", " "), unit, capacity)


def _unit(spelled: str) -> str:
    for ending, unit in (("_ms", "ms"), ("_seconds", "s"), ("_mb", "MB"), ("_bytes", "B"), ("_ratio", "")):
        if spelled.endswith(ending):
            return unit
    return ""
