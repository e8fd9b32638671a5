"""Early: alerts that rest on so little history that people are told only if they last until there is more of it."""

from __future__ import annotations

import numpy as np

from watchband.core.alert import Kind
from watchband.pipeline.bound import Bound
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget

PLAIN: frozenset[Kind] = frozenset({"out of range", "no data", "stuck", "drift", "breach"})
"""Kinds that need no history to be sure of."""
LASTING = 20
"""Points beyond the limit after which an alert is told however young its series: what lasts is no chance."""


def too_early(bound: Bound, results: Results) -> frozenset[str]:
    """Ids of the alerts of a batch that are kept and not told yet.

    Those whose series has not come to ``tell_after`` points at the end of the batch, where a budget decides: a cut-off
    or a logical range is somebody's own word, and what has ``LASTING`` points of its own speaks for itself. It is told
    once it goes on behind that, as what lasts from the past is; of one that ends before nobody hears. The age counts
    and not ``confidence``, which stands still while a detector holds back an outage. Cost: O(points), and only while
    series are young.
    """
    if not results.alerts or not len(results) or not isinstance(bound.watch.rule, Budget):
        return frozenset()
    if not bound.tell_after or int(results.ordinal.min()) >= bound.tell_after:
        return frozenset()
    last = np.full(len(results.keys), bound.tell_after)
    # Points of a series stand in the order of time, and of several places the last one stays.
    last[results.row] = results.ordinal + 1
    # By the results' own rows: the state's are others where series have ended.
    place = {key: row for row, key in enumerate(results.keys)}
    doubtful = (a for a in results.alerts if a.kind not in PLAIN and a.points < LASTING)
    young = (a for a in doubtful if last[place[a.series]] < bound.tell_after)
    return frozenset(alert.id for alert in young)
