"""The configuration that runs: every value with where it comes from, and what became of the last reload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from watchband.apps.config.config import SECTIONS, Config, Named, plain
from watchband.apps.config.writing import flow
from watchband.apps.service.status import instant
from watchband.core.secret import HIDDEN, Secret

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

DEFAULT = "default"
FILLED = "(from the environment)"
VALUE_MAX = 1000
ROWS_MAX = 20_000


def config_document(service: Service) -> dict[str, Any]:
    """The configuration, section by section. Secrets and what came from the environment are not in it."""
    config, reloader = service.config, service.reloader
    left = ROWS_MAX
    sections = []
    for section in SECTIONS:
        entries = []
        for path, value in _entries(config, section):
            rows = list(_rows(config, path, value))[:left]
            left -= len(rows)
            at = config.given.get(path)
            place = str(at.place) if at else None
            entries.append({"name": path[1] if len(path) > 1 else None, "from": place, "values": rows})
        sections.append({"name": section, "entries": entries, "waits": section in service.restart_needed})
    return {
        "path": config.path,
        "hash": config.hash or None,
        "loaded": instant(reloader.success),
        "reloads": reloader.done,
        "failed_reloads": reloader.failed,
        "last_error": reloader.error or None,
        "restart_needed": service.restart_needed,
        "warnings": [{"from": str(w.place), "message": w.message} for w in config.warnings],
        "sections": sections,
    }


def _entries(config: Config, section: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Parts of a section that stand under a name of their own, by their paths."""
    found = getattr(config, section)
    if section in ("relabel", "expressions") or not isinstance(found, Mapping):
        yield (section,), _said(found)
        return
    for name, value in found.items():
        said = _said(value.settings if isinstance(value, Named) else value)
        if isinstance(value, Named) and value.relabel:
            said["relabel"] = _said(value.relabel)
        yield (section, name), said


def _said(value: object) -> Any:
    return plain(value, _hidden)


def _hidden(secret: Secret) -> str:
    return f"(secret in {secret.file})" if secret.file else HIDDEN


def _rows(config: Config, path: tuple[str, ...], value: Any, key: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(value, Mapping) and (value or not key):
        for name, child in value.items():
            yield from _rows(config, (*path, name), child, f"{key}.{name}" if key else name)
        return
    if isinstance(value, list) and not key:
        for number, child in enumerate(value, 1):
            yield _row(config, path, flow(child), str(number))
        return
    yield _row(config, path, value if value is None or isinstance(value, str) else flow(value), key)


def _row(config: Config, path: tuple[str, ...], text: str | None, key: str) -> dict[str, Any]:
    came, filled = _came(config, path)
    if filled:
        text = FILLED
    elif text is not None and len(text) > VALUE_MAX:
        text = text[:VALUE_MAX] + "…"
    return {"key": key, "value": text, "from": came}


def _came(config: Config, path: tuple[str, ...]) -> tuple[str, bool]:
    """Where a value comes from, and whether some of it is of the environment."""
    exact = config.given.get(path) or config.given.get((*path[:-1], path[-1] + "_file"))
    if exact is not None:
        return str(exact.place), exact.filled
    for length in range(len(path) - 1, 0, -1):
        above = config.given.get(path[:length])
        if above is not None and above.whole:
            return str(above.place), above.filled
    if path[-1] == "kind" and len(path) == 3 and path[:2] in config.given:
        # Without a kind, the name is the kind.
        return str(config.given[path[:2]].place), False
    return DEFAULT, False
