"""What reads bytes from outside, as functions of bytes: each takes them, or refuses them with one error and no other.

``tools/fuzz.py`` runs them under a fuzzer that is guided by coverage; ``test_targets.py`` runs them over seeds.
"""

from __future__ import annotations

import contextlib
import functools
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.adapters.push.requests import compressed, request
from tests.reference.remote_write import decode as slow
from watchband.adapters.sources.prometheus.answer import read_answer
from watchband.adapters.sources.push.arrow_points import decode_arrow
from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json, decode_json_lines
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.adapters.sources.push.remote_write import decode_inflated, decode_remote_write
from watchband.core.entry import MAGIC, Columns
from watchband.core.errors import AdapterError, StateCorruptError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

Target = Callable[[bytes], None]
BAD = Path(__file__).resolve().parents[1] / "adapters" / "push" / "bad"
LABELS = {"__name__": "cpu", "host": "a", "zone": "ü"}


def sound(found: Decoded) -> None:
    """What a decoder gives is what the engine may be given."""
    assert found.points == sum(len(r.times) for r in found.readings)
    for one in found.readings:
        assert one.times.dtype == np.int64
        assert one.values.dtype == np.float64
        assert one.times.shape == one.values.shape
        assert SeriesKey.parse(str(one.key)) == one.key
    assert len(found.refused) <= 100
    assert (found.refused_points > 0) == bool(found.refused)


def _push(decode: Callable[[bytes], Decoded]) -> Target:
    def run(data: bytes) -> None:
        with contextlib.suppress(PayloadError):
            sound(decode(data))

    return run


def remote_write(data: bytes) -> None:
    """Both versions, inflated and as they travel; what is taken is what protobuf's own parser reads."""
    with contextlib.suppress(PayloadError):
        sound(decode_remote_write(data[1:], 1 + (data[:1] > b"\x7f")))
    for version in (1, 2):
        with contextlib.suppress(PayloadError):
            found = decode_inflated(data, version)
            sound(found)
            assert found.points == slow(data, version).points


def entry(data: bytes) -> None:
    """An entry of the log as it is, and with the checksum that its body should have."""
    for whole in (data, MAGIC + struct.pack("<I", zlib.crc32(data)) + data):
        with contextlib.suppress(StateCorruptError):
            columns = Columns.from_bytes(whole)
            assert len(columns.times) == len(columns.values) == int(columns.counts.sum())
            again = Columns.from_bytes(columns.to_bytes())
            assert again.times.tobytes() == columns.times.tobytes()
            assert again.values.tobytes() == columns.values.tobytes()


def answer(data: bytes) -> None:
    """A body as a Prometheus would answer it."""
    with contextlib.suppress(AdapterError):
        read_answer(data, "cpu", False, 0, 2**62)


TARGETS: dict[str, Target] = {
    "remote_write": remote_write,
    "arrow": _push(decode_arrow),
    "influx": _push(functools.partial(decode_influx, now=0)),
    "json": _push(decode_json),
    "json_lines": _push(decode_json_lines),
    "entry": entry,
    "answer": answer,
}
_KINDS = {"rw1": "remote_write", "rw2": "remote_write", "jsonl": "json_lines"}


def seeds(target: str) -> Iterator[bytes]:
    """Good and bad payloads to begin from."""
    for path in sorted(BAD.iterdir()):
        kind = path.name.removesuffix(".bin").rpartition(".")[2]
        if _KINDS.get(kind, kind) == target:
            yield path.read_bytes()
    yield from _GOOD[target]()


def _requests() -> Iterator[bytes]:
    for version in (1, 2):
        body = request([(LABELS, [(1, 1.5), (2, float("nan"))]), ({"__name__": "up"}, [(3, 0.0)])], version)
        yield body
        yield bytes([0x80 * (version - 1)]) + compressed(body)


def _tables() -> Iterator[bytes]:
    import pyarrow as pa

    for host in (pa.array(["a", None]), pa.array(["a", "b"]).dictionary_encode()):
        time = pa.array([1, 2], pa.timestamp("s", tz="UTC"))
        table = pa.table({"time": time, "value": [1.5, None], "metric": ["cpu", "mem"], "host": host})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        yield sink.getvalue().to_pybytes()


def _entries() -> Iterator[bytes]:
    readings = [Readings(SeriesKey("cpu"), np.arange(n, dtype=np.int64), np.arange(n) / 3, "prom") for n in (1, 3, 90)]
    for part in (readings[:1], readings, []):
        whole = Columns.of(part, range(len(part)), (WatermarkMoved(5, "prom"),)).to_bytes()
        yield whole
        yield whole[8:]


_POINT = {"series": LABELS, "time": "2026-02-01T12:00:00Z", "value": 1.5}
_POINTS = {"metric": "cpu", "labels": {"host": "a"}, "times": [1, 2.5], "values": [None, "NaN"]}
_RESULT = [{"metric": LABELS, "values": [[1, "1.5"], [2, "+Inf"]]}, {"metric": {}, "histograms": [[1, {}]]}]
_GOOD: dict[str, Callable[[], Iterator[bytes]]] = {
    "remote_write": _requests,
    "arrow": _tables,
    "influx": lambda: iter([b'cpu,host=a\\ b usage=1.5,load=2i,note="x\\" y",up=t 17\n# no\nmem value=-1e3 18\n']),
    "json": lambda: iter([json.dumps(d).encode() for d in ([_POINT, _POINTS], {"points": [_POINT]}, _POINTS)]),
    "json_lines": lambda: iter(["\n".join(map(json.dumps, (_POINT, _POINTS))).encode()]),
    "entry": _entries,
    "answer": lambda: iter(
        [json.dumps({"status": "success", "data": {"resultType": "matrix", "result": _RESULT}}).encode()]
    ),
}
