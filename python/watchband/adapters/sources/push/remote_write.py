"""Prometheus' remote write, versions 1 and 2: snappy and protobuf to readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from watchband.adapters.sources.push.payload import POINTS_MAX, Decoded, PayloadError, Refused, key_of
from watchband.adapters.sources.push.remote_write_schema import message_class
from watchband.core.errors import DataError
from watchband.core.ports import Readings

INFLATED_MAX = 64 << 20
"""Bytes of a request once it is inflated."""
STALE = 0x7FF0000000000002
"""The bits of Prometheus' staleness marker: the series has ended or was not scraped; it is no value."""
_MS = 1_000_000
_MS_MAX = 2**63 // _MS - 1
_METRIC = "__name__"
_REFUSALS = 100


def version_of(content_type: str) -> int:
    """1 or 2 by the header ``Content-Type``.

    Raises
    ------
    PayloadError
        Neither.
    """
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    proto = next((p.partition("=")[2].strip('"') for p in parameters if p.startswith("proto=")), "")
    if media == "application/x-protobuf" and proto in ("", "prometheus.writerequest"):
        return 1
    if media == "application/x-protobuf" and proto == "io.prometheus.write.v2.request":
        return 2
    raise PayloadError(
        "Expected Content-Type application/x-protobuf, with proto=prometheus.WriteRequest or "
        f"io.prometheus.write.v2.Request. Got {content_type[:100]!r}."
    )


def decode_remote_write(body: bytes, version: int = 1) -> Decoded:
    """Samples of a request; staleness markers become NaN, which is a reading that is missing.

    Parameters
    ----------
    body : bytes
        Snappy's block format, as the protocol has it.
    version : {1, 2}
        Of the protocol.

    Raises
    ------
    PayloadError
        Not snappy, not protobuf, or larger than allowed once inflated.
    """
    request = _parsed(_inflated(body), version)
    symbols: Sequence[str] | None = list(request.symbols) if version == 2 else None
    decoded = Decoded([])
    parts: list[Readings] = []
    for number, series in enumerate(request.timeseries):
        count = len(series.samples)
        try:
            labels = _labels(series, symbols)
            key = key_of(labels.pop(_METRIC, None), labels)
            times, values = _samples(series.samples)
        except DataError as error:
            _refuse(decoded, f"series {number}", error, max(count, 1))
            continue
        if len(series.histograms):
            _refuse(decoded, str(key), "native histograms are not read: record a quantile", len(series.histograms))
        if decoded.points + count > POINTS_MAX:
            raise PayloadError(f"A request holds at most {POINTS_MAX:,} samples. Lower max_samples_per_send.")
        if count:
            decoded.points += count
            parts.append(Readings(key, times, values))
    decoded.readings = parts
    return decoded


def _inflated(body: bytes) -> bytes:
    import cramjam

    size, shift = 0, 0
    for at, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
        if at == 4:
            raise PayloadError("This body is not snappy's block format.")
    if size > INFLATED_MAX:
        raise PayloadError(
            f"A request may have {INFLATED_MAX >> 20} MiB once inflated. This one says {size >> 20} MiB."
        )
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except Exception as error:
        raise PayloadError(f"This body is not snappy's block format: {str(error)[:100]}.") from None


def _parsed(data: bytes, version: int) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return message_class(version).FromString(data)
    except DecodeError:
        raise PayloadError(f"This body is no protobuf message of remote write, version {version}.") from None


def _labels(series: Any, symbols: Sequence[str] | None) -> dict[str, str]:
    if symbols is None:
        return {label.name: label.value for label in series.labels}
    refs = list(series.labels_refs)
    if len(refs) % 2 or any(ref >= len(symbols) for ref in refs):
        raise DataError(f"References to labels come in pairs below {len(symbols)}. Got {refs[:20]}.")
    return {symbols[name]: symbols[value] for name, value in zip(refs[::2], refs[1::2], strict=True)}


def _samples(samples: Iterable[Any]) -> tuple[Any, Any]:
    pairs = [(sample.timestamp, sample.value) for sample in samples]
    ms = np.array([t for t, _ in pairs], np.int64)
    if len(ms) and (ms.max() > _MS_MAX or ms.min() < -_MS_MAX):
        raise DataError("A timestamp is beyond what can be kept (1677 to 2262).")
    values = np.array([v for _, v in pairs], np.float64)
    # Every NaN is a missing value here, the staleness marker among them; one kind of NaN keeps replays alike.
    values[np.isnan(values)] = np.nan
    return ms * _MS, values


def _refuse(decoded: Decoded, where: str, why: object, points: int) -> None:
    decoded.refused_points += points
    if len(decoded.refused) < _REFUSALS:
        decoded.refused.append(Refused(where, str(why)))
