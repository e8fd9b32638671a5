"""The seasonal band's loop: expect, score, learn."""

from __future__ import annotations

import math

import numpy as np

from tests.reference.seasonal_band import DAY, SlowBand, clip

Answer = tuple[float, float, float, float, float, float]
NOTHING = (math.nan,) * 5


def in_range(band: SlowBand, value: float) -> float:
    low = max(band.low, 0.0) if band.c["negative"] == 0.0 else band.low
    return min(max(value, min(low, band.high)), band.high)


def habits(band: SlowBand, value: float, dt: float) -> None:
    c = band.c
    pace = 1.0 / (c["seen"] + 1.0)
    c["whole"] += (float(math.floor(value) == value) - c["whole"]) * (max(pace, 0.005) if c["seen"] >= 8 else pace)
    step, c["last"] = abs(value - c["last"]), value
    c["changes"] /= 1.0 + dt / (7.0 * DAY)
    if c["seen"] and step:
        c["changes"] += 1.0
        q = c["quantum"]
        if q == 0.0:
            c["quantum"] = step
        elif step < q:
            c["quantum"] = min(max(0.8 * q, step), 16.0 * step)
        else:
            c["quantum"] = min(1.05 * q, step)


def outlook(band: SlowBand, time: int) -> dict:
    c, s = band.c, band.season(band.moment(time))
    long = c["level"] + s["total"]
    short = band.short() - (1.0 - s["worth"]) * (1.0 - c["doubt"]) * s["news"]
    expected = in_range(band, long + short)
    near = c["near"] * s["spread"]
    young = max(0.0, 1.0 - (time - band.first) * 1e-9 / DAY)
    far = max(near, c["far"] * (1.0 + 2.0 * young * min(1.0, c["since"] / 10800.0)))
    square = near**2 + (far**2 - near**2) * c["doubt"] + s["unsure"]
    square *= 1.0 + 12.0 / c["seen"]
    if c["whole"] > 0.99 and 0.0 <= c["level"] < 1e6 and c["far"] ** 2 >= 0.4 * c["level"]:
        square = max(square, expected, 0.25 * c["level"], 0.5 / c["seen"])
    scale = max(math.sqrt(square), band.floor())
    p = 0.5 * (1.0 - band.coverage)
    lower = in_range(band, min(expected, expected + scale * band.quantile(p, -1.0)))
    upper = in_range(band, max(expected, expected + scale * band.quantile(p, 1.0)))
    return {"s": s, "short": short, "long": long, "near": near, "said": (expected, lower, upper, scale)}


def is_followed(band: SlowBand, outside: bool, usual: bool, dt: float) -> bool:
    band.c["often"] *= 1.0 - min(1.0, max(dt / (14.0 * DAY), 1.0 / 3000.0))
    band.c["often"] += outside and band.run_out == 3
    if outside and usual and band.run_out >= 4:
        band.end_run()
        return True
    return False


