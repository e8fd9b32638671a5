"""Remote write decoded by protobuf's own parser, one object a sample: slow, and by other people's code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from tests.reference.remote_write_schema import message_class
from watchband.adapters.sources.push.payload import LABELS_MAX, TEXT_MAX, Decoded, PayloadError, key_of, refuse
from watchband.core.errors import DataError
from watchband.core.ports import Readings

_MS = 1_000_000
_MS_MAX = 2**63 // _MS - 2


def decode(body: bytes, version: int) -> Decoded:
    """What ``decode_inflated`` says of an inflated request; of a series that is refused only that it is."""
    try:
        request = message_class(version).FromString(body)
    except DecodeError:
        raise PayloadError("no protobuf message") from None
    symbols: Sequence[bytes] | None = list(request.symbols) if version == 2 else None
    parts: list[Readings] = []
    decoded = Decoded(parts)
    for number, series in enumerate(request.timeseries):
        count = len(series.samples)
        try:
            times, values = _samples(series.samples)
            pairs = _labels(series, symbols)
            if not count and not len(series.histograms):
                continue
            labels = dict(pairs)
            if len(labels) != len(pairs):
                raise DataError("a label stands twice")
            key = key_of(labels.pop("__name__", None), labels)
        except (DataError, UnicodeDecodeError) as error:
            refuse(decoded, f"series {number}", error, max(count, 1))
            continue
        if len(series.histograms):
            refuse(decoded, str(key), "histograms", len(series.histograms))
        if count:
            decoded.points += count
            parts.append(Readings(key, times, values))
    return decoded


def _labels(series: Any, symbols: Sequence[bytes] | None) -> list[tuple[str, str]]:
    if symbols is None:
        pairs = [(label.name, label.value) for label in series.labels]
    else:
        refs = list(series.labels_refs)
        if len(refs) % 2 or any(ref >= len(symbols) for ref in refs):
            raise DataError("references")
        pairs = [(symbols[name], symbols[value]) for name, value in zip(refs[::2], refs[1::2], strict=True)]
    if len(pairs) > LABELS_MAX + 1 or any(len(text) > 4 * TEXT_MAX for pair in pairs for text in pair):
        raise DataError("labels")
    return [(name.decode(), value.decode()) for name, value in pairs]


def _samples(samples: Iterable[Any]) -> tuple[Any, Any]:
    pairs = [(sample.timestamp, sample.value) for sample in samples]
    ms = np.array([t for t, _ in pairs], np.int64)
    if len(ms) and (ms.max() > _MS_MAX or ms.min() < -_MS_MAX):
        raise DataError("time")
    values = np.array([v for _, v in pairs], np.float64)
    values[np.isnan(values)] = np.nan
    return ms * _MS, values
