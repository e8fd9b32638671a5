"""YAML text as a tree that knows where everything stands; variables of the environment filled in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.reader import ReaderError

from watchband.core.errors import ConfigError

BYTES_MAX = 2 << 20
NODES_MAX = 200_000
DEPTH_MAX = 40

_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|(.|$))", re.DOTALL)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_REAL = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9]*|(?=[eE]))|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value for value, text in ((True, "true"), (False, "false")) for word in (text, text.title(), text.upper())
}
_MERGE = "<<"
_PLAIN: Any = yaml.resolver.Resolver()
_TAGS = "tag:yaml.org,2002:"
_SHOWN = 60
"""Characters of a value that a message shows."""
_DIGITS = 19
"""Of a whole number; what is longer is a text, which no parameter takes for a number."""
FILES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: ``watchband.yaml:12:5``; relative paths there begin at ``base``."""

    file: str
    line: int
    column: int
    base: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Content: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the document.

    Parameters
    ----------
    content : dict of Node, list of Node, or a scalar
        What it is.
    place : Place
        Where it begins.
    keys : mapping of str to Place
        Where each key of a mapping stands.
    filled : bool
        Part of a scalar came from the environment; messages do not print it.
    text : str
        Of a scalar, the characters as they are: a password ``1e5`` is no number.
    """

    content: Content
    place: Place
    keys: Mapping[str, Place]
    filled: bool = False
    text: str = ""

    def plain(self) -> object:
        """The same without places."""
        if isinstance(self.content, dict):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.plain() for node in self.content]
        return self.content

    def shown(self) -> str:
        """For messages: what stands there, unless it came from the environment."""
        if self.filled:
            return "a text from the environment"
        if isinstance(self.content, dict):
            return "a mapping with the keys " + short(", ".join(map(repr, self.content)) or "(none)")
        if isinstance(self.content, list):
            return f"a list of {len(self.content)}"
        return "nothing" if self.content is None else short(repr(self.content))


def short(text: str) -> str:
    """The beginning of a text that may be long, for messages."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


class DocumentError(ConfigError):
    """A mistake at a place of the configuration: ``FILE:LINE:COLUMN: what is wrong``."""

    def __init__(self, place: Place, message: str) -> None:
        self.place, self.message = place, message
        super().__init__(f"{place}: {message}")


def read_document(
    path: str | os.PathLike[str], environment: Mapping[str, str] | None = None, base: str | None = None
) -> Node:
    """The tree of a file, or of all ``*.yaml`` and ``*.yml`` of a directory joined by name.

    Parameters
    ----------
    path : path
        A YAML file or a directory of them (not searched deeper; hidden files are left out).
    environment : mapping, default ``os.environ``
        What ``${NAME}`` and ``${NAME:-default}`` are filled from; ``$$`` is one dollar sign.
    base : str, optional
        Where relative paths begin; where the file stands, if it is not said.

    Raises
    ------
    DocumentError
        A mistake with its place.
    ConfigError
        Nothing to read there.
    """
    variables = os.environ if environment is None else environment
    found = Path(path)
    try:
        if not found.is_dir():
            return parse_document(_text(found), str(found), variables, base)
        files = sorted(p for p in found.iterdir() if p.suffix in (".yaml", ".yml") and not p.name.startswith("."))
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"The configuration {found} cannot be read: {why}.") from None
    if not 0 < len(files) <= FILES_MAX:
        holds = f"{len(files)} *.yaml files, more than {FILES_MAX}" if files else "no *.yaml file"
        raise ConfigError(
            f"The directory {found} holds {holds}. 'watchband init {found / 'watchband.yaml'}' writes one."
        )
    return joined([parse_document(_text(p), str(p), variables, base) for p in files])


def parse_document(text: str, file: str, environment: Mapping[str, str], base: str | None = None) -> Node:
    """The tree of a text; an empty one is an empty mapping.

    Raises
    ------
    DocumentError
        No YAML, or none that a configuration may be; with its place. No text raises anything else.
    """
    try:
        # Not the loader in C: 200,000 open brackets end the process there.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise DocumentError(place, f"This is not YAML: {what}.{_hint(text, place)}") from None
    except ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise DocumentError(
            place, f"This is not YAML: {error.reason}. Write it as an escape in double quotes."
        ) from None
    except RecursionError:
        raise DocumentError(Place(file, 1, 1), f"The configuration has more than {DEPTH_MAX} levels.") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise DocumentError(Place(file, 1, 1), f"This is not YAML: {short(str(error))}.") from None
    if root is None:
        return Node({}, Place(file, 1, 1, _base(file, base)), {})
    return _Reader(file, environment, _base(file, base)).node(root, 0)


def _base(file: str, given: str | None) -> str:
    return str(Path(file).parent) if given is None else given


