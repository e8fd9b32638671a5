"""The JSON Schema of a configuration, made of the classes that read it: what editors complete and check by."""

from __future__ import annotations

import json
from typing import Any

from watchband.adapters.sources.cloudwatch.settings import Math, Metrics
from watchband.apps.config.archive import ArchiveSettings
from watchband.apps.config.config import DYNAMODB, NAMES
from watchband.apps.config.engine import EngineSettings
from watchband.apps.config.kinds import SINKS, SOURCES, STORES, settings_of
from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.config.risk import RiskSettings
from watchband.apps.config.watches import WatchSettings
from watchband.apps.server.settings import ServerSettings
from watchband.core.kinds import Group, ListOf, MapOf, SecretText
from watchband.core.params import Constraint, Maybe, Text, defaults_of, params_of, written
from watchband.core.registry import Registry
from watchband.core.relabel import Relabel

Schema = dict[str, Any]
VARIABLE: Schema = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"}
DYNAMODB_TEXT: Schema = {"type": "string", "pattern": f"^{DYNAMODB.pattern}$"}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document() -> Schema:
    """The schema of a whole file.

    Examples
    --------
    >>> sorted(document()["properties"])[:4]
    ['engine', 'expressions', 'relabel', 'server']
    """
    text = {"type": ["string", "number"], "description": "Arithmetic over series, such as errors / requests."}
    sections = {
        "sources": _named(_kinds(SOURCES), SOURCES),
        "relabel": _rules("Rules for the series of every source, after the source's own."),
        "expressions": _named(text),
        "watches": _named(_ref("watch")),
        "sinks": _named(_kinds(SINKS), SINKS),
        "risk": {"anyOf": [_ref("risk"), {"type": "null"}]},
        "archive": {"anyOf": [_ref("archive"), {"type": "null"}]},
        "store": {"anyOf": [*(_ref(f"store.{kind}") for kind in STORES.names()), DYNAMODB_TEXT, {"type": "null"}]},
        "server": {"anyOf": [_ref("server"), {"type": "null"}]},
        "engine": {"anyOf": [_ref("engine"), {"type": "null"}]},
    }
    described = {name: {**sections[name], "description": DESCRIPTIONS[name]} for name in sections}
    return {
        "$schema": DIALECT,
        "title": "Watchband",
        "description": "What 'watchband serve' does: sources in, watches that judge, sinks that are told.",
        "type": ["object", "null"],
        "properties": described,
        "additionalProperties": False,
        "$defs": _definitions(),
    }


DESCRIPTIONS = {
    "sources": "Where metrics come from, by name.",
    "relabel": "How series are called, as Prometheus' relabel_configs; which are dropped.",
    "expressions": "Series that are computed of others, by name.",
    "watches": "Which series are judged, how, and who is told, by name.",
    "sinks": "Who is told, by name.",
    "risk": "Which model labels entities, and who is told when one becomes Critical.",
    "store": "Where everything is kept.",
    "archive": "Where what was acknowledged is kept for good, and how often it is brought there.",
    "server": "Where Watchband is spoken to.",
    "engine": "What it may take, and how often it does what.",
}
"""What each section is for."""


def _definitions() -> Schema:
    found = {
        "variable": {**VARIABLE, "description": "Filled in from the environment."},
        "watch": of_class(WatchSettings),
        "relabel": of_class(Relabel),
        "server": of_class(ServerSettings),
        "engine": of_class(EngineSettings),
        "risk": of_class(RiskSettings),
        "archive": of_class(ArchiveSettings),
    }
    rules = {"relabel": _rules("Rules for the series of this source, before those of all.")}
    for registry, prefix, more in ((SOURCES, "source", rules), (SINKS, "sink", {}), (STORES, "store", {})):
        for kind in registry.names():
            optional = prefix == "store" and kind == "sqlite"
            found[f"{prefix}.{kind}"] = of_class(settings_of(registry, kind), kind=kind, more=more, optional=optional)
            # A source or sink that is named after its kind need not say it.
            if prefix != "store":
                found[f"{prefix}.{kind}.named"] = of_class(
                    settings_of(registry, kind), kind=kind, more=more, optional=True
                )
    return found


def of_class(cls: type, *, kind: str = "", more: Schema | None = None, optional: bool = False) -> Schema:
    """The schema of what the file says of one class of settings.

    Parameters
    ----------
    cls : type
        With declared parameters.
    kind : str
        Which ``kind`` it is written under.
    more : mapping
        Further properties that somebody else reads.
    optional : bool
        ``kind`` may be left out.
    """
    defaults = defaults_of(cls)
    properties: Schema = {"kind": {"const": kind}} if kind else {}
    required = ["kind"] if kind and not optional else []
    either: list[Schema] = []
    for name, declared in params_of(cls).items():
        described = declared.doc + (f" Unit: {declared.unit}." if declared.unit else "")
        default = {"default": _json(written(declared.constraint, defaults[name]))} if name in defaults else {}
        properties[name] = {**of_constraint(declared.constraint), **default, "description": described}
        secret = _is_secret(declared.constraint)
        if secret:
            properties[name + "_file"] = {"type": "string", "minLength": 1, "description": f"File of it. {described}"}
            either.append({"not": {"required": [name, name + "_file"]}})
        if name not in defaults and secret:
            either.append({"anyOf": [{"required": [name]}, {"required": [name + "_file"]}]})
        elif name not in defaults:
            required.append(name)
    kinds: Any = "object" if required or either else ["object", "null"]
    found = {"type": kinds, "description": _summary(cls), "properties": properties | (more or {})}
    found["additionalProperties"] = False
    if required:
        found["required"] = required
    if either:
        found["allOf"] = either
    return found


