"""A profile as plain data: what ``--json`` prints and ``profile.json`` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchband.analysis.profile.course import Course
from watchband.analysis.profile.far import FarOut
from watchband.analysis.profile.profile import Profile
from watchband.analysis.profile.together import Together
from watchband.analysis.profile.values import QUANTILES
from watchband.apps.library.moments import iso
from watchband.apps.library.outputs.documents import FORMAT
from watchband.apps.library.profiling import sentences
from watchband.apps.library.profiling.sentences import finite

if TYPE_CHECKING:
    from watchband.apps.library.profiling.result import Profiles

SECOND = 1e9


def document(found: Profiles) -> dict[str, Any]:
    """Everything; seconds for lengths of time, RFC 3339 for moments, None where something is not known."""
    from watchband import __version__

    return {
        "watchband": __version__,
        "format": FORMAT,
        "title": found.title,
        "verdict": found.headline,
        "timezone": found.timezone,
        "counts": {"series": len(found.series), "readings": found.rows, "with_faults": len(found.faulty)},
        "notes": found.notes,
        "left_out": found.problems,
        "next": [{"command": a.command, "why": a.why} for a in found.advice],
        "series": [_series(p, found.timezone) for p in found.series],
        "together": None if found.together is None else _together(found.together),
    }


def _series(p: Profile, zone: str) -> dict[str, Any]:
    spacing, values, still = p.spacing, p.values, p.still
    return {
        "series": str(p.key),
        "verdict": sentences.headline(p),
        "weight": round(p.weight, 3),
        "findings": [
            {"kind": f.kind, "fault": f in p.faults, "says": sentences.finding(f, p, zone)} for f in p.findings
        ],
        "readings": p.rows,
        "looked_at": p.looked,
        "first": iso(spacing.first),
        "last": iso(spacing.last),
        "interval": spacing.interval / SECOND,
        "regular": finite(spacing.regular),
        "gaps": spacing.gaps,
        "absent": spacing.absent,
        "absent_share": finite(spacing.absent_share),
        "longest_gaps": [{"start": iso(g.start), "end": iso(g.end), "absent": g.absent} for g in spacing.longest],
        "duplicates": spacing.duplicates,
        "out_of_order": spacing.backwards,
        "missing": values.missing,
        "infinite": values.infinite,
        "kind": values.kind,
        "distinct": values.distinct,
        "minimum": finite(values.low),
        "maximum": finite(values.high),
        "mean": finite(values.mean),
        "deviation": finite(values.deviation),
        "quantiles": {f"{q:g}": finite(v) for q, v in zip(QUANTILES, values.quantiles, strict=True)},
        "zeros": finite(values.zeros),
        "resolution": finite(values.resolution),
        "skew": finite(values.skew),
        "stuck": {
            "stretches": still.stuck,
            "points": still.points,
            "usual_points": still.usual,
            "longest": [
                {"start": iso(s.start), "end": iso(s.end), "points": s.points, "value": finite(s.value)}
                for s in still.longest
            ],
        },
        "seasons": [
            {"name": s.name, "period": s.period / SECOND, "cycles": finite(s.cycles), "strength": finite(s.strength),
             "chance": finite(s.chance), "there": s.there}
            for s in p.seasons.tried
        ],
        "level": None if p.course is None else _course(p.course, p, zone),
        "far": None if p.far is None else _far(p.far),
        "uses": [{"name": u.name, "enough": u.enough, "says": sentences.use(u)} for u in p.uses],
    }  # fmt: skip


def _course(found: Course, p: Profile, zone: str) -> dict[str, Any]:
    slope = found.slope
    return {
        "verdict": found.verdict,
        "says": sentences.course(found, p.key.metric, zone),
        "kpss_level": finite(found.level_test),
        "kpss_trend": finite(found.trend_test),
        "slope_per_day": None if slope is None else finite(slope.per_day),
        "slope_low": None if slope is None else finite(slope.low),
        "slope_high": None if slope is None else finite(slope.high),
        "step_at": iso(found.step_at) if found.step_at else None,
        "noise_ratio": finite(found.noise_ratio),
        "spread": finite(found.spread),
    }


def _far(found: FarOut) -> dict[str, Any]:
    return {
        "points": found.points,
        "stretches": found.stretches,
        "farthest": [
            {"start": iso(f.start), "end": iso(f.end), "points": f.points, "value": finite(f.value),
             "usual": finite(f.usual), "distance": finite(f.distance)}
            for f in found.farthest
        ],
    }  # fmt: skip


def _together(found: Together) -> dict[str, Any]:
    return {
        "bucket": found.bucket / SECOND,
        "compared": found.compared,
        "pairs": [
            {"one": p.one, "other": p.other, "correlation": finite(p.whole), "without_day": finite(p.rest),
             "low": finite(p.low), "high": finite(p.high), "buckets": p.buckets}
            for p in found.pairs
        ],
    }  # fmt: skip
