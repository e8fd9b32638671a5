"""``make aws-demo``: an account on this machine, two stories in it, and a table of what happened."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.aws_demo import cold_store, four_hosts
from tools.aws_demo.account import account
from tools.aws_demo.outcome import Outcome, of_the_cold_store, of_the_hosts


def main() -> int:
    """Play both; 0 if everything came as it should."""
    console = Console(highlight=False, soft_wrap=True)
    console.print("Starting DynamoDB Local, Kinesalite, and Moto for S3 and SNS, on the loopback ...")
    with account() as there, tempfile.TemporaryDirectory(prefix="watchband-aws-demo-") as folder:
        console.rule("A cold store: its instruments are asked every minute")
        day = cold_store.play(there, Path(folder), console.print)
        console.rule("Four hosts: two weeks of rows through Kinesis")
        weeks = four_hosts.play(there, Path(folder), console.print)
    outcomes = [*of_the_cold_store(day), *of_the_hosts(weeks)]
    console.print(_table(outcomes))
    for cutoff in day.cutoffs:
        console.print(f"cut-off history: {cutoff}")
    console.print("risk: rows of each host by state (Idle, Normal, High Load, Critical)")
    for host, counts in sorted(weeks.states.items()):
        console.print(f"  host {host}: {counts}")
    for name, spent in (("cold store", day.spent), ("four hosts", weeks.spent)):
        console.print(
            f"{name}: the function was called {len(spent)} times; {statistics.median(spent) * 1e3:.0f} ms in the "
            f"middle, {max(spent) * 1e3:.0f} ms at most"
        )
    return 0 if all(one.right for one in outcomes) else 1


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(title="What happened")
    for column in ("", "expected", "came"):
        table.add_column(column)
    for one in outcomes:
        table.add_row(one.what, one.expected or "", one.came, style="" if one.right else "bold red")
    return table


if __name__ == "__main__":
    sys.exit(main())
