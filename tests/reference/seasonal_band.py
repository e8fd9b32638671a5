"""The seasonal band, one value at a time, with dictionaries and the standard library's calendar."""

from __future__ import annotations

import calendar
import datetime
import itertools
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

Node = tuple[int, int, float]
SECONDS = {"hour": 3600.0, "fine": 300.0, "weekday": 86400.0, "week": 1800.0, "factor": 86400.0, "spread": 3600.0}
NODES = {"hour": 24, "fine": 576, "weekday": 7, "week": 336, "factor": 35, "spread": 24}
MEMORY = {"hour": 14.0, "fine": 20.0, "weekday": 6.0, "week": 6.0, "factor": 12.0, "spread": 14.0}
PRIOR = {"hour": 0.5, "fine": 0.2, "weekday": 0.3, "week": 0.2, "sunday": 0.5, "factor": 0.0}
DAY = 86400.0


def clip(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))


@dataclass
class SlowBand:
    """Parameters as the detector has them; ``hold`` is (seconds, points)."""

    timezone: str = "UTC"
    holidays: frozenset[datetime.date] = frozenset()
    hold: tuple[float, float] = (DAY, 36.0)
    low: float = -math.inf
    high: float = math.inf
    coverage: float = 0.99
    c: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.value = {k: np.zeros(n, np.float32) for k, n in NODES.items()}
        self.count = {k: np.zeros(n, np.float32) for k, n in NODES.items()}
        self.xy = dict.fromkeys(PRIOR, 0.0)
        self.xx = dict.fromkeys(PRIOR, 0.0)
        self.echo: dict[tuple[str, int], tuple[float, bool]] = {}
        self.visiting: dict[str, tuple[int, tuple[float, bool] | None]] = {}
        self.said = [0.0, 0.0, 0.0]
        self.worth_xy = self.worth_xx = 0.0
        self.head: list[float] = []
        self.cells = np.zeros(128, np.float32)
        self.unit = self.total = 0.0
        self.lags = [0.0, 0.0, 0.0]
        self.weights = np.array([0.4, 0.0, 0.4])
        self.p = np.eye(3) * 0.1
        self.gate = 0.0
        self.sums = dict.fromkeys(("x", "u", "xx", "xu", "uu", "step", "away"), 0.0)
        self.run_n = self.run_out = self.run_in = self.run_known = 0
        names = "seen interval level slope near far base ripple often local doubt bias since streak whole negative "
        names += "quantum changes last"
        self.c = dict.fromkeys(names.split(), 0.0)
        self.first = self.now = self.run_start = None

    # -- calendar and seasons

    def moment(self, nanos: int) -> dict[str, object]:
        seconds, rest = divmod(nanos, 1_000_000_000)
        local = datetime.datetime.fromtimestamp(seconds, ZoneInfo(self.timezone))
        day = local.date()
        month = calendar.monthrange(day.year, day.month)[1]
        working = [
            d
            for d in range(1, month + 1)
            if day.replace(day=d).weekday() < 5 and day.replace(day=d) not in self.holidays
        ]
        factors = [day.day - 1]
        factors += [31] if day.day == month else []
        # Only the first and last week are looked at.
        factors += [32] if working[:1] == [day.day] and day.day <= 7 else []
        factors += [33] if working[-1:] == [day.day] and month - day.day <= 7 else []
        factors += [34] if day in self.holidays else []
        second = local.hour * 3600.0 + local.minute * 60.0 + local.second + rest * 1e-9
        return {"second": second, "weekday": day.weekday(), "factors": factors, "holiday": day in self.holidays}

    def nodes(self, weekday: int, second: float) -> dict[str, Node]:
        def between(position: float, n: int, shift: int = 0) -> Node:
            below = int(position)
            return below % n + shift, (below + 1) % n + shift, position - below

        return {
            "hour": between(second / 3600.0, 24),
            "fine": between(second / 300.0, 288, 0 if weekday < 5 else 288),
            "weekday": between((weekday + 6.5 + second / 3600.0 / 24.0) % 7.0, 7),
            "week": between((weekday * 24.0 + second / 3600.0) * 2.0, 336),
        }

    def read(self, cells: dict[str, np.ndarray], table: str, node: Node) -> float:
        return float(cells[table][node[0]]) * (1.0 - node[2]) + float(cells[table][node[1]]) * node[2]

    def worth(self, name: str) -> float:
        ridge = 2.0 * self.c["far"] ** 2 + np.finfo(float).tiny
        ridge *= 24.0 if name in ("weekday", "factor") else 1.0
        return min(1.0, max(0.0, (self.xy[name] + ridge * PRIOR[name]) / (self.xx[name] + ridge)))

    def factor(self, index: int) -> float:
        n = float(self.count["factor"][index])
        return float(self.value["factor"][index]) * n / (n + 3.0)

    def season(self, m: dict) -> dict:
        """Raw values and readiness by table, the parts used, their sum, the hour's relative scale."""
        at = self.nodes(m["weekday"], m["second"])

        def words(nodes: dict[str, Node]) -> tuple[dict[str, float], dict[str, float]]:
            raw = {k: self.read(self.value, k, n) for k, n in nodes.items()}
            ready = {k: min(1.0, max(0.0, (self.read(self.count, k, n) - 0.5) / 0.45)) for k, n in nodes.items()}
            return raw, ready

        def said(raw: dict[str, float], ready: dict[str, float], tables: Iterable[str]) -> dict[str, float]:
            square, noise = raw["fine"] ** 2, 25.0 * max(self.c["near"], self.c["ripple"]) ** 2 + np.finfo(float).tiny
            worth = {k: self.worth(k) for k in tables}
            worth["fine"] = max(worth["fine"], square / (square + noise))
            return {k: raw[k] * ready[k] * worth[k] for k in worth}

        raw, ready = words(at)
        used = said(raw, ready, at)
        raw["sunday"], ready["sunday"], used["sunday"] = 0.0, 0.0, 0.0
        if m["holiday"] and m["weekday"] != 6:
            other, other_ready = words(self.nodes(6, m["second"]))
            like = said(other, other_ready, ("weekday", "week", "fine"))
            raw["sunday"] = sum(like.values()) - used["weekday"] - used["week"] - used["fine"]
            ready["sunday"], used["sunday"] = 1.0, raw["sunday"] * self.worth("sunday")
        raw["factor"], ready["factor"] = sum(self.factor(i) for i in m["factors"]), 1.0
        used["factor"] = raw["factor"] * self.worth("factor")
        ridge = 2.0 * self.c["far"] ** 2 + np.finfo(float).tiny
        n = self.read(self.count, "spread", at["hour"])
        total = sum(used.values())
        prior = 3.0 * self.c["near"] ** 2 + np.finfo(float).tiny
        return {
            "news": total - float(self.weights @ np.array(self.said)),
            "worth": min(1.0, max(0.0, (self.worth_xy + prior) / (self.worth_xx + prior))),
            "at": at,
            "raw": raw,
            "ready": ready,
            "used": used,
            "total": total,
            "m": m,
            "daily": used["hour"] + used["fine"],
            "unsure": (0.5 * raw["sunday"]) ** 2 * ridge / (self.xx["sunday"] + ridge),
            "spread": max(0.3, (n * self.read(self.value, "spread", at["hour"]) + 2.0) / (n + 2.0)),
        }

    def learn_worth(self, s: dict, error: float | None, dt: float) -> None:
        if error is not None:
            keep, hours = 1.0 / (1.0 + dt / (14.0 * DAY)), min(1.0, dt / 3600.0)
            due = clip(error, max(3.0 * self.c["near"], abs(s["news"]))) + s["worth"] * s["news"]
            self.worth_xy = self.worth_xy * keep + hours * s["news"] * due
            self.worth_xx = self.worth_xx * keep + hours * s["news"] ** 2
        self.said = [s["total"], self.said[0], self.said[2] + 0.2 * (s["total"] - self.said[2])]

    def learn_node(self, table: str, node: Node, error: float, dt: float, memory: float = math.inf) -> None:
        for k, weight in ((node[0], 1.0 - node[2]), (node[1], node[2])):
            part = weight * min(1.0, dt / SECONDS[table])
            if part > 0.0:
                count = min(float(self.count[table][k]) + part, MEMORY[table], memory)
                self.count[table][k] = np.float32(count)
                self.value[table][k] = np.float32(float(self.value[table][k]) + part / count * error)

    def learn_season(self, s: dict, rest: float, dt: float, which: str) -> None:
        raw, used, c = s["raw"], s["used"], self.c
        holiday = s["m"]["holiday"]
        c["local"] += min(1.0, dt / 7200.0) * (clip(rest, 3.0 * c["far"]) - c["local"])
        memory = math.inf if which == "all" else 2.0
        weighed = {"moment": ["fine"], "daily": ["hour", "fine"], "weekly": []}.get(which, ["hour", "fine", "factor"])
        weighed = weighed + (["weekday", "week"] if which in ("all", "weekly") and not holiday else [])
        weighed = weighed + (["sunday"] if which == "all" and holiday else [])
        keep, hours = 1.0 / (1.0 + dt / (14.0 * DAY)), min(1.0, dt / 3600.0)
        for k in weighed:
            x = raw[k] * s["ready"][k]
            self.xy[k] = self.xy[k] * keep + hours * x * (rest + used[k])
            self.xx[k] = self.xx[k] * keep + hours * x * x
        for k in ("hour", "fine", "weekday", "week"):
            if k in weighed and not holiday:
                error = rest + used[k] - raw[k] - (c["local"] if k == "fine" else 0.0)
                self.learn_node(k, s["at"][k], error, dt, memory)
        if which == "all":
            for i in s["m"]["factors"]:
                others = raw["factor"] - self.factor(i)
                error = rest + used["factor"] - others - float(self.value["factor"][i])
                self.learn_node("factor", (i, i, 0.0), error, dt)

    # -- level and scales

    def floor(self) -> float:
        c = self.c
        whole = 0.1 if c["whole"] > 0.99 and abs(c["level"]) < 1e6 else 1e-9
        known = 1.0 if c["quantum"] <= 0.1 * abs(c["level"]) else min(1.0, c["changes"] / 8.0)
        return max(1e-4 * abs(c["level"]), whole, 0.3 * c["quantum"] * known)

    def short(self) -> float:
        return clip(float(self.weights @ np.array(self.lags)), 1.5 * max(map(abs, self.lags)))

    def shift(self, rest: float) -> None:
        self.lags = [rest, self.lags[0], self.lags[2] + 0.2 * (rest - self.lags[2])]

    def coast(self, dt: float, rejected: bool) -> None:
        self.shift(clip(self.short(), max(map(abs, self.lags))) / (1.0 + dt / 43200.0))
        keep = min(0.9999, max(0.0, 1.0 - (self.c["near"] / self.c["far"]) ** 2))
        self.c["doubt"] = 1.0 - (1.0 - self.c["doubt"]) * (min(keep, 0.7) if rejected else keep)

    def passes(self, dt: float) -> None:
        c = self.c
        c["since"] += dt
        if c["interval"] == 0.0:
            c["interval"] = dt
        missing = max(0, int(dt / c["interval"] + 0.5) - 1)
        gain, ratio = (0.25, 8.0) if c["seen"] < 32 else (0.05, 2.0)
        c["interval"] += gain * (min(max(dt, c["interval"] / ratio), c["interval"] * ratio) - c["interval"])
        if c["seen"] < 8:
            return
        c["level"] += c["slope"] * dt
        for _ in range(min(missing, 24)):
            self.coast(c["interval"], False)
        if missing > 24:
            left = 1.0 / (1.0 + (missing - 24) * c["interval"] / 43200.0)
            self.lags = [lag * left for lag in self.lags]
            c["doubt"] = 1.0 - (1.0 - c["doubt"]) * left

    def begin(self) -> None:
        c, head = self.c, self.head
        c["level"] = statistics.median(head)
        c["far"] = max(1.4826 * sorted(abs(v - c["level"]) for v in head)[4], self.floor())
        step = sorted(abs(b - a) for a, b in itertools.pairwise(head))[4]
        c["near"] = max(min(1.2533 * step, c["far"]), 0.25 * c["far"], self.floor())
        c["base"], c["ripple"] = c["near"], c["far"]
        c["since"] = 0.0
        last = [clip(v - c["level"], 3.0 * c["far"]) for v in head]
        self.lags = [last[-1], last[-2], 0.0]

    def learn_level(self, rest: float, error: float, dt: float) -> None:
        c = self.c
        slow = min(0.05, dt / (7.0 * DAY))
        gain = max(slow, 1.0 / (c["seen"] + 1.0))
        bounded = clip(error, 3.0 * c["near"])
        c["bias"] += 0.1 * (bounded - c["bias"])
        excess = max(0.0, 2.0 * min(1.0, 1.2533 * abs(c["bias"]) / c["near"]) - 1.0)
        moved = gain * rest + 0.2 * excess * excess * bounded
        c["level"] += moved
        self.lags = [lag - moved for lag in self.lags]
        if gain == slow and dt > 0.0:
            c["slope"] += 0.25 * gain * gain * rest / dt

    def learn_weights(self, error: float) -> None:
        unit = self.c["near"]
        x = np.array(self.lags) / unit
        g = self.p @ x
        norm = 0.998 + x @ g
        self.weights = self.weights + g * (error / unit / norm)
        keep = 1.0 if np.trace(self.p) > 1.0 else 0.998
        self.p = (self.p - np.outer(g, g) / norm) / keep

    def learn_ripple(self, rest: float, dt: float, fresh: bool) -> None:
        c = self.c
        if fresh:
            size = min(1.2533 * abs(rest - c["local"]), 4.0 * c["ripple"])
            c["ripple"] += max(min(0.02, dt / (4.0 * DAY)), 1.0 / (c["seen"] + 1.0)) * (size - c["ripple"])
            c["ripple"] = max(c["ripple"], self.floor())
        else:
            c["local"] = rest

    def learn_scales(self, error: float | None, rest: float, dt: float, share: float, most: float) -> None:
        c = self.c
        if error is not None:
            gain = share * max(0.008, 3.0 / (c["seen"] + 10.0))
            c["near"] += gain * (1.2533 * min(abs(error), most * c["near"]) - c["near"])
        gain = share * max(min(0.02, dt / (2.0 * DAY)), 1.0 / (c["seen"] + 1.0))
        c["far"] += gain * (1.2533 * min(abs(rest), most * c["far"]) - c["far"])
        c["near"] = max(c["near"], self.floor())
        c["far"] = max(c["far"], c["near"])

    # -- tail

    def learn_tail(self, distance: float, weight: float) -> None:
        self.unit = self.unit * 2.0 ** (1.0 / 2000.0) if self.unit else 1.0
        if self.unit > 1e6:
            self.cells = (self.cells.astype(float) * 1e-6).astype(np.float32)
            self.unit, self.total = self.unit * 1e-6, self.total * 1e-6
        size = abs(distance)
        k = 0 if size < 0.02 else min(63, int(min(62.0, math.log(size / 0.02) / math.log(1.12))) + 1)
        add = weight * self.unit
        for cell, share in ((64 + k, distance > 0), (63 - k, distance < 0)):
            part = 0.5 if distance == 0 else float(share)
            self.cells[cell] = np.float32(float(self.cells[cell]) + part * add)
        self.total += add

    def quantile(self, p: float, sign: float) -> float:
        def student(x: float) -> float:
            s = x / math.sqrt(1.0 + x * x / 4.0)
            return 0.5 + 0.375 * s * (1.0 - s * s / 12.0)

        edges = [0.0] + [0.02 * 1.12**k for k in range(64)]
        below = [0.5] + [student(1.2533 * e) for e in edges[1:-1]] + [1.0]
        unit = self.unit or 1.0
        left = p * (self.total / unit + 30.0)
        cells = self.cells if sign > 0 else self.cells[::-1]
        for i in range(127, -1, -1):
            k = i - 64 if i >= 64 else 63 - i
            mass = float(cells[i]) / unit + 30.0 * (below[k + 1] - below[k])
            if mass >= left:
                share = left / mass if mass > 0 else 0.0
                width = edges[k + 1] - edges[k]
                return sign * (edges[k + 1] - width * share if i >= 64 else -(edges[k] + width * share))
            left -= mass
        return 0.0

    # -- what is strange: recurrence, runs, adoption

    def outside(self, z: float) -> bool:
        if self.c["seen"] < 20:
            return False
        sign = math.copysign(1.0, z)
        far = abs(z) > 0.6 * self.gate
        same = self.c["streak"] * sign > 0.0
        self.c["streak"] = 0.0 if not far else self.c["streak"] + sign if same else sign
        return abs(z) > self.gate or (far and (abs(self.c["streak"]) >= 3 or self.run_out >= 3))

    def stays_away(self, z: float, away: float, u: float) -> bool:
        near_run = abs(clip(u, 1e100) - self.run_last) < 0.5 * abs(away) if self.run_out >= 12 else False
        return near_run and self.run_in == 0 and abs(z) > 1.5

    def recall(self, m: dict, striking: bool, value: float, rest: float, dt: float, once: bool) -> str | None:
        places = {"daily": int(m["second"] / 300.0), "weekly": m["weekday"] * 48 + int(m["second"] / 1800.0)}
        for kind, place in places.items():
            before, last = self.visiting.get(kind, (place, None))
            if before != place:
                self.echo.pop((kind, before), None)
                if last is not None:
                    self.echo[kind, before] = (float(np.float32(last[0])), last[1])
                last = None
            seen, _ = self.echo.get((kind, place), (math.inf, False))
            self.visiting[kind] = (place, (value, abs(value - seen) <= 0.35 * abs(rest)) if striking else last)
        lasted = dt + ((self.now - self.run_start) * 1e-9 if self.run_n else 0.0)
        for kind, least, most in (("daily", 0.0, 0.9 * DAY), ("weekly", 1800.0, 6.9 * DAY)):
            seen, again = self.echo.get((kind, places[kind]), (math.inf, False))
            same = (once or again) and abs(value - seen) <= 0.35 * abs(rest)
            if striking and same and least <= lasted < most:
                return "moment" if kind == "daily" and lasted < 3600.0 else kind
        return None

    def end_run(self) -> None:
        self.run_n = self.run_out = self.run_in = self.run_known = 0
        self.sums = dict.fromkeys(self.sums, 0.0)

    def judge(self, outside: bool, known: bool, x: float, u: float) -> str:
        s = self.sums
        if self.run_n == 0:
            if not outside:
                return "calm"
            self.run_start = self.now
        u = clip(u, 1e100)
        if self.run_n:
            mean = s["u"] / self.run_n
            if self.run_n >= 8:
                u = mean + clip(u - mean, 4.0 * (s["away"] / self.run_n + self.c["near"]))
            s["away"] += abs(u - mean)
            s["step"] += abs(u - self.run_last)
        self.run_n, self.run_last = self.run_n + 1, u
        for k, term in (("x", x), ("u", u), ("xx", x * x), ("xu", x * u), ("uu", u * u)):
            s[k] += term
        self.run_out += outside
        self.run_known += outside and known
        self.run_in = 0 if outside else self.run_in + 1
        if self.run_in >= 4:
            self.end_run()
            return "calm"
        lasted, age = (self.now - self.run_start) * 1e-9, (self.run_start - self.first) * 1e-9
        needed = min(self.hold[0], age / 2.0)
        news = self.run_out - self.run_known >= self.run_known or lasted >= 2.1 * needed
        if outside and news and self.run_out >= self.hold[1] and lasted >= needed and self.hold[0] < math.inf:
            self.adopt()
            return "adopted"
        return "held" if self.run_out >= 3 else "calm"

    def adopt(self) -> None:
        c, n, s = self.c, self.run_n, self.sums
        mx, mu = s["x"] / n, s["u"] / n
        var_x, cov = max(0.0, s["xx"] / n - mx * mx), s["xu"] / n - mx * mu
        swing = min(2.0, max(0.0, (cov + c["near"] ** 2) / (var_x + c["near"] ** 2)))
        rest = max(0.0, max(0.0, s["uu"] / n - mu * mu) - swing * (2.0 * cov - swing * var_x))
        c["level"] += mu - swing * mx
        c["slope"] = 0.0
        for table in ("hour", "fine"):
            self.value[table] = (self.value[table].astype(float) * swing).astype(np.float32)
        if c["level"] < 0.0:
            c["negative"] = 1.0
        c["far"] = max(math.sqrt((n * rest + 6.0 * c["far"] ** 2) / (n + 6.0)), self.floor())
        step = (0.886 * s["step"] + 6.0 * c["near"]) / (n + 5.0)
        near = max(min(step, c["far"]), 0.1 * c["far"], self.floor())
        c["near"] = near
        self.lags = [clip(self.run_last - (mu - swing * mx), 3.0 * c["far"])] * 3
        c["doubt"], c["since"] = 1.0, 0.0
        self.end_run()
