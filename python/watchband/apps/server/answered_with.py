"""What each operation answers, as schemas of the description: lists, documents, text, and one shape for every error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchband.core.access_keys import ROLES
from watchband.core.acts import Deed

Schema = dict[str, Any]


def _object(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def _maybe(kind: str, **given: Any) -> Schema:
    return {"type": [kind, "null"], **given}


def _page(item: Schema) -> Schema:
    return _object(
        {"data": {"type": "array", "items": item}, "next": _maybe("string")}, total=_maybe("integer", minimum=0)
    )


TEXT: Schema = {"type": "string"}
DOCUMENT: Schema = {"type": "object"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
NO_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
ROLE: Schema = {"enum": list(ROLES)}
NO_ROLE: Schema = {"enum": [*ROLES, None]}
COMPONENTS: dict[str, Schema] = {
    "Document": DOCUMENT,
    "Page": _page(DOCUMENT),
    "Key": _object(
        {
            "id": TEXT,
            "name": TEXT,
            "role": ROLE,
            "state": {"enum": ["live", "expired", "revoked"]},
            "created": TIME,
            "by": TEXT,
            "expires": NO_TIME,
            "revoked": NO_TIME,
            "used": NO_TIME,
        }
    ),
    "NewKeyAnswer": _object({"key": {"$ref": "#/components/schemas/Key"}, "secret": TEXT}),
    "Session": _object({"user": _maybe("string"), "role": NO_ROLE, "signed_in": FLAG}),
    "About": _object(
        {
            "version": TEXT,
            "name": TEXT,
            "role": NO_ROLE,
            "user": _maybe("string"),
            "signed_in": FLAG,
            "sign_in": FLAG,
            "started": TIME,
            "external_url": _maybe("string"),
            "pages": {"type": "array", "items": TEXT},
            "features": {"type": "array", "items": TEXT},
        }
    ),
    "Act": _object(
        {
            "number": {"type": "integer", "minimum": 1},
            "at": NO_TIME,
            "by": TEXT,
            "deed": {"enum": list(Deed.__args__)},  # type: ignore[attr-defined]
            "target": _maybe("string"),
            "text": _maybe("string"),
            "until": NO_TIME,
        }
    ),
    "Ready": _object({"ready": FLAG, "reasons": {"type": "array", "items": TEXT}}),
    "Reloaded": _object({"hash": TEXT, "changed": DOCUMENT, "restart_needed": {"type": "array", "items": TEXT}}),
}
_JSON = "application/json"
LISTS = [
    "/sources",
    "/incidents",
    "/series",
    "/alerts",
    "/deliveries",
    "/watches",
    "/audit",
    "/models",
    "/drift",
    "/snapshots",
    "/windows",
    "/deploys",
    "/keys",
    "/tasks",
    "/risk/entities",
]
_ITEMS = {"/audit": "Act", "/keys": "Key"}
OWN: Mapping[tuple[str, str], tuple[int, str, Schema | None]] = {
    ("get", "/metrics"): (200, "text/plain", TEXT),
    ("get", "/healthz"): (200, "text/plain", TEXT),
    ("get", "/readyz"): (200, _JSON, {"$ref": "#/components/schemas/Ready"}),
    ("post", "/-/reload"): (200, _JSON, {"$ref": "#/components/schemas/Reloaded"}),
    ("get", "/api/v1/stream"): (200, "text/event-stream", TEXT),
    ("get", "/api/v1/series/points.csv"): (200, "text/csv", TEXT),
    ("get", "/api/v1/about"): (200, _JSON, {"$ref": "#/components/schemas/About"}),
    ("post", "/api/v1/keys"): (200, _JSON, {"$ref": "#/components/schemas/NewKeyAnswer"}),
    ("delete", "/api/v1/keys/{key}"): (200, _JSON, {"$ref": "#/components/schemas/Key"}),
    **{
        (m, "/api/v1/session"): (200, _JSON, {"$ref": "#/components/schemas/Session"})
        for m in ("get", "post", "delete")
    },
    **{("post", path): (204, "", None) for path in ("/write", "/api/v2/write", "/api/v1/write")},
}
"""Operations whose success is not the JSON document that it is elsewhere: status, media type, schema."""
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
OTHERS = {
    "4XX": {"description": "Refused; 'detail' says why and what to do.", "content": _PROBLEM},
    "5XX": {"description": "Not now; with Retry-After come again then.", "content": _PROBLEM},
}
"""Errors that any operation may answer: a body too large or too slow, too many requests, a fault of the program."""
ANY_MEDIA = {"/api/v1/tasks/{task}/result", "/metrics"}
"""Their media type depends on what is asked for."""


def success_of(method: str, path: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of an operation that succeeds."""
    status, media, schema = OWN.get((method, path), (200, _JSON, _list_or_document(method, path)))
    answer: dict[str, Any] = {"description": "Done."}
    if schema is not None:
        answer["content"] = {media: {"schema": schema}}
    if path in ANY_MEDIA:
        answer["content"] = {"*/*": {}}
    return status, answer


def _list_or_document(method: str, path: str) -> Schema:
    name = path.removeprefix("/api/v1")
    if method == "get" and name in _ITEMS:
        return _page({"$ref": f"#/components/schemas/{_ITEMS[name]}"})
    listed = method == "get" and name in LISTS
    return {"$ref": f"#/components/schemas/{'Page' if listed else 'Document'}"}
