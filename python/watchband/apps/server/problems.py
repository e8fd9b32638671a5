"""One shape for everything that goes wrong: problem details as RFC 9457 has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is no success.

    Parameters
    ----------
    status : int
        Of HTTP.
    detail : str
        What, where, and what to do.
    retry_after : float, optional
        Seconds after which the same request may succeed.
    headers : mapping, optional
        Further headers.
    **more
        Further members of the body.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more
        self.headers = dict(headers or {})
        if retry_after is not None:
            # Whole seconds, as HTTP has it; 0 would mean at once.
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def response(self, instance: str) -> JSONResponse:
        """The answer."""
        body = {**document(self.status, self.detail, instance), **self.more}
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def document(status: int, detail: str, instance: str) -> dict[str, Any]:
    """Problem details."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
    }


async def answer(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error, whatever it is; nothing of the program's inside is told."""
    problem = error if isinstance(error, Problem) else Problem(500, "An error of the server; its log says more.")
    return problem.response(request.url.path)
