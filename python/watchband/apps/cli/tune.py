"""``watchband tune``: a configuration for the user's own series, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.detect import Files
from watchband.apps.cli.flags import OUTPUT, command_line, shared

EXAMPLES = (
    "watchband tune metrics.csv --budget 1/week",
    "watchband tune metrics.csv --labels incidents.csv --out tuned/",
    "watchband tune 'hosts/*.parquet' --inject --trials 80 --storage tuning.journal",
    "watchband tune latency.csv --labels incidents.csv --objective cost:missed=20,false=1 --among ewma,residual",
    "watchband tune latency.csv --labels incidents.csv --detector ewma:half_life=300 --among none --save ewma.yaml",
)
AIM, SEARCH, PARTS = "What for", "Search", "Parts"


def _option(flag: str, text: str, panel: str, metavar: str | None = None) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=panel, metavar=metavar)


Labels = Annotated[
    Path | None,
    _option("--labels", "Tune to labelled events: series,start,end as CSV, JSON, Parquet.", AIM, "FILE"),
]
Inject = Annotated[bool, _option("--inject", "Tune to faults that are put into the series.", AIM)]
Faults = Annotated[
    str | None, _option("--faults", "Kinds of faults for --inject; all that fit if none.", AIM, "NAME,…")
]
Aim = Annotated[
    str, _option("--objective", "f1, vus-pr, nab, recall@0.8 or cost:missed=10,false=1,hour=0.", AIM, "NAME")
]
Among = Annotated[
    str | None,
    _option("--among", "Detectors searched beside --detector; none searches its parameters alone.", SEARCH, "NAME,…"),
]
Trials = Annotated[int, _option("--trials", "Configurations tried, those of --storage counted.", SEARCH, "N")]
Seed = Annotated[int, _option("--seed", "Equal seeds, equal trials.", SEARCH, "N")]
Storage = Annotated[
    Path | None, _option("--storage", "Keep the trials there and go on from them: .db or a journal.", SEARCH, "FILE")
]
Limit = Annotated[str | None, _option("--time-limit", "Begin no trial after this: 10m, 2h.", SEARCH, "TIME")]
Jobs = Annotated[int, _option("--jobs", "Series at once; 0: as many as cores. Results are equal.", SEARCH, "N")]
TestShare = Annotated[
    float, _option("--test-share", "Last share of the time: reported on, never searched.", PARTS, "SHARE")
]
SplitGap = Annotated[
    str | None, _option("--split-gap", "Time before it that counts nowhere; a day if none.", PARTS, "TIME")
]
Split = Annotated[str, _option("--split", "time, or stratified: rows at random, to show that it leaks.", PARTS, "HOW")]
Out = Annotated[
    Path | None, _option("--out", "Write report.html, summary.json and the configuration there.", OUTPUT, "DIR")
]
Save = Annotated[Path | None, _option("--save", "Write the chosen configuration: .yaml or .json.", OUTPUT, "FILE")]
AsJson = Annotated[bool, _option("--json", "One JSON document on stdout.", OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)]


@shared
def tune(
    files: Files,
    labels: Labels = None,
    inject: Inject = False,
    faults: Faults = None,
    objective: Aim = "f1",
    among: Among = None,
    trials: Trials = 40,
    seed: Seed = 0,
    storage: Storage = None,
    time_limit: Limit = None,
    jobs: Jobs = 0,
    test_share: TestShare = 0.35,
    split_gap: SplitGap = None,
    split: Split = "time",
    out: Out = None,
    save: Save = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    options: dict[str, Any] = {},  # noqa: B006 (filled by ``shared``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Find a better configuration on the past, and show on a later part whether it is one."""
    from watchband.apps.cli.progress import count_bar, progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.outputs.folder import check_target
    from watchband.apps.library.tune import Request, run

    request = Request(
        labels=labels,
        objective=objective,
        among=among,
        inject=(faults or True) if inject else False,
        trials=trials,
        seed=seed,
        storage=storage,
        time_limit=time_limit,
        jobs=jobs,
        test_share=test_share,
        split_gap=split_gap,
        split=split,
    )
    chosen = Options(**options)
    if out is not None:
        check_target(out)
    with progress_bar(quiet=quiet) as reading:
        feed = open_files(files, chosen, hints, reading)
    with count_bar("tuning", quiet=quiet) as tell:
        found = run(feed, chosen, request, tell=tell, command=command_line())
    if save is not None:
        found.save(save)
    if out is not None:
        found.write(out)
    if as_json:
        typer.echo(to_json(found.document()), nl=False)
    elif not quiet:
        from watchband.apps.cli.tune_view import show

        show(found, out, save)
