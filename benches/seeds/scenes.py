"""Seeds 003 and 004 on our generator: an evaporator that freezes up, four hosts with six incidents."""

from __future__ import annotations

import numpy as np

import watchband as wb
from benches.seeds.figure import Figure, Verdict, counted
from watchband.analysis.risk.fit import Settings, fit
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.rows import Rows
from watchband.core.points import Float64, Points
from watchband.detectors import RandomCutForest
from watchband.evaluation.simulate.scenes.evaporator import MINUTE_NS, evaporator
from watchband.evaluation.simulate.scenes.hosts import CORE, INCIDENT_HOST, INCIDENTS, ROWS, START_NS, STEP_NS, hosts
from watchband.features.cloudwatch10 import CLOUDWATCH10

EVAPORATOR = "our generator with the seed's values and counts: watchband simulate evaporator"
HOSTS = "our generator after the seed's recipe: watchband simulate hosts"
FOREST = "random_cut_forest:trees=50,samples=23,shingle=1"


def _clock(time: int) -> str:
    return str(np.datetime64(time, "ns"))[11:16]


def trained_scores(seed: int = 0) -> Float64:
    """As the seed does it: a forest of all 1,160 readings, 23 a tree, asked about each of them; nothing is learned."""
    track = evaporator().series[0]
    values = np.asarray(track.values)
    detector = RandomCutForest(trees=50, samples=23, shingle=1, seed=seed)
    state = detector.start()
    detector.step(state, Points.of(track.times, values))
    later = int(track.times[-1]) + MINUTE_NS
    told = {value: detector.step(state.copy(), Points.of([later], [value])).score[0] for value in np.unique(values)}
    return np.array([told[value] for value in values])


def of_the_evaporator() -> list[Figure]:
    """Nine flags at both cut-offs, and the alert."""
    track = evaporator().series[0]
    values, scores = np.asarray(track.values), trained_scores()
    found = []
    for k in (2.5, 3.0):
        at = np.flatnonzero(scores > scores.mean() + k * scores.std())
        span = f"{_clock(int(track.times[at[0]]))} to {_clock(int(track.times[at[-1]]))}" if len(at) else "none"
        same = f"{span}; a plain mean + {k:g} σ of the temperature flags the same"
        remark = same if _plainly(k) == at.tolist() else span
        name = f"readings beyond mean + {k:g} σ"
        found.append(counted("003", name, 9, len(at), EVAPORATOR, "make reproduce-seeds", remark))
    live = wb.detect((track.times, values), detector=FOREST, sigma="2.5", consecutive=5, direction="above")
    told = [_clock(alert.decided) for alert in live.alerts]
    verdict: Verdict = "same" if told == ["12:06"] else "differs"
    command = f"watchband detect FILE --detector {FOREST} --sigma 2.5 --consecutive 5 --direction above"
    after = "live, point by point: four minutes after the onset, where 5 to 10 are asked"
    usual, odd = scores[scores < 3], scores[scores >= 3]
    here = f"{odd.min():.2f} to {odd.max():.2f}"
    scale = (
        f"SageMaker's own scale; usual readings {usual.min():.2f} to {usual.max():.2f} here, 1.39 to 2.1 there; the "
        "decisions are the same"
    )
    return [
        *found,
        Figure("003", "alert at the fifth in a row", "12:06", ", ".join(told), verdict, EVAPORATOR, command, after),
        Figure("003", "scores of the event", "4.156, 4.175", here, "cannot be had", EVAPORATOR, "", scale),
    ]


def _plainly(k: float) -> list[int]:
    values = np.asarray(evaporator().series[0].values)
    return np.flatnonzero(values > values.mean() + k * values.std()).tolist()


def host_rows() -> Rows:
    """Four hosts by 4,033 rows of the ten features."""
    columns = hosts().columns
    times = np.tile(START_NS + STEP_NS * np.arange(ROWS, dtype=np.int64), 4)
    values = np.stack([columns[name] for name in CORE], axis=1)
    return Rows(np.repeat(np.arange(4), ROWS).astype(np.int32), times, values)


def of_the_hosts() -> list[Figure]:
    """Rows, the six incidents by a robust z of each host, and by the model of risk."""
    rows = host_rows()
    cpu = rows.values[:, 0].reshape(4, ROWS)
    middle = np.median(cpu, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(cpu - middle), axis=1, keepdims=True)
    host, at = np.nonzero((cpu - middle) / spread > 8)
    moments = [str(np.datetime64(START_NS + STEP_NS * int(i), "ns"))[5:16] for i in at]
    right = moments == list(INCIDENTS) and set(host.tolist()) == {INCIDENT_HOST}
    names = ["1", "2", "3", "4"]
    fitted = fit(rows.chunks, CLOUDWATCH10, names, STEP_NS, Settings(sample=3_000))
    labels = fitted.labeller.label(rows, fitted.labeller.known(names))
    critical = int((labels.state == Risk.CRITICAL).sum())
    found: Verdict = "same" if right else "differs"
    named: Verdict = "wrong there" if critical == len(INCIDENTS) else "differs"
    make, risk = "watchband simulate hosts --out hosts.csv", "watchband risk hosts.csv --feature cloudwatch10"
    csv = "their CSV, which has no licence; its clusters are the four hosts, stacked without an id"
    busy = "there the busy host's ordinary load; here the six incidents and nothing else"
    at_their_times = "at the seed's six times, on the busy host"
    incidents, again = "incidents by a robust z > 8 of each host's CPU", "make reproduce-seeds"
    sizes = "2; 3818 / 3895 / 3916 / 4503"
    return [
        counted("004", "rows of the four hosts", 16_132, len(rows), HOSTS, make),
        Figure("004", incidents, "6", str(len(at)), found, HOSTS, again, at_their_times),
        Figure("004", "rows called Critical", "2,633", str(critical), named, HOSTS, risk, busy),
        Figure("004", "k by Davies-Bouldin; sizes of KMeans(4)", sizes, "", "cannot be had", "", risk, csv),
        Figure("004", "DBSCAN noise", "2,081", "", "cannot be had", "", risk, "the same CSV; half the busiest host"),
    ]


def figures() -> list[Figure]:
    """Everything of seeds 003 and 004."""
    return [*of_the_evaporator(), *of_the_hosts()]