def learn(band: SlowBand, o: dict, value: float, dt: float) -> str:
    c = band.c
    value = clip(value, 1e100)
    away = value - o["said"][0]
    z = away / o["said"][3]
    value = min(max(value, band.low), band.high)
    daily = o["s"]["daily"]
    u = value - c["level"] - (o["s"]["total"] - daily)
    gone, before = band.outside(z), band.run_out
    rest, fresh = value - o["long"], c["doubt"] == 0.0
    error = rest - o["short"]
    often = c["often"] > 2.5 and band.hold[0] < math.inf
    usual = often and 2 * band.run_known <= band.run_out
    striking = gone or abs(rest) > 3.0 * c["far"] or abs(rest - c["local"]) > 3.0 * c["ripple"]
    known = band.recall(o["s"]["m"], striking, value, rest, dt, often)
    outside = gone or (known is None and band.stays_away(z, away, u))
    full = not outside or usual
    band.learn_tail(clip(z, max(band.gate, 5.0)), 1.0 if full or before == 0 else 0.1 if before < 6 else 0.0)
    habits(band, value, dt)
    if band.gate == 0.0 or (band.run_n == 0 and int(c["seen"]) % 16 == 0):
        band.gate = min(20.0, max(5.0, 1.5 * max(band.quantile(0.01, 1.0), -band.quantile(0.01, -1.0))))
    verdict = band.judge(outside, known is not None, daily, u)
    if verdict == "adopted":
        return verdict
    c["seen"] += 1.0
    share = 1.0 if full or before < 2 else 0.1 if before < 36 else 0.0
    relative = error * c["near"] / o["near"]
    band.learn_worth(o["s"], error if fresh else None, dt)
    band.learn_scales(relative if fresh or usual else None, rest, dt, share, 8.0 if usual else 4.0)
    if is_followed(band, outside, usual, dt):
        band.lags = [rest] * 3
        c["doubt"] = c["since"] = c["streak"] = 0.0
        band.learn_level(clip(rest, 3.0 * c["far"]), clip(error, c["near"]), dt)
        return "calm"
    verdict = "calm" if usual else verdict
    if outside:
        band.coast(dt, True)
        if known:
            band.learn_season(o["s"], rest, dt, known)
        return verdict
    if value < 0.0:
        c["negative"] = 1.0
    clipped = clip(rest, 3.0 * c["far"])
    if fresh:
        band.learn_weights(clip(error, 3.0 * c["near"]))
    band.shift(rest - error + clip(error, 3.0 * o["said"][3]))
    c["doubt"], c["since"] = 0.0, 0.0
    band.learn_ripple(clipped, dt, fresh)
    if fresh:
        size = 1.2533 * min(abs(error), 4.0 * max(c["near"], c["base"]))
        c["base"] += max(min(0.02, dt / (4.0 * DAY)), 1.0 / (c["seen"] + 1.0)) * (size - c["base"])
        c["base"] = max(c["base"], band.floor())
        at = o["s"]["at"]["hour"]
        wanted = min(5.0, size / c["base"])
        for node, share in ((at[0], 1.0 - at[2]), (at[1], at[2])):
            short = wanted - float(band.value["spread"][node])
            band.learn_node("spread", (node, node, 0.0), short, share * min(dt, 3600.0))
    band.learn_season(o["s"], rest if known else clipped, dt, known or "all")
    band.learn_level(clipped, error, dt)
    return verdict


def step(band: SlowBand, time: int, value: float) -> Answer:
    """Score, expected, lower, upper, scale and flags of one point."""
    c = band.c
    dt = 0.0 if band.now is None else (time - band.now) * 1e-9
    if band.now is None:
        band.first = time
    else:
        band.passes(dt)
    band.now = time
    known = math.isfinite(value)
    if c["seen"] < 8:
        if known:
            value = clip(min(max(value, band.low), band.high), 1e100)
            habits(band, value, 0.0)
            c["negative"] = 1.0 if value < 0.0 else c["negative"]
            c["seen"] += 1.0
            band.head.append(value)
            if c["seen"] == 8:
                band.begin()
        return (*NOTHING, 4.0)
    o = outlook(band, time)
    flags = 4.0 if c["seen"] < 32 else 0.0
    if not known:
        flags += 1.0 if band.run_out >= 3 else 0.0
        band.learn_worth(o["s"], None, c["interval"])
        band.coast(c["interval"], False)
        return (math.nan, *o["said"], flags)
    score = abs(value - o["said"][0]) / o["said"][3]
    flags += {"calm": 0.0, "held": 1.0, "adopted": 2.0}[learn(band, o, value, dt)]
    return (score, *o["said"], flags)


def fold(band: SlowBand, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Answers of a whole series, float64[n, 6]."""
    return np.array([step(band, int(t), float(v)) for t, v in zip(times, values, strict=True)])
