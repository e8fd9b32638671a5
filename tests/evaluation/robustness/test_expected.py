"""The small form beside what was recorded: it may only improve.

Where this fails on purpose: ``python -m tools.robustness --write`` records an improvement, ``--accept WHY`` a trade.
"""

from __future__ import annotations

import json

import pytest

from tools.robustness import RECORDED, found
from watchband.evaluation.robustness.expect import worse


# Half a minute of work, on a machine that may have other things to do.
@pytest.mark.timeout(900)
def test_nothing_worsened_beyond_the_tolerance() -> None:
    recorded = json.loads(RECORDED.read_text())["expected"]
    now = found(jobs=1)
    assert set(now) == set(recorded)
    problems = worse(now, recorded)
    assert not problems, "\n".join(["", *map(str, problems), "python -m tools.robustness --write or --accept WHY"])
