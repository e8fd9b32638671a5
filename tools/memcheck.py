"""Look over every access to memory of the kernels with Valgrind: ``python -m tools.memcheck [STATES]``.

First the kernels' own tests, then damaged states of every detector, read and stepped in Python; of what Valgrind finds
there, what has no kernel on its stack is the interpreter's and is left out. So is memory that is never given back: what
is looked for is memory that is read or written where it should not be.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tools.instructions import ROOT, binary


def errors(command: list[str | Path], mark: str) -> list[str]:
    """Kinds of errors with ``mark`` on their stack.

    Raises
    ------
    RuntimeError
        The command itself failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["--tool=memcheck", "--xml=yes", f"--xml-file={report}"]
        path = os.pathsep.join(["python", ".", os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONPATH": path}
        done = subprocess.run(["valgrind", *options, *command], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed with {done.returncode}")
        found = ElementTree.parse(report).getroot().findall("error")
    kinds = [error.findtext("kind", "") for error in found if mark in ElementTree.tostring(error, "unicode")]
    return [kind for kind in kinds if not kind.startswith("Leak_")]


def main(arguments: list[str]) -> int:
    states = arguments[0] if arguments else "10"
    found = [
        *errors([binary(), "--test-threads=1"], ""),
        *errors([sys.executable, "-m", "tests.contract.fuzzing", states], "_kernels"),
    ]
    sys.stdout.write(f"{len(found)} errors {found}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
