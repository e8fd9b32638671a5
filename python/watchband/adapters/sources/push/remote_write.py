"""Prometheus' remote write, versions 1 and 2: snappy and protobuf to readings."""

from __future__ import annotations

from watchband import _kernels
from watchband.adapters.sources.push.keys import Cache
from watchband.adapters.sources.push.payload import (
    LABELS_MAX,
    POINTS_MAX,
    SERIES_MAX,
    TEXT_MAX,
    Decoded,
    PayloadError,
    key_of,
    refuse,
)
from watchband.core.errors import DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

INFLATED_MAX = 64 << 20
"""Bytes of a request once it is inflated."""
_METRIC = "__name__"
_LIMITS = (POINTS_MAX, SERIES_MAX, LABELS_MAX + 1, 4 * TEXT_MAX, INFLATED_MAX)
_GOOD = 0
_WHY = {
    1: "references to labels come in pairs and point to symbols",
    2: f"a series has at most {LABELS_MAX} labels, and names and values of {TEXT_MAX} characters",
    3: "a timestamp is beyond what can be kept (1677 to 2262)",
    4: "a label is not UTF-8 text",
}
_TOO_MANY = {
    "points": f"A request holds at most {POINTS_MAX:,} samples. Lower max_samples_per_send.",
    "series": f"A request has at most {SERIES_MAX:,} series, {8 * SERIES_MAX:,} symbols. Lower max_samples_per_send.",
    "labels": f"The labels of a request have at most {INFLATED_MAX >> 20} MiB. Lower max_samples_per_send.",
}
_HISTOGRAM = (
    "native histograms are not read: send_native_histograms: false, and record a quantile, such as "
    "histogram_quantile(0.99, …)"
)


def version_of(content_type: str) -> int:
    """1 or 2 by the header ``Content-Type``.

    Raises
    ------
    PayloadError
        Neither.

    Examples
    --------
    >>> version_of("application/x-protobuf"), version_of("application/x-protobuf;proto=io.prometheus.write.v2.Request")
    (1, 2)
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

    Cost: some 1 µs a series and 10 ns a sample; a series that was seen before costs no parsing of its labels.

    Parameters
    ----------
    body : bytes
        Snappy's block format, as the protocol has it.
    version : {1, 2}
        Of the protocol.

    Raises
    ------
    PayloadError
        Not snappy, not protobuf, or larger than allowed.
    """
    return decode_inflated(_inflated(body), version)


def decode_inflated(body: bytes, version: int = 1) -> Decoded:
    """``decode_remote_write`` for what is inflated already."""
    try:
        labels, ends, times, values, histograms, status, lost = _kernels.remote_write(body, version == 2, _LIMITS)
    except ValueError as error:
        raise PayloadError(_told(str(error), version)) from None
    parts: list[Readings] = []
    decoded = Decoded(parts)
    plain = not (histograms.any() or status.any())
    start = 0
    for number, (text, end) in enumerate(zip(labels, ends.tolist(), strict=True)):
        begin, start = start, end
        if not plain and status[number] != _GOOD:
            refuse(decoded, f"series {number}", _WHY[int(status[number])], max(int(lost[number]), 1))
            continue
        if begin == end and (plain or not histograms[number]):
            continue
        key = _KEYS.get(text)
        if key is None:
            try:
                key = _key(text)
            except DataError as error:
                refuse(decoded, f"series {number}", error, max(end - begin, 1))
                continue
            _KEYS.put(text, key)
        if not plain and histograms[number]:
            refuse(decoded, str(key), _HISTOGRAM, int(histograms[number]))
        if begin != end:
            decoded.points += end - begin
            parts.append(Readings(key, times[begin:end], values[begin:end]))
    return decoded


_KEYS: Cache[bytes, SeriesKey] = Cache()


def _told(reason: str, version: int) -> str:
    return _TOO_MANY.get(reason) or f"This body is no protobuf message of remote write, version {version}: {reason}."


def _key(text: bytes) -> SeriesKey:
    """The key of labels as the kernel writes them: length and bytes of each name and value."""
    texts: list[str] = []
    at = 0
    while at < len(text):
        length = int.from_bytes(text[at : at + 4], "little")
        at += 4 + length
        texts.append(text[at - length : at].decode())
    labels = dict(zip(texts[::2], texts[1::2], strict=True))
    if 2 * len(labels) != len(texts):
        raise DataError("a label stands twice")
    return key_of(labels.pop(_METRIC, None), labels)


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
