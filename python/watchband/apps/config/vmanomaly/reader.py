"""The ``reader`` section of vmanomaly: sources of kind ``prometheus``, one for each step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from watchband.apps.config.vmanomaly.values import (
    Note,
    as_list,
    as_mapping,
    duration,
    neat,
    number,
    seconds,
    text,
    variable,
)

_DONE = {
    "class", "queries", "datasource_url", "sampling_period", "tenant_id", "tz", "user", "password", "bearer_token",
    "bearer_token_file", "timeout", "verify_tls", "extra_filters", "latency_offset", "offset", "data_range",
    # Watchband splits long ranges by itself, resumes from its own position, and asks no health page.
    "max_points_per_query", "query_from_last_seen_timestamp", "health_path", "series_processing_batch_size",
}  # fmt: skip
POLICY = ("detection_direction", "min_dev_from_expected", "min_rel_dev_from_expected", "scale", "clip_predictions")
"""What a query may say of how it is judged."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query: the name of its series here, seconds between readings, logical range, time zone, policies."""

    name: str
    step: float | None
    range: str
    timezone: str
    policy: Mapping[str, Any]


@dataclass
class Read:
    """The sources, the queries by the names that models use, and what is to be said: (about, note)."""

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    notes: list[tuple[str, Note]] = field(default_factory=list)


def read_reader(reader: Mapping[str, Any], every: float | None, window: float | None) -> Read:
    """Sources and queries; ``every`` and ``window`` are seconds of the schedulers."""
    found = Read()
    common = seconds(reader.get("sampling_period"))
    expressions: dict[float | None, dict[str, str]] = {}
    for alias, one in as_mapping(reader.get("queries")).items():
        query = as_mapping(one) or {"expr": one}
        name = re.sub(r"[^a-zA-Z0-9_:]", "_", alias)
        name = name if re.match(r"[a-zA-Z_:]", name) else f"_{name}"
        while name in {q.name for q in found.queries.values()}:
            name += "_"
        step = seconds(query.get("step")) or common
        policy = {key: query[key] for key in POLICY if key in query}
        found.queries[alias] = Query(
            name,
            step,
            _range(query.get("data_range", reader.get("data_range"))),
            str(query.get("tz", reader.get("tz", "UTC"))),
            policy,
        )
        expressions.setdefault(step, {})[name] = " ".join(text(query.get("expr", "")).split())
        if name != alias:
            found.notes.append(("", Note("mapped", f"query {alias!r} is called {name!r} here.")))
    kind = str(reader.get("class", "vm")).rsplit(".", 1)[-1].lower()
    if kind not in ("vm", "vmreader"):
        found.notes.append(("", Note("left_out", f"reader {kind!r} has no counterpart: push its readings instead.")))
        return found
    for step, queries in expressions.items():
        name = "metrics" if len(expressions) == 1 else f"metrics_{duration(step) if step else 'default'}"
        notes: list[Note] = []
        found.sources[name] = _source(reader, queries, step, every, window, notes)
        found.notes += [(f"sources.{name}", note) for note in notes]
    return found


def _source(
    reader: Mapping[str, Any],
    queries: Mapping[str, str],
    step: float | None,
    every: float | None,
    window: float | None,
    notes: list[Note],
) -> dict[str, Any]:
    source: dict[str, Any] = {"kind": "prometheus", "url": _url(reader, notes), "queries": dict(queries)}
    asked = max(every or step or 60.0, step or 0.0, 1.0)
    source["every"] = duration(asked)
    if step and step < asked:
        source["step"] = duration(max(step, 1.0))
    if step and asked % step:
        notes.append(Note("approximated", f"asked every {duration(asked)}, which is no multiple of the step."))
    late = seconds(reader.get("offset")) or seconds(reader.get("latency_offset"))
    if late is not None:
        source["lateness"] = duration(late)
        notes.append(Note("approximated", "'latency_offset' or 'offset' is the lateness that readings are given."))
    if window:
        source["backfill"] = duration(window)
        notes.append(Note("mapped", "'backfill' is the longest fit_window; a longer one teaches seasons sooner."))
    if seconds(reader.get("timeout")):
        source["timeout"] = duration(seconds(reader["timeout"]) or 30.0)
    _access(reader, source, notes)
    filters = as_list(reader.get("extra_filters"))
    if filters:
        source["params"] = {"extra_filters[]": text(filters[0])}
    if len(filters) > 1:
        notes.append(Note("left_out", "only the first of 'extra_filters' is sent; join them into one selector."))
    notes += [Note("left_out", f"'{key}' of the reader.") for key in reader if key not in _DONE]
    return source


def _url(reader: Mapping[str, Any], notes: list[Note]) -> str:
    url = text(reader.get("datasource_url", "http://localhost:8428")).rstrip("/")
    try:
        parts = urlsplit(url)
        user = parts.username or parts.password
    except ValueError:
        parts, user = None, None
    if parts is not None and user:
        url = url.replace(parts.netloc, parts.netloc.rpartition("@")[2])
        notes.append(Note("left_out", "user and password of the address: give 'username' and 'password'."))
    tenant = reader.get("tenant_id")
    if tenant:
        url += f"/select/{tenant}/prometheus"
        notes.append(Note("mapped", f"tenant {tenant} of a cluster is part of the address."))
    return url


def _access(reader: Mapping[str, Any], source: dict[str, Any], notes: list[Note]) -> None:
    if reader.get("user"):
        source["username"] = text(reader["user"])
        source["password"] = _secret(reader.get("password"), "PROMETHEUS_PASSWORD", notes)
    elif reader.get("bearer_token_file"):
        source["bearer_token_file"] = text(reader["bearer_token_file"])
    elif reader.get("bearer_token"):
        source["bearer_token"] = _secret(reader["bearer_token"], "PROMETHEUS_TOKEN", notes)
    check = reader.get("verify_tls")
    if isinstance(check, str) and check.lower() not in ("true", "false"):
        source["ca_file"] = text(check)
    elif check is False:
        notes.append(Note("left_out", "'verify_tls: false': certificates are always checked. Give its 'ca_file'."))


def _secret(value: object, name: str, notes: list[Note]) -> str:
    """Nothing secret is copied from one file to another."""
    if found := variable(value):
        return f"${{{found}}}"
    notes.append(Note("left_out", f"the secret itself: put it in the environment as {name}, or in a file (…_file)."))
    return f"${{{name}}}"


def _range(value: object) -> str:
    """``LOW:HIGH`` of a data_range, empty where it is open on both sides."""
    ends = as_list(value)
    if len(ends) != 2:
        return ""
    low, high = (number(end) for end in ends)
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return ""
    return ":".join("" if end is None else f"{neat(end)}" for end in (low, high))
