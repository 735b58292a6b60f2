"""Bearer tokens and their roles. Kept are only hashes; comparing takes the same time whichever token it is."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Literal, Self, TypeAlias, get_args

import attrs

from outlast.errors import MisuseError, listed
from outlast.values import frozen

Role: TypeAlias = Literal["read", "write", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may."""
SHORTEST = 16
FORM = "write ROLE:TOKEN, one on a line"


@frozen
class Caller:
    """Who asks: a name for counting requests, which says nothing about the token, and what it may do."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this is enough for what `role` may do."""
        return ROLES.index(self.role) >= ROLES.index(role)


@frozen
class Tokens:
    """The tokens that are known, as hashes."""

    known: tuple[tuple[bytes, Role], ...] = attrs.field(default=(), repr=False)

    @classmethod
    def read(cls, text: str, where: str) -> Self:
        """Tokens from a text of `ROLE:TOKEN`, one on a line; `#` begins a comment. Raises MisuseError, which never shows a token."""
        known: list[tuple[bytes, Role]] = []
        for number, line in enumerate(text.splitlines(), 1):
            word = line.strip()
            if not word or word.startswith("#"):
                continue
            name, colon, token = word.partition(":")
            role = next((role for role in ROLES if role == name.strip()), None)
            token = token.strip()
            if not colon or role is None:
                raise MisuseError(f"{where}:{number}: {FORM}; a role is one of {listed(ROLES)}")
            if len(token) < SHORTEST or not (token.isascii() and token.isprintable()) or " " in token:
                raise MisuseError(f"{where}:{number}: a token has {SHORTEST} characters or more, ASCII without blanks")
            known.append((_digest(token), role))
        if not known:
            raise MisuseError(f"{where}: there is no token in it: {FORM}")
        return cls(tuple(known))

    def __bool__(self) -> bool:
        return bool(self.known)

    def caller(self, token: str) -> Caller | None:
        """Who has this token."""
        digest = _digest(token)
        found: Caller | None = None
        for known, role in self.known:  # all of them, however early one fits
            if hmac.compare_digest(known, digest) and (found is None or not found.may(role)):
                found = Caller(hashlib.sha256(b"caller" + known).hexdigest()[:16], role)
        return found


NOBODY = Tokens()
"""No tokens: whoever is on this machine may do everything."""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def token_in(header: str | None) -> str | None:
    """The token of an `Authorization` header: `Bearer TOKEN`, or, since browsers ask for it, the password of `Basic`."""
    scheme, _, rest = (header or "").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip() or None
        case "basic":
            try:
                return base64.b64decode(rest, validate=True).decode("utf-8").partition(":")[2] or None
            except (binascii.Error, ValueError):
                return None
        case _:
            return None
