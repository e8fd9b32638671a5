"""``watchband train``: a champion for the user's own series, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchband.apps.cli.flags import OUTPUT, Flag, command_line, shared_with

if TYPE_CHECKING:
    from watchband.apps.library.feeds import Feed
    from watchband.apps.library.options import Options

EXAMPLES = (
    "watchband train metrics.csv --labels incidents.csv --out model/",
    "watchband train 'hosts/*.parquet' --value cpu --out model/ --trials 80 --storage training.journal",
    "watchband train metrics.csv --candidates isolation_forest,one_class_svm --features value4,lags24 --out model/",
    "watchband train --data watchband-data --series 'cpu{env=\"prod\"}' --since '30d ago' --out model/",
    "watchband train --config watchband.yaml --since '30d ago' --resample 5m --out model/",
    "watchband train 's3://my-bucket/metrics/{date}.parquet?since=30d'",
)
AIM, SEARCH, PARTS, STORE = "What for", "Candidates and search", "Parts", "A service's store instead of files"
FLAGS = (
    Flag(
        "labels", Path | None, None, "Labelled events: series,start,end as CSV, JSON, Parquet; NAB's windows.", AIM,
        "FILE",
    ),
    Flag("faults", str | None, None, "Without --labels: kinds of faults put in; all that fit if none.", AIM, "NAME,…"),
    Flag("objective", str, "f1", "f1, vus-pr, nab, recall@0.8 or cost:missed=10,false=1,hour=0.", AIM, "NAME"),
    Flag("candidates", str | None, None, "Detectors that compete; a broad choice if none.", SEARCH, "NAME,…"),
    Flag("features", str | None, None, "What models read: value4, lags24, …", SEARCH, "NAME,…"),
    Flag("trials", int, 40, "Configurations tried, those of --storage counted.", SEARCH, "N"),
    Flag("seed", int, 0, "Equal seeds, equal trials.", SEARCH, "N"),
    Flag("storage", Path | None, None, "Keep the trials there and go on from them.", SEARCH, "FILE"),
    Flag("time_limit", str | None, None, "Begin no trial after this: 10m, 2h.", SEARCH, "TIME"),
    Flag("jobs", int, 0, "Series at once; 0: as many as cores. Results are equal.", SEARCH, "N"),
    Flag("rows", int | None, None, "Most rows that a model is fitted on; 100,000 if none.", SEARCH, "N"),
    Flag("validation_share", float, 0.25, "Share of the time that is chosen on.", PARTS, "SHARE"),
    Flag("test_share", float, 0.25, "Last share of the time: reported on once, never chosen on.", PARTS, "SHARE"),
    Flag("split_gap", str | None, None, "Time between two parts that counts nowhere; a day if none.", PARTS, "TIME"),
    Flag("split", str, "time", "time, or stratified: rows at random, to show that it leaks.", PARTS, "HOW"),
    Flag("data", Path | None, None, "Directory of a service's store.", STORE, "DIR"),
    Flag("config", Path | None, None, "Instead: the store of this configuration, of any kind.", STORE, "CONFIG"),
    Flag("series", list[str], [], "Which of its series; repeatable, all if none.", STORE, "SELECTOR"),
    Flag("since", str | None, None, "Only readings from then on: 30d ago, or 2026-01-31.", STORE, "TIME"),
    Flag("out", Path | None, None, "Write champion.json, model files, tables and pictures there.", OUTPUT, "DIR"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)  # fmt: skip
Files = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, quoted globs, s3:// addresses, or - for standard input.",
        metavar="FILES",
        show_default=False,
    ),
]


@shared_with(*FLAGS)
def train(
    files: Files = [],  # noqa: B006 (typer makes a new one)
    options: dict[str, Any] = {},  # noqa: B006 (filled by ``shared_with``)
    hints: dict[str, Any] = {},  # noqa: B006
    own: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Fit detectors on the past, choose one on a later part, report on the last part once, and keep the champion."""
    from watchband.apps.cli.progress import count_bar, progress_bar
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.training.call import Request, run

    names = (
        "labels", "objective", "candidates", "features", "trials", "seed", "storage", "time_limit", "jobs", "rows",
        "validation_share", "test_share", "split_gap", "split",
    )  # fmt: skip
    request = Request(**{name: own[name] for name in names}, inject=own["faults"] or False)
    chosen = Options(**_candidate(options))
    quiet, out = own["quiet"], own["out"]
    if out is not None:
        request.check_out(out)
    with progress_bar(quiet=quiet) as reading:
        feed = _feed(files, own, chosen, hints, reading)
    with count_bar("training", quiet=quiet) as tell:
        found = run(feed, chosen, request, columns=hints, tell=tell, command=command_line())
    if out is not None:
        found.write(out)
    if own["as_json"]:
        typer.echo(to_json(found.document()), nl=False)
    elif not quiet:
        from watchband.apps.cli.train_view import show

        show(found, out)


def _candidate(options: dict[str, Any]) -> dict[str, Any]:
    """Options without a detector, which is what is looked for."""
    from watchband.core.errors import ConfigError
    from watchband.pipeline import DEFAULT_DETECTOR

    if options["detector"] != DEFAULT_DETECTOR:
        raise ConfigError(
            f"A training chooses the detector. Name what competes with --candidates {options['detector']}, and leave "
            "--detector out."
        )
    return options


def _feed(files: list[str], own: dict[str, Any], chosen: Options, hints: dict[str, Any], progress: Any) -> Feed:
    from watchband.apps.cli.moments import moment
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.training.stored import LogFeed, StoredFeed
    from watchband.core.errors import ConfigError

    if bool(files) + (own["data"] is not None) + (own["config"] is not None) != 1:
        raise ConfigError(
            "Give FILES, or --data DIR or --config CONFIG of a service, one of them. See watchband train --help."
        )
    if files:
        return open_files(files, chosen, hints, progress)
    since = None if own["since"] is None else moment(own["since"], 0)
    match, place = own["series"] or ["*"], own["data"]
    if own["config"] is not None:
        from watchband.apps.cli.store_flags import SHARED, directory_of
        from watchband.apps.config.config import read_config
        from watchband.apps.service.service import SHARD
        from watchband.core.clock import SystemClock

        config = read_config(own["config"])
        if config.store.kind in SHARED:
            title = f"the {config.store.kind} store of {own['config']}"
            return LogFeed(lambda: config.store.open(clock=SystemClock()), title, SHARD, match, since=since)
        place = directory_of(config)
    return StoredFeed(place, match, since=since, by_time=bool(chosen.join))
