"""What a test needs and does not find is said in one line; in CI it is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDY = "tests/apps/test_acceptance.py"


@pytest.mark.parametrize(("ci", "code"), [("false", pytest.ExitCode.NO_TESTS_COLLECTED), ("true", 4)])
def test_absent_data_is_told(tmp_path: Path, ci: str, code: int) -> None:
    environment = {**os.environ, "WATCHBAND_DATA": str(tmp_path), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEEDY]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "data tests were not run: labelled data not found (set WATCHBAND_DATA)" in done.stdout + done.stderr
    assert ("deselected" in done.stdout) == (ci == "false")
