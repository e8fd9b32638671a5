"""Instances of declared classes from the tree: every key is a parameter, every mistake has its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from watchband.apps.config.document import DocumentError, Node, Place, short
from watchband.core.errors import LISTED_MAX, ConfigError, MissingExtraError
from watchband.core.kinds import FilePath, Group, ListOf, MapOf, SecretText
from watchband.core.params import Constraint, Maybe, Text, defaults_of, params_of
from watchband.core.secret import Secret

T = TypeVar("T")
_COMPARED = 100
"""Characters of a name that are compared with the known ones."""
_FILE = "_file"
_FLAG = re.compile(r"(?<!\w)--([a-z][a-z-]+)")


def mapping(node: Node, what: str) -> dict[str, Node]:
    """The keys of a mapping; an empty place is one without any.

    Raises
    ------
    DocumentError
        It is something else.
    """
    if node.content is None:
        return {}
    if not isinstance(node.content, dict):
        raise DocumentError(node.place, f"{what} is a mapping of names. Got {node.shown()}.")
    return node.content


def unknown(place: Place, what: str, name: str, known: Iterable[str]) -> DocumentError:
    """The error for a name that nothing has: nearest and known ones."""
    names = sorted(known)
    more = len(names) - LISTED_MAX
    listed = ", ".join(names[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")
    return DocumentError(place, f"Unknown {what} {short(name)!r}.{nearest(name, names)} Known: {listed or 'none'}.")


def nearest(name: str, known: Iterable[str]) -> str:
    """A question after the nearest name, with a space before it; empty where none is near."""
    near = difflib.get_close_matches(name[:_COMPARED], sorted(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def build(cls: type[T], node: Node, what: str, *, leave: Iterable[str] = ()) -> T:
    """An instance of a dataclass whose parameters are declared.

    Parameters
    ----------
    cls : type
        With ``param`` fields.
    node : Node
        A mapping of parameters.
    what : str
        For messages: ``source 'prom'``.
    leave : names, default none
        Keys that somebody else reads.

    Raises
    ------
    DocumentError
        An unknown key, a value outside its constraint, or what the class itself refuses.
    """
    content, left = mapping(node, sentence(what)), set(leave)
    declared = params_of(cls)
    secrets = {name for name, p in declared.items() if _is_secret(p.constraint)}
    known = {*declared, *(name + _FILE for name in secrets), *left}
    values: dict[str, Any] = {}
    for key, child in content.items():
        if key in left:
            continue
        if key not in known:
            raise unknown(node.keys[key], f"key of {what}", key, known)
        name = key.removesuffix(_FILE) if key not in declared else key
        if name in values:
            raise DocumentError(node.keys[key], f"{name!r} and {name + _FILE!r} exclude each other. Give one of them.")
        values[name] = _secret_file(child, key) if name != key else value_of(child, declared[key].constraint, key, what)
    defaults = defaults_of(cls)
    for name, parameter in declared.items():
        if name not in values and name not in defaults:
            raise DocumentError(node.place, f"{sentence(what)} needs {name!r}: {parameter.constraint}. {parameter.doc}")
        if isinstance(parameter.constraint, FilePath) and isinstance(defaults.get(name), str):
            values.setdefault(name, _beside(node.place, defaults[name]))
    try:
        return cls(**values)
    except DocumentError:
        raise
    except MissingExtraError as error:
        raise DocumentError(node.place, f"{sentence(what)}: {error}") from None
    except ConfigError as error:
        raise _placed(error, node, content) from None


def _placed(error: ConfigError, node: Node, content: dict[str, Node]) -> DocumentError:
    """What the class says of a parameter, at the place where that stands and by the name that it has there."""
    message = _hidden(str(error), node)
    for fits in (_names, _quotes):
        for key, child in _parts(content):
            if fits(message, key, child):
                return DocumentError(child.place, _FLAG.sub(lambda m: m[1].replace("-", "_"), message))
    return DocumentError(node.place, message)


def _parts(content: dict[str, Node]) -> Iterator[tuple[str, Node]]:
    """Every key with its value; of a list each part, and then the whole."""
    for key, child in content.items():
        if isinstance(child.content, list):
            yield from ((f"{key}[]", part) for part in child.content)
        yield key, child


def _names(message: str, key: str, child: Node) -> bool:
    """Whether a message names a key, as it is or as a flag, or shows its value."""
    return (
        "--" + key.replace("_", "-") in message
        or repr(key) in message
        or (isinstance(child.content, str) and repr(child.content) in message)
    )


def _quotes(message: str, key: str, child: Node) -> bool:
    """Whether a message shows a part of a value: 'alpha' of ewma:alpha=7, or budget:never of budget: never."""
    parts = {f"{key}:{child.text}", *re.split(r"[:=,/]", child.text)}
    return bool(child.text) and any(repr(part) in message for part in parts if len(part) > 1)


def _hidden(message: str, node: Node) -> str:
    """The message without anything that came from the environment."""
    for text in sorted(filled_texts(node), key=len, reverse=True):
        message = message.replace(text, "(from the environment)")
    return message


def filled_texts(node: Node) -> Iterable[str]:
    """Every text beneath that came from the environment, which nobody wants in a message."""
    if isinstance(node.content, dict | list):
        for child in node.content.values() if isinstance(node.content, dict) else node.content:
            yield from filled_texts(child)
    elif node.filled and len(node.text) > 2:
        yield node.text


def value_of(node: Node, constraint: Constraint, key: str, what: str) -> Any:
    """The value of one parameter.

    Raises
    ------
    DocumentError
        Not what the constraint allows.
    """
    try:
        value = _plain(node, constraint, key, what)
    except DocumentError:
        raise
    except ConfigError as error:
        raise DocumentError(node.place, f"{key!r} of {what}: {_hidden(str(error), node)}") from None
    except (ValueError, OverflowError):
        value = _NOTHING
    if value is _NOTHING or not constraint.allows(value):
        raise DocumentError(node.place, f"{key!r} of {what} must be {constraint}. Got {node.shown()}.")
    return value


_NOTHING = object()


def _plain(node: Node, constraint: Constraint, key: str, what: str) -> Any:
    content = node.content
    inner = constraint.inner if isinstance(constraint, Maybe) else constraint
    if isinstance(inner, SecretText):
        return _secret(node)
    if content is None:
        return None
    if isinstance(inner, Group):
        return build(inner.cls, node, f"{key!r} of {what}")
    if isinstance(inner, MapOf):
        if not isinstance(content, dict):
            return _NOTHING
        for name in content:
            if re.fullmatch(inner.names, name) is None:
                raise DocumentError(node.keys[name], f"{short(name)!r} is no name in {key!r} of {what}: {inner.named}.")
        return {k: value_of(v, inner.inner, k, f"{key!r} of {what}") for k, v in content.items()}
    if isinstance(content, dict):
        return _NOTHING
    if isinstance(content, list):
        one = inner.inner if isinstance(inner, ListOf) else None
        return tuple(value_of(child, one, key, what) if one else child.content for child in content)
    if isinstance(inner, ListOf):
        return (_plain(node, inner.inner, key, what),)
    if isinstance(inner, FilePath) and isinstance(content, str) and inner.allows(content):
        return _beside(node.place, content)
    if hasattr(inner, "write"):
        # Kept in other units than written: 5 is no duration, though 5 nanoseconds would be.
        return inner.read(node.text)
    if constraint.allows(content) or (isinstance(content, bool | float) and not isinstance(inner, Text)):
        return content
    # A word that stands for a value (5m, 3/5), or a number where a text is meant.
    return inner.read(node.text)


def _secret(node: Node) -> object:
    """A secret; that it is missing must not pass for that none is wanted."""
    if isinstance(node.content, dict | list):
        return _NOTHING
    if node.text:
        return Secret(node.text)
    where = "The environment's variable for it is empty." if node.filled else "Leave the key out, or give a secret."
    raise ConfigError(f"it is empty. {where}")


def _secret_file(node: Node, key: str) -> Secret:
    if not isinstance(node.content, str) or not node.content:
        raise DocumentError(node.place, f"{key!r} must be the path of a file. Got {node.shown()}.")
    return Secret(file=_beside(node.place, node.content))


def _beside(place: Place, path: str) -> str:
    """A relative path begins where the configuration stands: the same for every working directory."""
    return str(Path(place.base) / Path(path).expanduser())


def sentence(text: str) -> str:
    """The same with a capital letter first."""
    return text[:1].upper() + text[1:]


def _is_secret(constraint: Constraint) -> bool:
    return isinstance(constraint.inner if isinstance(constraint, Maybe) else constraint, SecretText)
