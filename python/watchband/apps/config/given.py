"""What a configuration says itself, key by key, and where: whatever it does not say has its default."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.apps.config.document import Node, Place

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """One key that is given.

    Parameters
    ----------
    place : Place
        Where the key stands.
    whole : bool
        Its value is no mapping: nothing beneath it has a place of its own.
    filled : bool
        Some of the value came from the environment, so nobody is shown it.
    """

    place: Place
    whole: bool
    filled: bool


def given_of(node: Node, path: Path = ()) -> dict[Path, Given]:
    """Every key of a tree by its path.

    Examples
    --------
    >>> from watchband.apps.config.document import parse_document
    >>> found = given_of(parse_document("server: {listen: '${HOST}:80'}", "w.yaml", {"HOST": "::1"}))
    >>> str(found["server", "listen"].place), found["server", "listen"].filled, found["server",].whole
    ('w.yaml:1:10', True, False)
    """
    found: dict[Path, Given] = {}
    if isinstance(node.content, dict):
        for key, child in node.content.items():
            whole = not isinstance(child.content, dict)
            found[*path, key] = Given(node.keys[key], whole, whole and _filled(child))
            found |= given_of(child, (*path, key))
    return found


def _filled(node: Node) -> bool:
    if isinstance(node.content, dict):
        return any(map(_filled, node.content.values()))
    return any(map(_filled, node.content)) if isinstance(node.content, list) else node.filled
