"""A vmanomaly configuration as a Watchband one: what can be said the same way, what comes near, what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from watchband.apps.config.vmanomaly.models import Judged, judged
from watchband.apps.config.vmanomaly.reader import Query, Read, read_reader
from watchband.apps.config.vmanomaly.values import Note, as_list, as_mapping, seconds
from watchband.apps.config.watches import WatchSettings
from watchband.apps.config.writing import Writer
from watchband.core.errors import ConfigError

BYTES_MAX = 2 << 20
_SECTIONS = {
    "writer": "Results are not written back to a database: Prometheus scrapes them from /metrics.",
    "monitoring": "Watchband's own metrics are at /metrics of its server.",
    "settings": "Workers and restored state need no settings: state is always kept, threads are one a processor.",
    "preset": "A preset has no models of its own in the file. Write out what it stands for and import that.",
    "server": "Watchband's server has a section of its own.",
    "license": "None is needed.",
}


@dataclass
class Imported:
    """The result: watches and sources as a configuration would have them, and what is to be said of them.

    Parameters
    ----------
    sources, watches : dict
        By name, as in the file.
    notes : dict of str to list of Note
        By what they are about: ``sources.NAME``, ``watches.NAME``, ``""`` for the whole file.
    """

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    watches: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)

    def note(self, about: str, level: Literal["mapped", "approximated", "left_out"], said: str) -> None:
        """Remember something for the comments."""
        self.notes.setdefault(about, []).append(Note(level, said))

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        notes = [
            {"about": about or None, "level": note.level, "said": note.said}
            for about, several in self.notes.items()
            for note in several
        ]
        return {"sources": self.sources, "watches": self.watches, "notes": notes}

    def text(self, names: Sequence[str]) -> str:
        """The configuration with its comments; ``names`` are those of the files it was made of."""
        page = Writer()
        page.comment(f"Imported from {', '.join(names)} by 'watchband config import'. Read the comments, then run:")
        page.comment("watchband check watchband.yaml")
        for note in self.notes.get("", []):
            page.comment(note.sentence)
        for section, entries in (("sources", self.sources), ("watches", self.watches)):
            page.blank()
            page.pair(section, None)
            for number, (name, entry) in enumerate(entries.items()):
                if number:
                    page.blank()
                for note in self.notes.get(f"{section}.{name}", []):
                    page.comment(note.sentence, 1)
                page.pair(name, None, 1)
                for key, value in entry.items():
                    page.pair(key, value, 2)
        page.blank()
        page.comment("vmanomaly tells nobody: vmalert did, by rules on anomaly_score. Write here whom Watchband tells.")
        page.comment("sinks:")
        page.comment("  team: {kind: slack, webhook_url_file: /run/secrets/slack}")
        page.blank()
        page.pair("store", {"path": "watchband-data"})
        page.pair("server", {"listen": "127.0.0.1:8470"})
        return page.text()


def import_texts(texts: Iterable[tuple[str, str]]) -> Imported:
    """The import of one or more files, which vmanomaly takes as one.

    Parameters
    ----------
    texts : iterable of (name, text)
        YAML.

    Raises
    ------
    ConfigError
        No YAML, or nothing of vmanomaly in it.
    """
    merged: dict[str, Any] = {}
    for name, text in texts:
        merged.update(_parsed(name, text))
    found = Imported()
    for section, why in _SECTIONS.items():
        if section in merged:
            found.note("", "left_out", f"{section!r}: {why}")
    schedulers = as_mapping(merged.get("schedulers")) or {"default_scheduler": as_mapping(merged.get("scheduler"))}
    models = as_mapping(merged.get("models")) or {"default_model": as_mapping(merged.get("model"))}
    models = {str(name): as_mapping(model) for name, model in models.items() if as_mapping(model)}
    if not models and not as_mapping(merged.get("reader")):
        raise ConfigError("There is neither a 'reader' nor any 'models' in it: this is no vmanomaly configuration.")
    every, window = _timing(schedulers, found)
    read = read_reader(as_mapping(merged.get("reader")), every, window)
    for about, note in read.notes:
        found.notes.setdefault(about, []).append(note)
    found.sources = read.sources
    for name, model in models.items():
        _model(name, model, read, window, found)
    return found


def _parsed(name: str, text: str) -> dict[str, Any]:
    if len(text) > BYTES_MAX:
        raise ConfigError(f"{name} is larger than {BYTES_MAX >> 20} MiB. Is it the right file?")
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, TypeError) as error:
        raise ConfigError(f"{name} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name} is no vmanomaly configuration: expected a mapping with 'reader' and 'models'.")
    return {str(key): value for key, value in found.items()}


def _timing(schedulers: Mapping[str, Any], found: Imported) -> tuple[float | None, float | None]:
    """The shortest ``infer_every`` and the longest ``fit_window``, in seconds."""
    every, window = [], []
    for name, one in schedulers.items():
        scheduler = as_mapping(one)
        kind = str(scheduler.get("class", "periodic")).split(".")[-1].removesuffix("Scheduler").lower()
        if kind not in ("periodic", ""):
            found.note("", "left_out", f"scheduler {name!r} ({kind}): use 'watchband backtest' for the past.")
            continue
        every.append(seconds(scheduler.get("infer_every")))
        window.append(seconds(scheduler.get("fit_window")))
        if scheduler.get("fit_every"):
            found.note(
                "",
                "approximated",
                f"scheduler {name!r}: nothing is fitted every {scheduler['fit_every']}; models learn from every point "
                "as it comes.",
            )
        if scheduler.get("start_from"):
            found.note("", "left_out", f"scheduler {name!r}: start_from; Watchband starts at once.")
    known = [value for value in every if value]
    longest = [value for value in window if value]
    return min(known, default=None), max(longest, default=None)


def _model(name: str, model: Mapping[str, Any], read: Read, window: float | None, found: Imported) -> None:
    """One watch of a model, or several where its queries differ in what is their own."""
    asked = [str(query) for query in as_list(model.get("queries"))] or list(read.queries)
    unknown = [query for query in asked if query not in read.queries]
    queries = [read.queries[query] for query in asked if query in read.queries]
    groups: dict[tuple[Any, ...], list[Query]] = {}
    for query in queries:
        groups.setdefault((query.range, query.timezone, query.step, repr(query.policy)), []).append(query)
    base = re.sub(r"[^A-Za-z0-9_.-]", "_", name).strip(".-")[:80] or "model"
    for members in groups.values():
        watch = base if len(groups) == 1 else f"{base}_{members[0].name}"[:99]
        made = judged(model, members[0], window)
        _add(watch, members, made, unknown, found)
    if not groups:
        found.note("", "left_out", f"model {name!r}: none of its queries is in the reader.")


def _add(name: str, queries: Sequence[Query], made: Judged, unknown: Sequence[str], found: Imported) -> None:
    while name in found.watches:
        name += "_2"
    names = [query.name for query in queries]
    keys = {"match": names[0] if len(names) == 1 else names, **made.keys}
    about = f"watches.{name}"
    for key in _refused(keys):
        found.note(about, "left_out", f"{key}: {keys.pop(key)}, which Watchband does not take.")
    found.watches[name] = keys
    for note in made.notes:
        found.notes.setdefault(about, []).append(note)
    for query in unknown:
        found.note(about, "left_out", f"query {query!r} is not in the reader.")


_settings: Any = WatchSettings


def _refused(keys: Mapping[str, Any]) -> list[str]:
    """Keys whose values a watch does not take: a time zone that nobody knows, say."""
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()}
    refused: list[str] = []
    for key in [k for k in plain if k != "match"]:
        try:
            _settings(**{key: plain[key]})
        except ConfigError:
            refused.append(key)
    return refused