def of_constraint(constraint: Constraint) -> Schema:
    """The schema of one value as the file may have it: a variable of the environment stands for anything."""
    if isinstance(constraint, Maybe):
        return _any(of_constraint(constraint.inner), {"type": "null"})
    if isinstance(constraint, Group):
        return of_class(constraint.cls)
    if isinstance(constraint, MapOf):
        return {**constraint.schema(), "additionalProperties": of_constraint(constraint.inner)}
    if isinstance(constraint, ListOf):
        one = of_constraint(constraint.inner)
        return _any({"type": "array", "items": one, "minItems": constraint.least}, one)
    if isinstance(constraint, SecretText):
        return {"type": ["string", "number", "boolean"], "minLength": 1}
    found = constraint.schema()
    if isinstance(constraint, Text):
        # A word that reads as a number is as good: name: 007.
        return {**found, "type": ["string", "number", "boolean"]}
    return found if found == {"type": "string"} else _any(found, _ref("variable"))


def _any(*schemas: Schema) -> Schema:
    flat = [part for schema in schemas for part in (schema["anyOf"] if set(schema) == {"anyOf"} else [schema])]
    return {"anyOf": flat}


def _is_secret(constraint: Constraint) -> bool:
    return isinstance(constraint.inner if isinstance(constraint, Maybe) else constraint, SecretText)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _kinds(registry: Registry[object]) -> Schema:
    prefix = registry.kind.removeprefix("kind of ")
    return {"oneOf": [_ref(f"{prefix}.{kind}") for kind in registry.names()] or [False]}


def _named(entry: Schema, registry: Registry[object] | None = None) -> Schema:
    found: Schema = {
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^{NAMES}$"},
        "additionalProperties": entry,
    }
    if registry is not None:
        prefix = registry.kind.removeprefix("kind of ")
        found["properties"] = {kind: {"anyOf": [_ref(f"{prefix}.{kind}.named"), entry]} for kind in registry.names()}
    return found


def _rules(doc: str) -> Schema:
    return {"type": ["array", "null"], "items": _ref("relabel"), "description": doc}


def table(cls: type) -> str:
    """The keys of a class of settings as a Markdown table, as the pages have it."""
    defaults = defaults_of(cls)
    lines = ["| key | default | must be | meaning |", "|---|---|---|---|"]
    for name, declared in params_of(cls).items():
        inner = declared.constraint.inner if isinstance(declared.constraint, Maybe) else declared.constraint
        shown = f"`{name}`, `{name}_file`" if isinstance(inner, SecretText) else f"`{name}`"
        unit = "" if not declared.unit or hasattr(inner, "write") else f" ({declared.unit})"
        default = _default(written(declared.constraint, defaults[name])) if name in defaults else "required"
        cells = (shown, default, f"{inner}{unit}", declared.doc)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _default(value: object) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, dict):
        return ", ".join(f"`{key}: {_plain(part)}`" for key, part in value.items())
    return ", ".join(f"`{_plain(part)}`" for part in (value if isinstance(value, tuple) else (value,)))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings_named(name: str) -> type:
    """The class of a section or a kind: ``engine``, ``watch``, ``source_prometheus``."""
    sections: dict[str, type] = {
        "watch": WatchSettings,
        "relabel": Relabel,
        "server": ServerSettings,
        "engine": EngineSettings,
        "risk": RiskSettings,
        "archive": ArchiveSettings,
        "retrain": RetrainSettings,
        "cloudwatch_metrics": Metrics,
        "cloudwatch_expressions": Math,
    }
    prefix, _, kind = name.partition("_")
    kinds = {"source": SOURCES, "sink": SINKS, "store": STORES}
    found: type = sections[name] if name in sections else settings_of(kinds[prefix], kind)
    return found


PAGES = {"files": "sources/growing_files.md", "memory": "", "postgres": "stores/postgres.md", "sqlite": ""}
"""Of kinds whose page is not that of their name, below ``docs``; none for those without."""


def kinds_table(which: str) -> str:
    """Every kind of source, sink or store and what it is."""
    registry = {"sources": SOURCES, "sinks": SINKS, "stores": STORES}[which]
    lines = ["| kind | what it is |", "|---|---|"]
    for kind in registry.names():
        page = PAGES.get(kind, f"{which}/{kind}.md")
        name = f"[`{kind}`]({page})" if page else f"`{kind}`"
        lines.append(f"| {name} | {_summary(settings_of(registry, kind))} |")
    return "\n".join(lines) + "\n"


def _summary(cls: type) -> str:
    return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].replace("``", "`").split())


def text() -> str:
    """The schema as a file: ``docs/watchband.schema.json``."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
