"""A few of the rounds that `python -m tests.store.crash` runs by the hundred."""

from __future__ import annotations

import pytest

from tests.store.crash import crash
from tests.store.server import running


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_workers_leave_nothing_by_half(url: str, workers: int) -> None:
    """Everything acknowledged is there once, every timer fired once, every effect is on its way."""
    counted = crash(url, 3, workers=workers, seed=workers)

    assert counted["acknowledged"] > 0
    assert counted["timers"] > 0


@pytest.mark.usefixtures("server")  # where there can be one
def test_a_killed_server_loses_nothing_it_acknowledged() -> None:
    """The server's processes are killed in the middle of what the workers do, and go on from their log."""
    with running(fsync=False) as server:
        counted = crash(server.url, 4, workers=2, seed=1, server=server)

    assert counted["acknowledged"] > 0
    assert counted["timers"] > 0
