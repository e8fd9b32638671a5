"""Names of series: from columns, labels, parts and file names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.locate import Found
from watchband.adapters.sources.files.roles import VALUE_NAMES, Roles
from watchband.adapters.sources.files.scan import Group, Scan
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey

_BAD_LABEL = re.compile(r'[\s={},"\\]')


def keys_of(found: Found, roles: Roles, scanned: Scan, hints: Hints) -> list[SeriesKey]:
    """The series of one file: group after group, part after part, column after column."""
    keys = []
    for group, number in scanned.groups.items():
        parts = scanned.parts.get(number, 0)
        for part in range(1, parts + 1) if parts else [0]:
            for column in roles.values:
                key = key_of(group, column, found, roles, hints)
                keys.append(SeriesKey(key.metric, {**key.labels, "part": str(part)}) if part else key)
    counts = Counter(keys)
    if any(count > 1 for count in counts.values()):  # two columns that come to the same name
        width = len(roles.values)
        keys = [with_label(key, "column", roles.values[k % width]) for k, key in enumerate(keys)]
        if hints.metric and len(set(keys)) < len(keys):
            named = f"column {roles.name!r}" if roles.name else "the series themselves"
            raise ConfigError(
                f"{found.name} has several metrics, named by {named}: --metric {hints.metric!r} cannot name them all. "
                "Leave it out."
            )
        counts = Counter(keys)
        keys = [key if counts[key] == 1 else with_label(key, "group", str(k)) for k, key in enumerate(keys, 1)]
    return keys


def key_of(group: Group, column: str, found: Found, roles: Roles, hints: Hints) -> SeriesKey:
    """The series of one value column for one combination of labels."""
    given, cells = group
    if given is not None:
        return SeriesKey(hints.metric, dict(given.labels)) if hints.metric else given
    labels = dict(zip(_label_names(roles.labels), cells[len(cells) - len(roles.labels) :], strict=True))
    plain = len(roles.values) == 1 and column.strip().casefold() in VALUE_NAMES
    if roles.name is not None and (text := cells[0].strip()):
        key = _parsed(text)
        metric = hints.metric or (key.metric if len(roles.values) == 1 else f"{key.metric}_{column}")
        return SeriesKey(metric, {**key.labels, **labels})
    return SeriesKey(hints.metric or (found.stem if plain else column.strip()), labels)


def _label_names(columns: list[str]) -> list[str]:
    """Column names as labels may be called, still different from each other."""
    names: list[str] = []
    for column in columns:
        name = _BAD_LABEL.sub("_", column) or "label"
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return names


def _parsed(text: str) -> SeriesKey:
    """``cpu{host="a"}`` as a key; anything else is a metric name as it stands."""
    if "{" in text:
        try:
            return SeriesKey.parse(text)
        except ConfigError:
            return SeriesKey(text)
    return SeriesKey(text)


def with_label(key: SeriesKey, label: str, value: str) -> SeriesKey:
    """The series with one more label, which gets another name if it has one of that name."""
    while label in key.labels:
        label = "source_" + label
    return SeriesKey(key.metric, {**key.labels, label: value})


def tell_apart(files: Sequence[tuple[Found, list[SeriesKey]]]) -> list[list[SeriesKey]]:
    """Keys of all files, with ``file="stem"`` on every series of files that share a key with another.

    Files of one group are one file here.
    """
    groups: dict[object, tuple[Found, dict[SeriesKey, int]]] = {}
    whose = [found.group or number for number, (found, _) in enumerate(files)]
    for one, (found, keys) in zip(whose, files, strict=True):
        groups.setdefault(one, (found, {}))[1].update(dict.fromkeys(keys, 0))
    told = _told_apart([(found, list(keys)) for found, keys in groups.values()])
    names = {one: dict(zip(groups[one][1], keys, strict=True)) for one, keys in zip(groups, told, strict=True)}
    return [[names[one][key] for key in keys] for one, (_, keys) in zip(whose, files, strict=True)]


def _told_apart(files: Sequence[tuple[Found, list[SeriesKey]]]) -> list[list[SeriesKey]]:
    counts = Counter(key for _, keys in files for key in keys)
    shared = [index for index, (_, keys) in enumerate(files) if any(counts[key] > 1 for key in keys)]
    names = dict(zip(shared, _short_names([files[index][0] for index in shared]), strict=True))
    return [
        [with_label(key, "file", names[index]) for key in keys] if index in names else keys
        for index, (_, keys) in enumerate(files)
    ]


def _short_names(found: list[Found]) -> list[str]:
    """Stems, with as many folders before them as it takes to differ; then a number."""
    for depth in range(4):
        names = ["/".join([*f.path.parent.parts[len(f.path.parent.parts) - depth :], f.stem]) for f in found]
        if len(set(names)) == len(names):
            return names
    return [f"{f.stem} {number}" for number, f in enumerate(found, 1)]
