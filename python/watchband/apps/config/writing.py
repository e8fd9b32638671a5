"""YAML for people: keys, short values, and comments where they belong."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping

from watchband.apps.config.document import resolved

WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./()*+=%@~-]*(?::[A-Za-z0-9_./=,-]+)*(?: [A-Za-z0-9_./()*+=%-]+)*")


class Writer:
    """Collects the lines of a file.

    Examples
    --------
    >>> page = Writer()
    >>> page.comment("Who is told.")
    >>> page.pair("sinks", None)
    >>> page.pair("file", {"kind": "jsonl", "match": 'cpu{a="b"}'}, 1)
    >>> print(page.text(), end="")
    # Who is told.
    sinks:
      file: {kind: jsonl, match: 'cpu{a="b"}'}
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def blank(self) -> None:
        """An empty line."""
        self.lines.append("")

    def comment(self, text: str, level: int = 0) -> None:
        """Sentences, broken to fit."""
        indent = "  " * level
        for line in text.split("\n"):
            line = "".join(c if c.isprintable() else "�" for c in line)
            self.lines += textwrap.wrap(line, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")

    def pair(self, key: str, value: object, level: int = 0) -> None:
        """A key and its value: in short form where that fits, else on lines of its own; None: what follows is in it."""
        head = f"{'  ' * level}{scalar(key)}:"
        if value is None:
            self.lines.append(head)
            return
        short = f"{head} {flow(value)}"
        if isinstance(value, Mapping) and value and len(short) > WIDTH:
            self.lines.append(head)
            for name, child in value.items():
                self.pair(str(name), child, level + 1)
        else:
            self.lines.append(short)

    def text(self) -> str:
        """The file."""
        return "\n".join(self.lines) + "\n"


def flow(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: object) -> str:
    """A scalar that is read as itself again; dollars are taken for variables, so write ``$$`` for one.

    Examples
    --------
    >>> scalar("1/week"), scalar("5"), scalar("a: b"), scalar(True), scalar("it's")
    ('1/week', "'5'", "'a: b'", 'true', "'it''s'")
    """
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    if not isinstance(value, str):
        return text
    if not text.isprintable():
        return json.dumps(text)
    if _PLAIN.fullmatch(text) and isinstance(resolved(text), str):
        return text
    return "'" + text.replace("'", "''") + "'"


def undollared(text: str) -> str:
    """A text whose dollars are no variables.

    Examples
    --------
    >>> undollared("a$$b${c} $1")
    'a$$$$b$${c} $1'
    """
    return text.replace("$$", "$$$$").replace("${", "$${")
