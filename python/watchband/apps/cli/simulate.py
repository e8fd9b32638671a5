"""``watchband simulate``: series with labelled faults, to files or live."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchband.apps.cli.flags import OUTPUT, Flag, flagged
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.apps.library.simulation.call import Simulation
    from watchband.apps.library.simulation.playing import Target

Text = str | None
SERIES, FAULTS, CALENDAR, ARRIVAL, LIVE = "Series", "Faults", "Calendar", "How points arrive", "Live"
TOKEN = "WATCHBAND_TOKEN"
EXAMPLES = (
    "watchband simulate cpu --fault spike --fault level_shift --out cpu.csv",
    "watchband simulate cpu sparse latency --series 100 --fault any --length 30d --out fleet.parquet --plot fleet.png",
    "watchband simulate hosts --out hosts.csv",
    "watchband simulate requests --timezone Europe/Dublin --holidays IE --calendar day,week,month_end --out year.csv",
    "watchband simulate mesh --speed 60x --to http://localhost:8080",
    "watchband simulate --list",
)

FLAGS = (
    Flag("series", int, 1, "How many, of the kinds in turn.", SERIES, "N", least=1),
    Flag("interval", str, "5m", "From one point to the next, 1s to 1h.", SERIES, "TIME"),
    Flag("start", Text, None, "First time; 2024-01-01, or 'now'.", SERIES, "TIME", "--from"),
    Flag("to", Text, None, "End of the series, or where to play them to.", SERIES, "TIME|TARGET"),
    Flag("length", str, "14d", "How long, where --to is no time.", SERIES, "TIME"),
    Flag("seed", int, 0, "Equal seeds, equal bits.", SERIES, "N"),
    Flag("noise", float, 1.0, "Noise as a multiple of what the kind has.", SERIES, "X"),
    Flag("fault", list[str], [], "What goes wrong. Repeatable.", FAULTS, "NAME[@WHEN][:size=X,for=TIME]"),
    Flag("share", float, 1.0, "Share of the series that have faults.", FAULTS, "SHARE"),
    Flag("calendar", str, "day,week", "Patterns: hour, day, week, month_end, or none.", CALENDAR, "NAMES"),
    Flag("timezone", str, "UTC", "IANA zone of the clock on the wall.", CALENDAR, "ZONE"),
    Flag("holidays", Text, None, "Country whose holidays are quiet: IE, US-CA.", CALENDAR, "CODE"),
    Flag("missing", float, 0.0, "Share of points that never arrive.", ARRIVAL, "SHARE"),
    Flag("late", float, 0.0, "Share that arrives late.", ARRIVAL, "SHARE"),
    Flag("late_by", str, "10m", "Longest delay.", ARRIVAL, "TIME"),
    Flag("duplicates", float, 0.0, "Share that arrives twice.", ARRIVAL, "SHARE"),
    Flag("stuck", float, 0.0, "Share that repeats the value before it.", ARRIVAL, "SHARE"),
    Flag("out", Path | None, None, "File: .csv, .jsonl, .parquet, or .json (Prometheus).", OUTPUT, "FILE"),
    Flag("labels", Path | None, None, "Label file; FILE.labels.csv beside --out.", OUTPUT, "FILE"),
    Flag("layout", str, "auto", "auto, long, or table (scene 'hosts').", OUTPUT, "NAME"),
    Flag("plot", Path | None, None, "A picture of the series with their faults.", OUTPUT, "FILE.png"),
    Flag("theme", str, "light", "Colours of the picture: light or dark.", OUTPUT, "NAME"),
    Flag("as_list", bool, False, "List kinds, scenes and faults.", OUTPUT, spelled="--list"),
    Flag("as_json", bool, False, "One JSON document on stdout: what was written.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
    Flag("speed", Text, None, "Play live: 60x, 1h (an hour a second), max.", LIVE, "SPEED"),
    Flag("allow_host", list[str], [], "A host besides this one that may be sent to.", LIVE, "HOST"),
    Flag("token_file", Path | None, None, f"File with the service's token; else {TOKEN}.", LIVE, "FILE"),
)


@flagged(*FLAGS)
def simulate(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="Kinds of metrics, or one scene; see --list.", metavar="WHAT", show_default=False),
    ] = None,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
) -> None:
    """Simulate series with faults whose labels are exact: to files, or live at any speed.

    --to is the time at which the series ends or, with --speed, where they are played to: - for standard output, a file
    that grows, or the URL of a running service.
    """
    asked = SimpleNamespace(**own)
    if asked.as_list:
        from watchband.apps.cli.simulate_list import show_all

        show_all(as_json=asked.as_json)
        return
    live = asked.speed is not None or _is_target(asked.to)
    found = _simulation(what or ["cpu"], asked, live)
    if not live and not any((asked.out, asked.plot, asked.labels)):
        raise ConfigError("Nothing is asked for. Give --out FILE, --plot FILE.png, or --speed 60x --to TARGET.")
    labels = asked.labels
    if labels is not None:
        from watchband.apps.library.labels import check_label_path

        check_label_path(labels)
    if asked.plot is not None:
        found.plot(asked.plot, timezone=asked.timezone, theme=_theme(asked.theme))
    if asked.out is not None:
        labels = labels or asked.out.with_name(asked.out.name + ".labels.csv")
        _write(found, asked)
    count = None
    if labels is not None:
        from watchband.apps.library.labels import write_labels

        count = write_labels(labels, found.every_label())
    sent = _play(found, asked) if live else None
    _tell(found, asked, labels, count, sent)


def _simulation(what: list[str], asked: SimpleNamespace, live: bool) -> Simulation:
    from watchband.apps.library.simulation.call import simulate as make
    from watchband.core.clock import SystemClock

    start = SystemClock().now() // 10**9 * 10**9 if asked.start == "now" else asked.start
    names = ("series", "length", "interval", "seed", "noise", "share", "timezone", "holidays", "calendar")
    shares = ("missing", "late", "late_by", "duplicates", "stuck")
    return make(
        what,
        faults=asked.fault,
        start=start,
        to=None if live else asked.to,
        **{name: getattr(asked, name) for name in (*names, *shares)},
    )


def _is_target(text: str | None) -> bool:
    return text is not None and (text == "-" or "://" in text)


def _theme(name: str) -> Any:
    if name not in ("light", "dark"):
        raise ConfigError(f"--theme is light or dark. Got {name!r}.")
    return name


def _write(found: Simulation, asked: SimpleNamespace) -> None:
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.simulation.tables import write

    with progress_bar(quiet=asked.quiet, counts=True) as progress:
        told = (lambda done, total: progress("writing", done, total)) if progress else None
        write(found, asked.out, layout=asked.layout, progress=told)


def _play(found: Simulation, asked: SimpleNamespace) -> int:
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.simulation.playing import parse_speed, play

    speed = parse_speed(asked.speed or "1x")
    hidden = asked.quiet or asked.to in (None, "-")
    with _target(asked) as target, progress_bar(quiet=hidden, counts=True) as progress:
        told = (lambda done, total: progress("playing", done, total)) if progress else None
        return play(found, target, speed, progress=told)


@contextlib.contextmanager
def _target(asked: SimpleNamespace) -> Iterator[Target]:
    from watchband.adapters.sinks.points_api import PointsApi
    from watchband.apps.library.simulation.playing import LinesTarget, ServiceTarget

    to = asked.to or "-"
    if "://" in to:
        yield ServiceTarget(PointsApi(to, token=_token(asked.token_file), allowed=asked.allow_host))
    elif to == "-":
        yield LinesTarget(sys.stdout)
    else:
        path = Path(to)
        with path.open("a", encoding="utf-8", newline="") as file:
            form = "csv" if path.suffix.lower() == ".csv" else "jsonl"
            yield LinesTarget(file, form, header=file.tell() == 0)


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN) or None
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ConfigError(f"The token file {str(path)!r} cannot be read: {error.strerror or error}.") from error


def _tell(found: Simulation, asked: SimpleNamespace, labels: Path | None, count: int | None, sent: int | None) -> None:
    to_errors = sent is not None and (asked.to or "-") == "-"
    files = [str(p) for p in (asked.out, labels, asked.plot) if p is not None]
    if asked.as_json:
        from watchband.apps.library.labels import to_row
        from watchband.apps.library.outputs.documents import to_json

        rows = [to_row(label) for label in found.every_label()]
        document = {"series": len(found.series), "files": files, "sent": sent, "labels": rows}
        typer.echo(to_json(document), nl=False, err=to_errors)
    elif not asked.quiet:
        parts = [f"{len(found.series):,} series"]
        if count is not None:
            parts.append(f"{count:,} label{'' if count == 1 else 's'}")
        if sent is not None:
            parts.append(f"{sent:,} readings sent")
        typer.echo(", ".join(parts) + (f": {', '.join(files)}" if files else ""), err=to_errors)
