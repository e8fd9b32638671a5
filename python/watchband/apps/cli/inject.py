"""``watchband inject``: labelled faults in the user's own file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from watchband.apps.cli.flags import OUTPUT, TIME, Flag, flagged
from watchband.core.errors import ConfigError

Text = str | None
FAULTS = "Faults"
EXAMPLES = (
    "watchband inject metrics.csv --fault spike@2024-03-01T12:00:size=8",
    "watchband inject metrics.csv --random 5 --seed 1 --out changed.csv --plot changed.png",
    "watchband inject hosts.parquet --series 'cpu{host=\"a\"}' --fault gap@40%:for=2h --fault level_shift:size=4",
)
FLAGS = (
    Flag("fault", list[str], [], "What goes wrong, where, how much, how long. Repeatable.", FAULTS,
         "NAME[@WHEN][:size=X,for=TIME]"),
    Flag("random", int, 0, "So many at random places: the --fault without a time in turn, else any.", FAULTS, "N",
         least=0),
    Flag("series", Text, None, "Series for faults that name none.", FAULTS, "NAME"),
    Flag("seed", int, 0, "Equal seeds, equal places.", FAULTS, "N"),
    Flag("out", Path | None, None, "The changed file; FILE.injected.SUFFIX.", OUTPUT, "FILE"),
    Flag("labels", Path | None, None, "Its labels; beside it as OUT.labels.csv.", OUTPUT, "FILE"),
    Flag("plot", Path | None, None, "A picture of the changed series.", OUTPUT, "FILE.png"),
    Flag("theme", str, "light", "Colours of the picture: light or dark.", OUTPUT, "NAME"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
    Flag("timezone", str, "UTC", "IANA zone of times without one.", TIME, "ZONE"),
    Flag("interval", Text, None, "Time between readings, where rows are only numbered.", TIME, "TIME"),
)  # fmt: skip


@flagged(*FLAGS, hinted=True)
def inject(
    file: Annotated[Path, typer.Argument(help="A file in any format that detect reads.", metavar="FILE")],
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Put labelled faults into a file of your own: only what a fault changes is written anew.

    Sizes are in units of the series' own noise. WHEN is a time, +3d after the start, or 40%.
    """
    from watchband.apps.library.labels import to_row
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.simulation.injection import inject as put

    asked = SimpleNamespace(**own)
    if asked.theme not in ("light", "dark"):
        raise ConfigError(f"--theme is light or dark. Got {asked.theme!r}.")
    out = asked.out or _beside(file)
    labels = asked.labels or out.with_name(out.name + ".labels.csv")
    found = put(
        file, asked.fault, random=asked.random, seed=asked.seed, series=asked.series, timezone=asked.timezone,
        interval=asked.interval, columns=hints,
    )  # fmt: skip
    found.write(out, labels)
    if asked.plot is not None:
        _plot(found, asked)
    files = [str(p) for p in (out, labels, asked.plot) if p is not None]
    if asked.as_json:
        typer.echo(to_json({"files": files, "labels": [to_row(a) for a in found.labels]}), nl=False)
    elif not asked.quiet:
        from watchband.apps.library.moments import iso

        for label in found.labels:
            size = "" if label.size != label.size else f", {label.size:+.1f} noise"
            typer.echo(f"{label.fault}: {label.series}, {iso(label.start)} to {iso(label.end)}{size}")
        count = len(found.labels)
        typer.echo(f"{count} fault{'' if count == 1 else 's'}: {', '.join(files)}")


def _beside(file: Path) -> Path:
    """``cpu.csv.gz`` → ``cpu.injected.csv.gz``."""
    name = file.name
    stem, dot, rest = name.partition(".")
    return file.with_name(f"{stem}.injected{dot}{rest}") if stem else file.with_name(f"{name}.injected")


def _plot(found: Any, asked: SimpleNamespace) -> None:
    from watchband.apps.library.simulation.picture import PANELS_MAX, draw_picture

    changed = {a.series for a in found.labels}
    panels = [
        (name, times, values, [a for a in found.labels if a.series == name])
        for name, (times, values) in found.values.items()
        if name in changed
    ][:PANELS_MAX]
    draw_picture(panels, asked.plot, timezone=asked.timezone, theme=asked.theme)
