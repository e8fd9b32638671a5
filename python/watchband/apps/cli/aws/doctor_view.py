"""What ``watchband aws doctor`` prints for people."""

from __future__ import annotations

import json

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from watchband.apps.aws_doctor.finding import ADVICE, LEVELS, MISSING, OK, UNKNOWN, Report
from watchband.apps.cli.terminal import FAULT, WIDTH_MAX

MARKS = {MISSING: ("missing", FAULT), ADVICE: ("advice ", "bold"), UNKNOWN: ("unknown", "dim"), OK: ("ok     ", "dim")}


def show(report: Report, path: str | None, console: Console | None = None) -> None:
    """Print what was found: what stops a start first, then the policy that lacks."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    console.print(Text(f"AWS for {path}" if path else "AWS, without a configuration", style="bold"))
    for level in LEVELS:
        for one in report.findings:
            if one.level != level:
                continue
            mark, style = MARKS[level]
            line = Text.assemble((mark, style), "  ", (f"{one.about}: ", "dim"), one.says)
            console.print(Padding(line, (0, 0, 0, 2)), width=width)
            if one.fix:
                console.print(Padding(Text(one.fix, style="dim"), (0, 0, 0, 11)), width=width)
    policy = report.policy()
    if policy is not None:
        console.print(Text("\nAdd to a policy of these credentials:", style="bold"))
        # Not wrapped: it is to be copied.
        console.print(json.dumps(policy, indent=2), soft_wrap=True)
    count = len(report.missing)
    end = "It can run." if not count else f"{count} thing is missing." if count == 1 else f"{count} things are missing."
    console.print(Text(f"\n{end}", style="bold"))