def joined(documents: Sequence[Node]) -> Node:
    """Documents of a directory as one: sections are joined, a name that stands twice is refused."""
    content: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for document in documents:
        for key, node in _mapping(document).items():
            here = document.keys[key]
            if key not in content:
                content[key], keys[key] = node, here
                continue
            before = content[key]
            if not (isinstance(before.content, dict) and isinstance(node.content, dict)):
                raise DocumentError(here, f"{key!r} is already given at {keys[key]}. Keep one of them.")
            for name in node.content:
                if name in before.content:
                    raise DocumentError(
                        node.keys[name], f"{name!r} of {key!r} is already given at {before.keys[name]}. Rename one."
                    )
            content[key] = Node(before.content | node.content, before.place, {**before.keys, **node.keys})
    return Node(content, documents[0].place, keys)


def _mapping(document: Node) -> dict[str, Node]:
    if document.content is None:
        return {}
    if not isinstance(document.content, dict):
        raise DocumentError(document.place, f"Expected a mapping such as 'watches: …'. Got {document.shown()}.")
    return document.content


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {error.strerror}. 'watchband init {path}' writes a first one."
        ) from None
    if len(data) > BYTES_MAX:
        raise ConfigError(f"The configuration {path} is larger than {BYTES_MAX >> 20} MiB. Is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(Place(str(path), line, 1), "This is not UTF-8 text. Save it as UTF-8.") from None


def _hint(text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    if "${" in line:
        return " Within { } and [ ], write '${NAME}' in quotes."
    return " Indent with spaces, not with tabs." if line.startswith("\t") or "\t" in line[: place.column] else ""


class _Reader:
    """Turns composed nodes into the tree; counts them, since aliases can make a small text large."""

    def __init__(self, file: str, environment: Mapping[str, str], base: str) -> None:
        self.file, self.environment, self.base, self.nodes = file, environment, base, 0

    def place(self, node: yaml.Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1, self.base)

    def node(self, node: yaml.Node, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > NODES_MAX or depth > DEPTH_MAX:
            raise DocumentError(
                self.place(node), f"The configuration has more than {NODES_MAX:,} parts or {DEPTH_MAX} levels."
            )
        kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if not isinstance(node, yaml.ScalarNode) and node.tag != _TAGS + kind:
            raise DocumentError(self.place(node), f"The tag {short(node.tag)!r} means nothing here. Leave it out.")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.node(child, depth + 1) for child in node.value], self.place(node), {})
        assert isinstance(node, yaml.ScalarNode)
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, depth: int) -> Node:
        content: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            place = self.place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError(place, "A key is a word, not a list or a mapping.")
            if key_node.value == _MERGE and key_node.style is None:
                merged += self.merges(value_node, depth)
                continue
            if key_node.value in content:
                raise DocumentError(
                    place, f"{short(key_node.value)!r} is already given at {keys[key_node.value]}. Keep one."
                )
            content[key_node.value], keys[key_node.value] = self.node(value_node, depth + 1), place
        for other in merged:
            assert isinstance(other.content, dict)
            content = {**other.content, **content}
            keys = {**other.keys, **keys}
        return Node(content, self.place(node), keys)

    def merges(self, node: yaml.Node, depth: int) -> Iterator[Node]:
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            read = self.node(part, depth + 1)
            if not isinstance(read.content, dict):
                raise DocumentError(read.place, "'<<' takes a mapping, or a list of them.")
            yield read

    def scalar(self, node: yaml.ScalarNode) -> Node:
        place = self.place(node)
        text = _VARIABLE.sub(lambda match: self.variable(match, place), node.value) if "$" in node.value else node.value
        if not node.tag.startswith(_TAGS):
            raise DocumentError(place, f"The tag {short(node.tag)!r} means nothing here. Leave it out.")
        # A plain word that has the tag of a text although it reads as something else was told so: !!str 5.
        told = node.tag == _TAGS + "str" != _PLAIN.resolve(yaml.ScalarNode, node.value, (True, False))
        quoted = bool(node.style) or told
        return Node(text if quoted else resolved(text), place, {}, filled=text != node.value, text=text)

    def variable(self, match: re.Match[str], place: Place) -> str:
        dollar, name, has_default, default, other = match.groups()
        if dollar:
            return "$"
        if other is not None:
            # A lone dollar is what regular expressions and Prometheus' $1 look like.
            return match.group()
        value = self.environment.get(name)
        if value or (value is not None and not has_default):
            return value
        if has_default:
            return default or ""
        raise DocumentError(
            place, f"The environment has no variable {name}. Set it, or write ${{{name}:-DEFAULT}} for a default."
        )


def resolved(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2: ``no`` and ``12:30`` are texts, not false and 750.

    Examples
    --------
    >>> [resolved(t) for t in ("5", "1e3", "true", "no", "12:30", "~", "5m")]
    [5, 1000.0, True, 'no', '12:30', None, '5m']
    """
    if text in _WORDS:
        return _WORDS[text]  # type: ignore[return-value]
    if _INTEGER.fullmatch(text):
        digits = text.replace("_", "")
        return int(digits) if len(digits.lstrip("+-")) <= _DIGITS else text
    if len(text) <= _SHOWN and _REAL.fullmatch(text):
        return float(text.replace("_", ""))
    return text
