"""A process that serves: a socket, and a graceful end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import uvicorn

from outlast.errors import MisuseError
from outlast.service.address import Address
from outlast.service.app import create_app
from outlast.service.deck import Deck

GRACE = 10
"""Seconds requests have to end when the service does."""


class _Server(uvicorn.Server):
    """Ends its streams first: they would never end by themselves."""

    deck: Deck

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self.deck.closing = True
        self.deck.bell.ring()
        await super().shutdown(sockets)


def listen(address: Address) -> socket.socket:
    """The socket. Raises MisuseError."""
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family, backlog=512)
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # a name that cannot be found has numbers of its own
        why = os.strerror(error.errno or 0) if known else error.strerror
        raise MisuseError(f"cannot listen on {address.host}:{address.port}: {why}") from error


def serve(
    deck: Deck, address: Address, sock: socket.socket, *, conformance: bool, ready: Callable[[str], None]
) -> None:
    """Serve at a socket until SIGTERM or SIGINT. `ready` is told the address once connections are taken."""
    config = uvicorn.Config(
        create_app(deck, conformance=conformance, encrypted=address.encrypted),
        ssl_certfile=address.certificate,
        ssl_keyfile=str(address.key) if address.key else None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    server.deck = deck
    host = f"[{address.host}]" if ":" in address.host else address.host
    ready(f"{'https' if address.encrypted else 'http'}://{host}:{sock.getsockname()[1]}")
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again after the end: then it has been obeyed
    server.run(sockets=[sock])
