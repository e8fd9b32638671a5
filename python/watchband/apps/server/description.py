"""The description of the API as OpenAPI has it, with who may do what."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs

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


class Described(FastAPI):
    """An application whose description says how to be let in."""

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            found = super().openapi()
            found.setdefault("components", {})["securitySchemes"] = SCHEMES
        assert self.openapi_schema is not None
        return self.openapi_schema


def description_router(app: FastAPI) -> APIRouter:
    """Where the description is served."""
    router = guarded()

    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    router.add_api_route(PATH, description, methods=["GET"], include_in_schema=False, dependencies=[needs("view")])
    return router
