"""Reads a container file: stages and their steps. What it does not know is an error, so that no step is passed over."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = (
    "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One instruction: its word, ``--flags`` and what follows them."""

    word: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """What follows, as a list: JSON's where it is written so, else as a shell splits it."""
        return [str(w) for w in json.loads(self.text)] if self.text.startswith("[") else shlex.split(self.text)


@dataclass
class Stage:
    """What is built from one image."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> Step | None:
        """The last instruction of a word, which is the one that counts."""
        return next((step for step in reversed(self.steps) if step.word == word), None)


def parse(text: str) -> list[Stage]:
    """The stages of a container file.

    Raises
    ------
    ValueError
        An instruction that is not known, or one before the first ``FROM``.
    """
    stages: list[Stage] = []
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        word, rest = word.upper(), re.sub(r"\s+", " ", rest) if word.upper() == "FROM" else rest.strip()
        if word == "FROM":
            found = re.fullmatch(r"(\S+)(?: AS (\S+))?", rest, re.IGNORECASE)
            if found is None:
                raise ValueError(f"FROM {rest!r} cannot be read.")
            stages.append(Stage(found[1], found[2] or str(len(stages))))
            continue
        if word not in KNOWN or not stages:
            raise ValueError(f"{word!r} is not known here, or stands before the first FROM.")
        flags, rest = _flags(rest)
        if word == "HEALTHCHECK":
            rest = rest.removeprefix("CMD").strip()
        stages[-1].steps.append(Step(word, flags, rest))
    return stages


def _flags(text: str) -> tuple[dict[str, str], str]:
    flags = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s*", text):
        flags[found[1]] = found[2]
        text = text[found.end() :]
    return flags, text


def left_in(ignore: str, path: str) -> bool:
    """Whether a ``.dockerignore`` of plain paths leaves a path in the context: the last line about it counts."""
    stays = True
    for line in ignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        name = pattern.removeprefix("!")
        if name == "*" or path == name or path.startswith(f"{name}/") or Path(path).match(name.removeprefix("**/")):
            stays = pattern.startswith("!")
    return stays
