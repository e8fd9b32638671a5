"""The two messages of Prometheus' remote write, described field by field.

Numbers and names are those of the protocol (``prometheus.WriteRequest`` of version 1 and
``io.prometheus.write.v2.Request``); parts that carry no samples are left out, and protobuf skips what is not named.
Texts are bytes here, so that one that is no UTF-8 spoils no other.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

_TYPES = {"double": 1, "int64": 3, "bytes": 12, "message": 11, "uint32": 13}
_OPTIONAL, _REPEATED = 1, 3

V1 = {
    "Label": {"name": (1, "bytes"), "value": (2, "bytes")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "TimeSeries": {"labels": (1, "Label[]"), "samples": (2, "Sample[]"), "histograms": (4, "Skipped[]")},
    "Skipped": {},
    "WriteRequest": {"timeseries": (1, "TimeSeries[]")},
}
V2 = {
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "TimeSeries": {"labels_refs": (1, "uint32[]"), "samples": (2, "Sample[]"), "histograms": (3, "Skipped[]")},
    "Skipped": {},
    "Request": {"symbols": (4, "bytes[]"), "timeseries": (5, "TimeSeries[]")},
}


@cache
def message_class(version: int) -> Any:
    """The class of a whole request, version 1 or 2."""
    schema, package, root = (
        (V1, "watchband.write1", "WriteRequest") if version == 1 else (V2, "watchband.write2", "Request")
    )
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for message_name, fields in schema.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind) in fields.items():
            one = kind.removesuffix("[]")
            field = message.field.add(name=name, number=number, label=_REPEATED if one != kind else _OPTIONAL)
            if one in _TYPES:
                field.type = cast(Any, _TYPES[one])
            else:
                field.type, field.type_name = cast(Any, _TYPES["message"]), f".{package}.{one}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{root}"))
