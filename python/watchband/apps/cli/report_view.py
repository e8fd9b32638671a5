"""What ``watchband report`` prints for people: the short form of the page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from watchband.apps.cli.terminal import FAULT, put
from watchband.apps.library.story import sentences
from watchband.apps.library.story.call import Story

WIDTH_MAX = 110


def show(story: Story, out: Path | None, console: Console | None = None) -> None:
    """Print the verdict and the answer to each question."""
    console = console or Console(highlight=False, soft_wrap=False)
    parts: list[RenderableType] = [Text(f"◆ {sentences.headline(story)}", style="bold"), Text()]
    questions = (
        ("Asked", sentences.asked(story)),
        ("Data", sentences.data(story)),
        ("Tried", sentences.tried(story)),
        ("Won", sentences.won(story)),
        ("Cost in alerts", sentences.cost(story)),
        ("Misses", sentences.misses(story)),
        ("How sure", sentences.sure(story)),
    )
    for title, told in questions:
        parts += [Text(title, style="bold"), *[Padding(Text(line), (0, 0, 0, 2)) for line in told]]
    parts.append(Text("What to do", style="bold"))
    for says, command in sentences.steps(story):
        parts.append(Padding(Text(says), (0, 0, 0, 2)))
        if command:
            parts.append(Padding(Text(f"$ {command}", style="dim"), (0, 0, 0, 4)))
    parts += [Text(problem, style=FAULT) for problem in story.left]
    if out is not None:
        parts += [Text(), Text(f"Wrote {out}")]
    put(parts, console, min(console.width, WIDTH_MAX))
