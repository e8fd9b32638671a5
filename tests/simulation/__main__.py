"""``python -m tests.simulation SEED`` replays a world and says what happened; ``--through N`` looks for a bad one."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback

from tests.simulation.world import SHARD, World, simulate
from watchband.core.duration import MINUTE


def say(line: str) -> None:
    """One line."""
    sys.stdout.write(line + "\n")


def show(world: World) -> None:
    """The trace, the log and the alerts of a world."""
    for line in world.trace:
        say(line)
    for entry in world.inner.log(SHARD, 0):
        slices = [
            f"{r.source}/{r.key.labels['host']} {r.arrival.name} {(r.times // MINUTE).tolist()}" for r in entry.readings
        ]
        say(f"entry {entry.sequence}: {'; '.join(slices)} {list(entry.events) or ''}")
    for alert in world.inner.alerts():
        closed = "open" if alert.closed is None else f"until {alert.closed // MINUTE}"
        say(f"alert {alert.id} {alert.watch} {alert.series} {alert.kind} from {alert.opened // MINUTE} {closed}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, help="the first seed")
    parser.add_argument("--through", type=int, help="run all seeds up to this one, and stop at the first that fails")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for seed in range(given.seed, (given.through or given.seed) + 1):
        world = World(seed)
        try:
            simulate(world)
        except Exception:
            show(world)
            traceback.print_exc()
            say(f"Seed {seed} fails: make simulate SEED={seed}")
            return 1
        if given.through is None:
            show(world)
        world.close()
    say("Every promise was kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
