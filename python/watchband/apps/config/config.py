"""The whole configuration: read from a file or a directory, checked as one, with a hash of what it says."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from watchband.apps.config.archive import ArchiveSettings
from watchband.apps.config.build import build, mapping, sentence, unknown
from watchband.apps.config.checks import doubts, mistakes
from watchband.apps.config.document import DocumentError, Node, Place, parse_document, read_document
from watchband.apps.config.engine import EngineSettings
from watchband.apps.config.given import Given, given_of
from watchband.apps.config.kinds import SINKS, SOURCES, STORES, settings_of
from watchband.apps.config.risk import WATCH, RiskSettings
from watchband.apps.config.watches import WatchSettings
from watchband.apps.server.settings import ServerSettings
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.expression import parse_expression
from watchband.core.params import params_of, written
from watchband.core.registry import Registry
from watchband.core.relabel import Relabel
from watchband.core.secret import Secret

if TYPE_CHECKING:
    from watchband.core.ports import SinkSettings, SourceSettings, StoreSettings
    from watchband.pipeline.bound import Bound

T = TypeVar("T")
DYNAMODB = re.compile(r"dynamodb://([a-z0-9-]*)/([A-Za-z0-9_.-]+)")
"""A store in one word: region, or none, and table."""
SECTIONS = ("sources", "relabel", "expressions", "watches", "sinks", "risk", "store", "archive", "server", "engine")
NAMES = r"[A-Za-z0-9_](?:[A-Za-z0-9_ .:/-]{0,98}[A-Za-z0-9_])?"
PROBLEMS_MAX = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, or worth a second look, and where it stands."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigProblems(ConfigError):
    """Everything that is wrong with a configuration, one line each: ``problems``."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        lines = "\n".join(map(str, problems))
        super().__init__(lines if len(problems) == 1 else f"the configuration has {len(problems)} mistakes:\n{lines}")


@dataclass(frozen=True)
class Named:
    """A source by name: its settings, and its own rules of relabelling, which come before those of all sources."""

    name: str
    settings: SourceSettings
    relabel: tuple[Relabel, ...] = ()

    @property
    def pushed(self) -> bool:
        """Whether the server hands its points over, instead of its being read."""
        return bool(getattr(self.settings, "pushed", False))


@dataclass(frozen=True)
class Config:
    """What ``watchband serve`` does.

    Parameters
    ----------
    path : str
        Where it was read.
    sources, expressions, watches, sinks : mapping by name
        As the file has them, in its order.
    relabel : tuple of Relabel
        Rules for the series of every source, after the source's own.
    store, server, engine, risk, archive
        The sections that exist once.
    hash : str
        16 hexadecimal digits of everything it says but secrets: comments, order of keys and spelling do not count.
    warnings : tuple of Problem
        What is allowed and probably not meant.
    places : mapping of (section, name) to Place
        Where each thing stands.
    given : mapping of path to Given
        Every key that stands there itself; the others have their defaults.
    """

    path: str
    sources: Mapping[str, Named]
    relabel: tuple[Relabel, ...]
    expressions: Mapping[str, str]
    watches: Mapping[str, WatchSettings]
    sinks: Mapping[str, SinkSettings]
    store: StoreSettings
    server: ServerSettings
    engine: EngineSettings
    risk: RiskSettings = field(default_factory=RiskSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    hash: str = ""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict, compare=False, repr=False)
    given: Mapping[tuple[str, ...], Given] = field(default_factory=dict, compare=False, repr=False)

    def bounds(self) -> list[Bound]:
        """Every watch with its series and sinks, as a runner takes them."""
        return [watch.bound(name) for name, watch in self.watches.items()]

    def fingerprints(self) -> dict[str, str]:
        """Of every watch: equal where its state may go on."""
        return {bound.name: bound.fingerprint for bound in self.bounds()}


def read_config(
    path: str | os.PathLike[str], environment: Mapping[str, str] | None = None, *, base: str | None = None
) -> Config:
    """The configuration of a file, or of all ``*.yaml`` of a directory.

    Relative paths begin at ``base``, which is where the file stands if it is not given.

    Raises
    ------
    ConfigProblems
        Every mistake with file, line and column.
    ConfigError
        There is nothing to read.
    """
    return _assembled(lambda: read_document(path, environment, base), str(path))


