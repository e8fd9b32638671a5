"""Decoders of pushed payloads."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json, decode_json_lines
from watchband.adapters.sources.push.payload import PayloadError

POINT = b'{"series": {"__name__": "cpu", "host": "a"}, "time": "2026-02-01T12:00:00Z", "value": %s}'


def test_a_bad_line_stops_no_other() -> None:
    found = decode_json_lines(POINT % b"1.5" + b"\n{\n" + POINT % b'"x"' + b"\n" + POINT % b"null")
    assert (found.points, found.refused_points) == (2, 2)
    assert np.isnan(found.readings[0].values).tolist() == [False, True]
    assert [refused.where for refused in found.refused] == ["line 2", "line 3"]


def test_what_is_no_json_is_refused_whole() -> None:
    with pytest.raises(PayloadError, match="not JSON"):
        decode_json(b"[1,")


def test_influx_lines() -> None:
    found = decode_influx(b"cpu,host=a usage=1.5,idle=2i 1700000000000000000\n")
    assert {str(r.key): r.values.tolist() for r in found.readings} == {
        'cpu_usage{host="a"}': [1.5],
        'cpu_idle{host="a"}': [2.0],
    }
