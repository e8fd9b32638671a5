"""Kernels under AddressSanitizer and Miri: ``python -m tools.sanitize [STATES]``.

Wants rustup's nightly compiler (``rustup toolchain install nightly -c miri,rust-src``) and gcc's ``libasan``.
AddressSanitizer watches the kernels' own tests, then damaged states of every detector, read and stepped in Python with
an extension built for it; Miri interprets the kernels' tests but for the long ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.instructions import ROOT, run

TARGET = ROOT / "target" / "sanitized"
CARGO = ("cargo", "+nightly")


def call(command: list[str | Path], extra: Mapping[str, str]) -> None:
    """Run a command in the repository, with its output shown.

    Raises
    ------
    RuntimeError
        It failed: what it printed says why.
    """
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **extra}, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed with {done.returncode}")


def host() -> str:
    """The machine that the compiler builds for."""
    return next(line.split()[1] for line in run(["rustc", "-vV"]).splitlines() if line.startswith("host:"))


def address(states: str) -> None:
    """The kernels' tests, then damaged states in Python."""
    options = ["--release", "--target", host(), "--target-dir", TARGET]
    flags = "-Zsanitizer=address"
    call([*CARGO, "test", "--lib", *options], {"RUSTFLAGS": flags})
    # Python itself is not built for it: its runtime is gcc's, there before all else.
    flags += " -Zexternal-clangrt"
    plain = {"CARGO_PROFILE_RELEASE_LTO": "off", "RUSTFLAGS": flags}
    call([*CARGO, "build", "--features", "extension-module", *options], plain)
    runtime = run(["gcc", "-print-file-name=libasan.so"]).strip()
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "watchband"
        shutil.copytree(ROOT / "python" / "watchband", package, ignore=shutil.ignore_patterns("*.so"))
        shutil.copy(TARGET / host() / "release" / "lib_kernels.so", package / "_kernels.abi3.so")
        paths = os.pathsep.join([folder, str(ROOT)])
        watched = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": paths}
        call([sys.executable, "-m", "tests.contract.fuzzing", states], watched)


def interpreted() -> None:
    """The kernels' tests in Miri."""
    long = ["--skip", "workload", "--skip", "stays_sorted"]
    call([*CARGO, "miri", "test", "--lib", "--target-dir", TARGET / "miri", "--", *long], {})


def main(arguments: list[str]) -> int:
    address(arguments[0] if arguments else "10")
    interpreted()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
