"""Coverage-guided fuzzing of all that reads bytes from outside: ``python -m tools.fuzz [TARGET …] [--seconds 60]``.

Each target of ``tests/fuzz/targets.py`` runs in a process of its own, from its seeds and what earlier runs found (kept
in ``.fuzz``, not in the repository). A crash, an error that is no refusal, an input that takes longer than ten seconds
or more than 2 GB ends the run and leaves the input in ``.fuzz/TARGET/``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".fuzz"
TIMEOUT_S, MEMORY_MB, LENGTH = 10, 2048, 8192
INSIDE = "--inside"
INSTRUMENTED = ("watchband.adapters", "watchband.core")


def fuzz(name: str, seconds: int) -> int:
    """Run one target in this process; never returns to its caller when the fuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.fuzz.targets import TARGETS, seeds

    folder = KEPT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number:03d}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={TIMEOUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LENGTH}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()
    return 0


def main() -> int:
    if INSIDE in sys.argv:
        # Before anything that is to be guided is imported.
        return fuzz(sys.argv[1], int(sys.argv[-1]))
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"which; all if none is named: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    given = parser.parse_args()
    unknown = sorted(set(given.target) - set(TARGETS))
    if unknown:
        parser.error(f"no target is called {unknown[0]!r}; there are {', '.join(TARGETS)}")
    failed = []
    for name in given.target or TARGETS:
        command = [sys.executable, "-m", "tools.fuzz", name, INSIDE, str(given.seconds)]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        said = [line for line in found.stderr.splitlines() if line.startswith(("stat::number", "stat::new_units"))]
        print(f"{name}: {'ok' if found.returncode == 0 else 'FAILED'}  {'  '.join(said)}", flush=True)
        if found.returncode:
            failed.append(name)
            print(found.stderr[-4000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
