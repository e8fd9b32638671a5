"""The small form beside what was recorded: it may only improve.

Where this fails on purpose: ``python -m tools.robustness --write`` records an improvement, ``--accept WHY`` a trade.
"""

from __future__ import annotations

import json

from tools.robustness import RECORDED, found
from watchband.evaluation.robustness.expect import worse


def test_nothing_worsened_beyond_the_tolerance() -> None:
    recorded = json.loads(RECORDED.read_text())["expected"]
    now = found(jobs=1)
    assert set(now) == set(recorded)
    problems = worse(now, recorded)
    assert not problems, "\n".join(["", *map(str, problems), "python -m tools.robustness --write or --accept WHY"])
