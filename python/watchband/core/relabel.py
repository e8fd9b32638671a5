"""Relabelling as Prometheus has it: what a series is called before anything looks at it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.core.kinds import ListOf
from watchband.core.matcher import METRIC, compiled
from watchband.core.params import Choice, Integer, Text, param
from watchband.core.series import SeriesKey, is_label_name

ACTIONS = (
    "replace",
    "keep",
    "drop",
    "keepequal",
    "dropequal",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
)
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
_PICKS = ("keep", "drop", "labeldrop", "labelkeep", "keepequal", "dropequal")


@dataclass(frozen=True)
class Relabel:
    """One rule of ``relabel``, with the keys and defaults of Prometheus' ``relabel_configs``.

    Examples
    --------
    >>> rule = Relabel(source_labels=("pod",), regex="(.*)-[a-z0-9]+-[a-z0-9]{5}", target_label="workload")
    >>> str(rule.apply(SeriesKey("cpu", {"pod": "api-7d9f-x2k4q"})))
    'cpu{pod="api-7d9f-x2k4q",workload="api"}'
    """

    action: str = param("replace", Choice(ACTIONS), "What the rule does.")
    source_labels: tuple[str, ...] = param((), ListOf(Text("a label")), "Labels whose values are joined and matched.")
    separator: str = param(";", Text(), "Between the joined values.")
    regex: str = param("(.*)", Text("a regular expression, anchored at both ends"), "What is matched.")
    target_label: str = param("", Text("a label"), "Where the result goes.")
    replacement: str = param("$1", Text("a text in which $1 is the first group"), "The result.")
    modulus: int = param(0, Integer(0), "Of `hashmod`.")

    def __post_init__(self) -> None:
        params.check(self)
        _ = self._pattern
        needs_target = self.action in ("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal")
        if needs_target and not self.target_label:
            raise ConfigError(f"The relabel action {self.action!r} needs a 'target_label'.")
        if needs_target and "$" not in self.target_label and not is_label_name(self.target_label):
            raise ConfigError(f"The 'target_label' {self.target_label!r} is no name of a label.")
        if self.action == "hashmod" and not self.modulus:
            raise ConfigError("The relabel action 'hashmod' needs a 'modulus' of 1 or more.")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        try:
            return compiled(self.regex)
        except ConfigError as error:
            raise ConfigError(f"The 'regex' {self.regex!r} {error}") from None

    def apply(self, key: SeriesKey) -> SeriesKey | None:
        """The series by its new name, or None if it is dropped; the metric's name is never dropped as a label."""
        labels = {METRIC: key.metric, **key.labels}
        if self.action in ("labelmap", "labeldrop", "labelkeep"):
            return _series(self._names(labels))
        joined = self.separator.join(labels.get(name, "") for name in self.source_labels)
        if self.action in _PICKS:
            return key if self._picks(joined, labels) else None
        changed = self._value(joined)
        if changed is None:
            return key
        target, value = changed
        if not is_label_name(target):  # Made of a value that fits no name: as if the rule did not match.
            return key
        labels[target] = value
        return _series(labels)

    def _picks(self, joined: str, labels: dict[str, str]) -> bool:
        if self.action in ("keepequal", "dropequal"):
            return (joined == labels.get(self.target_label, "")) == (self.action == "keepequal")
        return (self._pattern.fullmatch(joined) is not None) == (self.action == "keep")

    def _value(self, joined: str) -> tuple[str, str] | None:
        if self.action == "lowercase":
            return self.target_label, joined.lower()
        if self.action == "uppercase":
            return self.target_label, joined.upper()
        if self.action == "hashmod":
            # The last eight bytes of MD5 as a number, as Prometheus does it: shards agree with its own.
            digest = hashlib.md5(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
            return self.target_label, str(int.from_bytes(digest[8:]) % self.modulus)
        match = self._pattern.fullmatch(joined)
        return None if match is None else (_filled(self.target_label, match), _filled(self.replacement, match))

    def _names(self, labels: dict[str, str]) -> dict[str, str]:
        matches = {name: self._pattern.fullmatch(name) for name in labels}
        if self.action == "labelmap":
            renamed = {_filled(self.replacement, m): labels[name] for name, m in matches.items() if m}
            return labels | {name: value for name, value in renamed.items() if is_label_name(name)}
        keep = self.action == "labelkeep"
        return {name: labels[name] for name, m in matches.items() if name == METRIC or (m is not None) == keep}


def relabelled(key: SeriesKey, rules: Sequence[Relabel]) -> SeriesKey | None:
    """A series after every rule, in order; None as soon as one drops it."""
    found: SeriesKey | None = key
    for rule in rules:
        if found is None:
            return None
        found = rule.apply(found)
    return found


def _filled(template: str, match: re.Match[str]) -> str:
    def value(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        number = name.isdecimal() and name.isascii() and len(name) < 6
        try:
            return match[int(name) if number else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(value, template)


def _series(labels: dict[str, str]) -> SeriesKey | None:
    kept = {name: value for name, value in labels.items() if value}
    metric = kept.pop(METRIC, "")
    return SeriesKey(metric, kept) if metric else None
