"""What ``watchband profile`` prints for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.analysis.profile.profile import Profile, Sketch
from watchband.apps.cli.terminal import FAULT, put
from watchband.apps.library.profiling import sentences
from watchband.apps.library.profiling.result import Profiles
from watchband.core import wording

WIDTH_MAX = 110
PAIRS_MAX = 5
EIGHTHS = "▁▂▃▄▅▆▇█"
MINI = 8
WIDE = 100


def show(found: Profiles, top: int, out: Path | None = None, console: Console | None = None) -> None:
    """Print the verdict, one series in full or several as a table, who moves with whom, and what to do next."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [_head(found), Text()]
    if len(found.series) == 1:
        parts += _one(found.series[0], found.timezone, width)
    else:
        parts += [*_several(found, top, width), Text(), *_together(found)]
    parts += [Text("What to do next", style="bold")]
    for advice in found.advice:
        parts.append(Text(f"  {advice.command}"))
        parts.append(Padding(Text(advice.why, style="dim"), (0, 0, 0, 4)))
    problems = [Text(f"left out: {p}", style=FAULT) for p in found.problems[:5]]
    if len(found.problems) > 5:
        problems.append(Text(f"and {len(found.problems) - 5} more left out; --json lists all", style="dim"))
    parts += [*([Text()] * bool(problems)), *problems]
    if out is not None:
        parts += [Text(), Text(f"Wrote {out}/: profile.html, profile.json")]
    put(parts, console, width)


def _head(found: Profiles) -> Text:
    line = Text(f"{'●' if found.faulty else '○'} ", style=FAULT if found.faulty else "color(67)")
    line.append(found.headline, style="bold")
    line.append(
        f"  {found.title}: {found.rows:,} readings in {sentences.counted(len(found.series), 'series', 'series')}"
    )
    return line


def _one(p: Profile, zone: str, width: int) -> list[RenderableType]:
    spacing, values, metric = p.spacing, p.values, p.key.metric
    every = f"every {wording.duration(spacing.interval)}" if spacing.even else "at no interval"
    lines: list[RenderableType] = [
        Text.assemble((str(p.key), "bold"), f"  {wording.moment(spacing.first, zone)} to "
                      f"{wording.moment(spacing.last, zone)}, {wording.duration(spacing.span)}, {every}"),
        Text(bars(p.sketch, min(width, 96)), style="color(67)"),
    ]  # fmt: skip
    lines += [Text(f"• {sentences.finding(f, p, zone)}", style=FAULT if f in p.faults else "") for f in p.findings]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    if values.count:
        texts, sign = wording.quantities(metric, [values.low, values.high, values.median], 4)
        grid.add_row(
            "values",
            f"{wording.span(texts[0], texts[1], sign)}, half below {wording.with_unit(texts[2], sign)}; "
            f"{sentences.KINDS[values.kind]}",
        )
    for season in p.seasons.tried:
        if season.there or season.name in ("day", "week"):
            grid.add_row(sentences.period(season) if season.name != "found" else "period", sentences.season(season))
    if p.course is not None:
        grid.add_row("level", sentences.course(p.course, metric, zone))
    for use in p.uses:
        grid.add_row(sentences.answer(use), f"{sentences.USES[use.name]}: {sentences.use(use)}")
    return [*lines, Text(), grid, Text()]


def _several(found: Profiles, top: int, width: int) -> list[RenderableType]:
    wide = width >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Worst first", no_wrap=True, overflow="ellipsis", min_width=16)
    names = (("", 0), ("readings", 1), ("span", 1), ("every", 1), ("missing", 1), ("season", 0))
    for name, right in names if wide else names[1:3]:
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("first to know", no_wrap=True)
    for p in found.series[:top]:
        lost = max((p.values.missing + p.values.infinite) / max(p.looked, 1), p.spacing.absent_share)
        known = ", ".join(sentences.SHORT[f.kind] for f in p.findings[:2]) or "–"
        cells: list[RenderableType] = [f"{p.rows:,}", wording.duration(p.spacing.span)]
        if wide:
            every = wording.duration(p.spacing.interval) if p.spacing.even else "none"
            cells = [Text(bars(p.sketch, MINI), style="color(67)"), *cells, every]
            cells += [sentences.percent(lost), sentences.strongest(p, 1)]
        table.add_row(str(p.key), *cells, Text(known, style=FAULT if p.faults else "dim"))
    more = len(found.series) - top
    told = f"and {more:,} more; --top shows more, --json and --out have all" if more > 0 else ""
    return [table, *([Text(told, style="dim")] if told else [])]


def _together(found: Profiles) -> list[RenderableType]:
    if found.together is None or not found.together.pairs:
        return []
    grid = Table.grid(padding=(0, 2))
    for p in found.together.pairs[:PAIRS_MAX]:
        low, high = (f"{v:+.2f}".replace("-", wording.MINUS) for v in (p.low, p.high))
        grid.add_row(f"{p.rest:+.2f}".replace("-", wording.MINUS), f"({low} to {high})", f"{p.one} with {p.other}")
    return [Text("Who moves with whom, without their common day", style="bold"), Padding(grid, (0, 0, 0, 2)), Text()]


def bars(sketch: Sketch | None, width: int) -> str:
    """The middle of each stretch of time as one of eight heights; a blank where nothing came."""
    if sketch is None:
        return ""
    middle = (sketch.low + sketch.high) / 2
    known = middle[np.isfinite(middle)]
    low, high = float(known.min()), float(known.max())
    parts = np.array_split(middle, min(width, len(middle)))
    heights = []
    for part in parts:
        part = part[np.isfinite(part)]
        if not len(part):
            heights.append(" ")
            continue
        share = (float(part.mean()) - low) / (high - low) if high > low else 0.0
        heights.append(EIGHTHS[min(7, int(8 * share))])
    return "".join(heights)
