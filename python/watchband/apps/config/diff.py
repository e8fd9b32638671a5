"""Two configurations side by side: what a reload changes, and which watches go on with what they know."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from watchband.apps.config.config import SECTIONS, Config, identity_of, plain
from watchband.apps.config.watches import WatchSettings
from watchband.core.errors import ConfigError

What = Literal["new", "gone", "changed"]
State = Literal["kept", "anew", "dropped", ""]
RESTART = ("store", "archive", "server", "engine")
"""Sections that a running service does not exchange."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key with what it was and is, as people write it; None where it was not there or is at its default."""

    key: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one entry of a section.

    Parameters
    ----------
    section, name : str
        Where it stands; ``name`` is empty for a section that exists once.
    what : str
        ``new``, ``gone`` or ``changed``.
    keys : tuple of KeyChange
        Which keys are other ones.
    state : str
        Of a watch: its state is ``kept``, it begins ``anew`` or is ``dropped``.
    because : tuple of str
        Of a watch that begins anew: the keys for which it does.
    effect : str
        What follows, in a sentence.
    """

    section: str
    name: str
    what: What
    keys: tuple[KeyChange, ...] = ()
    state: State = ""
    because: tuple[str, ...] = ()
    effect: str = ""


def differences(old: Config, new: Config) -> list[Change]:
    """Every difference, section by section, in the order of the new configuration."""
    found: list[Change] = []
    for section in SECTIONS:
        before, after = getattr(old, section), getattr(new, section)
        if isinstance(after, Mapping):
            found += _entries(section, before, after)
        elif identity_of(before) != identity_of(after):
            keys = _rules(before, after) if section == "relabel" else _keys(before, after)
            found.append(Change(section, "", "changed", keys, effect=_EFFECTS[section]))
    return found


_EFFECTS = {
    "relabel": "From now on series get the new names; one that is called otherwise begins anew.",
    "risk": "From now on entities are labelled by it; states begin anew, what was judged stays.",
    "store": "Takes a restart; what is kept elsewhere is not moved.",
    "archive": "Takes a restart; what is archived stays where it is.",
    "server": "Takes a restart.",
    "engine": "Takes a restart.",
}


def _entries(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    read = _watch if section == "watches" else _ENTRY[section]
    return [
        *(read(name, old.get(name), value) for name, value in new.items() if _differ(old, name, value)),
        *(read(name, value, None) for name, value in old.items() if name not in new),
    ]


def _differ(old: Mapping[str, Any], name: str, value: object) -> bool:
    return name not in old or identity_of(old[name]) != identity_of(value)


def _what(old: object, new: object) -> What:
    return "new" if old is None else "gone" if new is None else "changed"


def _source(name: str, old: Any, new: Any) -> Change:
    what = _what(old, new)
    keys = _keys(old.settings, new.settings) if what == "changed" else ()
    relabel = _rules(old.relabel, new.relabel) if what == "changed" else ()
    if what == "gone":
        effect = "Nothing comes from it any more; what it gave is kept."
    elif what == "new":
        effect = "It is read from the beginning: its past is judged and told to nobody."
    elif keys:
        effect = "It is opened anew and goes on where it was."
    else:
        effect = "It is not interrupted. " + _EFFECTS["relabel"]
    return Change("sources", name, what, keys + relabel, effect=effect)


def _sink(name: str, old: Any, new: Any) -> Change:
    what = _what(old, new)
    keys = _keys(old, new) if what == "changed" else ()
    effects = {
        "gone": "What it was still to be told is told to nobody.",
        "new": "It is told what happens from now on.",
        "changed": "It is opened anew; what waits for it is told.",
    }
    return Change("sinks", name, what, keys, effect=effects[what])


def _expression(name: str, old: Any, new: Any) -> Change:
    what = _what(old, new)
    keys = (KeyChange(name, old, new),) if what == "changed" else ()
    effects = {
        "gone": "Its series get no more values.",
        "new": "Its series begin with the next readings.",
        "changed": "Its series go on with other values; watches of them keep what they learned of the old ones.",
    }
    return Change("expressions", name, what, keys, effect=effects[what])


_ENTRY: Mapping[str, Callable[[str, Any, Any], Change]] = {
    "sources": _source,
    "sinks": _sink,
    "expressions": _expression,
}


def _watch(name: str, old: WatchSettings | None, new: WatchSettings | None) -> Change:
    if new is None:
        return Change(
            "watches",
            name,
            "gone",
            state="dropped",
            effect="Its state is dropped; what it has open is closed, and that is told.",
        )
    if old is None:
        return Change("watches", name, "new", state="anew", effect="It judges all that is kept and tells nobody of it.")
    keys = _keys(old, new)
    if _fingerprint(old) == _fingerprint(new):
        return Change("watches", name, "changed", keys, "kept", effect="It goes on with all it knows.")
    because = tuple(change.key for change in keys if _shapes(old, new, change.key))
    # Keys that only shape together, say a detector and a parameter of it.
    because = because or tuple(change.key for change in keys)
    effect = "It begins anew: judges all that is kept, untold; an alert it no longer knows of is closed."
    return Change("watches", name, "changed", keys, "anew", because, effect)


def _fingerprint(watch: WatchSettings) -> str:
    return watch.bound("watch").fingerprint


def _shapes(old: WatchSettings, new: WatchSettings, key: str) -> bool:
    """Whether this key alone makes another watch of it."""
    try:
        return _fingerprint(dataclasses.replace(old, **{key: getattr(new, key)})) != _fingerprint(old)
    except ConfigError:
        return True


def _keys(old: object, new: object) -> tuple[KeyChange, ...]:
    before, after = plain(old), plain(new)
    # A secret shows nothing of itself, so whether it is another one is asked of its identity.
    return tuple(
        KeyChange(key, before.get(key), after.get(key))
        for key in dict.fromkeys((*after, *before))
        if identity_of(getattr(old, key, None)) != identity_of(getattr(new, key, None))
    )


def _rules(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[KeyChange, ...]:
    if identity_of(old) == identity_of(new):
        return ()
    return (KeyChange("relabel", plain(old), plain(new)),)


def document(old: Config, new: Config) -> dict[str, Any]:
    """The same for machines."""
    return {
        "old": {"path": old.path, "hash": old.hash},
        "new": {"path": new.path, "hash": new.hash},
        "restart_needed": [change.section for change in differences(old, new) if change.section in RESTART],
        "changes": [
            {
                "section": change.section,
                "name": change.name or None,
                "what": change.what,
                "keys": {k.key: {"old": k.old, "new": k.new} for k in change.keys},
                "state": change.state or None,
                "because": list(change.because),
                "effect": change.effect,
            }
            for change in differences(old, new)
        ],
    }
