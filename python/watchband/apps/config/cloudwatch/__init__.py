"""Alarms, anomaly detectors and mute rules of CloudWatch as a configuration: what is the same, near, or left out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from watchband.adapters.sources.cloudwatch.inventory import Inventory
from watchband.apps.config.cloudwatch.alarms import Alarmed, alarmed, label_of_metric, same_metric, trained
from watchband.apps.config.cloudwatch.mutes import Mute, mute_of
from watchband.apps.config.cloudwatch.sources import Sources
from watchband.apps.config.vmanomaly.values import Note
from watchband.apps.config.watches import WatchSettings
from watchband.apps.config.writing import Writer
from watchband.core.errors import ConfigError


@dataclass
class Imported:
    """The result.

    Parameters
    ----------
    source : dict
        The one source, as the file has it.
    watches : dict of str to dict
        By name.
    windows : list of Mute
        Of mute rules: windows are made by a running service, not by its file.
    notes : dict of str to list of Note
        By what they are about: the name of a watch, or nothing for the whole.
    """

    source: dict[str, Any] = field(default_factory=dict)
    watches: dict[str, dict[str, Any]] = field(default_factory=dict)
    windows: list[Mute] = field(default_factory=list)
    notes: dict[str, list[Note]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The same for machines; ``windows`` are bodies of ``POST /api/v1/windows``."""
        notes = [
            {"about": about or None, "level": note.level, "said": note.said}
            for about, several in self.notes.items()
            for note in several
        ]
        return {
            "sources": {"aws": self.source} if self.source else {},
            "watches": self.watches,
            "windows": [window.body() for window in self.windows],
            "notes": notes,
        }

    def text(self) -> str:
        """The configuration with its comments."""
        page = Writer()
        page.comment("Imported from CloudWatch by 'watchband import cloudwatch'. Read the comments, then run:")
        page.comment("watchband check watchband.yaml")
        for note in self.notes.get("", []):
            page.comment(note.sentence)
        if self.source:
            page.blank()
            page.pair("sources", None)
            page.pair("aws", None, 1)
            for key, value in self.source.items():
                page.pair(key, value, 2)
        page.blank()
        page.pair("watches", None if self.watches else {})
        for number, (name, watch) in enumerate(self.watches.items()):
            if number:
                page.blank()
            for note in self.notes.get(name, []):
                page.comment(note.sentence, 1)
            page.pair(name, None, 1)
            for key, value in watch.items():
                page.pair(key, value, 2)
        if self.windows:
            page.blank()
            page.comment("Mute rules are windows, which a running service is told:")
            for window in self.windows:
                for line in window.command():
                    page.lines.append(f"# {line}")
        page.blank()
        page.comment("Actions of alarms are not copied. Write here whom Watchband tells.")
        page.comment("sinks:")
        page.comment("  team: {kind: slack, webhook_url_file: /run/secrets/slack}")
        page.blank()
        page.pair("store", {"path": "watchband-data"})
        page.pair("server", {"listen": "127.0.0.1:8470"})
        return page.text()


def imported(inventory: Inventory, now: int) -> Imported:
    """The configuration that an inventory amounts to.

    Parameters
    ----------
    inventory : Inventory
        As the API has it.
    now : int
        What time it is, ns UTC: the next time of a mute rule.
    """
    found, sources = Imported(), Sources(inventory.region)
    for what, why in inventory.missing.items():
        found.notes.setdefault("", []).append(Note("left_out", f"{what} could not be read: {why}"))
    names: dict[str, str] = {}
    selectors: dict[str, str] = {}
    for alarm in inventory.alarms:
        made = alarmed(alarm, inventory.detectors, sources)
        if made.match:
            name = _unused(alarm["AlarmName"], found.watches)
            names[alarm["AlarmName"]] = name
            selectors[alarm["AlarmName"]] = made.match
            _add(found, name, made)
        else:
            for note in made.notes:
                found.notes.setdefault("", []).append(Note("left_out", f"alarm {alarm['AlarmName']!r}: {note.said}"))
    for detector in inventory.detectors:
        if not any(same_metric(detector, alarm) for alarm in inventory.alarms):
            _detector(found, detector, sources)
    for composite in inventory.composites:
        said = f"composite alarm {composite['AlarmName']!r}: {composite.get('AlarmRule', '')[:200]}. "
        said += "Alerts of series that belong together are one incident by themselves."
        found.notes.setdefault("", []).append(Note("left_out", said))
    for rule in inventory.mutes:
        made_of = mute_of(rule, selectors, now)
        if isinstance(made_of, str):
            found.notes.setdefault("", []).append(Note("left_out", f"mute rule {rule.get('Name')!r}: {made_of}"))
        else:
            found.windows += made_of
    found.source = sources.document()
    return found


def _detector(found: Imported, detector: dict[str, Any], sources: Sources) -> None:
    """A detector that no alarm uses: judged, and told to nobody."""
    single = detector.get("SingleMetricAnomalyDetector")
    if single is None or "MetricName" not in single:
        words = json.dumps(detector.get("MetricMathAnomalyDetector", {}), default=str)[:200]
        said = f"anomaly detector of metric math without an alarm: {words}"
        found.notes.setdefault("", []).append(Note("left_out", said))
        return
    made = Alarmed(sources.metric(single, single.get("Stat", "Average"), 300))
    made.keys["detector"] = "auto"
    trained(made, detector)
    made.keys["route"] = []
    made.note("mapped", "no alarm uses this anomaly detector, so nobody is told (route: []).")
    _add(found, _unused(label_of_metric(single), found.watches), made)


def _add(found: Imported, name: str, made: Alarmed) -> None:
    settings: Any = WatchSettings
    keys: dict[str, Any] = {"match": made.match, **made.keys}
    for key in [key for key in keys if key != "match"]:
        value = tuple(keys[key]) if isinstance(keys[key], list) else keys[key]
        try:
            settings(**{key: value})
        except ConfigError:
            made.note("left_out", f"{key}: {keys.pop(key)}, which Watchband does not take.")
    found.watches[name] = keys
    if made.notes:
        found.notes[name] = made.notes


def _unused(text: str, taken: dict[str, Any]) -> str:
    base = "".join(c if c.isalnum() or c in "_-." else "_" for c in text).strip("._-")[:80] or "alarm"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name
