"""Instructions of fixed work: a kernel that needs more of them than recorded is slower, whatever the clock says."""

from __future__ import annotations

import json

import pytest

from tools.instructions import RECORDED, WORKS, compare, compiler, measure


@pytest.mark.valgrind
@pytest.mark.timeout(900)
def test_fixed_work_takes_as_many_instructions_as_recorded() -> None:
    recorded = json.loads(RECORDED.read_text())
    found = measure()
    # Another compiler makes other code; that the work runs and is counted holds for all.
    assert set(found) == set(WORKS)
    if compiler() == recorded["compiler"]:
        assert compare(found, recorded["instructions_per_point"]) == []


def test_a_change_is_told_with_what_to_do() -> None:
    assert compare({"a": 104, "b": 96}, {"a": 100, "b": 100}) == []
    (slower, quicker, unknown) = compare({"a": 106, "b": 94, "c": 1}, {"a": 100, "b": 100})
    assert "a: 106 instructions a point, recorded 100 (+6.0%, allowed 5%)" in slower
    assert "(-6.0%" in quicker
    assert "--write" in unknown
