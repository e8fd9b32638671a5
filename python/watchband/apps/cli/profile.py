"""``watchband profile``: what data are like, before anybody judges them, and what to do next."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from watchband.apps.cli.detect import Files
from watchband.apps.cli.flags import HINTS, OUTPUT, TIME, Flag, command_line, flagged

EXAMPLES = (
    "watchband profile metrics.csv",
    "watchband profile metrics.csv --out profile/",
    "watchband profile fleet/ --top 20 --timezone Europe/Dublin --out fleet_profile/",
    "watchband profile sensors.parquet --value temperature --label room --json",
    "watchband profile 's3://my-bucket/metrics/{date}.parquet?since=30d'",
)
FLAGS = (
    Flag("out", Path | None, None, "Write profile.html and profile.json there.", OUTPUT, "DIR"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("top", int, 10, "Series shown in the terminal, worst first.", OUTPUT, "N", least=1),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
    Flag("timezone", str, "UTC", "IANA zone in which days begin; also of times without one.", TIME, "ZONE"),
    Flag("interval", str | None, None, "Time between readings; needed where rows are only numbered.", TIME, "TIME"),
)


@flagged(*FLAGS, hinted=True)
def profile(
    files: Files,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Look at data before judging them: gaps, values, seasons, level, what they are enough for, what to do next."""
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.moments import zone
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.outputs.folder import check_target
    from watchband.apps.library.profiling.call import run, told_flags

    asked = SimpleNamespace(**own)
    zone(asked.timezone)
    if asked.out is not None:
        check_target(asked.out)
    named = {flag.name: hints.get(flag.name) for flag in HINTS} | {
        "interval": asked.interval,
        "timezone": None if asked.timezone == "UTC" else asked.timezone,
    }
    with progress_bar(quiet=asked.quiet or asked.as_json) as tell:
        feed = open_files(files, Options(timezone=asked.timezone, interval=asked.interval), hints, tell)
        found = run(
            feed, asked.timezone, tell, paths=[str(f) for f in files], flags=told_flags(named), command=command_line()
        )
    if asked.out is not None:
        found.write(asked.out)
    if asked.as_json:
        import typer

        typer.echo(to_json(found.document()), nl=False)
    elif not asked.quiet:
        from watchband.apps.cli.profile_view import show

        show(found, asked.top, asked.out)
