"""The description of the API as OpenAPI has it: groups, who may do what, examples that were answered, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.answered_with import COMPONENTS, OTHERS, OWN, success_of
from watchband.apps.server.problems import MEDIA_TYPE

PATH = "/api/v1/openapi.json"
SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key, or a token of `server.tokens`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "watchband-8470",
        "description": "What a browser has that signed in; the number is the port of `server.listen`.",
    },
}
"""Ways to say who asks."""
EXAMPLES = Path(__file__).with_name("examples.json")
"""What each endpoint answered to the commands of the docs; written by ``python -m tests.apps.server.test_examples``."""
GROUPS = (
    ("Incidents", "What is strange, why, and what people do about it.", "incidents alerts deliveries audit"),
    ("Series", "Series, their points and bands, what is expected ahead.", "series fleet summary"),
    ("Points", "What goes in, and verdicts at once.", "points write predict batch_predict model_info health"),
    ("Watches", "What judges, at which budget; windows and deploys.", "watches windows deploys models tasks"),
    ("Service", "Whether it is well, how it is set, who may enter, what changes.", ""),
)
"""Name, text, and the first words of paths; what is in no other belongs to the last."""
ERRORS = {
    400: "The request cannot be read or makes no sense; the same again fails again.",
    401: "A token or session is missing or unknown.",
    403: "This role may not do it, or the request is a page's of somebody else.",
    404: "There is no such thing, or it has gone with the history.",
    422: "It was read, but no reading can be so: not finite, out of range, too late.",
    429: "Too much at a time; come again after `Retry-After`.",
    503: "Not now: starting, draining, or nothing to answer with; come again after `Retry-After`.",
}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, and what to do."},
        "instance": {"type": "string", "description": "The path that was asked."},
        "role": {"type": "string", "description": "Where a role is missing, the least that would do."},
    },
    "required": ["type", "title", "status"],
}
PARAMETERS = {
    "match": "Selector by name and labels, as Prometheus writes them.",
    "text": "Part of the series' name; several: all of them.",
    "watch": "Name of a watch; several: any of them.",
    "state": "How it is now; several: any of them.",
    "score_min": "Lowest last anomaly_score.",
    "score_max": "Highest last anomaly_score.",
    "value_min": "Lowest last value.",
    "value_max": "Highest last value.",
    "sort": "In which order; equal ones by name.",
    "limit": "Most items of a page.",
    "cursor": "`next` of the page before.",
    "series": "The series as it is printed, URL-encoded.",
    "severity": "How severe; several: any of them.",
    "from": "Beginning, RFC 3339.",
    "to": "End, RFC 3339.",
    "max_points": "More are rolled up.",
    "resolution": "`auto`, or a roll-up always.",
    "names": "Say which series the columns are.",
    "period": "How far back, such as 1w.",
    "consecutive": "Anomalous points that open an alert.",
    "close_after": "Normal points that close one.",
    "cool_down": "Points without a new alert after one.",
    "sink": "Name of a sink.",
    "open": "Only those that are open.",
    "points": "Last points of each series.",
    "name": "Name of the watch.",
    "incident": "Id of the incident, or of any of its alerts.",
    "window": "Id of the window.",
    "deploy": "Id of the deploy.",
    "action": "What it does with the series in it.",
    "start": "First moment, RFC 3339; now if left out.",
    "end": "The moment after the last, RFC 3339.",
    "duration": "How long, such as 2h, instead of an end.",
    "factor": "What the expected value is multiplied by, for `expect`.",
    "days": "Days of the week on which it comes again.",
    "zone": "IANA time zone in which its days and hours are meant.",
    "risk": "How much of the ordinary load; several: any of them.",
    "ribbons": "Most entities that are told over time.",
    "spark_points": "Most points of a sparkline.",
    "task": "Id of the task.",
    "key": "Id of the key.",
    "last-event-id": "The id of the last event that was heard: to resume.",
    "last_event_id": "The same, where no header can be sent.",
}
"""What parameters mean that do not say it themselves."""
_METHODS = ("get", "post", "put", "patch", "delete")


class Described(FastAPI):
    """An application whose description says what each endpoint is for, what it answers, and how to be let in."""

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            complete(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def complete(found: dict[str, Any]) -> None:
    """Add to a description what the routes do not say of themselves."""
    found["info"]["description"] = (
        "What the dashboard is made of, for other programs. One shape of lists, one of errors."
    )
    found["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    found["tags"] = [{"name": name, "description": text} for name, text, _ in GROUPS]
    found["servers"] = [{"url": "."}]
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = SCHEMES
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(COMPONENTS | {"Problem": PROBLEM})
    parts["responses"] = {str(status): _error(status, text) for status, text in ERRORS.items()} | OTHERS
    examples = json.loads(EXAMPLES.read_text()) if EXAMPLES.is_file() else {}
    for path, method, operation in operations(found):
        _say(operation, path)
        _refuse(operation, path)
        example = examples.get(f"{method.upper()} {path}", {})
        if not example or (method, path) in OWN:
            _answer(operation, method, path)
        if example:
            _show(operation, example)
        operation["responses"] |= {status: {"$ref": f"#/components/responses/{status}"} for status in OTHERS}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def group_of(path: str) -> str:
    """The group that a path belongs to."""
    first = re.sub(r"^/api/v[12]", "", path).split("/")[1].partition(".")[0]
    return next((name for name, _, words in GROUPS if first in words.split()), GROUPS[-1][0])


def _say(operation: dict[str, Any], path: str) -> None:
    text = re.sub(r"\s+", " ", operation.get("description", "").replace("``", "`")).strip()
    operation["tags"] = [group_of(path)]
    for parameter in operation.get("parameters", ()):
        if "description" not in parameter and parameter["name"].lower() in PARAMETERS:
            parameter["description"] = PARAMETERS[parameter["name"].lower()]
    operation["description"] = text
    if text:
        # The first clause, without the full stop, is the headline.
        operation["summary"] = re.split(r"[.:;](?: |$)", text, maxsplit=1)[0]


def _refuse(operation: dict[str, Any], path: str) -> None:
    answers, given = operation["responses"], "security" in operation
    if not path.endswith("predict"):
        answers.pop("422", None)
    told = [401, 403] if given else []
    told += [400] if operation.get("parameters") or "requestBody" in operation else []
    pushed = path.endswith(("/write", "v1/points", "/firehose"))
    told += [404] if "{" in path or pushed else []
    told += [422, 429] if path.endswith("predict") else [429] if pushed else []
    told += [503] if given or path in ("/health", "/readyz") else []
    for status in told:
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _answer(operation: dict[str, Any], method: str, path: str) -> None:
    """What is answered where no example shows it, or where it is of more kinds than an example can show."""
    status, success = success_of(method, path)
    answers = operation["responses"]
    answers.pop("200", None)
    operation["responses"] = {str(status): success} | answers


def _error(status: int, text: str) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": title, "status": status, "detail": text, "instance": "/api/v1/series"}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": text, "content": {MEDIA_TYPE: content}}


def _show(operation: dict[str, Any], example: dict[str, Any]) -> None:
    """Commands, parameters and an answer that were really given."""
    operation["x-codeSamples"] = [{"lang": "sh", "label": "curl", "source": text} for text in example["curl"]]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example["query"]:
            parameter["example"] = example["query"][parameter["name"]]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and "body" in example:
        body["example"] = example["body"]
    answers = operation["responses"]
    answer = answers.pop("200", None) or answers.pop(str(example["status"]))
    # What stands there already says more than one answer can.
    content = answer.get("content", {}).get(example["media"], {}) | {"example": example["answer"]}
    if isinstance(example["answer"], dict) and not content.get("schema"):
        content["schema"] = schema_of(example["answer"])
    shown = {} if example["answer"] is None else {"content": answer.get("content", {}) | {example["media"]: content}}
    operation["responses"] = {str(example["status"]): {"description": answer["description"], **shown}} | answers


def schema_of(value: Any) -> dict[str, Any]:
    """The shape of an answer. What is there may be null elsewhere: no more is promised than names and kinds.

    Examples
    --------
    >>> schema_of({"n": 1, "of": [True]})["properties"]["of"]
    {'type': ['array', 'null'], 'items': {'type': ['boolean', 'null']}}
    """
    if isinstance(value, dict):
        return {"type": ["object", "null"], "properties": {name: schema_of(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"type": ["array", "null"], **({"items": schema_of(value[0])} if value else {})}
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    return {"type": [kinds[type(value)], "null"]} if type(value) in kinds else {}


def description_router(app: FastAPI) -> APIRouter:
    """Where the description is served."""
    router = guarded()

    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    router.add_api_route(PATH, description, methods=["GET"], include_in_schema=False, dependencies=[needs("view")])
    return router
