"""Count the instructions a point that kernels spend on fixed work: ``python -m tools.instructions [--write]``.

The work is that of ``rust/workload.rs`` and ``rust/workload_light.rs``, the counter is Valgrind's callgrind: unlike a
time, the count is the same on a busy machine. It is compared with ``benches/instructions.json`` and may differ by
``TOLERANCE``; with ``--write`` that file is written anew. Counts are those of one compiler; under another they are
shown and not compared.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benches" / "instructions.json"
WORKS = {
    "forest_scores": "workload",
    "forest_learns": "workload",
    "forest_scores_eight_values": "workload",
    "light_scores": "workload_light",
}
"""Each work with the module of the kernels' tests that holds it."""

POINTS = 200
"""Points that each work counts, as in the modules."""
TOLERANCE = 0.05


def run(command: Sequence[str | Path]) -> str:
    """Standard output and error of a command.

    Raises
    ------
    RuntimeError
        It failed, or is not installed.
    """
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"{command[0]} is not installed: apt-get install {command[0]}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def compiler() -> str:
    """Version of the compiler, such as 1.95.0."""
    return run(["rustc", "--version"]).split()[1]


def binary() -> Path:
    """The kernels' own tests, built if they are not."""
    lines = run(["cargo", "test", "--release", "--lib", "--no-run", "--message-format=json"]).splitlines()
    built = [json.loads(line) for line in lines if line.startswith("{")]
    return next(Path(item["executable"]) for item in built if item.get("executable"))


def count(tests: Path, work: str) -> int:
    """Instructions a point of one work."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*workload*counted*"]
        command = ["valgrind", *options, f"--callgrind-out-file={folder}/out", tests]
        said = run([*command, "--exact", f"{WORKS[work]}::{work}", "--test-threads=1"])
    found = re.search(r"Collected : (\d+)", said)
    if found is None or found[1] == "0":
        raise RuntimeError(f"nothing was counted for {work}:\n{said}")
    return int(found[1]) // POINTS


def measure() -> dict[str, int]:
    """Instructions a point, by work."""
    tests = binary()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(WORKS, pool.map(lambda work: count(tests, work), WORKS), strict=True))


def compare(found: dict[str, int], recorded: dict[str, int]) -> list[str]:
    """What is more than ``TOLERANCE`` away from what is recorded, in words."""
    problems = []
    for work, number in found.items():
        change = number / recorded[work] - 1 if work in recorded else float("inf")
        if abs(change) > TOLERANCE:
            problems.append(
                f"{work}: {number:,} instructions a point, recorded {recorded.get(work, 0):,} ({change:+.1%}, allowed "
                f"{TOLERANCE:.0%}). If that is meant: python -m tools.instructions --write"
            )
    return problems


def main(arguments: Sequence[str]) -> int:
    found, by = measure(), compiler()
    if "--write" in arguments:
        RECORDED.write_text(json.dumps({"compiler": by, "instructions_per_point": found}, indent=1) + "\n")
    recorded = json.loads(RECORDED.read_text())
    lines = [f"{work}: {number:,} instructions a point" for work, number in found.items()]
    problems = compare(found, recorded["instructions_per_point"])
    if by != recorded["compiler"]:
        lines.append(f"not compared: recorded with rustc {recorded['compiler']}, this is {by}")
        problems = []
    sys.stdout.write("\n".join([*lines, *problems]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
