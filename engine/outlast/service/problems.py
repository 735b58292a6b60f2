"""What went wrong, as a document: `application/problem+json` (RFC 9457), with a stable `code` beside the words."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from outlast.errors import (
    LimitExceeded,
    OutdatedError,
    OutlastError,
    RefusedInstance,
    SpecError,
    StoreError,
    UnknownName,
)

MEDIA = "application/problem+json"
LONGEST = 1_000
"""Characters of a detail: it may quote what was sent."""

CODES: Mapping[str, int] = {
    "bad-path": 400,
    "bad-json": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "wrong-host": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "too-slow": 408,
    "outdated": 412,
    "too-large": 413,
    "unsupported-type": 415,
    "bad-request": 422,
    "unknown-name": 422,
    "refused-instance": 422,
    "limit-exceeded": 422,
    "misuse": 422,
    "too-many-requests": 429,
    "internal": 500,
    "too-many-streams": 503,
    "store": 503,
}
"""Every code and its status."""


class Refused(Exception):
    """A request that is not carried out. `path` is a JSON Pointer to what is wrong in the body."""

    def __init__(
        self, code: str, detail: str, *, path: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.code, self.status, self.headers = code, CODES[code], dict(headers or {})
        self.detail, self.path = _scalar(detail)[:LONGEST], path
        super().__init__(self.detail)

    def document(self, request: str) -> dict[str, object]:
        """The document; `request` is the id of the request."""
        where = {} if self.path is None else {"pointer": self.path}
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **where,
            "request": request,
        }


def refused(error: OutlastError) -> Refused:
    """An error of the engine as a refusal."""
    match error:
        case UnknownName(kind="instance" | "decision"):
            code = "not-found"
        case UnknownName():
            code = "unknown-name"
        case OutdatedError():
            code = "outdated"
        case RefusedInstance():
            code = "refused-instance"
        case LimitExceeded():
            code = "limit-exceeded"
        case StoreError():
            return Refused("store", str(error), headers={"Retry-After": "1"})
        case SpecError():
            code = "internal"
        case _:
            code = "misuse"
    return Refused(code, str(error))


def _scalar(text: str) -> str:
    """Text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
