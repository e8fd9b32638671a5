"""What ``watchband risk`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.analysis.risk.naming import STATES
from watchband.analysis.risk.outlook import Skill
from watchband.apps.cli.terminal import put
from watchband.apps.library.risk.call import Risked

WIDTH_MAX = 118
ENTITIES_MAX = 12
GLYPHS = dict(zip((risk.title for risk in STATES), "○●▲◆", strict=True))


def show(
    risked: Risked,
    document: Mapping[str, Any],
    out: Path | None = None,
    save: Path | None = None,
    console: Console | None = None,
) -> None:
    """Print the states, where entities spent their time, the evidence and what was written."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [_head(risked, document), Text(), _states(document), Text()]
    parts += [_entities(document), Text(), *_evidence(risked)]
    parts += [Text(f"Note: {note}.") for note in risked.notes]
    if out is not None:
        parts.append(Text(f"Wrote {out}/: model.json, labels.csv, summary.json" + (", pictures" * bool(risked.fitted))))
    if save is not None:
        parts.append(Text(f"Wrote {save}: a service labels with it, see 'risk' in docs/configuration.md"))
    put(parts, console, width)


def _head(risked: Risked, document: Mapping[str, Any]) -> RenderableType:
    line = Text(risked.title, style="bold")
    line.append(
        f"  {document['rows']:,} rows of {len(document['entities']):,} entities, {len(document['features'])} metrics",
        "not bold",
    )
    return line


def _states(document: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    total = max(document["rows"], 1)
    for state, count in document["counts"].items():
        words = document["model"]["words"].get(state, "too many of its metrics are missing.")
        share = 100 * count / total
        said = "0 %" if not count else f"{share:.1f} %" if share >= 0.1 else "< 0.1 %"
        table.add_row(Text(f"{GLYPHS.get(state, '?')} {state}", "bold"), f"{count:,}", said, words)
    return table


def _entities(document: Mapping[str, Any]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("Share of time", "bold"), *(Text(risk.title) for risk in STATES))
    every = document["entities"]
    worst = sorted(every, key=lambda name: [-every[name][risk.title] for risk in reversed(STATES)])
    for name in worst[:ENTITIES_MAX]:
        counts = every[name]
        total = max(sum(counts.values()), 1)
        shares = [f"{100 * counts[risk.title] / total:.1f} %" if counts[risk.title] else "·" for risk in STATES]
        table.add_row(name, *shares)
    if len(every) > ENTITIES_MAX:
        table.add_row(f"and {len(every) - ENTITIES_MAX} more")
    return table


def _evidence(risked: Risked) -> list[RenderableType]:
    labeller = risked.labeller
    said = labeller.profile["skill"]
    nan = float("nan")
    skill = Skill(
        said["rows"],
        said["hits"],
        *(nan if said[n] is None else said[n] for n in ("brier", "persistence", "climatology")),
    )
    lines: list[RenderableType] = [Text("Evidence", "bold")]
    if risked.fitted is None:
        return [*lines, Padding(Text(skill.sentence(labeller.horizon)), (0, 0, 0, 2)), Text()]
    groups = risked.fitted.groups
    stability = groups.stability
    table = Table.grid(padding=(0, 2))
    table.add_row("method", "groups", "silhouette", "Davies-Bouldin", "agrees (ARI)")
    for one in groups.compared:
        name = f"{one.method}{' (used)' if one.method == groups.method else ''}"
        table.add_row(
            name, str(one.groups), f"{one.silhouette:.2f}", f"{one.davies_bouldin:.2f}", f"{one.agreement:.2f}"
        )
    counted = groups.counted
    told = (
        f"{len(groups.centres)} groups; the elbow is at {counted.elbow}, the best Davies-Bouldin index at "
        f"{counted.best}; other rows of the same fleet give the same groups by {stability.mean:.2f} "
        f"({stability.low:.2f} to {stability.high:.2f}, adjusted Rand index)."
    )
    return [
        *lines,
        Padding(table, (0, 0, 0, 2)),
        Padding(Text(told), (0, 0, 0, 2)),
        Padding(Text(skill.sentence(labeller.horizon)), (0, 0, 0, 2)),
        Text(),
    ]
