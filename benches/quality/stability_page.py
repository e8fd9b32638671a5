"""The record of the stability report, its page and its picture."""

from __future__ import annotations

import datetime
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benches.quality import page
from benches.quality.run import ONE_IN, WEEK
from benches.quality.tables import number, spread, table

PAGE = page.ROOT / "docs" / "stability.md"
RECORD = page.ROOT / "docs" / "stability.json"
PICTURE = "stability_{}.png"
MARK = re.compile(r"(<!-- stability (\w+)(?: (\w+))? -->\n).*?(<!-- /stability -->)", re.DOTALL)
VIEWS = {"simulated": "simulated worlds", "metric": "metrics of services", "nab": "Numenta's files"}
F1 = tuple(f"F1 1/{b:,}" for b in ONE_IN)
ALERTS = tuple(f"alerts a week 1/{b:,}" for b in ONE_IN)
SHOWN = (*F1, "VUS-PR", *ALERTS)
OFFICIAL = "NAB standard"


def mean(figures: Mapping[str, Sequence[float]], figure: str) -> float:
    """Of a figure over the families that there are; the benchmark's score is its own."""
    if figure == OFFICIAL:
        return float(figures[OFFICIAL][0])
    values = [figures[f"{view} {figure}"][0] for view in VIEWS if f"{view} {figure}" in figures]
    return float(sum(values) / len(values))


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The figures that a run has."""
    return [*SHOWN, *([OFFICIAL] if OFFICIAL in rows[0]["figures"] else [])]


def released(rows: Sequence[Mapping[str, Any]]) -> str:
    """The figures as released, by family, with intervals."""
    first = rows[0]["figures"]
    made = []
    for view, title in VIEWS.items():
        if f"{view} {F1[0]}" in first:
            cells = [spread(first[f"{view} {f}"], 2 if f in ALERTS else 3) for f in SHOWN]
            made.append([title, *cells])
    promised = [f"alerts a week ({WEEK / b:.2f} promised)" for b in ONE_IN]
    return table(["as released", *F1, "VUS-PR", *promised], made)


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """How far each figure, mean over the families, moves over all changes."""
    first, changed = rows[0]["figures"], rows[1:]
    made = []
    for figure in columns(rows):
        digits = 1 if figure == OFFICIAL else 2 if figure in ALERTS else 3
        values = sorted((mean(row["figures"], figure), _named(row)) for row in changed)
        inner = values[len(values) // 20 : len(values) - len(values) // 20]
        cells = [number(mean(first, figure), digits), f"{inner[0][0]:.{digits}f} to {inner[-1][0]:.{digits}f}"]
        ends = [f"{value:.{digits}f}: {who}" for value, who in (values[0], values[-1])]
        made.append([figure, *cells, *ends])
    return table(["mean of the families", "as released", "nine tenths of all changes", "lowest", "highest"], made)


def everything_changed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Every constant: what a quarter less and a quarter more does to each figure, mean over the families."""
    first = rows[0]["figures"]
    pairs: dict[tuple[str, str], dict[float, Mapping[str, Any]]] = {}
    for row in rows[1:]:
        pairs.setdefault((row["part"], row["name"]), {})[row["factor"]] = row
    made = []
    for (part, name), by in pairs.items():
        some = next(iter(by.values()))
        to = " / ".join(f"{row['to']:.4g}" for row in by.values())
        cells = []
        for figure in columns(rows):
            digits = 1 if figure == OFFICIAL else 2 if figure in ALERTS else 3
            moves = [mean(row["figures"], figure) - mean(first, figure) for row in by.values()]
            cells.append(" / ".join("0" if abs(m) < 0.5 * 10**-digits else f"{m:+.{digits}f}" for m in moves))
        made.append([f"{part}: `{name.strip('_')}`", f"{some['from']:.4g}", to, *cells])
    return table(["constant", "is", "made", *columns(rows)], made)


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['part']} `{row['name'].strip('_')}` {row['to']:.4g}"


