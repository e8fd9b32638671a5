"""The bench of the service measures what it says."""

from __future__ import annotations

from benches.service.fold import TAIL, folded


def test_entries_are_folded_stored_and_restored() -> None:
    found = folded("light", 40, 2)
    assert (found.points, found.series) == (80, 40)
    assert found.ns_a_point > 0
    assert found.state_bytes > 40 * 100
    assert found.log_bytes > 0
    assert f"{TAIL} entries" in "\n".join(found.lines())
