"""The record of a run, and the page that shows it: no figure on the page is typed by hand.

``docs/quality.json`` is what a run found. What stands between ``<!-- figures NAME -->`` and ``<!-- /figures -->`` in
``docs/quality.md`` is made from it.
"""

from __future__ import annotations

import datetime
import json
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benches.quality import tables
from benches.quality.data import SOURCES
from benches.quality.peers import PEERS
from benches.timing import machine

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "quality.md"
RECORD = ROOT / "docs" / "quality.json"
PICTURE = ROOT / "docs" / "images" / "quality_ranks.png"
MARK = re.compile(r"(<!-- figures (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
TRIED = {"auto": "780", "novelty": "760"}
"""Configurations that were compared before these were chosen; every peer has the one of the table of peers."""


def made(
    command: str,
    document: dict[str, Any],
    only: Sequence[str],
    seed: int,
    replicas: int,
    commits: Mapping[str, str],
) -> dict[str, Any]:
    """Where, when and of what the figures are; ``commits``: at which each candidate was measured."""
    now = commits[document["against"]] if document.get("against") in commits else commit()
    known = {key: f for f in document["candidates"].values() for key in f}
    views = {"services": "metric", "simulated": "simulated", "nab": "nab"}
    series = {
        source: max(f[views[source]]["series"] for f in document["candidates"].values() if views[source] in f)
        for source in SOURCES
        if source in only and views[source] in known
    }
    return {
        "commit": now,
        "earlier": {label: at for label, at in commits.items() if at != now},
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine_class(),
        "seed": seed,
        "replicas": replicas,
        "series": series,
        "tried": TRIED,
    }


def commit() -> str:
    """The commit of what was measured, with ``+`` where the tree differs from it."""
    said = subprocess.run(["git", "rev-parse", "--short=9", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    changed = ["git", "status", "--porcelain", "--untracked-files=no", "python", "rust", "benches"]
    dirty = subprocess.run(changed, cwd=ROOT, capture_output=True, text=True)
    return (said.stdout.strip() or "unknown") + ("+" if dirty.stdout.strip() else "")


def machine_class() -> str:
    """Cores, processor and system: nothing that names the machine."""
    found = machine()
    try:
        release = platform.freedesktop_os_release()
        system = f"{release.get('NAME', '').removesuffix(' GNU/Linux')} {release.get('VERSION_ID', '')}".strip()
    except OSError:
        system = platform.system()
    return f"{found['cores']} vCPU {found['cpu']}, {system}"


def about(said: dict[str, Any]) -> str:
    """The paragraph above the tables."""
    m = said["made"]
    series = {
        "simulated": f"{m['series'].get('simulated', 0)} simulated worlds of seed {m['seed']}",
        "services": f"{m['series'].get('services', 0)} metrics of services",
        "nab": f"{m['series'].get('nab', 0)} files of the Numenta Anomaly Benchmark",
    }
    data = ", ".join(text for source, text in series.items() if source in m["series"])
    absent = [name for name in PEERS if name not in said["candidates"]]
    missing = f"* Peers without figures this time: {', '.join(absent)}.\n" if absent else ""
    tried = ", ".join(f"`{name}` {count}" for name, count in m["tried"].items())
    earlier = ", ".join(f"{commit} ({len(labels)})" for commit, labels in _by_commit(m["earlier"]).items())
    kept = f" Candidates that did not change since were measured at an earlier commit: {earlier}." if earlier else ""
    return (
        f"`{m['command']}`\n\n"
        f"* Commit {m['commit']}, {m['date']}, {m['machine']}.{kept}\n"
        f"* Data: {data}; {len(said['candidates'])} candidates.\n"
        f"* Configurations compared, by worlds of seed 0, before one was chosen: {tried}; every peer 1.\n{missing}"
    )


def _by_commit(earlier: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label, at in earlier.items():
        found.setdefault(at, []).append(label)
    return found


def fill(text: str, said: dict[str, Any]) -> str:
    """The page with every table as the record has it."""
    blocks = {**tables.BLOCKS, "about": about, "peers": tables.peers}

    def body(match: re.Match[str]) -> str:
        return match[1] + blocks[match[2]](said) + match[3]

    return MARK.sub(body, text)


def write(said: dict[str, Any]) -> None:
    """Keep the record, and make the page and the picture from it."""
    RECORD.write_text(json.dumps(said, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    renew()


def renew() -> None:
    """The page and the picture from the record that is there."""
    said = json.loads(RECORD.read_text())
    PAGE.write_text(fill(PAGE.read_text(), said))
    draw(said, PICTURE)


def draw(said: dict[str, Any], path: Path) -> None:
    """Mean ranks with their intervals; a dot in the colour of the family for each of them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = said["ranks"]
    figure, axis = plt.subplots(figsize=(8, 0.28 * len(rows) + 1.2))
    for i, rank in enumerate(rows):
        value, low, high = rank["mean"]
        own = tables.named(rank["label"]).startswith("`")
        colour = "#1f6f8b" if own else "#4a5560"
        axis.plot([low, high], [i, i], color=colour, linewidth=2.2, alpha=0.45, solid_capstyle="butt")
        axis.plot(value, i, "o", color=colour, markersize=6, zorder=3)
        for (family, at), mark in zip(rank["families"].items(), "^sD", strict=False):
            axis.plot(at, i, mark, color="#d1761b", markersize=3.5, alpha=0.8, label=family if i == 0 else None)
    axis.set_yticks(range(len(rows)), [r["label"] for r in rows], fontsize=9)
    for text, rank in zip(axis.get_yticklabels(), rows, strict=True):
        text.set_color("#1f6f8b" if tables.named(rank["label"]).startswith("`") else "#333333")
    axis.invert_yaxis()
    axis.grid(axis="x", color="#dde3e8", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.set_xlabel("mean rank with 95 % interval, 1 is first; small marks: within one family")
    axis.legend(loc="lower left", fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
