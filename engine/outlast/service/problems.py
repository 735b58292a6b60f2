"""What went wrong, as a document: `application/problem+json` (RFC 9457), with a stable `code` beside the words."""

from __future__ import annotations

from collections.abc import Mapping

from outlast.errors import (
    ClockSkewError,
    IdempotencyError,
    InstanceExists,
    InstanceGone,
    LimitExceeded,
    OutdatedError,
    OutlastError,
    RefusedInstance,
    SpecError,
    StoreError,
    UnknownName,
)

MEDIA = "application/problem+json"
TYPE = "urn:outlast:problem:"
"""What the type of every problem begins with; its code follows."""
LONGEST = 1_000
"""Characters of a detail: it may quote what was sent."""

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad-path": (400, "The path cannot be read"),
    "bad-json": (400, "The body cannot be read"),
    "unauthorized": (401, "A token is needed"),
    "forbidden": (403, "That is not allowed"),
    "wrong-host": (403, "The host is another one"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The path knows other methods"),
    "too-slow": (408, "The body took too long"),
    "instance-exists": (409, "The name of the instance is taken"),
    "instance-gone": (410, "The instance is over"),
    "outdated": (412, "The instance has another version"),
    "too-large": (413, "The body is too large"),
    "unsupported-type": (415, "The body is of a type that is not taken"),
    "bad-request": (422, "The request makes no sense"),
    "id-reused": (422, "The id was used for something else"),
    "unknown-name": (422, "Nothing is called so"),
    "refused-instance": (422, "The instance cannot be made so"),
    "limit-exceeded": (422, "It would never end"),
    "misuse": (422, "It makes no sense"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "Something went wrong here"),
    "clock-skew": (503, "A clock may be wrong"),
    "overloaded": (503, "Too many requests at once"),
    "too-many-streams": (503, "Too many streams"),
    "store": (503, "The store cannot be used"),
}
"""Every code: its status, and its title."""

CODES: Mapping[str, int] = {code: status for code, (status, _) in PROBLEMS.items()}
"""Every code and its status."""

ERRORS: tuple[tuple[type[OutlastError], str], ...] = (
    (InstanceGone, "instance-gone"),
    (UnknownName, "unknown-name"),
    (InstanceExists, "instance-exists"),
    (OutdatedError, "outdated"),
    (IdempotencyError, "id-reused"),
    (ClockSkewError, "clock-skew"),
    (RefusedInstance, "refused-instance"),
    (LimitExceeded, "limit-exceeded"),
    (StoreError, "store"),
    (SpecError, "internal"),
    (OutlastError, "misuse"),
)
"""Errors of the engine by class, the first that fits. A reused id is 422, as in the IETF's draft of the header Idempotency-Key. Callers give no
instant that is further ahead than the service allows; so where the engine sees one, it is the service's own clock: 503, try again."""


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
            "type": TYPE + self.code,
            "title": PROBLEMS[self.code][1],
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **where,
            "request": request,
        }


def refused(error: OutlastError) -> Refused:
    """An error of the engine as a refusal."""
    code = next(code for kind, code in ERRORS if isinstance(error, kind))
    if code == "unknown-name" and isinstance(error, UnknownName) and error.kind in ("instance", "decision"):
        code = "not-found"
    return Refused(code, str(error), headers={"Retry-After": "1"} if CODES[code] == 503 else None)


def _scalar(text: str) -> str:
    """Text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
