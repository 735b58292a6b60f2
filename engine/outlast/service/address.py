"""Where to listen, and whether that is allowed: nothing listens beyond loopback without a token."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

from outlast.errors import MisuseError
from outlast.values import frozen


@frozen
class Address:
    """Where to listen. Port 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.certificate is not None

    def check(self, *, secured: bool) -> None:
        """Raises MisuseError for a place where this must not be served; `secured`: there are tokens."""
        if not self.is_loopback and not secured:
            raise MisuseError(
                f"`{self.host}` can be reached from elsewhere: give tokens with --tokens FILE or OUTLAST_TOKENS"
            )
        if (self.certificate is None) != (self.key is None):
            raise MisuseError("TLS needs both files: --tls-certificate and --tls-key")
        if self.certificate and self.key:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password="")
            except (OSError, ssl.SSLError) as error:
                reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
                raise MisuseError(f"{self.certificate}, {self.key}: no usable certificate and key: {reason}") from error
