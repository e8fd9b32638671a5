"""``watchband risk``: what states entities are in, from all their metrics together."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import typer

from watchband.apps.cli.detect import Files
from watchband.apps.cli.flags import OUTPUT, Flag, flagged

ENTITIES, MODEL = "Entities and metrics", "Model"
EXAMPLES = (
    "watchband simulate hosts --out hosts.csv && watchband risk hosts.csv",
    "watchband risk hosts.csv --by host --save risk.json",
    "watchband risk 'metrics/*.parquet' --feature cpu --feature rps=connections --feature p95_ms=latency --out risk/",
    "watchband risk today.csv --model risk.json --json",
)
FLAGS = (
    Flag("by", list[str], [], "Label that names an entity; repeatable; all of them if none.", ENTITIES, "LABEL"),
    Flag(
        "feature", list[str], [], "A metric that counts, with its role; or cloudwatch10. Repeatable; all if none.",
        ENTITIES, "NAME[=ROLE]",
    ),
    Flag("step", str | None, None, "Time between rows; the usual one of the readings if none.", ENTITIES, "TIME"),
    Flag("method", str, "kmeans", "What groups rows: kmeans, ward, kmedoids or consensus.", MODEL, "NAME"),
    Flag("groups", int | None, None, "How many; if none, the best of 4 to 10.", MODEL, "K"),
    Flag("deviation", float, 6.0, "Spreads from the usual at which a row is far out.", MODEL, "X"),
    Flag("horizon", int, 12, "Steps ahead of the probability of Critical.", MODEL, "N"),
    Flag("sample", int, 20_000, "Rows that groups are found in.", MODEL, "N"),
    Flag("seed", int, 0, "Equal seeds, equal models.", MODEL, "N"),
    Flag("model", Path | None, None, "Label with this model instead of fitting one.", MODEL, "FILE"),
    Flag("save", Path | None, None, "Write the model: what a service labels with.", OUTPUT, "FILE"),
    Flag("out", Path | None, None, "Write model, labels, summary and pictures there.", OUTPUT, "DIR"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)  # fmt: skip


@flagged(*FLAGS, hinted=True)
def risk(
    files: Files,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Find the states of hosts, or of whatever has several metrics: Idle, Normal, High Load, Critical, and why."""
    from watchband.analysis.risk.fit import Settings
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.outputs.folder import check_target
    from watchband.apps.library.risk.call import Request, run
    from watchband.apps.library.risk.document import counted, write
    from watchband.core.duration import parse_duration

    asked = SimpleNamespace(**own)
    settings = Settings(
        method=asked.method, k=asked.groups, deviation=asked.deviation, horizon=asked.horizon, sample=asked.sample,
        seed=asked.seed,
    )  # fmt: skip
    step = None if asked.step is None else parse_duration(asked.step)
    request = Request(asked.by, asked.feature, step, asked.model, settings)
    if asked.out is not None:
        check_target(asked.out)
    with progress_bar(quiet=asked.quiet or asked.as_json) as tell:
        feed = open_files(files, Options(), hints, tell)
        with feed.table as table:
            found = run(table, feed.title, request, tell)
            document = write(found, asked.out) if asked.out is not None else counted(found)
    if asked.save is not None:
        found.save(asked.save)
    if asked.as_json:
        typer.echo(to_json(document), nl=False)
    elif not asked.quiet:
        from watchband.apps.cli.risk_view import show

        show(found, document, asked.out, asked.save)
