"""A few of the rounds that `python -m tests.store.crash` runs by the hundred."""

from __future__ import annotations

import pytest

from tests.store.crash import crash


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_workers_leave_nothing_by_half(url: str, workers: int) -> None:
    """Everything acknowledged is there once, every timer fired once, every effect is on its way."""
    counted = crash(url, 3, workers=workers, seed=workers)

    assert counted["acknowledged"] > 0
    assert counted["timers"] > 0
