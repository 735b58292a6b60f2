"""What a service allows: limits on size, depth, number and rate."""

from __future__ import annotations

from outlast.moments import MINUTE
from outlast.values import frozen


@frozen
class Limits:
    """Bounds on what one caller may ask. `rate` is in requests per second, None for no bound; `burst` so many at once."""

    body: int = 1 << 20
    """Bytes."""
    depth: int = 32
    """How deep JSON may nest."""
    batch: int = 1_000
    """Events, instances or acknowledgements in one request."""
    page: int = 1_000
    """Entries in one answer."""
    streams: int = 100
    """Connections that are kept open for events, all together."""
    together: int = 1_000
    """Requests that are answered at the same time, of all callers, streams among them."""
    rate: float | None = 100.0
    burst: int = 200
    ahead: int = 5 * MINUTE
    """How far in the future an event may say that it happened, in microseconds."""
    patience: float = 30.0
    """Seconds a body may take to arrive."""
    heartbeat: float = 15.0
    """Seconds after which a stream says that it is still there."""
    poll: float = 1.0
    """Seconds after which it is looked whether another process has written to the store."""


USUAL = Limits()
