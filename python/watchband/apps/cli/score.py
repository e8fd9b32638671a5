"""``watchband score``: what a trained champion says of new data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from watchband.apps.cli.flags import OUTPUT, Flag, command_line, flagged

EXAMPLES = (
    "watchband score today.csv --model model/",
    "watchband score --model model/ --file today.csv --json",
    "watchband score 'today/*.parquet' --model model/ --out scored/ --top 20",
)
MODEL = "Model"
FLAGS = (
    Flag("model", Path | None, None, "The folder that 'watchband train' wrote.", MODEL, "DIR"),
    Flag("file", list[str], [], "The same as FILES. Repeatable.", "Input", "FILE"),
    Flag("accept_drift", bool, False, "Score also data that differ from those of the training.", MODEL),
    Flag("top", int, 5, "Alerts shown, most severe first.", OUTPUT, "N", least=0),
    Flag("out", Path | None, None, "Write scores, alerts, plots and report.html there.", OUTPUT, "DIR"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)


@flagged(*FLAGS, hinted=True)
def score(
    files: list[str] = typer.Argument(  # noqa: B008
        [], help="Files, folders, quoted globs, or - for standard input.", metavar="FILES", show_default=False
    ),
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Judge data with a trained champion: the same scores as 'watchband detect' with its flags."""
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.job import execute
    from watchband.apps.library.outputs.documents import run_document, to_json
    from watchband.apps.library.outputs.folder import check_target
    from watchband.apps.library.training.model import load_model
    from watchband.core.errors import ConfigError

    paths = [*files, *own["file"]]
    if own["model"] is None or not paths:
        raise ConfigError("Give FILES and --model DIR, the folder that 'watchband train' wrote.")
    model = load_model(own["model"])
    if own["out"] is not None:
        check_target(own["out"])
    options = model.options
    with progress_bar(quiet=own["quiet"] or own["as_json"]) as progress:
        feed = model.checked(open_files(paths, options, model.hints(hints), progress), own["accept_drift"])
        found = execute(feed, options, out=own["out"], command=command_line())
    if own["as_json"]:
        typer.echo(to_json({**run_document(found), "model": model.identity}), nl=False)
    elif not own["quiet"]:
        from watchband.apps.cli.terminal import show

        show(found, own["top"])
