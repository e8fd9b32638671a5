"""``watchband bench robustness``: detectors against metrics, time frames, noise, missing points and faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchband.apps.cli.flags import DEBUG
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.apps.library.robustness.work import Job
    from watchband.evaluation.robustness.run import Outcome

EXAMPLES = (
    "watchband bench robustness --small",
    "watchband bench robustness --out robustness/",
    "watchband bench robustness --only kind=cpu,latency --only fault=spike,level_shift --detector auto",
    "watchband bench robustness --detector 'exec:python mine.py' --only frame=5m --json",
)
WEAKEST = 6


def robustness(
    detector: Annotated[
        list[str] | None,
        typer.Option("--detector", help="Try this one (repeatable). A name, import:… or exec:….", metavar="NAME"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Limit kind, fault, frame, noise, missing or detector (repeatable).", metavar="AXIS=NAME,…"
        ),
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="Short series and fewer conditions: a minute.")] = False,
    cross: Annotated[bool, typer.Option("--cross", help="Every condition with every other: hours.")] = False,
    replicas: Annotated[int, typer.Option("--replicas", help="Series of each setting.", min=1, metavar="N")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other series.", metavar="N")] = 0,
    budget: Annotated[
        str | None, typer.Option("--budget", help="One budget for all time frames.", metavar="N/PERIOD")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write runs, tables, pictures and the page here; go on there.", metavar="DIR"),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the runs that the folder holds.")] = False,
    jobs: Annotated[int | None, typer.Option("--jobs", help="Series at a time; default one a core.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    debug: Annotated[bool, DEBUG] = False,
) -> None:
    """Try detectors on simulated series of every kind of metric and fault, and say where each is weak.

    From the usual condition (5 minutes, usual noise, nothing missing) one thing departs at a time. With --out a run
    that was stopped goes on where it was.
    """
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.robustness.files import write_all
    from watchband.apps.library.robustness.work import RUNS, run

    job = _job(detector, only or (), small, cross, replicas, seed, budget)
    if fresh and out and (out / RUNS).exists():
        (out / RUNS).unlink()
    with progress_bar(quiet=as_json, counts=True) as tell:
        found = run(job, out, jobs=jobs, tell=tell)
    written = write_all(job, found, out) if out else []
    if as_json:
        from watchband.apps.library.outputs.documents import to_json
        from watchband.apps.library.robustness.document import to_document

        typer.echo(to_json(to_document(job, found)), nl=False)
        return
    show(found)
    for path in written:
        typer.echo(f"Written: {path}")


def _job(
    detectors: Sequence[str] | None,
    only: Sequence[str],
    small: bool,
    cross: bool,
    replicas: int,
    seed: int,
    budget: str | None,
) -> Job:
    from watchband.apps.library.robustness.work import DETECTORS, SMALL_DETECTORS, Job
    from watchband.pipeline.rules import Budget, parse_rule

    limits: dict[str, list[str]] = {}
    for text in only:
        axis, equals, names = text.partition("=")
        if not equals or not names.strip():
            raise ConfigError(f"--only is written AXIS=NAME,NAME, for example kind=cpu,latency. Got {text!r}.")
        limits.setdefault(axis.strip(), []).extend(n.strip() for n in names.split(",") if n.strip())
    chosen = [*(detectors or ()), *limits.pop("detector", ())]
    per_alert = None
    if budget is not None:
        rule = parse_rule(budget)
        if not isinstance(rule, Budget):
            raise ConfigError(f"--budget is written N/PERIOD, for example 1/week. Got {budget!r}.")
        per_alert = round(rule.period_ns / rule.alerts)
    default = SMALL_DETECTORS if small else DETECTORS
    return Job(chosen or default, limits, small, cross, replicas, seed, per_alert)


def show(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the detectors, then where the first of them is weakest."""
    from rich.console import Console
    from rich.table import Table

    from watchband.apps.library.robustness.maps import said, words
    from watchband.core.wording import number
    from watchband.evaluation.robustness.cells import table, weakest

    console = Console(highlight=False)
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("detector", style="bold", no_wrap=True)
    for title in ("event F1", "found", "delay", "alerts a week", "x promise"):
        shown.add_column(title, justify="right")
    cells = {c.key["detector"]: c for c in table(outcomes, ("detector",))}
    for name in dict.fromkeys(o.detector for o in outcomes):
        if (c := cells.get(name)) is None:
            continue
        texts = [f"{c.f1.value:.2f} ({c.f1.low:.2f}–{c.f1.high:.2f})", f"{c.counts[0]} of {c.events}"]
        texts += [number(c.delay.value) if c.delay.value < float("inf") else "never"] if c.events else [""]
        for figure in (c.alerts_per_week, c.promise):
            texts.append(f"{number(figure.value)} ({number(figure.low)}–{number(figure.high)})")
        shown.add_row(name, *(texts if c.events else ["", *texts[1:]]))
    console.print(shown)
    console.print("\n[dim]Usual condition; median delay in points over all faults; 95 % intervals.[/dim]")
    if outcomes and (worst := weakest(outcomes, outcomes[0].detector, WEAKEST)):
        console.print(f"\nWhere {outcomes[0].detector} is weakest")
        for cell in worst:
            console.print(f"  [bold]{words(cell.key['fault'])}[/bold] of {words(cell.key['kind'])}: {said(cell)}")
