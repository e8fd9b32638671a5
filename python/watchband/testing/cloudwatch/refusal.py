"""What CloudWatch refuses with, by code and status."""

from __future__ import annotations

# API: Common Errors, and the errors of each operation. The first is the shape's name, which stands in the body; the
# second the code that clients compare, which stands in a header for those who once spoke the query protocol.
SHAPES = {
    "InvalidParameterValue": ("InvalidParameterValueException", 400),
    "InvalidParameterCombination": ("InvalidParameterCombinationException", 400),
    "MissingParameter": ("MissingRequiredParameterException", 400),
    "InvalidNextToken": ("InvalidNextToken", 400),
    "ValidationError": ("ValidationException", 400),
    "ResourceNotFound": ("ResourceNotFoundException", 404),
    "Throttling": ("ThrottlingException", 400),
    "LimitExceeded": ("LimitExceededFault", 400),
    "InternalServiceError": ("InternalServiceFault", 500),
    "ServiceUnavailable": ("ServiceUnavailableException", 503),
    "AccessDenied": ("AccessDeniedException", 403),
    "UnrecognizedClientException": ("UnrecognizedClientException", 403),
    "MissingAuthenticationToken": ("MissingAuthenticationTokenException", 403),
    "ExpiredToken": ("ExpiredTokenException", 403),
    "UnknownOperation": ("UnknownOperationException", 404),
    "RequestEntityTooLarge": ("RequestEntityTooLargeException", 413),
}


class Refusal(Exception):
    """A request that is refused.

    Parameters
    ----------
    code : str
        One of ``SHAPES``.
    message : str
        For people.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        self.shape, self.status = SHAPES[code]
        super().__init__(f"{code}: {message}")
