"""Names of detectors (and later sources, sinks, stores): a table, and entry points of outside packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from watchband.core import params
from watchband.core.errors import ConfigError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Name → class, imported only when asked for.

    Parameters
    ----------
    kind : str
        The word for messages and configuration: ``"detector"``.
    base : type
        What every registered class must be a subclass of.
    table : mapping of str to str
        Built-in names: ``"ewma": "watchband.detectors.ewma:Ewma"``. A table and not only entry points, because
        zipped bundles often lose package metadata.
    group : str
        Entry-point group in which outside packages register.
    """

    def __init__(self, kind: str, base: type[T], table: Mapping[str, str], group: str) -> None:
        self.kind, self.base, self.table, self.group = kind, base, dict(table), group

    def names(self) -> list[str]:
        """Every known name, built-in and from outside packages, sorted."""
        return sorted({*self.table, *(p.name for p in entry_points(group=self.group))})

    def get(self, name: str) -> type[T]:
        """The class registered under ``name``.

        Raises
        ------
        UnknownNameError
            Nothing has that name; the message lists the nearest and all known ones.
        ConfigError
            An outside package registered something that is not a class of this kind.
        """
        if name in self.table:
            module, _, attribute = self.table[name].partition(":")
            return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
        for point in entry_points(group=self.group):
            if point.name == name:
                found = point.load()
                if not (isinstance(found, type) and issubclass(found, self.base)):
                    raise ConfigError(
                        f"The {self.kind} {name!r} of package {point.dist and point.dist.name!r} is "
                        f"{found!r}, not a subclass of {self.base.__name__}."
                    )
                return found
        raise UnknownNameError(self.kind, name, self.names())

    def build(self, config: Mapping[str, Any]) -> T:
        """An instance from ``{"type": name, **parameters}``."""
        values = dict(config)
        if "type" not in values:
            raise ConfigError(f"A {self.kind} needs a 'type'. Known: {', '.join(self.names())}.")
        return params.build(self.get(str(values.pop("type"))), values)

    def parse(self, text: str) -> T:
        """An instance from the command line's ``NAME`` or ``NAME:key=value,key=value``."""
        name, _, rest = text.partition(":")
        found = self.get(name.strip())
        return params.build(found, params.read_text(found, rest))

    def to_config(self, instance: T) -> dict[str, Any]:
        """The inverse of ``build``."""
        return {"type": type(instance).name, **params.values_of(instance)}  # type: ignore[attr-defined]
