"""Requests of remote write as a sender builds them, by protobuf's own objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import cramjam

from tests.reference.remote_write_schema import message_class

Series = tuple[Mapping[str, str], Sequence[tuple[int, float]]]
"""Labels, and samples as milliseconds and values."""
V1 = "application/x-protobuf"
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


def request(series: Iterable[Series], version: int = 1) -> bytes:
    """A request before it is compressed."""
    whole = message_class(version)()
    symbols: dict[bytes, int] = {b"": 0}
    for labels, samples in series:
        one = whole.timeseries.add()
        for name, value in labels.items():
            if version == 1:
                one.labels.add(name=name.encode(), value=value.encode())
            else:
                one.labels_refs.extend(symbols.setdefault(text.encode(), len(symbols)) for text in (name, value))
        for time, number in samples:
            one.samples.add(timestamp=time, value=number)
    if version == 2:
        whole.symbols.extend(symbols)
    return bytes(whole.SerializeToString())


def compressed(body: bytes) -> bytes:
    """As it travels."""
    return bytes(cramjam.snappy.compress_raw(body))
