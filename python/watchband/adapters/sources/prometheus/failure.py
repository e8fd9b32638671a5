"""What a refusal of the server means: come again, ask for less, or give up; always with the server's own words."""

from __future__ import annotations

import json
import re

from watchband.core.errors import AdapterError, PermanentError, TransientError

_LESS = re.compile(
    r"too many|too large|too long|too big|maximum resolution|exceed|limit|-search\.max|timed? ?out|deadline|"
    r"out of memory|would load",
    re.IGNORECASE,
)
# VictoriaMetrics answers 422 to these as well.
_WRONG = re.compile(
    r"parse error|unparsed data|cannot parse|unexpected token|(unknown|unsupported) func", re.IGNORECASE
)
_BUSY = (429, 503)
_WORDS_MAX = 300


class TooMuchError(TransientError):
    """The server would have to load, keep or send too much: ask for fewer steps."""


class TooSlowError(TooMuchError):
    """It took longer than may be waited for: ask for much less."""


class StumbledError(TransientError):
    """The expression cannot be computed over this data, say for two series where one is expected."""


class BusyError(TransientError):
    """The server cannot be reached, or asks to be left alone for a while, whatever is asked."""


class DeniedError(PermanentError):
    """The server takes no question of this source, whatever is asked."""


def failure(status: int, body: bytes, retry_after: float | None = None) -> AdapterError:
    """The error for an answer that is not 200.

    Parameters
    ----------
    status : int
        Of HTTP.
    body : bytes
        Of the answer.
    retry_after : float, optional
        Seconds of the header of that name.

    Examples
    --------
    >>> failure(400, b'{"errorType":"bad_data","error":"parse error: unexpected end of input"}')
    PermanentError('The server refused the query (400 bad_data): parse error: unexpected end of input')
    """
    kind, words = _words(body)
    told = f"{status}{' ' + kind if kind else ''}): {words}"
    less = status in (400, 413, 422, 500, 503) and _LESS.search(words) and not _WRONG.search(words)
    if kind == "timeout" or status == 504 or less:
        return TooMuchError(
            f"The server found the query too much ({told}. If it is at a single step too, match fewer series, raise "
            "the limit, or record it as a rule."
        )
    if status in _BUSY:
        return BusyError(f"The server is busy ({told}", status=status, retry_after=retry_after)
    if status == 422 and not _WRONG.search(words):
        return StumbledError(f"The server could not compute the query ({told}")
    if status in (401, 403):
        return DeniedError(
            f"The server does not let this source in ({told}. Give username and password, bearer_token or headers, or "
            "have the account allowed to query."
        )
    if status in (404, 405):
        return DeniedError(
            f"There is no query API at this address ({told}. Give the address of the server with its path prefix, "
            "such as http://host:9090 or https://host/prometheus."
        )
    if status in (408, 425) or status >= 500:
        return TransientError(f"The server failed ({told}")
    return PermanentError(f"The server refused the query ({told}")


def _words(body: bytes) -> tuple[str, str]:
    """Kind and text of an error as the API writes it; else the beginning of what came."""
    try:
        document = json.loads(body)
        return str(document.get("errorType") or ""), str(document["error"])[:_WORDS_MAX]
    except (ValueError, KeyError, AttributeError, RecursionError):
        text = re.sub(r"<[^>]*>|\s+", " ", body[:2000].decode(errors="replace")).strip()
        return "", " ".join(text.split())[:_WORDS_MAX] or "no words"
