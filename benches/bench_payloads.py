"""Decoders of pushed points: remote write beside a bare protobuf parse of the same bytes, and the text formats."""

from __future__ import annotations

import json

from benches.timing import Case
from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json_lines
from watchband.adapters.sources.push.remote_write import decode_remote_write

NOW_S = 1_700_000_000
LABELS = ("instance", "job", "method", "code", "pod", "namespace")


def cases(points: int, peers: bool) -> list[Case]:
    """Requests of 10,000 samples: each of another series, as a scrape is, and ten of each."""
    found: list[Case] = []
    rounds = max(1, points // 100_000)
    for each in (1, 10):
        series = [_labels(number) for number in range(10_000 // each)]
        for version in (1, 2):
            found += _remote_write(series, each, version, rounds, peers)
    lines = [(_labels(number), NOW_S) for number in range(10_000)]
    text = "\n".join(json.dumps({"series": labels, "time": time, "value": 1.5}) for labels, time in lines).encode()
    found.append(Case("text formats", "JSON Lines", lambda: _times(rounds, decode_json_lines, text), 10_000 * rounds))
    influx = "\n".join(
        f"cpu,{','.join(f'{k}={v}' for k, v in labels.items() if k != '__name__')} value=1.5 {time}000000000"
        for labels, time in lines
    ).encode()
    found.append(Case("text formats", "Influx", lambda: _times(rounds, decode_influx, influx), 10_000 * rounds))
    return found


def _remote_write(series: list[dict[str, str]], each: int, version: int, rounds: int, peers: bool) -> list[Case]:
    import cramjam

    from tests.adapters.push.requests import request
    from tests.reference.remote_write import decode as reference
    from tests.reference.remote_write_schema import message_class

    stamps = [NOW_S * 1000 + 15_000 * k for k in range(each)]
    body = request(([*[(labels, [(t, float(t % 977)) for t in stamps]) for labels in series]]), version)
    packed = bytes(cramjam.snappy.compress_raw(body))
    group = f"remote write {version}, 10,000 samples of {len(series):,} series"
    count = each * len(series) * rounds
    found = [
        Case(
            group, "watchband, snappy and readings", lambda: _times(rounds, decode_remote_write, packed, version), count
        )
    ]
    if peers:
        parse = message_class(version).FromString
        found.append(
            Case(
                group, "protobuf, parse alone", lambda: _times(rounds, parse, body), count, note="no snappy, no columns"
            )
        )
        few = max(1, rounds // 5)
        found.append(
            Case(
                group,
                "protobuf, parse and readings",
                lambda: _times(few, reference, body, version),
                each * len(series) * few,
                note="no snappy",
            )
        )
    return found


def _labels(number: int) -> dict[str, str]:
    values = (f"10.0.{number // 250}.{number % 250}:9100", "node", "GET", "200", f"web-{number:05d}-abcde", "shop")
    return {"__name__": "http_requests_total", **dict(zip(LABELS, values, strict=True))}


def _times(rounds: int, work: object, *given: object) -> None:
    for _ in range(rounds):
        work(*given)  # type: ignore[operator]
