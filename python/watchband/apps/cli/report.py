"""``watchband report``: the whole story of a training as one page, for those who decide."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from watchband.apps.cli.flags import OUTPUT, Flag, flagged

EXAMPLES = (
    "watchband train metrics.csv --labels incidents.csv --out model/ && watchband report model/",
    "watchband report model/ --out story.html",
    "watchband report model/ --json",
)
FLAGS = (
    Flag("out", Path | None, None, "The page; DIR.html beside the folder if none.", OUTPUT, "FILE"),
    Flag("as_json", bool, False, "The story as one JSON document on stdout; no page unless --out.", OUTPUT,
         spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)  # fmt: skip


@flagged(*FLAGS)
def report(
    folder: Annotated[Path, typer.Argument(help="A folder that watchband train wrote.", metavar="DIR")],
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
) -> None:
    """Tell the story of a training: asked, data, tried, won and why, cost in alerts, misses, how sure, what to do."""
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.story.call import Story

    asked = SimpleNamespace(**own)
    story = Story(folder)
    out = asked.out
    if out is None and not asked.as_json:
        # Beside the folder and not in it: a folder with a foreign file would not be replaced by the next training.
        out = folder.resolve().with_name(folder.resolve().name + ".html")
        out = Path(out.name) if out.parent == Path.cwd() else out
    if out is not None:
        story.write(out)
    if asked.as_json:
        typer.echo(to_json(story.document()), nl=False)
    elif not asked.quiet:
        from watchband.apps.cli.report_view import show

        show(story, out)