BLOCKS = {"released": released, "summary": summary, "changes": everything_changed}


def about(said: Mapping[str, Any], name: str) -> str:
    """Where the figures of a preset come from."""
    m, changes = said["made"][name], len(said["presets"][name]) - 1
    series = ", ".join(f"{count} {VIEWS.get(source, 'metrics of services')}" for source, count in m["series"].items())
    return f"{changes} changes on {series}. `{m['command']}`, commit {m['commit']}, {m['date']}, {m['machine']}.\n"


def everything(said: Mapping[str, Any]) -> str:
    """All tables."""
    text = ""
    for name, rows in said["presets"].items():
        text += f"\n**{name}**\n" + "".join(f"\n{block(rows)}" for block in BLOCKS.values())
    return text


def fill(text: str, said: Mapping[str, Any]) -> str:
    """The page with its generated parts as the record has them."""

    def body(match: re.Match[str]) -> str:
        rows = said["presets"].get(match[3])
        if match[2] == "about":
            return match[1] + (about(said, match[3]) if rows else "") + match[4]
        if match[2] == "picture":
            text = f"![Each figure of {match[3]} under each change](images/{PICTURE.format(match[3])})\n"
            return match[1] + (text if rows else "") + match[4]
        return match[1] + (BLOCKS[match[2]](rows) if rows else "") + match[4]

    return MARK.sub(body, text)


def write(said: dict[str, Any], words: Sequence[str], counts: Mapping[str, int]) -> None:
    """Keep the record; presets that were not run stay as they were."""
    made = {
        "commit": page.commit(),
        "command": shlex.join(["python", "-m", "benches.quality.stability", *words]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": page.machine_class(),
        "series": dict(counts),
    }
    kept = json.loads(RECORD.read_text()) if RECORD.exists() else {"made": {}, "presets": {}}
    earlier, before = kept["made"], kept["presets"]
    record = {"made": {**earlier, **dict.fromkeys(said["presets"], made)}, "presets": {**before, **said["presets"]}}
    RECORD.write_text(json.dumps(record, separators=(",", ":")).replace("},{", "},\n{") + "\n")


def renew() -> None:
    """Page and pictures from the record."""
    said = json.loads(RECORD.read_text())
    PAGE.write_text(fill(PAGE.read_text(), said))
    for name, rows in said["presets"].items():
        draw(name, rows, page.PICTURE.with_name(PICTURE.format(name)))


def draw(name: str, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """A row for each constant, a column for each figure: the figure with a quarter less and a quarter more."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = columns(rows)
    names = list(dict.fromkeys(f"{row['part']}: {row['name'].strip('_')}" for row in rows[1:]))
    figure, axes = plt.subplots(1, len(shown), figsize=(2.4 + 1.75 * len(shown), 0.2 * len(names) + 1.3), sharey=True)
    for axis, what in zip(axes, shown, strict=True):
        base = mean(rows[0]["figures"], what)
        axis.axvline(base, color="#8899aa", linewidth=0.9)
        for row in rows[1:]:
            at = names.index(f"{row['part']}: {row['name'].strip('_')}")
            value = mean(row["figures"], what)
            less = row["factor"] < 1
            axis.plot([base, value], [at, at], color="#b9c4cd", linewidth=1, zorder=1)
            axis.plot(value, at, "<" if less else ">", color="#1f6f8b" if less else "#d1761b", markersize=4, zorder=2)
        low, high = axis.get_xlim()
        room = max(high - base, base - low, 0.1 * base)
        axis.set_xlim(base - 1.1 * room, base + 1.1 * room)
        axis.set_title(what, fontsize=9)
        axis.grid(axis="y", color="#eef1f4", linewidth=0.8)
        axis.tick_params(labelsize=8)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    figure.suptitle(
        f"{name}: each constant 25 % smaller (blue) and larger (orange); the line is as released", fontsize=10, x=0.5
    )
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
