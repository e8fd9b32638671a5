"""``python -m benches.service [fold|wire|rules|killed ...] [--series N] [--entries N]``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from benches.service.fold import Folded, folded
from benches.timing import machine

if TYPE_CHECKING:
    from benches.service.killed import Killed
    from benches.service.rules import Ruled
    from benches.service.wire import Wired

PARTS = ("fold", "wire", "rules", "killed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.service", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"which; all if none is named: {', '.join(PARTS)}")
    parser.add_argument("--series", type=int, default=100_000, help="for `light`; `auto` gets a twentieth")
    parser.add_argument("--entries", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args()
    unknown = set(given.part) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {min(unknown)!r}; there are {', '.join(PARTS)}")
    about, found = machine(), []
    if not given.json:
        print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}")
    for part in given.part or PARTS:
        for result in _run(part, given.series, given.entries):
            found.append({"part": part, **asdict(result)})
            if not given.json:
                print("\n".join(result.lines()), flush=True)
    if given.json:
        print(json.dumps({"machine": about, "measured": found}, indent=1))


def _run(part: str, series: int, entries: int) -> Iterator[Folded | Killed | Ruled | Wired]:
    if part == "fold":
        yield folded("light", series, entries)
        yield folded("auto", series // 20, entries)
    elif part == "rules":
        from benches.service.rules import beside_rules

        yield beside_rules(max(series // 100, 20))
    elif part == "killed":
        from benches.service.killed import killed

        yield killed("light", series // 20)
        yield killed("auto", max(series // 200, 10))
    else:
        from benches.service.wire import served

        yield served("light", series // 5)
        yield served("auto", series // 50)


if __name__ == "__main__":
    main()
