"""The bench of the service measures what it says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benches.service.fold import TAIL, folded
from benches.service.rules import RULES
from tests.adapters.servers import program


def test_entries_are_folded_stored_and_restored() -> None:
    found = folded("light", 40, 2)
    assert (found.points, found.series) == (80, 40)
    assert found.ns_a_point > 0
    assert found.state_bytes > 40 * 100
    assert found.log_bytes > 0
    assert f"{TAIL} entries" in "\n".join(found.lines())


def test_the_rules_it_is_measured_beside_are_rules(tmp_path: Path) -> None:
    (tmp_path / "band.yml").write_text(RULES.format(interval=60))
    found = subprocess.run(
        [program("promtool", "prometheus"), "check", "rules", str(tmp_path / "band.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "6 rules found" in found.stdout