def read_text(text: str, name: str, environment: Mapping[str, str] | None = None, *, base: str | None = None) -> Config:
    """The configuration of a text; ``name`` stands for the file in messages.

    Raises
    ------
    ConfigProblems
        Every mistake with line and column.

    Examples
    --------
    >>> list(read_text("watches: {web: {match: cpu}}", "text").watches)
    ['web']
    """
    variables = os.environ if environment is None else environment
    return _assembled(lambda: parse_document(text, name, variables, base), name)


def read_server(path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> ServerSettings:
    """The section ``server`` alone: a mistake elsewhere does not hide where a service listens that still runs.

    Raises
    ------
    ConfigProblems
        The file is no YAML, or the section has mistakes.
    ConfigError
        There is nothing to read.
    """

    def read(document: Node) -> ServerSettings:
        assembly = _Assembly(document, str(path))
        found = assembly.once("server", ServerSettings)
        if assembly.problems:
            raise ConfigProblems(tuple(assembly.problems))
        return found

    try:
        return read(read_document(path, environment))
    except DocumentError as error:
        raise ConfigProblems((Problem(error.place, error.message),)) from None


def _assembled(read: Callable[[], Node], path: str) -> Config:
    try:
        return _Assembly(read(), path).config()
    except DocumentError as error:
        raise ConfigProblems((Problem(error.place, error.message),)) from None


class _Assembly:
    """Reads section by section; goes on after a mistake, so that all are told at once."""

    def __init__(self, document: Node, path: str) -> None:
        self.root, self.path = document, path
        self.sections = mapping(document, "the configuration")
        self.problems: list[Problem] = []
        self.places: dict[tuple[str, str], Place] = {}

    def config(self) -> Config:
        for key in self.sections:
            if key not in SECTIONS:
                self.tell(unknown(self.root.keys[key], "section", key, SECTIONS))
        relabel = self.relabel(self.sections.get("relabel"), "relabel")
        risk = self.once("risk", RiskSettings)
        alerts = {WATCH: risk.watch} if risk.model is not None else {}
        found = Config(
            path=self.path,
            sources=self.named("sources", "source", self.source),
            relabel=relabel,
            expressions=self.named("expressions", "expression", self.expression),
            watches={**alerts, **self.named("watches", "watch", self.watch)},
            sinks=self.named("sinks", "sink", lambda name, node: self.kind(SINKS, "sink", name, node)),
            store=self.store(),
            server=self.once("server", ServerSettings),
            engine=self.once("engine", EngineSettings),
            risk=risk,
            archive=self.once("archive", ArchiveSettings),
            places=self.places,
            given=given_of(self.root),
        )
        for error in mistakes(found, self.root):
            self.tell(error)
        if self.problems:
            raise ConfigProblems(tuple(sorted(self.problems, key=_order)[:PROBLEMS_MAX]))
        warnings = sorted((Problem(place, message) for place, message in doubts(found, self.root)), key=_order)
        return replace(found, hash=hash_of(found), warnings=tuple(warnings))

    def tell(self, error: DocumentError) -> None:
        self.problems.append(Problem(error.place, error.message))

    def named(self, section: str, what: str, read: Callable[[str, Node], T]) -> dict[str, T]:
        node = self.sections.get(section)
        if node is None:
            return {}
        try:
            entries = mapping(node, f"Section {section!r}")
        except DocumentError as error:
            self.tell(error)
            return {}
        found: dict[str, T] = {}
        for name, entry in entries.items():
            place = node.keys[name]
            self.places[section, name] = place
            try:
                if re.fullmatch(NAMES, name) is None:
                    raise DocumentError(
                        place,
                        f"{name!r} is no name of a {what}: up to 100 letters, digits and any of _ - . : / and space "
                        "between them.",
                    )
                found[name] = read(name, entry)
            except DocumentError as error:
                self.tell(error)
        return found

    def once(self, section: str, cls: type[T]) -> T:
        node = self.sections.get(section)
        if node is None:
            node = Node({}, self.root.place, {})
        try:
            return build(cls, node, f"section {section!r}")
        except DocumentError as error:
            self.tell(error)
            return cls()

    def store(self) -> Any:
        node = self.sections.get("store") or Node({}, self.root.place, {})
        if isinstance(node.content, str) and (short := DYNAMODB.fullmatch(node.content)):
            words = {"kind": "dynamodb", "region": short[1], "table": short[2]}
            found = {name: replace(node, content=word, text=word) for name, word in words.items() if word}
            node = Node(found, node.place, dict.fromkeys(found, node.place), node.filled)
        try:
            return self.kind(STORES, "store", "sqlite", node)
        except DocumentError as error:
            self.tell(error)
            return settings_of(STORES, "memory")()

    def kind(self, registry: Registry[object], what: str, name: str, node: Node, leave: tuple[str, ...] = ()) -> Any:
        """Settings of a kind; without one, the name is the kind."""
        called = "the store" if what == "store" else f"{what} {name!r}"
        content = mapping(node, sentence(called))
        given = content.get("kind")
        kind = name if given is None else given.content
        place = node.place if given is None else given.place
        if not isinstance(kind, str):
            raise DocumentError(place, f"'kind' of {called} is a word. Known: {', '.join(registry.names())}.")
        # The table first: asking every installed package takes a while.
        if given is None and kind not in registry.table and kind not in registry.names():
            raise DocumentError(place, f"{sentence(called)} needs a 'kind'. Known: {', '.join(registry.names())}.")
        try:
            cls = settings_of(registry, kind)
        except UnknownNameError:
            raise unknown(place, f"kind of {what}", kind, registry.names()) from None
        except ConfigError as error:
            raise DocumentError(place, str(error)) from None
        return build(cls, node, called, leave=("kind", *leave))

    def source(self, name: str, node: Node) -> Named:
        settings = self.kind(SOURCES, "source", name, node, ("relabel",))
        own = self.relabel(mapping(node, "source").get("relabel"), f"'relabel' of source {name!r}")
        return Named(name, settings, own)

    def relabel(self, node: Node | None, what: str) -> tuple[Relabel, ...]:
        if node is None or node.content is None:
            return ()
        if not isinstance(node.content, list):
            self.tell(DocumentError(node.place, f"{sentence(what)} is a list of rules. Got {node.shown()}."))
            return ()
        rules = []
        for number, entry in enumerate(node.content, 1):
            try:
                rules.append(build(Relabel, entry, f"rule {number} of {what}"))
            except DocumentError as error:
                self.tell(error)
        return tuple(rules)

    def expression(self, name: str, node: Node) -> str:
        if not isinstance(node.content, str):
            raise DocumentError(
                node.place, f"Expression {name!r} is a text such as errors / requests. Got {node.shown()}."
            )
        try:
            parse_expression(node.content)
        except ConfigError as error:
            raise DocumentError(node.place, f"Expression {name!r}: {error}") from None
        return node.content

    def watch(self, name: str, node: Node) -> WatchSettings:
        return build(WatchSettings, node, f"watch {name!r}")


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.place.file, problem.place.line, problem.place.column


def plain(value: object, secret: Callable[[Secret], str] = repr) -> Any:
    """Settings as people write them: durations as ``5m``; a secret says only that it is one, or its file.

    Examples
    --------
    >>> plain(EngineSettings())["idle"], plain(Secret("hunter2"))
    ('2w', 'Secret((secret))')
    """
    if isinstance(value, Secret):
        return secret(value)
    if isinstance(value, Mapping):
        return {str(key): plain(child, secret) for key, child in value.items()}
    if isinstance(value, tuple | list):
        return [plain(child, secret) for child in value]
    if not dataclasses.is_dataclass(value):
        return value
    kind = getattr(value, "kind", None)
    said = {} if kind is None else {"kind": kind}
    declared = params_of(type(value))
    for field_ in dataclasses.fields(value):
        found = getattr(value, field_.name)
        if field_.name in declared:
            found = written(declared[field_.name].constraint, found)
        said[field_.name] = plain(found, secret)
    return said


_OF_THIS_PROCESS = os.urandom(16)


def identity_of(value: object) -> str:
    """Equal, within this process, for settings that say the same, secrets included; nothing shows of those.

    Examples
    --------
    >>> identity_of(Secret("a")) == identity_of(Secret("a")), identity_of(Secret("a")) == identity_of(Secret("b"))
    (True, False)
    """
    return _digest(plain(value, lambda found: found.file or "=" + found.reveal()), _OF_THIS_PROCESS)


def hash_of(config: Config) -> str:
    """16 hexadecimal digits of all sections, without secrets; the same in every process."""
    return _digest({section: plain(getattr(config, section)) for section in SECTIONS}, b"")


def _digest(value: object, key: bytes) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8, key=key).hexdigest()
