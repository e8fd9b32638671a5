"""What only the whole configuration can say: routes to sinks that are not there, watches that nothing comes to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from watchband.apps.config.build import mapping, nearest, unknown
from watchband.apps.config.document import DocumentError, Node, Place
from watchband.core.errors import ConfigError, StateError
from watchband.core.matcher import METRIC, Selector
from watchband.core.relabel import Relabel
from watchband.pipeline.counters import is_counter

_RATE = re.compile(r"\b(rate|irate|increase|delta|idelta|deriv)\s*\(")

if TYPE_CHECKING:
    from watchband.apps.config.config import Config


def mistakes(config: Config, root: Node) -> Iterator[DocumentError]:
    """What cannot be run as it is written."""
    sinks = _names(root, "sinks")
    for name in config.watches:
        for node in _items(_entry(root, "watches", name), "route"):
            if isinstance(node.content, str) and node.content not in sinks:
                yield unknown(node.place, f"sink in 'route' of watch {name!r}:", node.content, sinks)
    if (wrong := _risk(config, root)) is not None:
        yield wrong
    known = {metric: source for source, metrics in _metrics(config).items() for metric in metrics or ()}
    for name in config.expressions:
        if name in known:
            place = config.places["expressions", name]
            yield DocumentError(
                place, f"Expression {name!r} has the name of a metric of source {known[name]!r}. Rename it."
            )


def _risk(config: Config, root: Node) -> DocumentError | None:
    """Why the model of risk cannot be used."""
    try:
        _ = config.risk.making
    except (ConfigError, StateError) as error:
        node = _entry(root, "risk", "model")
        return DocumentError(node.place if node else root.place, f"Section 'risk': {error}")
    return None


def doubts(config: Config, root: Node) -> Iterator[tuple[Place, str]]:
    """What can be run and is probably not meant: place and sentence."""
    for section, lacking in (
        ("sources", "Nothing comes in: there are no sources. A start: 'sources: {host: {}, push: {}}'."),
        ("watches", "Nothing is judged: there are no watches. A start: 'watches: {all: {match: \"*\"}}'."),
        ("sinks", "Alerts are kept and told to nobody: there are no sinks."),
    ):
        if not getattr(config, section):
            yield root.keys.get(section, root.place), lacking
    yield from _unmatched(config, root)
    routes = [watch.route for watch in config.watches.values()]
    for name in config.sinks:
        if routes and all(route is not None and name not in route for route in routes):
            yield config.places["sinks", name], f"Sink {name!r} is told nothing: no watch has it in its 'route'."
    yield from _second_doors(config)
    yield from _rates_of_rates(config)
    first: dict[Any, str] = {}
    for name, watch in config.watches.items():
        before = first.setdefault(watch, name)
        if before != name:
            place = config.places["watches", name]
            yield place, f"Watch {name!r} says the same as {before!r}: every alert would come twice. Keep one of them."
    if not config.server.loopback and not config.server.tokens:
        node = _entry(root, "server", "listen")
        yield (
            node.place if node else root.place,
            f"Whoever reaches {config.server.listen} may push points and reload: give 'server' some 'tokens', or "
            "listen on 127.0.0.1.",
        )


def _second_doors(config: Config) -> Iterator[tuple[Place, str]]:
    """Sources of a kind that is pushed to, beside another of the same: what comes is taken to be the first's."""
    doors: dict[str, str] = {}
    for name, source in config.sources.items():
        if source.pushed and doors.setdefault(source.settings.kind, name) != name:
            first = doors[source.settings.kind]
            said = f"Source {name!r} gets nothing: what is pushed is taken by {first!r}, the first of its kind."
            yield config.places["sources", name], said


def _rates_of_rates(config: Config) -> Iterator[tuple[Place, str]]:
    """Queries that give a rate under the name of a counter, which a watch would take the rate of once more."""
    for name, source in config.sources.items():
        for metric, expression in getattr(source.settings, "queries", {}).items():
            taken = any(
                w.counter is None and any(_fits(s, metric) for s in w.selectors) for w in config.watches.values()
            )
            if taken and is_counter(metric) and _RATE.search(str(expression)):
                yield (
                    config.places["sources", name],
                    f"Query {metric!r} gives a rate, and by its name it is a counter: its rate would be taken again. "
                    "Give the query another name, or its watch 'counter: false'.",
                )


def _unmatched(config: Config, root: Node) -> Iterator[tuple[Place, str]]:
    """Watches none of whose selectors fits a metric, where every source says which metrics it gives."""
    given = _metrics(config)
    if not given or any(metrics is None for metrics in given.values()):
        return
    known = {*config.expressions, *(metric for metrics in given.values() for metric in metrics or ())}
    for name, watch in config.watches.items():
        for node, selector in zip(_items(_entry(root, "watches", name), "match"), watch.selectors, strict=False):
            if not any(_fits(selector, metric) for metric in known):
                wanted = next((c.value for c in selector.conditions if c.name == METRIC), selector.text)
                yield (
                    node.place,
                    f"Watch {name!r} matches nothing by {selector.text!r}: no source gives such a metric."
                    f"{nearest(wanted, known)} Known: {', '.join(sorted(known))}.",
                )


def _metrics(config: Config) -> dict[str, Iterable[str] | None]:
    """Which metrics each source gives; None where it is not known beforehand."""
    found: dict[str, Iterable[str] | None] = {}
    for name, source in config.sources.items():
        asked = getattr(source.settings, "metrics", None)
        renamed = any(map(_renames, (*source.relabel, *config.relabel)))
        found[name] = None if asked is None or renamed else asked() if callable(asked) else None
    return found


def _renames(rule: Relabel) -> bool:
    """Whether a metric may have another name after it."""
    return METRIC in (rule.target_label, rule.replacement) or "$" in rule.target_label or rule.action == "labelmap"


def _fits(selector: Selector, metric: str) -> bool:
    return all(c.matches(metric) for c in selector.conditions if c.name == METRIC)


def _names(root: Node, section: str) -> Mapping[str, Node]:
    node = mapping(root, "the configuration").get(section)
    return node.content if node is not None and isinstance(node.content, dict) else {}


def _entry(root: Node, section: str, name: str) -> Node | None:
    return _names(root, section).get(name)


def _items(entry: Node | None, key: str) -> list[Node]:
    """The parts of a key that takes one or many."""
    node = entry.content.get(key) if entry is not None and isinstance(entry.content, dict) else None
    if node is None or node.content is None:
        return []
    return node.content if isinstance(node.content, list) else [node]
