"""``watchband backtest``: what would have alerted, candidate by candidate."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import typer

from watchband.apps.cli.detect import Files
from watchband.apps.cli.fail_if import Condition
from watchband.apps.cli.flags import COMPARED, OUTPUT, Flag, command_line, compared

if TYPE_CHECKING:
    from watchband.apps.library.backtest.job import Setup
    from watchband.apps.library.backtest.result import Backtest

Text = str | None
PERIOD, COMPARE = "What counts", "Candidates"
EXAMPLES = (
    "watchband backtest metrics.csv",
    "watchband backtest data/ --labels labels.csv --detector auto --detector ewma --baselines --out results/",
    "watchband backtest data/ --labels labels.csv --budget 1/week --budget 1/day --splits 3 --split-gap 1d",
    "watchband backtest data/ --labels labels.csv --fail-if 'alerts_per_week > 3 or event_recall < 0.8'",
    "watchband backtest 's3://my-bucket/metrics/{date}.parquet?since=30d'",
)


FLAGS = (
    Flag("labels", list[Path], [], "Label files: what was wrong. Repeatable.", PERIOD, "FILE"),
    Flag("feedback", list[Path], [], "What people said of alerts; others are unknown. Repeatable.", PERIOD, "FILE"),
    Flag(
        "begin", Text, None, "Alerts and events count from here; what is before is learned.", PERIOD, "TIME", "--from"
    ),
    Flag("end", Text, None, "Nothing from here on is read.", PERIOD, "TIME", "--to"),
    Flag(
        "warm_up",
        Text,
        None,
        "Time at the start of a series that counts nowhere; 15 %, at most 750 points.",
        PERIOD,
        "TIME",
    ),
    Flag("splits", int, 0, "Choose in what came before, report on what came after, N times.", PERIOD, "N", least=0),
    Flag("split_gap", Text, None, "Time between choosing and reporting.", PERIOD, "TIME"),
    Flag("policy", list[str], [], "What differs: 'consecutive=3,cool_down=12'. Repeatable.", COMPARE, "KEY=VALUE,…"),
    Flag("baselines", bool, False, "Also a static threshold and a rolling z-score.", COMPARE),
    Flag("jobs", int, 0, "Series replayed at once; 0: as many as cores.", COMPARE, "N", least=0),
    Flag("out", Path | None, None, "Results directory; a run that was killed goes on there.", OUTPUT, "DIR"),
    Flag("scores", bool, True, "Keep what is said of every point.", OUTPUT, spelled="--scores/--no-scores"),
    Flag("as_json", bool, False, "One JSON document on stdout.", OUTPUT, spelled="--json"),
    Flag("top", int, 5, "Mistakes of each kind shown, of the first candidate.", OUTPUT, "N", least=0),
    Flag("fail_if", Text, None, "Exit with 1 where this holds of the first candidate.", OUTPUT, "CONDITION"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)


@compared(*FLAGS)
def backtest(
    files: Files,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``compared``)
    options: dict[str, Any] = {},  # noqa: B006
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Replay the past: what would have alerted, when, how often, beside labels and other candidates.

    Every detector is replayed under every rule and every policy that is given, through the code that runs live.
    """
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.backtest.job import execute
    from watchband.apps.library.backtest.ledger import check_results
    from watchband.apps.library.backtest.result import NAMES
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.outputs.documents import to_json

    asked = SimpleNamespace(**own)
    condition = Condition(asked.fail_if, NAMES) if asked.fail_if else None
    setup = _setup(asked, options)
    if asked.out is not None:
        check_results(asked.out)
    with progress_bar(quiet=asked.quiet) as progress:
        feed = open_files(files, setup.entries.options, hints, progress)
        found = execute(feed, setup, out=asked.out, progress=progress, command=command_line())
        if asked.out is not None:
            found.write()
    if asked.as_json:
        typer.echo(to_json(found.to_dict()), nl=False)
    elif not asked.quiet:
        from watchband.apps.cli.backtest_view import show

        show(found, asked.top, out=asked.out)
    if condition:
        _judge(condition, found)


def _setup(asked: SimpleNamespace, options: dict[str, Any]) -> Setup:
    """Who takes part and what counts; refuses what cannot be before anything is read."""
    from watchband.apps.library.backtest.call import labels_from, plan_of
    from watchband.apps.library.backtest.entries import Entries, rules_of
    from watchband.apps.library.backtest.feedback import read_feedback
    from watchband.apps.library.backtest.job import Setup
    from watchband.apps.library.options import RULES, Options

    base = Options(**{k: v for k, v in options.items() if k not in COMPARED})
    entries = Entries(
        detectors=options["detector"],
        rules=rules_of(**{name: options[name] for name in RULES}),
        policies=asked.policy,
        options=base,
        with_baselines=asked.baselines,
    )
    entries.contenders()
    plan = plan_of(asked.begin, asked.end, asked.warm_up, asked.splits, asked.split_gap, base.timezone)
    labels = labels_from(asked.labels) if asked.labels else None
    ratings = [rating for path in asked.feedback for rating in read_feedback(path)]
    return Setup(entries=entries, labels=labels, feedback=ratings, plan=plan, jobs=asked.jobs, scores=asked.scores)


def _judge(condition: Condition, found: Backtest) -> None:
    """Exit with 1 where the condition holds of the first candidate, and say by which values."""
    name = found.names[0]
    values = found.values(name)
    if condition.holds(values):
        told = ", ".join(f"{one} = {values[one]:.4g}" for one in condition.used)
        typer.echo(f"watchband: --fail-if {condition.text!r} holds of {name}: {told}.", err=True)
        raise typer.Exit(1)
