"""Compile the lock files: exact versions with hashes, without download addresses.

``run`` is what ``make demo`` needs, ``dev`` what ``make check`` needs, ``bench`` the peers on top.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = "maturin==1.16.0"
LOCKS = {"run": [], "dev": ["dev"], "bench": ["dev", "bench"]}


def main() -> None:
    for name, extras in LOCKS.items():
        build = ROOT / "requirements" / "build.in"
        build.write_text(f"{BUILD}\npip\nsetuptools\n")
        command = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "--no-header",
        ]
        command += [
            "--no-annotate",
            "--upgrade",
            "--python-version",
            "3.11",
            "--universal",
        ]
        command += [f"--extra={extra}" for extra in extras]
        command += ["pyproject.toml", str(build.relative_to(ROOT)), "-o", f"requirements/{name}.txt"]
        subprocess.run(command, cwd=ROOT, check=True)
        build.unlink()


if __name__ == "__main__":
    main()
