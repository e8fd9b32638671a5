"""Seeded worlds in which everything fails: alerts, scores and notices are those of an undisturbed run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, Patch, broken
from tests.simulation.world import World, simulate

SEEDS = int(os.environ.get("WATCHBAND_SIMULATIONS", "2000"))
CHUNK = 50
ON_DISK = 8
"""Every so many seeds one is run over SQLite too."""
CAUGHT_WITHIN = 400


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the engine says of failing stores is not news here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_whatever_fails_the_outcome_is_that_of_an_undisturbed_run(first: int, tmp_path: Path) -> None:
    for seed in range(first, min(SEEDS, first + CHUNK)):
        world = World(seed, tmp_path / str(seed) if seed % ON_DISK == 0 else None)
        try:
            simulate(world)
        except Exception as error:
            error.add_note(f"make simulate SEED={seed}")
            raise
        finally:
            world.close()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__)
def test_a_broken_runner_is_caught(mutant: Callable[[Patch], None]) -> None:
    with broken(mutant):
        for seed in range(CAUGHT_WITHIN):
            try:
                simulate(World(seed))
            except Exception:
                return
    raise AssertionError(f"{CAUGHT_WITHIN} worlds noticed nothing")
